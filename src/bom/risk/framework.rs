//! The framework and its adapter.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

use crate::resource::{Kind, Risk, Value};

use super::found::{Found, shown};
use super::version::Version;
use super::whole::{Level, Part, Whole};

/// How long a passed conformance suite counts, in days.
const CONFORMANCE_DAYS: i64 = 90;

pub(super) fn judge(whole: &Whole, at: DateTime<Utc>, found: &mut Found) {
    for level in &whole.levels {
        for adapter in level.of_kind(&Kind::FrameworkAdapter) {
            sdk(level, adapter, found);
            conformance(adapter, at, found);
        }
    }
}

fn sdk(level: &Level, adapter: &Part, found: &mut Found) {
    let Some(least) = adapter.text(&["sdkMinVersion"]) else { return };
    let component = level.agent.component();
    let Some(has) = level.agent.text(&["framework", "sdkVersion"]) else {
        let why =
            format!("which version of the framework it runs is not said; {} wants {}", adapter.id(), shown(least));
        found.raise("AGB-FWK-001", component, Risk::Low, why);
        return;
    };
    let why = match (Version::read(has), Version::read(least)) {
        (Some(has), Some(least)) if has >= least => return,
        (Some(_), Some(_)) => "is older than",
        _ => "cannot be compared with",
    };
    let why = format!("its framework {} {why} {}, which {} wants", shown(has), shown(least), adapter.id());
    found.raise("AGB-FWK-001", component, Risk::High, why);
}

fn conformance(adapter: &Part, at: DateTime<Utc>, found: &mut Found) {
    let why = match adapter.text(&["conformance", "lastPassedAt"]) {
        None => "when it last passed its conformance suite is not said".to_owned(),
        Some(text) => match day(text) {
            None => format!("{} does not say when it last passed its conformance suite", shown(text)),
            Some(day) => {
                let age = at.date_naive().signed_duration_since(day);
                if age <= TimeDelta::days(CONFORMANCE_DAYS) && age >= -TimeDelta::days(1) {
                    return;
                }
                format!("it last passed its conformance suite on {day}, not within {CONFORMANCE_DAYS} days")
            }
        },
    };
    found.raise("AGB-FWK-002", adapter.component(), Risk::Medium, why);
}

fn day(text: &str) -> Option<NaiveDate> {
    let moment = DateTime::parse_from_rfc3339(text).ok().map(|moment| moment.with_timezone(&Utc).date_naive());
    moment.or_else(|| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok())
}

/// Tools that wait for a person rely on the adapter to ask one.
fn asks(was: Option<&Level>, level: &Level, found: &mut Found) {
    let asking = |level: &Level| {
        let mut adapters = level.of_kind(&Kind::FrameworkAdapter);
        adapters.any(|adapter| adapter.is_true(&["capabilities", "toolApproval"]))
    };
    let waits = |tool: &&Part| tool.is_true(&["sideEffects", "requiresApproval"]);
    if !was.is_some_and(asking) || asking(level) {
        return;
    }
    let Some(tool) = level.of_kind(&Kind::Tool).find(waits) else { return };
    let adapter = level.of_kind(&Kind::FrameworkAdapter).next();
    let component = adapter.map_or_else(|| level.agent.component(), Part::component);
    let why = format!("`capabilities.toolApproval` was `true` and is not, and {} waits for a person", tool.id());
    let raised = found.raise("AGB-TOOL-004", component, Risk::Critical, why);
    raised.remedy("restore `capabilities.toolApproval: true`, or use an adapter that asks");
}

pub(super) fn compare(before: &Whole, after: &Whole, found: &mut Found) {
    for level in &after.levels {
        let Some(was) = before.level(&level.path) else { continue };
        for adapter in level.of_kind(&Kind::FrameworkAdapter) {
            if was.get(adapter.id()).is_none() && was.of_kind(&Kind::FrameworkAdapter).next().is_some() {
                let old = was.of_kind(&Kind::FrameworkAdapter).next().map(|old| old.id().to_string());
                let why = format!("it takes the place of {}", shown(&old.unwrap_or_default()));
                found.raise("AGB-FWK-002", adapter.component(), Risk::Medium, why);
            }
        }
    }
    for level in &after.levels {
        asks(before.level(&level.path), level, found);
    }
    for (was, adapter) in after.changed(before, &Kind::FrameworkAdapter) {
        let keys = ["framework", "language", "adapterImage", "sdkMinVersion", "capabilities", "bindings"];
        let word = |value: Option<&Value>| match value {
            Some(Value::Text(text)) => shown(text),
            Some(_) => "something else".to_owned(),
            None => "nothing".to_owned(),
        };
        for key in keys.into_iter().filter(|key| was.at(&[key]) != adapter.at(&[key])) {
            let (old, new) = (word(was.at(&[key])), word(adapter.at(&[key])));
            let why = format!("`{key}` was {old} and is {new}");
            found.raise("AGB-FWK-002", adapter.component(), Risk::Medium, why);
        }
    }
}
