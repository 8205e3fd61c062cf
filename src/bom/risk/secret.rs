//! Secrets: by name only, and which of them the agent reaches.

use std::collections::{BTreeMap, BTreeSet};

use crate::eval::credentials;
use crate::resource::{Kind, Risk, Value, path};

use super::found::{Found, shown};
use super::whole::{Part, Whole};

/// Names of fields that hold a credential if they hold a text.
const FIELDS: [&str; 14] = [
    "password",
    "passwd",
    "passphrase",
    "token",
    "apikey",
    "apitoken",
    "accesstoken",
    "authtoken",
    "refreshtoken",
    "bearertoken",
    "secret",
    "clientsecret",
    "secretkey",
    "privatekey",
];
/// Where a `value` stands for a `secretRef`.
const SIGNING_IN: [&str; 3] = ["auth", "authentication", "credentials"];
/// No credential with a shape of its own is shorter, in bytes.
const SHORTEST: usize = 12;
/// How many places of one component are told.
const MOST: usize = 10;

pub(super) fn judge(whole: &Whole, found: &mut Found) {
    for part in whole.parts() {
        let mut places = Vec::new();
        let schemas = matches!(part.id().kind, Kind::Tool);
        let body = part.resource.body().get("metadata");
        walk(body.unwrap_or(&Value::Null), "metadata", "", false, &mut places);
        for (key, value) in part.spec().as_map().into_iter().flatten() {
            let is_schema = schemas && matches!(key.as_str(), "inputSchema" | "outputSchema");
            if is_schema {
                texts(value, &path::entry("spec", key), &mut places)
            } else {
                walk(value, &path::entry("spec", key), key, false, &mut places)
            }
        }
        for why in places.into_iter().take(MOST) {
            found.raise("AGB-SEC-001", part.component(), Risk::Critical, why);
        }
    }
}

/// Every text, looked at as what it is and as what its field says.
fn walk(value: &Value, at: &str, key: &str, signing_in: bool, places: &mut Vec<String>) {
    match value {
        Value::Text(text) => {
            if let Some(sort) = shape(key, text) {
                places.push(format!("something shaped like a credential ({sort}) stands at `{}`", told(at)));
            } else if (holds_one(key) || signing_in && key == "value") && is_value(text) {
                places.push(format!("`{}` holds a value and no `secretRef`", told(at)));
            }
        }
        Value::List(items) => {
            for (index, item) in items.iter().enumerate() {
                walk(item, &path::item(at, index), "", signing_in, places);
            }
        }
        Value::Map(map) => {
            // A variable: `{name: API_TOKEN, value: …}`.
            let named = map.get("name").and_then(Value::as_text).is_some_and(names_one);
            let signing_in = signing_in || named || SIGNING_IN.contains(&key);
            for (key, value) in map {
                walk(value, &path::entry(at, key), key, signing_in, places);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Every text of a schema, looked at only as what it is: its keys are names of somebody's own.
fn texts(value: &Value, at: &str, places: &mut Vec<String>) {
    match value {
        Value::Text(text) => {
            if let Some(sort) = shape("", text) {
                places.push(format!("something shaped like a credential ({sort}) stands at `{}`", told(at)));
            }
        }
        Value::List(items) => {
            items.iter().enumerate().for_each(|(index, item)| texts(item, &path::item(at, index), places));
        }
        Value::Map(map) => map.iter().for_each(|(key, value)| texts(value, &path::entry(at, key), places)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// What sort of credential a text holds; its key may be what says so.
fn shape(key: &str, text: &str) -> Option<&'static str> {
    if text.len() < SHORTEST {
        return None;
    }
    let sorts = if key.is_empty() { credentials(text) } else { credentials(&format!("{key}: {text}")) };
    sorts.first().copied()
}

fn told(at: &str) -> String {
    shown(at).trim_matches('`').to_owned()
}

fn bare(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

fn holds_one(key: &str) -> bool {
    FIELDS.contains(&bare(key).as_str())
}

/// Whether the name of a variable says that it holds a credential: `ZENDESK_API_TOKEN`.
fn names_one(name: &str) -> bool {
    let bare = bare(name);
    FIELDS.iter().any(|field| bare.ends_with(field))
}

/// Whether a text is a value, and not a place to fill one in.
fn is_value(text: &str) -> bool {
    let text = text.trim();
    let place = text.starts_with(['$', '<', '{', '%']) || text.contains("{{") || text.contains("${");
    !text.is_empty() && !place && text.chars().any(|c| c != '*' && c != 'x')
}

/// The secrets that a part names, each in full: `default/api-key`.
pub(super) fn names(part: &Part) -> BTreeSet<String> {
    let space = &part.id().namespace;
    let full = |name: String| if name.contains('/') { name } else { format!("{space}/{name}") };
    named(part).into_keys().map(full).collect()
}

/// The secrets that a part names, with where.
fn named(part: &Part) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    references(part.spec(), "spec", &mut found);
    found
}

fn references(value: &Value, at: &str, found: &mut BTreeMap<String, String>) {
    match value {
        Value::Map(map) => {
            for (key, value) in map {
                let at = path::entry(at, key);
                let name = value.as_text().or_else(|| value.get("name").and_then(Value::as_text));
                match name {
                    Some(name) if key == "secretRef" || key.ends_with("SecretRef") => {
                        let namespace = value.get("namespace").and_then(Value::as_text);
                        let name = namespace.map_or_else(|| name.to_owned(), |space| format!("{space}/{name}"));
                        found.entry(name).or_insert(at);
                    }
                    _ => references(value, &at, found),
                }
            }
        }
        Value::List(items) => {
            items.iter().enumerate().for_each(|(index, item)| references(item, &path::item(at, index), found));
        }
        _ => {}
    }
}

pub(super) fn compare(before: &Whole, after: &Whole, found: &mut Found) {
    let known: BTreeSet<String> = before.parts().flat_map(|part| named(part).into_keys()).collect();
    for part in after.parts() {
        for (name, at) in named(part).into_iter().filter(|(name, _)| !known.contains(name)) {
            let why =
                format!("it names the secret {} at `{}`, which the running version does not", shown(&name), told(&at));
            found.raise("AGB-SEC-002", part.component(), Risk::Medium, why);
        }
    }
}
