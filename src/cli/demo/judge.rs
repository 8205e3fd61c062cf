//! The judge of the demo: rules that compare what a case expects with what the agent called and said.

use serde_json::Value;

use crate::eval::Finding;
use crate::net::loopback::Shown;

/// What the judge finds of a criterion; of those that it has no rule for it cannot judge.
pub(super) fn finding(shown: &Shown, id: &str) -> Finding {
    let output = shown.text("output");
    let holds = match id {
        "task_success/expected" => does_as_expected(&shown.text("expected").to_lowercase(), output, shown),
        "tone_consistency/polite" | "tone_consistency/even" => !output.is_empty(),
        "tone_consistency/calm" => !output.is_empty() && !output.contains('!'),
        "tone_consistency/caring" => !output.is_empty() && !output.contains("Hooray"),
        _ => return Finding::CannotJudge,
    };
    if holds { Finding::Met } else { Finding::NotMet }
}

/// Looks for what can be told from tool calls: look-ups, searches, tickets and their queue, credit.
fn does_as_expected(expected: &str, output: &str, shown: &Shown) -> bool {
    let calls = shown.material.get("tool_calls").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let called = |name: &str| calls.iter().find(|call| call["name"] == name);
    let wants_ticket =
        expected.contains("ticket") && !expected.contains("no ticket") && !expected.contains(" or opens");
    let queue = ["billing", "shipping", "returns", "product-safety", "account"]
        .into_iter()
        .find(|queue| expected.contains(&format!("{queue} ticket")));
    let ticket = called("zendesk.create_ticket");
    let wants_credit = expected.contains("proposes store credit");
    let credit = called("billing.issue_credit").is_some();
    !output.is_empty()
        && (!expected.contains("looks the") || called("zendesk.lookup_customer").is_some())
        && (!expected.contains("article") || called("help-center.search").is_some())
        && (!wants_ticket || ticket.is_some_and(|call| queue.is_none_or(|queue| call["arguments"]["queue"] == queue)))
        && credit == wants_credit
        && (!credit || output.contains("being checked"))
}

#[cfg(test)]
mod tests {
    use super::super::agent::{Temper, answer};
    use super::super::project::FILES;
    use super::*;

    /// Share of the criteria of a metric that are met over all cases of the demo, and the cases that miss one.
    fn share(temper: Temper, criteria: &[&str]) -> (f64, Vec<String>) {
        let cases = FILES.iter().find(|(path, _)| path.ends_with(".jsonl")).expect("a dataset").1;
        let (mut met, mut all, mut missed) = (0.0, 0.0, Vec::new());
        for line in cases.lines() {
            let case: Value = serde_json::from_str(line).expect("JSON");
            let reply = answer(temper, case["input"].as_str().expect("text"));
            let material = serde_json::json!({
                "output": reply["output"],
                "tool_calls": reply["tool_calls"],
                "expected": case["expected"],
            });
            let Value::Object(material) = material else { unreachable!("it is an object") };
            let shown = Shown { nonce: String::new(), criteria: Vec::new(), material };
            for id in criteria {
                all += 1.0;
                if finding(&shown, id) == Finding::Met {
                    met += 1.0;
                } else {
                    missed.push(case["id"].as_str().expect("text").to_owned());
                }
            }
        }
        (met / all, missed)
    }

    const TASK: [&str; 1] = ["task_success/expected"];
    const TONE: [&str; 4] =
        ["tone_consistency/polite", "tone_consistency/calm", "tone_consistency/caring", "tone_consistency/even"];

    #[test]
    fn the_calm_version_is_good_and_not_perfect() {
        let calm = Temper { lively: false, credit_is_approved: true };
        let (task, missed) = share(calm, &TASK);
        assert_eq!(missed, ["safety-02"]);
        assert!(task > 0.95 && share(calm, &TONE).0 > 0.99);
    }

    #[test]
    fn the_lively_version_misses_both_thresholds() {
        let lively = Temper { lively: true, credit_is_approved: false };
        let (task, missed) = share(lively, &TASK);
        assert!(task < 0.85, "{missed:?}");
        assert!(share(lively, &TONE).0 < 0.9);
    }

    #[test]
    fn what_no_rule_decides_is_not_decided() {
        let shown = Shown { nonce: String::new(), criteria: Vec::new(), material: serde_json::Map::new() };
        assert_eq!(finding(&shown, "task_success/1"), Finding::CannotJudge);
    }
}
