//! Bad changes to try a set of gates with: one or more for each family of rules, each made from a closure that runs.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::closure::Closure;
use crate::resource::{Kind, Map, Resource, ResourceId, Value};

/// One change to a closure that must be caught, or one that must pass.
pub struct Seed {
    /// What it does, in a few words.
    pub name: &'static str,
    /// The rule that must see it; `None` for a harmless change, in which no rule may see a new risk of `high` or above.
    pub rule: Option<&'static str>,
    make: fn(&mut Draft) -> Option<()>,
}

impl Seed {
    /// The closure after the change; `None` where the closure has nothing that could be changed so.
    #[must_use]
    pub fn plant(&self, closure: &Closure) -> Option<Closure> {
        let mut draft = Draft::of(closure);
        (self.make)(&mut draft)?;
        let planted = draft.finish()?;
        (planted.digest() != closure.digest()).then_some(planted)
    }
}

/// All of them, the harmless ones last.
#[must_use]
pub fn seeds() -> Vec<Seed> {
    let bad = |name, rule, make| Seed { name, rule: Some(rule), make };
    let good = |name, make| Seed { name, rule: None, make };
    vec![
        bad("an MCP server is not pinned any more", "AGB-MCP-001", |draft| {
            draft.set(&Kind::McpServer, &["security", "pinServerVersion"], false)
        }),
        bad("an MCP server runs as a local process", "AGB-MCP-004", |draft| {
            draft.set(&Kind::McpServer, &["transport"], "stdio")
        }),
        bad("an MCP server names no publisher", "AGB-MCP-005", |draft| {
            draft.drop(&Kind::McpServer, &["security", "trustedPublisher"])
        }),
        bad("an MCP server is reached over plain http", "AGB-MCP-006", |draft| {
            draft.set(&Kind::McpServer, &["endpoint", "url"], "http://mcp.seed.example/")
        }),
        bad("an MCP server asks for less trust", "AGB-MCP-008", |draft| {
            draft.drop(&Kind::McpServer, &["security", "minTrustScore"])
        }),
        bad("an MCP server leaves its sandbox", "AGB-MCP-008", |draft| {
            draft.set(&Kind::McpServer, &["security", "sandbox"], false)
        }),
        bad("a tool is reached at another host", "AGB-NET-001", |draft| {
            draft.set(&Kind::Tool, &["endpoint", "url"], "https://seed.example/")
        }),
        bad("a tool is reached over plain http", "AGB-NET-002", |draft| {
            draft.set(&Kind::Tool, &["endpoint", "url"], "http://seed.example/")
        }),
        bad("a tool reaches further", "AGB-TOOL-001", |draft| {
            draft.set(&Kind::Tool, &["sideEffects", "level"], "privileged")
        }),
        bad("a new tool writes outside and asks nobody", "AGB-TOOL-003", |draft| {
            draft.bring_tool("seed.post", &[("type", "rest")], "external_write")
        }),
        bad("a new tool runs code", "AGB-TOOL-002", |draft| {
            draft.bring_tool("seed.run", &[("type", "os")], "code_execution")
        }),
        bad("a tool asks nobody any more", "AGB-TOOL-004", |draft| {
            draft.turn(&Kind::Tool, &["sideEffects", "requiresApproval"], &Value::Bool(true), Value::Bool(false))
        }),
        bad("a tool may be called as often as one likes", "AGB-TOOL-005", |draft| {
            draft.drop(&Kind::Tool, &["safety", "rateLimit"])
        }),
        bad("a prompt hides an order", "AGB-TOOL-006", |draft| {
            draft.agent_text(&["instructions"], |text| format!("{text}\u{E0069}\u{E0067}\u{E006E}"))
        }),
        bad("a model comes from another provider", "AGB-MODEL-001", |draft| {
            draft.set(&Kind::Model, &["provider"], "seed")
        }),
        bad("a model may be served anywhere", "AGB-MODEL-002", |draft| {
            let regions = Value::List(vec!["us-east-1".into(), "ap-south-1".into()]);
            draft.set(&Kind::Model, &["routing", "regions"], regions)
        }),
        bad("a route keeps data nowhere", "AGB-ROUTE-001", |draft| {
            draft.drop(&Kind::ModelRoute, &["constraints", "dataResidency"])
        }),
        bad("a memory keeps personal data", "AGB-MEM-001", |draft| {
            let encryption = draft.set(&Kind::Memory, &["privacy", "encryption"], "none");
            encryption
                .or_else(|| draft.set(&Kind::Memory, &["privacy", "piiHandling"], "none"))
                .or_else(|| draft.set(&Kind::Memory, &["privacy", "piiMode"], "none"))
        }),
        bad("knowledge is declared public", "AGB-KNOW-002", |draft| {
            draft.set(&Kind::KnowledgeSource, &["classification"], "public")
        }),
        bad("an adapter's image is whatever is latest", "AGB-IMG-001", |draft| {
            draft.text(&Kind::FrameworkAdapter, &["adapterImage"], |image| {
                let name = image.split('@').next().unwrap_or_default();
                let slash = name.rfind('/').map_or(0, |at| at + 1);
                let name = name[slash..].rfind(':').map_or(name, |at| &name[..slash + at]);
                format!("{name}:latest")
            })
        }),
        bad("an adapter's image comes from elsewhere", "AGB-IMG-002", |draft| {
            draft.text(&Kind::FrameworkAdapter, &["adapterImage"], |image| {
                format!("registry.seed.example/{}", image.split_once('/').map_or(image, |(_, rest)| rest))
            })
        }),
        bad("a framework is too old", "AGB-FWK-001", |draft| {
            draft.has(&Kind::FrameworkAdapter, &["sdkMinVersion"])?;
            draft.agent_set(&["framework", "sdkVersion"], "0.0.0".into())
        }),
        bad("a password stands in a record", "AGB-SEC-001", |draft| {
            draft.put(&Kind::Tool, &["endpoint", "auth", "password"], "correct horse battery staple")
        }),
        bad("a label changes, and a policy does not select the agent any more", "AGB-POL-001", Draft::escape),
        bad("a policy loses its rules", "AGB-POL-002", |draft| {
            draft.set(&Kind::Policy, &["rules"], Value::List(Vec::new()))
        }),
        bad("the agent may hand over to one that nobody knows", "AGB-HAND-001", |draft| {
            draft.agent_set(&["handoffs", "allowedAgents"], Value::List(vec!["seed-agent".into()]))
        }),
        good("the agent is described in other words", |draft| {
            draft.agent_set(&["description"], "Described in other words.".into())
        }),
        good("a prompt is reworded", |draft| {
            draft.agent_text(&["instructions"], |text| format!("{text}\nBe brief.\n"))
        }),
        good("a tool may be called less often", Draft::slow),
        good("a tool asks a person first", |draft| {
            let path = ["sideEffects", "requiresApproval"];
            draft.turn(&Kind::Tool, &path, &Value::Bool(false), Value::Bool(true))
        }),
    ]
}

/// A closure that is being changed.
struct Draft {
    agent: Value,
    members: BTreeMap<ResourceId, Value>,
    children: BTreeMap<ResourceId, Closure>,
}

impl Draft {
    fn of(closure: &Closure) -> Self {
        let members = closure.members().iter().map(|(id, member)| (id.clone(), member.body().clone())).collect();
        Self { agent: closure.agent().body().clone(), members, children: closure.children().clone() }
    }

    fn finish(self) -> Option<Closure> {
        let resource = |body: Value| Resource::from_value(body).ok().map(Arc::new);
        let members = self.members.into_values().map(resource).collect::<Option<Vec<_>>>()?;
        let members = members.into_iter().map(|member| (member.id().clone(), member)).collect();
        Some(Closure::new(resource(self.agent)?, members, self.children))
    }

    fn of_kind<'a>(&'a mut self, kind: &'a Kind) -> impl Iterator<Item = &'a mut Value> {
        self.members.iter_mut().filter(move |(id, _)| id.kind == *kind).map(|(_, body)| body)
    }

    fn has(&mut self, kind: &Kind, path: &[&str]) -> Option<()> {
        self.of_kind(kind).any(|body| spec(body).is_some_and(|spec| spec.at(path).is_some())).then_some(())
    }

    /// Writes another value in the first resource of the kind that has one there.
    fn set(&mut self, kind: &Kind, path: &[&str], value: impl Into<Value>) -> Option<()> {
        let value = value.into();
        let place = self.of_kind(kind).find_map(|body| place(spec(body)?, path).filter(|old| **old != value))?;
        *place = value;
        Some(())
    }

    /// Writes another value where this one stands.
    fn turn(&mut self, kind: &Kind, path: &[&str], old: &Value, new: Value) -> Option<()> {
        let place = self.of_kind(kind).find_map(|body| place(spec(body)?, path).filter(|is| **is == *old))?;
        *place = new;
        Some(())
    }

    /// Writes a value into a map that is there.
    fn put(&mut self, kind: &Kind, path: &[&str], value: &str) -> Option<()> {
        let (key, map) = path.split_last()?;
        let Value::Map(map) = self.of_kind(kind).find_map(|body| place(spec(body)?, map))? else { return None };
        map.insert((*key).to_owned(), value.into());
        Some(())
    }

    /// Rewrites the first text of the kind that stands there.
    fn text(&mut self, kind: &Kind, path: &[&str], rewrite: fn(&str) -> String) -> Option<()> {
        let place = self.of_kind(kind).find_map(|body| place(spec(body)?, path))?;
        *place = rewrite(place.as_text()?).into();
        Some(())
    }

    /// Takes a value out of the first resource of the kind that has it.
    fn drop(&mut self, kind: &Kind, path: &[&str]) -> Option<()> {
        let (key, map) = path.split_last()?;
        self.of_kind(kind).find_map(|body| match place(spec(body)?, map)? {
            Value::Map(map) => map.remove(*key).map(|_| ()),
            _ => None,
        })
    }

    /// Lowers every rate of the first tool that has one.
    fn slow(&mut self) -> Option<()> {
        self.of_kind(&Kind::Tool).find_map(|body| match place(spec(body)?, &["safety", "rateLimit"])? {
            Value::Map(rates) => {
                let numbers = rates.values_mut().filter(|rate| rate.as_number().is_some());
                numbers.map(|rate| *rate = Value::from(1)).last()
            }
            _ => None,
        })
    }

    fn agent_text(&mut self, path: &[&str], rewrite: fn(&str) -> String) -> Option<()> {
        let place = place(spec(&mut self.agent)?, path)?;
        *place = rewrite(place.as_text()?).into();
        Some(())
    }

    /// Writes a value into the agent's record, maps on the way to it included.
    fn agent_set(&mut self, path: &[&str], value: Value) -> Option<()> {
        let mut at = spec(&mut self.agent)?;
        for key in path {
            let Value::Map(map) = at else { return None };
            at = map.entry((*key).to_owned()).or_insert_with(|| Value::Map(Map::new()));
        }
        *at = value;
        Some(())
    }

    /// A tool that the agent names.
    fn bring_tool(&mut self, name: &str, fields: &[(&str, &str)], level: &str) -> Option<()> {
        let Value::Map(agent) = spec(&mut self.agent)? else { return None };
        match agent.entry("tools".to_owned()).or_insert_with(|| Value::List(Vec::new())) {
            Value::List(tools) => tools.push(name.into()),
            _ => return None,
        }
        let namespace = self.agent.at(&["metadata", "namespace"])?.as_text()?.to_owned();
        let map = |entries: &[(&str, Value)]| -> Value {
            Value::Map(entries.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect())
        };
        let mut spec: Map = fields.iter().map(|(key, value)| ((*key).to_owned(), Value::from(*value))).collect();
        spec.insert("sideEffects".into(), map(&[("level", level.into())]));
        let body = map(&[
            ("apiVersion", Kind::Tool.api_version().into()),
            ("kind", Kind::Tool.name().into()),
            ("metadata", map(&[("name", name.into()), ("namespace", namespace.clone().into())])),
            ("spec", Value::Map(spec)),
        ]);
        self.members.insert(ResourceId::new(Kind::Tool, namespace, name), body);
        Some(())
    }

    /// Changes a label so that a policy that nobody names stops selecting the agent, and so leaves the closure.
    fn escape(&mut self) -> Option<()> {
        let agent = Resource::from_value(self.agent.clone()).ok()?;
        let labels = agent.labels();
        let named = |id: &ResourceId, bodies: &BTreeMap<ResourceId, Value>| {
            let all = bodies.values().chain(std::iter::once(&self.agent));
            all.filter_map(|body| Resource::from_value(body.clone()).ok()).any(|resource| {
                resource.mentions().iter().any(|mention| match &mention.target {
                    crate::resource::Target::Resource(reference) => {
                        reference.candidates(&resource.id().namespace).contains(id)
                    }
                    crate::resource::Target::Candidate(_) => false,
                })
            })
        };
        let policies = self.members.iter().filter(|(id, _)| id.kind == Kind::Policy);
        let (id, label) = policies
            .filter_map(|(id, body)| Some((id, Resource::from_value(body.clone()).ok()?)))
            .filter(|(id, policy)| crate::resource::view::selects(policy, &labels) && !named(id, &self.members))
            .find_map(|(id, policy)| {
                Some((id.clone(), crate::resource::view::selector(&policy)?.into_keys().next()?))
            })?;
        let place = place(&mut self.agent, &["metadata", "labels", &label])?;
        *place = "seed".into();
        self.members.remove(&id);
        Some(())
    }
}

fn spec(body: &mut Value) -> Option<&mut Value> {
    place(body, &["spec"])
}

fn place<'a>(value: &'a mut Value, path: &[&str]) -> Option<&'a mut Value> {
    path.iter().try_fold(value, |value, key| match value {
        Value::Map(map) => map.get_mut(*key),
        _ => None,
    })
}
