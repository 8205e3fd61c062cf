//! Exceptions: one rule, one component, with a reason, an approver and an end.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

use crate::resource::{ResourceId, Value};

use super::super::Finding;
use super::found::shown;
use super::rules::RULES;

/// The furthest that an exception may reach into the future, in days.
pub const LONGEST_EXCEPTION_DAYS: i64 = 90;

/// What an environment excepts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exception {
    /// The rule's id.
    pub rule: String,
    /// The component's reference.
    pub component: String,
    /// The agent that it is for; every agent of the environment where none is named.
    pub agent: Option<String>,
    /// Why.
    pub reason: String,
    /// Until when.
    pub expires: DateTime<Utc>,
    /// Who answers for it.
    pub approver: String,
}

/// An exception as it is written, and what it comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    /// What it is for, in words: `AGB-TOOL-003` for `joch:tool/default/mail`.
    pub what: String,
    /// The exception, or why it is none.
    pub exception: Result<Exception, String>,
}

/// The exceptions of an environment, each judged. `knows` says whether a name is a person that trust lists, `operator`
/// is who asks for the change: nobody lets their own change through.
#[must_use]
pub fn judge(written: &[Value], now: DateTime<Utc>, operator: &str, knows: &dyn Fn(&str) -> bool) -> Vec<Judged> {
    written.iter().map(|value| one(value, now, operator, knows)).collect()
}

/// Says of every finding which exception lets it through, and tells which exceptions were used, by their place.
pub fn apply(findings: &mut [Finding], agent: &ResourceId, exceptions: &[Judged]) -> Vec<usize> {
    let mut used = Vec::new();
    let names = [agent.name.clone(), agent.full(), agent.to_string(), super::component(agent)];
    for finding in findings {
        let fits = |exception: &Exception| {
            let about = exception.agent.as_ref().is_none_or(|named| names.contains(named));
            exception.rule == finding.rule && exception.component == finding.component && about
        };
        let place = exceptions.iter().position(|judged| judged.exception.as_ref().is_ok_and(fits));
        let Some((place, Ok(exception))) = place.map(|place| (place, &exceptions[place].exception)) else { continue };
        let Exception { approver, expires, reason, .. } = exception;
        finding.exception = Some(format!("excepted by {approver} until {}: {reason}", expires.format("%Y-%m-%d")));
        used.push(place);
    }
    used.sort_unstable();
    used.dedup();
    used
}

fn one(value: &Value, now: DateTime<Utc>, operator: &str, knows: &dyn Fn(&str) -> bool) -> Judged {
    let text = |key: &str| value.get(key).and_then(Value::as_text).map(str::trim).filter(|text| !text.is_empty());
    let name = |key: &str| text(key).map_or_else(|| "nothing".to_owned(), shown);
    Judged {
        what: format!("{} for {}", name("rule"), name("component")),
        exception: read(value, &text, now, operator, knows),
    }
}

fn read<'a>(
    value: &'a Value,
    text: &dyn Fn(&str) -> Option<&'a str>,
    now: DateTime<Utc>,
    operator: &str,
    knows: &dyn Fn(&str) -> bool,
) -> Result<Exception, String> {
    let said = |key: &str| text(key).map(str::to_owned).ok_or_else(|| format!("`{key}` is missing"));
    let (rule, component) = (said("rule")?, said("component")?);
    if !RULES.iter().any(|known| known.id == rule) {
        return Err(format!("`rule` is {}, which is no rule", shown(&rule)));
    }
    if !component.starts_with("joch:") || component.contains(['*', '?', '[', ' ']) {
        return Err(format!(
            "`component` is {}, and must be one component in full: `joch:tool/default/NAME`",
            shown(&component)
        ));
    }
    let agent = match value.get("agent") {
        None | Some(Value::Null) => None,
        Some(_) => Some(said("agent")?),
    };
    if agent.as_deref().is_some_and(|agent| agent.contains(['*', '?'])) {
        return Err("`agent` must be one agent".to_owned());
    }
    let reason = said("reason")?;
    let expires = said("expires")?;
    let expires = moment(&expires).ok_or_else(|| format!("`expires` is {}, which is no date", shown(&expires)))?;
    let day = expires.format("%Y-%m-%d");
    if expires <= now {
        return Err(format!("it expired on {day}"));
    }
    if expires > now + TimeDelta::days(LONGEST_EXCEPTION_DAYS) {
        return Err(format!("it lasts until {day}, more than {LONGEST_EXCEPTION_DAYS} days from now"));
    }
    let approver = said("approver")?;
    if !knows(&approver) {
        return Err(format!("its approver {} is no person that trust knows", shown(&approver)));
    }
    if approver == operator {
        return Err(format!("its approver {} asks for the change", shown(&approver)));
    }
    Ok(Exception { rule, component, agent, reason, expires, approver })
}

/// A moment, or the end of a day.
fn moment(text: &str) -> Option<DateTime<Utc>> {
    if let Ok(moment) = DateTime::parse_from_rfc3339(text) {
        return Some(moment.with_timezone(&Utc));
    }
    let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
    Some(day.succ_opt()?.and_hms_opt(0, 0, 0)?.and_utc())
}
