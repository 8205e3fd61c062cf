//! `joch schema`: the kinds of resources.

use schemars::JsonSchema;
use serde::Serialize;

use crate::render::{Page, View};
use crate::resource::Kind;

/// Every kind that joch knows.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct KindList {
    /// The kinds, in listing order.
    pub items: Vec<KindRow>,
}

/// How one kind is spelt.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct KindRow {
    /// As in `kind:` of a file.
    pub kind: Kind,
    /// The apiVersion under which it is stored.
    pub api_version: String,
    /// As on the command line.
    pub plural: String,
    /// Shorter forms.
    pub short: &'static [&'static str],
}

impl KindList {
    /// Every kind.
    #[must_use]
    pub fn all() -> Self {
        let row =
            |kind: Kind| KindRow { api_version: kind.api_version(), plural: kind.plural(), short: kind.short(), kind };
        Self { items: Kind::known().map(row).collect() }
    }
}

impl View for KindList {
    fn kind(&self) -> &'static str {
        "KindList"
    }

    fn fields(&self) -> serde_json::Value {
        super::fields_of(self)
    }

    fn text(&self, page: &mut Page, _wide: bool) {
        let row = |row: &KindRow| {
            vec![row.kind.to_string(), row.plural.clone(), row.short.join(", "), row.api_version.clone()]
        };
        let rows: Vec<_> = self.items.iter().map(row).collect();
        page.table(&["KIND", "PLURAL", "SHORT", "APIVERSION"], &rows);
    }

    fn names(&self) -> Vec<String> {
        self.items.iter().map(|row| row.kind.to_string()).collect()
    }
}
