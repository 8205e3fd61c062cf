//! What gates say, as every verb that asks them tells it.

use crate::gate::{GateResult, Verdict};
use crate::release::Record;
use crate::render::Page;

/// The table of one subject's gates.
pub(super) fn table(page: &mut Page, record: &Record) {
    let rows: Vec<_> =
        record.gates.iter().map(|gate| vec![gate.verdict.word().to_owned(), gate.label(), reason(gate)]).collect();
    page.indented_table(2, &[], &rows);
}

/// Why, and who let it through all the same.
fn reason(gate: &GateResult) -> String {
    match &gate.overridden {
        Some(said) => {
            let ticket = crate::release::fold(&said.ticket);
            format!("{} (overridden by {} for {ticket}: {})", gate.reason, said.by, crate::release::fold(&said.reason))
        }
        None => gate.reason.clone(),
    }
}

/// How many gates stand in the way, and what to do about each, told once.
pub(super) fn stopped<'a>(page: &mut Page, verdict: &str, records: impl IntoIterator<Item = &'a Record>) {
    let gates: Vec<&GateResult> = records.into_iter().flat_map(|record| &record.gates).collect();
    let stopping: Vec<_> = gates.iter().filter(|gate| gate.verdict != Verdict::Pass && !gate.is_waived()).collect();
    page.line(format!("{verdict}: nothing changed; {} of {} gates stand in the way", stopping.len(), gates.len()));
    let mut told: Vec<String> = Vec::new();
    for gate in stopping {
        if let Some(next) = &gate.next {
            let line = format!("next: {}: {next}", gate.label());
            if !told.contains(&line) {
                page.line(&line);
                told.push(line);
            }
        }
    }
}
