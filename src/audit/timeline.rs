//! What happened, in order: releases, attempts that gates stopped, what people said about them, changes of trust.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;

use crate::gate::{Decision, Held, HoldAction, Judgement, Outcome, Reviewed, Statement};
use crate::release::{Manifest, Record, Word};
use crate::resource::{Digest, Kind, ResourceId};

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// When; a release by its commit, what people said by their own clocks.
    pub time: DateTime<Utc>,
    /// The environment, unless trust changed.
    pub environment: Option<String>,
    /// The release that was made, such as `prod/41`.
    pub release: Option<String>,
    /// `apply`, `promote`, `rollback`, `delete`; `request`, `approve`, `reject`; `hold`, `lift`; `review`; `trust`.
    pub event: String,
    /// What it was about.
    pub subjects: Vec<Touched>,
    /// Who did it.
    pub operator: Option<String>,
    /// `applied`, `promoted`, …; `blocked`, `pending`, `undecided` for an attempt that gates stopped.
    pub verdict: String,
    /// Why, in the words of whoever did it.
    pub reason: Option<String>,
    /// The commit, or the id of the evidence item.
    pub object: String,
    /// `overridden`, where it passed a gate in spite of what that said and nobody has accepted it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mark: Option<String>,
}

/// One resource that something happened to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Touched {
    /// Its kind.
    pub kind: Kind,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// What happened to it, where anything did.
    pub change: Option<Word>,
    /// The version before.
    pub from_version: Option<u64>,
    /// The version after.
    pub to_version: Option<u64>,
    /// Digest of the content after.
    pub digest: Option<Digest>,
}

/// Which entries are wanted.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Those about this agent.
    pub agent: Option<ResourceId>,
    /// Those about this environment.
    pub environment: Option<String>,
    /// Those at this time or later.
    pub since: Option<DateTime<Utc>>,
}

impl Entry {
    /// A release, as its manifest tells it.
    #[must_use]
    pub fn of_release(manifest: &Manifest, time: DateTime<Utc>, commit: &str) -> Self {
        let agents = manifest.agents.iter().map(|agent| Touched {
            change: Some(agent.change),
            from_version: agent.from_version,
            to_version: agent.to_version,
            digest: agent.digest,
            ..Touched::of(agent.id())
        });
        let resources = manifest.resources.iter().map(|resource| Touched {
            change: Some(resource.change),
            from_version: resource.from_version,
            to_version: resource.to_version,
            digest: resource.digest,
            ..Touched::of(resource.id())
        });
        Self {
            time,
            environment: Some(manifest.environment.clone()),
            release: Some(manifest.name()),
            event: manifest.event.word().into(),
            subjects: agents.chain(resources).collect(),
            operator: Some(manifest.operator.principal.name.clone()),
            verdict: manifest.event.done().into(),
            reason: manifest.reason.clone(),
            object: commit.to_owned(),
            mark: None,
        }
    }

    /// An attempt that gates stopped; `None` for the decision of a release, which is told as that.
    #[must_use]
    pub fn of_stopped(record: &Record, id: &str) -> Option<Self> {
        if Outcome::of(&record.gates) == Outcome::Open && record.verdict == record.event.done() {
            return None;
        }
        let subject = Touched {
            from_version: record.from_version,
            to_version: record.to_version,
            digest: record.to_digest,
            ..Touched::of(record.agent_ref.clone())
        };
        Some(Self {
            time: record.timestamp,
            environment: Some(record.environment.clone()),
            release: None,
            event: record.event.word().into(),
            subjects: vec![subject],
            operator: Some(record.operator_identity.principal.name.clone()),
            verdict: record.verdict.clone(),
            reason: record.reason.clone(),
            object: id.to_owned(),
            mark: None,
        })
    }

    /// What a person said, or asked others to say.
    #[must_use]
    pub fn of_statement(statement: &Statement, id: &str, signer: Option<&str>) -> Self {
        let said = &statement.predicate;
        let (event, verdict) = match said.decision {
            None => ("request", "requested"),
            Some(Decision::Approve) => ("approve", "approved"),
            Some(Decision::Reject) => ("reject", "rejected"),
        };
        let subject = |change: &crate::gate::Change| Touched {
            from_version: change.from_version,
            to_version: change.to_version,
            digest: change.to,
            ..Touched::of(change.resource.clone())
        };
        Self {
            time: said.stated_at,
            environment: Some(said.environment.clone()),
            release: None,
            event: event.into(),
            subjects: said.changes.iter().map(subject).collect(),
            operator: signer.map(str::to_owned),
            verdict: verdict.into(),
            reason: said.rationale.clone(),
            object: id.to_owned(),
            mark: None,
        }
    }

    /// A hold or a lift.
    #[must_use]
    pub fn of_hold(held: &Held, who: String) -> Self {
        let hold = &held.hold;
        let (event, verdict) = match hold.action {
            HoldAction::Hold => ("hold", "held"),
            HoldAction::Lift => ("lift", "lifted"),
        };
        let subject =
            Touched { to_version: hold.version, digest: Some(hold.digest), ..Touched::of(hold.resource.clone()) };
        Self {
            time: hold.stated_at,
            environment: hold.environment.clone(),
            release: None,
            event: event.into(),
            subjects: vec![subject],
            operator: Some(who),
            verdict: verdict.into(),
            reason: hold.reason.clone(),
            object: held.id.clone(),
            mark: None,
        }
    }

    /// The review of an override.
    #[must_use]
    pub fn of_review(reviewed: &Reviewed, who: Option<&str>) -> Self {
        let review = &reviewed.review;
        let verdict = match review.decision {
            Judgement::Accept => "accepted",
            Judgement::Reject => "rejected",
        };
        Self {
            time: review.stated_at,
            environment: Some(review.environment.clone()),
            release: Some(review.release.clone()),
            event: "review".into(),
            subjects: vec![Touched::of(review.resource.clone())],
            operator: who.map(str::to_owned),
            verdict: verdict.into(),
            reason: Some(review.rationale.clone()),
            object: reviewed.id.clone(),
            mark: None,
        }
    }

    /// A change of trust.
    #[must_use]
    pub fn of_trust(time: DateTime<Utc>, commit: &str, signer: Option<&str>, subjects: Vec<Touched>) -> Self {
        Self {
            time,
            environment: None,
            release: None,
            event: "trust".into(),
            subjects,
            operator: signer.map(str::to_owned),
            verdict: "applied".into(),
            reason: None,
            object: commit.to_owned(),
            mark: None,
        }
    }
}

impl Touched {
    /// The resource, with nothing known of what happened to it.
    #[must_use]
    pub fn of(id: ResourceId) -> Self {
        let ResourceId { kind, namespace, name } = id;
        Self { kind, namespace, name, change: None, from_version: None, to_version: None, digest: None }
    }

    /// Which resource it is.
    #[must_use]
    pub fn id(&self) -> ResourceId {
        ResourceId::new(self.kind.clone(), &self.namespace, &self.name)
    }
}

impl Filter {
    /// Whether an environment is wanted.
    #[must_use]
    pub fn wants_environment(&self, name: &str) -> bool {
        self.environment.as_ref().is_none_or(|wanted| wanted == name)
    }

    /// The entry, cut down to what is wanted of it.
    #[must_use]
    pub fn cut(&self, mut entry: Entry) -> Option<Entry> {
        let environment = self.environment.is_none() || entry.environment == self.environment;
        let time = self.since.is_none_or(|since| entry.time >= since);
        if let Some(agent) = &self.agent {
            entry.subjects.retain(|subject| subject.id() == *agent);
        }
        let about = self.agent.is_none() || !entry.subjects.is_empty();
        (environment && time && about).then_some(entry)
    }
}

/// The entries, newest first; those of one second stay in the order in which they were given.
#[must_use]
pub fn newest_first(mut entries: Vec<Entry>) -> Vec<Entry> {
    entries.sort_by_key(|entry| std::cmp::Reverse(entry.time));
    entries
}
