//! A run to aggregate: an Eval, a plan, and lines that are made in few words.

use std::collections::BTreeMap;

use chrono::{DateTime, Duration, Utc};

use crate::eval::aggregate::{Journals, MergeTrouble, aggregate, merge};
use crate::eval::definition::{
    Aggregate, Bounds, Check, Criterion, Definition, Judged, LeakSettings, Measure, Metric, Observed, Run, Score,
};
use crate::eval::journal::{
    Answered, CaseRef, DatasetRef, EvalRef, Finding, JOURNAL_SCHEMA, JudgeRef, Lag, Line, Opinion, Plan, Prices,
    Programmed, ReachRef, Subject, Trigger, Unit,
};
use crate::eval::judge::canaries;
use crate::eval::{Damaged, Decimal, Entry, Fault, FaultKind, Outcome, Reply, RunResult, Usage};
use crate::resource::{Digest, Direction, Kind, Reference, ResourceId, Threshold, Value};

/// An Eval and the lines of a run of it.
#[derive(Clone)]
pub(super) struct Stage {
    pub(super) definition: Definition,
    pub(super) plan: Plan,
    pub(super) lines: Vec<Line>,
}

/// Files in memory.
pub(super) struct Files(pub(super) Vec<(String, Vec<Line>)>);

impl Journals for Files {
    fn names(&self) -> Vec<String> {
        self.0.iter().map(|(name, _)| name.clone()).collect()
    }

    fn open(&self, index: usize) -> Result<Box<dyn Iterator<Item = Result<Entry, Damaged>> + '_>, String> {
        Ok(Box::new(self.0[index].1.iter().cloned().map(|line| Ok(Entry::of(line)))))
    }
}

impl Stage {
    /// So many cases, `c0`, `c1`, …, each run `trials` times; nothing is measured yet.
    pub(super) fn new(cases: usize, trials: u32) -> Self {
        let id = |kind, name: &str| ResourceId::new(kind, "default", name);
        let eval = id(Kind::Eval, "quality");
        let digest = Digest::of("eval");
        let definition = Definition {
            id: eval.clone(),
            digest,
            target: Reference { kind: Kind::Agent, namespace: None, name: "support".to_owned() },
            metrics: Vec::new(),
            run: Run {
                concurrency: 4,
                requests_per_minute: None,
                trials,
                timeout_ms: 60_000,
                retries: 2,
                max_age_s: 604_800,
                max_error_rate: 0,
                max_unscored_rate: 0,
            },
            confidence: None,
        };
        let case =
            |index| CaseRef { id: format!("c{index}"), digest: Digest::of(format!("{index}")), tags: Vec::new() };
        let plan = Plan {
            schema: JOURNAL_SCHEMA.to_owned(),
            run: "r1".to_owned(),
            subject: Subject {
                agent: id(Kind::Agent, "support"),
                version: Some(8),
                digest: Digest::of("closure"),
                environment: "staging".to_owned(),
            },
            eval: EvalRef { id: eval, version: Some(3), digest },
            definition: String::new(),
            dataset: DatasetRef { uri: "cases.jsonl".to_owned(), digest: Digest::of("cases"), cases: cases as u64 },
            judges: Vec::new(),
            reach: ReachRef {
                protocol: "http".to_owned(),
                by: id(Kind::Deployment, "support"),
                digest: Digest::of("invoke"),
                live: true,
                recording: None,
            },
            prices: BTreeMap::new(),
            priced_as: None,
            joch: "0.1.0".to_owned(),
            trials,
            concurrency: 4,
            shard: None,
            trigger: Trigger::Manual,
            cases: (0..cases).map(case).collect(),
            planned_at: time(0),
        };
        Self { definition, plan, lines: Vec::new() }
    }

    /// Adds a metric with a threshold, or none where it is empty.
    pub(super) fn metric(mut self, name: &str, measure: Measure, aggregate: Aggregate, threshold: &str) -> Self {
        let direction = Direction::of_metric(name);
        let bounds =
            threshold.split(',').map(|text| Threshold::read(&Value::from(text), direction).expect("a threshold"));
        let threshold = (!threshold.is_empty()).then(|| Bounds(bounds.collect()));
        let metric = Metric { name: name.to_owned(), measure, direction, aggregate, threshold, max_regression: None };
        self.definition.metrics.push(metric);
        self
    }

    /// `task_success`, computed and not judged, as a mean.
    pub(super) fn success(self, threshold: &str) -> Self {
        self.metric("task_success", exact(), Aggregate::Mean, threshold)
    }

    /// Adds a judge of this metric, whose canaries are fine.
    pub(super) fn judge(mut self, metric: &str, samples: u32) -> Self {
        let judge = u32::try_from(self.plan.judges.len()).expect("few");
        self.plan.judges.push(JudgeRef {
            model: ResourceId::new(Kind::Model, "default", "judge"),
            digest: Digest::of("model"),
            provider: "openai".to_owned(),
            requested: "gpt-5-mini".to_owned(),
            metrics: vec![metric.to_owned()],
            samples,
            prompt: Digest::of("prompt"),
            by_default: false,
        });
        for canary in canaries() {
            let mut opinion = opinion(canary.name, 0, judge, 1, &[]);
            opinion.found = Ok(canary.expected);
            self.lines.push(Line::Opinion(Box::new(opinion)));
        }
        self
    }

    /// Adds lines.
    pub(super) fn with(mut self, lines: impl IntoIterator<Item = Line>) -> Self {
        self.lines.extend(lines);
        self
    }

    /// Every trial of every case answers, and scores this.
    pub(super) fn all(self, metric: &str, scores: &[&str]) -> Self {
        let lines: Vec<Line> =
            scores.iter().enumerate().map(|(case, score)| answer(case, 1, &[(metric, score)]).line()).collect();
        self.with(lines)
    }

    pub(super) fn file(&self) -> Vec<Line> {
        [Line::Plan(Box::new(self.plan.clone()))].into_iter().chain(self.lines.iter().cloned()).collect()
    }

    pub(super) fn result(&self) -> RunResult {
        aggregate(&self.definition, &Files(vec![("a.jsonl".to_owned(), self.file())])).expect("a result")
    }

    /// The files of this many shards.
    pub(super) fn shards(&self, of: u32) -> Vec<(String, Vec<Line>)> {
        let shard = |shard| {
            let plan = Plan { shard: Some((shard, of)), planned_at: time(i64::from(shard)), ..self.plan.clone() };
            let here = |line: &&Line| match line {
                Line::Answer(answered) => crate::eval::shard_of(&answered.unit.case, of) == shard,
                Line::Opinion(opinion) if !opinion.is_canary() => {
                    crate::eval::shard_of(&opinion.unit.case, of) == shard
                }
                Line::Program(programmed) => crate::eval::shard_of(&programmed.unit.case, of) == shard,
                Line::Plan(_) | Line::Opinion(_) | Line::Lag(_) => shard == 1,
            };
            let lines = self.lines.iter().filter(here).cloned();
            (format!("{shard}.jsonl"), [Line::Plan(Box::new(plan))].into_iter().chain(lines).collect())
        };
        (1..=of).map(shard).collect()
    }

    pub(super) fn merged(&self, files: Vec<(String, Vec<Line>)>) -> Result<RunResult, MergeTrouble> {
        merge(&self.definition, &Files(files))
    }
}

/// An answer in the making.
pub(super) struct Answer(pub(super) Answered);

/// An answer within 100 ms, with these scores.
pub(super) fn answer(case: usize, trial: u32, scores: &[(&str, &str)]) -> Answer {
    let scores = scores.iter().map(|(metric, score)| ((*metric).to_owned(), scored(score)));
    let reply = Reply { text: format!("answer {case}/{trial}"), ..Reply::default() };
    let at = time(i64::try_from(case).expect("small") * 10 + i64::from(trial));
    let outcome = Outcome { reply: Ok(reply), latency_us: 100_000, total_us: 100_000, attempts: 1 };
    Answer(Answered { unit: unit(case, trial), at, outcome, scores: scores.collect(), leaks: Vec::new() })
}

impl Answer {
    pub(super) fn latency(mut self, ms: u64) -> Self {
        (self.0.outcome.latency_us, self.0.outcome.total_us) = (ms * 1000, ms * 1000);
        self
    }

    pub(super) fn tokens(mut self, input: u64, output: u64, model: &str) -> Self {
        if let Ok(reply) = &mut self.0.outcome.reply {
            reply.usage = Some(Usage { input, output });
            reply.model = (!model.is_empty()).then(|| model.to_owned());
        }
        self
    }

    pub(super) fn costs(mut self, usd: &str) -> Self {
        if let Ok(reply) = &mut self.0.outcome.reply {
            reply.cost = Some(decimal(usd));
        }
        self
    }

    pub(super) fn version(mut self, version: &str) -> Self {
        if let Ok(reply) = &mut self.0.outcome.reply {
            reply.agent_version = Some(version.to_owned());
        }
        self
    }

    pub(super) fn fails(mut self, kind: FaultKind) -> Self {
        self.0.outcome.reply = Err(Fault::new(kind, "it broke"));
        self.0.scores.clear();
        self
    }

    pub(super) fn later(mut self, seconds: i64) -> Self {
        self.0.at += Duration::seconds(seconds);
        self
    }

    pub(super) fn line(self) -> Line {
        Line::Answer(Box::new(self.0))
    }
}

/// What a judge found, as `("metric/criterion", '+')`, `-` or `?`.
pub(super) fn opinion(case: &str, trial: u32, judge: u32, sample: u32, found: &[(&str, char)]) -> Opinion {
    let finding = |sign| match sign {
        '+' => Finding::Met,
        '-' => Finding::NotMet,
        _ => Finding::CannotJudge,
    };
    Opinion {
        unit: Unit { case: case.to_owned(), trial },
        about: (trial > 0).then(|| said(case, trial)),
        judge,
        sample,
        at: time(1000),
        found: Ok(found.iter().map(|(criterion, sign)| ((*criterion).to_owned(), finding(*sign))).collect()),
        usage: Some(Usage { input: 100, output: 10 }),
        model: Some("gpt-5-mini-2026-03-17".to_owned()),
        attempts: 1,
    }
}

/// Digest of what [`answer`] says.
fn said(case: &str, trial: u32) -> Digest {
    let text = format!("answer {}/{trial}", case.trim_start_matches('c'));
    Reply { text, ..Reply::default() }.digest()
}

pub(super) fn spoken(opinion: Opinion) -> Line {
    Line::Opinion(Box::new(opinion))
}

pub(super) fn program(case: usize, metric: &str, score: &str) -> Line {
    Line::Program(Programmed {
        unit: unit(case, 1),
        about: said(&format!("c{case}"), 1),
        at: time(500),
        scores: [(metric, scored(score))].into_iter().collect(),
    })
}

pub(super) fn lag(p99_us: u64) -> Line {
    Line::Lag(Lag { at: time(2000), count: 100, p99_us })
}

pub(super) fn exact() -> Measure {
    Measure::Checked(Check::Exact { strict: false })
}

pub(super) fn leakage() -> Measure {
    Measure::Checked(Check::PiiLeakage(LeakSettings::default()))
}

pub(super) fn observed(observed: Observed) -> Measure {
    Measure::Observed(observed)
}

pub(super) fn judged(criteria: &[(&str, u32)], samples: u32) -> Measure {
    let criterion =
        |(id, weight): &(&str, u32)| Criterion { id: (*id).to_owned(), text: String::new(), weight: *weight };
    Measure::Judged(Judged { judges: Vec::new(), criteria: criteria.iter().map(criterion).collect(), samples })
}

pub(super) fn prices(input: &str, output: &str) -> Prices {
    Prices { input: decimal(input), output: decimal(output) }
}

pub(super) fn decimal(text: &str) -> Decimal {
    text.parse().expect("a decimal")
}

pub(super) fn unit(case: usize, trial: u32) -> Unit {
    Unit { case: format!("c{case}"), trial }
}

pub(super) fn time(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_777_600_000 + seconds, 0).expect("a time")
}

/// A score, or none where it is no number.
fn scored(text: &str) -> Score {
    text.parse().map_or_else(|()| Score::Unscored(text.to_owned()), Score::Scored)
}

/// The value of a metric, as it is written.
pub(super) fn value(result: &RunResult, metric: &str) -> String {
    let metric = result.metrics.iter().find(|found| found.name == metric).expect("the metric");
    metric.value.map_or("none".to_owned(), |value| value.to_string())
}
