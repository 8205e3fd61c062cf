//! `joch approve`, `reject` and `approvals request|decide`: one person's signed word on a change.

use anyhow::Result;
use chrono::{DateTime, Duration, Utc};

use crate::gate::{
    APPROVAL_PREDICATE, Change, DEFAULT_EXPIRY_HOURS, Decision, Predicate, REQUEST_PREDICATE, Statement, TRUST_CHANGE,
    Vote, proposed_trust,
};
use crate::ledger::{Ballots, Edit, Reader};
use crate::release::{Plan, Record, layout};
use crate::resource::Kind;
use crate::trust::Trust;

use super::again::again;
use super::caller::Caller;
use super::desk::{Desk, Operating};
use super::failure::Failure;
use super::judge::{Asked, check_order, judge};
use super::land::{append, commit_time, signed_item};
use super::promotion::{Move, draft};
use super::quorum::used;
use super::tips::check_tips;

/// What is said of what.
#[derive(Debug, Clone)]
pub struct Request {
    /// The change.
    pub about: About,
    /// Yes, no, or only the question.
    pub decision: Option<Decision>,
    /// The team in whose name the person speaks.
    pub team: Option<String>,
    /// Why.
    pub rationale: Option<String>,
}

/// Which change is meant.
#[derive(Debug, Clone)]
pub enum About {
    /// The promotion as it would be now.
    Promotion(Move),
    /// What a request or a stopped attempt froze, by its id or the beginning of it.
    Frozen(String),
}

/// What came of it.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The id of the statement.
    pub id: String,
    /// What it says.
    pub predicate: Predicate,
    /// Who says it.
    pub principal: String,
    /// The evidence commit that carries it; none where the same was said before.
    pub commit: Option<String>,
}

/// Signs the statement and appends it to the evidence.
///
/// # Errors
/// There is nothing to decide; the person's word could not count; the ledger cannot be written.
pub fn run(request: &Request, caller: &mut Caller<'_>) -> Result<Outcome> {
    again(caller, |caller| attempt(request, caller))
}

fn attempt(request: &Request, caller: &mut Caller<'_>) -> Result<Outcome> {
    let desk = Desk::open(caller)?;
    let mut transaction = desk.begin()?;
    let reader = desk.reader()?;
    let trust = reader.trust()?;
    let operating = desk.operating(caller, &trust)?;
    let time = commit_time(&desk, &reader, &[layout::EVIDENCE], caller.now, &mut caller.notices)?;
    let mut asked = match &request.about {
        About::Promotion(wanted) => of_promotion(wanted, &reader, &trust, &desk, &operating, time, caller)?,
        About::Frozen(id) => frozen(id, &reader, &trust)?,
    };
    // A frozen question is not judged again, and a word on it would be written on top of what was rewound.
    let of_trust = asked.predicate.environment == TRUST_CHANGE;
    let place = if of_trust { trust.ladder().last() } else { asked.predicate.environment.as_str() };
    check_tips(&desk, &reader, &[place])?;
    check_order(&reader.environment(place)?, trust.ladder(), &reader)?;
    if request.decision.is_some() {
        check_voice(request, &asked, &trust, &operating)?;
    } else {
        check_asker(&trust, &operating)?;
    }
    if of_trust && request.decision == Some(Decision::Approve) {
        check_readable(&asked.predicate, &trust)?;
    }
    let teams = asked.teams.clone();
    let predicate = &mut asked.predicate;
    predicate.decision = request.decision;
    predicate.proposed = Vec::new();
    predicate.team.clone_from(&request.team);
    predicate.rationale.clone_from(&request.rationale);
    predicate.stated_at = time;
    predicate.expires = predicate.stated_at + Duration::hours(DEFAULT_EXPIRY_HOURS);
    if let Some(said) = said_before(predicate, &reader, &trust, &operating)? {
        return Ok(said);
    }
    if request.decision.is_some() && teams.is_empty() && !asked.of_admins {
        caller.notice("nothing demands an approval of this change now; the statement counts where one is required");
    }
    let kind = if request.decision.is_some() { APPROVAL_PREDICATE } else { REQUEST_PREDICATE };
    let (id, edits) = item(kind, &mut asked.predicate, &reader, &operating)?;
    let message = message(&asked.predicate, &operating);
    let commit = append(&mut transaction, &reader, edits, message, &operating, time)?;
    desk.finish(transaction, caller)?;
    let principal = operating.operator.principal.name.clone();
    Ok(Outcome { id, predicate: asked.predicate, principal, commit: Some(commit.to_string()) })
}

/// The statement as an item of evidence, at the place of each of its changes. What somebody else said in the same words
/// and the same second has its name already, so it is said a second later.
pub(super) fn item(
    kind: &str,
    predicate: &mut Predicate,
    reader: &Reader<'_>,
    operating: &Operating,
) -> Result<(String, Vec<(String, Edit)>)> {
    let tip = reader.tip(layout::EVIDENCE)?;
    // The same people may keep another ledger of the same agents, where less is at stake.
    predicate.ledger = Some(reader.trust()?.settings.uuid);
    loop {
        let bytes = crate::release::write_json(&Statement::new(kind, predicate.clone()));
        let id = crate::resource::Digest::of(&bytes).hex();
        let places: Vec<String> = predicate
            .changes
            .iter()
            .map(|change| layout::approvals(&change.resource, change.to.or(change.from)))
            .collect();
        let mut taken = false;
        for place in &places {
            taken |= reader.snapshot().entry_at(tip, &format!("{place}/{id}.json"))?.is_some();
        }
        if taken {
            predicate.stated_at += Duration::seconds(1);
            predicate.expires += Duration::seconds(1);
            continue;
        }
        let mut edits = Vec::new();
        for place in &places {
            edits.extend(signed_item(bytes.clone(), operating, |id| format!("{place}/{id}.json"))?);
        }
        return Ok((id, edits));
    }
}

/// A change that somebody is asked about, and the teams whose approval it needs.
struct Question {
    predicate: Predicate,
    teams: Vec<String>,
    /// Whether admins are asked, because a control would ask for less.
    of_admins: bool,
}

fn of_promotion(
    wanted: &Move,
    reader: &Reader<'_>,
    trust: &Trust,
    desk: &Desk,
    operating: &Operating,
    now: DateTime<Utc>,
    caller: &mut Caller<'_>,
) -> Result<Question> {
    let promotion = draft(wanted, reader, trust, desk, caller)?;
    if promotion.draft.is_empty() {
        let message = format!("there is nothing to decide: `{}` has all of it as `{}` does", wanted.to, wanted.from);
        return Err(Failure::refused("nothing-to-decide", message)
            .next(format!("`joch diff` shows what differs between {} and {}", wanted.from, wanted.to))
            .into());
    }
    let plan = judge(&promotion.draft, &Asked::of(trust, desk), reader, &operating.operator, now)?;
    let changes = changes(&plan);
    let predicate = blank(&wanted.to, Some(wanted.from.clone()), changes, None, now);
    Ok(Question { predicate, teams: teams(&plan.records), of_admins: of_admins(&plan.records) })
}

fn changes(plan: &Plan) -> Vec<Change> {
    let change = |((subject, rules), record): (&(crate::gate::Subject, crate::resource::Digest), &Record)| Change {
        resource: subject.resource.clone(),
        from: subject.from,
        to: subject.to,
        writes: subject.writes,
        gate_rules: *rules,
        from_version: record.from_version,
        to_version: record.to_version,
    };
    plan.subjects.iter().zip(&plan.records).map(change).collect()
}

fn blank(
    environment: &str,
    source: Option<String>,
    changes: Vec<Change>,
    request: Option<String>,
    now: DateTime<Utc>,
) -> Predicate {
    Predicate {
        decision: None,
        team: None,
        ledger: None,
        environment: environment.to_owned(),
        source,
        changes,
        request,
        stated_at: now,
        expires: now,
        rationale: None,
        proposed: Vec::new(),
    }
}

fn teams(records: &[Record]) -> Vec<String> {
    let gates = records.iter().flat_map(|record| &record.gates).filter(|gate| gate.gate == "approval");
    let mut teams: Vec<_> = gates.map(|gate| gate.name.clone()).collect();
    teams.sort();
    teams.dedup();
    teams
}

fn of_admins(records: &[Record]) -> bool {
    records.iter().flat_map(|record| &record.gates).any(|gate| gate.gate == "weakening")
}

/// What a request or a stopped attempt froze.
fn frozen(id: &str, reader: &Reader<'_>, trust: &Trust) -> Result<Question> {
    let mut found: Vec<(String, Question)> = Vec::new();
    let evidence = reader.tip(layout::EVIDENCE)?;
    let named = |item: &crate::ledger::Item| item.id.starts_with(id);
    if id.len() >= 6 {
        for item in reader.evidence_under(evidence, "approvals")?.iter().filter(|item| named(item)) {
            let statement = Statement::from_json(&item.bytes).map_err(|why| Failure::could_not("damaged", why))?;
            if statement.predicate_type == REQUEST_PREDICATE && !found.iter().any(|(known, _)| *known == item.id) {
                let mut predicate = statement.predicate;
                predicate.request = Some(item.id.clone());
                let of_admins = predicate.environment == TRUST_CHANGE;
                found.push((item.id.clone(), Question { predicate, teams: Vec::new(), of_admins }));
            }
        }
        for rung in trust.ladder().rungs() {
            let decisions = reader.decisions(evidence, rung)?;
            for (item, record) in decisions.iter().filter(|(item, _)| named(item)) {
                // One attempt leaves a decision for each subject; all of them are decided together.
                let together = decisions.iter().map(|(_, other)| other).filter(|other| {
                    (&other.attempt, &other.release, other.timestamp)
                        == (&record.attempt, &record.release, record.timestamp)
                });
                let records: Vec<Record> = together.cloned().collect();
                let changes = records.iter().map(of_record).collect();
                let source = record.source.as_ref().map(|source| source.environment.clone());
                let predicate = blank(rung, source, changes, Some(item.id.clone()), record.timestamp);
                let question = Question { predicate, teams: teams(&records), of_admins: of_admins(&records) };
                found.push((item.id.clone(), question));
            }
        }
    }
    let next = "`joch approvals ls` lists what waits for a decision";
    match found.len() {
        1 => Ok(found.remove(0).1),
        0 => Err(Failure::could_not("not-found", format!("no request or stopped attempt begins with `{id}`"))
            .next(next)
            .into()),
        _ => Err(Failure::usage(format!("`{id}` is the beginning of several ids")).next("give more of it").into()),
    }
}

fn of_record(record: &Record) -> Change {
    Change {
        resource: record.agent_ref.clone(),
        from: record.from_digest,
        to: record.to_digest,
        writes: record.writes,
        gate_rules: record.gate_rules,
        from_version: record.from_version,
        to_version: record.to_version,
    }
}

/// Refuses a question of somebody who only reads.
fn check_asker(trust: &Trust, operating: &Operating) -> Result<(), Failure> {
    let who = &operating.operator.principal;
    if trust.works(who) {
        return Ok(());
    }
    Err(Failure::credentials("role", format!("`{who}` only reads here, and asks for no decision"))
        .next(format!("ask an admin: {}", trust.admins().into_iter().collect::<Vec<_>>().join(", "))))
}

/// Refuses a yes to a change of trust that nobody can read, or that can no longer happen.
fn check_readable(asked: &Predicate, trust: &Trust) -> Result<(), Failure> {
    proposed_trust(trust, asked).map(drop).map_err(|why| {
        Failure::refused("proposal", format!("this proposal cannot be approved: {why}"))
            .next("whoever wants the change makes it again, which proposes it anew")
    })
}

/// Refuses a word that could never count.
fn check_voice(request: &Request, asked: &Question, trust: &Trust, operating: &Operating) -> Result<(), Failure> {
    let who = &operating.operator.principal;
    if who.automation {
        return Err(Failure::credentials("automation", format!("`{who}` is an automation, and its word never counts"))
            .next("a person decides, with a key of their own"));
    }
    let admin = trust.admins().contains(who.name.as_str());
    if asked.predicate.environment == TRUST_CHANGE && !admin {
        let admins = trust.admins().into_iter().collect::<Vec<_>>().join(", ");
        return Err(Failure::credentials("role", format!("`{who}` is no admin, and only admins decide on trust"))
            .next(format!("ask one of them: {admins}")));
    }
    if trust.people().len() == 1 || (asked.of_admins && admin && request.team.is_none()) {
        return Ok(());
    }
    let teams = request.team.as_ref().map_or_else(|| asked.teams.clone(), |team| vec![team.clone()]);
    let mut listed = Vec::new();
    for team in &teams {
        match trust.approvers(team) {
            Some(members) if members.contains(who.name.as_str()) => return Ok(()),
            Some(members) => listed.extend(members.into_iter().map(str::to_owned)),
            None => {
                let known: Vec<_> = trust.teams().map(|team| team.id().name.clone()).collect();
                return Err(Failure::credentials(
                    "no-team",
                    format!("trust knows no team `{team}` ({})", known.join(", ")),
                )
                .next("an admin applies a Team of that name"));
            }
        }
    }
    if teams.is_empty() {
        return Ok(());
    }
    let message = format!("`{who}` is no approving member of {}", teams.join(" or "));
    let failure = Failure::credentials("role", message);
    Err(if listed.is_empty() {
        failure.next("an admin adds approvers to that Team")
    } else {
        failure.next(format!("ask one of them: {}", listed.join(", ")))
    })
}

/// The same word of the same person on the same change, if it still counts.
fn said_before(
    predicate: &mut Predicate,
    reader: &Reader<'_>,
    trust: &Trust,
    operating: &Operating,
) -> Result<Option<Outcome>> {
    let Some(last) = last_word(predicate, reader, trust, operating)? else { return Ok(None) };
    let old = &last.predicate;
    let same = !last.spent
        && old.decision == predicate.decision
        && old.team == predicate.team
        && old.changes == predicate.changes
        && old.expires > predicate.stated_at
        && (predicate.rationale.is_none() || old.rationale == predicate.rationale);
    if !same && old.stated_at == predicate.stated_at {
        // Said again it is another statement, also within the same second.
        predicate.stated_at += Duration::seconds(1);
        predicate.expires = predicate.stated_at + Duration::hours(DEFAULT_EXPIRY_HOURS);
    }
    let principal = operating.operator.principal.name.clone();
    Ok(same.then(|| Outcome { id: last.id.clone(), predicate: old.clone(), principal, commit: None }))
}

/// The person's last word on these changes there; spent if a release of any of them has used it up.
fn last_word(predicate: &Predicate, reader: &Reader<'_>, trust: &Trust, operating: &Operating) -> Result<Option<Vote>> {
    let ballots = Ballots { reader, commit: reader.tip(layout::EVIDENCE)?, trust };
    let mut last: Option<Vote> = None;
    for change in &predicate.changes {
        let since = match change.resource.kind {
            _ if predicate.environment == TRUST_CHANGE => used(reader, reader.tip(layout::TRUST)?, change.writes)?,
            Kind::Agent => {
                let released = reader.environment(&predicate.environment)?.record(&change.resource)?;
                released.and_then(|record| record.evidence.parse().ok())
            }
            _ => None,
        };
        let mut mine = ballots.statements(&change.resource, since)?.into_iter().map(|(vote, _)| vote).filter(|vote| {
            vote.principal.as_ref() == Some(&operating.operator.principal)
                && vote.predicate.environment == predicate.environment
        });
        let Some(mine) = mine.next_back() else { continue };
        match &mut last {
            None => last = Some(mine),
            Some(last) if last.id == mine.id => last.spent |= mine.spent,
            Some(_) => {}
        }
    }
    Ok(last)
}

fn message(predicate: &Predicate, operating: &Operating) -> String {
    let fold = crate::release::fold;
    let word = match predicate.decision {
        Some(Decision::Approve) => "approve",
        Some(Decision::Reject) => "reject",
        None => "request approval of",
    };
    let what = match predicate.changes.as_slice() {
        [one] => one.resource.to_string(),
        several => format!("{} changes", several.len()),
    };
    let why = predicate
        .rationale
        .as_ref()
        .map_or_else(|| "No rationale was given.".to_owned(), |text| format!("Why - {}", fold(text)));
    let who = fold(&operating.operator.principal.name);
    format!(
        "{word} {what} for {}\n\n{why}\n\nJoch-Event: {}\nJoch-Operator: {who}\n",
        predicate.environment,
        word.split(' ').next().unwrap_or_default()
    )
}
