//! `joch gates selftest`: plants bad versions and weaker controls into a copy of an environment in memory, and tells
//! which of them its gates would not have caught. Nothing is written, and no key is needed.
//!
//! A hold is no block: a change that only waits for somebody, or for evidence, was not caught.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use anyhow::Result;
use chrono::{DateTime, Utc};

use crate::bom::risk;
use crate::closure::{Closure, Shelf, Unreadable};
use crate::diff::weigh;
use crate::eval::{Decimal, Definition, Score, rejudge};
use crate::gate::{GateResult, Measured, Results, Verdict};
use crate::ledger::{Ballots, Environment, Reader};
use crate::release::{
    AgentEdit, CatalogEdit, Context, Draft, Event, Operator, Running, Source, Weakened, Word, layout, plan, weakened,
};
use crate::resource::{Digest, Direction, Kind, Number, Requirement, Resource, ResourceId, Value};
use crate::trust::{Principal, Trust};

use super::caller::Caller;
use super::desk::Desk;
use super::failure::Failure;
use super::find::{check_environment, not_found};
use super::guards::guards;
use super::judge::undecidable;
use super::land::commit_time;

/// What is asked for.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// The agent to plant into; every one of the environment where none is named.
    pub agent: Option<ResourceId>,
    /// The environment whose gates are tried; the last rung where none is named.
    pub environment: Option<String>,
    /// Gates that are tried beside what the environment demands.
    pub required: Vec<Requirement>,
}

/// What became of one planted change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planted {
    /// What it was planted into.
    pub resource: ResourceId,
    /// What it does, in a few words.
    pub seed: String,
    /// What must see it: `agbom AGB-MCP-001`, `eval`, `weakening`; nothing for a harmless change.
    pub expected: Option<String>,
    /// What came of it.
    pub fate: Fate,
    /// What the gates said.
    pub said: String,
    /// What would catch it, where it was missed.
    pub next: Option<String>,
}

/// What came of a planted change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// What had to see it said no; or, of a harmless change, no gate that looks at content did.
    Right,
    /// It would have got through, or only waited.
    Missed,
    /// A harmless change was stopped.
    Stopped,
    /// There is nothing into which it could be planted.
    Absent,
}

/// What came of it.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The environment whose gates were tried.
    pub environment: String,
    /// Every planted change.
    pub planted: Vec<Planted>,
}

impl Outcome {
    /// How many of them had this fate.
    #[must_use]
    pub fn count(&self, fate: Fate) -> usize {
        self.planted.iter().filter(|planted| planted.fate == fate).count()
    }

    /// Whether every bad change was caught and every harmless one got through.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.count(Fate::Missed) + self.count(Fate::Stopped) == 0
    }
}

/// Plants all of it.
///
/// # Errors
/// There is no such environment or agent, nothing runs there, or the ledger cannot be read.
pub fn run(request: &Request, caller: &mut Caller<'_>) -> Result<Outcome> {
    let desk = Desk::open(caller)?;
    let reader = desk.reader()?;
    let trust = reader.trust()?;
    let name = request.environment.clone().unwrap_or_else(|| trust.ladder().last().to_owned());
    check_environment(trust.ladder(), &name)?;
    let rungs = trust.ladder().rungs();
    let place = rungs.iter().position(|rung| *rung == name).unwrap_or_default();
    let Some(below) = place.checked_sub(1).map(|at| rungs[at].clone()) else {
        return Err(Failure::usage(format!("`{name}` is the first rung, which demands nothing"))
            .next(format!("try the gates of another: --env {}", trust.ladder().last()))
            .into());
    };
    let (target, source) = (reader.environment(&name)?, reader.environment(&below)?);
    let agents = match &request.agent {
        Some(agent) => vec![agent.clone()],
        None => match target.agents()? {
            none if none.is_empty() => source.agents()?,
            agents => agents,
        },
    };
    let time = commit_time(&desk, &reader, &[layout::EVIDENCE, name.as_str()], caller.now, &mut caller.notices)?;
    let mut outcome = Outcome { environment: name.clone(), planted: Vec::new() };
    for agent in &agents {
        let Some(running) = target.running(agent)?.map_or_else(|| source.running(agent), |found| Ok(Some(found)))?
        else {
            return Err(not_found(agent, &source)?.into());
        };
        let field = Field {
            reader: &reader,
            trust: &trust,
            desk: &desk,
            target: &target,
            source: &source,
            required: &request.required,
            time,
        };
        outcome.planted.extend(field.versions(agent, &running)?);
        outcome.planted.extend(field.controls(agent, &running)?);
    }
    outcome.planted.extend(of_trust(&trust, &name));
    if agents.is_empty() {
        return Err(Failure::could_not("not-found", format!("nothing runs in `{name}` or in `{below}`"))
            .next("bring an agent there first; then there is something to plant into")
            .into());
    }
    Ok(outcome)
}

/// Where seeds are planted.
struct Field<'a, 'r> {
    reader: &'a Reader<'r>,
    trust: &'a Trust,
    desk: &'a Desk,
    target: &'a Environment<'a, 'r>,
    source: &'a Environment<'a, 'r>,
    required: &'a [Requirement],
    time: DateTime<Utc>,
}

/// What is done to the results that a planted version brings along.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Twist {
    /// They are as good as those of what runs.
    None,
    /// A metric scores the worst it can.
    Bad,
    /// Every answer takes four times as long.
    Slow,
}

/// The gates that look at content; the others look at people and at time.
const CONTENT: [&str; 5] = ["eval", "policy", "agbom", "budget", "latency"];

impl Field<'_, '_> {
    /// Bad versions of an agent, and harmless ones.
    fn versions(&self, agent: &ResourceId, running: &Running) -> Result<Vec<Planted>> {
        let mut planted = Vec::new();
        for seed in risk::seeds() {
            let expects = seed.rule.map(|rule| ("agbom", Some(rule)));
            planted.push(self.version(
                agent,
                running,
                seed.name,
                expects,
                seed.plant(&running.closure),
                Twist::None,
            )?);
        }
        let words = |closure: &Closure| reworded(closure);
        let dear = |closure: &Closure| {
            changed(closure, &Kind::Model, |body| {
                let Value::Map(pricing) = body.at(&["spec", "pricing"])? else { return None };
                let dear = |price: &Value| Number::from_f64(price.as_number()?.as_f64() * 1000.0).map(Value::Number);
                let pricing =
                    pricing.iter().map(|(key, price)| (key.clone(), dear(price).unwrap_or_else(|| price.clone())));
                with(body, &["spec", "pricing"], Value::Map(pricing.collect()))
            })
        };
        let forbidden = |closure: &Closure| {
            changed(closure, &Kind::Tool, |body| with(body, &["spec", "sideEffects", "level"], "privileged".into()))
        };
        for (name, gate, after, twist) in [
            ("an eval fails", "eval", words(&running.closure), Twist::Bad),
            ("answers take four times as long", "latency", words(&running.closure), Twist::Slow),
            ("a model costs a thousand times as much", "budget", dear(&running.closure), Twist::None),
            ("a tool does what a policy forbids", "policy", forbidden(&running.closure), Twist::None),
        ] {
            planted.push(self.version(agent, running, name, Some((gate, None)), after, twist)?);
        }
        Ok(planted)
    }

    /// Weaker controls: those that the closure holds, and the Evals and Deployments that guard the agent.
    fn controls(&self, agent: &ResourceId, running: &Running) -> Result<Vec<Planted>> {
        let mut planted = Vec::new();
        let records = self.records(agent)?;
        for seed in weakened().into_iter().filter(|seed| !seed.kind.is_trust()) {
            let held: Vec<Arc<Resource>> = match seed.kind {
                Kind::Policy | Kind::Budget => {
                    running.closure.everything().into_iter().filter(|r| r.id().kind == seed.kind).cloned().collect()
                }
                _ => records.iter().filter(|record| record.id().kind == seed.kind).cloned().collect(),
            };
            let found =
                held.iter().find_map(|record| Some((record, Resource::from_value(seed.of(record.body())?).ok()?)));
            let Some((record, weaker)) = found else {
                planted.push(absent(agent, seed.name, "weakening"));
                continue;
            };
            let weaker = Arc::new(weaker);
            let draft = match seed.kind {
                Kind::Policy | Kind::Budget => {
                    let Some(after) = exchanged(&running.closure, &weaker) else { continue };
                    self.promotion(agent, running, after)
                }
                _ => self.application(record, &weaker),
            };
            let gates = self.judge(&draft, Twist::None)?;
            planted.push(seen(record.id(), &seed, &gates));
        }
        Ok(planted)
    }

    fn version(
        &self,
        agent: &ResourceId,
        running: &Running,
        name: &str,
        expects: Option<(&str, Option<&str>)>,
        after: Option<Closure>,
        twist: Twist,
    ) -> Result<Planted> {
        let expected =
            expects.map(|(gate, rule)| rule.map_or_else(|| gate.to_owned(), |rule| format!("{gate} {rule}")));
        let Some(after) = after else {
            return Ok(absent(agent, name, expected.as_deref().unwrap_or_default()));
        };
        let gates = self.judge(&self.promotion(agent, running, after), twist)?;
        let no = |gate: &&GateResult| gate.verdict == Verdict::Fail && !gate.is_waived();
        let caught = |gate: &&GateResult| match expects {
            Some((of, rule)) => {
                let finds = |rule: &str| gate.findings.iter().any(|found| found.rule == rule && found.introduced);
                gate.gate == of && rule.is_none_or(finds)
            }
            None => false,
        };
        let content = || gates.iter().filter(|gate| CONTENT.contains(&gate.gate.as_str()));
        let (fate, said) = match expects {
            Some(_) => match gates.iter().filter(no).find(caught) {
                Some(gate) => (Fate::Right, gate.reason.clone()),
                None => (Fate::Missed, told(content())),
            },
            None => match content().find(|gate| gate.verdict != Verdict::Pass && !gate.is_waived()) {
                Some(gate) => (Fate::Stopped, format!("{}: {} {}", gate.label(), gate.verdict.word(), gate.reason)),
                None => (Fate::Right, "no gate that looks at content stops it".to_owned()),
            },
        };
        let next = expects.filter(|_| fate == Fate::Missed).map(|(of, _)| self.remedy(of, &gates));
        Ok(Planted { resource: agent.clone(), seed: name.to_owned(), expected, fate, said, next })
    }

    /// How a gate that missed something would catch it.
    fn remedy(&self, missed: &str, gates: &[GateResult]) -> String {
        let place = format!("`spec.gates` of environment/{}", self.target.name());
        let Some(there) = gates.iter().find(|gate| gate.gate == missed) else {
            let write = match missed {
                "agbom" => "agbom:high",
                "eval" => "eval:NAME",
                "latency" => "latency:+20%",
                word => word,
            };
            return format!("demand `{write}` under {place}");
        };
        let label = there.label();
        match there.verdict {
            Verdict::Fail => format!("take `mode: advisory` from `{label}` under {place}, or demand more of it"),
            Verdict::Pass => format!("demand more of `{label}`, which let it through"),
            _ => format!("give `{label}` the evidence that it asks for"),
        }
    }

    /// The promotion that brings `after` from the rung below.
    fn promotion(&self, agent: &ResourceId, running: &Running, after: Closure) -> Draft {
        let source = Source {
            environment: self.source.name().to_owned(),
            release: None,
            commit: self.source.head().to_string(),
        };
        let edit = AgentEdit {
            word: Word::Updated,
            before: Some(running.clone()),
            last: Some(running.record.clone()),
            after: Some(after),
            writes: BTreeSet::new(),
            ran: None,
            brings: Some(BTreeMap::new()),
            running_in_source_since: Some(self.time),
            regressions: Vec::new(),
            undoes: None,
            has_served: false,
        };
        Draft {
            event: Event::Promote,
            environment: self.target.name().to_owned(),
            source: Some(source),
            reason: None,
            catalog: BTreeMap::new(),
            agents: BTreeMap::from([(agent.clone(), edit)]),
        }
    }

    /// The apply that puts `weaker` in the place of a record.
    fn application(&self, record: &Arc<Resource>, weaker: &Arc<Resource>) -> Draft {
        let edit = CatalogEdit { before: Some(record.clone()), after: Some(weaker.clone()), cases: None };
        Draft {
            event: Event::Apply,
            environment: self.target.name().to_owned(),
            source: None,
            reason: None,
            catalog: BTreeMap::from([(record.id().clone(), edit)]),
            agents: BTreeMap::new(),
        }
    }

    /// The Evals and Deployments about an agent, those of the target first.
    fn records(&self, agent: &ResourceId) -> Result<Vec<Arc<Resource>>> {
        let about = BTreeSet::from([agent.clone()]);
        let mut records = Vec::new();
        for environment in [self.target, self.source] {
            for kind in [Kind::Eval, Kind::Deployment] {
                records.extend(environment.concerning(&kind, &about, &BTreeSet::new())?);
            }
        }
        Ok(records)
    }

    /// What the gates say of a draft, asked for by a machine that is nobody's admin.
    fn judge(&self, draft: &Draft, twist: Twist) -> Result<Vec<GateResult>> {
        let source = draft.source.as_ref().map(|_| self.source);
        let records = guards(draft, self.target, source, &[self.trust], &[])?;
        let commit = self.reader.tip(layout::EVIDENCE)?;
        let ballots = Ballots { reader: self.reader, commit, trust: self.trust };
        let results = Harvest { field: self, ballots: &ballots, records: &records, draft, twist };
        let operator =
            Operator { principal: Principal { name: "selftest".into(), automation: true }, fingerprint: String::new() };
        let evidence = commit.to_string();
        let context = Context {
            trust: self.trust,
            earlier_trust: None,
            evidence_commit: &evidence,
            operator: &operator,
            now: self.time,
            number: self.target.next_release()?,
            records: &records,
            required: if draft.source.is_some() { self.required } else { &[] },
            allowed_regressions: &[],
            numbering: self.reader,
            bills: self.reader,
            votes: &ballots,
            results: &results,
            observations: &ballots,
            holds: &ballots,
            overrides: &[],
            broken: &ballots,
            target: self.target,
            source: source.map(|source| source as &dyn Shelf),
            default_judge: self.desk.project.config.judge.as_ref(),
        };
        let plan = plan(draft, &context).map_err(undecidable)?;
        Ok(plan.records.into_iter().flat_map(|record| record.gates).collect())
    }
}

/// The results of the ledger, and beside them those that a planted version would have: the newest that passed of each
/// Eval, told of the planted version.
struct Harvest<'a, 'r> {
    field: &'a Field<'a, 'r>,
    ballots: &'a Ballots<'a, 'r>,
    records: &'a [Arc<Resource>],
    draft: &'a Draft,
    twist: Twist,
}

impl Results for Harvest<'_, '_> {
    fn of(&self, agent: &ResourceId, digest: Option<Digest>) -> Result<Vec<Measured>, Unreadable> {
        let mut found = Results::of(self.ballots, agent, digest)?;
        let after = self.draft.agents.get(agent).and_then(|edit| edit.after.as_ref()).map(Closure::digest);
        let Some(candidate) = after.filter(|after| digest.is_none_or(|digest| digest == *after)) else {
            return Ok(found);
        };
        let all = Results::of(self.ballots, agent, None)?;
        for eval in self.records.iter().filter(|record| record.id().kind == Kind::Eval) {
            let Ok(definition) = Definition::of(eval) else { continue };
            let current = |measured: &&Measured| {
                measured.result.eval.digest == definition.digest
                    && measured.result.verdict == crate::eval::Verdict::Passed
                    && measured.result.subject.environment == self.field.source.name()
            };
            found.extend(all.iter().rfind(current).map(|model| self.grown(model, candidate, &definition)));
        }
        Ok(found)
    }
}

impl Harvest<'_, '_> {
    fn grown(&self, model: &Measured, candidate: Digest, definition: &Definition) -> Measured {
        let mut result = (*model.result).clone();
        result.subject.digest = candidate;
        result.run = format!("selftest-{}", result.run);
        (result.runner.started_at, result.runner.finished_at) = (Some(self.field.time), Some(self.field.time));
        let bad = definition.metrics.iter().find(|metric| metric.is_share() && metric.threshold.is_some());
        for trial in result.cases.iter_mut().flat_map(|case| &mut case.trials) {
            match (self.twist, bad) {
                (Twist::Bad, Some(metric)) => {
                    let worst = if metric.direction == Some(Direction::Lower) { Decimal::ONE } else { Decimal::ZERO };
                    trial.scores.insert(metric.name.as_str(), Score::Scored(worst));
                }
                (Twist::Slow, _) => trial.latency_us = trial.latency_us.saturating_mul(4).max(2_000_000),
                _ => {}
            }
        }
        if self.twist == Twist::Bad {
            result.metrics = rejudge(definition, &result);
            result.verdict = crate::eval::Verdict::Failed;
        }
        Measured {
            id: format!("selftest-{}", model.id),
            result: Arc::new(result),
            carried_at: self.field.time,
            ..model.clone()
        }
    }
}

/// What trust would say of weaker Environments and Teams.
fn of_trust(trust: &Trust, environment: &str) -> Vec<Planted> {
    let mut planted = Vec::new();
    for seed in weakened().into_iter().filter(|seed| seed.kind.is_trust()) {
        let here = |record: &&Arc<Resource>| {
            record.id().kind == seed.kind && (seed.kind == Kind::Team || record.id().name == environment)
        };
        let found = trust.resources.values().filter(here).find_map(|record| Some((record, seed.of(record.body())?)));
        let Some((record, weaker)) = found else {
            let kind = ResourceId::new(seed.kind.clone(), "default", environment);
            planted.push(absent(&kind, seed.name, "trust"));
            continue;
        };
        let steps = weigh(record.id(), Some(record.body()), Some(&weaker));
        let step = steps.iter().find(|step| step.is_weaker() && step.path.starts_with(seed.path));
        let (fate, said) = match step {
            Some(step) => (Fate::Right, format!("{}; {} of the admins must agree", step.sentence, trust.quorum())),
            None => (Fate::Missed, "trust sees nothing weaker in it".to_owned()),
        };
        let expected = Some("trust".to_owned());
        planted.push(Planted {
            resource: record.id().clone(),
            seed: seed.name.to_owned(),
            expected,
            fate,
            said,
            next: None,
        });
    }
    planted
}

/// A weaker control is caught where the weakening gate names it, or a gate that looks at content says no to it.
fn seen(id: &ResourceId, seed: &Weakened, gates: &[GateResult]) -> Planted {
    let names = |gate: &&GateResult| {
        gate.gate == "weakening"
            && gate.verdict != Verdict::Pass
            && !gate.is_waived()
            && gate.reason.contains(seed.path)
    };
    let (fate, said) = match gates.iter().find(names) {
        Some(gate) => (Fate::Right, gate.reason.clone()),
        None => (Fate::Missed, told(gates.iter())),
    };
    let expected = Some("weakening".to_owned());
    Planted { resource: id.clone(), seed: seed.name.to_owned(), expected, fate, said, next: None }
}

fn absent(id: &ResourceId, seed: &str, expected: &str) -> Planted {
    Planted {
        resource: id.clone(),
        seed: seed.to_owned(),
        expected: Some(expected.to_owned()).filter(|expected| !expected.is_empty()),
        fate: Fate::Absent,
        said: "there is nothing to plant it into".to_owned(),
        next: None,
    }
}

fn told<'a>(gates: impl Iterator<Item = &'a GateResult>) -> String {
    let told: Vec<_> = gates.map(|gate| format!("{} {}", gate.label(), gate.verdict.word())).collect();
    if told.is_empty() { "no gate was asked".to_owned() } else { told.join(", ") }
}

fn reworded(closure: &Closure) -> Option<Closure> {
    let words = closure.agent().spec().get("instructions").and_then(Value::as_text)?;
    let body = with(closure.agent().body(), &["spec", "instructions"], format!("{words}\nBe brief.\n").into())?;
    exchanged(closure, &Arc::new(Resource::from_value(body).ok()?))
}

/// The closure with the first member of this kind that can be changed so.
fn changed(closure: &Closure, kind: &Kind, change: impl Fn(&Value) -> Option<Value>) -> Option<Closure> {
    let members = closure.members().values().filter(|member| member.id().kind == *kind);
    let mut after = None;
    for member in members {
        let Some(body) = change(member.body()) else { continue };
        after = exchanged(after.as_ref().unwrap_or(closure), &Arc::new(Resource::from_value(body).ok()?));
    }
    after
}

/// The closure with this resource in the place of the one of its name.
fn exchanged(closure: &Closure, resource: &Arc<Resource>) -> Option<Closure> {
    let mut files = closure.files();
    let old = closure.find(resource.id())?.canonical();
    let places: Vec<String> = files.iter().filter(|(_, text)| **text == old).map(|(path, _)| path.clone()).collect();
    for place in places {
        files.insert(place, resource.canonical());
    }
    Closure::from_files(&files).ok()
}

/// The body with a value at the end of a path that leads somewhere.
fn with(body: &Value, path: &[&str], to: Value) -> Option<Value> {
    let (first, rest) = path.split_first()?;
    let Value::Map(map) = body else { return None };
    let mut map = map.clone();
    let value = if rest.is_empty() { to } else { with(map.get(*first)?, rest, to)? };
    map.insert((*first).to_owned(), value);
    Some(Value::Map(map))
}
