//! The ladder: the environments of a project, lowest rung first.

use serde::{Deserialize, Serialize};

use crate::resource::name::{check_environment, nearest};

/// The rungs of a ladder. Promotion goes from one to the next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Ladder(Vec<String>);

impl Default for Ladder {
    fn default() -> Self {
        Self(["local", "dev", "staging", "prod"].map(str::to_owned).to_vec())
    }
}

impl Ladder {
    /// A ladder of these rungs, lowest first.
    ///
    /// # Errors
    /// Fewer than two rungs, one named twice, or a name that no branch can have.
    pub fn new(rungs: Vec<String>) -> Result<Self, String> {
        if rungs.len() < 2 {
            return Err("a ladder has at least two environments, such as `dev,prod`".into());
        }
        for (at, rung) in rungs.iter().enumerate() {
            check_environment(rung).map_err(|rule| format!("`{rung}`: {rule}"))?;
            if rungs[..at].contains(rung) {
                return Err(format!("`{rung}` stands twice on the ladder"));
            }
        }
        Ok(Self(rungs))
    }

    /// The rungs, lowest first.
    #[must_use]
    pub fn rungs(&self) -> &[String] {
        &self.0
    }

    /// The lowest rung, where work begins; it demands no gates.
    #[must_use]
    pub fn first(&self) -> &str {
        &self.0[0]
    }

    /// The highest rung.
    #[must_use]
    pub fn last(&self) -> &str {
        &self.0[self.0.len() - 1]
    }

    /// The rungs from `environment` upwards, itself included; none if it is no rung.
    #[must_use]
    pub fn from(&self, environment: &str) -> &[String] {
        let at = self.0.iter().position(|rung| rung == environment).unwrap_or(self.0.len());
        &self.0[at..]
    }

    /// Whether `environment` is a rung.
    #[must_use]
    pub fn has(&self, environment: &str) -> bool {
        self.0.iter().any(|rung| rung == environment)
    }

    /// Checks that a promotion from one to the other climbs exactly one rung.
    ///
    /// # Errors
    /// What is wrong, and the rung to promote from instead.
    pub fn check_step(&self, from: &str, to: &str) -> Result<(), String> {
        let at = |name: &str| self.0.iter().position(|rung| rung == name).ok_or_else(|| self.unknown(name));
        let (low, high) = (at(from)?, at(to)?);
        if low + 1 == high {
            return Ok(());
        }
        let ladder = self.0.join(" → ");
        Err(match high.checked_sub(1) {
            None => format!("`{to}` is the first rung of {ladder}: nothing is promoted into it, it is applied to"),
            Some(below) => format!(
                "a promotion climbs one rung of {ladder}: into `{to}` it comes from `{}`, not from `{from}`",
                self.0[below]
            ),
        })
    }

    /// Says that `name` is no environment, with the nearest that is.
    #[must_use]
    pub fn unknown(&self, name: &str) -> String {
        let meant = nearest(name, self.0.iter().map(String::as_str));
        let meant = meant.map_or_else(String::new, |meant| format!("; did you mean `{meant}`?"));
        format!("`{name}` is no environment of this ledger ({}){meant}", self.0.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_promotion_climbs_one_rung() {
        let ladder = Ladder::default();
        assert_eq!(ladder.check_step("staging", "prod"), Ok(()));
        for (from, to, says) in [
            ("dev", "prod", "it comes from `staging`, not from `dev`"),
            ("prod", "staging", "it comes from `dev`"),
            ("dev", "local", "nothing is promoted into it"),
            ("stagin", "prod", "did you mean `staging`?"),
        ] {
            let refusal = ladder.check_step(from, to).expect_err("refused");
            assert!(refusal.contains(says), "{refusal}");
        }
    }
}
