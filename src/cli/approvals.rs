//! `joch approve`, `joch reject` and `joch approvals`.

use anyhow::Result;
use clap::{Args, Subcommand, ValueEnum};

use crate::gate::{Change, Decision, Judgement};
use crate::ops::approvals::{Listed, State};
use crate::ops::{Caller, approvals, approve, review};
use crate::render::view::{
    ApprovalItem, ApprovalList, ApprovalResult, OverrideWaiting, ProposedChange, ReviewResult, ReviewedGates,
};

use super::global::Answer;
use super::promote::MoveArgs;

/// Approve a promotion with your own signature
#[derive(Debug, Args)]
pub(super) struct VoteArgs {
    #[command(flatten)]
    wanted: MoveArgs,
    /// The team in whose name you speak
    #[arg(long, value_name = "TEAM")]
    team: Option<String>,
    /// Why
    #[arg(long, alias = "reason", value_name = "TEXT")]
    rationale: Option<String>,
}

/// What waits for a decision, and what was decided
#[derive(Debug, Args)]
pub(super) struct ApprovalsArgs {
    #[command(subcommand)]
    command: ApprovalsCommand,
}

#[derive(Debug, Subcommand)]
enum ApprovalsCommand {
    /// Freeze a promotion as it is now, and ask for a decision on it
    Request(VoteArgs),
    /// List what waits and what was decided, newest first
    #[command(alias = "list")]
    Ls {
        /// Only what waits
        #[arg(long)]
        waiting: bool,
    },
    /// Show one of them in full
    Show {
        /// Its id, or the beginning of it
        id: String,
    },
    /// Review what somebody overrode in a release; a second person does, and until then it says `overridden`
    Review {
        /// The release, such as `prod/41`
        release: String,
        /// Whether it was right to override the gate
        #[arg(long, value_enum, default_value = "accept")]
        decision: Judged,
        /// Why
        #[arg(long, alias = "reason", value_name = "TEXT")]
        rationale: String,
    },
    /// Decide what a request or a stopped attempt froze
    Decide {
        /// Its id, or the beginning of it
        id: String,
        /// Yes or no
        #[arg(long, value_enum)]
        decision: Word,
        /// The team in whose name you speak
        #[arg(long, value_name = "TEAM")]
        team: Option<String>,
        /// Why
        #[arg(long, alias = "reason", value_name = "TEXT")]
        rationale: Option<String>,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Judged {
    Accept,
    Reject,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Word {
    Approve,
    Reject,
}

pub(super) fn vote(args: VoteArgs, decision: Option<Decision>, caller: &mut Caller<'_>) -> Result<Answer> {
    let about = approve::About::Promotion(args.wanted.wanted(None, caller)?);
    say(&approve::Request { about, decision, team: args.team, rationale: args.rationale }, caller)
}

pub(super) fn run(args: ApprovalsArgs, caller: &mut Caller<'_>) -> Result<Answer> {
    match args.command {
        ApprovalsCommand::Request(args) => vote(args, None, caller),
        ApprovalsCommand::Ls { waiting } => list(&approvals::Request { id: None, waiting }, caller),
        ApprovalsCommand::Show { id } => list(&approvals::Request { id: Some(id), waiting: false }, caller),
        ApprovalsCommand::Review { release, decision, rationale } => {
            let decision = match decision {
                Judged::Accept => Judgement::Accept,
                Judged::Reject => Judgement::Reject,
            };
            judge(&review::Request { release, decision, rationale }, caller)
        }
        ApprovalsCommand::Decide { id, decision, team, rationale } => {
            let decision = match decision {
                Word::Approve => Decision::Approve,
                Word::Reject => Decision::Reject,
            };
            let about = approve::About::Frozen(id);
            say(&approve::Request { about, decision: Some(decision), team, rationale }, caller)
        }
    }
}

fn judge(request: &review::Request, caller: &mut Caller<'_>) -> Result<Answer> {
    let outcome = review::run(request, caller)?;
    let verdict = match (outcome.commit.is_some(), outcome.decision) {
        (false, _) => "unchanged",
        (true, Judgement::Accept) => "accepted",
        (true, Judgement::Reject) => "rejected",
    };
    let reviewed = outcome.reviewed.into_iter().map(|(resource, gates)| ReviewedGates { resource, gates });
    Ok(Answer::done(ReviewResult {
        verdict: verdict.into(),
        release: outcome.release,
        reviewed: reviewed.collect(),
        principal: outcome.principal,
        decision: outcome.decision,
        rationale: outcome.rationale,
        commit: outcome.commit,
        next: outcome.next,
    }))
}

fn say(request: &approve::Request, caller: &mut Caller<'_>) -> Result<Answer> {
    let outcome = approve::run(request, caller)?;
    let said = outcome.predicate;
    let verdict = match (outcome.commit.is_some(), said.decision) {
        (false, _) => "unchanged",
        (true, Some(Decision::Approve)) => "approved",
        (true, Some(Decision::Reject)) => "rejected",
        (true, None) => "requested",
    };
    let next = match (said.decision, &said.source, said.changes.as_slice()) {
        (None, _, _) => Some(format!("joch approvals decide {} --decision approve", &outcome.id[..12])),
        (Some(Decision::Approve), ..) if said.environment == crate::gate::TRUST_CHANGE => {
            Some("an admin makes the same change of trust again".to_owned())
        }
        (Some(Decision::Approve), Some(source), [one]) => {
            Some(format!("joch promote {} --from {source} --to {}", one.resource.words(), said.environment))
        }
        _ => None,
    };
    Ok(Answer::done(ApprovalResult {
        verdict: verdict.into(),
        id: outcome.id,
        principal: outcome.principal,
        decision: said.decision,
        environment: said.environment,
        changes: said.changes,
        expires: said.expires,
        rationale: said.rationale,
        commit: outcome.commit,
        next,
    }))
}

pub(super) fn list(request: &approvals::Request, caller: &mut Caller<'_>) -> Result<Answer> {
    let items = approvals::run(request, caller)?.into_iter().map(item).collect();
    Ok(Answer::done(ApprovalList { items, full: request.id.is_some() }))
}

fn item(listed: Listed) -> ApprovalItem {
    let state = match listed.state {
        State::Requested => "requested",
        State::Waiting => "waiting",
        State::Approved => "approved",
        State::Rejected => "rejected",
        State::Expired => "expired",
        State::Done => "done",
        State::Void => "void",
        State::Review => "review",
    };
    let short = &listed.id[..listed.id.len().min(12)];
    let glass = listed.overridden.as_ref().map(|broken| &broken.glass);
    let readable = listed.proposal.as_ref().is_none_or(Result::is_ok);
    let command = match listed.state {
        State::Requested if readable => Some(format!("joch approvals decide {short} --decision approve")),
        State::Waiting => Some(format!("joch approvals decide {short} --decision approve")),
        State::Review => {
            glass.map(|glass| format!("joch approvals review {} --decision accept --rationale TEXT", glass.release))
        }
        _ => None,
    };
    let (proposal, unreadable) = match listed.proposal {
        Some(Ok(proposal)) => (Some(proposal), None),
        Some(Err(why)) => (None, Some(why)),
        None => (None, None),
    };
    let standing = listed.standing.or(unreadable);
    let of_glass = glass.map(|glass| OverrideWaiting {
        release: glass.release.clone(),
        resource: glass.resource.to_string(),
        gates: glass.gates.clone(),
        ticket: glass.ticket.clone(),
        review_by: glass.expires,
    });
    let of_record = listed.record.as_ref().map(|record| Change {
        resource: record.agent_ref.clone(),
        from: record.from_digest,
        to: record.to_digest,
        writes: record.writes,
        gate_rules: record.gate_rules,
        from_version: record.from_version,
        to_version: record.to_version,
    });
    let said = listed.predicate.as_ref();
    ApprovalItem {
        id: listed.id,
        state: state.into(),
        principal: listed.principal,
        fingerprint: listed.fingerprint,
        environment: said
            .map(|said| said.environment.clone())
            .or_else(|| listed.record.as_ref().map(|record| record.environment.clone()))
            .or_else(|| glass.map(|glass| glass.environment.clone()))
            .unwrap_or_default(),
        changes: said.map(|said| said.changes.clone()).unwrap_or_else(|| of_record.into_iter().collect()),
        team: said.and_then(|said| said.team.clone()),
        rationale: said.and_then(|said| said.rationale.clone()).or_else(|| glass.map(|glass| glass.reason.clone())),
        time: listed.time,
        expires: said.map(|said| said.expires),
        standing,
        proposal: proposal.map(|proposal| ProposedChange { diff: proposal.diff, weaker: proposal.weaker }),
        overridden: of_glass,
        command,
        record: listed.record,
    }
}
