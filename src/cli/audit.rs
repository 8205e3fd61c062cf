//! `joch audit`: the log, the check of the whole ledger, and the proof of one agent.

use anyhow::Result;
use chrono::{DateTime, Utc};
use clap::{Args, Subcommand};

use crate::ops::{Caller, audit_export, audit_log, audit_verify, moment, prove};
use crate::render::view::{AuditExport, AuditLog, CheckedCounts, ProofResult, VerifyResult};

use super::exit;
use super::global::Answer;

/// Tell what happened, check the ledger, and prove what runs
#[derive(Debug, Args)]
pub(super) struct AuditArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Log(LogArgs),
    Verify(VerifyArgs),
    Prove(ProveArgs),
    Export(ExportArgs),
}

/// Tell what happened, newest first: releases, stopped attempts, approvals, changes of trust
#[derive(Debug, Args)]
struct LogArgs {
    /// Only what happened to this agent
    #[arg(long, value_name = "NAME")]
    agent: Option<String>,
    /// Only what happened in this environment
    #[arg(long, alias = "context", value_name = "ENV")]
    env: Option<String>,
    /// Only what happened at this time or later: `2026-05-10`, `2026-05-10T12:00Z`
    #[arg(long, value_name = "TIME", value_parser = moment::parse)]
    since: Option<DateTime<Utc>>,
}

/// Check the whole ledger: signatures, roles, order, tags, and that every record says what its tree says
#[derive(Debug, Args)]
struct VerifyArgs {
    /// Check the releases of this environment only
    #[arg(long, alias = "context", value_name = "ENV")]
    env: Option<String>,
    /// Only look quickly: judge the releases after this one, `prod/41` or `41`, and believe what came before
    #[arg(long, value_name = "RELEASE", requires = "env")]
    since: Option<String>,
    /// Judge again what an earlier check found clean
    #[arg(long)]
    no_memory: bool,
}

/// Prove which version of an agent ran, under which policies, since when and by whom
#[derive(Debug, Args)]
struct ProveArgs {
    /// `agent NAME`, or the name alone
    #[arg(required = true, num_args = 1..=2, value_name = "AGENT")]
    agent: Vec<String>,
    /// Environment
    #[arg(long, alias = "context", value_name = "ENV")]
    env: String,
    /// Moment, now where none is named: `2026-05-10`, `2026-05-10T12:00Z`
    #[arg(long, value_name = "TIME", value_parser = moment::parse)]
    at: Option<DateTime<Utc>>,
}

/// Write the ledger to a directory that a stranger can check with git, ssh-keygen and sha256sum alone
#[derive(Debug, Args)]
struct ExportArgs {
    /// The directory to make; nothing may be there yet
    #[arg(long, value_name = "PATH")]
    bundle: std::path::PathBuf,
    /// Only the releases of this environment, with trust and evidence
    #[arg(long, alias = "context", value_name = "ENV")]
    env: Option<String>,
}

pub(super) fn run(args: AuditArgs, caller: &mut Caller<'_>) -> Result<Answer> {
    match args.command {
        Command::Log(LogArgs { agent, env, since }) => {
            let items = audit_log::run(&audit_log::Request { agent, environment: env, since }, caller)?;
            Ok(Answer::done(AuditLog { items }))
        }
        Command::Verify(VerifyArgs { env, since, no_memory }) => {
            let request = audit_verify::Request { environment: env, since, afresh: no_memory };
            let begun = request.since.clone().map(|since| match (&request.environment, since.contains('/')) {
                (Some(env), false) => format!("{env}/{since}"),
                _ => since,
            });
            let audit_verify::Outcome { checked, findings, warnings } = audit_verify::run(&request, caller)?;
            let exit = if findings.is_empty() { exit::DONE } else { exit::REFUSED };
            let audit_verify::Checked { commits, tags, evidence, stopped, remembered, skipped } = checked;
            let checked = CheckedCounts { commits, tags, evidence, stopped, remembered, skipped };
            Ok(Answer::with(exit, VerifyResult::new(checked, findings, warnings).since(begun)))
        }
        Command::Export(ExportArgs { bundle, env }) => {
            let exported = audit_export::run(&audit_export::Request { bundle, environment: env }, caller)?;
            let audit_export::Exported { path, references, objects, files, trust_root } = exported;
            let trust_root = trust_root.to_string();
            let path = path.display().to_string();
            Ok(Answer::done(AuditExport { path, references, objects, files, trust_root }))
        }
        Command::Prove(ProveArgs { agent, env, at }) => {
            let proof = prove::run(&prove::Request { agent, environment: env, at }, caller)?;
            let exit = if proof.holds() { exit::DONE } else { exit::REFUSED };
            Ok(Answer::with(exit, ProofResult(proof)))
        }
    }
}
