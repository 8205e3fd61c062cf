//! `joch agbom ls`: which agents hold a component, in which environments, and which carry findings. Answered from
//! tables of all agents that follow the ledger, so that a question costs what has changed since the last one.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use chrono::{DateTime, Duration, NaiveTime, Utc};
use serde::{Deserialize, Serialize};

use crate::bom::{Finding, Graph};
use crate::closure::{Closure, Unreadable};
use crate::gate::{Held as OnHold, Holds, Observations, Observed, Place, open_findings, secrets_named};
use crate::ledger::{Ballots, Environment, Error, PerAgent, Reader};
use crate::release::{Record, layout};
use crate::resource::name::nearest;
use crate::resource::{Digest, Kind, Resource, ResourceId, Risk, Value};
use crate::trust::Trust;

use super::caller::Caller;
use super::desk::Desk;
use super::find::check_environment;
use super::used::{IMAGE, MODEL};

pub use super::used::Used;

/// What is asked for.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// Components that it holds, all of them.
    pub uses: Vec<Used>,
    /// Only what has open findings of this severity or above.
    pub at_least: Option<Risk>,
    /// Where; in every environment where none is named.
    pub environment: Option<String>,
}

/// What there is.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// In order of the ladder, then of namespace and name.
    pub items: Vec<Holder>,
}

/// One agent in one environment.
#[derive(Debug, Clone)]
pub struct Holder {
    /// The agent.
    pub agent: ResourceId,
    /// The environment.
    pub environment: String,
    /// The version that it runs.
    pub version: Option<u64>,
    /// The digest of that.
    pub digest: Digest,
    /// The release that brought it.
    pub release: Option<String>,
    /// How many components its bill has, the agent itself included.
    pub components: usize,
    /// Those that were asked for.
    pub uses: Vec<Component>,
    /// Its open findings, the worst first, where findings were asked for.
    pub findings: Vec<Finding>,
}

/// A component of an agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Component {
    /// `mcp-server/default/github`, `model openai/gpt-4.1-2025-04-14`, `image registry.example.com/x:1`.
    pub name: String,
    /// Its version, if it is a resource that has one.
    pub version: Option<u64>,
}

/// Lists the agents that have all that is asked for.
///
/// # Errors
/// There is no such environment, or the ledger cannot be read.
pub fn run(request: &Request, caller: &mut Caller<'_>) -> Result<Outcome> {
    let desk = Desk::open(caller)?;
    let reader = desk.reader()?;
    let trust = reader.trust()?;
    let rungs: Vec<String> = match &request.environment {
        None => trust.ladder().rungs().to_vec(),
        Some(named) => {
            check_environment(trust.ladder(), named)?;
            vec![named.clone()]
        }
    };
    let namespace = caller.namespace.clone().or_else(|| caller.variable("JOCH_NAMESPACE").map(str::to_owned));
    let within =
        |source: &str| namespace.as_ref().is_none_or(|namespace| source.split('/').next() == Some(namespace.as_str()));
    let mut items = Vec::new();
    for rung in &rungs {
        let environment = reader.environment(rung)?;
        let risky = match request.at_least {
            None => None,
            Some(least) => Some(risky(&environment, least, &trust, &reader, caller.now)?),
        };
        let table = environment.per_agent(&HELD)?;
        for (line, source) in table.lines().filter(|(_, source)| within(source)) {
            if !request.uses.iter().all(|used| line.contains(used.hint())) {
                continue;
            }
            let findings = match &risky {
                None => Vec::new(),
                Some(risky) => match risky.get(source) {
                    None => continue,
                    Some(findings) => findings.clone(),
                },
            };
            let Some(holder) = holder(line, source, rung, request)? else { continue };
            items.push(Holder { findings, ..holder });
        }
    }
    if items.is_empty() {
        caller.notice(nothing(request, &rungs, &trust, &reader)?);
    }
    Ok(Outcome { items })
}

fn holder(line: &str, source: &str, rung: &str, request: &Request) -> Result<Option<Holder>> {
    let damaged = |why: String| Error::Damaged { object: format!("the table of agents of `{rung}`"), why };
    let held: Held = serde_json::from_str(line).map_err(|why| damaged(why.to_string()))?;
    let mut uses = BTreeSet::new();
    for used in &request.uses {
        let mut found = held.components.iter().filter(|(name, _)| used.is(name)).peekable();
        if found.peek().is_none() {
            return Ok(None);
        }
        uses.extend(found);
    }
    let (namespace, name) = source.split_once('/').ok_or_else(|| damaged(format!("`{source}` is no agent")))?;
    let component = |(name, version): &(String, Option<u64>)| Component { name: name.clone(), version: *version };
    Ok(Some(Holder {
        agent: ResourceId::agent(namespace, name),
        environment: rung.to_owned(),
        version: held.version,
        digest: held.digest,
        release: held.release,
        components: held.count,
        uses: uses.into_iter().map(component).collect(),
        findings: Vec::new(),
    }))
}

/// What is kept of every agent. The agent comes first, so that lines stand in order of agents.
#[derive(Debug, Serialize, Deserialize)]
struct Held {
    agent: String,
    version: Option<u64>,
    digest: Digest,
    release: Option<String>,
    /// How many components its bill has, the agent itself included.
    count: usize,
    /// What it may be asked for by.
    components: Vec<(String, Option<u64>)>,
}

const HELD: PerAgent<'static> = PerAgent { name: "bills", under: None, lines: &held_line };

fn held_line(closure: &Closure, record: Option<&Record>) -> crate::ledger::Result<Vec<String>> {
    let digest = closure.digest();
    // What is held is told by the tree; the record beside it knows the numbers.
    let record = record.filter(|record| record.to_digest == Some(digest));
    let mut components = BTreeSet::new();
    for resource in closure.everything() {
        let id = resource.id();
        components.extend(secrets(resource).into_iter().map(|name| (name, None)));
        if id == closure.id() {
            continue;
        }
        let pinned = record.and_then(|record| record.members.iter().find(|member| member.id() == *id));
        let version = pinned.filter(|pinned| pinned.digest == resource.digest()).and_then(|pinned| pinned.version);
        components.insert((id.full(), version));
        components.extend(outside(resource).into_iter().map(|name| (name, None)));
    }
    let held = Held {
        agent: format!("{}/{}", closure.id().namespace, closure.id().name),
        version: record.and_then(|record| record.to_version),
        digest,
        release: record.map(|record| record.release.clone()),
        count: Graph::bare(closure).components().count(),
        components: components.into_iter().collect(),
    };
    Ok(serde_json::to_string(&held).into_iter().collect())
}

/// The Secrets that a resource names, wherever it may find them: who asks whom a leaked key concerns wants all of them.
fn secrets(resource: &Resource) -> Vec<String> {
    let named = secrets_named(resource).into_iter();
    named.flat_map(|named| named.candidates(&resource.id().namespace)).map(|secret| secret.full()).collect()
}

/// What a resource names beyond the ledger: the model that a provider serves, and container images.
fn outside(resource: &Resource) -> Vec<String> {
    let mut found = Vec::new();
    let text = |key| resource.spec().get(key).and_then(Value::as_text);
    if let (Kind::Model, Some(provider), Some(model)) = (&resource.id().kind, text("provider"), text("model")) {
        found.push(format!("{MODEL}{provider}/{model}"));
    }
    images(resource.spec(), &mut found);
    found
}

fn images(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::List(items) => items.iter().for_each(|item| images(item, found)),
        Value::Map(map) => {
            for (key, value) in map {
                match value {
                    Value::Text(text) if key == "image" || key.ends_with("Image") => {
                        found.push(format!("{IMAGE}{text}"));
                    }
                    value => images(value, found),
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) => {}
    }
}

/// The agents of an environment with open findings of a severity or above, each with those. What the rules look at
/// beside a closure is what trust asks, what stands on evidence about servers, and the day.
fn risky(
    environment: &Environment<'_, '_>,
    least: Risk,
    trust: &Trust,
    reader: &Reader<'_>,
    now: DateTime<Utc>,
) -> Result<BTreeMap<String, Vec<Finding>>> {
    let tip = reader.tip(layout::EVIDENCE)?;
    let about =
        |directory| reader.snapshot().entry_at(tip, directory).map(|entry| format!("{:?}", entry.map(|e| e.id)));
    let day = now.date_naive().and_time(NaiveTime::MIN).and_utc() + Duration::days(1);
    let parts = [trust.commit.clone(), day.to_rfc3339(), about(layout::OBSERVATIONS)?, about(layout::HOLDS)?];
    let known =
        Known { ballots: Ballots { reader, commit: tip, trust }, seen: RefCell::default(), held: RefCell::default() };
    let place = Place { environment: environment.name(), trust, now: day, observations: &known, holds: &known };
    let lines = |closure: &Closure, _: Option<&Record>| {
        let damaged = |why| Error::Damaged { object: format!("what is to be judged of {}", closure.id()), why };
        let findings = open_findings(closure, &place).map_err(damaged)?;
        let told = findings.iter().filter_map(|finding| serde_json::to_string(finding).ok());
        // The number keeps them in order.
        Ok(told.enumerate().map(|(at, text)| format!("{at:04}{text}")).collect())
    };
    let under = Digest::of(parts.join("\n"));
    let table = environment.per_agent(&PerAgent { name: "findings", under: Some(under), lines: &lines })?;
    let mut risky: BTreeMap<String, Vec<Finding>> = BTreeMap::new();
    for (line, source) in table.lines() {
        let finding: Finding = serde_json::from_str(line.get(4..).unwrap_or_default())?;
        if finding.severity >= least {
            risky.entry(source.to_owned()).or_default().push(finding);
        }
    }
    Ok(risky)
}

/// What stands on evidence, each server asked for once: a fleet shares them.
struct Known<'a, 'r> {
    ballots: Ballots<'a, 'r>,
    seen: RefCell<BTreeMap<ResourceId, Vec<Observed>>>,
    held: RefCell<BTreeMap<(ResourceId, Digest), Vec<OnHold>>>,
}

impl Observations for Known<'_, '_> {
    fn of_server(&self, server: &ResourceId, since: Option<&str>) -> std::result::Result<Vec<Observed>, Unreadable> {
        if let Some(seen) = self.seen.borrow().get(server).filter(|_| since.is_none()) {
            return Ok(seen.clone());
        }
        let seen = self.ballots.of_server(server, since)?;
        if since.is_none() {
            self.seen.borrow_mut().insert(server.clone(), seen.clone());
        }
        Ok(seen)
    }
}

impl Holds for Known<'_, '_> {
    fn on(&self, id: &ResourceId, digest: Digest) -> std::result::Result<Vec<OnHold>, Unreadable> {
        let key = (id.clone(), digest);
        if let Some(held) = self.held.borrow().get(&key) {
            return Ok(held.clone());
        }
        let held = self.ballots.on(id, digest)?;
        self.held.borrow_mut().insert(key, held.clone());
        Ok(held)
    }
}

/// Why nothing is listed: what is used nowhere, or not here, is told by name.
fn nothing(request: &Request, rungs: &[String], trust: &Trust, reader: &Reader<'_>) -> Result<String> {
    let place = match rungs {
        [one] => format!("in `{one}`"),
        _ => "in any environment".to_owned(),
    };
    let mut known: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for rung in trust.ladder().rungs().iter().filter(|_| !request.uses.is_empty()) {
        for (line, _) in reader.environment(rung)?.per_agent(&HELD)?.lines() {
            let held: Held = serde_json::from_str(line)?;
            known.entry(rung).or_default().extend(held.components.into_iter().map(|(name, _)| name));
        }
    }
    for used in &request.uses {
        let holds = |rung: &&str| known[rung].iter().any(|name| used.is(name));
        let places: Vec<_> = known.keys().copied().filter(holds).collect();
        if places.is_empty() {
            let meant = slip(used, known.values().flatten())
                .map_or_else(String::new, |meant| format!("; did you mean `{meant}`?"));
            return Ok(format!("nothing called `{used}` is used in any environment{meant}"));
        }
        if !places.iter().any(|place| rungs.iter().any(|rung| rung == place)) {
            return Ok(format!("`{used}` is not used {place}; it is in {}", places.join(", ")));
        }
    }
    Ok(match (request.uses.len(), request.at_least) {
        (0, None) => format!("no agent runs {place}"),
        (0, Some(least)) => format!("no agent has open findings of severity {} or above {place}", least.word()),
        _ => format!("no agent has all of that {place}"),
    })
}

/// The name that was meant, of a resource of the same kind.
fn slip<'a>(used: &Used, known: impl Iterator<Item = &'a String>) -> Option<String> {
    let Used::Resource { kind, name, .. } = used else { return None };
    let kind = kind.singular();
    let names = known.filter_map(|full| match full.split('/').collect::<Vec<_>>()[..] {
        [sort, _, name] if sort == kind => Some(name),
        _ => None,
    });
    nearest(name, names).map(str::to_owned)
}
