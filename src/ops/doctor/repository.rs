//! The ledger: that it is there, that it is the one that is pinned, and how its repository fares.

use std::path::PathBuf;

use anyhow::Result;

use crate::ledger::{Health, Interrupted, Reader, Repository};
use crate::ops::caller::Caller;
use crate::ops::desk::Desk;
use crate::release::layout;
use crate::trust::{PublicKey, Trust};
use crate::workspace::Project;

use super::{Check, State, agents};

/// From this many on, reading gets noticeably slower.
const MANY_LOOSE_OBJECTS: usize = 50_000;
/// See above; each is a file that listing opens.
const MANY_LOOSE_REFS: usize = 2_000;
/// How many things of one sort are named before the rest is counted.
const NAMED: usize = 5;

/// Every check of the ledger.
pub(super) fn check(project: &Project, key: Option<&PublicKey>, caller: &Caller<'_>) -> Vec<Check> {
    let path = project.ledger(caller.variable("JOCH_LEDGER"), &caller.directory);
    if !path.exists() {
        return vec![absent(project, caller)];
    }
    // Settled before `Desk::open` does it and says nothing.
    let settled = match Repository::open(&path).and_then(|repository| repository.heal()) {
        Ok(settled) => settled,
        Err(why) => return vec![Check::of_error("ledger", State::Fail, &why.into())],
    };
    let opened = Desk::open(caller).and_then(|desk| {
        let health = desk.repository.health()?;
        let reader = desk.reader()?;
        let mut checks = vec![Check::ok("ledger", path.display().to_string())];
        checks.extend(repository(settled.as_ref(), &health, &path.display().to_string()));
        checks.push(left_over(&desk.repository.left_over()?));
        checks.extend(contents(&reader, &health, key, &path.display().to_string())?);
        Ok(checks)
    });
    opened.unwrap_or_else(|why| vec![Check::of_error("ledger", State::Fail, &why)])
}

/// There is no ledger: nothing is wrong where none is pinned.
fn absent(project: &Project, caller: &Caller<'_>) -> Check {
    let state = if project.config.trust_root.is_some() { State::Fail } else { State::Warn };
    match Desk::open(caller) {
        Err(why) => Check::of_error("ledger", state, &why),
        Ok(_) => Check::new("ledger", State::Unknown, "it appeared just now").next("run `joch doctor` again"),
    }
}

/// The repository itself.
fn repository(settled: Option<&Interrupted>, now: &Health, path: &str) -> Vec<Check> {
    let mut checks = Vec::new();
    checks.push(match settled {
        Some(interrupted) => Check::ok("journal", told(interrupted)),
        None if now.interrupted => Check::warn("journal", "a command was interrupted, or is at work right now")
            .next("run `joch doctor` again when nothing else writes to the ledger"),
        None => Check::ok("journal", "no command was interrupted"),
    });
    if now.drifted.is_empty() {
        checks.push(Check::ok("settings", "as the ledger was made"));
    }
    for drift in &now.drifted {
        let is = drift.now.as_ref().map_or_else(|| "not set".to_owned(), |now| format!("`{now}`"));
        let message =
            format!("`{}` is {is} and was made `{}`, which keeps plain Git from losing objects", drift.key, drift.made);
        checks
            .push(Check::warn("settings", message).next(format!("git -C {path} config {} {}", drift.key, drift.made)));
    }
    let message = format!("loose objects {}, packs {}, loose refs {}", now.loose_objects, now.packs, now.loose_refs);
    let many = now.loose_refs > MANY_LOOSE_REFS || now.loose_objects > MANY_LOOSE_OBJECTS;
    checks.push(if many {
        Check::warn("storage", message).next("joch gc packs them, and reading is faster")
    } else {
        Check::ok("storage", message)
    });
    checks
}

/// Which change a killed command had begun, and what became of it.
fn told(interrupted: &Interrupted) -> String {
    let release = interrupted.references.iter().find_map(|name| name.strip_prefix("refs/tags/release/"));
    let branch = interrupted.references.last().map(|name| name.trim_start_matches("refs/heads/"));
    let change = match (release, branch) {
        (Some(release), _) => format!("the release {release}"),
        (None, Some(branch)) => format!("a change of `{branch}`"),
        (None, None) => "a change".to_owned(),
    };
    match interrupted.finished {
        true => format!("{change} was interrupted, and is finished now"),
        false => format!("{change} was interrupted and is undone, as if it had never begun: run it again"),
    }
}

/// What killed programs left.
fn left_over(paths: &[PathBuf]) -> Check {
    match paths {
        [] => Check::ok("left-overs", "none"),
        [first, ..] => {
            let message = format!("{} of killed programs, such as `{}`", paths.len(), first.display());
            Check::warn("left-overs", message).next("joch gc removes them")
        }
    }
}

/// What the ledger says: trust, its branches and tags, and the agents.
fn contents(reader: &Reader<'_>, health: &Health, key: Option<&PublicKey>, path: &str) -> Result<Vec<Check>> {
    let trust = match reader.trust() {
        Ok(trust) => trust,
        Err(why) => return Ok(vec![Check::of_error("trust", State::Fail, &why.into())]),
    };
    let mut checks = vec![standing(&trust), operator(&trust, key)];
    checks.push(head(&trust, health, path));
    checks.push(references(reader, &trust)?);
    checks.extend(agents::check(reader, &trust));
    Ok(checks)
}

fn standing(trust: &Trust) -> Check {
    let admins: Vec<_> = trust.admins().into_iter().collect();
    let message = format!(
        "ladder {}; admins {}; a change needs {} of them",
        trust.ladder().rungs().join(" → "),
        admins.join(", "),
        trust.quorum()
    );
    let keys = trust.keys().into_iter().filter(|(principal, _)| admins.contains(&principal.as_str())).count();
    match keys {
        0 | 1 => Check::warn("trust", format!("{message}; with that one key lost, nobody could change trust"))
            .next("enrol a second admin, or keep a second key of the same one, in a Team under `spec.members`"),
        _ => Check::ok("trust", message),
    }
}

/// Whom trust takes the caller for.
fn operator(trust: &Trust, key: Option<&PublicKey>) -> Check {
    let Some(key) = key else {
        return Check::warn("operator", "without a key you can read and verify, and write nothing");
    };
    let Some(principal) = trust.principal(key) else {
        let line = format!("- {{user: YOU@EXAMPLE.COM, role: operator, keys: [\"{key}\"]}}");
        return Check::warn("operator", format!("trust lists nobody for your key {}", key.fingerprint()))
            .next(format!("an admin adds this under `spec.members` of a Team and applies it: `{line}`"));
    };
    let rungs = trust.ladder().rungs().iter();
    let writes: Vec<_> =
        rungs.filter(|rung| trust.check_writer(&principal, rung).is_ok()).map(String::as_str).collect();
    let admin = if trust.is_admin(&principal) { ", an admin" } else { "" };
    let machine = if principal.automation { ", an automation" } else { "" };
    let may = if writes.is_empty() { "nowhere".to_owned() } else { writes.join(", ") };
    Check::ok("operator", format!("{principal}{admin}{machine}; may write to {may}"))
}

fn head(trust: &Trust, health: &Health, path: &str) -> Check {
    let last = trust.ladder().last();
    match health.head.as_deref() {
        Some(head) if head == last => Check::ok("head", format!("`HEAD` is `{last}`, the last rung")),
        head => {
            let is = head.map_or_else(|| "on no branch".to_owned(), |head| format!("`{head}`"));
            Check::warn("head", format!("`HEAD` is {is}; clones would not show `{last}` first"))
                .next(format!("git -C {path} symbolic-ref HEAD refs/heads/{last}"))
        }
    }
}

/// Branches that are missing, and references that are none of the ledger's: a tag called `prod` would answer for
/// the branch.
fn references(reader: &Reader<'_>, trust: &Trust) -> Result<Check> {
    let belongs = |branch: &str| trust.ladder().has(branch) || [layout::TRUST, layout::EVIDENCE].contains(&branch);
    let missing: Vec<_> = trust
        .ladder()
        .rungs()
        .iter()
        .map(String::as_str)
        .chain([layout::EVIDENCE])
        .filter(|branch| reader.snapshot().branch(branch).is_none())
        .collect();
    if !missing.is_empty() {
        return Ok(Check::fail("references", format!("there is no branch `{}`", missing.join("`, `")))
            .next("fetch the ledger again from a clone that is whole"));
    }
    let all = reader.snapshot().all_refs()?;
    let strange: Vec<_> = all
        .keys()
        .map(String::as_str)
        .filter(|name| match (name.strip_prefix("refs/heads/"), name.strip_prefix("refs/tags/")) {
            (Some(branch), _) => !belongs(branch),
            (_, Some(tag)) => layout::Tag::parse(tag).is_none(),
            _ => true,
        })
        .collect();
    if strange.is_empty() {
        return Ok(Check::ok("references", format!("{}, each of the ledger's own", all.len())));
    }
    let more = if strange.len() > NAMED { format!(" and {} more", strange.len() - NAMED) } else { String::new() };
    let named = strange.iter().take(NAMED).copied().collect::<Vec<_>>().join("`, `");
    Ok(Check::fail("references", format!("`{named}`{more} belong to no ledger"))
        .next("find out who made them; `git update-ref -d NAME` takes one away"))
}
