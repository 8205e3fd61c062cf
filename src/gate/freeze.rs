//! The freeze gate: nothing moves forward in an environment while it stands still. Nobody demands it; an environment
//! that names freezes has it.

use crate::resource::freeze::{Freeze, Until};
use crate::resource::view::Environment;
use crate::trust::Trust;

use super::evidence::Evidence;
use super::verdict::{GateResult, Verdict};

/// How much of a reason a sentence takes.
const LONGEST: usize = 160;

/// Judges a forward change of the environment; none where it names no freezes. Nobody lifts a freeze and moves in one
/// step: what trust said before the same command holds too.
pub(super) fn judge(evidence: &Evidence<'_>) -> Option<GateResult> {
    let earlier = evidence.earlier_trust.and_then(|earlier| under(earlier, evidence));
    earlier.filter(|result| result.verdict != Verdict::Pass).or_else(|| under(evidence.trust, evidence))
}

fn under(trust: &Trust, evidence: &Evidence<'_>) -> Option<GateResult> {
    let place = evidence.environment;
    let record = trust.environment(place)?;
    let freezes = match Environment::of(record) {
        Ok(view) if view.freezes.is_empty() => return None,
        Ok(view) => view.freezes,
        // The other gates of such an Environment cannot be read either; nothing is known, so nothing moves.
        Err(why) => vec![Err(why)],
    };
    let mut result = GateResult::new("freeze", "", Verdict::Pass);
    result.demanded_by.push(record.id().to_string());
    let mut told = Vec::new();
    let mut flaws = Vec::new();
    for (at, read) in freezes.iter().enumerate() {
        match read {
            Err(why) => flaws.push(format!("`spec.freezes[{at}]` of {}: {why}", record.id())),
            Ok(freeze) => told.extend(freeze.holds(evidence.now).map(|until| sentence(freeze, until))),
        }
    }
    if !told.is_empty() {
        result.verdict = Verdict::Fail;
        result.threshold = Some("no freeze".into());
        told.extend(flaws);
        result.reason = format!("`{place}` is frozen {}", told.join("; "));
        result.next = Some(way_out(evidence));
    } else if !flaws.is_empty() {
        result.verdict = Verdict::Error;
        result.threshold = Some("no freeze".into());
        result.reason = format!("a freeze that cannot be read is in force: {}", flaws.join("; "));
        result.next =
            Some(format!("an admin mends it and applies the Environment: `joch apply -f FILE` with {}", record.id()));
    } else {
        result.reason = format!("none of {} freezes of `{place}` is in force", freezes.len());
    }
    Some(result)
}

fn sentence(freeze: &Freeze, until: Until) -> String {
    let until = match until {
        Until::Moment(end) => format!("until {}", freeze.told(end)),
        Until::Lifted => "until somebody lifts it".to_owned(),
    };
    let cut = |text: &str| text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(LONGEST).collect::<String>();
    format!("{until}: {} (owner {})", cut(&freeze.reason), cut(&freeze.owner))
}

fn way_out(evidence: &Evidence<'_>) -> String {
    let place = evidence.environment;
    let lift = format!("wait, or an admin takes it out of `spec.freezes` of Environment {place} and applies that");
    let holders = evidence.trust.environment(place).and_then(|record| Environment::of(record).ok());
    match holders.map(|view| view.override_by).filter(|by| !by.is_empty()) {
        Some(by) => format!(
            "{lift}; in an emergency {} may add `--override freeze --reason TEXT --ticket ID`; a rollback is free",
            by.join(", ")
        ),
        None => format!("{lift}; nobody may override it (`spec.override` names no one); a rollback is free"),
    }
}
