//! `joch diff`.

use anyhow::Result;
use clap::Args;

use crate::ops::{Caller, Failure, Side, diff, diff_files, parse_target};
use crate::render::view::{AffectedAgent, ComparedResource, DiffResult, DiffSide};

use super::exit;
use super::global::Answer;

/// Show what differs between two versions or environments, or what files would change
#[derive(Debug, Args)]
pub(super) struct DiffArgs {
    /// KIND NAME, KIND/NAME, or the NAME of an agent
    #[arg(num_args = 1..=2, value_name = "KIND NAME")]
    words: Vec<String>,
    /// Old side: a version (`7`, `v7`), an environment, or `prod@2026-05-10T12:00Z`
    #[arg(long, value_name = "R", conflicts_with = "files")]
    from: Option<String>,
    /// New side; the newest version where none is named
    #[arg(long, value_name = "R", conflicts_with = "files")]
    to: Option<String>,
    /// File, directory, or `-` for standard input; may be repeated
    #[arg(short = 'f', long = "filename", value_name = "PATH", conflicts_with = "words")]
    files: Vec<String>,
    /// What the files are compared with: `context:ENV`
    #[arg(long, value_name = "CONTEXT", requires = "files")]
    against: Option<String>,
    /// Exit with 2 if anything differs
    #[arg(long, alias = "detailed-exitcode")]
    exit_code: bool,
}

pub(super) fn run(args: DiffArgs, caller: &mut Caller<'_>) -> Result<Answer> {
    let (subject, outcome) = if args.files.is_empty() {
        if args.words.is_empty() {
            return Err(Failure::usage("nothing to compare is named")
                .next("`joch diff agent NAME --from 7 --to 8`, or `joch diff -f PATH --against context:prod`")
                .into());
        }
        let id = parse_target(&args.words)?.id(caller);
        let request = diff::Request { id, from: args.from, to: args.to };
        let outcome = diff::run(&request, caller)?;
        (Some(request.id), outcome)
    } else {
        let request = diff_files::Request { files: args.files, against: args.against };
        (None, diff_files::run(&request, caller)?)
    };
    let exit = if args.exit_code && outcome.differs() { exit::REFUSED } else { exit::DONE };
    let resources = outcome.resources.into_iter().map(|compared| ComparedResource {
        kind: compared.id.kind,
        namespace: compared.id.namespace,
        name: compared.id.name,
        change: compared.change,
        from: compared.from,
        to: compared.to,
    });
    let affected = outcome.affected.into_iter().map(|affected| AffectedAgent {
        kind: affected.agent.kind,
        namespace: affected.agent.namespace,
        name: affected.agent.name,
        environment: affected.environment,
        version: affected.version,
        through: affected.through.into_iter().collect(),
    });
    let view = DiffResult {
        subject,
        from: (&outcome.from).into(),
        to: (&outcome.to).into(),
        resources: resources.collect(),
        changes: outcome.changes,
        affected: affected.collect(),
        abom: outcome.abom,
        imposed: outcome.imposed,
    };
    Ok(Answer::with(exit, view))
}

impl From<&Side> for DiffSide {
    fn from(side: &Side) -> Self {
        Self { version: side.version(), digest: side.digest(), environment: side.environment.clone(), time: side.time }
    }
}
