//! `joch mcp`.

use anyhow::Result;
use clap::{Args, Subcommand};

use crate::gate::Observed;
use crate::ops::mcp::{compare, record, show};
use crate::ops::{Caller, Failure, Target};
use crate::render::view::{McpDiff, McpObservation, McpRecorded, RecordState, Sighting};
use crate::resource::{Kind, ResourceId};

use super::global::Answer;

/// Record what tools MCP servers offer, and see what changed
#[derive(Debug, Args)]
pub(super) struct McpArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Record(RecordArgs),
    Show(ShowArgs),
    Diff(DiffArgs),
}

const EXAMPLES: &str = "\
Examples:
  joch mcp record help-center
  joch mcp record help-center --env prod -f tools.json
  joch mcp record help-center --trust-score 0.9 --trust-source 'scan of 2026-11-22'

The server is only asked what it offers; none of its tools is called.";

/// Ask an MCP server which tools it offers, say what changed, and sign it as an observation
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
struct RecordArgs {
    /// The MCPServer
    name: String,
    /// The environment that has it; else the lowest rung that does
    #[arg(long, value_name = "ENV")]
    env: Option<String>,
    /// A file with its answer to `tools/list`, or `-`, instead of asking it
    #[arg(short = 'f', long = "filename", value_name = "PATH")]
    file: Option<String>,
    /// Let a server that is a program run here, with your rights
    #[arg(long, conflicts_with = "file")]
    allow_stdio: bool,
    /// How far you trust it, from 0 to 1
    #[arg(long, value_name = "N", value_parser = score, requires = "trust_source")]
    trust_score: Option<f64>,
    /// Who or what scored it
    #[arg(long, value_name = "TEXT", requires = "trust_score")]
    trust_source: Option<String>,
    /// Look and compare, and write nothing
    #[arg(long)]
    dry_run: bool,
}

/// Show what was seen of an MCP server last
#[derive(Debug, Args)]
struct ShowArgs {
    /// The MCPServer
    name: String,
}

/// Show what is different about an MCP server between two observations
#[derive(Debug, Args)]
struct DiffArgs {
    /// The MCPServer
    name: String,
    /// The id of the old observation or its beginning; else the newest that said something else
    #[arg(long, value_name = "ID")]
    from: Option<String>,
    /// The id of the new observation or its beginning; else the newest
    #[arg(long, value_name = "ID")]
    to: Option<String>,
}

pub(super) fn run(args: McpArgs, caller: &mut Caller<'_>) -> Result<Answer> {
    match args.command {
        Command::Record(args) => record_one(args, caller),
        Command::Show(args) => {
            let show::Outcome { newest, count } = show::run(&server(&args.name, caller)?, caller)?;
            let sighting = sighting(&newest);
            Ok(Answer::done(McpObservation { sighting, count, observation: newest.observation.as_ref().clone() }))
        }
        Command::Diff(args) => {
            let request = compare::Request { server: server(&args.name, caller)?, from: args.from, to: args.to };
            let compare::Outcome { from, to, changes } = compare::run(&request, caller)?;
            let from = from.as_ref().map(sighting);
            Ok(Answer::done(McpDiff { server: request.server, from, to: sighting(&to), changes }))
        }
    }
}

fn record_one(args: RecordArgs, caller: &mut Caller<'_>) -> Result<Answer> {
    let request = record::Request {
        server: server(&args.name, caller)?,
        environment: args.env,
        file: args.file,
        allow_stdio: args.allow_stdio,
        trust: args.trust_score.zip(args.trust_source),
        dry_run: args.dry_run,
    };
    let outcome = record::run(&request, caller)?;
    let state = match outcome.state {
        record::State::Recorded => RecordState::Recorded,
        record::State::Unchanged => RecordState::Unchanged,
        record::State::DryRun => RecordState::DryRun,
    };
    Ok(Answer::done(McpRecorded {
        state,
        environment: outcome.environment,
        evidence: outcome.evidence,
        signed_by: outcome.principal,
        commit: outcome.commit,
        observation: outcome.observation.as_ref().clone(),
        earlier: outcome.earlier.as_ref().map(sighting),
        changes: outcome.changes,
    }))
}

fn sighting(observed: &Observed) -> Sighting {
    Sighting {
        evidence: observed.id.clone(),
        observed_at: observed.observation.observed_at,
        signed_by: observed.principal.as_ref().map(|principal| principal.name.clone()),
        tools_digest: observed.observation.tools_digest,
    }
}

/// `help-center`, or `mcp-server/help-center`.
fn server(name: &str, caller: &Caller<'_>) -> Result<ResourceId> {
    let Some((kind, own)) = name.split_once('/') else {
        return Ok(Target { kind: Kind::McpServer, name: named(name)? }.id(caller));
    };
    if crate::ops::parse_kind(kind)? != Kind::McpServer {
        return Err(Failure::usage(format!("`{name}` is no MCPServer"))
            .next("`joch get mcp-servers` lists them")
            .into());
    }
    Ok(Target { kind: Kind::McpServer, name: named(own)? }.id(caller))
}

fn named(name: &str) -> Result<String> {
    crate::resource::name::check_name(name)
        .map_err(|rule| Failure::usage(format!("`{name}` names no MCPServer: {rule}")))?;
    Ok(name.to_owned())
}

fn score(text: &str) -> Result<f64, String> {
    let score: f64 = text.parse().map_err(|_| "it is no number".to_owned())?;
    if (0.0..=1.0).contains(&score) { Ok(score) } else { Err("a score is a number from 0 to 1".into()) }
}
