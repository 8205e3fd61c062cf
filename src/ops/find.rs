//! What a person means by the words of a command: kinds, names, environments.

use anyhow::Result;

use crate::ledger::{Environment, Reader};
use crate::resource::name::{check_kind, check_name, nearest};
use crate::resource::{Kind, ResourceId};
use crate::trust::Ladder;

use super::caller::Caller;
use super::failure::Failure;

/// A resource as a command names it: `support-triage`, `policy/pii`, or `policy pii`. A bare name is an
/// agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Its kind.
    pub kind: Kind,
    /// Its name.
    pub name: String,
}

impl Target {
    /// The resource, in the namespace that the caller works in.
    #[must_use]
    pub fn id(&self, caller: &Caller<'_>) -> ResourceId {
        ResourceId::new(self.kind.clone(), caller.namespace(), &self.name)
    }
}

/// Reads the words that name one resource.
///
/// # Errors
/// A kind that joch does not know, or more words than a name has.
pub fn parse_target(words: &[String]) -> Result<Target, Failure> {
    let target = |kind: &str, name: &str| {
        check_name(name).map_err(|rule| Failure::usage(format!("`{name}` names no resource: {rule}")))?;
        Ok(Target { kind: parse_kind(kind)?, name: name.to_owned() })
    };
    match words {
        [one] => match one.split_once('/') {
            Some((kind, name)) => target(kind, name),
            None => target("agent", one),
        },
        [kind, name] => target(kind, name),
        _ => Err(Failure::usage("one resource is named as `NAME`, `KIND/NAME` or `KIND NAME`")),
    }
}

/// Reads the word for a kind.
///
/// # Errors
/// The nearest kind that joch knows.
pub fn parse_kind(word: &str) -> Result<Kind, Failure> {
    if let Some(kind) = Kind::from_word(word) {
        return Ok(kind);
    }
    if word.starts_with(|c: char| c.is_ascii_uppercase()) {
        return Ok(Kind::from_name(word));
    }
    let meant = nearest(word, Kind::words());
    let message = format!("`{word}` is no kind of resource");
    match meant {
        Some(meant) => Err(Failure::usage(message).next(format!("did you mean `{meant}`?"))),
        // A kind that joch does not know is named as joch prints it: `feature-flags`.
        None if word.contains('-') && check_kind(Kind::from_singular(word).name()).is_ok() => {
            Ok(Kind::from_singular(word))
        }
        None => Err(Failure::usage(message).next("`joch schema` lists the kinds; others are written as in files")),
    }
}

/// Checks that `name` is an environment of the ladder.
///
/// # Errors
/// It is none.
pub(super) fn check_environment(ladder: &Ladder, name: &str) -> Result<(), Failure> {
    if ladder.has(name) {
        return Ok(());
    }
    Err(Failure::could_not("not-found", ladder.unknown(name)).next("`joch get environments` lists what there is"))
}

/// The failure that there is no such resource, with the nearest that there is.
///
/// # Errors
/// The catalog cannot be read.
pub(super) fn not_found(id: &ResourceId, environment: &Environment<'_, '_>) -> Result<Failure> {
    let names: Vec<String> = if id.kind == Kind::Agent {
        environment
            .agents()?
            .into_iter()
            .filter(|agent| agent.namespace == id.namespace)
            .map(|agent| agent.name)
            .collect()
    } else {
        let entries = environment.entries(&id.kind)?;
        entries.iter().map(|entry| entry.id()).filter(|e| e.namespace == id.namespace).map(|e| e.name.clone()).collect()
    };
    let failure = Failure::could_not("not-found", format!("there is no {id} in `{}`", environment.name()));
    Ok(match nearest(&id.name, names.iter().map(String::as_str)) {
        Some(meant) => failure.next(format!("did you mean `{meant}`?")),
        None => {
            failure.next(format!("`joch get {} --env {}` lists what there is", id.kind.plural(), environment.name()))
        }
    })
}

/// The failure that a resource was never released anywhere.
///
/// # Errors
/// The tags cannot be read.
pub(super) fn never_released(id: &ResourceId, reader: &Reader<'_>) -> Result<Failure> {
    let prefix = format!("{}/{}/", id.kind.singular(), id.namespace);
    let tags = reader.snapshot().tags(&prefix)?;
    let names = tags.iter().filter_map(|(name, _)| name.strip_prefix(&prefix)?.split('/').next());
    let failure = Failure::could_not("not-found", format!("{id} was never applied"));
    Ok(match nearest(&id.name, names) {
        Some(meant) => failure.next(format!("did you mean `{meant}`?")),
        None => failure.next(format!("`joch get {}` lists what there is", id.kind.plural())),
    })
}
