//! Where in a JSON value something stands: JSONPath as RFC 9535 has it, within limits.

use serde_json::Value;

/// A path that was understood.
#[derive(Debug, Clone, PartialEq)]
pub struct JsonPath {
    path: serde_json_path::JsonPath,
}

/// The longest path, in bytes; those that people write have less than a hundred.
const LONGEST: usize = 500;
/// How deep brackets may stand in brackets: the parser goes down with them.
const DEEPEST: usize = 8;
/// How many `..` a path may have. Each can find as many values as the document has for every value before it.
const DESCENTS: usize = 2;

/// Understands a path.
///
/// # Errors
/// What is no path, and where; a path that is too long, too deep, or searches too widely.
pub fn json_path(path: &str) -> Result<JsonPath, String> {
    if path.len() > LONGEST {
        return Err(format!("the path is {} bytes long; {LONGEST} are the most", path.len()));
    }
    if depth(path) > DEEPEST {
        return Err(format!("`{path}` has brackets more than {DEEPEST} deep; choose a simpler path"));
    }
    if path.matches("..").count() > DESCENTS {
        return Err(format!("`{path}` has `..` more than {DESCENTS} times; name the fields between"));
    }
    match serde_json_path::JsonPath::parse(path) {
        Ok(path) => Ok(JsonPath { path }),
        Err(why) => Err(format!(
            "`{path}` is not a JSONPath: {} at character {}; a path begins with `$`, as `$.answer.text`",
            why.message(),
            why.position()
        )),
    }
}

impl JsonPath {
    /// What stands there, in the order of the document; nothing where the path leads nowhere.
    #[must_use]
    pub fn find<'v>(&self, value: &'v Value) -> Vec<&'v Value> {
        self.path.query(value).all()
    }
}

/// How deep brackets stand in brackets, those in quotes included.
fn depth(path: &str) -> usize {
    let (mut open, mut deepest) = (0_usize, 0);
    for byte in path.bytes() {
        match byte {
            b'[' | b'(' => open += 1,
            b']' | b')' => open = open.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(open);
    }
    deepest
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn found(path: &str, value: &Value) -> Vec<Value> {
        json_path(path).expect("a path").find(value).into_iter().cloned().collect()
    }

    #[test]
    fn a_path_finds_what_stands_there() {
        let value = json!({"answer": {"text": "hi", "parts": [{"t": 1}, {"t": 2}]}, "odd key": null});
        assert_eq!(found("$.answer.text", &value), [json!("hi")]);
        assert_eq!(found("$.answer.parts[*].t", &value), [json!(1), json!(2)]);
        assert_eq!(found("$..t", &value), [json!(1), json!(2)]);
        assert_eq!(found("$.answer.parts[?@.t > 1].t", &value), [json!(2)]);
        assert_eq!(found("$.answer.parts[-1:].t", &value), [json!(2)]);
        assert_eq!(found("$['odd key']", &value), [Value::Null]);
        assert_eq!(found("$", &json!("x")), [json!("x")]);
    }

    #[test]
    fn a_path_that_leads_nowhere_finds_nothing() {
        for path in ["$.nothing", "$.answer[0]", "$[9007199254740991]", "$[-9007199254740991]", "$[::-1]"] {
            assert_eq!(found(path, &json!({"answer": {}})), Vec::<Value>::new(), "{path}");
        }
    }

    #[test]
    fn what_is_no_path_is_refused_with_the_place() {
        for path in ["", "answer", ".answer", "$.", "$[", "$.a b", "$ .a ", "{{x}}", "$[?@.a ==]"] {
            let why = json_path(path).expect_err(path);
            assert!(why.contains("is not a JSONPath") && why.contains("at character"), "{path}: {why}");
        }
    }

    #[test]
    fn a_path_that_would_cost_too_much_is_refused() {
        assert!(json_path(&format!("$.{}", "a".repeat(600))).expect_err("long").contains("500 are the most"));
        assert!(json_path(&format!("$[?{}@.a{}]", "(".repeat(60), ")".repeat(60))).is_err());
        assert!(json_path(&format!("$[?{}@.a{}]", "length(".repeat(40), ")".repeat(40))).is_err());
        assert!(json_path("$..*..*..*").expect_err("wide").contains("`..`"));
    }

    #[test]
    fn slices_at_the_ends_of_what_numbers_hold_find_something_or_nothing() {
        let list = json!([0, 1, 2]);
        for path in [
            "$[-9007199254740991:9007199254740991:9007199254740991]",
            "$[9007199254740991:-9007199254740991:-9007199254740991]",
            "$[::0]",
            "$[:-9007199254740991:-1]",
        ] {
            assert!(found(path, &list).len() <= 3, "{path}");
        }
    }
}
