//! The proof of what runs for an agent: version, policies, since when, by whom, under which signature; and the
//! plain Git commands that show the same.

use chrono::{DateTime, SecondsFormat, Utc};
use schemars::JsonSchema;
use serde::Serialize;

use crate::gate::OverrideStanding;
use crate::release::{Record, layout};
use crate::resource::{Digest, Pinned, Resource, ResourceId};

use super::finding::Finding;

/// What is proven of one agent in one environment at one moment.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Proof {
    /// The agent's name.
    pub agent: String,
    /// Its namespace.
    pub namespace: String,
    /// The environment.
    pub environment: String,
    /// The moment that was asked about; `None` for now.
    pub at: Option<DateTime<Utc>>,
    /// The version that ran.
    pub version: Option<u64>,
    /// Digest of its closure, computed from the files.
    pub digest: Digest,
    /// Since when, by the committer time of the release.
    pub applied_at: DateTime<Utc>,
    /// Who brought it.
    pub operator: String,
    /// What brought it.
    pub event: String,
    /// Why, in the operator's words.
    pub reason: Option<String>,
    /// The policies of the closure.
    pub policies: Vec<Pinned>,
    /// The framework adapter.
    pub adapter: Option<Pinned>,
    /// What trust imposed beside the closure when the release was made.
    pub imposed: Vec<Pinned>,
    /// What trust imposed at that moment that the release was not judged by; empty if it is up to date.
    pub behind_trust: Vec<Pinned>,
    /// The release.
    pub release: String,
    /// Its commit.
    pub commit: String,
    /// Its tag.
    pub tag: String,
    /// What was overridden in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub overridden: Option<OverrideStanding>,
    /// Whose signature stands on the commit.
    pub signature: SignatureProof,
    /// What contradicts the release; empty for one that is as it should be.
    pub findings: Vec<Finding>,
    /// Commands of plain Git that show the same, to run in the ledger's repository.
    pub verify: Vec<String>,
}

/// A signature, and what it proves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SignatureProof {
    /// The principal that trust gives the key.
    pub principal: Option<String>,
    /// The key.
    pub fingerprint: Option<String>,
    /// `good`, or why it does not count.
    pub verdict: String,
}

/// What a proof is made from.
pub struct ProofFacts<'a> {
    /// The agent.
    pub agent: &'a ResourceId,
    /// The moment that was asked about; `None` for now.
    pub at: Option<DateTime<Utc>>,
    /// The environment's commit at that moment.
    pub head: &'a str,
    /// The record that stands there.
    pub record: &'a Record,
    /// The digest of the closure that stands there, computed from its files.
    pub digest: Digest,
    /// The commit of the record's release.
    pub commit: &'a str,
    /// Its committer time.
    pub applied_at: DateTime<Utc>,
    /// What was overridden in it.
    pub overridden: Option<OverrideStanding>,
    /// Whose signature stands on it.
    pub signature: SignatureProof,
    /// What trust imposes on the agent there at that moment.
    pub imposed_now: Vec<&'a Resource>,
    /// What contradicts the release.
    pub findings: Vec<Finding>,
}

/// The proof.
#[must_use]
pub fn prove(facts: ProofFacts<'_>) -> Proof {
    let ProofFacts { agent, record, .. } = facts;
    let verify = commands(&facts);
    let known = |resource: &&Resource| {
        record.imposed.iter().any(|judged| judged.id() == *resource.id() && judged.digest == resource.digest())
    };
    let behind = facts.imposed_now.iter().filter(|resource| !known(resource));
    Proof {
        agent: agent.name.clone(),
        namespace: agent.namespace.clone(),
        environment: record.environment.clone(),
        at: facts.at,
        version: record.to_version,
        digest: facts.digest,
        applied_at: facts.applied_at,
        operator: record.operator_identity.principal.name.clone(),
        event: record.event.word().into(),
        reason: record.reason.clone(),
        policies: record.policies.clone(),
        adapter: record.adapter.clone(),
        imposed: record.imposed.clone(),
        behind_trust: behind.map(|resource| Pinned::new(resource.id(), None, resource.digest())).collect(),
        release: record.release.clone(),
        commit: facts.commit.to_owned(),
        tag: format!("release/{}", record.release),
        overridden: facts.overridden,
        signature: facts.signature,
        findings: facts.findings,
        verify,
    }
}

impl Proof {
    /// Whether everything that was looked at agrees.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.findings.is_empty()
    }
}

/// The commands, one claim each: whose signatures, that tag and branch hold the release, what ran at that moment and
/// that nothing touched it since the release, when that was, what it is, and its digest. Branches and tags are named
/// with their folder, because a tag may have the name of a branch.
fn commands(facts: &ProofFacts<'_>) -> Vec<String> {
    let ProofFacts { agent, record, commit, head, .. } = facts;
    let tag = format!("release/{}", record.release);
    let (directory, closure) = (layout::agent(agent), layout::closure(agent));
    let branch = format!("heads/{}", record.environment);
    let signers = r#"-c gpg.ssh.allowedSignersFile="$signers""#;
    let list = format!("heads/{}:{}", layout::TRUST, layout::SIGNERS);
    let mut commands = vec![
        format!(r#"signers=$(mktemp) && git cat-file blob {list} > "$signers""#),
        format!("git {signers} verify-commit {commit}"),
        format!("git {signers} verify-tag {tag}"),
        format!("test \"$(git rev-parse 'tags/{tag}^{{commit}}')\" = {commit}"),
        format!("git merge-base --is-ancestor {commit} {branch}"),
    ];
    if let Some(at) = facts.at {
        let at = at.to_rfc3339_opts(SecondsFormat::Secs, true);
        commands.push(format!("test \"$(git rev-list -1 --first-parent --before={at} {branch})\" = {head}"));
        commands.push(format!("git diff --exit-code {commit} {head} -- {directory}"));
    } else {
        commands.push(format!("git diff --exit-code {commit} {branch} -- {directory}"));
    }
    commands.extend([
        format!("git show -s --format=%cI {commit}"),
        format!("git cat-file blob {commit}:{}", layout::record(agent)),
        format!(
            "(d=$(mktemp -d) && git archive {commit}:{closure} | tar x -C \"$d\" && cd \"$d\" && \
             find . -type f -printf '%P\\0' | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum)"
        ),
    ]);
    commands
}
