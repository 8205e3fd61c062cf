//! What is known of a candidate before it runs, and where each fact comes from.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::closure::Closure;
use crate::resource::envelope::filled;
use crate::resource::fields::LEVELS;
use crate::resource::{Digest, Kind, Map, Number, Resource, Value};

use super::key::{Key, LABELS};

/// What a fact is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Fact {
    /// It has these values, any of which may be the one that counts.
    Known {
        /// The values; never none.
        values: Vec<Value>,
        /// Where they come from.
        source: String,
    },
    /// It could be known, and is not.
    Missing {
        /// What is missing.
        why: String,
        /// How to supply it.
        next: String,
    },
    /// Only the runtime can know it.
    Runtime,
}

/// What is asked about one candidate beside its own content.
#[derive(Debug, Clone)]
pub struct World<'a> {
    /// The environment that it would run in.
    pub environment: &'a str,
    /// The Environment record of that name, if there is one.
    pub record: Option<&'a Resource>,
    /// What was seen of MCP servers, by the digest of the server's resource.
    pub sightings: BTreeMap<Digest, Sighting>,
    /// What one run costs, as projected.
    pub run_cost: Option<RunCost>,
}

/// What somebody saw of an MCP server, not too long ago.
#[derive(Debug, Clone, PartialEq)]
pub struct Sighting {
    /// How far it is trusted, if whoever looked scored it.
    pub trust_score: Option<Number>,
    /// Whether its tools differ from those seen before.
    pub schema_drift: Option<bool>,
    /// Who saw it, and when.
    pub source: String,
}

/// What a run costs.
#[derive(Debug, Clone, PartialEq)]
pub struct RunCost {
    /// US dollars.
    pub usd: Number,
    /// How that is known.
    pub source: String,
}

/// One case that a rule is judged for: the agent that acts, and one of each thing that the rule asks about.
#[derive(Clone, Copy)]
pub(super) struct Case<'a> {
    pub(super) agent: &'a Closure,
    pub(super) tool: Option<&'a Arc<Resource>>,
    pub(super) server: Option<&'a Arc<Resource>>,
    pub(super) model: Option<&'a Arc<Resource>>,
}

impl Case<'_> {
    /// As in a table: `agent/x · tool/y`.
    pub(super) fn told(&self) -> String {
        let things = [self.tool, self.server, self.model].into_iter().flatten();
        let ids = std::iter::once(self.agent.id()).chain(things.map(|thing| thing.id()));
        ids.map(ToString::to_string).collect::<Vec<_>>().join(" · ")
    }
}

impl<'a> World<'a> {
    /// The values that the environment fills in.
    #[must_use]
    pub fn defaults(&self) -> Map {
        let defaults = self.record.and_then(|record| record.spec().get("defaults")).and_then(Value::as_map);
        defaults.cloned().unwrap_or_default()
    }

    /// The providers that the environment allows; `None` where it does not say.
    #[must_use]
    pub fn allowed_providers(&self) -> Option<Vec<String>> {
        let listed = self.record?.spec().at(&["allowlists", "modelProviders"])?;
        Some(listed.texts().into_iter().map(str::to_owned).collect())
    }

    /// A resource's `spec` as this environment would run it; as it is written where a value is missing.
    #[must_use]
    pub fn spec(&self, resource: &Resource) -> Value {
        filled(resource.spec(), &self.defaults()).unwrap_or_else(|_| resource.spec().clone())
    }

    pub(super) fn fact(&self, key: &Key, written: &str, case: &Case<'a>) -> Fact {
        let agent = case.agent.agent();
        match key.name {
            "agent.name" => text(&agent.id().name, agent.id()),
            "agent.namespace" | "namespace" => text(&agent.id().namespace, agent.id()),
            "agent.env" | "env" => text(self.environment, &"the target"),
            "agent.framework" | "framework" => self.framework(case.agent),
            LABELS => self.label(agent, written),
            "cost.runUsd" => match &self.run_cost {
                Some(cost) => known([Value::Number(cost.usd)], cost.source.clone()),
                None => missing(
                    format!("nobody knows what a run of {} costs", agent.id()),
                    "run an Eval of it that reports cost, and give its Models prices".into(),
                ),
            },
            name => match (name.split_once('.'), case.tool, case.server, case.model) {
                (Some(("tool", what)), Some(tool), ..) => self.of_tool(what, tool),
                (Some(("mcpServer", what)), _, Some(server), _) => self.of_server(what, server),
                (Some(("model", what)), .., Some(model)) => self.of_model(what, model),
                _ => Fact::Runtime,
            },
        }
    }

    fn framework(&self, agent: &Closure) -> Fact {
        let adapter = agent.members().values().find(|member| member.id().kind == Kind::FrameworkAdapter);
        let Some(adapter) = adapter else {
            let why = format!("{} has no FrameworkAdapter", agent.id());
            return missing(why, "name one under `spec.framework.adapterRef`".into());
        };
        self.field(adapter, &["framework"])
    }

    fn label(&self, agent: &Resource, written: &str) -> Fact {
        let label = written.strip_prefix(LABELS).and_then(|rest| rest.strip_prefix('.')).unwrap_or_default();
        if label == "env" {
            return text(self.environment, &"the target");
        }
        match agent.labels().remove(label) {
            Some(value) => known([Value::Text(value)], format!("`metadata.labels` of {}", agent.id())),
            None => missing(
                format!("{} has no label `{label}`", agent.id()),
                format!("add `{label}: …` under `metadata.labels` of {}", agent.id()),
            ),
        }
    }

    fn of_tool(&self, what: &str, tool: &Resource) -> Fact {
        let spec = self.spec(tool);
        match what {
            "name" => text(&tool.id().name, tool.id()),
            "type" => self.field(tool, &["type"]),
            "requiresApproval" => match spec.at(&["sideEffects", "requiresApproval"]) {
                None | Some(Value::Null) => known(
                    [Value::Bool(false)],
                    format!("`spec.sideEffects.requiresApproval` of {}, which is not written", tool.id()),
                ),
                _ => self.field(tool, &["sideEffects", "requiresApproval"]),
            },
            _ => match spec.at(&["sideEffects", "level"]) {
                // Whoever does not say what a tool does must be taken to let it do anything.
                None | Some(Value::Null) => known(
                    [Value::from("privileged")],
                    format!(
                        "`spec.sideEffects.level` of {}, which is not written and so counts as the highest",
                        tool.id()
                    ),
                ),
                Some(Value::Text(level)) if LEVELS.contains(&level.as_str()) => {
                    self.field(tool, &["sideEffects", "level"])
                }
                Some(other) => missing(
                    format!("`{}` is no side effect of {}", super::wanted::told(other), tool.id()),
                    format!("write one of {} as `spec.sideEffects.level`", LEVELS.join(", ")),
                ),
            },
        }
    }

    fn of_server(&self, what: &str, server: &Resource) -> Fact {
        if what == "name" {
            return text(&server.id().name, server.id());
        }
        let record = || format!("joch mcp record {}", server.id().name);
        let Some(sighting) = self.sightings.get(&server.digest()) else {
            let why =
                format!("nobody has looked at {} as it is now in the last {} days", server.id(), super::FRESH_DAYS);
            return missing(why, record());
        };
        let value = match what {
            "trustScore" => sighting.trust_score.map(Value::Number),
            _ => sighting.schema_drift.map(Value::Bool),
        };
        match value {
            Some(value) => known([value], sighting.source.clone()),
            None => missing(format!("{} says nothing of `mcpServer.{what}`", sighting.source), record()),
        }
    }

    fn of_model(&self, what: &str, model: &Resource) -> Fact {
        match what {
            "provider" => self.field(model, &["provider"]),
            "region" => self.field(model, &["routing", "regions"]),
            "tier" => match model.labels().remove("tier") {
                Some(tier) => known([Value::Text(tier)], format!("`metadata.labels.tier` of {}", model.id())),
                None => missing(
                    format!("{} has no label `tier`", model.id()),
                    format!("add `tier: …` under `metadata.labels` of {}", model.id()),
                ),
            },
            _ => {
                let served = self.spec(model).get("model").and_then(Value::as_text).map(Value::from);
                let names = [Some(Value::from(model.id().name.as_str())), served];
                Fact::Known { values: names.into_iter().flatten().collect(), source: model.id().to_string() }
            }
        }
    }

    /// The values of one field: those of a list, or the one.
    fn field(&self, resource: &Resource, keys: &[&str]) -> Fact {
        let at = format!("`spec.{}` of {}", keys.join("."), resource.id());
        let values = match self.spec(resource).at(keys) {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::List(items)) => items.clone(),
            Some(value) => vec![value.clone()],
        };
        if values.is_empty() {
            return missing(format!("{at} is not written"), format!("write {at}"));
        }
        Fact::Known { values, source: at }
    }
}

fn known<const N: usize>(values: [Value; N], source: String) -> Fact {
    Fact::Known { values: values.into(), source }
}

fn text(value: &str, source: &dyn std::fmt::Display) -> Fact {
    known([Value::from(value)], source.to_string())
}

fn missing(why: String, next: String) -> Fact {
    Fact::Missing { why, next }
}
