//! `joch hold`, `joch lift` and `joch get holds`: a signed no to one version, until somebody lets it go.

use std::collections::BTreeMap;

use anyhow::Result;
use chrono::{DateTime, Duration, Utc};

use crate::gate::{HOLD_SCHEMA, Held, Hold, HoldAction, lift_command, standing_hold};
use crate::ledger::{Ballots, Reader};
use crate::release::{Numbering as _, fold, layout, write_json};
use crate::resource::{Digest, ResourceId};
use crate::trust::Trust;

use super::again::again;
use super::caller::Caller;
use super::desk::{Desk, Operating};
use super::failure::{Failure, check_reason};
use super::find::{check_environment, never_released};
use super::judge::check_order;
use super::land::{append, commit_time, signed_item};
use super::tips::check_tips;

/// What is said of which version.
#[derive(Debug, Clone)]
pub struct Request {
    /// Hold it, or let it go.
    pub action: HoldAction,
    /// The resource.
    pub resource: ResourceId,
    /// The version, as `7`, `v7`, or the digest of its content.
    pub version: String,
    /// Where; everywhere where none is named.
    pub environment: Option<String>,
    /// Why.
    pub reason: String,
}

/// What came of it.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// What was signed, or stood already.
    pub hold: Hold,
    /// Who says it.
    pub principal: String,
    /// The evidence item; none where it was so already.
    pub id: Option<String>,
    /// The evidence commit.
    pub commit: Option<String>,
    /// The command that takes it back.
    pub next: Option<String>,
}

/// A hold that stands.
#[derive(Debug, Clone)]
pub struct Listed {
    /// What was signed.
    pub hold: Hold,
    /// The id of the evidence item.
    pub id: String,
    /// Who said it.
    pub who: String,
    /// Since when.
    pub since: DateTime<Utc>,
    /// The environments in which it stands, lowest first.
    pub environments: Vec<String>,
    /// The command that lifts it.
    pub lift: String,
}

/// Signs a hold or a lift and appends it to the evidence.
///
/// # Errors
/// There is no such version; the role does not allow it; the ledger cannot be written.
pub fn run(request: &Request, caller: &mut Caller<'_>) -> Result<Outcome> {
    again(caller, |caller| attempt(request, caller))
}

fn attempt(request: &Request, caller: &mut Caller<'_>) -> Result<Outcome> {
    check_reason("--reason", &request.reason)?;
    let desk = Desk::open(caller)?;
    let mut transaction = desk.begin()?;
    let reader = desk.reader()?;
    let trust = reader.trust()?;
    let operating = desk.operating(caller, &trust)?;
    if let Some(environment) = &request.environment {
        check_environment(trust.ladder(), environment)?;
    }
    let (digest, version) = version_of(&request.resource, &request.version, &reader)?;
    let time = commit_time(&desk, &reader, &[layout::EVIDENCE], caller.now, &mut caller.notices)?;
    let mut hold = Hold {
        schema: HOLD_SCHEMA.into(),
        action: request.action,
        resource: request.resource.clone(),
        digest,
        version,
        environment: request.environment.clone(),
        reason: Some(request.reason.clone()),
        release: None,
        stated_at: time,
        ledger: Some(trust.settings.uuid.clone()),
    };
    check_voice(&hold, &trust, &operating)?;
    let place = request.environment.as_deref().unwrap_or(trust.ladder().first());
    if let Some(environment) = &request.environment {
        check_tips(&desk, &reader, &[environment])?;
    }
    check_order(&reader.environment(place)?, trust.ladder(), &reader)?;
    let principal = operating.operator.principal.name.clone();
    let ballots = Ballots { reader: &reader, commit: reader.tip(layout::EVIDENCE)?, trust: &trust };
    let said = ballots.held(&request.resource, Some(digest))?;
    let next = (request.action == HoldAction::Hold).then(|| lift_command(&hold));
    if is_so(&said, &hold, &trust) {
        return Ok(Outcome { hold, principal, id: None, commit: None, next });
    }
    let mut bytes = write_json(&hold);
    let place = |bytes: &[u8]| layout::hold(&request.resource, digest, &Digest::of(bytes).hex());
    // Two people may say the same within a second, and neither's word takes the place of the other's.
    while reader.snapshot().entry_at(ballots.commit, &place(&bytes))?.is_some() {
        hold.stated_at += Duration::seconds(1);
        bytes = write_json(&hold);
    }
    let id = Digest::of(&bytes).hex();
    let edits = signed_item(bytes, &operating, |id| layout::hold(&hold.resource, hold.digest, id))?;
    let commit = append(&mut transaction, &reader, edits.into(), message(&hold, &operating), &operating, time)?;
    desk.finish(transaction, caller)?;
    Ok(Outcome { hold, principal, id: Some(id), commit: Some(commit.to_string()), next })
}

/// Lists the holds that stand, by resource and version.
///
/// # Errors
/// There is no such environment, or the evidence cannot be read.
pub fn list(resource: Option<&str>, environment: Option<&str>, caller: &mut Caller<'_>) -> Result<Vec<Listed>> {
    let desk = Desk::open(caller)?;
    let reader = desk.reader()?;
    let trust = reader.trust()?;
    if let Some(environment) = environment {
        check_environment(trust.ladder(), environment)?;
    }
    let rungs = trust.ladder().rungs().iter().filter(|rung| environment.is_none_or(|named| named == *rung));
    let rungs: Vec<_> = rungs.cloned().collect();
    let ballots = Ballots { reader: &reader, commit: reader.tip(layout::EVIDENCE)?, trust: &trust };
    let mut said: BTreeMap<(ResourceId, Digest), Vec<Held>> = BTreeMap::new();
    for held in ballots.all_held()? {
        if resource.is_none_or(|name| held.hold.resource.name == name) {
            said.entry((held.hold.resource.clone(), held.hold.digest)).or_default().push(held);
        }
    }
    let mut listed: Vec<Listed> = Vec::new();
    for said in said.values() {
        for rung in &rungs {
            let Some(held) = standing_hold(said, rung, &trust) else { continue };
            match listed.iter_mut().find(|listed| listed.id == held.id) {
                Some(listed) => listed.environments.push(rung.clone()),
                None => listed.push(Listed {
                    hold: held.hold.clone(),
                    id: held.id.clone(),
                    who: held.who(&trust),
                    since: held.carried_at,
                    environments: vec![rung.clone()],
                    lift: lift_command(&held.hold),
                }),
            }
        }
    }
    if listed.is_empty() {
        caller.notice("nothing is on hold");
    }
    Ok(listed)
}

/// The content that is meant, and its number.
fn version_of(id: &ResourceId, named: &str, reader: &Reader<'_>) -> Result<(Digest, Option<u64>)> {
    if let Ok(digest) = named.parse::<Digest>() {
        return Ok((digest, reader.version_of(id, digest)?));
    }
    let digits = named.strip_prefix('v').unwrap_or(named);
    let number: u64 = digits.parse().map_err(|_| {
        Failure::usage(format!("`{named}` is no version")).next("a version is a number such as 7, or a digest")
    })?;
    if let Some(version) = reader.version(id, number)? {
        return Ok((version.digest, Some(number)));
    }
    let numbers = reader.version_tags(id)?;
    if numbers.is_empty() {
        return Err(never_released(id, reader)?.into());
    }
    let mut numbers: Vec<_> = numbers.into_iter().map(|(number, _)| format!("v{number}")).collect();
    numbers.reverse();
    let message = format!("there is no {id} v{number}");
    Err(Failure::could_not("not-found", message).next(format!("there is {}", numbers.join(", "))).into())
}

/// Refuses a word that would not count.
fn check_voice(hold: &Hold, trust: &Trust, operating: &Operating) -> Result<(), Failure> {
    let who = &operating.operator.principal;
    if hold.may_be_said_by(who, trust) {
        return Ok(());
    }
    if who.automation && hold.action == HoldAction::Lift {
        let message = format!("`{who}` is an automation: it may hold a version, and a person lets it go");
        return Err(Failure::credentials("automation", message).next("a person lifts it, with a key of their own"));
    }
    let (word, place) = match (hold.action, &hold.environment) {
        (HoldAction::Hold, Some(name)) => ("hold", format!("in `{name}`")),
        (HoldAction::Hold, None) => ("hold", "everywhere".to_owned()),
        (HoldAction::Lift, Some(name)) => ("lift", format!("in `{name}`")),
        (HoldAction::Lift, None) => ("lift", "everywhere".to_owned()),
    };
    let message =
        format!("`{who}` may not {word} anything {place}: it takes somebody who writes there, an approver or an admin");
    let admins = trust.admins().into_iter().collect::<Vec<_>>().join(", ");
    Err(Failure::credentials("role", message).next(format!("ask an admin: {admins}")))
}

/// Whether it is so already, in every environment that is meant.
fn is_so(said: &[Held], hold: &Hold, trust: &Trust) -> bool {
    let rungs: Vec<&str> = match &hold.environment {
        Some(environment) => vec![environment],
        None => trust.ladder().rungs().iter().map(String::as_str).collect(),
    };
    let held = |rung: &&str| standing_hold(said, rung, trust).is_some();
    match hold.action {
        HoldAction::Hold => rungs.iter().all(held),
        HoldAction::Lift => !rungs.iter().any(held),
    }
}

fn message(hold: &Hold, operating: &Operating) -> String {
    let word = match hold.action {
        HoldAction::Hold => "hold",
        HoldAction::Lift => "lift",
    };
    let version = hold.version.map_or_else(|| hold.digest.short(), |version| format!("v{version}"));
    let place = hold.environment.as_ref().map_or_else(|| "everywhere".to_owned(), |name| format!("in {name}"));
    let why = hold.reason.as_deref().map(fold).unwrap_or_default();
    let who = fold(&operating.operator.principal.name);
    format!("{word} {} {version} {place}\n\nWhy - {why}\n\nJoch-Event: {word}\nJoch-Operator: {who}\n", hold.resource)
}
