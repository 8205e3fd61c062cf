//! A gate, as it is demanded: `eval:NAME`, `approval:TEAM[:N]`, `policy`, …

use std::fmt;
use std::str::FromStr;

/// What a promotion must show.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Requirement {
    /// The eval of this name must pass.
    Eval(String),
    /// People of a team must approve.
    Approval {
        /// The team.
        team: String,
        /// How many of it.
        count: u32,
    },
    /// Policies must hold.
    Policy,
}

impl Requirement {
    /// The gate.
    #[must_use]
    pub fn gate(&self) -> &'static str {
        match self {
            Self::Eval(_) => "eval",
            Self::Approval { .. } => "approval",
            Self::Policy => "policy",
        }
    }

    /// What it is about.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Eval(name) => Some(name),
            Self::Approval { team, .. } => Some(team),
            Self::Policy => None,
        }
    }
}

impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Eval(n) => write!(f, "eval:{n}"),
            Self::Approval { team, count } => write!(f, "approval:{team}:{count}"),
            Self::Policy => f.write_str("policy"),
        }
    }
}

impl FromStr for Requirement {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            Some(("eval", n)) => Ok(Self::Eval(n.into())),
            Some(("approval", n)) => Ok(Self::Approval { team: n.into(), count: 1 }),
            _ if text == "policy" => Ok(Self::Policy),
            _ => Err("unknown gate".into()),
        }
    }
}
