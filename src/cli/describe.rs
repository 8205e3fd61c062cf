//! `joch describe`.

use anyhow::Result;
use clap::Args;

use crate::ops::{Caller, describe, parse_target, releases};
use crate::render::view::{DescribedHolder, DescribedPlace, Description, ReleaseDescription};
use crate::resource::{Kind, Pinned};

use super::get::{RELEASES, split};
use super::global::Answer;

/// Describe one version of a resource and where it stands, or one release
#[derive(Debug, Args)]
#[command(disable_version_flag = true)]
pub(super) struct DescribeArgs {
    /// KIND NAME, KIND/NAME, or the NAME of an agent; `release prod/41` for a release
    #[arg(required = true, num_args = 1..=2, value_name = "KIND NAME")]
    words: Vec<String>,
    /// Version; the newest where none is named
    #[arg(long, value_name = "N", value_parser = version, conflicts_with = "env")]
    version: Option<u64>,
    /// The version that this environment has
    #[arg(long, alias = "context", value_name = "ENV")]
    env: Option<String>,
}

pub(super) fn run(args: DescribeArgs, caller: &mut Caller<'_>) -> Result<Answer> {
    if let (kind, Some(name)) = split(&args.words)
        && RELEASES.contains(&kind.to_ascii_lowercase().as_str())
    {
        return release(&name, caller);
    }
    let id = parse_target(&args.words)?.id(caller);
    let request = describe::Request { id, version: args.version, environment: args.env };
    let outcome = describe::run(&request, caller)?;
    let of_kind = |kind: &Kind| -> Vec<Pinned> {
        outcome.closure.iter().filter(|member| member.kind == *kind).cloned().collect()
    };
    let policies = of_kind(&Kind::Policy);
    // That of a child is the child's.
    let own = |member: &Pinned| outcome.content.closure().is_some_and(|all| all.members().contains_key(&member.id()));
    let adapter = of_kind(&Kind::FrameworkAdapter).into_iter().find(own);
    let place = |place: describe::Place| DescribedPlace {
        standing: place.standing,
        event: place.event,
        reason: place.reason,
        rollback_path: place.rollback_path,
        imposed: place.imposed,
        behind_trust: place.behind_trust,
    };
    let holder = |holder: describe::Holder| DescribedHolder {
        environment: holder.environment,
        agent: holder.agent,
        version: holder.version,
        holds: holder.holds,
        imposed: holder.imposed,
    };
    Ok(Answer::done(Description {
        resource: outcome.content.resource().as_ref().clone(),
        version: outcome.content.version,
        newest: outcome.newest,
        digest: outcome.content.digest,
        policies,
        adapter,
        closure: outcome.closure,
        environments: outcome.places.into_iter().map(place).collect(),
        held_by: outcome.holders.into_iter().map(holder).collect(),
    }))
}

/// Describes the release called `prod/41`.
pub(super) fn release(name: &str, caller: &mut Caller<'_>) -> Result<Answer> {
    let full = releases::describe(name, caller)?;
    Ok(Answer::done(ReleaseDescription {
        name: full.manifest.name(),
        commit: full.commit,
        manifest: full.manifest.as_ref().clone(),
        records: full.records,
        overridden: full.overridden,
        commands: full.commands,
    }))
}

/// `8`, or `v8`.
fn version(word: &str) -> Result<u64, String> {
    word.strip_prefix('v').unwrap_or(word).parse().map_err(|_| "a version is a number, such as `8`".to_owned())
}
