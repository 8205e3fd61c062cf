//! What is risky about an agent, and what a change makes riskier: the rules, and the findings they come to.
//!
//! A rule of state looks at one closure; what it finds is introduced unless the running closure has it too. A rule of
//! change compares both, and all that it finds is introduced.

mod address;
mod control;
pub mod exception;
mod flow;
mod found;
mod framework;
mod handoff;
mod hidden;
mod image;
mod knowledge;
mod mcp;
mod mcp_change;
mod memory;
mod model;
mod network;
mod place;
mod policy;
mod policy_rule;
mod reach;
mod route;
mod rules;
mod secret;
mod seeds;
#[cfg(test)]
mod tests;
mod tool;
mod tool_change;
mod unread;
mod version;
mod whole;

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::closure::Closure;
use crate::resource::{Map, Resource, ResourceId, Risk};

use super::{Finding, Observation};
use found::Found;
use whole::Whole;

pub use reach::{Reach, highest_reach};
pub use rules::{RULES, Rule};
pub use seeds::{Seed, seeds};

/// One side of a change, as the rules look at it.
pub struct Side<'a> {
    /// The closure.
    pub closure: &'a Closure,
    /// What people saw of each MCP server until then and counts, oldest first.
    pub observed: &'a BTreeMap<ResourceId, Vec<Arc<Observation>>>,
    /// When this side was decided on: what counted then is not stale for it.
    pub at: DateTime<Utc>,
    /// The values of every `{fromEnvironment: KEY}` that it was decided with, where they are others than those of the
    /// target as it stands.
    pub values: Option<&'a Map>,
}

/// What the target asks, and what else is known there.
pub struct Terms<'a> {
    /// The environment.
    pub environment: &'a str,
    /// Whether it is the last rung.
    pub last_rung: bool,
    /// The values of every `{fromEnvironment: KEY}`.
    pub defaults: &'a Map,
    /// The least score of trust of an MCP server, if the environment demands one.
    pub min_trust_score: Option<f64>,
    /// The providers whose models may be used, if the environment lists them.
    pub model_providers: Option<&'a [String]>,
    /// The publishers whose MCP servers may be used, if it lists them.
    pub publishers: Option<&'a [String]>,
    /// The registries that images may come from, if it lists them.
    pub image_registries: Option<&'a [String]>,
    /// Whether every image must be pinned by digest.
    pub require_image_digest: bool,
    /// Where data may be; anywhere if it lists nothing.
    pub data_residency: &'a [String],
    /// The policies imposed beside the closure.
    pub imposed: &'a [Arc<Resource>],
    /// How far the agents reach that the target runs, for those that are handed over to.
    pub handoffs: &'a BTreeMap<ResourceId, Reach>,
    /// The MCP servers whose record is on hold, each with the reason.
    pub held: &'a BTreeMap<ResourceId, String>,
    /// Controls that the same change loosens.
    pub loosened: &'a [Loosened],
}

/// A control (a gate, a threshold, an Eval, a dataset) that is weaker after the change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loosened {
    /// Which, as a component: `joch:eval/default/support-triage-quality`.
    pub component: String,
    /// What is weaker, with both values in it.
    pub reason: String,
}

/// The reference of a resource in a bill: `joch:mcp-server/default/help-center`.
#[must_use]
pub fn component(id: &ResourceId) -> String {
    format!("joch:{}", id.full())
}

/// All that the rules find, the worst first; the same findings for the same closures, in the same order.
///
/// Without `from` nothing runs yet: then everything is introduced, and no rule of change has anything to say.
#[must_use]
pub fn findings(from: Option<&Side<'_>>, to: &Side<'_>, terms: &Terms<'_>) -> Vec<Finding> {
    let after = Whole::of(to.closure, to.values.unwrap_or(terms.defaults));
    let mut state = Found::default();
    judge_state(&after, to, terms, &mut state);
    let mut change = Found::default();
    let mut known = Found::default();
    if let Some(from) = from {
        // Held against what it was released with: whoever changed the values since changed what it would do.
        let before = Whole::of(from.closure, from.values.unwrap_or(terms.defaults));
        judge_state(&before, from, terms, &mut known);
        judge_change((&before, from), (&after, to), terms, &mut change);
    }
    control::judge(&after, terms, &mut change);
    let mut findings = state.told(|raised| !known.has(raised));
    findings.extend(change.told(|_| true));
    // What a rug pull says needs not be said twice.
    let pulled: Vec<String> = of_rule(&findings, "AGB-MCP-002", Risk::Critical);
    findings.retain(|finding| {
        finding.rule != "AGB-MCP-010"
            || !finding.introduced
            || !pulled.contains(&finding.component)
            || terms.held.keys().any(|id| component(id) == finding.component)
    });
    findings.sort_by(|a, b| {
        (b.severity, &a.rule, &a.component, &a.reason).cmp(&(a.severity, &b.rule, &b.component, &b.reason))
    });
    findings.dedup_by(|a, b| (&a.rule, &a.component, &a.reason) == (&b.rule, &b.component, &b.reason));
    findings
}

fn of_rule(findings: &[Finding], rule: &str, severity: Risk) -> Vec<String> {
    let of = |finding: &&Finding| finding.rule == rule && finding.severity == severity;
    findings.iter().filter(of).map(|finding| finding.component.clone()).collect()
}

fn judge_state(whole: &Whole, side: &Side<'_>, terms: &Terms<'_>, found: &mut Found) {
    mcp::judge(whole, side, terms, found);
    network::judge(whole, terms, found);
    tool::judge(whole, terms, found);
    model::judge(whole, terms, found);
    route::judge(whole, found);
    unread::judge(whole, found);
    knowledge::judge(whole, found);
    image::judge(whole, terms, found);
    framework::judge(whole, side.at, found);
    secret::judge(whole, found);
    hidden::judge(whole, side, found);
    flow::judge(whole, terms, found);
}

fn judge_change(from: (&Whole, &Side<'_>), to: (&Whole, &Side<'_>), terms: &Terms<'_>, found: &mut Found) {
    mcp_change::judge(from, to, found);
    let (before, after) = (from.0, to.0);
    network::compare(before, after, found);
    tool_change::judge(before, after, found);
    model::compare(before, after, terms, found);
    route::compare(before, after, found);
    knowledge::compare(before, after, found);
    memory::compare(before, after, found);
    image::compare(before, after, found);
    framework::compare(before, after, found);
    secret::compare(before, after, found);
    policy::compare(before, after, found);
    handoff::compare(before, after, terms, found);
}
