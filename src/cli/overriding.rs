//! `--override`, `--ticket` and `--expires`: the words that `promote` and `apply` share.

use chrono::Duration;
use clap::Args;

use crate::ops::break_glass;

/// Break glass
#[derive(Debug, Args)]
pub(super) struct OverrideArgs {
    /// Let it through in spite of this gate, as its answer is labelled; takes `--reason` and `--ticket`, and somebody
    /// whom the Environment names under `override`; may be repeated
    #[arg(long = "override", value_name = "GATE")]
    gates: Vec<String>,
    /// The incident or ticket that an override is for
    #[arg(long, value_name = "ID", requires = "gates")]
    ticket: Option<String>,
    /// How long an override may wait for its review, such as `90m`; at most `4h`, which it is unless said
    #[arg(long, value_name = "TIME", requires = "gates", value_parser = duration)]
    expires: Option<Duration>,
}

impl OverrideArgs {
    pub(super) fn request(self) -> break_glass::Request {
        break_glass::Request { gates: self.gates, ticket: self.ticket, within: self.expires }
    }
}

/// `2h`, `90m`.
fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || "a time is a number of hours or minutes, such as 2h or 90m".to_owned();
    let (number, unit) = text.split_at_checked(text.len().saturating_sub(1)).ok_or_else(wrong)?;
    let number: u16 = number.parse().map_err(|_| wrong())?;
    match unit {
        "h" => Ok(Duration::hours(number.into())),
        "m" => Ok(Duration::minutes(number.into())),
        "s" => Ok(Duration::seconds(number.into())),
        _ => Err(wrong()),
    }
}
