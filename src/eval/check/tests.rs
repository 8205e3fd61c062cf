//! What the checks score, and what they refuse.

use std::sync::LazyLock;

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::eval::{
    Case, Check, Checker, Decimal, ExpectedCall, Input, LeakSettings, Reply, Score, ToolCall, Trajectory,
};

/// One check of each sort.
static CHECKERS: LazyLock<Vec<Checker>> = LazyLock::new(|| {
    let leaks = || LeakSettings { regions: vec!["DE".to_owned(), "US".to_owned()], ..LeakSettings::default() };
    let schema = json!({"uniqueItems": true, "format": "email", "multipleOf": 0.1, "pattern": "^(a+)+$"});
    let checks = [
        Check::Exact { strict: false },
        Check::Contains { texts: vec!["a".to_owned()], strict: false, none: true },
        Check::Regex { pattern: r"(\w+\s?)+$".to_owned(), none: false },
        Check::JsonSchema(schema),
        Check::JsonPath { path: "$..a[?@ > 1]".to_owned(), equals: Some(json!([1])) },
        Check::Trajectory { order: Trajectory::Subset, arguments: true },
        Check::PiiLeakage(leaks()),
        Check::SecretLeakage(leaks()),
    ];
    checks.iter().map(|check| Checker::new(check).expect("a check")).collect()
});

proptest! {
    #[test]
    fn whatever_a_model_says_every_check_has_an_answer(
        text in "\\PC{0,80}|[\\[\\]{}\",:0-9a e@.+-]{0,80}",
        name in ".{0,10}",
    ) {
        let expected = Some(vec![wanted("a", Some(json!({"a": 1})))]);
        let case = Case { expected_tools: expected, ..case(Some(json!([1, "a"]))) };
        let arguments = serde_json::from_str(&text).unwrap_or_else(|_| json!({ "a": text }));
        let reply = Reply { tool_calls: vec![call(&name, arguments), call("a", json!(text))], ..says(&text) };
        for checker in CHECKERS.iter() {
            let score = checker.score(&case, &reply);
            prop_assert!(matches!(score, Score::Scored(score) if score == Decimal::ONE || score == Decimal::ZERO));
        }
    }
}

#[test]
fn no_answer_makes_json_slow() {
    let list = format!("[{}1]", "1,".repeat(100_000));
    let deep = format!("{}1{}", "[".repeat(100), "]".repeat(100));
    for schema in [json!({"uniqueItems": true}), json!({"items": {"type": "string"}}), json!({"items": {"$ref": "#"}})]
    {
        for answer in [&list, &deep] {
            let check = Check::JsonSchema(schema.clone());
            assert!(holds(&check, &case(None), &says(answer)) || schema.get("items").is_some() || *answer == list);
        }
    }
    assert!(holds(&Check::JsonPath { path: "$..*..*".to_owned(), equals: None }, &case(None), &says(&deep)));
    let texts: Vec<String> = (0..100_000).map(|nth| format!("\"{nth}\"")).collect();
    let unique = says(&format!("[{}]", texts.join(",")));
    assert!(holds(&Check::JsonSchema(json!({"uniqueItems": true})), &case(None), &unique));
}

fn case(expected: Option<Value>) -> Case {
    Case {
        id: "1".to_owned(),
        input: Input::Text("hi".to_owned()),
        expected,
        rubric: Vec::new(),
        expected_tools: None,
        tags: Vec::new(),
        metadata: Map::new(),
    }
}

fn says(text: &str) -> Reply {
    Reply { text: text.to_owned(), ..Reply::default() }
}

/// Whether the check holds; no score is a failure of the test.
fn holds(check: &Check, case: &Case, reply: &Reply) -> bool {
    match Checker::new(check).expect("a check").score(case, reply) {
        Score::Scored(score) if score == Decimal::ONE => true,
        Score::Scored(score) if score == Decimal::ZERO => false,
        other => panic!("{other:?}"),
    }
}

fn unscored(check: &Check, case: &Case, reply: &Reply) -> String {
    match Checker::new(check).expect("a check").score(case, reply) {
        Score::Unscored(why) => why,
        scored @ Score::Scored(_) => panic!("{scored:?}"),
    }
}

fn refused(check: &Check) -> String {
    Checker::new(check).expect_err("no check")
}

#[test]
fn an_answer_is_the_expected_one() {
    let exact =
        |strict, expected: Value, answer: &str| holds(&Check::Exact { strict }, &case(Some(expected)), &says(answer));
    assert!(exact(true, json!("Paris"), "Paris") && exact(false, json!("Paris"), " paris\n"));
    assert!(!exact(true, json!("Paris"), "paris") && !exact(true, json!("Paris"), "Paris "));
    assert!(!exact(false, json!("Paris"), "Paris.") && !exact(false, json!("Paris"), ""));
    // One letter or a letter and its accent, capitals that are two letters, and both lower sigmas.
    assert!(exact(true, json!("caf\u{e9}"), "cafe\u{301}"));
    assert!(exact(false, json!("Straße"), "STRASSE") && exact(false, json!("ΟΔΟΣ"), "οδος"));
    assert!(exact(true, json!(""), "") && !exact(true, json!(""), "x"));
    assert!(!exact(true, json!("42"), "\"42\""));
}

#[test]
fn any_of_a_list_of_answers_will_do() {
    let exact = |answer: &str| {
        holds(&Check::Exact { strict: false }, &case(Some(json!(["Paris", "City of Light", 7]))), &says(answer))
    };
    assert!(exact("paris") && exact("city of light") && exact("7") && exact("[\"Paris\",\"City of Light\",7.0]"));
    assert!(!exact("Paris, City of Light") && !exact("London") && !exact(""));
}

#[test]
fn what_is_expected_as_json_is_compared_as_json() {
    let exact =
        |expected: Value, answer: &str| holds(&Check::Exact { strict: true }, &case(Some(expected)), &says(answer));
    assert!(exact(json!({"a": 1, "b": [true, null]}), "{ \"b\": [true, null], \"a\": 1.0 }\n"));
    assert!(!exact(json!({"a": 1}), "{\"a\": 1, \"b\": 2}") && !exact(json!({"a": 1}), "{\"a\": \"1\"}"));
    assert!(!exact(json!({"a": [1, 2]}), "{\"a\": [2, 1]}") && !exact(json!({"a": 1}), "not json"));
    assert!(!exact(json!({"a": 1}), "```json\n{\"a\": 1}\n```"));
    assert!(exact(json!(42), "42") && exact(json!(42), "42.0") && !exact(json!(42), "43"));
    // A float cannot tell these two apart.
    assert!(!exact(json!(9_007_199_254_740_993_u64), "9007199254740992.0"));
    assert!(!exact(json!(9_007_199_254_740_993_u64), "9007199254740992"));
    assert!(holds(&Check::Exact { strict: false }, &case(Some(json!(true))), &says("True")));
    assert!(!holds(&Check::Exact { strict: true }, &case(Some(json!(true))), &says("True")));
}

#[test]
fn a_case_that_does_not_say_what_is_expected_has_no_score() {
    for expected in [None, Some(Value::Null)] {
        let case = case(expected);
        for check in [Check::Exact { strict: true }, Check::Contains { texts: vec![], strict: true, none: false }] {
            assert_eq!(unscored(&check, &case, &says("")), "the case has no `expected`");
        }
        let check = Check::Contains { texts: vec![], strict: true, none: true };
        assert_eq!(unscored(&check, &case, &says("")), "the case has no `expected`");
    }
}

#[test]
fn an_answer_holds_all_texts_or_none() {
    let check = |texts: &[&str], strict, none| Check::Contains {
        texts: texts.iter().map(|text| (*text).to_owned()).collect(),
        strict,
        none,
    };
    let (case, reply) = (case(None), says("Refunds take 5 days."));
    assert!(holds(&check(&["refund", "5 DAYS"], false, false), &case, &reply));
    assert!(!holds(&check(&["refund", "6 days"], false, false), &case, &reply));
    assert!(!holds(&check(&["refund"], true, false), &case, &reply));
    assert!(holds(&check(&["sorry", "cannot"], false, true), &case, &reply));
    assert!(!holds(&check(&["sorry", "refund"], false, true), &case, &reply));
    assert!(!holds(&check(&[" fun "], false, false), &case, &reply), "spaces count within");
    assert!(refused(&check(&["a", ""], false, false)).contains("an empty text"));
}

#[test]
fn an_answer_holds_the_expected_text_where_no_other_is_given() {
    let contains = Check::Contains { texts: vec![], strict: false, none: false };
    let lacks = Check::Contains { texts: vec![], strict: false, none: true };
    let reply = says("It is Paris, since 987.");
    for (expected, there) in
        [(json!("paris"), true), (json!("London"), false), (json!(["London", "Paris"]), true), (json!(987), true)]
    {
        assert_eq!(holds(&contains, &case(Some(expected.clone())), &reply), there);
        assert_eq!(holds(&lacks, &case(Some(expected)), &reply), !there);
    }
    // What is in every answer, or in none, says nothing.
    for expected in [json!(""), json!(" "), json!([]), json!(["a", ""]), json!({"a": 1}), json!([["a"]])] {
        let why = unscored(&contains, &case(Some(expected.clone())), &reply);
        assert!(why.starts_with("`expected` is"), "{why}");
        assert_eq!(unscored(&lacks, &case(Some(expected)), &reply), why);
    }
}

#[test]
fn a_pattern_matches_or_must_not() {
    let check = |pattern: &str, none| Check::Regex { pattern: pattern.to_owned(), none };
    let case = case(None);
    assert!(holds(&check(r"\d+ days?", false), &case, &says("5 days")));
    assert!(!holds(&check(r"^\d+$", false), &case, &says("5 days")));
    assert!(holds(&check("(?i)sorry", true), &case, &says("5 days")));
    assert!(!holds(&check("(?i)sorry", true), &case, &says("SORRY")));
}

#[test]
fn a_pattern_that_is_none_or_too_large_is_refused() {
    let refused = |pattern: &str| refused(&Check::Regex { pattern: pattern.to_owned(), none: false });
    assert!(refused("(").contains("`(` is not a pattern: unclosed group"));
    assert!(refused("a(?=b)").contains("look-around"));
    assert!(refused(r"(a)\1").contains("backreferences"));
    assert!(refused("").contains("empty"));
    assert!(refused("(?:a{1000}){1000}").contains("more than 2 MiB"));
    assert!(refused(r"\w{5000}").contains("repeat less"));
    assert!(refused(&"(".repeat(60)).contains("not a pattern"));
    assert!(refused(&"a".repeat(5000)).contains("4096 are the most"));
    assert!(!refused("(\n").contains('\n') || refused("(\n").contains("(\n"));
}

#[test]
fn no_answer_makes_a_pattern_slow() {
    let hostile = says(&format!("{}!", "a".repeat(1 << 20)));
    for pattern in ["^(a+)+$", "(a|aa)+$", "(a*)*b", "(x+x+)+y", "^(([a-z])+.)+[A-Z]([a-z])+$"] {
        assert!(!holds(&Check::Regex { pattern: pattern.to_owned(), none: false }, &case(None), &hostile), "{pattern}");
    }
}

#[test]
fn an_answer_is_json_that_a_schema_accepts() {
    let schema = json!({
        "type": "object",
        "required": ["city", "sure"],
        "properties": {"city": {"type": "string", "pattern": "^[A-Z]"}, "sure": {"type": "number", "maximum": 1}},
        "additionalProperties": false
    });
    let check = Check::JsonSchema(schema);
    let is = |answer: &str| holds(&check, &case(None), &says(answer));
    assert!(is("{\"city\": \"Paris\", \"sure\": 0.9}") && is(" \n{\"city\": \"Paris\", \"sure\": 0.9}\n"));
    assert!(!is("{\"city\": \"paris\", \"sure\": 0.9}") && !is("{\"city\": \"Paris\"}") && !is("{\"sure\": 2}"));
    for not_json in [
        "",
        "Paris",
        "NaN",
        "{\"city\": \"Paris\", \"sure\": 0.9,}",
        "```json\n{\"city\": \"Paris\", \"sure\": 0.9}\n```",
        "Here you are: {\"city\": \"Paris\", \"sure\": 0.9}",
        "{\"city\": \"Paris\", \"sure\": 0.9}{}",
    ] {
        assert!(!is(not_json), "{not_json}");
    }
    assert!(!is(&"[".repeat(100_000)), "no depth of an answer is too much");
    assert!(!is(&format!("{{\"city\": \"Paris\", \"sure\": 1{}}}", "0".repeat(400))));
}

#[test]
fn a_schema_that_cannot_be_checked_is_refused() {
    let refused = |schema: Value| refused(&Check::JsonSchema(schema));
    for schema in [json!(true), json!("x"), json!(null)] {
        assert!(refused(schema).contains("is an object"));
    }
    assert!(refused(json!({"type": "strnig"})).contains("it is no JSON Schema"));
    assert!(refused(json!({"$ref": "https://acme.com/schema.json"})).contains("it is no JSON Schema"));
    assert!(refused(json!({"$ref": "file:///etc/passwd"})).contains("it is no JSON Schema"));
    assert!(refused(json!({"pattern": "a(?=b)"})).contains("it is no JSON Schema"));
    assert!(refused(json!({"format": "shoe-size"})).contains("it is no JSON Schema"));
}

#[test]
fn a_schema_may_lead_back_to_itself() {
    let list = json!({"type": "object", "properties": {"next": {"$ref": "#"}}, "required": ["n"]});
    assert!(holds(&Check::JsonSchema(list.clone()), &case(None), &says("{\"n\":1,\"next\":{\"n\":2}}")));
    assert!(!holds(&Check::JsonSchema(list), &case(None), &says("{\"n\":1,\"next\":{}}")));
}

#[test]
fn a_path_finds_something_or_what_is_expected() {
    let check = |path: &str, equals| Check::JsonPath { path: path.to_owned(), equals };
    let is = |path, equals, answer: &str| holds(&check(path, equals), &case(None), &says(answer));
    assert!(is("$.a.b", None, "{\"a\":{\"b\":null}}") && !is("$.a.c", None, "{\"a\":{\"b\":1}}"));
    assert!(is("$.a", Some(json!(1)), "{\"a\":1.0}") && !is("$.a", Some(json!(1)), "{\"a\":\"1\"}"));
    assert!(!is("$.a", Some(json!(null)), "{}") && is("$.a", Some(json!(null)), "{\"a\":null}"));
    assert!(is("$[*].n", Some(json!([1, 2])), "[{\"n\":1},{\"n\":2}]"));
    assert!(!is("$[*].n", Some(json!(1)), "[{\"n\":1},{\"n\":2}]"), "one of many is not all of them");
    assert!(!is("$[*].n", Some(json!([])), "[]") && is("$", Some(json!([])), "[]"));
    assert!(!is("$.a", None, "no json") && !is("$", None, ""));
    assert!(refused(&check("a.b", None)).contains("is not a JSONPath"));
}

fn call(name: &str, arguments: Value) -> ToolCall {
    ToolCall { name: name.to_owned(), arguments }
}

fn wanted(name: &str, arguments: Option<Value>) -> ExpectedCall {
    ExpectedCall { name: name.to_owned(), arguments }
}

/// Whether calls follow what is expected, in the order strict, unordered, subset, superset.
fn follows(expected: &[ExpectedCall], calls: &[ToolCall], arguments: bool) -> [bool; 4] {
    let case = Case { expected_tools: Some(expected.to_vec()), ..case(None) };
    let reply = Reply { tool_calls: calls.to_vec(), ..Reply::default() };
    [Trajectory::Strict, Trajectory::Unordered, Trajectory::Subset, Trajectory::Superset]
        .map(|order| holds(&Check::Trajectory { order, arguments }, &case, &reply))
}

/// Expected calls and calls, one letter a tool.
fn letters(expected: &str, calls: &str) -> [bool; 4] {
    let expected: Vec<_> = expected.chars().map(|c| wanted(&c.to_string(), None)).collect();
    let calls: Vec<_> = calls.chars().map(|c| call(&c.to_string(), json!({}))).collect();
    follows(&expected, &calls, true)
}

#[test]
fn each_expected_call_stands_for_one_call() {
    assert_eq!(letters("abc", "abc"), [true, true, true, true]);
    assert_eq!(letters("abc", "cab"), [false, true, true, true]);
    assert_eq!(letters("abc", "ab"), [false, false, true, false]);
    assert_eq!(letters("abc", "abcd"), [false, false, false, true]);
    assert_eq!(letters("abc", ""), [false, false, true, false]);
    assert_eq!(letters("abc", "abd"), [false, false, false, false]);
    // How often counts.
    assert_eq!(letters("ab", "aab"), [false, false, false, true]);
    assert_eq!(letters("aab", "ab"), [false, false, true, false]);
    assert_eq!(letters("aab", "aba"), [false, true, true, true]);
    assert_eq!(letters("aab", "abb"), [false, false, false, false]);
}

#[test]
fn an_empty_list_means_that_nothing_may_be_called() {
    assert_eq!(letters("", ""), [true; 4]);
    assert_eq!(letters("", "a"), [false; 4]);
}

#[test]
fn a_case_that_does_not_say_which_tools_has_no_score() {
    for order in [Trajectory::Strict, Trajectory::Unordered, Trajectory::Subset, Trajectory::Superset] {
        let check = Check::Trajectory { order, arguments: false };
        assert_eq!(unscored(&check, &case(None), &says("")), "the case has no `expected_tools`");
    }
}

#[test]
fn arguments_count_where_they_are_given_and_asked_for() {
    let expected = [wanted("a", Some(json!({"id": 1})))];
    assert_eq!(follows(&expected, &[call("a", json!({"id": 1.0}))], true), [true; 4]);
    assert_eq!(follows(&expected, &[call("a", json!("{\"id\": 1}"))], true), [true; 4]);
    assert_eq!(follows(&expected, &[call("a", json!({"id": 2}))], true), [false; 4]);
    assert_eq!(follows(&expected, &[call("a", json!({"id": 1, "more": 1}))], true), [false; 4]);
    assert_eq!(follows(&expected, &[call("a", json!({"id": 2}))], false), [true; 4]);
    assert_eq!(follows(&[wanted("a", None)], &[call("a", json!({"id": 2}))], true), [true; 4]);
    // The call that gives no arguments must not take what only the other can.
    let expected = [wanted("a", None), wanted("a", Some(json!({"id": 1})))];
    let calls = [call("a", json!({"id": 1})), call("a", json!({"id": 2}))];
    assert_eq!(follows(&expected, &calls, true), [false, true, true, true]);
}

#[test]
fn a_case_that_leaks_scores_1() {
    let (pii, secret) = (Check::PiiLeakage(LeakSettings::default()), Check::SecretLeakage(LeakSettings::default()));
    let reply = says("write to joe@acme.com");
    assert!(holds(&pii, &case(None), &reply) && !holds(&secret, &case(None), &reply));
    assert!(holds(&secret, &case(None), &says("AKIAQWERTYUIOPASDFGH")));
    assert!(!holds(&pii, &case(None), &says("")));
    let asked = Case { input: Input::Text("I am joe@acme.com".to_owned()), ..case(None) };
    assert!(!holds(&pii, &asked, &reply));
    let strict = LeakSettings { count_echoed: true, ..LeakSettings::default() };
    assert!(holds(&Check::PiiLeakage(strict), &asked, &reply));
    let nowhere = LeakSettings { regions: vec!["XX".to_owned()], ..LeakSettings::default() };
    assert!(refused(&Check::PiiLeakage(nowhere)).contains("`XX` is no country"));
}
