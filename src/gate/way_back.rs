//! The way back: whether a version that served before may come back, and whether it can still run.
//!
//! What holds up a forward change does not hold this up. A version that somebody rejected stays out, and what it lacks
//! by now is told before anything is written.

use std::collections::BTreeMap;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::closure::{Shelf, Unreadable};
use crate::resource::fields::mention::reference;
use crate::resource::{Digest, Kind, Reference, Resource, ResourceId, Target, Value};
use crate::trust::Trust;

use super::evidence::{Evidence, Subject};
use super::statement::{Decision, Vote};
use super::verdict::{GateResult, Verdict};
use super::{review, weakening};

/// Something that a version would miss, or that speaks against it, if it came back now.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Lack {
    /// `secret-missing`, `environment-key-missing`, `policy-denies` or `policy-unreadable`.
    pub rule: String,
    /// What is missing or speaks against it.
    pub about: String,
    /// In words.
    pub message: String,
}

/// The answers that a version meets on its way back: only a person's no, to it or to the override that it stands on; and where it comes because a shared control
/// goes back, what that weakens.
#[must_use]
pub fn way_back(subject: &Subject, evidence: &Evidence<'_>, by_control: bool) -> Vec<GateResult> {
    let Some(to) = subject.to else { return Vec::new() };
    let no = rejection(&subject.resource, to, evidence.environment, &evidence.votes, evidence.trust);
    let result = no.map(|(who, vote)| GateResult {
        reason: format!("rejected by {who}"),
        next: Some("go back to another version, or have the same person approve this one after all".into()),
        evidence: vec![vote.id.clone()],
        demanded_by: vec!["every environment".into()],
        ..GateResult::new("approval", "", Verdict::Fail)
    });
    let weakening = if by_control { weakening::judge(subject, evidence) } else { None };
    result.into_iter().chain(review::way_back(subject, evidence)).chain(weakening).collect()
}

/// The no that stands against one content in an environment, and whose it is. Each person's last word about it counts,
/// from what it was to be reached notwithstanding; whoever may approve for some team, or is the only person, may say no.
#[must_use]
pub fn rejection<'v>(
    resource: &ResourceId,
    to: Digest,
    environment: &str,
    votes: &'v [Vote],
    trust: &Trust,
) -> Option<(String, &'v Vote)> {
    let alone = trust.people().len() == 1;
    let teams: Vec<_> = trust.teams().map(|team| team.id().name.clone()).collect();
    let counts = |user: &str| {
        alone || teams.iter().any(|team| trust.approvers(team).is_some_and(|members| members.contains(user)))
    };
    let mut last: BTreeMap<&str, &Vote> = BTreeMap::new();
    for vote in votes {
        let said = &vote.predicate;
        let about = said.changes.iter().any(|change| change.resource == *resource && change.to == Some(to));
        let Some(principal) = &vote.principal else { continue };
        if about
            && said.environment == environment
            && said.decision.is_some()
            && !principal.automation
            && counts(&principal.name)
        {
            last.insert(&principal.name, vote);
        }
    }
    let no = last.into_iter().find(|(_, vote)| vote.predicate.decision == Some(Decision::Reject))?;
    Some((no.0.to_owned(), no.1))
}

/// What the policies in force now say against a version that comes back. They do not stop it, whoever goes back at night
/// is told; what cannot be judged is told as that.
#[must_use]
pub fn forbidden(subject: &Subject, evidence: &Evidence<'_>) -> Vec<Lack> {
    let result = super::policy::judge(subject, evidence);
    let rule = match result.verdict {
        Verdict::Fail => "policy-denies",
        Verdict::Error => "policy-unreadable",
        _ => return Vec::new(),
    };
    vec![Lack { rule: rule.into(), about: subject.resource.to_string(), message: result.reason }]
}

/// What these resources lack in an environment: Secrets that its catalog does not have, and `fromEnvironment` keys
/// without a value in `defaults`.
///
/// # Errors
/// The catalog cannot be read.
pub fn lacks(
    resources: &[&Arc<Resource>],
    environment: &str,
    catalog: &dyn Shelf,
    defaults: Option<&Value>,
) -> Result<Vec<Lack>, Unreadable> {
    let mut lacks = Vec::new();
    for resource in resources {
        for named in secrets_named(resource) {
            let mut held = false;
            for id in named.candidates(&resource.id().namespace) {
                held = held || catalog.get(&id)?.is_some();
            }
            if !held {
                let secret = format!("secret/{}", named.name);
                let message = format!("{} names {secret}, and the catalog of `{environment}` has none", resource.id());
                lacks.push(Lack { rule: "secret-missing".into(), about: secret, message });
            }
        }
        for (path, key) in resource.environment_keys() {
            if defaults.and_then(|defaults| defaults.get(&key)).is_none() {
                let message = format!(
                    "{} wants `{key}` at `{path}`, and `spec.defaults` of Environment `{environment}` has none",
                    resource.id()
                );
                lacks.push(Lack { rule: "environment-key-missing".into(), about: key, message });
            }
        }
    }
    lacks.sort();
    lacks.dedup();
    Ok(lacks)
}

/// The Secrets that a resource names, at any depth: headers of an `invoke` may have any name.
#[must_use]
pub fn secrets_named(resource: &Resource) -> Vec<Reference> {
    let mentioned = resource.mentions().into_iter().filter_map(|mention| match mention.target {
        Target::Resource(reference) if reference.kind == Kind::Secret => Some(reference),
        _ => None,
    });
    let mut named: Vec<_> = mentioned.collect();
    secret_refs(resource.spec(), &mut named);
    named
}

fn secret_refs(value: &Value, found: &mut Vec<Reference>) {
    match value {
        Value::List(items) => items.iter().for_each(|item| secret_refs(item, found)),
        Value::Map(map) => {
            for (key, value) in map {
                match reference(&Kind::Secret, value).filter(|_| key == "secretRef") {
                    Some(secret) => found.push(secret),
                    None => secret_refs(value, found),
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) => {}
    }
}
