//! An agent with its prices, where it goes, and what was measured of it.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};

use super::super::*;
use crate::closure::{Shelf, Unreadable};
use crate::eval::{
    Canaries, CaseResult, Cost, Counts, DatasetRef, EvalRef, Reach, ReachRef, RunResult, Runner, SCHEMA, TrialResult,
    Trigger, Usage, Verdict as Ran,
};
use crate::gate::{Held, Holds, Measured, Measurements, Observations, Observed, Results, evaluate};
use crate::resource::sample::{labelled, one};
use crate::resource::{Digest, Kind, ResourceId};
use crate::trust::sample::{key, team, trust};
use crate::trust::{Principal, Trust};

pub(super) const GPT: &str = "{provider: openai, model: gpt, endpoint: {type: hosted}, \
                   pricing: {currency: USD, inputPerMillionTokens: 10, outputPerMillionTokens: 30}}";
pub(super) const DEAR: &str = "{provider: openai, model: dear, endpoint: {type: hosted}, \
                    pricing: {currency: USD, inputPerMillionTokens: 20, outputPerMillionTokens: 60}}";
pub(super) const ROUTE: &str = "{strategy: {primary: 'openai:gpt', fallback: ['openai:dear']}}";

/// What an agent is made of, where it goes, and what was measured. Every run takes 1000 tokens in and 1000 out, which
/// is 0.04 $ with `gpt` and 0.08 $ with `dear`.
pub(super) struct Scene {
    pub(super) agent: &'static str,
    /// Its label `team`; what runs there now has `support`.
    pub(super) team: &'static str,
    pub(super) members: Vec<Arc<Resource>>,
    /// What the agent is made of that runs there now.
    pub(super) runs: Option<Vec<Arc<Resource>>>,
    pub(super) catalog: Vec<Arc<Resource>>,
    pub(super) deployments: Vec<Arc<Resource>>,
    pub(super) environment: &'static str,
    pub(super) gate: &'static str,
    pub(super) settings: Option<&'static str>,
    pub(super) cases: usize,
    pub(super) run: Run,
    pub(super) alter: fn(&mut RunResult),
    /// A second Eval that measures it: so many cases, each with this run.
    pub(super) second: Option<(usize, Run)>,
    /// An agent that it runs, which changes with it.
    pub(super) child: Option<&'static str>,
}

/// What the run of each case used.
pub(super) type Run = fn(usize) -> TrialResult;

pub(super) fn usual(_: usize) -> TrialResult {
    TrialResult { usage: Some(Usage { input: 1000, output: 1000 }), ..TrialResult::default() }
}

pub(super) fn now() -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::days(20_000)
}

pub(super) fn deployed(runs: &str) -> Arc<Resource> {
    one("Deployment d", &format!("{{agentRef: x, environmentRef: prod, expectedRunsPerDay: {runs}}}"))
}

pub(super) fn limited(limits: &str) -> Arc<Resource> {
    one("Budget b", &format!("{{limits: {limits}}}"))
}

impl Default for Scene {
    fn default() -> Self {
        Self {
            agent: "{model: gpt}",
            team: "support",
            members: vec![one("Model gpt", GPT)],
            runs: None,
            catalog: Vec::new(),
            deployments: vec![deployed("300")],
            environment: "{}",
            gate: "budget",
            settings: None,
            cases: 40,
            run: usual,
            alter: |_| {},
            second: None,
            child: None,
        }
    }
}

struct Catalog(Vec<Arc<Resource>>);

impl Shelf for Catalog {
    fn get(&self, id: &ResourceId) -> Result<Option<Arc<Resource>>, Unreadable> {
        Ok(self.0.iter().find(|resource| resource.id() == id).cloned())
    }

    fn of_kind(&self, kind: &Kind) -> Result<Vec<Arc<Resource>>, Unreadable> {
        Ok(self.0.iter().filter(|resource| resource.id().kind == *kind).cloned().collect())
    }
}

/// The results of a scene, in a ledger that holds nothing else.
struct Ledger(Vec<Measured>);

impl Results for Ledger {
    fn of(&self, _: &ResourceId, digest: Option<Digest>) -> Result<Vec<Measured>, Unreadable> {
        let about = |measured: &&Measured| digest.is_none_or(|digest| measured.result.subject.digest == digest);
        Ok(self.0.iter().filter(about).cloned().collect())
    }
}

impl Observations for Ledger {
    fn of_server(&self, _: &ResourceId, _: Option<&str>) -> Result<Vec<Observed>, Unreadable> {
        Ok(Vec::new())
    }
}

impl Holds for Ledger {
    fn on(&self, _: &ResourceId, _: Digest) -> Result<Vec<Held>, Unreadable> {
        Ok(Vec::new())
    }
}

impl Scene {
    pub(super) fn closure(&self) -> Closure {
        let agent = labelled("Agent x", &format!("{{team: {}}}", self.team), self.agent);
        let members: BTreeMap<_, _> = self.members.iter().map(|member| (member.id().clone(), member.clone())).collect();
        let child = self.child.map(|spec| {
            let own = [one("Model gpt", GPT)].into_iter().map(|model| (model.id().clone(), model)).collect();
            Closure::new(one("Agent y", spec), own, BTreeMap::new())
        });
        let children = child.into_iter().map(|child| (child.id().clone(), child)).collect();
        Closure::new(agent, members, children)
    }

    pub(super) fn eval(&self, name: &str, cases: usize) -> Arc<Resource> {
        one(
            &format!("Eval {name}"),
            &format!(
                "{{target: {{kind: Agent, name: x, invoke: {{type: http, url: 'http://x.example'}}}}, \
                 dataset: {{type: file, uri: c.jsonl, sha256: '{}', cases: {}}}, \
                 metrics: [{{name: latency_p95_ms, type: numeric}}], thresholds: {{latency_p95_ms: '<9000'}}}}",
                Digest::of("cases").hex(),
                cases
            ),
        )
    }

    pub(super) fn result(&self, eval: &Resource, count: usize, run: fn(usize) -> TrialResult) -> RunResult {
        let cases = count as u64;
        let case = |number: usize| CaseResult {
            id: format!("case-{number}"),
            tags: Vec::new(),
            trials: vec![TrialResult { attempts: 1, ..run(number) }],
        };
        let cases_run: Vec<_> = (0..count).map(case).collect();
        let faults = cases_run.iter().filter(|case| case.trials[0].fault.is_some()).count() as u64;
        let mut result = RunResult {
            schema: SCHEMA.into(),
            kind: "EvalResult".into(),
            run: "run".into(),
            verdict: Ran::Passed,
            reasons: Vec::new(),
            subject: crate::eval::Subject {
                agent: ResourceId::agent("default", "x"),
                version: None,
                digest: self.closure().digest(),
                environment: "staging".into(),
            },
            eval: EvalRef { id: eval.id().clone(), version: None, digest: eval.digest() },
            dataset: DatasetRef { uri: "c.jsonl".into(), digest: Digest::of("cases"), cases },
            judges: Vec::new(),
            reach: ReachRef {
                protocol: "http".into(),
                by: eval.id().clone(),
                digest: Reach::digest_of(eval.spec().at(&["target", "invoke"]).expect("an invoke")),
                live: true,
                recording: None,
            },
            runner: Runner {
                joch: "0".into(),
                trigger: Trigger::Manual,
                trials: 1,
                concurrency: 1,
                started_at: Some(now()),
                finished_at: Some(now()),
                lag_p99_us: None,
                journal: Digest::of("journal"),
            },
            counts: Counts { planned: cases, answered: cases - faults, errors: faults, ..Counts::default() },
            metrics: Vec::new(),
            cost: Cost::default(),
            canaries: Canaries::default(),
            slices: Vec::new(),
            cases: cases_run,
        };
        (self.alter)(&mut result);
        result
    }

    pub(super) fn with<T>(&self, ask: impl FnOnce(&Demand, &Subject, &Evidence<'_>) -> T) -> T {
        let trust: Trust = trust([
            team("ops", &["ana operator 2"]),
            one("Environment prod", self.environment),
            one("Team desk", "{namespaces: [default]}"),
        ]);
        let closure = self.closure();
        let running = self.runs.as_ref().map(|members| {
            let members = members.iter().map(|member| (member.id().clone(), member.clone())).collect();
            Closure::new(labelled("Agent x", "{team: support}", self.agent), members, BTreeMap::new())
        });
        let principal = Principal { name: "ana".into(), automation: false };
        let first = [("quality", self.cases, self.run)].into_iter();
        let runs: Vec<_> = first.chain(self.second.map(|(cases, run)| ("second", cases, run))).collect();
        let evals: Vec<_> = runs.iter().map(|(name, cases, _)| self.eval(name, *cases)).collect();
        let measured = |(eval, (name, cases, run)): (&Arc<Resource>, &(&str, usize, _))| Measured {
            id: if *name == "quality" { "item".into() } else { "other".into() },
            principal: Some(principal.clone()),
            key: key(2),
            result: Arc::new(self.result(eval, *cases, *run)),
            carried_at: now(),
        };
        let ledger = Ledger(evals.iter().zip(&runs).map(measured).collect());
        let subject = Subject {
            resource: closure.id().clone(),
            from: None,
            to: Some(closure.digest()),
            writes: Digest::of("writes"),
        };
        let records: Vec<_> = self.deployments.iter().cloned().chain(evals).collect();
        let moved = |closure: &Closure| Moved { agent: closure.id().clone(), from: None, to: Some(closure.digest()) };
        let (target, source) = (Catalog(self.catalog.clone()), Catalog(Vec::new()));
        let evidence = Evidence {
            environment: "prod",
            gated: true,
            now: now(),
            trust: &trust,
            earlier_trust: None,
            operator: &principal,
            authors: Default::default(),
            gate_rules: Digest::of("rules"),
            votes: Vec::new(),
            regressions: Vec::new(),
            allowed_regressions: Vec::new(),
            candidate: Some(&closure),
            running: running.as_ref(),
            diff: &[],
            is_rollback: false,
            standing: &target,
            running_in_source_since: None,
            last_release: None,
            last_evidence: None,
            last_decided_at: None,
            last_values: None,
            observations: &ledger,
            holds: &ledger,
            along: Vec::new(),
            overrides: &[],
            broken: &Vec::<crate::gate::Broken>::new(),
            measurements: Measurements {
                results: &ledger,
                records: &records,
                source: Some(("staging", &source)),
                target: &target,
                default_judge: None,
                agents: [&closure].into_iter().chain(closure.children().values()).map(moved).collect(),
                together: [closure.id().clone()].into(),
            },
            weakenings: &[],
        };
        let demand = Demand {
            settings: self.settings.map(|text| one("Tool t", text).spec().clone()).into_iter().collect(),
            ..Demand::new(self.gate.parse().expect("a gate"), "environment/prod")
        };
        ask(&demand, &subject, &evidence)
    }

    pub(super) fn judged(&self) -> GateResult {
        self.with(|demand, subject, evidence| {
            let results = evaluate(std::slice::from_ref(demand), subject, evidence);
            let [result] = results.as_slice() else { panic!("one gate is asked: {results:?}") };
            result.clone()
        })
    }

    pub(super) fn projected(&self) -> Projection {
        self.with(|demand, subject, evidence| {
            let projections = projections(std::slice::from_ref(demand), subject, evidence);
            let [projection] = projections.as_slice() else { panic!("one projection: {projections:?}") };
            projection.clone()
        })
    }

    #[track_caller]
    pub(super) fn says(&self, verdict: Verdict, reason: &str) -> GateResult {
        let result = self.judged();
        assert_eq!(result.verdict, verdict, "{result:#?}");
        assert!(result.reason.contains(reason), "it does not say `{reason}`: {}", result.reason);
        result
    }
}
