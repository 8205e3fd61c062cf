//! Results of evals in a ledger, as a run would leave them: everything that they bind to is read from the ledger.

use std::collections::BTreeMap;
use std::io::{empty, sink};

use chrono::{DateTime, TimeDelta, Utc};
use joch::eval::{
    Canaries, CaseResult, Cost, Counts, DatasetRef, Decimal, EvalRef, Judge, JudgeRef, MetricResult, Reach, ReachRef,
    RunResult, Runner, SCHEMA, Score, Subject, TrialResult, Trigger, Verdict,
};
use joch::ledger::{Reader, Repository};
use joch::ops::{Caller, Progress};
use joch::resource::{Digest, Kind, ResourceId, Value};

use super::world::World;

/// What a run of an Eval about an agent in an environment came to, if every case scored this much in each of these
/// metrics. Judges are those that the Eval names, the agent is reached as the Deployment of that environment says.
pub(crate) fn result(world: &World, eval: &str, agent: &str, environment: &str, scores: &[(&str, f64)]) -> RunResult {
    let repository = Repository::open(world.project().join(".joch/ledger.git")).expect("a ledger");
    let reader = Reader::new(repository.snapshot().expect("a snapshot"));
    let held = reader.environment(environment).expect("an environment");
    let agent = ResourceId::agent("default", agent);
    let id = ResourceId::new(Kind::Eval, "default", eval);
    let record = held.entry(&id).expect("readable").expect("the Eval is there");
    let text = |path: &[&str]| record.spec().at(path).and_then(Value::as_text).map(str::to_owned);
    let dataset = held_digest(&text(&["dataset", "sha256"]).expect("a dataset"));
    let cases = record.spec().at(&["dataset", "cases"]).and_then(Value::as_number).expect("cases").as_f64() as u64;
    let mut judges = Vec::new();
    for metric in record.spec().get("metrics").and_then(Value::as_list).expect("metrics") {
        let Some(name) = metric.at(&["judgeModelRef", "name"]).and_then(Value::as_text) else { continue };
        let model = ResourceId::new(Kind::Model, "default", name);
        let digest = held.entry(&model).expect("readable").expect("the judge is there").digest();
        judges.push(judge(model, digest, metric.get("name").and_then(Value::as_text).expect("a name")));
    }
    let mut reach = None;
    for deployment in held.entries(&Kind::Deployment).expect("readable") {
        let here = deployment.spec().at(&["environmentRef", "name"]).and_then(Value::as_text) == Some(environment);
        let of = deployment.spec().at(&["agentRef", "name"]).and_then(Value::as_text) == Some(agent.name.as_str());
        if let (true, true, Some(invoke)) = (here, of, deployment.spec().get("invoke")) {
            reach = Some((deployment.id().clone(), Reach::digest_of(invoke)));
        }
    }
    let own = record.spec().at(&["target", "invoke"]).map(|invoke| (id.clone(), Reach::digest_of(invoke)));
    let (by, digest) = reach.or(own).expect("something says how the agent is reached");
    let now = Utc::now();
    let closure = held.closure(&agent).expect("readable").expect("the agent runs there");
    let mut result = RunResult {
        schema: SCHEMA.into(),
        kind: "EvalResult".into(),
        run: format!("run-{}", now.timestamp_nanos_opt().unwrap_or_default()),
        verdict: Verdict::Passed,
        reasons: Vec::new(),
        subject: Subject { agent, version: None, digest: closure.digest(), environment: environment.into() },
        eval: EvalRef { id, version: None, digest: record.digest() },
        dataset: DatasetRef { uri: "./cases.jsonl".into(), digest: dataset, cases },
        judges,
        reach: ReachRef { protocol: "http".into(), by, digest, live: true, recording: None },
        runner: Runner {
            joch: env!("CARGO_PKG_VERSION").into(),
            trigger: Trigger::Manual,
            trials: 1,
            concurrency: 4,
            started_at: Some(now),
            finished_at: Some(now),
            lag_p99_us: None,
            journal: Digest::of("journal"),
        },
        counts: Counts { planned: cases, answered: cases, ..Counts::default() },
        metrics: Vec::new(),
        cost: Cost::default(),
        canaries: Canaries { expected: 4, correct: 4 },
        slices: Vec::new(),
        cases: Vec::new(),
    };
    for (metric, value) in scores {
        set(&mut result, &record, metric, *value);
    }
    let case = |number: u64| CaseResult {
        id: format!("case-{number}"),
        tags: Vec::new(),
        trials: vec![TrialResult {
            scores: scores.iter().map(|(name, value)| ((*name).to_owned(), Score::Scored(decimal(*value)))).collect(),
            latency_us: 900_000 + number,
            attempts: 1,
            ..TrialResult::default()
        }],
    };
    result.cases = (1..=cases).map(case).collect();
    result
}

/// Adds a metric, judged by the threshold of the Eval.
fn set(result: &mut RunResult, eval: &joch::resource::Resource, name: &str, value: f64) {
    let view = joch::resource::view::Eval::of(eval).expect("an Eval");
    let threshold =
        view.thresholds.iter().find(|(metric, _)| metric == name).map(|(_, read)| read.clone().expect("read"));
    let verdict = threshold.as_ref().map(|threshold| match threshold.iter().all(|bound| bound.holds(value)) {
        true => Verdict::Passed,
        false => Verdict::Failed,
    });
    if verdict == Some(Verdict::Failed) {
        result.verdict = Verdict::Failed;
        result.reasons.push(format!("{name} is {value}"));
    }
    result.metrics.push(MetricResult {
        name: name.to_owned(),
        value: Some(decimal(value)),
        n: result.dataset.cases,
        aggregate: "mean".into(),
        direction: None,
        threshold: threshold.map(|all| all.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ")),
        verdict,
        reason: None,
        notes: Vec::new(),
        ci95: None,
        interval: None,
        close: false,
        worst: vec!["case-1".into()],
    });
}

fn judge(model: ResourceId, digest: Digest, metric: &str) -> Judge {
    Judge {
        asked: JudgeRef {
            model,
            digest,
            provider: "openai".into(),
            requested: "judge-1".into(),
            metrics: vec![metric.to_owned()],
            samples: 1,
            prompt: Digest::of("prompt"),
            by_default: false,
        },
        reported: vec!["judge-1".into()],
        agreement: None,
    }
}

fn decimal(value: f64) -> Decimal {
    Decimal::from_f64(value).expect("finite")
}

fn held_digest(hex: &str) -> Digest {
    format!("sha256:{hex}").parse().expect("a digest")
}

/// Signs a result as `person` and appends it to the evidence; its id.
pub(crate) fn record(world: &World, person: &str, result: &RunResult) -> Result<String, String> {
    let command = world.command(person, "true");
    let set = command.get_envs().filter_map(|(key, value)| Some((key.to_str()?.to_owned(), value?.to_owned())));
    let variables: BTreeMap<_, _> = set.collect();
    let (mut stdin, mut sink) = (empty(), sink());
    let mut caller = Caller {
        directory: world.project(),
        variables,
        now: Utc::now(),
        stdin: &mut stdin,
        key: None,
        namespace: None,
        progress: Progress { stream: &mut sink, terminal: None, clock: Utc::now },
        notices: Vec::new(),
    };
    joch::ops::eval::record(result, &mut caller).map(|recorded| recorded.id).map_err(|why| why.to_string())
}

/// A moment before now.
pub(crate) fn ago(days: i64) -> DateTime<Utc> {
    Utc::now() - TimeDelta::days(days)
}
