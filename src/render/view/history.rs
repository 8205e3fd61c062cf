//! `joch get KIND NAME --history`.

use schemars::JsonSchema;
use serde::Serialize;

use crate::release::{Happened, Past};
use crate::render::{Page, View};
use crate::resource::{Kind, ResourceId};

use super::words;

/// The past of one resource.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct History {
    /// Whose: its kind.
    pub of: Kind,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// The environment that was asked for; then there is one item for each release.
    pub environment: Option<String>,
    /// Newest first.
    pub items: Vec<Past>,
}

/// How many releases of one version a table tells.
const TOLD: usize = 4;

impl View for History {
    fn kind(&self) -> &'static str {
        "History"
    }

    fn fields(&self) -> serde_json::Value {
        super::fields_of(self)
    }

    fn text(&self, page: &mut Page, wide: bool) {
        if self.items.is_empty() {
            return;
        }
        let trust = self.of.is_trust();
        let one = self.environment.is_some();
        let mut headings = Vec::new();
        headings.extend(one.then_some(["RELEASE", "EVENT"]).into_iter().flatten());
        headings.extend((!trust).then_some("VERSION"));
        headings.extend(["DIGEST", "CHANGE", "TIME", "OPERATOR"]);
        headings.extend((wide || trust).then_some("COMMIT"));
        headings.extend((!one && !trust).then_some("RELEASES"));
        headings.extend((one || wide).then_some("REASON"));
        let row = |item: &Past| {
            let mut row = Vec::new();
            if let (true, Some(event)) = (one, item.events.first()) {
                row.extend([words::marked(event.release.clone(), &event.overridden), event.event.to_string()]);
            }
            row.extend((!trust).then(|| words::version(item.version)));
            row.push(words::or_none(item.digest.map(words::digits)));
            row.extend([item.change.word().to_owned(), words::time(item.time), item.operator.clone()]);
            row.extend((wide || trust).then(|| item.commit.clone()));
            row.extend((!one && !trust).then(|| releases(&item.events, wide)));
            row.extend((one || wide).then(|| words::or_none(item.reason.clone())));
            row
        };
        page.table(&headings, &self.items.iter().map(row).collect::<Vec<_>>());
    }

    /// The tags of the versions, for plain Git.
    fn names(&self) -> Vec<String> {
        let id = ResourceId::new(self.of.clone(), &self.namespace, &self.name);
        let tag = |item: &Past| item.version.map(|version| crate::release::layout::version_tag(&id, version));
        self.items.iter().filter_map(tag).collect()
    }
}

fn releases(events: &[Happened], all: bool) -> String {
    let told = if all { events.len() } else { TOLD.min(events.len()) };
    let mut words: Vec<_> =
        events[..told].iter().map(|event| words::marked(event.release.clone(), &event.overridden)).collect();
    if told < events.len() {
        words.push(format!("{} more", events.len() - told));
    }
    if words.is_empty() { words::NONE.to_owned() } else { words.join(", ") }
}
