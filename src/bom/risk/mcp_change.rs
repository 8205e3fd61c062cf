//! MCP servers compared with what ran before: rug pulls, safeguards that go, pins that move.

use std::collections::{BTreeMap, BTreeSet};

use crate::resource::{Kind, Risk, Value};

use super::super::{Observation, ToolDefinition};
use super::Side;
use super::found::{Found, listed, shown};
use super::mcp::current;
use super::version::Version;
use super::whole::{Part, Whole};

pub(super) fn judge(from: (&Whole, &Side<'_>), to: (&Whole, &Side<'_>), found: &mut Found) {
    for level in &to.0.levels {
        for server in level.of_kind(&Kind::McpServer) {
            let Some(was) = from.0.find(&level.path, server.id()) else { continue };
            pulled(was, from.1, server, to.1, found);
        }
    }
    for (was, server) in to.0.changed(from.0, &Kind::McpServer) {
        publisher(was, server, found);
        safeguards(was, server, found);
        moved(was, server, found);
        exposed(was, server, found);
    }
}

/// The same version, and other tools than those that were seen when the running version was decided on.
fn pulled(was: &Part, before: &Side<'_>, server: &Part, after: &Side<'_>, found: &mut Found) {
    let pin = |part: &Part| part.text(&["security", "pinnedVersion"]).map(str::to_owned);
    let Some(seen) = before.observed.get(was.id()).and_then(|all| all.last()) else { return };
    let Ok(newest) = current(server, after) else { return };
    if !says_the_same(seen, newest) && pin(was) == pin(server) {
        let version =
            pin(server).map_or_else(|| "it is not pinned".to_owned(), |pin| format!("{} stayed pinned", shown(&pin)));
        let why = format!("what it offers changed and {version}: {}", difference(seen, newest));
        found.raise("AGB-MCP-002", server.component(), Risk::Critical, why);
    }
}

/// Whether a server tells models the same in both.
pub(super) fn says_the_same(before: &Observation, after: &Observation) -> bool {
    before.tools_digest == after.tools_digest && before.instructions == after.instructions
}

/// What the tools of two observations differ in, and whether its instructions do.
pub(super) fn difference(before: &Observation, after: &Observation) -> String {
    fn by_name(seen: &Observation) -> BTreeMap<&str, &ToolDefinition> {
        seen.tools.iter().map(|tool| (tool.name.as_str(), tool)).collect()
    }
    let (old, new) = (by_name(before), by_name(after));
    let added = new.keys().filter(|name| !old.contains_key(**name)).copied();
    let removed = old.keys().filter(|name| !new.contains_key(**name)).copied();
    let changed =
        new.iter().filter(|(name, tool)| old.get(**name).is_some_and(|was| was != *tool)).map(|(name, _)| *name);
    let more = (before.instructions != after.instructions).then(|| "its instructions".to_owned());
    let told = [("new", listed(added)), ("changed", listed(changed)), ("gone", listed(removed))];
    let told: Vec<String> = told
        .into_iter()
        .filter(|(_, names)| !names.is_empty())
        .map(|(what, names)| format!("{what} {names}"))
        .collect();
    let told: Vec<String> = told.into_iter().chain(more).collect();
    if told.is_empty() { "the order of its tools".to_owned() } else { told.join("; ") }
}

fn publisher(was: &Part, server: &Part, found: &mut Found) {
    const PATH: [&str; 2] = ["security", "trustedPublisher"];
    let set = |part: &Part| part.texts(&PATH).into_iter().map(str::to_owned).collect::<BTreeSet<_>>();
    let (old, new) = (set(was), set(server));
    if !new.is_empty() && !old.is_empty() && !new.is_subset(&old) {
        let list = |names: &BTreeSet<String>| listed(names.iter().map(String::as_str));
        let why = format!("its publisher was {} and is {}", list(&old), list(&new));
        found.raise("AGB-MCP-005", server.component(), Risk::High, why);
    }
}

fn safeguards(was: &Part, server: &Part, found: &mut Found) {
    let mut weaker = |why: String| {
        found.raise("AGB-MCP-008", server.component(), Risk::High, why);
    };
    for path in [&["security", "sandbox"][..], &["security", "pinServerVersion"], &["discovery", "enabled"]] {
        if was.is_on(path) && !server.is_on(path) {
            weaker(format!("`{}` was on and is not", path.join(".")));
        }
    }
    for (key, value) in was.at(&["scanning"]).and_then(Value::as_map).into_iter().flatten() {
        let path = ["scanning", key.as_str()];
        match value {
            Value::List(_) => shrunk(was, server, &path, &mut weaker),
            _ if was.is_on(&path) && !server.is_on(&path) => weaker(format!("`scanning.{key}` was on and is not")),
            _ => {}
        }
    }
    shrunk(was, server, &["policies"], &mut weaker);
    grown(was, server, &["security", "commandWhitelist"], &mut weaker);
    if let Some(old) = was.number(&["security", "minTrustScore"]) {
        match server.number(&["security", "minTrustScore"]) {
            Some(new) if new >= old => {}
            Some(new) => weaker(format!("`security.minTrustScore` was {old} and is {new}")),
            None => weaker(format!("`security.minTrustScore` was {old} and is not said any more")),
        }
    }
    let drift = |part: &Part| part.text(&["discovery", "onSchemaDrift"]).map(str::to_owned);
    let (old, new) = (drift(was), drift(server));
    if strictness(old.as_deref()) > strictness(new.as_deref()) {
        let (old, new) = (old.unwrap_or_default(), new.unwrap_or_else(|| "not said".to_owned()));
        weaker(format!("`discovery.onSchemaDrift` was {} and is {}", shown(&old), shown(&new)));
    }
}

/// What happens at a drift: 3 stops, 2 slows down, 1 tells, 0 nothing or nothing known.
fn strictness(word: Option<&str>) -> u8 {
    match word.unwrap_or_default() {
        "deny" | "block" | "stop" | "reject" | "quarantine" => 3,
        "throttle" | "degrade" => 2,
        "alert" | "warn" | "notify" => 1,
        _ => 0,
    }
}

/// What stands in a list, be it names or references.
pub(super) fn entries(part: &Part, path: &[&str]) -> BTreeSet<String> {
    let name = |item: &Value| match item {
        Value::Text(name) => Some(name.clone()),
        Value::Map(map) => map.get("name").and_then(Value::as_text).map(str::to_owned),
        _ => None,
    };
    match part.at(path) {
        Some(Value::List(items)) => items.iter().filter_map(name).collect(),
        Some(one) => name(one).into_iter().collect(),
        None => BTreeSet::new(),
    }
}

/// Tells what a list lost.
pub(super) fn shrunk(was: &Part, now: &Part, path: &[&str], tell: &mut impl FnMut(String)) {
    let (old, new) = (entries(was, path), entries(now, path));
    let lost: Vec<&str> = old.difference(&new).map(String::as_str).collect();
    if !lost.is_empty() {
        tell(format!("`{}` lost {}", path.join("."), listed(lost)));
    }
}

/// Tells what a list of what is allowed gained, or that there is none any more.
pub(super) fn grown(was: &Part, now: &Part, path: &[&str], tell: &mut impl FnMut(String)) {
    let (old, new) = (entries(was, path), entries(now, path));
    let gained: Vec<&str> = new.difference(&old).map(String::as_str).collect();
    if was.at(path).is_some() && now.at(path).is_none() {
        tell(format!("`{}` is not said any more", path.join(".")));
    } else if was.at(path).is_some() && !gained.is_empty() {
        tell(format!("`{}` gained {}", path.join("."), listed(gained)));
    }
}

fn moved(was: &Part, server: &Part, found: &mut Found) {
    let pin = |part: &Part| part.text(&["security", "pinnedVersion"]).map(str::to_owned);
    let (Some(old), Some(new)) = (pin(was), pin(server)) else { return };
    if old == new {
        return;
    }
    let (severity, what) = match (Version::read(&old), Version::read(&new)) {
        (Some(a), Some(b)) if b < a => (Risk::High, "went back"),
        (Some(a), Some(b)) if a.is_major_step(&b) => (Risk::High, "took a large step"),
        (Some(_), Some(_)) => (Risk::Medium, "moved"),
        _ => (Risk::High, "moved in a way that cannot be compared"),
    };
    let why = format!("its pinned version {what}, from {} to {}", shown(&old), shown(&new));
    found.raise("AGB-MCP-009", server.component(), severity, why);
}

/// How much one key of `exposes` takes in.
#[derive(PartialEq)]
enum Breadth {
    Some(BTreeSet<String>),
    All,
}

fn exposed(was: &Part, server: &Part, found: &mut Found) {
    if was.at(&["exposes"]).is_none() {
        return;
    }
    if server.at(&["exposes"]).is_none() {
        found.raise("AGB-MCP-011", server.component(), Risk::Medium, "`exposes` is not said any more");
        return;
    }
    for key in server.at(&["exposes"]).and_then(Value::as_map).into_iter().flatten().map(|(key, _)| key.as_str()) {
        let wider = match (breadth(was, key), breadth(server, key)) {
            (Breadth::All, _) => continue,
            (Breadth::Some(_), Breadth::All) => "all".to_owned(),
            (Breadth::Some(old), Breadth::Some(new)) if new.is_subset(&old) => continue,
            (Breadth::Some(old), Breadth::Some(new)) => listed(new.difference(&old).map(String::as_str)),
        };
        found.raise("AGB-MCP-011", server.component(), Risk::Medium, format!("`exposes.{key}` takes in {wider}"));
    }
}

fn breadth(part: &Part, key: &str) -> Breadth {
    let path = ["exposes", key];
    match part.at(&path) {
        None | Some(Value::Bool(false)) => Breadth::Some(BTreeSet::new()),
        Some(Value::List(_) | Value::Text(_)) => Breadth::Some(entries(part, &path)),
        Some(_) => Breadth::All,
    }
}
