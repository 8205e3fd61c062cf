//! Where tools, models and MCP servers are reached.

use std::collections::BTreeSet;

use crate::resource::{Kind, Risk};

use super::Terms;
use super::address::Address;
use super::found::{Found, listed, shown};
use super::secret;
use super::whole::{Part, Whole};

/// Tools and hosted models over plain http; MCP servers have a rule of their own.
pub(super) fn judge(whole: &Whole, terms: &Terms<'_>, found: &mut Found) {
    let tools = whole.of_kind(&Kind::Tool).map(|tool| (tool, tool.text(&["endpoint", "url"])));
    let hosted = whole.of_kind(&Kind::Model).filter(|model| model.text(&["endpoint", "type"]) != Some("local"));
    let models = hosted.map(|model| (model, model.text(&["endpoint", "baseUrl"])));
    for (part, url) in tools.chain(models) {
        let Some(url) = url else { continue };
        let lets = |address: &Address| address.is_encrypted() || address.is_loopback() && !terms.last_rung;
        if !Address::read(url).is_some_and(|address| lets(&address)) {
            let why = format!("it is reached at {}, which is not `https`", shown(url));
            found.raise("AGB-NET-002", part.component(), Risk::High, why);
        }
    }
}

/// What is reached somewhere.
const REACHED: [Kind; 3] = [Kind::McpServer, Kind::Tool, Kind::Model];

pub(super) fn compare(before: &Whole, after: &Whole, found: &mut Found) {
    strangers(before, after, found);
    for kind in REACHED {
        for (was, part) in after.changed(before, &kind) {
            let (old, new) = (place(was), place(part));
            if let Some(old) = old.filter(|old| new.as_ref() != Some(old)) {
                let new = new.map_or_else(|| "is not known".to_owned(), |new| format!("is {}", shown(&new)));
                let why = format!("the place where it is reached was {} and {new}", shown(&old));
                found.raise("AGB-NET-001", part.component(), Risk::High, why);
            } else if let (None, Some(new)) = (place(was), place(part)) {
                let why = format!("the place where it is reached was not known and is {}", shown(&new));
                found.raise("AGB-NET-001", part.component(), Risk::High, why);
            }
        }
    }
}

/// What comes with the change and is reached where nothing was. A thing under another name is such a newcomer, so a new
/// name hides no new place.
fn strangers(before: &Whole, after: &Whole, found: &mut Found) {
    let reached: BTreeSet<String> = REACHED.iter().flat_map(|kind| before.of_kind(kind)).filter_map(place).collect();
    let known: BTreeSet<String> = before.parts().flat_map(secret::names).collect();
    for level in &after.levels {
        let new = |part: &&Part| before.find(&level.path, part.id()).is_none();
        for part in REACHED.iter().flat_map(|kind| level.of_kind(kind)).filter(new) {
            let address = part.at(&["endpoint", "url"]).or_else(|| part.at(&["endpoint", "baseUrl"]));
            let why = match place(part) {
                Some(place) if reached.contains(&place) => continue,
                Some(place) => format!("it is reached at {}, a new host", shown(&place)),
                None if address.is_some() => "it is reached at a new host that nobody knows".to_owned(),
                None => continue,
            };
            // Whatever uses these secrets now uses them elsewhere.
            let names = secret::names(part);
            let handed: Vec<&str> = names.intersection(&known).map(String::as_str).collect();
            if handed.is_empty() {
                found.raise("AGB-NET-001", part.component(), Risk::Medium, format!("{why} to the running version"));
            } else {
                let why = format!("{why}, and is handed {}, which the running version uses elsewhere", listed(handed));
                found.raise("AGB-NET-001", part.component(), Risk::High, why);
            }
        }
    }
}

/// Host and port, or the command of a local process.
fn place(part: &Part) -> Option<String> {
    let url = part.text(&["endpoint", "url"]).or_else(|| part.text(&["endpoint", "baseUrl"]));
    if let Some(url) = url {
        return Some(Address::read(url).map_or_else(|| url.to_owned(), |address| address.place()));
    }
    let command = [&["endpoint", "command"][..], &["command"], &["transport", "command"]];
    let words = command.iter().map(|path| part.texts(path).join(" ")).find(|words| !words.is_empty());
    let arguments = [&["endpoint", "args"][..], &["args"], &["transport", "args"]];
    let arguments = arguments.iter().map(|path| part.texts(path).join(" ")).find(|words| !words.is_empty());
    words.map(|words| arguments.map_or_else(|| words.clone(), |arguments| format!("{words} {arguments}")))
}
