//! Findings while they are gathered: with what makes two of them the same.

use std::collections::BTreeMap;

use crate::resource::Risk;

use super::super::Finding;
use super::rules;

/// How much of a value stands in a reason.
const SHOWN: usize = 120;

/// All that was found so far.
#[derive(Default)]
pub(super) struct Found {
    raised: Vec<Raised>,
}

/// One finding, before it is known whether it is new.
pub(super) struct Raised {
    rule: &'static str,
    component: String,
    severity: Risk,
    reason: String,
    remedy: String,
    /// What makes it the same as another of its rule and component; its reason, unless it says otherwise.
    key: Option<String>,
    /// How bad it is, the lower the worse: then only what is worse than before is new.
    score: Option<f64>,
}

impl Found {
    /// Adds a finding of this rule.
    pub(super) fn raise(
        &mut self,
        rule: &'static str,
        component: impl Into<String>,
        severity: Risk,
        reason: impl Into<String>,
    ) -> &mut Raised {
        let remedy = rules::rule(rule).remedy.to_owned();
        let (component, reason) = (component.into(), reason.into());
        self.raised.push(Raised { rule, component, severity, reason, remedy, key: None, score: None });
        self.raised.last_mut().expect("it was put there")
    }

    /// Whether it holds what `other` says, as bad or worse.
    pub(super) fn has(&self, other: &Raised) -> bool {
        self.raised.iter().any(|known| {
            let same = known.rule == other.rule && known.component == other.component;
            same && match (known.score, other.score) {
                (Some(known), Some(score)) => score >= known,
                _ => known.identity() == other.identity(),
            }
        })
    }

    /// The findings; `is_new` says which the change brings.
    pub(super) fn told(&self, is_new: impl Fn(&Raised) -> bool) -> Vec<Finding> {
        // One fact of two levels of a closure is one finding.
        let told = self.raised.iter().map(|raised| {
            let finding = Finding {
                rule: raised.rule.to_owned(),
                component: raised.component.clone(),
                severity: raised.severity,
                reason: raised.reason.clone(),
                remedy: raised.remedy.clone(),
                introduced: is_new(raised),
                exception: None,
            };
            ((raised.rule, raised.component.as_str(), raised.reason.as_str()), finding)
        });
        let mut by_key: BTreeMap<_, Finding> = BTreeMap::new();
        for (key, finding) in told {
            by_key
                .entry(key)
                .and_modify(|known| {
                    known.introduced |= finding.introduced;
                    known.severity = known.severity.max(finding.severity);
                })
                .or_insert(finding);
        }
        by_key.into_values().collect()
    }
}

impl Raised {
    /// Says what to do in the words of this case.
    pub(super) fn remedy(&mut self, remedy: impl Into<String>) -> &mut Self {
        self.remedy = remedy.into();
        self
    }

    /// It stays the same finding for as long as this is the same, whatever its reason says.
    pub(super) fn key(&mut self, key: impl Into<String>) -> &mut Self {
        self.key = Some(key.into());
        self
    }

    /// Only a lower score than before makes it new.
    pub(super) fn score(&mut self, score: f64) -> &mut Self {
        self.score = Some(score);
        self
    }

    fn identity(&self) -> &str {
        self.key.as_deref().unwrap_or(&self.reason)
    }
}

/// A value as a reason shows it: no longer than a line, nothing in it that moves the cursor.
pub(super) fn shown(text: &str) -> String {
    let mut short: String = text.chars().take(SHOWN).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().nth(SHOWN).is_some() {
        short.push('…');
    }
    format!("`{short}`")
}

/// Values as a reason lists them: the first few, and how many more.
pub(super) fn listed<'a>(values: impl IntoIterator<Item = &'a str>) -> String {
    const FIRST: usize = 5;
    let values: Vec<&str> = values.into_iter().collect();
    let mut told: Vec<String> = values.iter().take(FIRST).map(|value| shown(value)).collect();
    if values.len() > FIRST {
        told.push(format!("{} more", values.len() - FIRST));
    }
    told.join(", ")
}
