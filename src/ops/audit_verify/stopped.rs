//! Decides again what gates stopped. The candidate of a stopped promotion still stands in its source, so the same
//! draft can be made of the two commits that the decision names; what was to be applied stands nowhere but in its diff.

use std::collections::BTreeMap;

use anyhow::Result;
use chrono::{DateTime, Utc};

use crate::audit::stopped::check_stopped;
use crate::audit::{Finding, Rule};
use crate::gate::Subject;
use crate::ledger::Environment;
use crate::ops::promotion::{Way, draft_of};
use crate::release::{Draft, Event, Record, WRITERS, layout};
use crate::resource::{Digest, Kind, Reference, ResourceId};
use crate::trust::Trust;

use crate::ops::facts::broken;

use super::judge::World;
use super::reapply::read_back;
use super::releases::Court;

/// One stopped attempt: the decisions on all that it would have changed.
struct Attempt<'a> {
    environment: &'a str,
    number: u64,
    records: Vec<&'a Record>,
}

impl Court<'_, '_> {
    /// Checks every stopped decision on an environment; tells how many could be decided again.
    pub(super) fn stopped(&self, environment: &str, findings: &mut Vec<Finding>) -> usize {
        let here = (environment.to_owned(), 0)..=(environment.to_owned(), u64::MAX);
        let mut again = 0;
        for ((_, number), decisions) in self.testimony.decisions.range(here) {
            let mut records = Vec::new();
            for decision in decisions.iter().filter(|decision| !decision.made) {
                match decision.record(self.reader) {
                    Ok(record) => records.push(record),
                    Err(why) => findings.push(broken(&why)),
                }
            }
            let mut attempts: BTreeMap<(Digest, DateTime<Utc>, &str), Vec<&Record>> = BTreeMap::new();
            for record in &records {
                // Two attempts of one second differ in the evidence that they cite.
                let key = (record.attempt, record.timestamp, record.evidence.as_str());
                attempts.entry(key).or_default().push(record);
            }
            for records in attempts.into_values() {
                let attempt = Attempt { environment, number: *number, records };
                match self.decide_again(&attempt) {
                    Ok(Some(found)) => {
                        again += attempt.records.len();
                        findings.extend(found);
                    }
                    Ok(None) => {}
                    Err(why) => findings.push(Finding::new(Rule::RecordContent, attempt.object(attempt.records[0]), {
                        format!("what it decided on cannot be read: {why}")
                    })),
                }
            }
        }
        again
    }

    /// The findings about one attempt; none at all where it cannot be made again.
    fn decide_again(&self, attempt: &Attempt<'_>) -> Result<Option<Vec<Finding>>> {
        let [record, ..] = attempt.records[..] else { return Ok(None) };
        let finding = |rule, wrong: String| Ok(Some(vec![Finding::new(rule, attempt.object(record), wrong)]));
        if !WRITERS.contains(&record.joch.as_str()) {
            let wrong =
                format!("it names joch {} as its writer, which this joch does not know: upgrade joch", record.joch);
            return finding(Rule::RecordContent, format!("{wrong}; ask whoever signed it"));
        }
        let Some(target) = self.before(attempt) else { return Ok(None) };
        let Some(step) = self.trust.0.iter().find(|step| step.trust.commit == record.trust) else { return Ok(None) };
        let evidence = self.lines.get(layout::EVIDENCE).and_then(|line| line.place_of(&record.evidence));
        if evidence.is_none() {
            let wrong = format!("it cites the evidence commit `{}`, which is not there", record.evidence);
            return finding(Rule::EvidenceBackwards, format!("{wrong}; fetch `evidence` from a clone that has it"));
        }
        let from = match &record.source {
            None => None,
            Some(source) => match self.at(&source.environment, &source.commit) {
                Some(from) => Some(from),
                None => {
                    let wrong = format!("`{}` does not have the commit `{}`", source.environment, source.commit);
                    let next = "fetch that branch from a clone that has it";
                    return finding(Rule::PromoteSource, format!("{wrong}, which it names as its source; {next}"));
                }
            },
        };
        let draft = match (record.event, &from) {
            (Event::Promote, Some(from)) => self.redrafted(attempt, from, &target, &step.trust)?,
            (Event::Apply | Event::Delete, None) => read_back(&attempt.records, &target)?,
            _ => None,
        };
        let other = |subject: &Subject| {
            attempt.records.iter().any(|record| record.agent_ref == subject.resource && record.to_digest != subject.to)
        };
        if let (Some(draft), None) = (&draft, &from)
            && let Some(subject) = draft.subjects().into_iter().find(other)
        {
            let wrong = format!("its diff does not make the candidate of {} that it names", subject.resource);
            return finding(Rule::RecordDiff, format!("{wrong}; ask whoever signed it"));
        }
        // Only a draft of the same subjects is that attempt.
        let same = |draft: &Draft| draft.attempt(attempt.number) == record.attempt;
        let Some(draft) = draft.filter(same) else { return Ok(None) };
        let world = World {
            before: &target,
            source: from.as_ref(),
            trust: &step.trust,
            number: attempt.number,
            release: None,
            joch: &record.joch,
        };
        let operator = &record.operator_identity;
        let plan = self.plan_of(&draft, &world, &attempt.records, &record.evidence, operator, record.timestamp)?;
        let plan = match plan {
            Ok(plan) => plan,
            Err(why) => return finding(Rule::RecordContent, why),
        };
        // One command may change trust and be stopped: then the rules that it was judged by stand nowhere.
        let rules = |record: &&Record| {
            plan.records
                .iter()
                .any(|again| again.agent_ref == record.agent_ref && again.gate_rules != record.gate_rules)
        };
        if record.event == Event::Apply && attempt.records.iter().any(rules) {
            return Ok(None);
        }
        let mut findings = Vec::new();
        for found in &attempt.records {
            match plan.records.iter().find(|derived| derived.agent_ref == found.agent_ref) {
                Some(derived) => findings.extend(check_stopped(&attempt.object(found), found, derived)),
                None => {
                    let wrong = format!("{} is no part of what it decided on; ask whoever signed it", found.agent_ref);
                    findings.push(Finding::new(Rule::RecordContent, attempt.object(found), wrong));
                }
            }
        }
        Ok(Some(findings))
    }

    /// The environment as it was before the release that the attempt was to be.
    fn before(&self, attempt: &Attempt<'_>) -> Option<Environment<'_, '_>> {
        let line = self.lines.get(attempt.environment)?;
        let head = line.commits.get(usize::try_from(attempt.number).ok()?.checked_sub(1)?)?;
        Some(self.reader.environment_at(attempt.environment, *head))
    }

    fn at(&self, environment: &str, commit: &str) -> Option<Environment<'_, '_>> {
        let line = self.lines.get(environment)?;
        Some(self.reader.environment_at(environment, line.commits[line.place_of(commit)?]))
    }

    /// The draft of a promotion, if what was asked for can be told from its decisions.
    fn redrafted(
        &self,
        attempt: &Attempt<'_>,
        from: &Environment<'_, '_>,
        target: &Environment<'_, '_>,
        trust: &Trust,
    ) -> Result<Option<Draft>> {
        let judge = attempt.records.iter().find_map(|record| record.default_judge.as_ref()).map(Reference::from);
        let way = Way {
            source: from,
            above: trust.ladder().from(attempt.environment),
            default_judge: judge.as_ref(),
            numbering: self.numbers,
            reader: self.reader,
        };
        let reason = attempt.records[0].reason.clone();
        // A closure that is not the source's came by ripple, from a shared resource that its diff names.
        let mut named: Vec<ResourceId> = Vec::new();
        for record in &attempt.records {
            let id = &record.agent_ref;
            let promoted =
                id.kind != Kind::Agent || from.closure(id)?.map(|closure| closure.digest()) == record.to_digest;
            let shared = record.diff.iter().map(|change| &change.resource).filter(|id| id.kind != Kind::Agent);
            let asked = if promoted { vec![id] } else { shared.collect() };
            named.extend(asked.into_iter().cloned());
        }
        named.sort();
        named.dedup();
        let Ok(promotion) = draft_of(named, reason, target, &way, &mut Vec::new()) else { return Ok(None) };
        Ok(Some(promotion.draft))
    }
}

impl Attempt<'_> {
    /// The item of evidence that holds a record.
    fn object(&self, record: &Record) -> String {
        let id = Digest::of(record.to_json()).hex();
        layout::decision(self.environment, self.number, &id)
    }
}
