//! How well it does: datasets, metrics, judges, statistics, and the result of a run as a pure function of its journal.

mod answer;
mod case;
mod check;
mod decimal;
mod definition;
mod detect;
mod journal;
mod json_path;
mod leak;
mod reach;
mod result;

pub use answer::{Fault, FaultKind, Outcome, Reply, ToolCall, Usage};
pub use case::{Case, ExpectedCall, Input, Message};
pub use check::Checker;
pub use decimal::{Decimal, Ratio};
pub use definition::{
    Aggregate, Bounds, Check, Criterion, Definition, Judged, LeakSettings, Measure, Metric, Observed, Run, Score,
    Scores, Trajectory,
};
pub use detect::{Sort, counts, leaks, mask, mask_secrets, without_secrets};
pub use journal::{
    Answered, CaseRef, DatasetRef, EvalRef, Finding, JudgeRef, Lag, Line, Opinion, Plan, Prices, Programmed, ReachRef,
    Subject, Trigger, Unit,
};
pub use json_path::{JsonPath, json_path};
pub use leak::Leak;
pub use reach::{A2a, Api, Chat, Command, Http, Protocol, Reach, Text};
pub use result::{
    Canaries, CaseResult, Cost, Counts, Judge, MetricResult, RunResult, Runner, SCHEMA, TrialResult, Verdict,
};
