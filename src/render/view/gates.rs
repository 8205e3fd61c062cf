//! What gates say, as every verb that asks them tells it.

use crate::release::Record;
use crate::render::Page;

/// The table of one subject's gates.
pub(super) fn table(page: &mut Page, record: &Record) {
    let rows: Vec<_> = record
        .gates
        .iter()
        .map(|gate| vec![gate.verdict.word().to_owned(), gate.label(), gate.reason.clone()])
        .collect();
    page.indented_table(2, &[], &rows);
}

/// Says that gates stopped a change, which, and what to do next.
pub(super) fn stopped(page: &mut Page, verdict: &str, verb: &str, records: &[Record]) {
    for record in records {
        let version =
            |version: Option<u64>| version.map_or_else(|| "nothing".to_owned(), |version| format!("v{version}"));
        page.line(format!(
            "{verb} of {} {} -> {} to {} is {verdict}",
            record.agent_ref,
            version(record.from_version),
            version(record.to_version),
            record.environment
        ));
        table(page, record);
        for gate in &record.gates {
            if let Some(next) = gate.next.as_ref().filter(|_| gate.verdict != crate::gate::Verdict::Pass) {
                page.line(format!("next: {}: {next}", gate.label()));
            }
        }
    }
}
