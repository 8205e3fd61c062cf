//! The approval gate: enough people of a team, none of them the operator or an author of the change.

use std::collections::BTreeMap;

use chrono::Duration;

use crate::trust::Principal;

use super::evidence::{Evidence, Subject};
use super::statement::{CLOCK_LEEWAY_MINUTES, Decision, LONGEST_EXPIRY_HOURS, Vote};
use super::verdict::{GateResult, Verdict};

/// How one statement was counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Counted {
    /// A yes that counts.
    Yes,
    /// The yes of the only person that trust knows.
    SelfApproved,
    /// A no that counts.
    No,
    /// Does not count, for this reason.
    Void(String),
    /// Was about something else; what differs.
    Stale(String),
    /// Ran out.
    Expired,
    /// The same person spoke again later.
    Superseded,
}

/// Every statement about a subject with how it counts for one team.
pub type Tally<'a> = Vec<(&'a Vote, Counted)>;

/// Judges the demand for `needed` approvals of `team`.
pub(super) fn judge(team: &str, needed: u32, subject: &Subject, evidence: &Evidence<'_>) -> GateResult {
    let tally = tally(team, subject, evidence);
    let name = |vote: &Vote| vote.principal.as_ref().map_or_else(|| vote.key.fingerprint(), Principal::to_string);
    let of = |wanted: fn(&Counted) -> bool| {
        tally.iter().filter(move |(_, counted)| wanted(counted)).map(|(vote, _)| name(vote)).collect::<Vec<_>>()
    };
    let yes = of(|counted| matches!(counted, Counted::Yes | Counted::SelfApproved));
    let no = of(|counted| matches!(counted, Counted::No));
    let alone = tally.iter().any(|(_, counted)| *counted == Counted::SelfApproved);
    let mut result = GateResult {
        observed: Some(format!("{} of {needed}", yes.len())),
        threshold: Some(format!("{needed} of team {team}")),
        evidence: tally.iter().map(|(vote, _)| vote.id.clone()).collect(),
        ..GateResult::new("approval", team, Verdict::Pass)
    };
    let void: Vec<_> =
        tally.iter().filter_map(|(vote, counted)| Some(format!("{}: {}", name(vote), why(counted)?))).collect();
    let aside = if void.is_empty() { String::new() } else { format!("; not counted: {}", void.join("; ")) };
    if !no.is_empty() {
        result.verdict = Verdict::Fail;
        result.reason = format!("rejected by {}", no.join(", "));
        result.next = Some("change what was rejected, or have the same person approve it after all".into());
    } else if yes.len() >= needed as usize {
        let own = if alone { " (self: the only person trust knows)" } else { "" };
        result.reason = format!("approved by {}{own}", yes.join(", "));
    } else if evidence.trust.approvers(team).is_none() && evidence.trust.people().len() > 1 {
        result.verdict = Verdict::Missing;
        result.reason = format!("trust knows no team `{team}`, so nobody can approve for it{aside}");
        result.next = Some(format!("an admin applies a Team named `{team}` with its members and their keys"));
    } else {
        result.verdict = Verdict::Pending;
        result.reason = format!("{} of {needed} approvals of team {team}{aside}", yes.len());
        result.next = Some(ask(team, evidence));
    }
    result
}

/// Who can still say yes, in words.
fn ask(team: &str, evidence: &Evidence<'_>) -> String {
    let people = evidence.trust.people();
    let may = |user: &&str| {
        people.contains(user)
            && (people.len() == 1 || (*user != evidence.operator.name && !evidence.authors.contains(*user)))
    };
    let members = evidence.trust.approvers(team).unwrap_or_default();
    let able: Vec<_> =
        if people.len() == 1 { people.iter().copied().collect() } else { members.into_iter().filter(may).collect() };
    if able.is_empty() {
        return format!(
            "nobody of team {team} can approve: each is without a key, the operator, or an author of the change"
        );
    }
    format!("{} can approve", able.join(" or "))
}

/// Every statement about `subject`, oldest first, and how it counts for `team`.
#[must_use]
pub fn tally<'a>(team: &str, subject: &Subject, evidence: &'a Evidence<'_>) -> Tally<'a> {
    let mut tally: Tally<'a> = evidence.votes.iter().map(|vote| (vote, count(vote, team, subject, evidence))).collect();
    let mut last: BTreeMap<String, usize> = BTreeMap::new();
    for at in 0..tally.len() {
        let (vote, counted) = &tally[at];
        let Some(principal) = &vote.principal else { continue };
        if !matches!(counted, Counted::Yes | Counted::SelfApproved | Counted::No) {
            continue;
        }
        if let Some(earlier) = last.insert(principal.name.clone(), at) {
            tally[earlier].1 = Counted::Superseded;
        }
    }
    tally
}

/// A rejection blocks also where nobody's approval is demanded: that of anyone who may approve for some team.
pub(super) fn rejected(subject: &Subject, evidence: &Evidence<'_>) -> Option<GateResult> {
    let teams = evidence.trust.teams().map(|team| team.id().name.clone());
    let by_team = teams.map(|team| tally(&team, subject, evidence));
    let no = by_team.flatten().find(|(vote, counted)| *counted == Counted::No && vote.principal.is_some())?;
    let who = no.0.principal.as_ref().map(Principal::to_string).unwrap_or_default();
    Some(GateResult {
        reason: format!("rejected by {who}"),
        next: Some("change what was rejected, or have the same person approve it after all".into()),
        evidence: vec![no.0.id.clone()],
        demanded_by: vec!["every environment".into()],
        ..GateResult::new("approval", "", Verdict::Fail)
    })
}

fn count(vote: &Vote, team: &str, subject: &Subject, evidence: &Evidence<'_>) -> Counted {
    let void = |why: &str| Counted::Void(why.to_owned());
    let said = &vote.predicate;
    let Some(principal) = &vote.principal else { return void("signed by a key that trust does not list") };
    let Some(decision) = said.decision else { return void("not a decision") };
    if principal.automation {
        return void("an automation's key never counts");
    }
    let alone = evidence.trust.people().len() == 1;
    let member = evidence.trust.approvers(team).is_some_and(|members| members.contains(principal.name.as_str()));
    if !member && !alone {
        return Counted::Void(format!("not an approving member of team {team}"));
    }
    if decision == Decision::Reject {
        return count_no(vote, subject, evidence);
    }
    if said.team.as_ref().is_some_and(|named| named != team) && !alone {
        return Counted::Void(format!("speaks for another team than {team}"));
    }
    if let Some(why) = lapsed(vote, subject, evidence) {
        return why;
    }
    if alone {
        return Counted::SelfApproved;
    }
    if *principal == *evidence.operator {
        return void("the operator's own approval does not count");
    }
    if evidence.authors.contains(&principal.name) {
        return void("an author of the change does not approve it");
    }
    Counted::Yes
}

/// Why a yes counts for nobody: it was about something else, or its time is over.
pub(super) fn lapsed(vote: &Vote, subject: &Subject, evidence: &Evidence<'_>) -> Option<Counted> {
    let said = &vote.predicate;
    if said.stated_at > vote.carried_at + Duration::minutes(CLOCK_LEEWAY_MINUTES) {
        return Some(Counted::Void("it is dated later than the ledger took it in".to_owned()));
    }
    if vote.spent {
        return Some(Counted::Stale("it was given before the latest release of this here".into()));
    }
    if let Some(changed) = what_changed(vote, subject, evidence) {
        return Some(Counted::Stale(changed));
    }
    let longest = vote.carried_at + Duration::hours(LONGEST_EXPIRY_HOURS);
    (said.expires.min(longest) <= evidence.now).then_some(Counted::Expired)
}

/// A no is about the candidate, whatever stands beside it, and stays until the same person says yes: a yes that
/// is not sure does not count, a no that is not sure does.
pub(super) fn count_no(vote: &Vote, subject: &Subject, evidence: &Evidence<'_>) -> Counted {
    let said = &vote.predicate;
    let about = said.changes.iter().find(|change| change.resource == subject.resource);
    if said.environment == evidence.environment && about.is_some_and(|change| change.to == subject.to) {
        return Counted::No;
    }
    Counted::Stale(what_changed(vote, subject, evidence).unwrap_or_else(|| "it was about another change".into()))
}

/// What the statement was about, where that is not what would be released now.
fn what_changed(vote: &Vote, subject: &Subject, evidence: &Evidence<'_>) -> Option<String> {
    let said = &vote.predicate;
    let Some(change) = said.changes.iter().find(|change| change.resource == subject.resource) else {
        return Some(format!("it was not about {}", subject.resource));
    };
    let short = |digest: Option<crate::resource::Digest>| digest.map_or_else(|| "nothing".to_owned(), |d| d.short());
    let mut changed = Vec::new();
    if said.environment != evidence.environment {
        changed.push(format!("it was for `{}`", said.environment));
    }
    if change.to != subject.to {
        changed.push(format!("the candidate was {} and is {}", short(change.to), short(subject.to)));
    }
    if change.from != subject.from {
        changed.push(format!("`{}` ran {} and runs {}", evidence.environment, short(change.from), short(subject.from)));
    }
    if change.writes != subject.writes {
        changed.push("what else the change writes is different".to_owned());
    }
    if change.gate_rules != evidence.gate_rules {
        changed.push("the gate rules are different".to_owned());
    }
    (!changed.is_empty()).then(|| changed.join(", "))
}

/// Why a statement does not count, if that is to be shown.
pub(super) fn why(counted: &Counted) -> Option<String> {
    match counted {
        Counted::Yes | Counted::SelfApproved | Counted::No | Counted::Superseded => None,
        Counted::Void(why) => Some(why.clone()),
        Counted::Stale(changed) => Some(format!("stale, {changed}")),
        Counted::Expired => Some("expired".into()),
    }
}
