//! Holds: a signed no to one version in one environment, until somebody lifts it.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::closure::{Closure, Unreadable};
use crate::resource::{Digest, Kind, ResourceId};
use crate::trust::{Principal, PublicKey, Trust};

use super::evidence::{Evidence, Subject};
use super::verdict::{GateResult, Verdict};

/// Names the format of a hold.
pub const HOLD_SCHEMA: &str = "joch.dev/hold/v1";

/// The body of an evidence item under `holds/`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Hold {
    /// Names the format.
    pub schema: String,
    /// Whether the version is held, or let go.
    pub action: HoldAction,
    /// The resource.
    pub resource: ResourceId,
    /// Digest of the version: of the closure for an agent.
    pub digest: Digest,
    /// Its number, for people to read.
    pub version: Option<u64>,
    /// The environment; every one where none is named.
    pub environment: Option<String>,
    /// Why.
    pub reason: Option<String>,
    /// The rollback that brought it, if one did.
    pub release: Option<String>,
    /// When, by that person's clock.
    pub stated_at: DateTime<Utc>,
    /// The ledger in which it is said, by the id of its settings; what names none counts in any.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub ledger: Option<String>,
}

/// What a hold does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum HoldAction {
    /// The version must not be brought in.
    Hold,
    /// It may again.
    Lift,
}

/// A hold whose signature was checked.
#[derive(Debug, Clone)]
pub struct Held {
    /// The id of the evidence item.
    pub id: String,
    /// Who signed; `None` for a key that trust does not list.
    pub principal: Option<Principal>,
    /// The key.
    pub key: PublicKey,
    /// What was signed.
    pub hold: Hold,
    /// When the ledger took it in.
    pub carried_at: DateTime<Utc>,
}

/// The holds that the ledger has.
pub trait Holds {
    /// Those on one content of a resource, in the order in which the ledger took them in.
    ///
    /// # Errors
    /// When the evidence branch cannot be read.
    fn on(&self, id: &ResourceId, digest: Digest) -> Result<Vec<Held>, Unreadable>;
}

impl Hold {
    /// Reads a hold from the bytes that were signed.
    ///
    /// # Errors
    /// A newer form, or what is no hold.
    pub fn from_json(bytes: &[u8]) -> Result<Self, String> {
        let hold: Self = serde_json::from_slice(bytes).map_err(|why| format!("not a hold: {why}"))?;
        if hold.schema == HOLD_SCHEMA {
            return Ok(hold);
        }
        Err(format!("it is of schema `{}`, and this joch reads `{HOLD_SCHEMA}`: upgrade joch", hold.schema))
    }

    /// Whether it speaks of `environment`.
    #[must_use]
    pub fn covers(&self, environment: &str) -> bool {
        self.environment.as_deref().is_none_or(|named| named == environment)
    }

    /// Whether the principal may say this.
    #[must_use]
    pub fn may_be_said_by(&self, principal: &Principal, trust: &Trust) -> bool {
        let environment = self.environment.as_deref();
        match self.action {
            HoldAction::Hold => trust.may_hold(principal, environment),
            HoldAction::Lift => trust.may_lift(principal, environment),
        }
    }
}

impl Held {
    /// Whether it counts. A no of somebody who left stays a no; to let a version go takes somebody who may do so now.
    #[must_use]
    pub fn counts(&self, trust: &Trust) -> bool {
        match (&self.principal, self.hold.action) {
            (Some(principal), _) => self.hold.may_be_said_by(principal, trust),
            (None, HoldAction::Hold) => trust.signers.ever().contains_key(&self.key),
            (None, HoldAction::Lift) => false,
        }
    }

    /// Who said it, by name where trust knows the key or knew it once.
    #[must_use]
    pub fn who(&self, trust: &Trust) -> String {
        let once = || trust.signers.ever().get(&self.key).cloned().unwrap_or_else(|| self.key.fingerprint());
        self.principal.as_ref().map_or_else(once, Principal::to_string)
    }
}

/// The hold that stands on one content in `environment`, of all that was said of it in order: the last word that counts
/// decides.
#[must_use]
pub fn standing<'h>(said: &'h [Held], environment: &str, trust: &Trust) -> Option<&'h Held> {
    let last = said.iter().rfind(|held| held.hold.covers(environment) && held.counts(trust))?;
    (last.hold.action == HoldAction::Hold).then_some(last)
}

/// The gate that no version on hold passes. It stands before every forward change, demanded or not, and asks about all
/// that the change would bring: the agent, its children, what is new among their members, and what comes along.
pub(super) fn judge(subject: &Subject, evidence: &Evidence<'_>) -> Option<GateResult> {
    let mut result = GateResult::new("hold", "", Verdict::Fail);
    result.demanded_by.push("every environment".into());
    let mut reasons = Vec::new();
    for (id, digest) in brings(subject, evidence) {
        let said = match evidence.holds.on(&id, digest) {
            Ok(said) => said,
            Err(why) => {
                result.verdict = Verdict::Error;
                result.reason = format!("what is on hold cannot be read: {}", why.0);
                result.next = Some("joch audit verify".into());
                return Some(result);
            }
        };
        let Some(held) = standing(&said, evidence.environment, evidence.trust) else { continue };
        reasons.push(sentence(held, evidence.trust));
        let lift = lift_command(&held.hold);
        result.next = Some(match result.next {
            Some(other) => format!("{other}; {lift}"),
            None => lift,
        });
        result.evidence.push(held.id.clone());
    }
    result.reason = reasons.join("; ");
    (!result.evidence.is_empty()).then_some(result)
}

/// What stops a version, in words: who, when and why.
#[must_use]
pub fn sentence(held: &Held, trust: &Trust) -> String {
    let hold = &held.hold;
    let version = hold.version.map_or_else(|| hold.digest.short(), |version| format!("v{version}"));
    let place = hold.environment.as_ref().map_or_else(|| "every environment".to_owned(), |name| format!("`{name}`"));
    let came = hold.release.as_ref().map_or_else(String::new, |release| format!(", rolled back by {release}"));
    let why = hold.reason.as_ref().map_or_else(|| "no reason was given".to_owned(), |reason| reason.clone());
    format!(
        "{} {version} is on hold in {place} since {} by {}{came}: {why}",
        hold.resource,
        held.carried_at.format("%Y-%m-%dT%H:%M:%SZ"),
        held.who(trust)
    )
}

/// The command that lets the version go again.
#[must_use]
pub fn lift_command(hold: &Hold) -> String {
    let version = hold.version.map_or_else(|| hold.digest.to_string(), |version| version.to_string());
    let place = hold.environment.as_ref().map_or_else(String::new, |name| format!(" --env {name}"));
    format!("joch lift {} --version {version}{place} --reason TEXT", hold.resource.words())
}

/// What the change would bring that is not there yet, each once.
fn brings(subject: &Subject, evidence: &Evidence<'_>) -> BTreeSet<(ResourceId, Digest)> {
    let mut brings: BTreeSet<_> = subject.to.map(|to| (subject.resource.clone(), to)).into_iter().collect();
    let moved = evidence.measurements.agents.iter();
    brings.extend(moved.filter_map(|moved| Some((moved.agent.clone(), moved.to?))));
    brings.extend(evidence.along.iter().cloned());
    let members = |closure: Option<&Closure>| -> BTreeSet<(ResourceId, Digest)> {
        let members = closure.map(Closure::everything).unwrap_or_default();
        let members = members.into_iter().filter(|member| member.id().kind != Kind::Agent);
        members.map(|member| (member.id().clone(), member.digest())).collect()
    };
    let running = members(evidence.running);
    brings.extend(members(evidence.candidate).into_iter().filter(|member| !running.contains(member)));
    brings
}
