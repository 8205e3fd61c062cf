//! Holds one release against the plan of the same change, made again from what the release changed.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::Result;
use chrono::{DateTime, Utc};

use crate::audit::commit::CommitFact;
use crate::audit::compare::{check_manifest, check_message, check_record};
use crate::audit::gates::{check_gates, check_outcome};
use crate::audit::{Finding, Rule};
use crate::closure::Shelf;
use crate::gate::{Overridden, Override, Verdict};
use crate::ledger::{Ballots, Environment, ObjectId};
use crate::ops::guards::guards;
use crate::release::{Context, Draft, Event, Manifest, Operator, Plan, Record, WRITERS, layout, plan};
use crate::resource::{Digest, Reference, Requirement, Resource, ResourceId};
use crate::trust::Trust;

use super::bills::Shelved;
use super::redraft::{Redraft, Release};
use super::releases::Court;

/// Under what one release is judged.
#[derive(Clone, Copy)]
pub(super) struct Law<'t> {
    /// The trust that it cites.
    pub(super) cited: &'t Trust,
    /// The newest trust that had not seen it, where that is another.
    pub(super) newest: Option<&'t Trust>,
    /// The place of the evidence that it cites.
    pub(super) evidence: Option<usize>,
    /// Who signed it.
    pub(super) operator: &'t Operator,
}

/// What surrounded a decision.
#[derive(Clone, Copy)]
pub(super) struct World<'a, 'r> {
    /// The environment before it.
    pub(super) before: &'a Environment<'a, 'r>,
    /// For a promotion, where its content comes from.
    pub(super) source: Option<&'a Environment<'a, 'r>>,
    /// Who may say so.
    pub(super) trust: &'a Trust,
    /// The number of the release.
    pub(super) number: u64,
    /// The release, if it was made.
    pub(super) release: Option<ObjectId>,
    /// The joch that planned it.
    pub(super) joch: &'a str,
}

impl Court<'_, '_> {
    /// Plans the release again and holds it against what stands. Where an agent can be explained in two ways, the one
    /// that leaves less to say counts.
    pub(super) fn judge(&self, release: &Release<'_, '_>, law: Law<'_>, findings: &mut Vec<Finding>) -> Result<Draft> {
        let mut best: Option<(Vec<Finding>, Draft)> = None;
        for as_ripple in [false, true] {
            if as_ripple && release.manifest.event != Event::Promote {
                break;
            }
            let mut found = Vec::new();
            let redraft = release.redraft(as_ripple, &mut found)?;
            self.hold(release, &redraft, law, &mut found)?;
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

    /// Holds what stands of a release against the plan of the same change.
    fn hold(
        &self,
        release: &Release<'_, '_>,
        redraft: &Redraft,
        law: Law<'_>,
        findings: &mut Vec<Finding>,
    ) -> Result<()> {
        let Release { fact, manifest, .. } = release;
        self.check_catalog(release, &redraft.draft, findings)?;
        if law.evidence.is_none() {
            // It cites evidence that is not there, which is told: nothing that was decided on it can be derived again.
            return Ok(());
        }
        let standing = self.standing(manifest, redraft)?;
        let derived = match self.plan(release, &redraft.draft, &standing, law.cited, law.operator)? {
            Ok(derived) => derived,
            Err(why) => {
                findings.push(fact.finding(Rule::RecordContent, why));
                return Ok(());
            }
        };
        if !WRITERS.contains(&manifest.joch.as_str()) {
            let wrong =
                format!("it names joch {} as its writer, which this joch does not know: upgrade joch", manifest.joch);
            findings.push(fact.finding(Rule::ManifestContent, wrong));
        }
        findings.extend(check_manifest(fact, manifest, &derived.manifest));
        let stored = self.reader.snapshot().blob_at(release.id, layout::MANIFEST)?;
        if manifest.joch == derived.manifest.joch && stored != Some(manifest.to_json()) {
            let wrong = "its manifest is not as joch writes it: a reader may take something else from it";
            findings.push(fact.finding(Rule::ManifestContent, wrong));
        }
        findings.extend(self.check_minted(release, &redraft.draft, &derived));
        let source = redraft.draft.source.as_ref().map(|source| source.commit.as_str());
        let beside: Vec<Record> = standing.values().cloned().collect();
        findings.extend(check_message(fact, manifest, &beside, source));
        self.check_bills(release, redraft, &derived, findings)?;
        for record in &derived.records {
            let Some(found) = standing.get(&record.agent_ref) else {
                if derived.gated {
                    let wrong = format!("no decision on {} stands on evidence", record.agent_ref);
                    findings.push(fact.finding(Rule::DecisionMissing, wrong));
                }
                continue;
            };
            let path = layout::record(&record.agent_ref);
            if found.joch != manifest.joch {
                let wrong =
                    format!("it says that joch {} wrote it, and its manifest says {}", found.joch, manifest.joch);
                findings.push(release.at(&path, Rule::RecordContent, &wrong));
            }
            findings.extend(check_record(fact, &path, found, record));
            findings.extend(check_gates(fact, found, record));
            let broken = !record.overrides.is_empty();
            if derived.gated || broken {
                findings.extend(self.check_decision(fact, manifest, found, law.evidence));
            }
            if broken {
                findings.extend(self.check_glass(fact, found, law.evidence));
            }
        }
        if let Some(newest) = law.newest
            && let Ok(again) = self.plan(release, &redraft.draft, &standing, newest, law.operator)?
        {
            findings.extend(check_outcome(fact, &newest.commit, &again.records));
        }
        Ok(())
    }

    /// The records that stand for a release: those beside closures, and those of catalog entries alone, which only
    /// evidence has.
    fn standing(&self, manifest: &Manifest, redraft: &Redraft) -> Result<BTreeMap<ResourceId, Record>> {
        let mut standing = redraft.records.clone();
        for decision in self.testimony.on(&manifest.environment, manifest.release).iter().filter(|found| found.made) {
            let record = decision.record(self.reader)?;
            standing.entry(record.agent_ref.clone()).or_insert(record);
        }
        Ok(standing)
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
        let world = World {
            before: &release.before,
            source,
            trust,
            number: release.manifest.release,
            release: Some(release.id),
            joch: &release.manifest.joch,
        };
        let asked: Vec<_> = standing.values().collect();
        self.plan_of(draft, &world, &asked, &release.manifest.evidence, operator, release.fact.time)
    }

    /// Makes the plan of a draft in the world of that time; `asked` are the records that say what was asked for.
    pub(super) fn plan_of(
        &self,
        draft: &Draft,
        world: &World<'_, '_>,
        asked: &[&Record],
        evidence: &str,
        operator: &Operator,
        now: DateTime<Utc>,
    ) -> Result<Result<Plan, String>> {
        let World { before, source, trust, number, release, joch } = *world;
        let Ok(commit) = evidence.parse::<ObjectId>() else {
            return Ok(Err("it cites no evidence commit".to_owned()));
        };
        let votes = Ballots { reader: self.reader, commit, trust };
        let (required, allowed, overrides) = (required(asked), allowed(asked), overrides(asked));
        let records: Vec<Arc<Resource>> = guards(draft, before, source, &[trust], &required)?;
        let default_judge = asked.iter().find_map(|record| record.default_judge.as_ref()).map(Reference::from);
        let bills = Shelved { reader: self.reader, numbers: self.numbers, release, joch };
        let context = Context {
            trust,
            // What the trust before it demanded too, where one command changed both, cannot be told from two commands.
            earlier_trust: None,
            evidence_commit: evidence,
            operator,
            now,
            number,
            records: &records,
            required: &required,
            allowed_regressions: &allowed,
            numbering: self.numbers,
            bills: &bills,
            votes: &votes,
            results: &votes,
            observations: &votes,
            holds: &votes,
            overrides: &overrides,
            broken: &votes,
            target: before,
            source: source.map(|source| source as &dyn Shelf),
            default_judge: default_judge.as_ref(),
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
                Event::Rollback if !release.served.had(id, after.digest(), release.place) => {
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

    /// What was overridden stands on evidence beside the decision, as the operator signed it.
    fn check_glass(&self, fact: &CommitFact, record: &Record, evidence: Option<usize>) -> Option<Finding> {
        let digest = Digest::of(record.to_json());
        let gates: Vec<_> = record.overrides.iter().map(|overridden| overridden.gate.clone()).collect();
        let stands = self.testimony.glass.values().any(|(place, glass)| {
            let said = (&glass.by, &glass.reason, &glass.ticket, glass.expires);
            let same = |said_there: &Overridden| {
                (&said_there.by, &said_there.reason, &said_there.ticket, said_there.expires) == said
            };
            Some(*place) == evidence.map(|cited| cited + 1)
                && (glass.record, &glass.gates, &glass.authors) == (digest, &gates, &record.authors)
                && (&glass.release, &glass.resource) == (&record.release, &record.agent_ref)
                && record.overrides.iter().all(|overridden| same(&overridden.said))
        });
        let wrong = || {
            format!(
                "its override of {} for {} does not stand on evidence as its record says it",
                gates.join(", "),
                record.agent_ref
            )
        };
        (!stands).then(|| fact.finding(Rule::Override, wrong()))
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
        match (self.testimony.added.get(&Digest::of(&path)), evidence) {
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

/// What `--require` added, of what is derived again.
fn required(records: &[&Record]) -> Vec<Requirement> {
    let gates = records.iter().flat_map(|record| &record.gates);
    let mut required: Vec<Requirement> = Vec::new();
    for gate in gates.filter(|gate| gate.demanded_by.iter().any(|by| by == "--require")) {
        let requirement = match gate.gate.as_str() {
            _ if gate.requirement.is_some() => match gate.requirement.as_deref().unwrap_or_default().parse() {
                Ok(requirement) => requirement,
                Err(_) => continue,
            },
            "approval" => {
                let count = gate.threshold.as_ref().and_then(|text| text.split(' ').next()?.parse().ok()).unwrap_or(1);
                Requirement::Approval(gate.name.clone(), count)
            }
            "eval" | "latency" => match gate.label().parse() {
                Ok(requirement) => requirement,
                Err(_) => continue,
            },
            _ => continue,
        };
        if !required.contains(&requirement) {
            required.push(requirement);
        }
    }
    required
}

/// What `--override` named.
fn overrides(records: &[&Record]) -> Vec<Override> {
    let mut overrides: Vec<Override> = Vec::new();
    for recorded in records.iter().flat_map(|record| &record.overrides) {
        let said = &recorded.said;
        let asked = Override {
            gate: recorded.gate.clone(),
            reason: said.reason.clone(),
            ticket: said.ticket.clone(),
            expires: said.expires,
        };
        if !overrides.contains(&asked) {
            overrides.push(asked);
        }
    }
    overrides
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
