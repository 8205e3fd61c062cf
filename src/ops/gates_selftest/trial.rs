//! Putting a planted change before the gates, as a promotion or an application that nobody asked for.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use anyhow::Result;
use chrono::{DateTime, Utc};

use crate::closure::{Closure, Shelf};
use crate::gate::GateResult;
use crate::ledger::{Ballots, Environment, Reader};
use crate::release::{AgentEdit, CatalogEdit, Context, Draft, Event, Operator, Running, Source, Word, layout, plan};
use crate::resource::{Kind, Requirement, Resource, ResourceId};
use crate::trust::{Principal, Trust};

use super::super::desk::Desk;
use super::super::guards::guards;
use super::super::judge::undecidable;
use super::harvest::{Harvest, Twist};

/// Where seeds are planted.
pub(super) struct Field<'a, 'r> {
    pub(super) reader: &'a Reader<'r>,
    pub(super) trust: &'a Trust,
    pub(super) desk: &'a Desk,
    pub(super) target: &'a Environment<'a, 'r>,
    pub(super) source: &'a Environment<'a, 'r>,
    pub(super) required: &'a [Requirement],
    pub(super) time: DateTime<Utc>,
}

impl Field<'_, '_> {
    /// The promotion that brings `after` from the rung below.
    pub(super) fn promotion(&self, agent: &ResourceId, running: &Running, after: Closure) -> Draft {
        let source = Source {
            environment: self.source.name().to_owned(),
            release: None,
            commit: self.source.head().to_string(),
        };
        let edit = AgentEdit {
            word: Word::Updated,
            before: Some(running.clone()),
            last: Some(running.record.clone()),
            after: Some(after),
            writes: BTreeSet::new(),
            ran: None,
            brings: Some(BTreeMap::new()),
            running_in_source_since: Some(self.time),
            regressions: Vec::new(),
            undoes: None,
            has_served: false,
        };
        Draft {
            event: Event::Promote,
            environment: self.target.name().to_owned(),
            source: Some(source),
            reason: None,
            catalog: BTreeMap::new(),
            agents: BTreeMap::from([(agent.clone(), edit)]),
        }
    }

    /// The apply that puts `weaker` in the place of a record.
    pub(super) fn application(&self, record: &Arc<Resource>, weaker: &Arc<Resource>) -> Draft {
        let edit = CatalogEdit { before: Some(record.clone()), after: Some(weaker.clone()), cases: None };
        Draft {
            event: Event::Apply,
            environment: self.target.name().to_owned(),
            source: None,
            reason: None,
            catalog: BTreeMap::from([(record.id().clone(), edit)]),
            agents: BTreeMap::new(),
        }
    }

    /// The Evals and Deployments about an agent, those of the target first.
    pub(super) fn records(&self, agent: &ResourceId) -> Result<Vec<Arc<Resource>>> {
        let about = BTreeSet::from([agent.clone()]);
        let mut records = Vec::new();
        for environment in [self.target, self.source] {
            for kind in [Kind::Eval, Kind::Deployment] {
                records.extend(environment.concerning(&kind, &about, &BTreeSet::new())?);
            }
        }
        Ok(records)
    }

    /// What the gates say of a draft, asked for by a machine that is nobody's admin.
    pub(super) fn judge(&self, draft: &Draft, twist: Twist) -> Result<Vec<GateResult>> {
        let source = draft.source.as_ref().map(|_| self.source);
        let records = guards(draft, self.target, source, &[self.trust], &[])?;
        let commit = self.reader.tip(layout::EVIDENCE)?;
        let ballots = Ballots { reader: self.reader, commit, trust: self.trust };
        let results = Harvest { field: self, ballots: &ballots, records: &records, draft, twist };
        let operator =
            Operator { principal: Principal { name: "selftest".into(), automation: true }, fingerprint: String::new() };
        let evidence = commit.to_string();
        let context = Context {
            trust: self.trust,
            earlier_trust: None,
            evidence_commit: &evidence,
            operator: &operator,
            now: self.time,
            number: self.target.next_release()?,
            records: &records,
            required: if draft.source.is_some() { self.required } else { &[] },
            allowed_regressions: &[],
            numbering: self.reader,
            bills: self.reader,
            votes: &ballots,
            results: &results,
            observations: &ballots,
            holds: &ballots,
            overrides: &[],
            broken: &ballots,
            target: self.target,
            source: source.map(|source| source as &dyn Shelf),
            default_judge: self.desk.project.config.judge.as_ref(),
        };
        let plan = plan(draft, &context).map_err(undecidable)?;
        Ok(plan.records.into_iter().flat_map(|record| record.gates).collect())
    }
}
