//! A decision that stopped a change, held against the same decision made again.

use serde_json::{Map, Value};

use crate::bom::AbomDelta;
use crate::release::{Event, Record};

use super::compare::{same_components, same_diff, same_imposed};
use super::finding::{Finding, Rule};
use super::gates::{counterpart, same_answer, same_words};

/// What another joch may word otherwise, or number otherwise since. The version that a stopped change would have had
/// is not given away by it: other content may have it now.
const NOT_COMPARED: [&str; 10] =
    ["joch", "toVersion", "authors", "diff", "abomDiff", "imposed", "gates", "evalResults", "approvals", "projections"];

/// Evidence is never taken away, so there is nothing to bring back.
const AFTER: &str = "; nothing was released on it: ask whoever signed it, and rely on the attempts after it";

/// The findings of one stopped decision; `object` is the item of evidence.
#[must_use]
pub fn check_stopped(object: &str, found: &Record, derived: &Record) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut wrong =
        |rule: Rule, message: String| findings.push(Finding::new(rule, object, format!("{message}{AFTER}")));
    let (says, is) = (fields(found), fields(derived));
    for (name, value) in is.iter().filter(|(name, _)| !NOT_COMPARED.contains(&name.as_str())) {
        if says.get(name).map(unnumbered) != Some(unnumbered(value)) {
            wrong(
                Rule::RecordContent,
                format!("`{name}` of the decision is not what its source, its target and trust say"),
            );
        }
    }
    // Who made a version is told by its number, so it is known again where that was given before.
    if found.event == Event::Promote && found.to_version == derived.to_version && found.authors != derived.authors {
        wrong(Rule::RecordContent, "`authors` of the decision are not those who made what it brings".into());
    }
    if !same_diff(found, derived) {
        wrong(Rule::RecordDiff, "`diff` of the decision is not that of the two closures".into());
    }
    let components = |delta: &AbomDelta| serde_json::to_value(delta).map(|value| unnumbered(&value)).ok();
    if !same_components(found, derived) && components(&found.abom_diff) != components(&derived.abom_diff) {
        wrong(Rule::RecordMembers, "`abomDiff` of the decision is not that of the two closures".into());
    }
    if !same_imposed(&found.imposed, &derived.imposed) {
        wrong(Rule::RecordMembers, "`imposed` of the decision is not what trust imposed".into());
    }
    for (at, gate) in derived.gates.iter().enumerate() {
        let label = gate.label();
        match counterpart(&derived.gates, at, &found.gates) {
            None => wrong(Rule::GateMissing, format!("`{label}` was demanded, and the decision does not have it")),
            Some(answer) if !same_answer(answer, gate) => {
                let (said, is) = (answer.verdict.word(), gate.verdict.word());
                let message = format!("it says {said} of `{label}`, and the evidence says {is}: {}", gate.reason);
                wrong(Rule::GateVerdict, message);
            }
            Some(_) => {}
        }
    }
    for (at, answer) in found.gates.iter().enumerate() {
        let label = answer.label();
        let gate = counterpart(&found.gates, at, &derived.gates);
        let told = gate.is_some_and(|gate| found.joch != derived.joch || same_words(answer, gate));
        if !told {
            wrong(Rule::GateVerdict, format!("what it tells of `{label}` is not what that gate tells"));
        }
    }
    let says = |record: &Record| (record.eval_results.clone(), record.approvals.clone(), record.projections.clone());
    if found.joch == derived.joch && says(found) != says(derived) {
        wrong(
            Rule::GateVerdict,
            "the results, approvals or projections of the decision are not those on evidence".into(),
        );
    }
    findings
}

/// The same without the numbers of versions: those that a stopped change would have given, another change may have given
/// since, to other content. Content is told by its digest.
fn unnumbered(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(unnumbered).collect(),
        Value::Object(fields) => {
            let numbered = |name: &str, value: &Value| matches!(name, "version" | "to") && value.is_u64();
            let kept = fields.iter().filter(|(name, value)| !numbered(name, value));
            Value::Object(kept.map(|(name, value)| (name.clone(), unnumbered(value))).collect())
        }
        other => other.clone(),
    }
}

fn fields(record: &Record) -> Map<String, Value> {
    match serde_json::to_value(record) {
        Ok(Value::Object(fields)) => fields,
        _ => Map::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_number_that_other_content_has_since_is_no_contradiction() {
        let told =
            |version: u64, digest: &str| json!([{"name": "q", "version": version, "digest": digest, "to": version}]);
        assert_eq!(unnumbered(&told(2, "a")), unnumbered(&told(3, "a")));
        assert_ne!(unnumbered(&told(2, "a")), unnumbered(&told(2, "b")), "content is compared");
        assert_ne!(unnumbered(&json!({"to": "x"})), unnumbered(&json!({"to": "y"})), "what is no number is compared");
    }
}
