//! `joch doctor`.

use schemars::JsonSchema;
use serde::Serialize;

use crate::render::{Page, View};

/// What was looked at, and how it came out.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DoctorResult {
    /// `well`, `ill`, or `unknown` where something could not be looked at.
    #[schemars(extend("enum" = ["well", "ill", "unknown"]))]
    pub verdict: &'static str,
    /// Every check, in the order in which they were made.
    pub checks: Vec<DoctorCheck>,
}

/// One check.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DoctorCheck {
    /// What was looked at.
    pub name: &'static str,
    /// `ok`, `warn`, `fail` or `unknown`.
    #[schemars(extend("enum" = ["ok", "warn", "fail", "unknown"]))]
    pub state: &'static str,
    /// What was found.
    pub message: String,
    /// What to do, where it is not well.
    pub next: Option<String>,
}

/// The width of the column of names.
const NAME_WIDTH: usize = 12;

impl View for DoctorResult {
    fn kind(&self) -> &'static str {
        "DoctorResult"
    }

    fn fields(&self) -> serde_json::Value {
        super::fields_of(self)
    }

    fn text(&self, page: &mut Page, _wide: bool) {
        for check in &self.checks {
            let state = check.state.to_uppercase();
            page.line(format!("{state:8}{:NAME_WIDTH$}{}", check.name, check.message));
            for line in check.next.iter().flat_map(|next| next.lines()) {
                page.line(format!("{:8}{:NAME_WIDTH$}next: {line}", "", ""));
            }
        }
    }

    fn names(&self) -> Vec<String> {
        let ill = self.checks.iter().filter(|check| check.state != "ok");
        ill.map(|check| check.name.to_owned()).collect()
    }
}
