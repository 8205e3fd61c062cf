//! `joch get releases` and `joch describe release`: what happened to environments.

use std::sync::Arc;

use anyhow::Result;

use crate::gate::OverrideStanding;
use crate::ledger::{ObjectId, Reader};
use crate::release::{Manifest, Record, layout};
use crate::resource::ResourceId;

use super::caller::Caller;
use super::desk::Desk;
use super::failure::Failure;
use super::find::{check_environment, never_released};
use super::overridden::Marks;
use super::past::{records, release_commit};

/// Which releases are asked for.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// Those of this agent; all where none is named.
    pub agent: Option<ResourceId>,
    /// Those there; in every environment where none is named.
    pub environment: Option<String>,
}

/// A release.
#[derive(Debug, Clone)]
pub struct Found {
    /// Its commit.
    pub commit: String,
    /// What it did.
    pub manifest: Arc<Manifest>,
    /// What was overridden in it.
    pub overridden: Vec<OverrideStanding>,
}

/// One release in full.
#[derive(Debug, Clone)]
pub struct Full {
    /// Its commit.
    pub commit: String,
    /// What it did.
    pub manifest: Arc<Manifest>,
    /// The record of each agent that it changed.
    pub records: Vec<Record>,
    /// What was overridden in it.
    pub overridden: Vec<OverrideStanding>,
    /// Commands that show the same with plain Git.
    pub commands: Vec<String>,
}

/// Lists releases, newest first.
///
/// # Errors
/// An agent or environment that is none, or a ledger that cannot be read.
pub fn list(request: &Request, caller: &mut Caller<'_>) -> Result<Vec<Found>> {
    let desk = Desk::open(caller)?;
    let reader = desk.reader()?;
    let trust = reader.trust()?;
    let rungs: Vec<String> = match &request.environment {
        None => trust.ladder().rungs().to_vec(),
        Some(named) => {
            check_environment(trust.ladder(), named)?;
            vec![named.clone()]
        }
    };
    let marks = Marks::read(&reader, &trust)?;
    let mut found = Vec::new();
    for rung in rungs.iter().rev() {
        for commit in commits(&reader, rung, request.agent.as_ref())? {
            let Some(manifest) = reader.manifest(commit)? else { break };
            let overridden = marks.all_of(&manifest.name());
            found.push(Found { commit: commit.to_string(), manifest, overridden });
        }
    }
    found.sort_by_key(|release| std::cmp::Reverse(release.manifest.timestamp));
    if found.is_empty() {
        match &request.agent {
            Some(agent) if reader.version_tags(agent)?.is_empty() => return Err(never_released(agent, &reader)?.into()),
            _ => caller.notice(match &request.environment {
                Some(environment) => format!("there are no such releases in `{environment}`"),
                None => "there are no releases yet; `joch apply -f .` makes the first".to_owned(),
            }),
        }
    }
    Ok(found)
}

/// Describes the release called `prod/41`.
///
/// # Errors
/// There is no such release, or it cannot be read.
pub fn describe(name: &str, caller: &mut Caller<'_>) -> Result<Full> {
    let desk = Desk::open(caller)?;
    let reader = desk.reader()?;
    check(name, &reader)?;
    let commit = release_commit(&reader, name)?;
    let missing = || Failure::could_not("object-missing", format!("the commit of release {name} holds no manifest"));
    let manifest = reader.manifest(commit)?.ok_or_else(missing)?;
    let mut records = Vec::new();
    for agent in &manifest.agents {
        records.extend(reader.record(commit, &layout::record(&agent.id()))?);
    }
    let git = format!("git -C {}", shown(&desk.path, caller));
    let tag = format!("release/{name}");
    let mut commands = vec![
        format!("{git} show {tag}"),
        format!("{git} show trust:allowed_signers > allowed_signers"),
        format!("{git} -c gpg.ssh.allowedSignersFile=\"$PWD/allowed_signers\" verify-tag {tag}"),
    ];
    commands.extend(manifest.agents.iter().map(|agent| format!("{git} show {tag}:{}", layout::record(&agent.id()))));
    let overridden = Marks::read(&reader, &reader.trust()?)?.all_of(name);
    Ok(Full { commit: commit.to_string(), manifest, records, overridden, commands })
}

/// The commits of releases in an environment, newest first.
fn commits(reader: &Reader<'_>, environment: &str, agent: Option<&ResourceId>) -> Result<Vec<ObjectId>> {
    match agent {
        Some(agent) => Ok(records(reader, environment, agent)?.into_iter().map(|(commit, _)| commit).collect()),
        None => {
            let history = reader.snapshot().first_parents(reader.tip(environment)?);
            Ok(history.map(|commit| commit.map(|commit| commit.id)).collect::<Result<_, _>>()?)
        }
    }
}

/// Checks that there is a release of this name.
fn check(name: &str, reader: &Reader<'_>) -> Result<()> {
    let Some(layout::Tag::Release { environment, number }) = layout::Tag::parse(&format!("release/{name}")) else {
        return Err(Failure::usage(format!("`{name}` is no release"))
            .next("a release is named by environment and number, such as `prod/41`; `joch get releases` lists them")
            .into());
    };
    check_environment(reader.trust()?.ladder(), &environment)?;
    if reader.snapshot().tag(&layout::release_tag(&environment, number))?.is_some() {
        return Ok(());
    }
    let latest = reader.environment(&environment)?.manifest()?;
    let failure = Failure::could_not("not-found", format!("`{environment}` has no release {number}"));
    Err(match latest {
        Some(latest) => failure.next(format!("its latest is {}", latest.name())),
        None => failure.next(format!("nothing was released to `{environment}` yet")),
    }
    .into())
}

/// A path as the caller would type it.
fn shown(path: &std::path::Path, caller: &Caller<'_>) -> String {
    path.strip_prefix(&caller.directory).unwrap_or(path).display().to_string()
}
