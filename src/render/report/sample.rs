//! Results for tests: one that passed, one that failed, one that cannot tell, and one full of hostile text.

use chrono::{DateTime, Utc};

use crate::eval::{
    Canaries, CaseResult, Change, Compared, Comparison, Cost, Counts, DatasetRef, Decimal, EvalRef, FaultKind, Judge,
    JudgeRef, Leak, MetricResult, ReachRef, RunResult, Runner, SCHEMA, Score, Subject, TrialResult, Trigger, Usage,
    Verdict,
};
use crate::render::report::Against;
use crate::render::view::EvalTrouble;
use crate::resource::{Digest, Kind, ResourceId};

/// What a model may say to whoever shows it.
pub(crate) const HOSTILE: &str = "\u{1b}[2J\u{1b}]8;;http://x\u{7}click\u{202e}gnp.exe @org/team #1 </script><img src=x onerror=alert(1)> ]]> \
     <!-- --> `` ` [a](javascript:b) | x\u{0}\u{b}\u{ffff}\r\n::error::pwned\n  ::add-mask::x ##[error]y %0A::warning::z \
     \"} 1\n# EOF\n```\n~~~\n& &amp; 'a' ${{ secrets.X }} https://evil.example www.evil.example a@evil.example";

/// A run that passed, although one of its four cases is below the bar and one has no answer.
pub(crate) fn passed() -> RunResult {
    let mut result = of(Verdict::Passed, &["0.9", "1", "0.5", ""]);
    result.metrics[0].value = Some(decimal("0.86"));
    result.metrics[0].verdict = Some(Verdict::Passed);
    result
}

/// A run that failed: one case is bad, one ran out of time.
pub(crate) fn failed() -> RunResult {
    let mut result = of(Verdict::Failed, &["1", "0.2", "", "0.9"]);
    result.reasons = vec!["task_success is 0.7, and >= 0.85 is demanded".to_owned()];
    result.metrics[0].value = Some(decimal("0.7"));
    result.metrics[0].verdict = Some(Verdict::Failed);
    result.metrics[0].worst = vec!["case-2".to_owned(), "case-4".to_owned()];
    result.cases[1].trials[0].unmet = vec!["task_success/1".to_owned(), "task_success/tone".to_owned()];
    result.cases[1].trials[0].output = Some("I cannot help with that.".to_owned());
    result
}

/// A run that cannot tell, because its judge did not answer.
pub(crate) fn inconclusive() -> RunResult {
    let mut result = of(Verdict::Inconclusive, &["1", "1", "1", "1"]);
    result.reasons = vec!["the judge gave no opinion on 1 of 4 cases".to_owned()];
    result.metrics[0].verdict = Some(Verdict::Inconclusive);
    result.metrics[0].reason = Some("1 of 4 scores is missing".to_owned());
    let scores = &mut result.cases[0].trials[0].scores;
    scores.insert("task_success".to_owned(), Score::Unscored("the judge refused".to_owned()));
    result
}

/// A run of no cases at all.
pub(crate) fn empty() -> RunResult {
    let mut result = of(Verdict::Inconclusive, &[]);
    result.reasons = vec!["the dataset holds no cases".to_owned()];
    result.metrics.clear();
    result
}

/// A failed run in which every text that others write is hostile, and one answer is long.
pub(crate) fn hostile() -> RunResult {
    let mut result = failed();
    result.run = format!("run{HOSTILE}");
    result.reasons = vec![HOSTILE.to_owned()];
    result.dataset.uri = HOSTILE.to_owned();
    result.subject.environment = "staging".to_owned();
    result.judges[0].reported = vec![HOSTILE.to_owned()];
    result.metrics[0].name = format!("task_success{HOSTILE}");
    result.metrics[0].reason = Some(HOSTILE.to_owned());
    for case in &mut result.cases {
        case.id = format!("{}{HOSTILE}", case.id);
        case.tags = vec![HOSTILE.to_owned()];
        for trial in &mut case.trials {
            trial.output = Some(HOSTILE.repeat(100_000 / HOSTILE.len() + 1));
            trial.message = Some(HOSTILE.to_owned());
            trial.unmet = vec![HOSTILE.to_owned()];
            trial.leaks = vec![Leak {
                detector: HOSTILE.to_owned(),
                place: format!("tool:{HOSTILE}"),
                start: 0,
                end: 1,
                echoed: false,
                excerpt: HOSTILE.to_owned(),
            }];
            trial.scores = trial.scores.values().map(|score| (result.metrics[0].name.clone(), score.clone())).collect();
            trial.scores.insert("other".to_owned(), Score::Unscored(HOSTILE.to_owned()));
        }
    }
    result.metrics[0].worst = result.cases.iter().map(|case| case.id.clone()).collect();
    result
}

/// A comparison with what runs in production: two metrics are worse, the more important one last.
pub(crate) fn comparison() -> Against {
    let compared = |name: &str, before: &str, change: &str| Compared {
        name: name.to_owned(),
        before: Some(decimal(before)),
        after: Some(decimal(before) + decimal(change)),
        change: Some(decimal(change)),
        better: Some(false),
        allowed: None,
        verdict: None,
        reason: None,
        pairs: 4,
        p: None,
        test: None,
        ci95: None,
        improved: 0,
        worsened: 0,
        worse: Vec::new(),
    };
    let change = Change { case: "case-2".to_owned(), before: Decimal::ONE, after: decimal("0.2") };
    let success = Compared {
        allowed: Some(decimal("0.05")),
        verdict: Some(Verdict::Failed),
        p: Some(decimal("0.03")),
        worsened: 1,
        worse: vec![change],
        ..compared("task_success", "0.92", "-0.22")
    };
    let comparison = Comparison {
        run: "r7".to_owned(),
        environment: "staging".to_owned(),
        version: Some(7),
        digest: Digest::of("before"),
        metrics: vec![compared("latency_p95_ms", "2738", "12"), success],
        latency: None,
    };
    Against::of("prod", comparison)
}

/// An Eval that could not begin.
pub(crate) fn trouble() -> EvalTrouble {
    EvalTrouble {
        eval: ResourceId::new(Kind::Eval, "default", "tone"),
        environment: "staging".to_owned(),
        message: "nothing says how the agent is reached".to_owned(),
        next: None,
    }
}

/// A decimal.
pub(crate) fn decimal(text: &str) -> Decimal {
    text.parse().expect("a decimal")
}

/// A moment on the day of the run.
pub(crate) fn moment(time: &str) -> DateTime<Utc> {
    format!("2026-05-10T{time}Z").parse().expect("a moment")
}

/// A run with these scores of `task_success`; an empty one timed out.
fn of(verdict: Verdict, scores: &[&str]) -> RunResult {
    let timeouts = scores.iter().filter(|score| score.is_empty()).count() as u64;
    let planned = scores.len() as u64;
    RunResult {
        schema: SCHEMA.to_owned(),
        kind: "EvalResult".to_owned(),
        run: "4f1c".to_owned(),
        verdict,
        reasons: Vec::new(),
        subject: Subject {
            agent: ResourceId::agent("default", "support-triage"),
            version: Some(8),
            digest: Digest::of("closure"),
            environment: "staging".to_owned(),
        },
        eval: EvalRef {
            id: ResourceId::new(Kind::Eval, "default", "support-triage-quality"),
            version: Some(3),
            digest: Digest::of("eval"),
        },
        dataset: DatasetRef {
            uri: "evals/support-cases.jsonl".to_owned(),
            digest: Digest::of("cases"),
            cases: planned,
        },
        judges: vec![judge()],
        reach: ReachRef {
            protocol: "http".to_owned(),
            by: ResourceId::new(Kind::Deployment, "default", "support-triage-staging"),
            digest: Digest::of("invoke"),
            live: true,
            recording: None,
        },
        runner: Runner {
            joch: "0.1.0".to_owned(),
            trigger: Trigger::Manual,
            trials: 1,
            concurrency: 4,
            started_at: Some(moment("02:00:00")),
            finished_at: Some(moment("02:04:12")),
            lag_p99_us: Some(310),
            journal: Digest::of("journal"),
        },
        counts: Counts { planned, answered: planned - timeouts, errors: timeouts, timeouts, ..Counts::default() },
        metrics: vec![
            metric("task_success", "1", "higher", Some(">= 0.85")),
            metric("latency_p95_ms", "2750", "lower", Some("< 3000")),
            metric("output_tokens", "212.5", "lower", None),
        ],
        cost: Cost {
            agent_usd: Some(decimal("0.0384")),
            judge_usd: None,
            agent_tokens: Usage { input: 4000, output: 800 },
            judge_tokens: Usage { input: 900, output: 60 },
        },
        canaries: Canaries { expected: 4, correct: 4 },
        slices: Vec::new(),
        cases: scores.iter().enumerate().map(|(at, score)| case(at + 1, score)).collect(),
    }
}

fn judge() -> Judge {
    let asked = JudgeRef {
        model: ResourceId::new(Kind::Model, "default", "judge"),
        digest: Digest::of("model"),
        provider: "example".to_owned(),
        requested: "judge-small".to_owned(),
        metrics: vec!["task_success".to_owned()],
        samples: 3,
        prompt: Digest::of("prompt"),
        by_default: false,
    };
    Judge { asked, reported: vec!["judge-small-2026-03".to_owned()], agreement: Some(decimal("0.97")) }
}

fn metric(name: &str, value: &str, direction: &str, threshold: Option<&str>) -> MetricResult {
    MetricResult {
        name: name.to_owned(),
        value: Some(decimal(value)),
        n: 4,
        aggregate: if name.contains("p95") { "p95" } else { "mean" }.to_owned(),
        direction: Some(direction.to_owned()),
        threshold: threshold.map(str::to_owned),
        verdict: threshold.map(|_| Verdict::Passed),
        reason: None,
        ci95: (name == "task_success").then(|| [decimal("0.61"), decimal("0.959")]),
        interval: Some("bootstrap".to_owned()),
        close: false,
        notes: Vec::new(),
        worst: Vec::new(),
    }
}

fn case(number: usize, score: &str) -> CaseResult {
    let mut trial = TrialResult { latency_us: 1_200_000, attempts: 1, ..TrialResult::default() };
    if score.is_empty() {
        trial.latency_us = 3_000_000;
        trial.fault = Some(FaultKind::Timeout);
        trial.message = Some("no answer within 3 s".to_owned());
    } else {
        let latency = ("latency_p95_ms".to_owned(), Score::Scored(decimal("1200")));
        trial.scores = [("task_success".to_owned(), Score::Scored(decimal(score))), latency].into_iter().collect();
        trial.output_digest = Some(Digest::of(score));
    }
    CaseResult {
        id: format!("case-{number}"),
        tags: vec!["billing".to_owned(), "refund".to_owned()],
        trials: vec![trial],
    }
}
