//! `joch gates`.

use anyhow::Result;
use clap::{Args, Subcommand};

use crate::ops::gates_selftest::Fate;
use crate::ops::{Caller, Move, gates_input, gates_selftest, parse_target};
use crate::render::view::{PlantedChange, SelftestResult, gate_input};
use crate::resource::{Kind, ResourceId};

use super::exit;
use super::global::Answer;
use super::require::RequireArgs;

/// What gates look at, and what they would catch
#[derive(Debug, Args)]
pub(super) struct GatesArgs {
    #[command(subcommand)]
    command: GatesCommand,
}

#[derive(Debug, Subcommand)]
enum GatesCommand {
    /// Print the JSON that policies in Rego see of a promotion, for `opa` or `conftest`
    Input(InputArgs),
    /// Plant bad versions and weaker controls in memory, and tell which of them the gates would not catch
    Selftest(SelftestArgs),
}

#[derive(Debug, Args)]
struct SelftestArgs {
    /// `NAME` of an agent; all of the environment where none is named
    #[arg(value_name = "NAME", num_args = 0..=2)]
    target: Vec<String>,
    /// The environment whose gates are tried; the last rung where none is named
    #[arg(long, alias = "context", value_name = "ENV")]
    env: Option<String>,
    #[command(flatten)]
    require: RequireArgs,
}

#[derive(Debug, Args)]
struct InputArgs {
    /// `NAME` of an agent
    #[arg(value_name = "NAME", num_args = 1..=2, required = true)]
    target: Vec<String>,
    /// The rung it comes from
    #[arg(long, value_name = "ENV")]
    from: String,
    /// The rung it goes to
    #[arg(long, value_name = "ENV")]
    to: String,
    /// The Policy whose `params` it holds
    #[arg(long, value_name = "NAME")]
    policy: Option<String>,
}

pub(super) fn run(args: GatesArgs, caller: &mut Caller<'_>) -> Result<Answer> {
    match args.command {
        GatesCommand::Input(args) => input(args, caller),
        GatesCommand::Selftest(args) => selftest(args, caller),
    }
}

fn selftest(args: SelftestArgs, caller: &mut Caller<'_>) -> Result<Answer> {
    let agent = if args.target.is_empty() { None } else { Some(parse_target(&args.target)?.id(caller)) };
    let required = args.require.gates()?;
    let outcome = gates_selftest::run(&gates_selftest::Request { agent, environment: args.env, required }, caller)?;
    let count = |fate: Fate, harmless: bool| {
        outcome.planted.iter().filter(|planted| planted.fate == fate && planted.expected.is_none() == harmless).count()
    };
    let code = if outcome.is_sound() { exit::DONE } else { exit::REFUSED };
    let planted = |planted: &gates_selftest::Planted| PlantedChange {
        resource: planted.resource.to_string(),
        seed: planted.seed.clone(),
        expected: planted.expected.clone(),
        fate: match (planted.fate, planted.expected.is_some()) {
            (Fate::Right, true) => "caught",
            (Fate::Right, false) => "passed",
            (Fate::Missed, _) => "missed",
            (Fate::Stopped, _) => "stopped",
            (Fate::Absent, _) => "absent",
        }
        .to_owned(),
        said: planted.said.clone(),
        next: planted.next.clone(),
    };
    let view = SelftestResult {
        verdict: if outcome.is_sound() { "sound" } else { "unsound" }.to_owned(),
        environment: outcome.environment.clone(),
        caught: count(Fate::Right, false),
        missed: count(Fate::Missed, false),
        passed: count(Fate::Right, true),
        stopped: count(Fate::Stopped, true),
        planted: outcome.planted.iter().map(planted).collect(),
    };
    Ok(Answer::with(code, view))
}

fn input(args: InputArgs, caller: &mut Caller<'_>) -> Result<Answer> {
    let resource = Some(parse_target(&args.target)?.id(caller));
    let wanted = Move { resource, files: Vec::new(), from: args.from, to: args.to, reason: None };
    let policy = args.policy.map(|name| ResourceId::new(Kind::Policy, caller.namespace(), name));
    let input = gates_input::run(&gates_input::Request { wanted, policy }, caller)?;
    Ok(Answer::done(gate_input(&input)))
}
