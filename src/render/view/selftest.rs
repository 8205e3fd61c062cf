//! `joch gates selftest`.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Serialize;

use crate::render::{Page, View};

/// What the gates of an environment would have caught.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SelftestResult {
    /// `sound` where every bad change was caught and every harmless one got through, else `unsound`.
    #[schemars(extend("enum" = ["sound", "unsound"]))]
    pub verdict: String,
    /// The environment whose gates were tried.
    pub environment: String,
    /// How many of the bad changes were caught.
    pub caught: usize,
    /// How many would have got through, or only waited.
    pub missed: usize,
    /// How many harmless changes got through.
    pub passed: usize,
    /// How many harmless changes were stopped.
    pub stopped: usize,
    /// Every planted change.
    pub planted: Vec<PlantedChange>,
}

/// One planted change.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlantedChange {
    /// What it was planted into.
    pub resource: String,
    /// What it does.
    pub seed: String,
    /// What must see it; none for a harmless change.
    pub expected: Option<String>,
    /// `caught`, `missed`, `passed`, `stopped`, or `absent` where there is nothing to plant it into.
    #[schemars(extend("enum" = ["caught", "missed", "passed", "stopped", "absent"]))]
    pub fate: String,
    /// What the gates said.
    pub said: String,
    /// What would catch it, where it was missed.
    pub next: Option<String>,
}

impl View for SelftestResult {
    fn kind(&self) -> &'static str {
        "SelftestResult"
    }

    fn fields(&self) -> serde_json::Value {
        super::fields_of(self)
    }

    fn text(&self, page: &mut Page, wide: bool) {
        let mut headings = vec!["FATE", "EXPECTED", "SEED", "PLANTED INTO"];
        headings.extend(wide.then_some("SAID"));
        let row = |planted: &PlantedChange| {
            let expected = planted.expected.clone().unwrap_or_else(|| "(harmless)".to_owned());
            let mut row = vec![planted.fate.to_uppercase(), expected, planted.seed.clone(), planted.resource.clone()];
            row.extend(wide.then(|| planted.said.clone()));
            row
        };
        page.table(&headings, &self.planted.iter().map(row).collect::<Vec<_>>());
        let wrong: Vec<_> = self.wrong().collect();
        if !wrong.is_empty() && !wide {
            page.gap();
        }
        for planted in wrong.iter().filter(|_| !wide) {
            page.line(format!("{}: {}: {}", planted.fate, planted.seed, planted.said));
        }
        page.gap();
        let bad = self.caught + self.missed;
        let harmless = self.passed + self.stopped;
        page.line(format!(
            "{}: the gates of {} catch {} of {bad} bad changes and let through {} of {harmless} harmless ones",
            self.verdict, self.environment, self.caught, self.passed
        ));
        let nexts: BTreeSet<&str> = self.planted.iter().filter_map(|planted| planted.next.as_deref()).collect();
        for next in nexts {
            page.line(format!("next: {next}"));
        }
    }

    /// What was missed or stopped: nothing where all is well.
    fn names(&self) -> Vec<String> {
        self.wrong().map(|planted| planted.seed.clone()).collect()
    }
}

impl SelftestResult {
    fn wrong(&self) -> impl Iterator<Item = &PlantedChange> {
        self.planted.iter().filter(|planted| matches!(planted.fate.as_str(), "missed" | "stopped"))
    }
}
