//! Follows an environment: every release is planned again from what it changed, and must say what that plan says.

use std::cell::RefCell;

use anyhow::Result;
use chrono::{DateTime, Utc};

use crate::audit::chain::{Chain, Link};
use crate::audit::commit::CommitFact;
use crate::audit::numbers::Numbers;
use crate::audit::tree::Parts;
use crate::audit::trust::TrustHistory;
use crate::audit::{Finding, Rule, trailer};
use crate::ledger::{Environment, ObjectId, Reader, changed_paths};
use crate::release::{Event, Manifest, Operator, Source, layout};
use crate::resource::Digest;
use crate::trust::{Principal, Trust};

use super::evidence::Testimony;
use super::judge::Law;
use super::lines::{Line, Lines};
use super::redraft::{Release, Served};
use super::tags::Given;
use super::verdicts::Verdicts;
use crate::ops::facts::{broken, commit_fact};

/// What releases are judged by.
#[derive(Clone, Copy)]
pub(super) struct Court<'a, 'r> {
    pub(super) reader: &'a Reader<'r>,
    pub(super) lines: &'a Lines,
    pub(super) trust: &'a TrustHistory,
    pub(super) numbers: &'a Numbers,
    pub(super) testimony: &'a Testimony,
    pub(super) verdicts: &'a RefCell<Verdicts>,
    /// The last release that is not judged, but only followed; none where this is 0.
    pub(super) after: u64,
}

/// One environment on the way up its branch.
struct Way<'a> {
    environment: &'a str,
    line: &'a Line,
    chain: Chain,
    served: Served,
    time: Option<DateTime<Utc>>,
    /// Whether a release so far has a bill of materials.
    billed: bool,
    /// Whether every release so far is clean.
    clean: bool,
}

impl<'a, 'r> Court<'a, 'r> {
    /// Follows the branch of an environment from its second commit; the first is the genesis.
    pub(super) fn follow(&self, environment: &str, released: &mut Given, findings: &mut Vec<Finding>) {
        let Some(line) = self.lines.get(environment) else { return };
        let mut way = Way {
            environment,
            line,
            chain: Chain::default(),
            served: Served::default(),
            time: self.time(line),
            billed: false,
            clean: true,
        };
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
            let told = findings.len();
            if let Err(why) = self.release(&mut way, place, &fact, released, findings) {
                match why.downcast_ref::<crate::ledger::Error>() {
                    Some(error) => findings.push(broken(error)),
                    None => findings.push(fact.finding(Rule::RecordContent, why.to_string())),
                }
            }
            way.clean &= findings.len() == told;
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
        released: &mut Given,
        findings: &mut Vec<Finding>,
    ) -> Result<()> {
        let (reader, id, parent) = (self.reader, way.line.commits[place], way.line.commits[place - 1]);
        let manifest = reader.manifest(id);
        let context = manifest
            .as_ref()
            .ok()
            .and_then(Option::as_ref)
            .map(|manifest| self.context(way.environment, place, manifest, way.billed));
        let before = place as u64 <= self.after;
        let clean =
            before || context.is_some_and(|context| self.verdicts.borrow_mut().was_clean(id, context, way.clean));
        let tree = |id| reader.snapshot().commit(id).map(|commit| commit.tree);
        let changes = match clean {
            true => Vec::new(),
            false => changed_paths(reader.snapshot(), Some(tree(parent)?), Some(tree(id)?))?,
        };
        let parts = Parts::of(changes.iter().map(|change| change.path.as_str()));
        for path in &parts.strange {
            findings.push(fact.finding(Rule::TreePath, format!("it changes `{path}`, which no release does")));
        }
        let manifest = match manifest {
            Ok(Some(manifest)) if clean || parts.manifest => manifest,
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
        released.entry(way.environment.to_owned()).or_default().insert(way.chain.number, id);
        if before {
            way.served.take(&manifest, place);
            return self.bill(way, id, &manifest);
        }
        let Some((trust, newest)) = self.trusts(way.environment, place, &manifest) else { return Ok(()) };
        let principal = self.signer(way.environment, fact, trust, newest, findings);
        let (Some(principal), Ok(key)) = (principal, &fact.signature) else { return Ok(()) };
        let operator = Operator { principal, fingerprint: key.fingerprint() };
        if clean {
            way.served.take(&manifest, place);
            // Asked each time: the ladder of its own trust, and whether its source is still there.
            self.source(way.environment, fact, &manifest, trust, findings)?;
            return self.bill(way, id, &manifest);
        }
        let told = findings.len();
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
            place,
            numbers: self.numbers,
            billed: way.billed,
        };
        let law = Law { cited: trust, newest, evidence, operator: &operator };
        let draft = self.judge(&release, law, findings)?;
        way.served.add(&draft, place);
        if let Some(context) = context.filter(|_| findings.len() == told && parts.strange.is_empty()) {
            self.verdicts.borrow_mut().is_clean(id, context);
        }
        for agent in draft.agents.keys() {
            way.billed |= reader.snapshot().entry_at(id, &layout::bom(agent))?.is_some();
        }
        Ok(())
    }

    /// Everything that the judgement of a release depends on and its own commit does not name: under another, it is
    /// judged again. What it names cannot change; what came to the branches since is not asked.
    pub(super) fn context(&self, environment: &str, place: usize, manifest: &Manifest, billed: bool) -> Digest {
        let newest = self.trust.newest_unseeing(environment, place);
        let line = self.lines.get(layout::EVIDENCE);
        let behind = line.and_then(|line| line.commits.get(line.place_of(&manifest.evidence)? + 1));
        let parts = [
            newest.map(|newest| newest.commit.clone()).unwrap_or_default(),
            behind.map(ToString::to_string).unwrap_or_default(),
            self.testimony.said(environment, place as u64).to_string(),
            billed.to_string(),
        ];
        Digest::of(parts.join("\n"))
    }

    /// The trust that a release cites, and the newest that had not seen it, where that is another.
    pub(super) fn trusts(
        &self,
        environment: &str,
        place: usize,
        manifest: &Manifest,
    ) -> Option<(&Trust, Option<&Trust>)> {
        let known = self.trust.0.iter().find(|step| step.trust.commit == manifest.trust).map(|step| &step.trust);
        let newest = self.trust.newest_unseeing(environment, place);
        let trust = known.or(newest)?;
        Some((trust, newest.filter(|newest| newest.commit != trust.commit)))
    }

    /// Follows whether bills of materials are asked for.
    fn bill(&self, way: &mut Way<'_>, id: ObjectId, manifest: &Manifest) -> Result<()> {
        way.billed = way.billed || self.has_bill(id, manifest)?;
        Ok(())
    }

    /// Whether a release has a bill of materials.
    pub(super) fn has_bill(&self, id: ObjectId, manifest: &Manifest) -> Result<bool> {
        for agent in &manifest.agents {
            if self.reader.snapshot().entry_at(id, &layout::bom(&agent.id()))?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Who signed, if trust gives that principal the environment: the trust that is cited, and the newest that had not
    /// seen the release.
    pub(super) fn signer(
        &self,
        environment: &str,
        fact: &CommitFact,
        trust: &Trust,
        newest: Option<&Trust>,
        findings: &mut Vec<Finding>,
    ) -> Option<Principal> {
        let mut signed = None;
        for judge in [Some(trust), newest].into_iter().flatten() {
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
    pub(super) fn source(
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
}
