//! Follows an environment: every release is planned again from what it changed, and must say what that plan says.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::Result;
use chrono::{DateTime, Utc};

use crate::audit::chain::{Chain, Link};
use crate::audit::commit::CommitFact;
use crate::audit::compare::{check_manifest, check_message, check_record};
use crate::audit::gates::{check_gates, check_outcome};
use crate::audit::numbers::Numbers;
use crate::audit::tags::{ByRelease, Released};
use crate::audit::tree::Parts;
use crate::audit::trust::TrustHistory;
use crate::audit::{Finding, Rule, trailer};
use crate::gate::Verdict;
use crate::ledger::{Ballots, Environment, ObjectId, Reader, changed_paths};
use crate::ops::judge::guards;
use crate::release::{Context, Draft, Event, Manifest, Operator, Plan, Record, Source, layout, plan};
use crate::resource::{Digest, Requirement, Resource, ResourceId};
use crate::trust::{Principal, Trust};

use super::evidence::Testimony;
use super::lines::{Line, Lines};
use super::redraft::{Redraft, Release, Served};
use crate::ops::facts::{broken, commit_fact};

/// What releases are judged by.
pub(super) struct Court<'a, 'r> {
    pub(super) reader: &'a Reader<'r>,
    pub(super) lines: &'a Lines,
    pub(super) trust: &'a TrustHistory,
    pub(super) numbers: &'a Numbers,
    pub(super) testimony: &'a Testimony,
}

/// One environment on the way up its branch.
struct Way<'a> {
    environment: &'a str,
    line: &'a Line,
    chain: Chain,
    served: Served,
    time: Option<DateTime<Utc>>,
}

impl<'a, 'r> Court<'a, 'r> {
    /// Follows the branch of an environment from its second commit; the first is the genesis.
    pub(super) fn follow(&self, environment: &str, released: &mut ByRelease<Released>, findings: &mut Vec<Finding>) {
        let Some(line) = self.lines.get(environment) else { return };
        let mut way =
            Way { environment, line, chain: Chain::default(), served: Served::default(), time: self.time(line) };
        for place in 1..line.commits.len() {
            let fact = match commit_fact(self.reader, environment, line.commits[place]) {
                Ok(fact) => fact,
                Err(finding) => {
                    findings.push(finding);
                    continue;
                }
            };
            findings.extend(fact.check_form(way.time, false));
            way.time = Some(fact.time);
            if let Err(why) = self.release(&mut way, place, &fact, released, findings) {
                match why.downcast_ref::<crate::ledger::Error>() {
                    Some(error) => findings.push(broken(error)),
                    None => findings.push(fact.finding(Rule::RecordContent, why.to_string())),
                }
            }
        }
    }

    fn time(&self, line: &Line) -> Option<DateTime<Utc>> {
        let first = line.commits.first()?;
        self.reader.snapshot().commit(*first).ok().map(|commit| commit.committer.time)
    }

    fn release(
        &self,
        way: &mut Way<'_>,
        place: usize,
        fact: &CommitFact,
        released: &mut ByRelease<Released>,
        findings: &mut Vec<Finding>,
    ) -> Result<()> {
        let (reader, id, parent) = (self.reader, way.line.commits[place], way.line.commits[place - 1]);
        let tree = |id| reader.snapshot().commit(id).map(|commit| commit.tree);
        let changes = changed_paths(reader.snapshot(), Some(tree(parent)?), Some(tree(id)?))?;
        let parts = Parts::of(changes.iter().map(|change| change.path.as_str()));
        for path in &parts.strange {
            findings.push(fact.finding(Rule::TreePath, format!("it changes `{path}`, which no release does")));
        }
        let manifest = match reader.manifest(id) {
            Ok(Some(manifest)) if parts.manifest => manifest,
            Ok(_) => {
                findings.push(fact.finding(Rule::ManifestMissing, "it has no manifest of its own"));
                return Ok(());
            }
            Err(why) => {
                findings.push(fact.finding(Rule::ManifestUnreadable, why.to_string()));
                return Ok(());
            }
        };
        let cited = self.lines.get(layout::TRUST).and_then(|line| line.place_of(&manifest.trust));
        let evidence = self.lines.get(layout::EVIDENCE).and_then(|line| line.place_of(&manifest.evidence));
        findings.extend(way.chain.follow(&Link { commit: fact, manifest: &manifest, trust: cited, evidence }));
        released.insert((way.environment.to_owned(), way.chain.number), Released::of(fact));
        let known = self.trust.0.iter().find(|step| step.trust.commit == manifest.trust).map(|step| &step.trust);
        let newest = self.trust.newest_unseeing(way.environment, place);
        let Some(trust) = known.or(newest) else { return Ok(()) };
        let principal = self.signer(way.environment, fact, trust, newest, findings);
        let (Some(principal), Ok(key)) = (principal, &fact.signature) else { return Ok(()) };
        let operator = Operator { principal, fingerprint: key.fingerprint() };
        let release = Release {
            reader,
            fact,
            id,
            manifest: &manifest,
            changes: &changes,
            parts: &parts,
            before: reader.environment_at(way.environment, parent),
            after: reader.environment_at(way.environment, id),
            source: self.source(way.environment, fact, &manifest, trust, findings)?,
            served: &way.served,
            numbers: self.numbers,
        };
        let draft = self.judge(&release, trust, newest, evidence, &operator, findings)?;
        way.served.add(&draft);
        Ok(())
    }

    /// Who signed, if trust gives that principal the environment: the trust that is cited, and the newest that had not
    /// seen the release.
    fn signer(
        &self,
        environment: &str,
        fact: &CommitFact,
        trust: &Trust,
        newest: Option<&Trust>,
        findings: &mut Vec<Finding>,
    ) -> Option<Principal> {
        let mut signed = None;
        for judge in [Some(trust), newest.filter(|newest| newest.commit != trust.commit)].into_iter().flatten() {
            match fact.check_signer(judge, |principal| judge.check_writer(principal, environment)) {
                Ok(principal) => {
                    if signed.is_none() {
                        findings.extend(fact.check_names(&principal));
                    }
                    signed.get_or_insert(principal);
                }
                Err(finding) => findings.push(finding),
            }
        }
        // What a foreigner wrote is told as that; what it says is judged all the same, in the name of its key.
        let key = fact.signature.as_ref().ok()?;
        signed.or_else(|| trust.principal(key))
    }

    /// Where promoted content came from.
    fn source(
        &self,
        environment: &str,
        fact: &CommitFact,
        manifest: &Manifest,
        trust: &Trust,
        findings: &mut Vec<Finding>,
    ) -> Result<Option<(Source, Environment<'a, 'r>)>> {
        if manifest.event != Event::Promote {
            return Ok(None);
        }
        let Some(from) = &manifest.source else {
            findings.push(fact.finding(Rule::PromoteSource, "its manifest names no environment that it comes from"));
            return Ok(None);
        };
        if let Err(why) = trust.ladder().check_step(from, environment) {
            findings.push(fact.finding(Rule::PromoteSource, why));
        }
        let named = trailer(&fact.message, "Joch-Source").unwrap_or_default();
        let there = self.lines.get(from).and_then(|line| Some(line.commits[line.place_of(named)?]));
        let Some(commit) = there else {
            let wrong = format!("it names the commit `{named}` as its source, and `{from}` does not have it");
            findings.push(fact.finding(Rule::PromoteSource, wrong));
            return Ok(None);
        };
        let release = self.reader.manifest(commit)?.map(|manifest| manifest.name());
        let source = Source { environment: from.clone(), release, commit: commit.to_string() };
        Ok(Some((source, self.reader.environment_at(from, commit))))
    }

    /// Plans the release again and holds it against what stands. Where an agent can be explained in two ways, the one
    /// that leaves less to say counts.
    fn judge(
        &self,
        release: &Release<'_, '_>,
        trust: &Trust,
        newest: Option<&Trust>,
        evidence: Option<usize>,
        operator: &Operator,
        findings: &mut Vec<Finding>,
    ) -> Result<Draft> {
        let mut best: Option<(Vec<Finding>, Draft)> = None;
        for as_ripple in [false, true] {
            if as_ripple && release.manifest.event != Event::Promote {
                break;
            }
            let mut found = Vec::new();
            let redraft = release.redraft(as_ripple, &mut found)?;
            self.hold(release, &redraft, trust, newest, evidence, operator, &mut found)?;
            let better = best.as_ref().is_none_or(|(least, _)| found.len() < least.len());
            if better {
                best = Some((found, redraft.draft));
            }
            if best.as_ref().is_some_and(|(least, _)| least.is_empty()) {
                break;
            }
        }
        let (found, draft) = best.ok_or_else(|| anyhow::anyhow!("the release could not be read back"))?;
        findings.extend(found);
        Ok(draft)
    }

    #[allow(clippy::too_many_arguments)]
    fn hold(
        &self,
        release: &Release<'_, '_>,
        redraft: &Redraft,
        trust: &Trust,
        newest: Option<&Trust>,
        evidence: Option<usize>,
        operator: &Operator,
        findings: &mut Vec<Finding>,
    ) -> Result<()> {
        let Release { fact, manifest, .. } = release;
        self.check_catalog(release, &redraft.draft, findings)?;
        if evidence.is_none() {
            // It cites evidence that is not there, which is told: nothing that was decided on it can be derived again.
            return Ok(());
        }
        let standing = self.standing(manifest, redraft);
        let derived = match self.plan(release, &redraft.draft, &standing, trust, operator)? {
            Ok(derived) => derived,
            Err(why) => {
                findings.push(fact.finding(Rule::RecordContent, why));
                return Ok(());
            }
        };
        findings.extend(check_manifest(fact, manifest, &derived.manifest));
        findings.extend(self.check_minted(release, &redraft.draft, &derived));
        let source = redraft.draft.source.as_ref().map(|source| source.commit.as_str());
        let beside: Vec<Record> = standing.values().cloned().collect();
        findings.extend(check_message(fact, manifest, &beside, source));
        for record in &derived.records {
            let Some(found) = standing.get(&record.agent_ref) else {
                if derived.gated {
                    let wrong = format!("no decision on {} stands on evidence", record.agent_ref);
                    findings.push(fact.finding(Rule::DecisionMissing, wrong));
                }
                continue;
            };
            let path = layout::record(&record.agent_ref);
            findings.extend(check_record(fact, &path, found, record));
            findings.extend(check_gates(fact, found, record));
            if derived.gated {
                findings.extend(self.check_decision(fact, manifest, found, evidence));
            }
        }
        if let Some(newest) = newest.filter(|newest| newest.commit != trust.commit)
            && let Ok(again) = self.plan(release, &redraft.draft, &standing, newest, operator)?
        {
            findings.extend(check_outcome(fact, &newest.commit, &again.records));
        }
        Ok(())
    }

    /// The records that stand for a release: those beside closures, and those of catalog entries alone, which only
    /// evidence has.
    fn standing(&self, manifest: &Manifest, redraft: &Redraft) -> BTreeMap<ResourceId, Record> {
        let mut standing = redraft.records.clone();
        let key = (manifest.environment.clone(), manifest.release);
        for record in self.testimony.decisions.get(&key).into_iter().flatten() {
            if record.verdict == record.event.done() {
                standing.entry(record.agent_ref.clone()).or_insert_with(|| record.clone());
            }
        }
        standing
    }

    /// Makes the plan of a release again, as it was when it was made. The inner error is a plan that cannot be made.
    fn plan(
        &self,
        release: &Release<'_, '_>,
        draft: &Draft,
        standing: &BTreeMap<ResourceId, Record>,
        trust: &Trust,
        operator: &Operator,
    ) -> Result<Result<Plan, String>> {
        let source = release.source.as_ref().map(|(_, environment)| environment);
        let records: Vec<Arc<Resource>> = guards(draft, &release.before, source)?;
        let manifest = release.manifest;
        let Ok(evidence) = manifest.evidence.parse::<ObjectId>() else {
            return Ok(Err("it cites no evidence commit".to_owned()));
        };
        let votes = Ballots { reader: self.reader, commit: evidence, trust };
        let asked: Vec<_> = standing.values().collect();
        let (required, allowed) = (required(&asked), allowed(&asked));
        let context = Context {
            trust,
            earlier_trust: None,
            evidence_commit: &manifest.evidence,
            operator,
            now: release.fact.time,
            number: manifest.release,
            records: &records,
            required: &required,
            allowed_regressions: &allowed,
            numbering: self.numbers,
            votes: &votes,
        };
        Ok(plan(draft, &context))
    }

    /// Catalog entries: a promotion takes them from its source, a rollback from what was served, and only a delete
    /// removes.
    fn check_catalog(&self, release: &Release<'_, '_>, draft: &Draft, findings: &mut Vec<Finding>) -> Result<()> {
        for (id, edit) in &draft.catalog {
            let path = layout::catalog(id);
            let Some(after) = &edit.after else {
                if draft.event != Event::Delete {
                    findings.push(release.at(&path, Rule::Removal, "only a delete takes a resource out"));
                }
                continue;
            };
            match draft.event {
                Event::Promote => {
                    let held = release.source.as_ref().map(|(_, source)| source.entry(id)).transpose()?.flatten();
                    // A member may come from the closure of the agent that brings it.
                    let brought = draft
                        .agents
                        .values()
                        .any(|agent| agent.after.as_ref().is_some_and(|closure| closure.find(id) == Some(after)));
                    if held.as_ref() != Some(after) && !brought {
                        findings.push(release.at(&path, Rule::PromoteSource, "the source does not hold it so"));
                    }
                }
                Event::Rollback if !release.served.has(id, after.digest()) => {
                    let wrong = "the environment had not served it before";
                    findings.push(release.at(&path, Rule::RollbackServed, wrong));
                }
                Event::Delete => {
                    findings.push(release.at(&path, Rule::Ripple, "a delete brings nothing"));
                }
                Event::Apply | Event::Rollback => {}
            }
        }
        Ok(())
    }

    /// The numbers that a release gives: to content that it brings, and to all of it that had none.
    fn check_minted(&self, release: &Release<'_, '_>, draft: &Draft, derived: &Plan) -> Vec<Finding> {
        let fact = release.fact;
        let closures = || draft.agents.iter().filter_map(|(id, edit)| Some((id, edit.after.as_ref()?)));
        let holds = |id: &ResourceId, digest: Digest| {
            closures().any(|(agent, closure)| {
                (agent == id && closure.digest() == digest)
                    || closure.everything().iter().any(|member| member.id() == id && member.digest() == digest)
            }) || draft
                .catalog
                .get(id)
                .and_then(|edit| edit.after.as_ref())
                .is_some_and(|entry| entry.digest() == digest)
        };
        let given = release.manifest.minted.iter().filter(|minted| !holds(&minted.id(), minted.digest));
        let given = given.map(|minted| {
            let wrong = format!("it gives the number of {minted} to content that it does not hold");
            fact.finding(Rule::VersionContent, wrong)
        });
        let missing = derived.manifest.minted.iter().map(|minted| {
            let wrong = format!(
                "it holds {} with the content {}, and no release gave that a number",
                minted.id(),
                minted.digest
            );
            fact.finding(Rule::VersionContent, wrong)
        });
        given.chain(missing).collect()
    }

    /// A release with gates left its decision on evidence, right behind the evidence that it cites.
    fn check_decision(
        &self,
        fact: &CommitFact,
        manifest: &Manifest,
        record: &Record,
        evidence: Option<usize>,
    ) -> Option<Finding> {
        let id = Digest::of(record.to_json()).hex();
        let path = layout::decision(&manifest.environment, manifest.release, &id);
        match (self.testimony.added.get(&path), evidence) {
            (None, _) => {
                let wrong = format!("its decision on {} (`{path}`) does not stand on evidence", record.agent_ref);
                Some(fact.finding(Rule::DecisionMissing, wrong))
            }
            (Some(added), Some(cited)) if *added != cited + 1 => {
                let wrong = format!(
                    "it was decided on {}, and other evidence came before its decision on {}",
                    manifest.evidence, record.agent_ref
                );
                Some(fact.finding(Rule::EvidenceStale, wrong))
            }
            _ => None,
        }
    }
}

/// What `--require` added: only approvals are derived again, so only those matter.
fn required(records: &[&Record]) -> Vec<Requirement> {
    let gates = records.iter().flat_map(|record| &record.gates);
    let mut required: Vec<Requirement> = Vec::new();
    for gate in gates.filter(|gate| gate.gate == "approval" && gate.demanded_by.iter().any(|by| by == "--require")) {
        let count = gate.threshold.as_ref().and_then(|text| text.split(' ').next()?.parse().ok()).unwrap_or(1);
        let requirement = Requirement::Approval(gate.name.clone(), count);
        if !required.contains(&requirement) {
            required.push(requirement);
        }
    }
    required
}

/// What `--allow-regression` named.
fn allowed(records: &[&Record]) -> Vec<ResourceId> {
    let let_through = |record: &&&Record, id: &ResourceId| {
        record
            .gates
            .iter()
            .any(|gate| gate.gate == "regression" && gate.name == id.to_string() && gate.verdict == Verdict::Pass)
    };
    let of = |record: &&Record| {
        let ids = record.regressions.iter().map(|regression| regression.resource.clone());
        ids.filter(|id| let_through(&record, id)).collect::<Vec<_>>()
    };
    records.iter().flat_map(of).collect()
}
