//! The soak gate: what comes into an environment has run in the one below for as long as it asks. Nobody demands it; an
//! environment with `soak` has it, the first rung never.

use chrono::{DateTime, TimeDelta, Utc};

use crate::resource::Kind;
use crate::resource::view::Environment;

use super::evidence::{Evidence, Subject};
use super::verdict::{GateResult, Verdict};

/// Judges a forward change of an agent; none where the environment asks for no soak, or nothing runs afterwards.
pub(super) fn judge(subject: &Subject, evidence: &Evidence<'_>) -> Option<GateResult> {
    let place = evidence.environment;
    if subject.resource.kind != Kind::Agent || subject.to.is_none() || place == evidence.trust.ladder().first() {
        return None;
    }
    let record = evidence.trust.environment(place)?;
    // An Environment that cannot be read stops the change before any gate is asked.
    let soak = Environment::of(record).ok()?.soak?;
    let mut result = GateResult::new("soak", "", Verdict::Pass);
    result.demanded_by.push(record.id().to_string());
    let soak = match soak.map(|seconds| i64::try_from(seconds).ok().and_then(TimeDelta::try_seconds)) {
        Ok(Some(soak)) => soak,
        Ok(None) => return Some(unreadable(result, "it is longer than anything runs", evidence)),
        Err(why) => return Some(unreadable(result, &why, evidence)),
    };
    result.threshold = Some(words(soak));
    let rungs = evidence.trust.ladder().rungs();
    let at = rungs.iter().position(|rung| rung == place);
    let below = at.and_then(|at| rungs.get(at.checked_sub(1)?)).map_or("the environment below", String::as_str);
    let Some(since) = evidence.running_in_source_since else { return Some(nowhere(result, soak, below, place)) };
    let ran = (evidence.now - since).max(TimeDelta::zero());
    result.observed = Some(words(ran));
    if ran >= soak {
        result.reason = format!("it has run in `{below}` for {} since {}", words(ran), moment(since));
        return Some(result);
    }
    result.verdict = Verdict::Fail;
    // Told by the minute, and never too early.
    let ready = since.checked_add_signed(soak + TimeDelta::seconds(59)).map_or_else(|| "never".to_owned(), moment);
    result.reason = format!(
        "it has run in `{below}` for {} of {}, since {}; ready at {ready}",
        words(ran),
        words(soak),
        moment(since)
    );
    result.next = Some(format!("promote it after {ready}; another version in `{below}` starts the time again"));
    Some(result)
}

fn unreadable(mut result: GateResult, why: &str, evidence: &Evidence<'_>) -> GateResult {
    result.verdict = Verdict::Error;
    result.reason = format!("`spec.soak` of environment/{}: {why}", evidence.environment);
    result.next = Some("an admin mends it and applies the Environment: `joch apply -f FILE`".into());
    result
}

/// It comes from nowhere below: it was applied, or a shared resource made it.
fn nowhere(mut result: GateResult, soak: TimeDelta, below: &str, place: &str) -> GateResult {
    result.verdict = Verdict::Fail;
    result.observed = Some("0 s".into());
    result.reason = format!(
        "`{place}` takes what has run in `{below}` for {}, and `{below}` does not run exactly this",
        words(soak)
    );
    result.next = Some(format!("bring it to `{below}`, let it run, and promote it from there"));
    result
}

fn moment(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%d %H:%M UTC").to_string()
}

/// The two largest units of a length of time: `3 h 20 min`, `2 d`.
fn words(length: TimeDelta) -> String {
    let seconds = length.num_seconds();
    let units = [(86_400, "d"), (3600, "h"), (60, "min"), (1, "s")];
    let first = units.iter().position(|(unit, _)| seconds >= *unit).unwrap_or(units.len() - 1);
    let mut left = seconds;
    let parts = units[first..].iter().take(2).filter_map(|(unit, word)| {
        let count = left / unit;
        left %= unit;
        (count > 0).then(|| format!("{count} {word}"))
    });
    let told = parts.collect::<Vec<_>>().join(" ");
    if told.is_empty() { "0 s".into() } else { told }
}
