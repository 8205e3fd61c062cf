//! The draft of a release, read back from what it changed: from it the plan is made again.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use anyhow::Result;

use crate::audit::commit::CommitFact;
use crate::audit::numbers::Numbers;
use crate::audit::tree::Parts;
use crate::audit::{Finding, Rule};
use crate::closure::{Closure, Exchange, ripple};
use crate::ledger::{ChangedPath, Environment, Error, ObjectId, Reader};
use crate::ops::promotion;
use crate::ops::reach::edit_of;
use crate::release::{
    AgentEdit, CatalogEdit, DefaultJudge, Draft, Event, Manifest, Record, Running, Source, Undone, layout,
};
use crate::resource::view::{Deployment, Eval};
use crate::resource::{Digest, Kind, Reference, ResourceId, Target, Value};

/// What an environment served, and from which place of its branch on: the digests of closures and of catalog entries.
#[derive(Default)]
pub(super) struct Served(HashMap<ResourceId, HashMap<Digest, usize>>);

impl Served {
    /// Whether it served this content before the release at `place`.
    pub(super) fn had(&self, id: &ResourceId, digest: Digest, place: usize) -> bool {
        self.0.get(id).and_then(|digests| digests.get(&digest)).is_some_and(|first| *first < place)
    }

    /// It serves from `place` on what the manifest of a release names, which is clean.
    pub(super) fn take(&mut self, manifest: &Manifest, place: usize) {
        let agents = manifest.agents.iter().map(|agent| (agent.id(), agent.digest));
        let entries = manifest.resources.iter().map(|entry| (entry.id(), entry.digest));
        for (id, digest) in agents.chain(entries).filter_map(|(id, digest)| Some((id, digest?))) {
            self.0.entry(id).or_default().entry(digest).or_insert(place);
        }
    }

    /// It serves this content from `place` on.
    pub(super) fn add(&mut self, draft: &Draft, place: usize) {
        let agents = draft.agents.iter().filter_map(|(id, edit)| Some((id, edit.after.as_ref()?.digest())));
        let entries = draft.catalog.iter().filter_map(|(id, edit)| Some((id, edit.after.as_ref()?.digest())));
        for (id, digest) in agents.chain(entries) {
            self.0.entry(id.clone()).or_default().entry(digest).or_insert(place);
        }
    }
}

/// A release and what surrounds it.
pub(super) struct Release<'a, 'r> {
    pub(super) reader: &'a Reader<'r>,
    pub(super) fact: &'a CommitFact,
    pub(super) id: ObjectId,
    pub(super) manifest: &'a Manifest,
    pub(super) changes: &'a [ChangedPath],
    pub(super) parts: &'a Parts,
    /// The environment before it, and after it.
    pub(super) before: Environment<'a, 'r>,
    pub(super) after: Environment<'a, 'r>,
    /// For a promotion, where its content comes from.
    pub(super) source: Option<(Source, Environment<'a, 'r>)>,
    pub(super) served: &'a Served,
    /// Its place on the branch.
    pub(super) place: usize,
    pub(super) numbers: &'a Numbers,
    /// Whether an earlier release of the environment has a bill of materials.
    pub(super) billed: bool,
}

/// The draft, with the records that stand beside the closures it changes.
pub(super) struct Redraft {
    pub(super) draft: Draft,
    pub(super) records: BTreeMap<ResourceId, Record>,
}

impl Release<'_, '_> {
    /// Reads the draft back. An agent that a ripple and a promotion both explain is taken for the former if
    /// `as_ripple`.
    ///
    /// # Errors
    /// The ledger is damaged in a way that is no finding about this release.
    pub(super) fn redraft(&self, as_ripple: bool, findings: &mut Vec<Finding>) -> Result<Redraft> {
        let draft = Draft {
            event: self.manifest.event,
            environment: self.before.name().to_owned(),
            source: self.source.as_ref().map(|(source, _)| source.clone()),
            reason: self.manifest.reason.clone(),
            catalog: self.catalog(findings)?,
            agents: BTreeMap::new(),
        };
        let mut redraft = Redraft { draft, records: BTreeMap::new() };
        for agent in self.parts.accounts.difference(&self.parts.closures) {
            let wrong = "its record or bill changes, and its closure does not";
            findings.push(self.at(&layout::agent(agent), Rule::TreePath, wrong));
        }
        for agent in &self.parts.closures {
            let after = match self.after.closure(agent) {
                Ok(after) => after,
                Err(Error::Damaged { why, .. }) => {
                    findings.push(self.at(&layout::closure(agent), Rule::ClosureForm, &why));
                    continue;
                }
                Err(why) => return Err(why.into()),
            };
            let Some(record) = self.record(agent, findings)? else { continue };
            let edit = self.agent(agent, after, &record, &redraft.draft, as_ripple, findings)?;
            redraft.draft.agents.insert(agent.clone(), edit);
            redraft.records.insert(agent.clone(), record);
        }
        Ok(redraft)
    }

    /// The catalog entries that it changes.
    fn catalog(&self, findings: &mut Vec<Finding>) -> Result<BTreeMap<ResourceId, CatalogEdit>> {
        let mut edits = BTreeMap::new();
        let changed = self.changes.iter().filter(|change| self.parts.entries.contains(&change.path));
        for change in changed {
            let read = |blob: Option<ObjectId>| blob.map(|blob| self.reader.resource(blob)).transpose();
            let (before, after) = match (read(change.old), read(change.new)) {
                (Ok(before), Ok(after)) => (before, after),
                (Err(Error::Damaged { why, .. }), _) | (_, Err(Error::Damaged { why, .. })) => {
                    findings.push(self.at(&change.path, Rule::CatalogForm, &why));
                    continue;
                }
                (Err(why), _) | (_, Err(why)) => return Err(why.into()),
            };
            let Some(id) = after.as_ref().or(before.as_ref()).map(|resource| resource.id().clone()) else { continue };
            if layout::catalog(&id) != change.path {
                let wrong = format!("it is {id}, which belongs at `{}`", layout::catalog(&id));
                findings.push(self.at(&change.path, Rule::CatalogForm, &wrong));
                continue;
            }
            let cases = match &after {
                Some(eval) if id.kind == Kind::Eval => {
                    let cases = self.reader.snapshot().blob_at(self.id, &layout::cases(&id))?;
                    let named = eval.spec().at(&["dataset", "sha256"]).and_then(Value::as_text);
                    if cases.as_ref().is_some_and(|cases| named != Some(&Digest::of(cases).hex())) {
                        let wrong = "its cases are not those whose digest the Eval names";
                        findings.push(self.at(&layout::cases(&id), Rule::CatalogForm, wrong));
                    }
                    cases
                }
                _ => None,
            };
            edits.insert(id, CatalogEdit { before, after, cases });
        }
        let owned: BTreeSet<_> = edits.keys().map(layout::cases).collect();
        for path in self.parts.cases.difference(&owned) {
            findings.push(self.at(path, Rule::TreePath, "the cases change, and their Eval does not"));
        }
        Ok(edits)
    }

    /// The record that stands beside a closure.
    fn record(&self, agent: &ResourceId, findings: &mut Vec<Finding>) -> Result<Option<Record>> {
        let path = layout::record(agent);
        let Some(bytes) = self.reader.snapshot().blob_at(self.id, &path)? else {
            findings.push(self.at(&path, Rule::RecordMissing, "a closure changes, and there is no record of it"));
            return Ok(None);
        };
        match Record::from_json(&bytes) {
            Ok(record) => {
                if record.joch == self.manifest.joch && is_ours(&record) && record.to_json() != bytes {
                    let wrong = "it is not as joch writes it: a reader may take something else from it";
                    findings.push(self.at(&path, Rule::RecordForm, wrong));
                }
                Ok(Some(record))
            }
            Err(why) => {
                findings.push(self.at(&path, Rule::RecordUnreadable, &why));
                Ok(None)
            }
        }
    }

    /// What it does to one agent.
    fn agent(
        &self,
        agent: &ResourceId,
        after: Option<Closure>,
        record: &Record,
        draft: &Draft,
        as_ripple: bool,
        findings: &mut Vec<Finding>,
    ) -> Result<AgentEdit> {
        let writes = self.writes(agent, after.as_ref(), record, draft);
        let mut edit = edit_of(&self.before, agent, after, writes)?;
        let rippled = self.is_ripple(&edit, draft);
        match draft.event {
            Event::Apply => {}
            Event::Promote => {
                let candidate = self.candidate(agent)?;
                match candidate
                    .filter(|candidate| !(rippled && as_ripple) && Some(&candidate.closure) == edit.after.as_ref())
                {
                    Some(candidate) => {
                        self.bring(agent, &candidate, record.default_judge.as_ref(), &mut edit, draft)?;
                        promotion::weigh(agent, &mut edit, &candidate, &self.before, self.numbers, self.reader)?;
                    }
                    None if rippled => {
                        if let Some((_, source)) = &self.source {
                            edit.running_in_source_since = promotion::running_since(agent, &edit, source)?;
                        }
                    }
                    None => {
                        let wrong = "it is neither what the source held nor what the promoted resources make of it";
                        findings.push(self.at(&layout::closure(agent), Rule::PromoteSource, wrong));
                    }
                }
            }
            Event::Rollback => {
                edit.undoes =
                    edit.last.as_ref().map(|last| Undone { release: last.release.clone(), version: last.to_version });
                edit.has_served =
                    edit.after.as_ref().is_some_and(|after| self.served.had(agent, after.digest(), self.place));
                if !edit.has_served && !rippled {
                    let wrong = "the environment had not served it before";
                    findings.push(self.at(&layout::closure(agent), Rule::RollbackServed, wrong));
                }
            }
            Event::Delete => {
                if edit.after.is_some() && !rippled {
                    let wrong = "the closure changes by more than what was deleted";
                    findings.push(self.at(&layout::closure(agent), Rule::Ripple, wrong));
                }
            }
        }
        if edit.after.is_none() && draft.event != Event::Delete {
            findings.push(self.at(&layout::agent(agent), Rule::Removal, "only a delete takes an agent out"));
        }
        Ok(edit)
    }

    /// What the source runs for an agent.
    fn candidate(&self, agent: &ResourceId) -> Result<Option<Running>> {
        Ok(match &self.source {
            Some((_, source)) => source.running(agent)?,
            None => None,
        })
    }

    /// What came along with an agent that was promoted.
    fn bring(
        &self,
        agent: &ResourceId,
        candidate: &Running,
        judge: Option<&DefaultJudge>,
        edit: &mut AgentEdit,
        draft: &Draft,
    ) -> Result<()> {
        let Some((_, source)) = &self.source else { return Ok(()) };
        let trust = self.reader.trust()?;
        let above = trust.ladder().from(self.before.name());
        let default_judge = judge.map(Reference::from);
        let way = promotion::Way {
            source,
            above,
            default_judge: default_judge.as_ref(),
            numbering: self.numbers,
            reader: self.reader,
        };
        let brings = promotion::brings(agent, &candidate.closure, &way)?;
        let lacked = draft.catalog.iter().filter(|(id, change)| change.before.is_none() && brings.contains_key(*id));
        edit.writes = lacked.map(|(id, _)| id.clone()).collect();
        edit.brings = Some(brings);
        Ok(())
    }

    /// The closures that this release changes beside that of `agent`.
    fn others(&self, agent: &ResourceId) -> BTreeMap<ResourceId, Closure> {
        let others = self.parts.closures.iter().filter(|other| *other != agent);
        others.filter_map(|other| Some((other.clone(), self.after.closure(other).ok()??))).collect()
    }

    /// Whether a closure is what the other changes of this release make of the one before.
    fn is_ripple(&self, edit: &AgentEdit, draft: &Draft) -> bool {
        let (Some(before), Some(after)) = (&edit.before, &edit.after) else { return false };
        let parent = !before.closure.children().is_empty();
        let agents = if parent { self.others(after.id()) } else { BTreeMap::new() };
        let of = |replaced: bool| -> Exchange {
            let wanted = draft.catalog.iter().filter(|(_, change)| !replaced || change.before.is_some());
            let resources = wanted.map(|(id, change)| (id.clone(), change.after.clone())).collect();
            Exchange { resources, agents: agents.clone() }
        };
        [true, false].into_iter().map(of).any(|exchange| {
            !(exchange.resources.is_empty() && exchange.agents.is_empty())
                && ripple(&before.closure, &exchange, &self.before).is_ok_and(|cut| cut == *after)
        })
    }

    /// The catalog changes that were written on an agent's behalf. Each verb has its way to tell them; the record
    /// holds the digest of those that were meant, and one of these must have it.
    fn writes(
        &self,
        agent: &ResourceId,
        after: Option<&Closure>,
        record: &Record,
        draft: &Draft,
    ) -> BTreeSet<ResourceId> {
        let held = |id: &ResourceId| after.is_some_and(|closure| closure.find(id).is_some());
        let brought = |id: &ResourceId| held(id) || is_about(agent, id, draft) || is_secret_of(after, id);
        let of = |wanted: &dyn Fn(&ResourceId, &CatalogEdit) -> bool| -> BTreeSet<ResourceId> {
            draft.catalog.iter().filter(|(id, edit)| wanted(id, edit)).map(|(id, _)| id.clone()).collect()
        };
        let ways = [
            of(&|id, _| held(id)),
            of(&|id, edit| edit.before.is_none() && brought(id)),
            of(&|_, _| true),
            of(&|_, edit| edit.before.is_some()),
            of(&|id, _| !brought(id)),
        ];
        let fits = |writes: &&BTreeSet<ResourceId>| draft.writes(writes) == record.writes;
        ways.iter().find(fits).unwrap_or(&ways[2]).clone()
    }

    /// A finding about a path of this release.
    pub(super) fn at(&self, path: &str, rule: Rule, wrong: &str) -> Finding {
        let mut finding = self.fact.finding(rule, format!("`{path}`: {wrong}"));
        finding.object = format!("{}:{path}", self.fact.object);
        finding
    }
}

/// Whether a catalog entry is an Eval or Deployment of the agent, which a promotion brings along.
fn is_about(agent: &ResourceId, id: &ResourceId, draft: &Draft) -> bool {
    let Some(resource) = draft.catalog.get(id).and_then(|edit| edit.after.as_ref()) else { return false };
    let measured = Eval::of(resource).is_some_and(|eval| eval.measures(agent, &id.namespace));
    let deployed = Deployment::of(resource)
        .and_then(|deployment| deployment.agent)
        .is_some_and(|named| named.candidates(&id.namespace).contains(agent));
    measured || deployed
}

/// Whether a closure names this Secret.
fn is_secret_of(closure: Option<&Closure>, id: &ResourceId) -> bool {
    id.kind == Kind::Secret
        && closure.is_some_and(|closure| {
            closure.everything().iter().any(|resource| {
                resource.mentions().iter().any(|mention| match &mention.target {
                    Target::Resource(named) => named.candidates(&resource.id().namespace).contains(id),
                    Target::Candidate(_) => false,
                })
            })
        })
}

/// Whether this joch wrote a record, so that it knows how it must look.
fn is_ours(record: &Record) -> bool {
    record.joch == env!("CARGO_PKG_VERSION")
}
