//! The page about the judge says word for word what a judge is told, and its example is a verdict.

use std::fs;
use std::path::Path;

use joch::eval::judge::{Asked, Question, asked, canaries, read, request};
use joch::eval::{Aggregate, Case, Finding, Input, Judged, Measure, Metric, ToolCall};
use serde_json::json;

const NONCE: &str = "3f1c9a0b5d7e42868f1e6c0a4d9b3572";

#[test]
fn the_page_about_the_judge_is_true() {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/evals/judge.md")).expect("the page");
    let request = request(&example(), NONCE);
    let schema = serde_json::to_string_pretty(&request.schema).expect("JSON");
    for block in [&request.system, &request.user, &schema] {
        assert!(blocks(&page).iter().any(|shown| shown == block), "docs/evals/judge.md should show\n\n{block}\n");
    }

    let ids = ["task_success/expected", "tone_consistency/calm"];
    let verdict = blocks(&page).into_iter().find(|block| block.starts_with("{\"nonce\"")).expect("an example verdict");
    let found = read(&verdict, NONCE, &ids).expect("the example is a verdict");
    assert_eq!(found.into_values().collect::<Vec<_>>(), [Finding::Met, Finding::NotMet]);

    for canary in canaries() {
        let output = json!(canary.question.output).to_string();
        let words = |finding| if finding == Finding::Met { "met" } else { "not_met" };
        let found: Vec<_> = canary.expected.values().map(|finding| format!("`{}`", words(*finding))).collect();
        let told = format!("{}: {}\n\n    {output}", canary.name, found.join(", "));
        assert!(page.contains(&told), "docs/evals/judge.md should tell\n\n{told}\n");
        for Asked { id, text } in &canary.question.criteria {
            assert!(page.contains(&format!("- `{id}`: {text}")), "docs/evals/judge.md should tell criterion {id}");
        }
    }
    for name in ["task_success", "tone_consistency"] {
        for Asked { id, text } in built_in(name) {
            assert!(page.contains(&format!("- `{id}`: {text}")), "docs/evals/judge.md should tell\n\n- `{id}`: {text}");
        }
    }
    let expected = &example().criteria[0];
    assert!(page.contains(&format!("- `{}`: {}", expected.id, expected.text)), "the criterion of `expected`");
}

/// Indented or fenced blocks of a page, without the indent.
fn blocks(page: &str) -> Vec<String> {
    page.split("\n```").skip(1).step_by(2).filter_map(|block| Some(block.split_once('\n')?.1.to_owned())).collect()
}

fn example() -> Question {
    let case = case(Some("Looks the order up and says when to expect it."));
    let criteria = [asked(&[&metric("task_success")], &case), asked(&[&metric("tone_consistency")], &case)];
    let criteria = criteria.into_iter().flat_map(|asked| asked.expect("criteria"));
    Question {
        input: Input::Text("where's my stuff? NW-204417".into()),
        output: "It arrives on Tuesday!!! Hooray!".into(),
        tool_calls: vec![ToolCall { name: "lookup".into(), arguments: json!({"order": "NW-204417"}) }],
        expected: case.expected,
        criteria: criteria.filter(|asked| ["expected", "calm"].iter().any(|id| asked.id.ends_with(id))).collect(),
    }
}

fn built_in(name: &str) -> Vec<Asked> {
    asked(&[&metric(name)], &case(None)).expect("criteria")
}

fn metric(name: &str) -> Metric {
    Metric {
        name: name.into(),
        measure: Measure::Judged(Judged { judges: Vec::new(), criteria: Vec::new(), samples: 1 }),
        direction: None,
        aggregate: Aggregate::Mean,
        threshold: None,
        max_regression: None,
    }
}

fn case(expected: Option<&str>) -> Case {
    Case {
        id: "order-04".into(),
        input: Input::Text("where's my stuff? NW-204417".into()),
        expected: expected.map(Into::into),
        rubric: Vec::new(),
        expected_tools: None,
        tags: Vec::new(),
        metadata: serde_json::Map::new(),
    }
}
