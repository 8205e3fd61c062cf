//! `joch policy`.

use anyhow::Result;
use clap::{Args, Subcommand};

use crate::ops::{Caller, policy_preview};
use crate::render::view::{PolicyPreview, PreviewedAgent, PreviewedRung};

use super::exit;
use super::global::Answer;

/// Policies before they are applied
#[derive(Debug, Args)]
pub(super) struct PolicyArgs {
    #[command(subcommand)]
    command: PolicyCommand,
}

#[derive(Debug, Subcommand)]
enum PolicyCommand {
    /// Show which agents a draft would block, in every environment
    Preview(PreviewArgs),
}

#[derive(Debug, Args)]
struct PreviewArgs {
    /// Files or directories with the drafts; `-` is standard input; may be repeated
    #[arg(short = 'f', long = "filename", value_name = "PATH", required = true)]
    files: Vec<String>,
    /// End with 2 where a draft would block an agent
    #[arg(long)]
    exit_code: bool,
}

pub(super) fn run(args: PolicyArgs, caller: &mut Caller<'_>) -> Result<Answer> {
    let PolicyCommand::Preview(args) = args.command;
    let outcome = policy_preview::run(&policy_preview::Request { files: args.files }, caller)?;
    let agents: Vec<_> = outcome.agents.into_iter().map(told).collect();
    let blocked = agents.iter().any(PreviewedAgent::is_stopped);
    let rung = |(environment, running): (String, usize)| PreviewedRung {
        bound: agents.iter().filter(|agent| agent.environment == environment).count(),
        stopped: agents.iter().filter(|agent| agent.environment == environment && agent.is_stopped()).count(),
        running,
        environment,
    };
    let view = PolicyPreview {
        policies: outcome.policies.iter().map(ToString::to_string).collect(),
        environments: outcome.environments.into_iter().map(rung).collect(),
        agents,
    };
    let code = if args.exit_code && blocked { exit::REFUSED } else { exit::DONE };
    Ok(Answer::with(code, view))
}

fn told(previewed: policy_preview::Previewed) -> PreviewedAgent {
    let policy_preview::Previewed { environment, agent, version, policy, adds, standing } = previewed;
    PreviewedAgent {
        environment,
        agent: agent.to_string(),
        version,
        policy: policy.to_string(),
        violations: adds.violations,
        errors: adds.errors,
        gaps: adds.gaps,
        warnings: adds.warnings,
        obligations: adds.obligations,
        standing,
    }
}
