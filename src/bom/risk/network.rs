//! Where tools, models and MCP servers are reached.

use crate::resource::{Kind, Risk};

use super::Terms;
use super::address::Address;
use super::found::{Found, shown};
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

pub(super) fn compare(before: &Whole, after: &Whole, found: &mut Found) {
    for kind in [Kind::McpServer, Kind::Tool, Kind::Model] {
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
