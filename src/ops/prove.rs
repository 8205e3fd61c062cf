//! `joch audit prove`: what ran for an agent at a moment, and whose signature says so.

use std::collections::BTreeMap;

use anyhow::Result;
use chrono::{DateTime, Utc};

use crate::audit::tags::{Released, check_release_tags};
use crate::audit::{Finding, Proof, ProofFacts, Rule, SignatureProof, prove};
use crate::ledger::{Commit, Environment, ObjectId, Reader};
use crate::release::{Record, layout};
use crate::resource::{Digest, Kind, ResourceId};
use crate::trust::{PublicKey, Trust};

use super::caller::Caller;
use super::desk::Desk;
use super::facts::{commit_fact, release_tag};
use super::failure::Failure;
use super::find::{check_environment, not_found, parse_target};
use super::moment::commit_at;
use super::overridden::Marks;

/// What is asked for.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// The words that name the agent.
    pub agent: Vec<String>,
    /// The environment.
    pub environment: String,
    /// The moment; now where none is named.
    pub at: Option<DateTime<Utc>>,
}

/// Proves what ran.
///
/// # Errors
/// The agent did not run there then, or the ledger cannot be read. A signature that does not count is an outcome.
pub fn run(request: &Request, caller: &mut Caller<'_>) -> Result<Proof> {
    let target = parse_target(&request.agent)?;
    if target.kind != Kind::Agent {
        return Err(Failure::usage(format!("a proof is about an agent, and `{}` is none", request.agent.join(" ")))
            .next("`joch get KIND NAME --history` tells the versions of any resource")
            .into());
    }
    let agent = target.id(caller);
    if let Some(at) = request.at.filter(|at| *at > caller.now) {
        let message = format!("{} has not come yet, so nothing can be proven of it", at.to_rfc3339());
        return Err(Failure::usage(message).next("leave `--at` out to prove what runs now").into());
    }
    let desk = Desk::open(caller)?;
    let reader = desk.own_reader()?;
    check_environment(reader.trust()?.ladder(), &request.environment)?;
    let head = head(&reader, &request.environment, request.at)?;
    let environment = reader.environment_at(&request.environment, head.id);
    let Some(closure) = environment.closure(&agent)? else {
        return Err(absent(&agent, &environment, request.at)?.into());
    };
    let record = environment.record(&agent)?.ok_or_else(|| crate::ledger::Error::Missing {
        what: format!("`{}` in `{}`, beside a closure", layout::record(&agent), request.environment),
    })?;
    let release = commit_of(&reader, head.id, &record)?;
    let trust = trust_at(&reader, request.at)?;
    let (signature, findings) = check(&reader, &release, &record, closure.digest())?;
    Ok(prove(ProofFacts {
        agent: &agent,
        at: request.at,
        head: &head.id.to_string(),
        record: &record,
        digest: closure.digest(),
        commit: &release.id.to_string(),
        applied_at: release.committer.time,
        overridden: Marks::read(&reader, &reader.trust()?)?.of(Some(&record.release), &agent),
        signature,
        imposed_now: trust.imposed(&request.environment, &agent.namespace).into_iter().map(AsRef::as_ref).collect(),
        findings,
    }))
}

/// The environment's commit at a moment.
fn head(reader: &Reader<'_>, environment: &str, at: Option<DateTime<Utc>>) -> Result<Commit> {
    let Some(time) = at else { return Ok(reader.snapshot().commit(reader.tip(environment)?)?) };
    commit_at(reader, environment, time)?.ok_or_else(|| {
        Failure::could_not("not-found", format!("`{environment}` began after {}", time.to_rfc3339()))
            .next(format!("`joch audit log --env {environment}` tells since when there is something"))
            .into()
    })
}

/// Trust as it was at a moment; its first commit where the moment is older.
fn trust_at(reader: &Reader<'_>, at: Option<DateTime<Utc>>) -> Result<Trust> {
    let commit = match at {
        Some(time) => commit_at(reader, layout::TRUST, time)?.map(|commit| commit.id),
        None => None,
    };
    Ok(match commit {
        Some(commit) => reader.trust_at(commit)?,
        None => reader.trust()?,
    })
}

/// The commit of the release that a record names: the newest of that number at or before `head`.
fn commit_of(reader: &Reader<'_>, head: ObjectId, record: &Record) -> Result<Commit> {
    for commit in reader.snapshot().first_parents(head) {
        let commit = commit?;
        let manifest = reader.manifest(commit.id)?;
        if manifest.is_some_and(|manifest| manifest.name() == record.release) {
            return Ok(commit);
        }
    }
    let what = format!("the release {}, which a record names,", record.release);
    Err(crate::ledger::Error::Missing { what }.into())
}

/// What can be told from the release alone: whose signature stands on it and whether that counts under the trust that it
/// cites, whether its tag says the same, and whether its record has the digest of the closure.
fn check(
    reader: &Reader<'_>,
    release: &Commit,
    record: &Record,
    digest: Digest,
) -> Result<(SignatureProof, Vec<Finding>)> {
    let fact =
        commit_fact(reader, &record.environment, release.id).map_err(|why| Failure::refused("commit", why.message))?;
    let mut findings = Vec::new();
    if record.to_digest != Some(digest) {
        findings
            .push(fact.finding(Rule::RecordDigest, format!("the closure beside the record has the digest {digest}")));
    }
    let number = record.release.rsplit('/').next().and_then(|number| number.parse().ok()).unwrap_or_default();
    let key = (record.environment.clone(), number);
    let tag = reader.snapshot().tag(&layout::release_tag(&key.0, key.1))?;
    let tags = tag.map(|tag| release_tag(reader, tag)).transpose()?.map(|tag| (key.clone(), tag));
    let releases = BTreeMap::from([(key, Released::of(&fact))]);
    findings.extend(check_release_tags(&tags.into_iter().collect(), &releases));
    let cited: ObjectId = record.trust.parse().map_err(|why| Failure::refused("record", why))?;
    let trust = reader.trust_at(cited)?;
    let key = fact.signature.as_ref().ok();
    let signer = fact.check_signer(&trust, |principal| trust.check_writer(principal, &record.environment));
    let verdict = signer.as_ref().map_or_else(|finding| finding.rule.demands(), |_| "good").to_owned();
    let known = signer.as_ref().ok().cloned().or_else(|| key.and_then(|key| trust.principal(key)));
    findings.extend(signer.err());
    let principal = known.map(|principal| principal.name);
    Ok((SignatureProof { principal, fingerprint: key.map(PublicKey::fingerprint), verdict }, findings))
}

/// The failure that the agent did not run there then.
fn absent(agent: &ResourceId, environment: &Environment<'_, '_>, at: Option<DateTime<Utc>>) -> Result<Failure> {
    let then = at.map_or_else(String::new, |time| format!(" at {}", time.to_rfc3339()));
    if let Some(record) = environment.record(agent)? {
        let message = format!(
            "{agent} did not run in `{}`{then}: {} took it out, by {}",
            environment.name(),
            record.release,
            record.operator_identity.principal
        );
        return Ok(Failure::could_not("not-found", message).next(format!(
            "`joch audit log --agent {} --env {}` tells when it ran",
            agent.name,
            environment.name()
        )));
    }
    if at.is_some() {
        let message = format!("{agent} did not run in `{}`{then}", environment.name());
        return Ok(Failure::could_not("not-found", message).next(format!(
            "`joch audit log --agent {} --env {}` tells since when it runs",
            agent.name,
            environment.name()
        )));
    }
    not_found(agent, environment)
}
