//! What gates say, as every verb that asks them tells it.

use crate::gate::{GateResult, Verdict};
use crate::release::Record;
use crate::render::Page;

/// How long a sentence may be that stands on one line.
const LINE: usize = 120;

/// The table of one subject's gates. An answer that says many things takes a line for each.
pub(super) fn table(page: &mut Page, record: &Record) {
    let mut rows: Vec<Vec<String>> = Vec::new();
    for gate in &record.gates {
        let reason = reason(gate);
        let mut parts =
            if reason.len() > LINE { reason.split("; ").collect() } else { vec![reason.as_str()] }.into_iter();
        let first = parts.next().unwrap_or_default().to_owned();
        rows.push(vec![gate.verdict.word().to_owned(), gate.label(), first]);
        rows.extend(parts.map(|part| vec![String::new(), String::new(), part.to_owned()]));
    }
    page.indented_table(2, &[], &rows);
}

/// Why, and who let it through all the same.
fn reason(gate: &GateResult) -> String {
    let waived = gate.verdict != Verdict::Pass;
    match &gate.overridden {
        Some(said) => {
            let ticket = crate::release::fold(&said.ticket);
            format!("{} (overridden by {} for {ticket}: {})", gate.reason, said.by, crate::release::fold(&said.reason))
        }
        None if gate.advisory && waived => format!("{} (advisory: it stops nothing)", gate.reason),
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
