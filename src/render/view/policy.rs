//! `joch policy preview` and `joch gates input`.

use std::fmt::Write as _;

use schemars::JsonSchema;
use serde::Serialize;

use crate::policy::{Found, Input, Obligation};
use crate::render::{Page, View, escape, markdown_text};

use super::Verbatim;

/// Which agents drafts of Policies would block.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PolicyPreview {
    /// The drafts.
    pub policies: Vec<String>,
    /// The rungs, lowest first.
    pub environments: Vec<PreviewedRung>,
    /// Every agent that a draft would apply to.
    pub agents: Vec<PreviewedAgent>,
}

/// One rung.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PreviewedRung {
    /// The environment.
    pub environment: String,
    /// How many agents it runs.
    pub running: usize,
    /// How many times a draft applies to one of them.
    pub bound: usize,
    /// How many of these it would stop.
    pub stopped: usize,
}

/// What one draft would add for one agent.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PreviewedAgent {
    /// The environment.
    pub environment: String,
    /// The agent.
    pub agent: String,
    /// Its version there.
    pub version: Option<u64>,
    /// The draft.
    pub policy: String,
    /// What it forbids.
    pub violations: Vec<Found>,
    /// Why it cannot be judged.
    pub errors: Vec<Found>,
    /// What nobody can tell, because a fact is missing.
    pub gaps: Vec<Found>,
    /// What it only says.
    pub warnings: Vec<Found>,
    /// What it asks that only the runtime can keep.
    pub obligations: Vec<Obligation>,
    /// How much of what it forbids the policy of that name forbids now, too.
    pub standing: usize,
}

impl PreviewedAgent {
    /// Whether it would stop the agent.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.obstacles().next().is_some()
    }

    fn obstacles(&self) -> impl Iterator<Item = &Found> {
        self.violations.iter().chain(&self.errors).chain(&self.gaps)
    }

    fn row(&self) -> Vec<String> {
        let word = if self.is_stopped() { "stopped" } else { "passes" };
        let version = self.version.map_or_else(String::new, |version| format!("v{version}"));
        let mut notes = Vec::new();
        let count = self.obstacles().count();
        notes.extend((count > 0).then(|| format!("{count} {}", if count == 1 { "finding" } else { "findings" })));
        notes.extend((self.standing > 0).then(|| format!("{} as now", self.standing)));
        let left = self.obligations.len();
        notes.extend((left > 0).then(|| format!("{left} for the runtime")));
        let cells = [&self.environment, &self.agent, &version, &self.policy, word, &notes.join(", ")];
        cells.into_iter().map(ToString::to_string).collect()
    }
}

impl View for PolicyPreview {
    fn kind(&self) -> &'static str {
        "PolicyPreview"
    }

    fn fields(&self) -> serde_json::Value {
        super::fields_of(self)
    }

    fn text(&self, page: &mut Page, wide: bool) {
        if self.agents.is_empty() {
            page.line(format!("{} would apply to no agent that runs", self.policies.join(", ")));
        } else {
            let rows: Vec<_> = self.agents.iter().map(PreviewedAgent::row).collect();
            page.table(&["ENVIRONMENT", "AGENT", "VERSION", "POLICY", "VERDICT", "WHAT IT ADDS"], &rows);
        }
        for agent in self.agents.iter().filter(|agent| agent.is_stopped()) {
            page.gap();
            page.line(format!("{} in {}", agent.agent, agent.environment));
            for found in agent.obstacles() {
                page.line(format!("  {found}"));
                page.line(format!("    next: {}", found.remedy));
            }
        }
        if wide {
            for agent in self.agents.iter().filter(|agent| !agent.obligations.is_empty()) {
                page.gap();
                page.line(format!("{} in {}: for the runtime", agent.agent, agent.environment));
                for one in &agent.obligations {
                    page.line(format!("  {} rules[{}]: {}: {}", one.policy, one.rule, one.context, one.must));
                }
            }
        }
        page.gap();
        for rung in &self.environments {
            page.line(format!(
                "{}: {} of {} would be stopped; {} run",
                rung.environment, rung.stopped, rung.bound, rung.running
            ));
        }
    }

    fn names(&self) -> Vec<String> {
        let stopped = self.agents.iter().filter(|agent| agent.is_stopped());
        stopped.map(|agent| format!("{} {}", agent.environment, agent.agent)).collect()
    }

    fn markdown(&self) -> String {
        let stopped = self.agents.iter().filter(|agent| agent.is_stopped()).count();
        let drafts = markdown_text(&self.policies.join(", "));
        let mut out = format!("**{drafts}** would stop {stopped} of {} agents it applies to.\n", self.agents.len());
        if self.agents.is_empty() {
            return out;
        }
        out.push_str(
            "\n| Environment | Agent | Version | Policy | Verdict | What it adds |\n|---|---|---|---|---|---|\n",
        );
        for agent in &self.agents {
            let cells: Vec<_> = agent.row().iter().map(|cell| markdown_text(cell)).collect();
            writeln!(out, "| {} |", cells.join(" | ")).expect("a String takes all");
        }
        for agent in self.agents.iter().filter(|agent| agent.is_stopped()) {
            let (name, place) = (markdown_text(&agent.agent), markdown_text(&agent.environment));
            writeln!(out, "\n**{name}** in {place}\n").expect("a String takes all");
            for found in agent.obstacles() {
                writeln!(out, "- {}", markdown_text(&found.to_string())).expect("a String takes all");
            }
        }
        out
    }
}

/// The document that policies in Rego see, for another engine. What could hide words on a terminal or turn them round is
/// written as JSON may write it.
#[must_use]
pub fn gate_input(input: &Input) -> Verbatim {
    let json = serde_json::to_string_pretty(input).expect("it holds only what JSON can");
    let mut out = String::with_capacity(json.len() + 1);
    let mut units = [0; 2];
    for char in json.chars() {
        if char == '\n' || escape(&char.to_string()).starts_with(char) {
            out.push(char);
        } else {
            for unit in char.encode_utf16(&mut units) {
                write!(out, "\\u{unit:04x}").expect("a String takes all");
            }
        }
    }
    out.push('\n');
    Verbatim(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::closure::Closure;
    use crate::policy::{Asked, World};
    use crate::resource::sample::one;

    #[test]
    fn what_could_hide_words_is_escaped_and_means_the_same() {
        let agent = one("Agent a", "{instructions: \"be \\u202ekind\\x9b\"}");
        let closure = Closure::new(agent, [].into(), [].into());
        let world = World { environment: "prod", record: None, sightings: [].into(), run_cost: None };
        let asked = Asked { from: None, to: "prod".into(), agent: String::new(), operator: String::new() };
        let Verbatim(text) = gate_input(&Input::of(&closure, None, &asked, &[], &world));
        assert!(text.contains(r#""be \u202ekind\u009b""#), "{text}");
        let read: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(read["object"]["spec"]["instructions"], "be \u{202e}kind\u{9b}");
    }
}
