//! Releases judged beforehand, on as many threads as there are processors. What a thread finds clean is believed when its
//! turn comes, if all before it turned out clean; everything else is judged again then, so that what is told does not
//! depend on threads.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use anyhow::Result;

use crate::audit::tree::Parts;
use crate::ledger::{ObjectId, Shared, changed_paths};
use crate::ops::facts::commit_fact;
use crate::release::{Operator, layout};
use crate::resource::Digest;

use super::judge::Law;
use super::lines::Line;
use super::redraft::{Release, Served};
use super::releases::Court;
use super::verdicts::Verdicts;

/// Fewer releases are judged in their turn. Where joch is tested, whose ledgers are small, there are hardly ever fewer.
const FEW: usize = if cfg!(debug_assertions) { 2 } else { 24 };
/// How many releases a thread takes at a time: neighbours hold much of the same.
const SHARE: usize = if cfg!(debug_assertions) { 1 } else { 32 };

/// The releases of one environment.
struct Rung<'a> {
    environment: &'a str,
    line: &'a Line,
    served: &'a Served,
    /// The place of the first release with a bill of materials.
    billed: usize,
    /// The places of those that are to be judged.
    places: Vec<usize>,
}

impl Court<'_, '_> {
    /// Judges the releases of an environment that no earlier audit found clean.
    pub(super) fn judge_beforehand(&self, environment: &str, served: &BTreeMap<String, Served>) {
        let (Some(line), Some(served)) = (self.lines.get(environment), served.get(environment)) else { return };
        let mut places = self.verdicts.borrow().unknown(self.reader, &line.commits);
        places.retain(|place| *place as u64 > self.after);
        let threads = thread::available_parallelism().map_or(1, usize::from);
        if threads < 2 || places.len() < FEW {
            return;
        }
        let rung = Rung { environment, line, served, billed: self.first_bill(line), places };
        let next = AtomicUsize::new(0);
        // All that threads may share: a reader is of one thread.
        let (shared, Court { lines, trust, numbers, testimony, after, .. }) = (self.reader.shared(), *self);
        let some = || -> Option<HashMap<ObjectId, Digest>> {
            let shared: &Shared = &shared;
            let repository = shared.open().ok()?;
            let reader = shared.reader(&repository);
            let verdicts = RefCell::new(Verdicts::default());
            let court = Court { reader: &reader, lines, trust, numbers, testimony, verdicts: &verdicts, after };
            let mut clean = HashMap::new();
            loop {
                let begin = next.fetch_add(SHARE, Ordering::Relaxed);
                let Some(share) = rung.places.get(begin..).filter(|left| !left.is_empty()) else { break };
                for place in share.iter().take(SHARE) {
                    // What cannot be read is told in its turn.
                    if let Ok(Some(context)) = court.is_clean(&rung, *place) {
                        clean.insert(rung.line.commits[*place], context);
                    }
                }
            }
            Some(clean)
        };
        let parts: Vec<_> = thread::scope(|scope| {
            let parts: Vec<_> = (0..threads).map(|_| scope.spawn(some)).collect();
            parts.into_iter().map(|part| part.join().expect("judging does not panic")).collect()
        });
        self.verdicts.borrow_mut().judged(parts.into_iter().flatten().collect());
    }

    /// The place of the first release with a bill of materials; behind the last where none has one.
    fn first_bill(&self, line: &Line) -> usize {
        let has_bill = |id: ObjectId| match self.reader.manifest(id) {
            Ok(Some(manifest)) => self.has_bill(id, &manifest).unwrap_or(false),
            _ => false,
        };
        let places = 1..line.commits.len();
        places.into_iter().find(|place| has_bill(line.commits[*place])).unwrap_or(line.commits.len())
    }

    /// The surroundings in which a release is clean; none where there is anything to say of it.
    fn is_clean(&self, rung: &Rung<'_>, place: usize) -> Result<Option<Digest>> {
        let (reader, environment) = (self.reader, rung.environment);
        let (id, parent) = (rung.line.commits[place], rung.line.commits[place - 1]);
        let (Ok(fact), Some(manifest)) = (commit_fact(reader, environment, id), reader.manifest(id)?) else {
            return Ok(None);
        };
        let tree = |id| reader.snapshot().commit(id).map(|commit| commit.tree);
        let changes = changed_paths(reader.snapshot(), Some(tree(parent)?), Some(tree(id)?))?;
        let parts = Parts::of(changes.iter().map(|change| change.path.as_str()));
        let Some((trust, newest)) = self.trusts(environment, place, &manifest) else { return Ok(None) };
        let mut findings = Vec::new();
        let principal = self.signer(environment, &fact, trust, newest, &mut findings);
        let (Some(principal), Ok(key)) = (principal, &fact.signature) else { return Ok(None) };
        let source = self.source(environment, &fact, &manifest, trust, &mut findings)?;
        if !parts.strange.is_empty() || !parts.manifest || !findings.is_empty() {
            return Ok(None);
        }
        let billed = rung.billed < place;
        let release = Release {
            reader,
            fact: &fact,
            id,
            manifest: &manifest,
            changes: &changes,
            parts: &parts,
            before: reader.environment_at(environment, parent),
            after: reader.environment_at(environment, id),
            source,
            served: rung.served,
            place,
            numbers: self.numbers,
            billed,
        };
        let evidence = self.lines.get(layout::EVIDENCE).and_then(|line| line.place_of(&manifest.evidence));
        let operator = Operator { principal, fingerprint: key.fingerprint() };
        self.judge(&release, Law { cited: trust, newest, evidence, operator: &operator }, &mut findings)?;
        Ok(findings.is_empty().then(|| self.context(environment, place, &manifest, billed)))
    }
}
