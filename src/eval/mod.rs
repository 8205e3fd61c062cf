//! How well it does: datasets, metrics, judges, statistics, and the result of a run as a pure function of its journal.

mod answer;
mod case;
pub mod dataset;
mod decimal;
mod define;
mod definition;
mod journal;
mod leak;
mod reach;
mod result;

pub use answer::{Fault, FaultKind, Outcome, Reply, ToolCall, Usage};
pub use case::{Case, ExpectedCall, Input, Message};
pub use decimal::{Decimal, Ratio};
pub use define::{Flaw, points};
pub use definition::{
    Aggregate, Bounds, Check, Criterion, Definition, Judged, LeakSettings, Measure, Metric, Observed, Run, Score,
    Scores, Trajectory,
};
pub use journal::{
    Answered, CaseRef, DatasetRef, EvalRef, Finding, JudgeRef, Lag, Line, Opinion, Plan, Prices, Programmed, ReachRef,
    Subject, Trigger, Unit,
};
pub use leak::Leak;
pub use reach::{A2a, Api, Chat, Command, Http, Protocol, Reach, Text};
pub use result::{
    Canaries, CaseResult, Cost, Counts, Judge, MetricResult, RunResult, Runner, SCHEMA, TrialResult, Verdict,
};
