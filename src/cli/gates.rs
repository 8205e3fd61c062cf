//! `joch gates`.

use anyhow::Result;
use clap::{Args, Subcommand};

use crate::ops::{Caller, Move, gates_input, parse_target};
use crate::render::view::gate_input;
use crate::resource::{Kind, ResourceId};

use super::global::Answer;

/// What gates look at
#[derive(Debug, Args)]
pub(super) struct GatesArgs {
    #[command(subcommand)]
    command: GatesCommand,
}

#[derive(Debug, Subcommand)]
enum GatesCommand {
    /// Print the JSON that policies in Rego see of a promotion, for `opa` or `conftest`
    Input(InputArgs),
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
    }
}

fn input(args: InputArgs, caller: &mut Caller<'_>) -> Result<Answer> {
    let resource = Some(parse_target(&args.target)?.id(caller));
    let wanted = Move { resource, files: Vec::new(), from: args.from, to: args.to, reason: None };
    let policy = args.policy.map(|name| ResourceId::new(Kind::Policy, caller.namespace(), name));
    let input = gates_input::run(&gates_input::Request { wanted, policy }, caller)?;
    Ok(Answer::done(gate_input(&input)))
}
