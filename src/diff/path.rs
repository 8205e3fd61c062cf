//! Where in a body: how a path is written and read, and which item of a list is which.
//!
//! Keys are joined by dots: `spec.sideEffects.level`. An item stands in brackets, by its identity where its
//! list has one for each item (`spec.tools[zendesk.create_ticket]`), else by its place from 0
//! (`spec.rules[2]`): the place in the old list of what is gone, in the new list of what came, and both of
//! what only changed. Whatever could be misread is quoted as in JSON: `metadata.labels["joch.dev/team"]`,
//! `spec.ports["8080"]`.

use std::collections::BTreeSet;

use crate::resource::Value;

/// One step down a body.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// The key of a map, or the identity of an item.
    Name(String),
    /// A place in a list, from 0.
    Place(usize),
}

/// Longer texts than a name can be are prose or keys, and no identity.
const IDENTITY_LIMIT: usize = 128;

/// The fields that identify an item, the first that is there: `name` (of references, tools, metrics),
/// `id`, `user` (of members), `gate`, `metric`, `key`.
const IDENTIFYING: [&str; 6] = ["name", "id", "user", "gate", "metric", "key"];

/// The steps of a path.
///
/// # Errors
/// What in the path is not written as the head of this file says.
pub fn parse(path: &str) -> Result<Vec<Step>, String> {
    let refuse = || format!("`{path}` is not a path");
    let mut steps = Vec::new();
    let mut rest = path;
    while !rest.is_empty() {
        if let Some(inner) = rest.strip_prefix('[') {
            let (step, after) = bracketed(inner).ok_or_else(refuse)?;
            steps.push(step);
            rest = after;
        } else {
            let word = if steps.is_empty() { rest } else { rest.strip_prefix('.').ok_or_else(refuse)? };
            let (key, after) = word.split_at(word.find(['.', '[']).unwrap_or(word.len()));
            if !is_bare_key(key) {
                return Err(refuse());
            }
            steps.push(Step::Name(key.to_owned()));
            rest = after;
        }
    }
    Ok(steps)
}

/// What stands in `value` at the end of `steps`, if anything does.
#[must_use]
pub fn lookup<'v>(value: &'v Value, steps: &[Step]) -> Option<&'v Value> {
    steps.iter().try_fold(value, |value, step| match (value, step) {
        (Value::Map(map), Step::Name(key)) => map.get(key),
        (Value::List(items), Step::Place(place)) => items.get(*place),
        (Value::List(items), Step::Name(name)) => {
            items.iter().find(|item| identity(item).as_deref() == Some(name.as_str()))
        }
        _ => None,
    })
}

/// The identity of each item of a list, if every item has one and no two share it.
#[must_use]
pub fn identities(items: &[Value]) -> Option<Vec<String>> {
    let all: Vec<String> = items.iter().map(identity).collect::<Option<_>>()?;
    let distinct: BTreeSet<&String> = all.iter().collect();
    (distinct.len() == items.len()).then_some(all)
}

/// What an item is known by, wherever in its list it stands: the text itself, or the first identifying
/// field, `namespace/name` where it names a namespace. `x` and `{name: x}` are known by the same.
fn identity(item: &Value) -> Option<String> {
    let text = match item {
        Value::Text(text) => text.clone(),
        Value::Map(map) => {
            let field = IDENTIFYING.iter().find(|field| map.contains_key(**field))?;
            let text = map.get(*field)?.as_text()?;
            match map.get("namespace") {
                Some(namespace) if *field == "name" => format!("{}/{text}", namespace.as_text()?),
                _ => text.to_owned(),
            }
        }
        _ => return None,
    };
    (text.len() <= IDENTITY_LIMIT && !text.contains('\n')).then_some(text)
}

/// `path` and then the key of a map.
pub(super) fn key(path: &str, key: &str) -> String {
    match (is_bare_key(key), path.is_empty()) {
        (true, true) => key.to_owned(),
        (true, false) => format!("{path}.{key}"),
        (false, _) => format!("{path}[{}]", quoted(key)),
    }
}

/// `path` and then the item of that identity.
pub(super) fn item(path: &str, identity: &str) -> String {
    if is_bare_item(identity) { format!("{path}[{identity}]") } else { format!("{path}[{}]", quoted(identity)) }
}

/// `path` and then the item at that place.
pub(super) fn place(path: &str, place: usize) -> String {
    format!("{path}[{place}]")
}

/// The first step of `inner`, which follows an opening bracket, and the rest behind the closing one.
fn bracketed(inner: &str) -> Option<(Step, &str)> {
    if inner.starts_with('"') {
        let mut texts = serde_json::Deserializer::from_str(inner).into_iter::<String>();
        let text = texts.next()?.ok()?;
        let after = inner.get(texts.byte_offset()..)?;
        return Some((Step::Name(text), after.strip_prefix(']')?));
    }
    let (word, after) = inner.split_once(']')?;
    let step = if is_bare_item(word) { Step::Name(word.to_owned()) } else { Step::Place(word.parse().ok()?) };
    Some((step, after))
}

fn is_bare_key(key: &str) -> bool {
    !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'))
}

fn is_bare_item(identity: &str) -> bool {
    let plain = |b: u8| b.is_ascii_graphic() && !matches!(b, b'[' | b']' | b'"');
    identity.bytes().all(plain) && !identity.bytes().all(|b| b.is_ascii_digit() || b == b'+')
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_read_as_it_was_written() {
        let mut path = key("", "spec");
        for text in ["tools", "joch.dev/team", "", "8080", "a \"b\"]", "\u{202e}\n"] {
            path = item(&key(&path, text), text);
        }
        path = place(&path, 7);
        let mut expected = vec![Step::Name("spec".into())];
        for text in ["tools", "joch.dev/team", "", "8080", "a \"b\"]", "\u{202e}\n"] {
            expected.extend([Step::Name(text.into()), Step::Name(text.into())]);
        }
        expected.push(Step::Place(7));
        assert_eq!(parse(&path), Ok(expected), "{path}");
    }

    #[test]
    fn what_is_no_path_is_refused() {
        for text in [".", "a.", "a..b", "a[", "a[]", "a[\"x]", "a b", "a[1]b", "a[99999999999999999999999]"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
