//! What datasets are, and the ways in which they go wrong.

use serde_json::{Value, json};

use super::*;
use crate::eval::{ExpectedCall, Input, Message};
use crate::resource::Value as Said;

fn said(json: Value) -> Said {
    Said::try_from(json).expect("a value")
}

fn with(format: Format, name: &str, text: &str, fields: Value) -> Result<Vec<Case>, String> {
    let fields = FieldMap::of(&said(json!({ "fields": fields })))?;
    read(text.as_bytes(), format, name, &fields).map_err(|trouble| format!("{trouble}; {}", trouble.next))
}

fn jsonl(text: &str) -> Result<Vec<Case>, String> {
    with(Format::Joch, "c.jsonl", text, Value::Null)
}

fn one(text: &str) -> Case {
    let mut cases = jsonl(text).expect("a dataset");
    assert_eq!(cases.len(), 1);
    cases.remove(0)
}

/// That the text is refused with these words.
#[track_caller]
fn refused(read: Result<Vec<Case>, String>, words: &[&str]) {
    let why = read.expect_err("it should be refused");
    for word in words {
        assert!(why.contains(word), "`{word}` is not in: {why}");
    }
}

fn ids(cases: &[Case]) -> Vec<&str> {
    cases.iter().map(|case| case.id.as_str()).collect()
}

#[test]
fn a_record_is_read_with_all_that_it_says() {
    let case = one(
        r#"{"id":"a","input":"Where?","expected":{"ok":true},"rubric":"- Says where.\n- Is kind.","expected_tools":["search",{"name":"mail","arguments":{"to":1}}],"tags":["x"],"metadata":{"k":1},"source":"mail"}"#,
    );
    assert_eq!(case.input, Input::Text("Where?".into()));
    assert_eq!(case.expected, Some(json!({"ok": true})));
    assert_eq!(case.rubric, ["Says where.", "Is kind."]);
    let call = |name: &str, arguments| ExpectedCall { name: name.into(), arguments };
    assert_eq!(case.expected_tools, Some(vec![call("search", None), call("mail", Some(json!({"to": 1})))]));
    assert_eq!(case.tags, ["x"]);
    assert_eq!(Value::Object(case.metadata), json!({"k": 1, "source": "mail"}));
}

#[test]
fn no_expected_tools_and_an_empty_list_of_them_are_two_things() {
    assert_eq!(one(r#"{"input":"x"}"#).expected_tools, None);
    assert_eq!(one(r#"{"input":"x","expectedTools":[]}"#).expected_tools, Some(Vec::new()));
    refused(jsonl(r#"{"input":"x","expectedTools":[],"expected_tools":[]}"#), &["c.jsonl:1", "are the same"]);
}

#[test]
fn a_conversation_is_what_was_said_so_far() {
    let message = |role: &str, content: &str| Message { role: role.into(), content: content.into() };
    let said = [message("assistant", "Hello"), message("user", "Where?")];
    for text in [
        r#"{"messages":[{"role":"assistant","content":"Hello"},{"role":"user","content":"Where?"}]}"#,
        r#"{"input":[{"role":"assistant","content":"Hello"},{"role":"user","content":[{"type":"text","text":"Where?"}]}]}"#,
        r#"{"messages":[{"role":"assistant","content":"Hello"}],"input":"Where?"}"#,
    ] {
        assert_eq!(one(text).input, Input::Conversation(said.to_vec()), "{text}");
    }
    refused(jsonl(r#"{"messages":[{"role":"assistant","content":"Hello"}]}"#), &["nobody waits for an answer"]);
    refused(jsonl(r#"{"messages":[]}"#), &["has no message"]);
    refused(jsonl(r#"{"messages":[{"role":"bot","content":"x"}]}"#), &["message 1: `bot` is no role"]);
    refused(
        jsonl(r#"{"messages":[{"role":"user","content":"x","tool_calls":[1]}]}"#),
        &["`tool_calls` cannot be sent"],
    );
    assert_eq!(one(r#"{"input":{"order":7}}"#).input, Input::Data(json!({"order": 7})));
}

#[test]
fn a_dataset_without_cases_is_refused() {
    for text in ["", "\n \r\n", "\u{feff}", "[]", " [ ] "] {
        refused(jsonl(text), &["holds no case", "write one"]);
    }
    refused(with(Format::Csv, "c.csv", "id,input\n", Value::Null), &["holds no case"]);
    refused(with(Format::AdkEvalset, "c.evalset.json", r#"{"eval_cases":[]}"#, Value::Null), &["holds no case"]);
    refused(with(Format::Promptfoo, "c.yaml", "tests: []\n", Value::Null), &["holds no case"]);
}

#[test]
fn a_bad_line_stops_the_reading_at_its_line() {
    refused(jsonl("{\"input\":\"a\"}\n{\"input\":\"b\"\n{\"input\":\"c\"}\n"), &["c.jsonl:2: this is not JSON"]);
    refused(jsonl("{\"input\":\"a\"}\n\n\n\"b\"\n"), &["c.jsonl:4: a case is a JSON object, not text"]);
    refused(jsonl("{\"input\":\"a\"} {\"input\":\"b\"}"), &["c.jsonl:1", "a line of its own"]);
    refused(jsonl("{\"id\":\"a\"}"), &["c.jsonl:1: the record has no `input`"]);
    refused(jsonl("{'input':1}"), &["c.jsonl:1: this is not JSON"]);
}

#[test]
fn two_cases_never_share_an_id() {
    let two = "{\"id\":\"a\",\"input\":\"x\"}\n{\"id\":\"a\",\"input\":\"y\"}\n";
    refused(jsonl(two), &["c.jsonl:2: the id `a` stands twice, first on line 1"]);
    refused(
        jsonl("{\"input\":\"x\"}\n\n{\"input\":\"x\"}"),
        &["c.jsonl:3: the same case stands twice, first on line 1"],
    );
    refused(jsonl("{\"id\":1,\"input\":\"x\"}\n{\"id\":\"1\",\"input\":\"y\"}"), &["c.jsonl:2: the id `1`"]);
    for id in ["", " a", "a\\nb", "a\\u202eb", "a\\u200bb"] {
        refused(jsonl(&format!("{{\"id\":\"{id}\",\"input\":\"x\"}}")), &["c.jsonl:1: the id"]);
    }
    refused(jsonl(&format!("{{\"id\":\"{}\",\"input\":\"x\"}}", "a".repeat(201))), &["201 bytes"]);
}

#[test]
fn an_id_that_is_missing_comes_from_the_content_and_not_from_the_line() {
    let first = jsonl("{\"input\":\"x\"}\n{\"input\":\"y\",\"tags\":[\"t\"]}").expect("two");
    let turned = jsonl("\n{\"tags\":[\"t\"],\"input\":\"y\"}\n{\"input\":\"x\"}").expect("two");
    let (first, turned) = (ids(&first), ids(&turned));
    assert_eq!(first, [turned[1], turned[0]]);
    assert!(first[0].starts_with("case-") && first[0] != first[1]);
}

#[test]
fn marks_of_editors_and_systems_change_nothing() {
    let plain = jsonl("{\"id\":\"a\",\"input\":\"x\"}\n{\"id\":\"b\",\"input\":\"y\"}\n");
    assert_eq!(jsonl("\u{feff}{\"id\":\"a\",\"input\":\"x\"}\r\n\r\n  {\"id\":\"b\",\"input\":\"y\"}"), plain);
    assert_eq!(jsonl("[\n  {\"id\":\"a\",\"input\":\"x\"},\n  {\"id\":\"b\",\n   \"input\":\"y\"}\n]\n"), plain);
    refused(jsonl("[{\"input\":\"a\"},\n {\"input\":}]"), &["c.jsonl:2: this is not JSON"]);
    for bad in ["[{\"input\":\"a\"},]", "[,]", "[{\"input\":\"a\"}", "[{\"input\":\"a\"}] x", "[{\"input\":\"a]\\\"\"}"]
    {
        refused(jsonl(bad), &["c.jsonl:1"]);
    }
}

#[test]
fn nul_and_other_encodings_are_refused_by_line() {
    let of = |bytes: &[u8]| read(bytes, Format::Joch, "c.jsonl", &FieldMap::default()).map_err(|why| why.to_string());
    refused(of(b"{\"input\":\"a\"}\n{\"input\":\"\0\"}"), &["c.jsonl:2: this line holds a NUL"]);
    refused(of(b"{\"input\":\"a\"}\n{\"input\":\"\xff\"}"), &["c.jsonl:2: this line is not UTF-8"]);
    refused(of(b"\xff\xfe{\0"), &["UTF-16"]);
    refused(jsonl("{\"input\":\"a\tb\"}"), &["control character", "write it escaped"]);
    // Escaped it is a character like any other, with which an agent may well be tried.
    assert_eq!(one(r#"{"input":"a\u0000b"}"#).input, Input::Text("a\0b".into()));
}

#[test]
fn half_a_character_is_refused() {
    for text in [r#"{"input":"\ud83d"}"#, r#"{"input":"\ude00"}"#, r#"{"input":"\ud83dx"}"#] {
        refused(jsonl(text), &["c.jsonl:1", "both halves"]);
    }
    assert_eq!(one(r#"{"input":"\ud83d\ude00"}"#).input, Input::Text("😀".into()));
}

#[test]
fn a_number_keeps_its_digits_or_is_refused() {
    let case = one(r#"{"input":9007199254740993,"expected":[18446744073709551615,-9223372036854775808,0.1]}"#);
    assert_eq!(case.input.text(), "9007199254740993");
    assert_eq!(
        case.expected.map(|value| value.to_string()),
        Some("[18446744073709551615,-9223372036854775808,0.1]".into())
    );
    for text in ["18446744073709551616", "-9223372036854775809", "1e22", "1e400", "NaN", "01"] {
        refused(jsonl(&format!("{{\"input\":{text}}}")), &["c.jsonl:1"]);
    }
}

#[test]
fn a_key_that_stands_twice_is_refused_at_any_depth() {
    refused(jsonl(r#"{"input":"a","input":"b"}"#), &["c.jsonl:1: the key `input` stands twice"]);
    refused(jsonl(r#"{"input":"a","metadata":{"x":[{"k":1,"k":2}]}}"#), &["the key `k` stands twice"]);
    refused(jsonl(r#"{"input":"a","\u0069nput":"b"}"#), &["the key `input` stands twice"]);
    refused(jsonl(r#"{"input":"a","source":"x","metadata":{"source":"y"}}"#), &["`source` stands in the record and"]);
}

#[test]
fn a_line_that_would_take_all_memory_is_refused() {
    let long = format!("{{\"input\":\"a\"}}\n{{\"input\":\"{}\"}}", "x".repeat(10 << 20));
    refused(jsonl(&long), &["c.jsonl:2: this record has 10485", "shorten it"]);
    let deep = format!("{{\"input\":{}1{}}}", "[".repeat(100), "]".repeat(100));
    refused(jsonl(&deep), &["c.jsonl:1", "nested more than 64 deep"]);
    refused(jsonl(&format!("{{\"input\":{}", "[".repeat(1 << 20))), &["c.jsonl:1"]);
    refused(jsonl(&format!("{{\"input\":[{}1]}}", "1,".repeat(300_000))), &["more than 200000 values"]);
    refused(jsonl(&"[".repeat(1 << 20)), &["c.jsonl:1"]);
}

#[test]
fn a_misspelt_field_never_becomes_metadata() {
    refused(jsonl(r#"{"input":"a","expcted":"b"}"#), &["c.jsonl:1: a case has no field `expcted`", "`expected`"]);
    refused(jsonl(r#"{"input":"a","Expected":"b"}"#), &["did you mean `expected`"]);
    refused(jsonl(r#"{"input":"a","tag":["b"]}"#), &["did you mean `tags`"]);
    refused(jsonl(r#"{"input":"a","expected_tool":["b"]}"#), &["did you mean `expected_tools`"]);
    let case = one(r#"{"input":"a","task":"b","difficulty":3}"#);
    assert_eq!(Value::Object(case.metadata), json!({"task": "b", "difficulty": 3}));
}

#[test]
fn what_another_format_calls_a_field_is_taken_only_where_the_eval_says_so() {
    refused(jsonl(r#"{"query":"a"}"#), &["has `query` and no `input`", "fields: { input: query }"]);
    refused(jsonl(r#"{"input":"a","ideal":"b"}"#), &["has `ideal` and no `expected`"]);
    refused(jsonl(r#"{"input":"a","ground_truth":"b"}"#), &["fields: { expected: ground_truth }"]);
    let mapped = with(
        Format::Joch,
        "c.jsonl",
        r#"{"query":"a","answer":{"gold":"b","by":"x"}}"#,
        json!({"input": "query", "expected": "answer.gold"}),
    );
    let case = &mapped.expect("a dataset")[0];
    assert_eq!((&case.input, &case.expected), (&Input::Text("a".into()), &Some(json!("b"))));
    assert_eq!(Value::Object(case.metadata.clone()), json!({"answer": {"by": "x"}}));
    // Once the answer is there, the same word is a word like any other.
    assert_eq!(one(r#"{"input":"a","expected":"b","reference":"p. 7"}"#).metadata["reference"], "p. 7");
    let of = |fields| with(Format::Joch, "c.jsonl", r#"{"query":"a"}"#, fields);
    refused(of(json!({"input": "query", "expected": "idael"})), &["no record has the field `idael`"]);
    refused(of(json!({"inptu": "query"})), &["did you mean `input`?"]);
    refused(of(json!({"input": "query", "expected": "query"})), &["cannot be both"]);
    let both = with(Format::Joch, "c.jsonl", r#"{"query":"a","input":"b"}"#, json!({"input": "query"}));
    refused(both, &["has both `input` and `query`"]);
    refused(
        with(Format::Inspect, "c.jsonl", "{}", json!({"input": "query"})),
        &["means nothing for the format `inspect`"],
    );
}

#[test]
fn a_table_is_read_by_the_names_of_its_columns() {
    let text = "\u{feff}id,input,expected,rubric,tags,expected_tools,metadata.by,source\r\n\
        a,\"Where, \"\"please\"\"?\r\nSoon.\",Here.,\"- Kind.\r\n- Short.\",x; y,search;mail,ann,web\r\n\
        \r\n,,,,,,,\r\n\
        b,Hi,,,,[],,\r\n";
    let cases = with(Format::Csv, "c.csv", text, Value::Null).expect("a table");
    assert_eq!(ids(&cases), ["a", "b"]);
    assert_eq!(cases[0].input, Input::Text("Where, \"please\"?\r\nSoon.".into()));
    assert_eq!((cases[0].rubric.join("|"), cases[0].tags.join("|")), ("Kind.|Short.".into(), "x|y".into()));
    assert_eq!(cases[0].expected_tools.as_ref().map(Vec::len), Some(2));
    assert_eq!(Value::Object(cases[0].metadata.clone()), json!({"by": "ann", "source": "web"}));
    assert_eq!((&cases[1].expected, &cases[1].expected_tools), (&None, &Some(Vec::new())));
    let renamed = with(Format::Csv, "c.csv", "q,a\nx,y\n", json!({"input": "q", "expected": "a"})).expect("a table");
    assert_eq!(renamed[0].expected, Some(json!("y")));
}

#[test]
fn a_broken_table_is_refused_at_its_line() {
    let of = |text: &str| with(Format::Csv, "c.csv", text, Value::Null);
    refused(of("id,input\na,b,c\n"), &["c.csv:2: this row has 3 cells, and there are 2 columns"]);
    refused(of("id,input\na,b\nc\n"), &["c.csv:3: this row has 1 cells"]);
    refused(of("id,input\na,\"b\nc,d\n"), &["c.csv:2: a cell that begins with a quote does not end"]);
    refused(of("id,input\na,\"b\"x\n"), &["c.csv:2: something follows the quote"]);
    refused(of("id,input\na,5\" wide\n"), &["c.csv:2: a quote stands within a cell"]);
    refused(of("id,input,input\na,b,c\n"), &["two columns are called `input`"]);
    refused(of("id,inptu\na,b\n"), &["c.csv:2: a case has no field `inptu`"]);
    refused(of("id,question\na,b\n"), &["has `question` and no `input`"]);
    refused(of("id;input\na;b\n"), &["not separated by commas"]);
    refused(of("id,input\na,\n"), &["c.csv:2: the record has no `input`"]);
    refused(of("id,input\na,b\na,c\n"), &["c.csv:3: the id `a` stands twice, first on line 2"]);
    refused(of(&format!("id,input\na,\"{}\"\n", "x".repeat(5 << 20))), &["c.csv:2: this row has"]);
    refused(with(Format::Csv, "c.csv", "id,input\na,b\n", json!({"expected": "gold"})), &["no column `gold`"]);
}

#[test]
fn a_name_or_a_template_that_would_take_all_memory_is_harmless() {
    let case = one(&format!("{{\"input\":\"a\",\"{}\":1}}", "k".repeat(4_000_000)));
    assert_eq!(case.metadata.len(), 1);
    let bomb = format!(
        "- vars: {{ q: {} }}\n  assert: [{{ type: equals, value: '{}' }}]\n",
        "x".repeat(400_000),
        "{{q}}".repeat(100_000)
    );
    refused(with(Format::Promptfoo, "t.yaml", &bomb, Value::Null), &["t.yaml:1", "filled in, is larger than"]);
    let shared = format!(
        "{{\"defaultTest\":{{\"vars\":{{\"x\":\"{}\"}}}},\"tests\":[{{}}{}]}}",
        "x".repeat(9 << 20),
        ",{}".repeat(10)
    );
    refused(with(Format::Promptfoo, "t.json", &shared, Value::Null), &["`defaultTest`, written out for 11 tests"]);
}

#[test]
fn ten_thousand_cases_are_read() {
    let text: String = (0..10_000)
        .map(|n| format!("{{\"input\":\"question {n}\",\"expected\":\"{}\",\"topic\":1}}\n", "x".repeat(200)))
        .collect();
    assert_eq!(jsonl(&text).expect("a dataset").len(), 10_000);
}

#[test]
fn a_format_is_said_or_told_by_the_name() {
    let of = |dataset: Value, name: &str| Format::of(&said(dataset), name);
    assert_eq!(of(json!({}), "a/B.JSONL"), Ok(Format::Joch));
    assert_eq!(of(json!({}), "x.csv"), Ok(Format::Csv));
    assert_eq!(of(json!({}), "x.evalset.json"), Ok(Format::AdkEvalset));
    assert_eq!(of(json!({"format": "promptfoo"}), "x.json"), Ok(Format::Promptfoo));
    assert!(of(json!({}), "tests.yaml").expect_err("it tells none").contains("`promptfoo`"));
    assert!(of(json!({"format": "promptfo"}), "x").expect_err("a slip").contains("did you mean `promptfoo`?"));
    for (word, format) in format::WORDS {
        assert_eq!(format.word(), word);
    }
}

#[test]
fn samples_of_openai_evals_are_read() {
    let of = |text: &str| with(Format::OpenAiEvals, "c.jsonl", text, Value::Null);
    let cases = of(
        "{\"input\":[{\"role\":\"system\",\"content\":\"Be brief.\"},{\"role\":\"user\",\"content\":\"2+2?\"}],\"ideal\":[\"4\"],\"source\":\"x\"}\n{\"input\":\"3+3?\",\"ideal\":[\"6\",\"six\"]}",
    );
    let cases = cases.expect("samples");
    assert!(matches!(&cases[0].input, Input::Conversation(messages) if messages.len() == 2));
    assert_eq!((&cases[0].expected, &cases[0].metadata["source"]), (&Some(json!("4")), &json!("x")));
    assert_eq!(cases[1].expected, Some(json!(["6", "six"])));
    refused(of(r#"{"input":"x","idael":"y"}"#), &["no field `idael`", "did you mean `ideal`?"]);
    refused(of(r#"{"input":"x","ideal":"y","expected":"z"}"#), &["both `ideal` and `expected`"]);
    refused(of(r#"{"item":{"q":"x"}}"#), &["fields: { input: item.question"]);
    refused(of(r#"{"input":[{"role":"system","content":"x"}]}"#), &["c.jsonl:1", "nobody waits"]);
    refused(of(r#"{"input":"x","ideal":7}"#), &["`ideal` is a text or a list"]);
}

#[test]
fn samples_of_inspect_are_read() {
    let of = |text: &str| with(Format::Inspect, "c.jsonl", text, Value::Null);
    let cases = of(r#"{"id":7,"input":"Which?","choices":["red","blue"],"target":"B","metadata":{"level":2}}"#);
    let case = &cases.expect("samples")[0];
    assert_eq!((case.id.as_str(), &case.expected), ("7", &Some(json!("B"))));
    assert_eq!(case.input, Input::Text("Which?\n\nA) red\nB) blue".into()));
    assert_eq!(Value::Object(case.metadata.clone()), json!({"level": 2, "choices": ["red", "blue"]}));
    let table = "id,input,target,choices,metadata\n1,Which?,B,\"red, blue\",\"{\"\"level\"\": 2}\"\n";
    let table = with(Format::Inspect, "c.csv", table, Value::Null).expect("samples");
    assert_eq!((&table[0].input, &table[0].metadata["level"]), (&case.input, &json!(2)));
    refused(of(r#"{"input":"x","sandbox":"docker"}"#), &["c.jsonl:1: the sample has `sandbox`"]);
    refused(of(r#"{"input":"x","taget":"a"}"#), &["did you mean `target`?"]);
    refused(of(r#"{"input":"x","target":"a","expected":"b"}"#), &["both `target` and `expected`"]);
    refused(of(r#"{"input":"x","target":{"a":1}}"#), &["`target` is a text or a list"]);
    refused(of(r#"{"input":"x","choices":[1,2]}"#), &["a choice is text"]);
}

#[test]
fn tests_of_promptfoo_are_read() {
    let text = "\
prompts: ['{{question}}']
defaultTest:
  assert:
    - { type: llm-rubric, value: '- Is kind.' }
tests:
  - description: asks where
    vars: { question: 'Where?', plan: pro }
    assert:
      - { type: equals, value: 'Here, {{ plan }}.' }
  - vars: { question: 'When?' }
";
    let cases = with(Format::Promptfoo, "t.yaml", text, Value::Null).expect("tests");
    assert_eq!(cases[0].input, Input::Text("Where?".into()));
    assert_eq!((&cases[0].expected, &cases[0].rubric[..]), (&Some(json!("Here, pro.")), &["Is kind.".to_owned()][..]));
    assert_eq!(
        (&cases[0].metadata["vars"], &cases[0].metadata["description"]),
        (&json!({"plan": "pro"}), &json!("asks where"))
    );
    assert_eq!(cases[0].metadata["assert"].as_array().map(Vec::len), Some(2));
    assert_eq!((&cases[1].expected, cases[1].rubric.len()), (&None, 1));
    let line = r#"{"vars":{"a":"x","b":"y"},"assert":[{"type":"factuality","value":"z"}]}"#;
    let lines = with(Format::Promptfoo, "t.jsonl", line, json!({"input": "b"})).expect("tests");
    assert_eq!((&lines[0].input, &lines[0].expected), (&Input::Text("y".into()), &Some(json!("z"))));
    assert_eq!(with(Format::Promptfoo, "t.json", &format!("[{line}]"), json!({"input": "b"})), Ok(lines));
}

#[test]
fn an_assertion_of_promptfoo_without_counterpart_is_never_dropped() {
    let of = |assert: &str| {
        let text = format!("- vars: {{ q: Hi }}\n- vars: {{ q: Ho }}\n  assert:\n    - {assert}\n");
        with(Format::Promptfoo, "t.yaml", &text, Value::Null)
    };
    refused(
        of("{ type: javascript, value: 'true' }"),
        &["t.yaml:2", "`javascript` has no counterpart", "`type: exec`"],
    );
    refused(of("{ type: not-contains, value: x }"), &["assert[0]", "`check: contains` and `texts` or `none`"]);
    refused(of("{ type: latency, threshold: 9 }"), &["`latency_p95_ms`"]);
    refused(of("{ type: llm-rubric, value: x, threshold: 0.8 }"), &["`threshold` of the assertion `llm-rubric`"]);
    refused(of("{ type: equals, value: x, transform: y }"), &["`transform`"]);
    refused(of("{ type: equals }"), &["has no `value`"]);
    refused(of("{ type: equals, value: 'file://x' }"), &["is read from a file"]);
    refused(of("{ type: equals, value: '{{ who }}' }"), &["the template ` who ` is not understood"]);
    refused(
        of("{ type: equals, value: x }\n    - { type: equals, value: y }"),
        &["two assertions name different answers"],
    );
    let of = |test: &str| with(Format::Promptfoo, "t.yaml", &format!("- {test}\n"), Value::Null);
    refused(of("{ vars: { q: [a, b] } }"), &["t.yaml:1", "stands for several tests"]);
    refused(of("{ vars: { q: '{{x}}' } }"), &["holds a template"]);
    refused(of("{ vars: { a: x, b: y } }"), &["2 vars", "fields: { input: VAR }"]);
    refused(of("{ vars: { q: x }, options: { transform: y } }"), &["`options` has no counterpart"]);
    refused(of("{ vars: { q: x }, threshold: 0.5 }"), &["`threshold` has no counterpart"]);
    refused(with(Format::Promptfoo, "t.yaml", "tests: file://x.csv\n", Value::Null), &["`tests` is a list"]);
    refused(with(Format::Promptfoo, "t.yaml", "scenarios: [1]\n", Value::Null), &["`scenarios` are not read"]);
    refused(with(Format::Promptfoo, "t.yaml", "a: b: c\n", Value::Null), &["t.yaml:1: this is not YAML"]);
}

const EVALSET: &str = r#"{
  "eval_set_id": "s", "name": "s",
  "eval_cases": [
    {
      "eval_id": "roll",
      "conversation": [
        {
          "invocation_id": "1",
          "user_content": {"parts": [{"text": "Hello"}], "role": "user"},
          "final_response": {"parts": [{"text": "Hi. "}, {"text": "What now?"}], "role": "model"},
          "intermediate_data": {"tool_uses": [{"id": "c", "name": "greet", "args": {}}], "intermediate_responses": []}
        },
        {
          "invocation_id": "2",
          "user_content": {"parts": [{"text": "Roll a die"}]},
          "final_response": {"parts": [{"text": "You rolled a 4."}]},
          "intermediate_data": {"tool_uses": [{"name": "roll", "args": {"sides": 6}}]},
          "creation_timestamp": 1.5
        }
      ],
      "session_input": {"app_name": "dice", "user_id": "u", "state": {}}
    }
  ]
}"#;

#[test]
fn the_last_turn_of_an_evalset_is_asked_and_what_was_said_before_goes_with_it() {
    let cases = with(Format::AdkEvalset, "s.evalset.json", EVALSET, Value::Null).expect("an evalset");
    let case = &cases[0];
    assert_eq!(case.id, "roll");
    assert_eq!(case.input.text(), "user: Hello\nassistant: Hi. What now?\nuser: Roll a die\n");
    assert_eq!(case.expected, Some(json!("You rolled a 4.")));
    let roll = ExpectedCall { name: "roll".into(), arguments: Some(json!({"sides": 6})) };
    assert_eq!(case.expected_tools, Some(vec![roll]));
    assert_eq!(case.metadata["earlier_tool_uses"], json!([{"name": "greet", "arguments": {}}]));
    assert_eq!(case.metadata["session_input"]["app_name"], "dice");
}

#[test]
fn an_evalset_that_says_more_than_a_case_holds_is_refused() {
    let of = |from: &str, to: &str| {
        assert!(EVALSET.contains(from), "{from}");
        with(Format::AdkEvalset, "s.evalset.json", &EVALSET.replace(from, to), Value::Null)
    };
    refused(of("\"state\": {}", "\"state\": {\"x\": 1}"), &["s.evalset.json:4", "sets up the agent"]);
    refused(of("{\"text\": \"Roll a die\"}", "{\"inline_data\": {}}"), &["only text can be sent on"]);
    refused(
        of("\"final_response\": {\"parts\": [{\"text\": \"Hi. \"}", "\"x\": {\"parts\": [{\"text\": \"Hi. \"}"),
        &["has no counterpart"],
    );
    refused(of("\"tool_uses\": [{\"name\"", "\"invocation_events\": [{\"name\""), &["tools are read from `tool_uses`"]);
    refused(of("\"eval_id\": \"roll\",", ""), &["has no `eval_id`"]);
    refused(
        of("\"eval_id\": \"roll\"", "\"eval_id\": \"roll\", \"eval_id\": \"x\""),
        &["s.evalset.json:5", "stands twice"],
    );
    refused(with(Format::AdkEvalset, "s.evalset.json", "[]", Value::Null), &["the older form"]);
}
