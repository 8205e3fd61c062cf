//! What a run needs before its first call: what is measured, how it is reached, who judges, and every digest that the
//! result is bound to.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::Result;
use chrono::{DateTime, Utc};

use crate::closure::Closure;
use crate::eval::judge;
use crate::eval::{
    AgentFacts, Case, CaseRef, DatasetRef, Decimal, Definition, EvalRef, JudgeRef, Measure, Metric, ModelFacts, Plan,
    Prices, Protocol, Reach, ReachRef, Subject, Trigger,
};
use crate::ledger::{Environment, Reader};
use crate::net::Credentials;
use crate::release::Numbering as _;
use crate::resource::envelope::filled;
use crate::resource::view::Deployment;
use crate::resource::{Kind, Reference, Resource, ResourceId, Value};
use crate::trust::Trust;
use crate::workspace::dataset::Dataset;
use crate::workspace::read_inside;

use super::super::caller::Caller;
use super::super::desk::Desk;
use super::super::failure::Failure;
use super::super::secrets::Secrets;

/// A run that could begin.
pub(super) struct Prepared {
    /// Everything that its result is bound to.
    pub(super) plan: Plan,
    /// The Eval, understood.
    pub(super) definition: Definition,
    /// The cases, in the order of the dataset.
    pub(super) cases: Vec<Case>,
    /// The dataset as bytes.
    pub(super) dataset: Vec<u8>,
    /// How the agent is reached.
    pub(super) reach: Reach,
    /// The recording that answers in the agent's place, where one does.
    pub(super) recording: Option<Arc<[u8]>>,
    /// The judges, in the order of the plan.
    pub(super) judges: Vec<ModelFacts>,
    /// The values of the Secrets that are named.
    pub(super) credentials: Credentials,
}

impl Prepared {
    /// The Eval alone; all else is let go.
    pub(super) fn into_definition(self) -> Definition {
        self.definition
    }
}

/// What is to be run, where.
pub(super) struct Wanted<'a> {
    /// The Eval, with its dataset's digest.
    pub(super) eval: Arc<Resource>,
    /// Its dataset.
    pub(super) dataset: Dataset,
    /// The environment.
    pub(super) environment: &'a Environment<'a, 'a>,
    /// What starts it.
    pub(super) trigger: Trigger,
    /// The part of it: `(i, n)`.
    pub(super) shard: Option<(u32, u32)>,
    /// The id that its shards share, where the caller gives one.
    pub(super) run: Option<String>,
    /// Cases at a time, where the caller says so.
    pub(super) concurrency: Option<u32>,
}

/// Prepares a run.
///
/// # Errors
/// The agent does not run there, nothing says how it is reached or who judges, a Secret has no value, or the Eval
/// cannot be measured. All of it before anything is paid for.
pub(super) fn prepare(
    wanted: Wanted<'_>,
    reader: &Reader<'_>,
    trust: &Trust,
    desk: &Desk,
    caller: &mut Caller<'_>,
) -> Result<Prepared> {
    let eval = &wanted.eval;
    let environment = wanted.environment;
    let definition = Definition::of(eval).map_err(|faults| unclear(eval.id(), &faults))?;
    let (agent, closure, version) = subject(eval, &definition, environment)?;
    let (invoke, by) = invoke(eval, &agent, environment)?;
    let own = eval.spec().at(&["target", "invoke"]).filter(|own| **own != Value::Null);
    if by != *eval.id() && own.is_some_and(|own| *own != invoke) {
        caller.notice(format!("{by} says how {agent} is reached; `target.invoke` of {} is not used", eval.id()));
    }
    let invoke = fill(&invoke, trust, environment.name())?;
    let models = Models { environment, closure: &closure };
    let facts = agent_facts(&closure);
    let reach = Reach::read(&invoke, &facts, definition.run.timeout_ms).map_err(|faults| unreachable(&by, &faults))?;
    let recording: Option<Arc<[u8]>> = match &reach.protocol {
        Protocol::Replay { file } => Some(read_inside(&desk.project.root, file)?.into()),
        _ => None,
    };
    let judges = judges(&definition, &models, desk, caller)?;
    let judge_refs = judges.iter().map(|seat| JudgeRef {
        model: seat.model.id().clone(),
        digest: seat.model.digest(),
        provider: seat.facts.provider.clone(),
        requested: seat.facts.model.clone(),
        metrics: seat.metrics.clone(),
        samples: seat.samples,
        prompt: judge::protocol_digest(&judged_by(seat, &definition)),
        by_default: seat.by_default,
    });
    let cases: Vec<CaseRef> = wanted
        .dataset
        .cases
        .iter()
        .map(|case| CaseRef { id: case.id.clone(), digest: case.digest(), tags: case.tags.clone() })
        .collect();
    let mut plan = Plan {
        schema: crate::eval::JOURNAL_SCHEMA.into(),
        run: String::new(),
        subject: Subject { agent, version, digest: closure.digest(), environment: environment.name().to_owned() },
        eval: EvalRef {
            id: eval.id().clone(),
            version: reader.version_of(eval.id(), eval.digest())?,
            digest: eval.digest(),
        },
        definition: eval.canonical(),
        dataset: DatasetRef {
            uri: wanted.dataset.uri.clone(),
            digest: crate::resource::Digest::of(&wanted.dataset.bytes),
            cases: cases.len() as u64,
        },
        judges: judge_refs.collect(),
        reach: ReachRef {
            protocol: reach.protocol.word().to_owned(),
            by,
            digest: Reach::digest_of(&invoke),
            live: reach.is_live(),
            recording: recording.as_ref().map(crate::resource::Digest::of),
        },
        prices: prices(closure.everything().into_iter().chain(judges.iter().map(|seat| &seat.model))),
        priced_as: facts.model.as_ref().map(|model| model.model.clone()),
        joch: env!("CARGO_PKG_VERSION").into(),
        trials: definition.run.trials,
        concurrency: wanted.concurrency.unwrap_or(definition.run.concurrency),
        shard: wanted.shard,
        trigger: wanted.trigger,
        cases,
        planned_at: caller.now,
    };
    plan.run = wanted.run.unwrap_or_else(|| run_id(&plan, caller.now));
    let secrets = Secrets { environment, caller };
    let named = reach.secrets().into_iter().chain(judges.iter().filter_map(|seat| seat.facts.key.as_deref()));
    let credentials = secrets.all(named)?;
    Ok(Prepared {
        plan,
        definition,
        cases: wanted.dataset.cases,
        dataset: wanted.dataset.bytes,
        reach,
        recording,
        judges: judges.into_iter().map(|seat| seat.facts).collect(),
        credentials,
    })
}

/// The id of a run. Shards are planned on different machines and find the same one.
fn run_id(plan: &Plan, now: DateTime<Utc>) -> String {
    let bound = [
        plan.subject.digest,
        plan.eval.digest,
        plan.dataset.digest,
        plan.reach.digest,
        crate::resource::Digest::of(&plan.subject.environment),
    ];
    let bound = crate::resource::Digest::of(bound.map(|digest| digest.hex()).join(" "));
    match plan.shard {
        Some(_) => format!("{}-{}", plan.eval.id.name, &bound.hex()[..12]),
        None => format!("{}-{}-{}", plan.eval.id.name, now.format("%Y%m%d-%H%M%S%3f"), &bound.hex()[..6]),
    }
}

/// The agent that the Eval names, as the environment runs it.
fn subject(
    eval: &Resource,
    definition: &Definition,
    environment: &Environment<'_, '_>,
) -> Result<(ResourceId, Closure, Option<u64>)> {
    if definition.target.kind != Kind::Agent {
        let message = format!("{} measures {}, and joch measures agents", eval.id(), definition.target);
        return Err(Failure::refused("eval-target", message).next("write `target: { kind: Agent, name: … }`").into());
    }
    for agent in definition.target.candidates(&eval.id().namespace) {
        if let Some(running) = environment.running(&agent)? {
            return Ok((agent, running.closure, running.record.to_version));
        }
    }
    let name = &definition.target.name;
    let message = format!("`{}` does not run {}, which {} measures", environment.name(), definition.target, eval.id());
    Err(Failure::could_not("not-found", message)
        .next(format!(
            "bring it there: `joch promote {name} --to {0} --from …`, or `joch apply -f PATH --env {0}`",
            environment.name()
        ))
        .into())
}

/// How the agent is reached in the environment, and what says so: its Deployment there, else the Eval.
pub(in crate::ops) fn invoke(
    eval: &Resource,
    agent: &ResourceId,
    environment: &Environment<'_, '_>,
) -> Result<(Value, ResourceId)> {
    let mut found = Vec::new();
    for record in environment.entries(&Kind::Deployment)? {
        let Some(view) = Deployment::of(&record) else { continue };
        if view.deploys(agent, environment.name(), &record.id().namespace) && view.invoke != Value::Null {
            found.push((view.invoke, record.id().clone()));
        }
    }
    match found.len() {
        0 => {}
        1 => return Ok(found.remove(0)),
        _ => {
            let names: Vec<_> = found.iter().map(|(_, id)| id.to_string()).collect();
            let message = format!(
                "{} say how {agent} is reached in `{}`, each in its own way",
                names.join(" and "),
                environment.name()
            );
            return Err(Failure::refused("eval-reach", message).next("leave `invoke` in one of them").into());
        }
    }
    if let Some(invoke) = eval.spec().at(&["target", "invoke"]).filter(|invoke| **invoke != Value::Null) {
        return Ok((invoke.clone(), eval.id().clone()));
    }
    let name = environment.name();
    let message = format!(
        "nothing says how {agent} is reached in `{name}`: it has no Deployment there with `invoke`, and {} has no `target.invoke`",
        eval.id()
    );
    Err(Failure::could_not("eval-reach", message)
        .next(format!(
            "add a Deployment and apply it to `{name}` (`joch apply -f FILE --env {name}`):\n\
             \x20 apiVersion: ops.joch.dev/v1alpha1\n\
             \x20 kind: Deployment\n\
             \x20 metadata: {{ name: {agent_name}-{name} }}\n\
             \x20 spec:\n\
             \x20   agentRef: {{ name: {agent_name} }}\n\
             \x20   environmentRef: {{ name: {name} }}\n\
             \x20   invoke: {{ type: http, url: \"https://…\", body: {{ input: \"{{{{input}}}}\" }}, output: \"$.output\" }}",
            agent_name = agent.name
        ))
        .into())
}

/// `value` with every `{fromEnvironment: KEY}` filled in.
pub(in crate::ops) fn fill(value: &Value, trust: &Trust, environment: &str) -> Result<Value> {
    let record = trust.environment(environment);
    let defaults = record.and_then(|record| record.spec().get("defaults").and_then(Value::as_map)).cloned();
    filled(value, &defaults.unwrap_or_default()).map_err(|key| {
        let message = format!("`spec.defaults` of Environment `{environment}` has no `{key}`, which `invoke` wants");
        Failure::could_not("not-found", message).next("an admin adds it and applies the Environment").into()
    })
}

/// What an `openai` or `anthropic` target takes from the agent itself.
fn agent_facts(closure: &Closure) -> AgentFacts {
    let instructions = closure.agent().spec().get("instructions").and_then(Value::as_text).map(str::to_owned);
    AgentFacts { instructions, model: first_model(closure).and_then(|model| ModelFacts::of(&model).ok()) }
}

/// The agent's own Model: the one that it names, or the first of its route or list.
fn first_model(closure: &Closure) -> Option<Arc<Resource>> {
    let agent = closure.agent();
    let models: Vec<_> =
        closure.members().iter().filter(|(id, _)| id.kind == Kind::Model).map(|(_, model)| model).collect();
    let named = |target: &crate::resource::Target, namespace: &str| match target {
        crate::resource::Target::Resource(reference) if reference.kind == Kind::Model => reference
            .candidates(namespace)
            .iter()
            .find_map(|id| models.iter().find(|model| model.id() == id))
            .map(|model| (*model).clone()),
        crate::resource::Target::Candidate(candidate) => {
            let served: Vec<_> = models.iter().filter_map(|model| crate::resource::served::Served::by(model)).collect();
            let id = crate::resource::served::match_candidate(candidate, namespace, &served).ok()?;
            models.iter().find(|model| *model.id() == id).map(|model| (*model).clone())
        }
        crate::resource::Target::Resource(_) => None,
    };
    let of = |resource: &Resource| {
        resource.mentions().iter().find_map(|mention| named(&mention.target, &resource.id().namespace))
    };
    of(agent).or_else(|| {
        let routes = closure.members().iter().filter(|(id, _)| id.kind == Kind::ModelRoute);
        routes.map(|(_, route)| route).find_map(|route| of(route))
    })
}

/// What tokens cost, by the name of the model. A price of 0 on a hosted model means that nobody knows.
fn prices<'a>(members: impl Iterator<Item = &'a Arc<Resource>>) -> BTreeMap<String, Prices> {
    let mut prices = BTreeMap::new();
    for model in members.filter(|member| member.id().kind == Kind::Model) {
        let spec = model.spec();
        let local = spec.at(&["endpoint", "type"]).and_then(Value::as_text) == Some("local");
        let in_dollars =
            spec.at(&["pricing", "currency"]).and_then(Value::as_text).is_none_or(|currency| currency == "USD");
        let price = |key| {
            let price = spec.at(&["pricing", key]).and_then(Value::as_number).and_then(Decimal::from_number);
            price.filter(|price| local || *price > Decimal::ZERO)
        };
        let (Some(input), Some(output), true) =
            (price("inputPerMillionTokens"), price("outputPerMillionTokens"), in_dollars)
        else {
            continue;
        };
        let name = spec.get("model").and_then(Value::as_text).unwrap_or(&model.id().name);
        prices.insert(name.to_owned(), Prices { input, output });
    }
    prices
}

/// A judge, and what it is asked.
struct Seat {
    model: Arc<Resource>,
    facts: ModelFacts,
    metrics: Vec<String>,
    samples: u32,
    by_default: bool,
}

/// The metrics that a seat judges.
fn judged_by<'d>(seat: &Seat, definition: &'d Definition) -> Vec<&'d Metric> {
    definition.metrics.iter().filter(|metric| seat.metrics.contains(&metric.name)).collect()
}

/// Where Models are looked for: the environment's catalog, then the agent's closure.
struct Models<'a> {
    environment: &'a Environment<'a, 'a>,
    closure: &'a Closure,
}

impl Models<'_> {
    fn find(&self, reference: &Reference, namespace: &str) -> Result<Option<Arc<Resource>>> {
        for id in reference.candidates(namespace) {
            if let Some(model) = self.environment.entry(&id)? {
                return Ok(Some(model));
            }
            if let Some(model) = self.closure.find(&id) {
                return Ok(Some(model.clone()));
            }
        }
        Ok(None)
    }
}

/// Who judges which metrics: one seat for each Model and number of samples.
fn judges(definition: &Definition, models: &Models<'_>, desk: &Desk, caller: &mut Caller<'_>) -> Result<Vec<Seat>> {
    let mut seats: Vec<Seat> = Vec::new();
    for metric in &definition.metrics {
        let Measure::Judged(judged) = &metric.measure else { continue };
        let by_default = judged.judges.is_empty();
        let named =
            if by_default { desk.project.config.judge.iter().cloned().collect() } else { judged.judges.clone() };
        if named.is_empty() {
            let message = format!("nobody says who judges `{}` of {}", metric.name, definition.id);
            return Err(Failure::refused("eval-judge", message)
                .next("write `judgeModelRef: { name: MODEL }` at the metric, or `judge: { modelRef: { name: MODEL } }` in `joch.yaml`")
                .into());
        }
        for reference in named {
            let model = find_judge(&reference, &definition.id, models, desk, caller)?;
            let seat = seats
                .iter_mut()
                .find(|seat| seat.model == model && seat.samples == judged.samples && seat.by_default == by_default);
            match seat {
                Some(seat) => seat.metrics.push(metric.name.clone()),
                None => {
                    let facts = ModelFacts::of(&model).map_err(|why| Failure::refused("eval-judge", why))?;
                    seats.push(Seat {
                        model,
                        facts,
                        metrics: vec![metric.name.clone()],
                        samples: judged.samples,
                        by_default,
                    });
                }
            }
        }
    }
    Ok(seats)
}

fn find_judge(
    reference: &Reference,
    eval: &ResourceId,
    models: &Models<'_>,
    desk: &Desk,
    caller: &mut Caller<'_>,
) -> Result<Arc<Resource>> {
    if let Some(model) = models.find(reference, &eval.namespace)? {
        return Ok(model);
    }
    let name = models.environment.name();
    let files = super::super::project_files::all(&desk.project.root);
    let candidates = reference.candidates(&eval.namespace);
    let apply = |file: &str| format!("joch apply -f {file} --env {name}");
    if let Some((file, model)) = files.into_iter().find(|(_, resource)| candidates.contains(resource.id())) {
        caller.notice(format!(
            "the judge {reference} is taken from `{file}`, for `{name}` does not have it; before a gate counts the result: `{}`",
            apply(&file)
        ));
        return Ok(Arc::new(model));
    }
    let message = format!("the judge {reference} of {eval} is neither in `{name}` nor in the project's files");
    Err(Failure::could_not("not-found", message).next(format!("write the Model, then `{}`", apply("FILE"))).into())
}

pub(super) fn unclear(eval: &ResourceId, faults: &[String]) -> Failure {
    Failure::refused("eval-invalid", format!("{eval} cannot be measured: {}", faults.join("; ")))
        .next("mend it and apply it again; `joch validate -f PATH` tells more")
}

fn unreachable(by: &ResourceId, faults: &[String]) -> Failure {
    Failure::refused("eval-reach", format!("{by} does not say how the agent is reached: {}", faults.join("; ")))
        .next(format!("mend `invoke` there and apply it; `joch schema {}` lists its fields", by.kind.singular()))
}
