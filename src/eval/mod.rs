//! How well it does: datasets, metrics, judges, statistics, and the result of a run as a pure function of its journal.

mod aggregate;
mod answer;
mod case;
mod check;
mod compare;
pub mod dataset;
mod decimal;
mod define;
mod definition;
mod detect;
mod journal;
mod json_path;
pub mod judge;
mod leak;
mod outline;
mod reach;
mod result;
mod scores;
mod shard;
pub mod statistics;
mod template;

pub use aggregate::{Journals, MergeTrouble, aggregate, merge, rejudge, shown};
pub use answer::{Fault, FaultKind, Outcome, Reply, ToolCall, Usage};
pub use case::{Case, ExpectedCall, Input, Message};
pub use check::Checker;
pub use compare::{Change, Compared, Comparison, Incomparable, compare};
pub use decimal::{Decimal, Ratio};
pub use define::{Flaw, points};
pub use definition::{
    Aggregate, Bounds, Check, Criterion, Definition, Judged, LeakSettings, Measure, Metric, Observed, Run, Score,
    Trajectory,
};
pub use detect::{Sort, counts, credentials, leaks, mask, mask_secrets, without_secrets};
pub use journal::codec::{Damaged, Entry, LONGEST_LINE, Lines, read_lines};
pub use journal::{
    Answered, CaseRef, DatasetRef, EvalRef, Finding, JOURNAL_SCHEMA, JudgeRef, Lag, Line, Opinion, Plan, Prices,
    Programmed, ReachRef, Subject, Trigger, Unit,
};
pub use json_path::{JsonPath, json_path};
pub use leak::Leak;
pub use reach::{A2a, AgentFacts, Api, Binding, Chat, Command, Http, ModelFacts, Protocol, Reach, Text};
pub use result::{
    Canaries, CaseResult, Cost, Counts, Judge, MetricResult, RunResult, Runner, SCHEMA, Slice, TrialResult, Verdict,
};
pub use scores::Scores;
pub use shard::shard_of;
pub use template::Template;
