//! Whether enough admins agreed to a change of trust that asks for less.
//!
//! A statement counts for exactly this change: every record from one content to another, all of them together, under
//! the settings that held. The admins are those of the state before.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::{DateTime, Duration, Utc};

use crate::resource::{Digest, Resource, ResourceId};
use crate::trust::{LedgerSettings, Principal, Trust, settings_id};

use super::statement::{CLOCK_LEEWAY_MINUTES, Change, Decision, LONGEST_EXPIRY_HOURS, Predicate, Proposed, Vote};

/// What statements about a change of trust name as their environment: no environment can be called so.
pub const TRUST_CHANGE: &str = "trust";

/// How the admins spoke.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Agreement {
    /// Who agrees; each person once.
    pub yes: BTreeSet<String>,
    /// Who does not.
    pub no: BTreeSet<String>,
    /// What did not count, and why.
    pub void: Vec<String>,
}

/// The records that a change of trust moves, each bound to all of them and to the settings that held.
#[must_use]
pub fn trust_changes(before: &Trust, after: &Trust) -> Vec<Change> {
    let ids: BTreeSet<&ResourceId> = before.resources.keys().chain(after.resources.keys()).collect();
    let of = |trust: &Trust, id: &ResourceId| trust.resources.get(id).map(|resource| Resource::digest(resource));
    let mut moved: Vec<(ResourceId, Option<Digest>, Option<Digest>)> = ids
        .into_iter()
        .map(|id| (id.clone(), of(before, id), of(after, id)))
        .filter(|(_, from, to)| from != to)
        .collect();
    let settings = |trust: &Trust| Digest::of(trust.settings.to_yaml());
    if before.settings != after.settings {
        moved.push((settings_id(), Some(settings(before)), Some(settings(after))));
    }
    let hex = |digest: &Option<Digest>| digest.map_or_else(|| "-".to_owned(), |digest| digest.hex());
    let lines: String =
        moved.iter().map(|(id, from, to)| format!("{} {} {}\n", id.full(), hex(from), hex(to))).collect();
    let (writes, gate_rules) = (Digest::of(lines), settings(before));
    let change =
        |(resource, from, to)| Change { resource, from, to, writes, gate_rules, from_version: None, to_version: None };
    moved.into_iter().map(change).collect()
}

/// What each of these changes would write, for people to read before they agree.
#[must_use]
pub fn proposed(after: &Trust, changes: &[Change]) -> Vec<Proposed> {
    let text = |id: &ResourceId| match *id == settings_id() {
        true => Some(after.settings.to_yaml()),
        false => after.resources.get(id).map(|resource| resource.canonical()),
    };
    changes.iter().map(|change| Proposed { resource: change.resource.clone(), text: text(&change.resource) }).collect()
}

/// The trust that a proposal leads to, made from the texts that it carries and taken only if the change to it is
/// exactly the one that the proposal binds.
///
/// # Errors
/// Trust has moved on since, or the texts are not those of the change.
pub fn proposed_trust(before: &Trust, said: &Predicate) -> Result<Trust, String> {
    if let Some(why) = unfit(before, &said.changes) {
        return Err(why);
    }
    if said.proposed.is_empty() {
        return Err("it carries no text of what it would write".into());
    }
    let (mut settings, mut resources) = (before.settings.clone(), before.resources.clone());
    for Proposed { resource, text } in &said.proposed {
        match text {
            Some(text) if *resource == settings_id() => settings = LedgerSettings::parse(text)?,
            Some(text) => {
                resources.insert(resource.clone(), Arc::new(Resource::from_canonical(text)?));
            }
            None => drop(resources.remove(resource)),
        }
    }
    let after = Trust::new(before.commit.clone(), settings, resources, before.signers.clone())?;
    if bare(&trust_changes(before, &after)) != bare(&said.changes) {
        return Err("the texts that it carries are not those of the change that it binds".into());
    }
    Ok(after)
}

/// Why trust, as it is, is not what a change starts from.
#[must_use]
pub fn unfit(trust: &Trust, changes: &[Change]) -> Option<String> {
    let settings = Digest::of(trust.settings.to_yaml());
    let stands = |id: &ResourceId| match *id == settings_id() {
        true => Some(settings),
        false => trust.resources.get(id).map(|resource| Resource::digest(resource)),
    };
    let moved =
        changes.iter().find(|change| stands(&change.resource) != change.from || change.gate_rules != settings)?;
    let what = if stands(&moved.resource) == moved.from { settings_id() } else { moved.resource.clone() };
    Some(format!("trust has changed since: {what} is not what it was"))
}

/// Counts the statements on a change of trust, oldest first; whoever makes the change agrees to it. `asked` tells of
/// each vote whether it is a proposal, which says yes too.
#[must_use]
pub fn agreement(
    before: &Trust,
    changes: &[Change],
    votes: &[(Vote, bool)],
    operator: &Principal,
    now: DateTime<Utc>,
) -> Agreement {
    let admins = before.admins();
    let mut agreement = Agreement::default();
    let mut last: BTreeMap<String, bool> = BTreeMap::new();
    for (vote, asked) in votes {
        let Some(person) = before.principal(&vote.key) else { continue };
        if !admins.contains(person.name.as_str()) {
            agreement.void.push(format!("{person}: no admin before the change"));
            continue;
        }
        match spoken(vote, *asked, changes, now) {
            Ok(yes) => drop(last.insert(person.name, yes)),
            Err(why) => agreement.void.push(format!("{person}: {why}")),
        }
    }
    for (name, yes) in last {
        if yes {
            agreement.yes.insert(name)
        } else {
            agreement.no.insert(name)
        };
    }
    if admins.contains(operator.name.as_str()) && !agreement.no.contains(&operator.name) {
        agreement.yes.insert(operator.name.clone());
    }
    agreement
}

/// Whether a statement says yes or no to exactly these changes, or why it says nothing.
fn spoken(vote: &Vote, asked: bool, changes: &[Change], now: DateTime<Utc>) -> Result<bool, String> {
    let said = &vote.predicate;
    if said.environment != TRUST_CHANGE || bare(&said.changes) != bare(changes) {
        return Err("it was about another change".into());
    }
    let yes = match said.decision {
        Some(Decision::Reject) => return Ok(false),
        Some(Decision::Approve) => true,
        None => asked,
    };
    if !yes {
        return Err("it decides nothing".into());
    }
    if vote.spent {
        return Err("it was used for this change before".into());
    }
    if said.stated_at > vote.carried_at + Duration::minutes(CLOCK_LEEWAY_MINUTES) {
        return Err("it is dated later than the ledger took it in".into());
    }
    if said.expires.min(vote.carried_at + Duration::hours(LONGEST_EXPIRY_HOURS)) <= now {
        return Err("expired".into());
    }
    Ok(true)
}

/// Changes without what is only for people to read.
fn bare(changes: &[Change]) -> BTreeSet<String> {
    let key = |change: &Change| {
        let digest = |digest: Option<Digest>| digest.map_or_else(String::new, |digest| digest.hex());
        let (from, to) = (digest(change.from), digest(change.to));
        format!("{} {from} {to} {} {}", change.resource.full(), change.writes, change.gate_rules)
    };
    changes.iter().map(key).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::{DEFAULT_EXPIRY_HOURS, Predicate};
    use crate::trust::sample::{key, team, trust};

    fn before() -> Trust {
        trust([team("t", &["ana admin 1", "ben admin 2,3", "cleo admin 4", "olga operator 5"])])
    }

    fn after() -> Trust {
        let people = ["ana admin 1", "ben admin 2,3", "cleo admin 4", "olga operator 5", "eve admin 9"];
        trust([team("t", &people)])
    }

    fn now() -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + Duration::days(20_000)
    }

    fn vote(seed: u8, decision: Option<Decision>, changes: &[Change]) -> (Vote, bool) {
        let predicate = Predicate {
            decision,
            team: None,
            ledger: None,
            environment: TRUST_CHANGE.into(),
            source: None,
            changes: changes.to_vec(),
            request: None,
            stated_at: now() - Duration::hours(1),
            expires: now() + Duration::hours(DEFAULT_EXPIRY_HOURS),
            rationale: None,
            proposed: Vec::new(),
        };
        let (id, carried_at) = (format!("item-{seed}"), predicate.stated_at);
        let principal = before().principal(&key(seed));
        (Vote { id, principal, key: key(seed), predicate, carried_at, spent: false }, decision.is_none())
    }

    fn told(votes: &[(Vote, bool)]) -> (Vec<String>, Vec<String>) {
        let ana = Principal { name: "ana".into(), automation: false };
        let found = agreement(&before(), &trust_changes(&before(), &after()), votes, &ana, now());
        (found.yes.into_iter().collect(), found.void)
    }

    #[test]
    fn each_admin_counts_once_and_only_for_exactly_this_change() {
        let changes = trust_changes(&before(), &after());
        let yes = Some(Decision::Approve);
        assert_eq!(told(&[]).0, ["ana"]);
        assert_eq!(told(&[vote(1, yes, &changes)]).0, ["ana"], "her own yes adds nothing");
        assert_eq!(told(&[vote(2, yes, &changes), vote(3, yes, &changes)]).0, ["ana", "ben"], "two keys, one person");
        assert_eq!(told(&[vote(4, None, &changes)]).0, ["ana", "cleo"], "who proposes it agrees");
        let other = trust_changes(&after(), &before());
        assert_eq!(
            told(&[vote(2, yes, &other)]),
            (vec!["ana".into()], vec!["ben: it was about another change".into()])
        );
        assert_eq!(told(&[vote(5, yes, &changes)]).1, ["olga: no admin before the change"]);
        assert_eq!(told(&[vote(9, yes, &changes)]), (vec!["ana".into()], Vec::new()), "an admin who comes with it");
    }

    #[test]
    fn a_no_takes_back_a_yes_and_time_runs_out() {
        let changes = trust_changes(&before(), &after());
        let (yes, no) = (vote(2, Some(Decision::Approve), &changes), vote(3, Some(Decision::Reject), &changes));
        assert_eq!(told(&[yes.clone(), no.clone()]).0, ["ana"]);
        assert_eq!(told(&[no, yes.clone()]).0, ["ana", "ben"]);
        let mut old = yes.clone();
        old.0.predicate.expires = now();
        assert_eq!(told(&[old]).1, ["ben: expired"]);
        let mut used = yes;
        used.0.spent = true;
        assert_eq!(told(&[used]).1, ["ben: it was used for this change before"]);
    }

    #[test]
    fn the_texts_of_a_proposal_count_only_for_the_change_that_it_binds() {
        let changes = trust_changes(&before(), &after());
        let mut said = vote(2, None, &changes).0.predicate;
        assert_eq!(proposed_trust(&before(), &said).unwrap_err(), "it carries no text of what it would write");
        said.proposed = proposed(&after(), &changes);
        assert_eq!(proposed_trust(&before(), &said).expect("a fit").resources, after().resources);
        let why = proposed_trust(&after(), &said).unwrap_err();
        assert_eq!(why, "trust has changed since: team/t is not what it was");
        said.proposed = proposed(&before(), &changes);
        let why = proposed_trust(&before(), &said).unwrap_err();
        assert_eq!(why, "the texts that it carries are not those of the change that it binds");
    }

    #[test]
    fn a_change_of_settings_is_a_change() {
        let mut after = before();
        after.settings.quorum = 1;
        let changes = trust_changes(&before(), &after);
        assert_eq!(changes.len(), 1);
        assert_eq!(changes[0].resource, settings_id());
    }
}
