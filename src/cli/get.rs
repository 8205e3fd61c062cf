//! `joch get`.

use std::collections::BTreeMap;

use anyhow::Result;
use clap::Args;

use crate::ops::{Caller, Failure, approvals, get, history, parse_kind, releases};
use crate::render::view::{History, ListedRelease, ListedResource, ReleaseList, ResourceList};
use crate::resource::{Kind, ResourceId};

use super::global::Answer;

/// List resources and their versions, the history of one, releases, or approvals
#[derive(Debug, Args)]
pub(super) struct GetArgs {
    /// KIND, KIND NAME or KIND/NAME; KIND may also be `releases` or `holds`
    #[arg(required = true, num_args = 1..=2, value_name = "KIND [NAME]")]
    words: Vec<String>,
    /// Environment; all of them where none is named
    #[arg(long, alias = "context", value_name = "ENV")]
    env: Option<String>,
    /// Only what has these labels
    #[arg(short = 'l', long = "selector", value_name = "KEY=VALUE", value_delimiter = ',')]
    labels: Vec<String>,
    /// Every version of one resource; with `--env` its releases there
    #[arg(long)]
    history: bool,
    /// For `releases`: only those of this agent
    #[arg(long, value_name = "NAME")]
    agent: Option<String>,
}

/// Words that mean releases.
pub(super) const RELEASES: [&str; 3] = ["releases", "release", "rel"];

pub(super) fn run(args: GetArgs, caller: &mut Caller<'_>) -> Result<Answer> {
    let (kind, name) = split(&args.words);
    if RELEASES.contains(&kind.to_ascii_lowercase().as_str()) {
        return match name {
            None => list_releases(args, caller),
            Some(name) => super::describe::release(&name, caller),
        };
    }
    if super::hold::HOLDS.contains(&kind.to_ascii_lowercase().as_str()) {
        return super::hold::list(name.as_deref(), args.env.as_deref(), caller);
    }
    if args.agent.is_some() {
        return Err(Failure::usage("`--agent` goes with `joch get releases`")
            .next("name the agent: `joch get agent NAME --history`")
            .into());
    }
    let kind = parse_kind(&kind)?;
    match (&kind, name) {
        (Kind::Approval, id) => list_approvals(id, args.env, caller),
        (_, None) if args.history => Err(Failure::usage("a history is of one resource")
            .next(format!("name it: `joch get {} NAME --history`", kind.singular()))
            .into()),
        (_, Some(name)) if args.history => tell_history(kind, &name, args.env, caller),
        (_, name) => list(kind, name, args, caller),
    }
}

/// KIND and NAME, however they are joined.
pub(super) fn split(words: &[String]) -> (String, Option<String>) {
    match words {
        [one] => match one.split_once('/') {
            Some((kind, name)) => (kind.to_owned(), Some(name.to_owned())),
            None => (one.clone(), None),
        },
        [kind, name, ..] => (kind.clone(), Some(name.clone())),
        [] => (String::new(), None),
    }
}

fn list(kind: Kind, name: Option<String>, args: GetArgs, caller: &mut Caller<'_>) -> Result<Answer> {
    let labels = labels(&args.labels)?;
    let request = get::Request { kind: kind.clone(), name, environment: args.env.clone(), labels };
    let outcome = get::run(&request, caller)?;
    let item = |item: get::Item| ListedResource {
        kind: item.id.kind,
        namespace: item.id.namespace,
        name: item.id.name,
        labels: item.resource.as_ref().map(|resource| resource.labels()).unwrap_or_default(),
        environments: item.standings,
        trust: item.trust,
        resource: item.resource,
    };
    Ok(Answer::done(ResourceList {
        of: kind,
        environment: args.env,
        ladder: outcome.ladder,
        items: outcome.items.into_iter().map(item).collect(),
    }))
}

fn tell_history(kind: Kind, name: &str, environment: Option<String>, caller: &mut Caller<'_>) -> Result<Answer> {
    let id = ResourceId::new(kind, caller.namespace(), name);
    let request = history::Request { id, environment };
    let outcome = history::run(&request, caller)?;
    let ResourceId { kind, namespace, name } = request.id;
    Ok(Answer::done(History { of: kind, namespace, name, environment: request.environment, items: outcome.items }))
}

fn list_releases(args: GetArgs, caller: &mut Caller<'_>) -> Result<Answer> {
    let agent = args.agent.map(|name| ResourceId::agent(caller.namespace(), name));
    let request = releases::Request { agent, environment: args.env };
    let found = releases::list(&request, caller)?.into_iter();
    let items = found.map(|release| ListedRelease {
        name: release.manifest.name(),
        commit: release.commit,
        manifest: release.manifest.as_ref().clone(),
        overridden: release.overridden,
    });
    Ok(Answer::done(ReleaseList { agent: request.agent, environment: request.environment, items: items.collect() }))
}

/// What `joch approvals` tells: an approval is a signed statement, and no file that somebody applied.
fn list_approvals(id: Option<String>, environment: Option<String>, caller: &mut Caller<'_>) -> Result<Answer> {
    if environment.is_some() {
        return Err(Failure::usage("approvals are listed for all environments")
            .next("`joch approvals ls` names the environment of each")
            .into());
    }
    super::approvals::list(&approvals::Request { id, waiting: false }, caller)
}

/// `key=value` pairs.
fn labels(words: &[String]) -> Result<BTreeMap<String, String>, Failure> {
    let pair = |word: &String| {
        let (key, value) = word.split_once('=').ok_or_else(|| {
            Failure::usage(format!("`{word}` is no label")).next("write `-l KEY=VALUE`, several with commas")
        })?;
        if key.ends_with('!') || key.is_empty() {
            return Err(Failure::usage(format!("`{word}` is no label that joch selects by"))
                .next("write `-l KEY=VALUE`; other ways to select are not there"));
        }
        Ok((key.trim_end_matches('=').to_owned(), value.trim_start_matches('=').to_owned()))
    };
    words.iter().map(pair).collect()
}
