//! `joch eval`.

use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, Subcommand};

use crate::eval::Trigger;
use crate::ops::eval::{due, gate, list, merge, run, show};
use crate::ops::{Caller, Failure};
use crate::render::report::Format;
use crate::resource::{Kind, ResourceId};

use super::exit;
use super::global::Answer;

/// Measure agents, and look at what was measured
#[derive(Debug, Args)]
pub(super) struct EvalArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Run(RunArgs),
    Ls(LsArgs),
    Show(ShowArgs),
    Gate(GateArgs),
    Merge(MergeArgs),
}

/// Measure an agent over a dataset; exits 0 when it passed, 2 when it failed, 1 when the run cannot tell
#[derive(Debug, Args)]
struct RunArgs {
    /// The Eval, as the target environment has it
    #[arg(value_name = "NAME", required_unless_present_any = ["files", "due"], conflicts_with = "files")]
    name: Option<String>,
    /// Files of Evals, instead of what the target environment has; may be repeated
    #[arg(short = 'f', long = "filename", value_name = "PATH")]
    files: Vec<String>,
    /// The environment that runs the agent
    #[arg(long, value_name = "ENV", required_unless_present = "due", visible_alias = "env")]
    target: Option<String>,
    /// Run everything that its schedule wants and no run has answered; for a scheduler to call
    #[arg(long, conflicts_with_all = ["name", "files", "dry_run", "resume", "shard", "run_id", "journal"])]
    due: bool,
    /// Show what would be called, and what it would cost, and call nothing
    #[arg(long)]
    dry_run: bool,
    /// Go on with the newest unfinished run, or with this one
    #[arg(long, value_name = "RUN", num_args = 0..=1, default_missing_value = "")]
    resume: Option<String>,
    /// Run one part of the cases, such as `1/4`; `joch eval merge` makes one result of all parts
    #[arg(long, value_name = "I/N")]
    shard: Option<String>,
    /// Id of the run, which all its shards share
    #[arg(long, value_name = "ID")]
    run_id: Option<String>,
    /// Directory in which the journal is kept, instead of the project's own
    #[arg(long, value_name = "DIR")]
    journal: Option<PathBuf>,
    /// Cases at a time, instead of what the Eval says
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=4096))]
    concurrency: Option<u32>,
    #[command(flatten)]
    reports: ReportArgs,
}

/// Where else a result goes
#[derive(Debug, Default, Args)]
struct ReportArgs {
    /// Write a report too: `junit`, `markdown`, `json`, `openmetrics`, `github` or `html`, and the file; may be repeated
    #[arg(long = "report", value_name = "FORMAT=FILE")]
    reports: Vec<String>,
    /// Send the scores to a collector of OpenTelemetry (OTLP over HTTP), such as `http://localhost:4318`
    #[arg(long, value_name = "URL")]
    otlp: Option<String>,
}

/// List Evals with their last result, and runs that can be gone on with
#[derive(Debug, Args)]
struct LsArgs {
    /// One environment, instead of all
    #[arg(long, value_name = "ENV", visible_alias = "env")]
    target: Option<String>,
}

/// Show a result: the latest of an Eval, or the one of this id
#[derive(Debug, Args)]
struct ShowArgs {
    /// The Eval, or the id of a result or the beginning of it
    #[arg(value_name = "NAME|ID")]
    what: String,
    /// The environment, where an Eval is named
    #[arg(long, value_name = "ENV", visible_alias = "env")]
    target: Option<String>,
    /// Only this case
    #[arg(long, value_name = "ID")]
    case: Option<String>,
    #[command(flatten)]
    reports: ReportArgs,
}

/// Ask what the gate of an Eval would say now
#[derive(Debug, Args)]
struct GateArgs {
    /// The Eval
    name: String,
    /// The rung that the agent comes from
    #[arg(long, value_name = "ENV")]
    from: String,
    /// The rung that it goes to
    #[arg(long, value_name = "ENV")]
    to: String,
}

/// Make one result of the journals of all shards of a run
#[derive(Debug, Args)]
struct MergeArgs {
    /// Journals, directories of runs, or directories of such
    #[arg(value_name = "PATH", required = true)]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    reports: ReportArgs,
}
