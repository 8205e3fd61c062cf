//! What a promotion may be made to demand, as one word on the command line and in `gates` of an
//! Environment: `eval:NAME`, `approval:TEAM[:N]`, `policy`, `agbom[:SEVERITY]`, `budget[:NAME]`,
//! `latency[:+N%]`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::name::{check_name, nearest};
use super::value::Number;

/// One demand.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Requirement {
    /// The Eval of this name must have passed.
    Eval(String),
    /// So many people of this team must approve; at least one.
    Approval(String, u32),
    /// The candidate must pass every policy.
    Policy,
    /// The AgBOM must bring no new component of this risk or above; `high` where none is given.
    AgBom(Option<Risk>),
    /// Projected cost must stay below this budget, or below every one that applies.
    Budget(Option<String>),
    /// Latency may grow by so many per cent; by what the gate's default is where none is given.
    Latency(Option<Percent>),
}

/// How risky a component is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the usual four, rising")]
pub enum Risk {
    Low,
    Medium,
    High,
    Critical,
}

/// A share in hundredths of a per cent, so that two equal shares are one: 10 % is 1000.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Percent(u32);

impl Percent {
    /// So many hundredths of a per cent.
    #[must_use]
    pub const fn hundredths(hundredths: u32) -> Self {
        Self(hundredths)
    }

    /// The share in hundredths of a per cent.
    #[must_use]
    pub const fn in_hundredths(self) -> u32 {
        self.0
    }

    /// The share as a factor: 10 % is 0.1.
    #[must_use]
    pub fn as_factor(self) -> f64 {
        f64::from(self.0) / 10_000.0
    }
}

impl Requirement {
    /// What its gate reads beside `gate` and `mode` where it is written as a map.
    #[must_use]
    pub const fn settings(&self) -> &'static [&'static str] {
        match self {
            Self::AgBom(_) => &["failOn"],
            Self::Budget(_) => &["worstCase"],
            Self::Eval(_) | Self::Approval(..) | Self::Policy | Self::Latency(_) => &[],
        }
    }
}

impl Risk {
    /// The words, rising.
    pub const WORDS: [&str; 4] = ["low", "medium", "high", "critical"];

    /// The risk of this word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Low, Self::Medium, Self::High, Self::Critical].into_iter().find(|risk| risk.word() == word)
    }

    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        Self::WORDS[self as usize]
    }
}

impl Requirement {
    /// The words that begin a requirement.
    pub const WORDS: [&str; 6] = ["eval", "approval", "policy", "agbom", "budget", "latency"];

    /// The word it begins with.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Eval(_) => "eval",
            Self::Approval(..) => "approval",
            Self::Policy => "policy",
            Self::AgBom(_) => "agbom",
            Self::Budget(_) => "budget",
            Self::Latency(_) => "latency",
        }
    }

    /// The name that follows the word: of an Eval, a team or a budget.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Eval(name) | Self::Approval(name, _) | Self::Budget(Some(name)) => Some(name),
            Self::Policy | Self::AgBom(_) | Self::Budget(None) | Self::Latency(_) => None,
        }
    }
}

impl FromStr for Requirement {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (word, rest) = text.split_once(':').map_or((text, None), |(word, rest)| (word, Some(rest)));
        let refuse = |form: &str| format!("`{text}` is not a gate: write {form}");
        let name = |name: &str| check_name(name).map(|()| name.to_owned()).map_err(|rule| format!("`{text}`: {rule}"));
        match (word, rest) {
            ("eval", Some(rest)) => Ok(Self::Eval(name(rest)?)),
            ("eval", None) => Err(refuse("`eval:NAME`")),
            ("approval", Some(rest)) => {
                let (team, count) = rest.split_once(':').unwrap_or((rest, "1"));
                let count = Some(count).filter(|count| count.bytes().all(|b| b.is_ascii_digit()));
                let count = count.and_then(|count| count.parse().ok()).filter(|count| *count > 0);
                Ok(Self::Approval(name(team)?, count.ok_or_else(|| refuse("`approval:TEAM:N` with N from 1"))?))
            }
            ("approval", None) => Err(refuse("`approval:TEAM` or `approval:TEAM:N`")),
            ("policy", None) => Ok(Self::Policy),
            ("policy", Some(_)) => Err(refuse("`policy`")),
            ("agbom", None) => Ok(Self::AgBom(None)),
            ("agbom", Some(rest)) => Risk::from_word(rest)
                .map(|risk| Self::AgBom(Some(risk)))
                .ok_or_else(|| refuse("`agbom:SEVERITY` with one of low, medium, high, critical")),
            ("budget", rest) => Ok(Self::Budget(rest.map(name).transpose()?)),
            ("latency", None) => Ok(Self::Latency(None)),
            ("latency", Some(rest)) => percent(rest)
                .map(|percent| Self::Latency(Some(percent)))
                .ok_or_else(|| refuse("`latency:+N%` such as `latency:+10%`")),
            (other, _) => Err(match nearest(other, Self::WORDS) {
                Some(meant) => format!("`{text}` is not a gate: did you mean `{meant}`?"),
                None => refuse(
                    "one of eval:NAME, approval:TEAM[:N], policy, agbom[:SEVERITY], budget[:NAME], latency[:+N%]",
                ),
            }),
        }
    }
}

/// `+10%`, `+2.5%`.
fn percent(text: &str) -> Option<Percent> {
    let digits = text.strip_prefix('+')?.strip_suffix('%')?;
    let (whole, part) = digits.split_once('.').unwrap_or((digits, "0"));
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if !is_digits(whole) || !is_digits(part) || part.len() > 2 {
        return None;
    }
    let part: u32 = format!("{part:0<2}").parse().ok()?;
    Some(Percent(whole.parse::<u32>().ok()?.checked_mul(100)?.checked_add(part)?))
}

impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())?;
        match self {
            Self::Eval(name) | Self::Approval(name, 1) | Self::Budget(Some(name)) => write!(f, ":{name}"),
            Self::Approval(team, count) => write!(f, ":{team}:{count}"),
            Self::AgBom(Some(risk)) => write!(f, ":{}", risk.word()),
            Self::Latency(Some(percent)) => write!(f, ":+{percent}%"),
            Self::Policy | Self::AgBom(None) | Self::Budget(None) | Self::Latency(None) => Ok(()),
        }
    }
}

/// `10`, `2.5`.
impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = Number::from_f64(f64::from(self.0) / 100.0).expect("a whole number over a hundred is finite");
        number.fmt(f)
    }
}

impl From<Requirement> for String {
    fn from(requirement: Requirement) -> Self {
        requirement.to_string()
    }
}

impl TryFrom<String> for Requirement {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_what_was_read() {
        for text in [
            "eval:support-triage-quality",
            "approval:release-manager",
            "approval:security:2",
            "policy",
            "agbom",
            "agbom:high",
            "budget",
            "budget:monthly",
            "latency",
            "latency:+10%",
            "latency:+2.5%",
            "latency:+0.25%",
        ] {
            assert_eq!(text.parse::<Requirement>().map(|requirement| requirement.to_string()), Ok(text.to_owned()));
        }
        assert_eq!("approval:a:1".parse(), Ok(Requirement::Approval("a".into(), 1)));
        assert_eq!("latency:+10.0%".parse::<Requirement>(), "latency:+10%".parse());
    }

    #[test]
    fn a_slip_is_answered_with_the_form() {
        let refusal = |text: &str| text.parse::<Requirement>().expect_err("a slip");
        assert_eq!(refusal("aproval:x"), "`aproval:x` is not a gate: did you mean `approval`?");
        assert_eq!(refusal("latency:10%"), "`latency:10%` is not a gate: write `latency:+N%` such as `latency:+10%`");
        for bad in [
            "eval",
            "eval:",
            "eval:A",
            "approval:x:0",
            "approval:x:+1",
            "approval:x:y",
            "policy:x",
            "agbom:severe",
            "budget:",
            "latency:+%",
            "latency:+1.234%",
            "",
        ] {
            assert!(bad.parse::<Requirement>().is_err(), "{bad}");
        }
    }
}
