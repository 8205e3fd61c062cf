//! Exceptions: one rule, one component, with a reason, an approver and an end.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

use crate::resource::name::{DEFAULT_NAMESPACE, nearest};
use crate::resource::{ResourceId, Risk, Value};

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
    /// The gravest finding that it lets through.
    pub severity: Risk,
}

/// The gravest finding that an exception lets through where it does not say: nobody waves a critical one through without
/// having written that word.
const USUAL: Risk = Risk::High;

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

/// Something that keeps an exception from letting anything through, whoever asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flaw {
    /// The field that is at fault.
    pub key: &'static str,
    /// What is wrong.
    pub message: String,
    /// What to write.
    pub help: Option<String>,
    /// Whether it was in order, and only its time is over.
    pub is_over: bool,
}

/// Everything that is wrong with an exception as it is written. A field that holds no text is not told again.
#[must_use]
pub fn flaws(written: &Value, now: DateTime<Utc>) -> Vec<Flaw> {
    let keys = ["rule", "component", "agent", "reason", "expires", "approver", "severity"];
    keys.into_iter().filter_map(|key| flaw(key, written.get(key), now)).collect()
}

fn flaw(key: &'static str, value: Option<&Value>, now: DateTime<Utc>) -> Option<Flaw> {
    let text = match value {
        None | Some(Value::Null) => "",
        Some(value) => value.as_text()?.trim(),
    };
    let wrong = |message: String, help: Option<String>| Some(Flaw { key, message, help, is_over: false });
    let unless_fine = |checked: Result<(), String>, help: Option<String>| wrong(checked.err()?, help);
    match (key, text) {
        ("agent" | "severity", "") if value.is_none_or(|value| *value == Value::Null) => None,
        (_, "") => wrong(format!("`{key}` is missing, so this exception lets nothing through"), None),
        ("rule", rule) => {
            let meant = nearest(rule, RULES.iter().map(|rule| rule.id)).map(|meant| format!("did you mean `{meant}`?"));
            unless_fine(known_rule(rule), meant)
        }
        ("component", component) => unless_fine(one_component(component), None),
        ("agent", agent) => unless_fine(one_agent(agent), None),
        // Another word is told by the check of types.
        ("severity", _) => None,
        ("expires", expires) => {
            let message = end(expires, now).err()?;
            let is_over = moment(expires).is_some_and(|end| end <= now);
            let help = match is_over {
                true => "remove it, or have it approved anew with a later date".to_owned(),
                false => format!("write a day at most {LONGEST_EXCEPTION_DAYS} days ahead, such as `2026-08-01`"),
            };
            Some(Flaw { key, message, help: Some(help), is_over })
        }
        _ => None,
    }
}

/// Which exceptions let something through, and which would have and do not reach as far, by their place.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Used {
    /// Those that let something through.
    pub used: Vec<usize>,
    /// Those that do not let through a finding because it is graver than they say.
    pub too_mild: Vec<usize>,
}

/// Says of every finding which exception lets it through, and tells which exceptions were used.
pub fn apply(findings: &mut [Finding], agent: &ResourceId, exceptions: &[Judged]) -> Used {
    let mut said = Used::default();
    let path = format!("{}/{}", agent.namespace, agent.name);
    let mut names = vec![path, agent.full(), agent.to_string(), super::component(agent)];
    // A bare name is one of the default namespace: another agent may be called the same elsewhere.
    names.extend((agent.namespace == DEFAULT_NAMESPACE).then(|| agent.name.clone()));
    for finding in findings {
        let fits = |exception: &Exception| {
            let about = exception.agent.as_ref().is_none_or(|named| names.contains(named));
            exception.rule == finding.rule && exception.component == finding.component && about
        };
        let fitting: Vec<(usize, &Exception)> = exceptions
            .iter()
            .enumerate()
            .filter_map(|(place, judged)| Some((place, judged.exception.as_ref().ok()?)))
            .filter(|(_, exception)| fits(exception))
            .collect();
        let Some((place, exception)) = fitting.iter().find(|(_, exception)| finding.severity <= exception.severity)
        else {
            said.too_mild.extend(fitting.iter().map(|(place, _)| *place));
            continue;
        };
        let Exception { approver, expires, reason, .. } = exception;
        finding.exception = Some(format!("excepted by {approver} until {}: {reason}", expires.format("%Y-%m-%d")));
        said.used.push(*place);
    }
    for places in [&mut said.used, &mut said.too_mild] {
        places.sort_unstable();
        places.dedup();
    }
    said
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
    known_rule(&rule)?;
    one_component(&component)?;
    let agent = match value.get("agent") {
        None | Some(Value::Null) => None,
        Some(_) => Some(said("agent")?),
    };
    agent.as_deref().map_or(Ok(()), one_agent)?;
    let severity = match value.get("severity") {
        None | Some(Value::Null) => USUAL,
        Some(word) => {
            let known = word.as_text().and_then(Risk::from_word);
            known.ok_or("`severity` is none of low, medium, high, critical")?
        }
    };
    let reason = said("reason")?;
    let expires = end(&said("expires")?, now)?;
    let approver = said("approver")?;
    if !knows(&approver) {
        return Err(format!("its approver {} is no person that trust knows", shown(&approver)));
    }
    if approver == operator {
        return Err(format!("its approver {} asks for the change", shown(&approver)));
    }
    Ok(Exception { rule, component, agent, reason, expires, approver, severity })
}

fn known_rule(rule: &str) -> Result<(), String> {
    if RULES.iter().any(|known| known.id == rule) {
        return Ok(());
    }
    Err(format!("`rule` is {}, which is no rule", shown(rule)))
}

fn one_component(component: &str) -> Result<(), String> {
    if component.starts_with("joch:") && !component.contains(['*', '?', '[', ' ']) {
        return Ok(());
    }
    let component = shown(component);
    Err(format!("`component` is {component}, and must be one component in full: `joch:tool/default/NAME`"))
}

fn one_agent(agent: &str) -> Result<(), String> {
    if agent.contains(['*', '?']) { Err("`agent` must be one agent".to_owned()) } else { Ok(()) }
}

/// When an exception ends, where that is yet to come and not too far ahead.
fn end(expires: &str, now: DateTime<Utc>) -> Result<DateTime<Utc>, String> {
    let end = moment(expires).ok_or_else(|| format!("`expires` is {}, which is no date", shown(expires)))?;
    let day = end.format("%Y-%m-%d");
    if end <= now {
        return Err(format!("it expired on {day}"));
    }
    if end > now + TimeDelta::days(LONGEST_EXCEPTION_DAYS) {
        return Err(format!("it lasts until {day}, more than {LONGEST_EXCEPTION_DAYS} days from now"));
    }
    Ok(end)
}

/// A moment, or the end of a day.
fn moment(text: &str) -> Option<DateTime<Utc>> {
    if let Ok(moment) = DateTime::parse_from_rfc3339(text) {
        return Some(moment.with_timezone(&Utc));
    }
    let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
    Some(day.succ_opt()?.and_hms_opt(0, 0, 0)?.and_utc())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::sample::one as record;

    #[test]
    fn everything_that_keeps_an_exception_from_counting_is_told_at_once() {
        let now: DateTime<Utc> = "2026-06-01T12:00:00Z".parse().expect("a moment");
        let good = "rule: AGB-TOOL-003, component: 'joch:tool/default/mail', reason: r, approver: sue@example.com";
        let told = |exception: &str| {
            let record = record("Environment prod", &format!("{{exceptions: [{{{exception}}}]}}"));
            let Some([written]) = record.spec().get("exceptions").and_then(Value::as_list) else { panic!("one") };
            let flaws = flaws(written, now);
            flaws.iter().map(|flaw| (flaw.key, flaw.message.clone(), flaw.is_over)).collect::<Vec<_>>()
        };
        assert_eq!(told(&format!("{good}, expires: '2026-08-01'")), []);
        assert_eq!(told(&format!("{good}, expires: '2026-06-01'")), [], "the whole day");
        assert_eq!(
            told(&format!("{good}, expires: '2026-05-31'")),
            [("expires", "it expired on 2026-06-01".to_owned(), true)]
        );
        let far = told(&format!("{good}, expires: '2027-01-01'"));
        assert!(far[0].1.contains("more than 90 days") && !far[0].2, "{far:?}");
        let all = told("rule: AGB-TOLL-003, component: 'joch:tool/*', agent: '*', expires: soon, reason: ' '");
        let keys: Vec<_> = all.iter().map(|(key, ..)| *key).collect();
        assert_eq!(keys, ["rule", "component", "agent", "reason", "expires", "approver"]);
        assert!(all[0].1.contains("which is no rule") && all[3].1.starts_with("`reason` is missing"), "{all:?}");
    }
}
