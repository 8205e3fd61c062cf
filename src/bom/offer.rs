//! What an MCP server offers, out of what it answers to `tools/list`: every tool in one form, by name, within limits.

use std::collections::BTreeMap;

use crate::resource::{Map, Value};

use super::observation::ToolDefinition;

/// The most tools that one server may offer.
pub const MOST_TOOLS: usize = 2_000;
/// The longest name of a tool, in bytes; the protocol asks for 128 characters at most.
const LONGEST_NAME: usize = 256;
/// What servers say to clients and not to models, and what may differ from answer to answer.
const UNRECORDED: &str = "_meta";

/// The tools of a `tools/list` result, or of an answer that holds one, or of a bare list.
///
/// # Errors
/// It holds no list of tools, or only a part of one; and as [`offered`].
pub fn listed(json: &Value) -> Result<Vec<ToolDefinition>, String> {
    let result = json.get("result").unwrap_or(json);
    if let Some(cursor) = result.get("nextCursor").filter(|cursor| **cursor != Value::Null) {
        let shown: String = cursor.as_text().unwrap_or_default().chars().take(40).collect();
        return Err(format!(
            "it is one page of several: `nextCursor` is `{shown}`; put the `tools` of all in one list"
        ));
    }
    let tools = result.get("tools").unwrap_or(result);
    match tools {
        Value::List(items) => offered(items),
        _ => Err("it has no list `tools`, as a result of `tools/list` has".into()),
    }
}

/// These tools in one form, by name.
///
/// # Errors
/// One that is no definition of a tool, two of one name, more than [`MOST_TOOLS`].
pub fn offered(items: &[Value]) -> Result<Vec<ToolDefinition>, String> {
    if items.len() > MOST_TOOLS {
        return Err(format!("it offers {} tools, and {MOST_TOOLS} are the most", items.len()));
    }
    let mut tools = BTreeMap::new();
    for (at, item) in items.iter().enumerate() {
        let tool = tool(item).map_err(|why| format!("tool {}: {why}", at + 1))?;
        let name = tool.name.clone();
        if tools.insert(name.clone(), tool).is_some() {
            return Err(format!("it offers two tools `{name}`, and nobody can tell which one an agent gets"));
        }
    }
    Ok(tools.into_values().collect())
}

fn tool(item: &Value) -> Result<ToolDefinition, String> {
    let Value::Map(fields) = item else { return Err(format!("it is {}, and must be a map", item.type_name())) };
    let mut left = fields.clone();
    left.remove(UNRECORDED);
    let name = text(&mut left, "name")?.ok_or("it has no `name`")?;
    if name.is_empty() || name.len() > LONGEST_NAME {
        return Err(format!("its `name` has {} bytes; 1 to {LONGEST_NAME} are allowed", name.len()));
    }
    let title = text(&mut left, "title")?;
    let description = text(&mut left, "description")?;
    let input_schema = schema(&mut left, "inputSchema")?;
    let output_schema = schema(&mut left, "outputSchema")?;
    let annotations = take(&mut left, "annotations");
    if annotations.as_ref().is_some_and(|value| value.as_map().is_none()) {
        return Err("its `annotations` are no map".into());
    }
    Ok(ToolDefinition { name, title, description, input_schema, output_schema, annotations, other: left })
}

fn take(left: &mut Map, key: &str) -> Option<Value> {
    left.remove(key).filter(|value| *value != Value::Null)
}

fn text(left: &mut Map, key: &str) -> Result<Option<String>, String> {
    match take(left, key) {
        None => Ok(None),
        Some(Value::Text(text)) => Ok(Some(text)),
        Some(other) => Err(format!("its `{key}` is {}, and must be text", other.type_name())),
    }
}

/// JSON Schema: a map, or the two schemas that allow everything and nothing.
fn schema(left: &mut Map, key: &str) -> Result<Option<Value>, String> {
    match take(left, key) {
        None => Ok(None),
        Some(schema @ (Value::Map(_) | Value::Bool(_))) => Ok(Some(schema)),
        Some(other) => Err(format!("its `{key}` is {}, and must be a schema", other.type_name())),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn read(json: serde_json::Value) -> Result<Vec<ToolDefinition>, String> {
        listed(&Value::try_from(json).expect("a value"))
    }

    #[test]
    fn a_result_an_answer_and_a_list_hold_the_same_tools() {
        let tools = json!([{"name": "b", "description": "B."}, {"name": "a", "inputSchema": {"type": "object"}}]);
        let bare = read(tools.clone()).expect("tools");
        assert_eq!(bare.iter().map(|tool| tool.name.as_str()).collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(read(json!({"tools": tools})).expect("tools"), bare);
        assert_eq!(read(json!({"jsonrpc": "2.0", "id": 1, "result": {"tools": tools}})).expect("tools"), bare);
        assert_eq!(read(json!({"tools": []})), Ok(Vec::new()));
    }

    #[test]
    fn a_part_of_a_list_is_no_list() {
        let page = json!({"tools": [{"name": "a"}], "nextCursor": "2"});
        assert!(read(page).expect_err("a page").contains("one page of several"));
        assert!(read(json!({"tools": [{"name": "a"}], "nextCursor": null})).is_ok());
        assert!(read(json!({"resources": []})).expect_err("none").contains("no list `tools`"));
    }

    #[test]
    fn what_is_no_tool_is_told_by_its_place() {
        for (tool, why) in [
            (json!("a"), "tool 2: it is text"),
            (json!({}), "tool 2: it has no `name`"),
            (json!({"name": 3}), "its `name` is a number"),
            (json!({"name": ""}), "has 0 bytes"),
            (json!({"name": "x".repeat(257)}), "has 257 bytes"),
            (json!({"name": "b", "description": ["x"]}), "its `description` is a list"),
            (json!({"name": "b", "inputSchema": "x"}), "its `inputSchema` is text"),
            (json!({"name": "b", "annotations": true}), "`annotations` are no map"),
            (json!({"name": "a"}), "two tools `a`"),
        ] {
            let refused = read(json!([{"name": "a"}, tool])).expect_err(why);
            assert!(refused.contains(why), "{refused}");
        }
        let many = vec![json!({"name": "a"}); MOST_TOOLS + 1];
        assert!(read(json!(many)).expect_err("many").contains("2000 are the most"));
    }

    #[test]
    fn what_joch_has_no_word_for_is_kept_and_what_changes_by_itself_is_not() {
        let tool = json!({"name": "a", "icons": [{"src": "x"}], "_meta": {"at": 1}, "title": null});
        let read = read(json!([tool])).expect("tools").remove(0);
        assert_eq!(read.other.keys().collect::<Vec<_>>(), ["icons"]);
        assert_eq!(read.title, None);
    }

    fn any_json() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(json!(null)),
            any::<bool>().prop_map(|bool| json!(bool)),
            any::<i64>().prop_map(|whole| json!(whole)),
            "\\PC{0,8}".prop_map(|text| json!(text)),
            "(name|tools|result|title|nextCursor)".prop_map(|text| json!(text)),
        ];
        leaf.prop_recursive(4, 32, 4, |inner| {
            let key = "(name|tools|result|title|description|inputSchema|annotations|nextCursor|x)";
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(|items| json!(items)),
                prop::collection::btree_map(key, inner, 0..5).prop_map(|map| json!(map)),
            ]
        })
    }

    proptest! {
        #[test]
        fn whatever_is_read_is_in_order_and_reads_the_same_again(json in any_json()) {
            if let Ok(tools) = read(json) {
                prop_assert!(tools.windows(2).all(|pair| pair[0].name < pair[1].name));
                let written = serde_json::to_value(&tools).expect("JSON");
                prop_assert_eq!(read(written), Ok(tools));
            }
        }
    }
}
