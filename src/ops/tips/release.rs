//! The newest releases of an environment: whether each is what a verb could have left there.

use std::collections::BTreeMap;

use crate::audit::commit::CommitFact;
use crate::audit::compare::check_manifest;
use crate::audit::tags::{ReleaseTag, Released, check_release_tags};
use crate::audit::tree::Parts;
use crate::audit::{Finding, Rule, trailer, trailers};
use crate::ledger::{ObjectId, changed_paths};
use crate::ops::facts::release_tag;
use crate::release::{Manifest, MessageFacts, Operator, Record, layout};

use super::{Commit, Tip, Why, first};

impl Tip<'_, '_> {
    /// Checks a release by itself and against the one before it. Who signed it must be somebody who may write here, by
    /// the newest trust that had not seen it and by the one that it cites.
    pub(super) fn release(&self, commit: &Commit<'_>) -> Result<(), Why> {
        let fact = commit.fact;
        let newest = self.history.newest_unseeing(self.branch, commit.above)?;
        if let Some(newest) = &newest {
            fact.check_signer(newest, |who| newest.check_writer(who, self.branch))?;
        }
        let manifest = self.manifest(commit)?;
        let Some((_, cited)) = self.history.named(&manifest.trust)? else {
            let wrong = format!("it cites {}, which `trust` does not have", manifest.trust);
            return Err(fact.finding(Rule::TrustBackwards, wrong).into());
        };
        let principal = fact.check_signer(&cited, |who| cited.check_writer(who, self.branch))?;
        first(fact.check_names(&principal))?;
        let before = self.reader.manifest(commit.parent).ok().flatten();
        let number = before.as_ref().map_or(0, |manifest| manifest.release) + 1;
        if manifest.release != number {
            let wrong = format!("it is numbered {}, and {number} comes next", manifest.release);
            return Err(fact.finding(Rule::ReleaseNumber, wrong).into());
        }
        let key = fact.signature.as_ref().map(|key| key.fingerprint()).unwrap_or_default();
        let honest = Manifest {
            environment: self.branch.to_owned(),
            previous: before.as_ref().map(|manifest| manifest.name()),
            operator: Operator { principal, fingerprint: key },
            timestamp: fact.time,
            ..(*manifest).clone()
        };
        first(check_manifest(fact, &manifest, &honest))?;
        said(fact, &manifest)?;
        let name = layout::release_tag(self.branch, number);
        let tag = self.tag(&name)?.map(|tag| ((self.branch.to_owned(), number), tag));
        let release = ((self.branch.to_owned(), number), Released::of(fact));
        first(check_release_tags(&tag.into_iter().collect(), &BTreeMap::from([release])))?;
        if commit.above.len() > 1 {
            return Ok(());
        }
        if let Some(before) = before.filter(|_| self.is_new(commit.id)) {
            self.order(fact, &before, &manifest)?;
        }
        self.last(commit.id, number)
    }

    /// Whether the tip was not checked here before: what was is held against the rest of the ledger already.
    fn is_new(&self, tip: ObjectId) -> bool {
        self.seen.is_none_or(|seen| seen.tip != tip)
    }

    /// Its manifest, which it must have changed, and nothing beside the parts of a release.
    fn manifest(&self, commit: &Commit<'_>) -> Result<std::sync::Arc<Manifest>, Why> {
        let tree = |id| self.reader.snapshot().commit(id).map(|commit| commit.tree);
        let changes = changed_paths(self.reader.snapshot(), Some(tree(commit.parent)?), Some(tree(commit.id)?))?;
        let parts = Parts::of(changes.iter().map(|change| change.path.as_str()));
        if let Some(path) = parts.strange.first() {
            let wrong = format!("it changes `{path}`, which no release does");
            return Err(commit.fact.finding(Rule::TreePath, wrong).into());
        }
        match self.reader.manifest(commit.id) {
            Ok(Some(manifest)) if parts.manifest => Ok(manifest),
            Ok(_) => Err(commit.fact.finding(Rule::ManifestMissing, "it has no manifest of its own").into()),
            Err(why) => Err(commit.fact.finding(Rule::ManifestUnreadable, why.to_string()).into()),
        }
    }

    fn tag(&self, name: &str) -> Result<Option<ReleaseTag>, Why> {
        let Some(tag) = self.reader.snapshot().tag(name)? else { return Ok(None) };
        let tag = release_tag(self.reader, tag).map_err(|why| {
            let message = format!("{why}; fetch it from a clone that has it as it was");
            Finding::new(Rule::ReleaseTagForm, format!("refs/tags/{name}"), message)
        })?;
        Ok(Some(tag))
    }

    /// The trust and the evidence that releases cite only move forward.
    fn order(&self, fact: &CommitFact, before: &Manifest, manifest: &Manifest) -> Result<(), Why> {
        let place = |commit: &str| self.history.named(commit).map(|found| found.map(|(place, _)| place));
        let older = |rule: Rule, id: &str, branch: &str| {
            let wrong = format!("it cites {id} of `{branch}`, and the release before it cites a later one");
            fact.finding(rule, wrong)
        };
        if place(&manifest.trust)? > place(&before.trust)? {
            return Err(older(Rule::TrustBackwards, &manifest.trust, layout::TRUST).into());
        }
        let cited = |id: &str| id.parse::<ObjectId>().ok();
        let (Some(then), Some(now)) = (cited(&before.evidence), cited(&manifest.evidence)) else {
            return Err(older(Rule::EvidenceBackwards, &manifest.evidence, layout::EVIDENCE).into());
        };
        let held = self.reader.snapshot().commit(now).is_ok() && self.reader.snapshot().is_ancestor(then, now)?;
        if held { Ok(()) } else { Err(older(Rule::EvidenceBackwards, &manifest.evidence, layout::EVIDENCE).into()) }
    }

    /// Checks that the release of this number is the last: neither a tag nor evidence knows of one after it.
    pub(super) fn last(&self, id: ObjectId, number: u64) -> Result<(), Why> {
        let next = number + 1;
        if let Some(tag) = self.tag(&layout::release_tag(self.branch, next))? {
            let tags = BTreeMap::from([((self.branch.to_owned(), next), tag)]);
            first(check_release_tags(&tags, &BTreeMap::new()))?;
        }
        if !self.is_new(id) {
            return Ok(());
        }
        let evidence = self.reader.tip(layout::EVIDENCE)?;
        let later =
            self.reader.evidence_named(evidence, &layout::decisions(self.branch), &format!("{next}-"))?.into_iter();
        let mut made = later.filter_map(|item| Record::from_json(&item.bytes).ok());
        if !made.any(|record| record.verdict == record.event.done()) {
            return Ok(());
        }
        let message = format!(
            "evidence has the decision that made {0}/{next}, and `{0}` ends at {id}: it was rewound; fetch `{0}` from \
             a clone that has that release",
            self.branch
        );
        Err(Finding::new(Rule::RewoundBranch, format!("refs/heads/{}", self.branch), message).into())
    }
}

/// Its title and trailers are what its manifest says. Those of overrides come from records, which an audit derives.
fn said(fact: &CommitFact, manifest: &Manifest) -> Result<(), Why> {
    let source = trailer(&fact.message, "Joch-Source");
    let honest = MessageFacts { manifest, records: &[], source_commit: source }.message();
    let overridden = |line: &&str| !line.starts_with("Joch-Override: ");
    let same = trailers(&fact.message).into_iter().filter(overridden).eq(trailers(&honest))
        && fact.message.lines().next() == honest.lines().next();
    if same {
        return Ok(());
    }
    Err(fact.finding(Rule::Message, "the trailers or the title of its message are not what its manifest says").into())
}
