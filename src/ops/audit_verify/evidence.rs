//! Follows the evidence branch: every item is only added, is named for its content, and is signed by its author.

use std::collections::{BTreeMap, HashMap};

use crate::audit::commit::CommitFact;
use crate::audit::evidence::{check_path, check_place, ledger_of, number_of};
use crate::audit::trust::TrustHistory;
use crate::audit::{Finding, Rule};
use crate::gate::{Glass, Hold, Review, void_reviewer};
use crate::ledger::{ChangedPath, Error, Item, ObjectId, Reader, Result, changed_paths};
use crate::release::{Record, layout};
use crate::resource::Digest;
use crate::trust::{PublicKey, Trust};

use super::lines::Lines;
use crate::ops::facts::{broken, commit_fact};

/// What the evidence branch holds, as far as releases need it.
#[derive(Default)]
pub(super) struct Testimony {
    /// How many items there are.
    pub(super) items: usize,
    /// The place of the commit that added each decision, by the digest of its path.
    pub(super) added: HashMap<Digest, usize>,
    /// Every decision that let a change through or not, by environment and number.
    pub(super) decisions: BTreeMap<(String, u64), Vec<Decision>>,
    /// The place of the commit that added each override, and the override, by the id of the item.
    pub(super) glass: BTreeMap<String, (usize, Glass)>,
}

/// A decision, which is read when it is asked for: there may be more than fit.
#[derive(Clone, Copy)]
pub(super) struct Decision {
    blob: ObjectId,
    /// Whether it let the change through.
    pub(super) made: bool,
}

impl Decision {
    /// What was decided.
    ///
    /// # Errors
    /// It cannot be read any more.
    pub(super) fn record(self, reader: &Reader<'_>) -> Result<Record> {
        reader.decision(self.blob)
    }
}

impl Testimony {
    /// The decisions on a release, or on what was to be one.
    pub(super) fn on(&self, environment: &str, number: u64) -> &[Decision] {
        self.decisions.get(&(environment.to_owned(), number)).map(Vec::as_slice).unwrap_or_default()
    }

    /// All that is said in these decisions, as one digest.
    pub(super) fn said(&self, environment: &str, number: u64) -> Digest {
        let all = self.on(environment, number).iter().map(|decision| decision.blob.to_string());
        Digest::of(all.collect::<Vec<_>>().join(" "))
    }
}

/// Follows the branch.
pub(super) fn follow(
    reader: &Reader<'_>,
    lines: &Lines,
    trust: &TrustHistory,
    findings: &mut Vec<Finding>,
) -> Testimony {
    let mut testimony = Testimony::default();
    let Some(line) = lines.get(layout::EVIDENCE) else { return testimony };
    let people = trust.0.last().map(|step| step.trust.signers.ever()).unwrap_or_default();
    let mut time = None;
    for (place, id) in line.commits.iter().enumerate() {
        let fact = match commit_fact(reader, layout::EVIDENCE, *id) {
            Ok(fact) => fact,
            Err(finding) => {
                findings.push(finding);
                continue;
            }
        };
        findings.extend(fact.check_form(time, place == 0));
        time = Some(fact.time);
        if place == 0 {
            // The genesis, which is checked once for all branches.
            continue;
        }
        if let Some(judge) = trust.newest_unseeing(layout::EVIDENCE, place) {
            match fact.check_signer(judge, |_| Ok(())) {
                Ok(principal) => findings.extend(fact.check_names(&principal)),
                Err(finding) => findings.push(finding),
            }
        }
        match changes(reader, line.commits[place - 1], *id) {
            Ok(changes) => {
                let judge = trust.newest_unseeing(layout::EVIDENCE, place);
                let added = Added { reader, commit: *id, fact: &fact, people: &people, judge };
                findings.extend(added.nothing(&changes));
                changes.iter().for_each(|change| added.check(change, &changes, place, &mut testimony, findings));
            }
            Err(why) => findings.push(broken(&why)),
        }
    }
    testimony
}

fn changes(reader: &Reader<'_>, parent: ObjectId, id: ObjectId) -> Result<Vec<ChangedPath>> {
    let tree = |id| reader.snapshot().commit(id).map(|commit| commit.tree);
    changed_paths(reader.snapshot(), Some(tree(parent)?), Some(tree(id)?))
}

/// Whether a changed path adds an item, and not its signature.
fn is_item(change: &ChangedPath) -> bool {
    let added = change.old.is_none() && change.new.is_some() && check_path(&change.path).is_ok();
    added && !change.path.ends_with(layout::SIGNATURE)
}

/// One evidence commit.
pub(in crate::ops) struct Added<'a, 'r> {
    pub(in crate::ops) reader: &'a Reader<'r>,
    pub(in crate::ops) commit: ObjectId,
    pub(in crate::ops) fact: &'a CommitFact,
    /// Everybody whose key trust ever listed.
    pub(in crate::ops) people: &'a BTreeMap<PublicKey, String>,
    /// The trust that whoever made the commit can have known.
    pub(in crate::ops) judge: Option<&'a Trust>,
}

/// Where results of evals stand.
const RESULTS: &str = "evals/";
/// Where observations stand.
const SIGHTINGS: &str = "observations/";

impl Added<'_, '_> {
    fn check(
        &self,
        change: &ChangedPath,
        all: &[ChangedPath],
        place: usize,
        testimony: &mut Testimony,
        findings: &mut Vec<Finding>,
    ) {
        let path = change.path.as_str();
        testimony.items += usize::from(is_item(change));
        let Some(item) = self.item(change, all, findings) else { return };
        if let Some((rule, why)) = self.said(path, &item, place, testimony) {
            findings.push(self.finding(path, rule, why));
            return;
        }
        if !path.starts_with("decisions/") {
            return;
        }
        let Ok(record) = Record::from_json(&item.bytes) else { return };
        let operator = &record.operator_identity;
        if operator.fingerprint != item.key.fingerprint() {
            let signer = self.people.get(&item.key).map_or("somebody else", String::as_str);
            let wrong = format!("`{signer}` signed it, and it names `{}` as operator", operator.principal);
            findings.push(self.finding(path, Rule::Operator, wrong));
        }
        if let (Some(number), Some(blob)) = (number_of(&record), change.new) {
            testimony.added.insert(Digest::of(path), place);
            let decision = Decision { blob, made: record.verdict == record.event.done() };
            testimony.decisions.entry((record.environment, number)).or_default().push(decision);
        }
    }

    /// That the commit adds nothing, if it does not: no verb leaves such a one.
    fn nothing(&self, changes: &[ChangedPath]) -> Option<Finding> {
        let wrong = || self.fact.finding(Rule::EvidenceChanged, "it adds nothing to the evidence before it");
        changes.is_empty().then(wrong)
    }

    /// What is wrong with a path of the commit.
    fn finding(&self, path: &str, rule: Rule, wrong: String) -> Finding {
        let mut finding = self.fact.finding(rule, wrong);
        finding.object = format!("{}:{path}", self.commit);
        finding
    }

    /// The item that a changed path adds, if it is one that counts: named for its content, in its place, and signed by
    /// somebody who may say such things. What is wrong with it is told.
    pub(in crate::ops) fn item(
        &self,
        change: &ChangedPath,
        all: &[ChangedPath],
        findings: &mut Vec<Finding>,
    ) -> Option<Item> {
        let path = change.path.as_str();
        let mut find = |rule: Rule, wrong: String| findings.push(self.finding(path, rule, wrong));
        let (None, Some(blob)) = (change.old, change.new) else {
            find(Rule::EvidenceChanged, format!("`{path}` was changed or taken away, and evidence is only added"));
            return None;
        };
        if let Err(why) = check_path(path) {
            find(Rule::EvidenceName, why);
            return None;
        }
        if let Some(item) = path.strip_suffix(layout::SIGNATURE) {
            if !all.iter().any(|other| other.path == item) {
                find(Rule::EvidenceName, "it is the signature of no item that came with it".to_owned());
            }
            return None;
        }
        let signed = format!("{path}{}", layout::SIGNATURE);
        if !all.iter().any(|other| other.path == signed) {
            find(Rule::EvidenceSignature, "nobody signed it".to_owned());
            return None;
        }
        let item = match self.reader.item(self.commit, path, blob) {
            Ok(item) => item,
            Err(Error::BadSignature { why, .. }) => {
                find(Rule::EvidenceSignature, format!("its signature does not count: {why}"));
                return None;
            }
            Err(Error::Damaged { why, .. }) => {
                find(Rule::EvidenceName, why);
                return None;
            }
            Err(why) => {
                find(Rule::ObjectDamaged, why.to_string());
                return None;
            }
        };
        if path.starts_with(RESULTS)
            && let Some(judge) = self.judge
            && !judge.principal(&item.key).is_some_and(|principal| judge.may_run_evals(&principal))
        {
            let key = item.key.fingerprint();
            find(Rule::Role, format!("{key} signed it, of whom no environment takes results of evals"));
        }
        if path.starts_with(SIGHTINGS)
            && let Some(judge) = self.judge
            && !judge.principal(&item.key).is_some_and(|principal| judge.works(&principal))
        {
            let key = item.key.fingerprint();
            find(Rule::Role, format!("{key} signed it, of whom the ledger takes no observations"));
        }
        let Some(signer) = self.people.get(&item.key) else {
            find(Rule::EvidenceSignature, format!("{}, which trust never listed, signed it", item.key.fingerprint()));
            return None;
        };
        if let Some(judge) = self.judge.filter(|judge| judge.principal(&item.key).is_none()) {
            let key = item.key.fingerprint();
            let short = &judge.commit[..judge.commit.len().min(10)];
            let wrong =
                format!("{key} of `{signer}` signed it, a key that trust {short} had taken away before it was added");
            find(Rule::KeyUnlisted, wrong);
            return None;
        }
        if let Err(why) = check_place(path, &item.id, &item.bytes, self.fact.time) {
            find(Rule::EvidenceName, why);
            return None;
        }
        let ledger = ledger_of(path, &item.bytes);
        if let (Some(judge), Some(ledger)) = (self.judge, ledger)
            && ledger != judge.settings.uuid
        {
            let wrong = format!("`{signer}` said it in the ledger {ledger}, and this is {}", judge.settings.uuid);
            find(Rule::EvidenceLedger, wrong);
            return None;
        }
        Some(item)
    }

    /// What is wrong with a hold, an override or the review of one: whoever signed it must have had the say, under the
    /// trust that they can have known.
    fn said(&self, path: &str, item: &Item, place: usize, testimony: &mut Testimony) -> Option<(Rule, String)> {
        let judge = self.judge?;
        let who = judge.principal(&item.key);
        let unknown =
            || Some((Rule::Role, format!("{} signed it, whom trust did not list then", item.key.fingerprint())));
        let folder = path.split('/').next().unwrap_or_default();
        if folder == layout::HOLDS {
            let Ok(hold) = Hold::from_json(&item.bytes) else { return None };
            let Some(who) = who else { return unknown() };
            let wrong = || format!("`{who}` signed it, who may not say so of {}", hold.resource);
            return (!hold.may_be_said_by(&who, judge)).then(|| (Rule::Role, wrong()));
        }
        if folder != layout::OVERRIDES {
            return None;
        }
        let Some(who) = who else { return unknown() };
        if let Ok(glass) = Glass::from_json(&item.bytes) {
            let may = judge.check_overrider(&who, &glass.environment);
            let wrong = match &may {
                Err(why) => Some((Rule::Role, why.clone())),
                Ok(()) if glass.by != who.name => {
                    Some((Rule::Override, format!("`{who}` signed it, and it says that `{}` overrode", glass.by)))
                }
                Ok(()) => None,
            };
            testimony.glass.insert(item.id.clone(), (place, glass));
            return wrong;
        }
        let Ok(review) = Review::from_json(&item.bytes) else { return None };
        let Some((_, glass)) = testimony.glass.get(&review.reviews) else {
            return Some((Rule::Override, format!("it reviews the override {}, which is not there", review.reviews)));
        };
        let bound =
            (&review.release, &review.resource, review.record) == (&glass.release, &glass.resource, glass.record);
        let commit = self.reader.release(&review.release).ok().flatten();
        if !bound || commit.is_none_or(|commit| commit.to_string() != review.commit) {
            return Some((
                Rule::Override,
                format!("it is not about the release {} that was overridden", glass.release),
            ));
        }
        void_reviewer(glass, &who, judge).map(|why| (Rule::Role, why))
    }
}
