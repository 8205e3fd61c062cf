//! What an audit finds, and the rules it goes by. Each rule has an id that never changes its meaning.

use std::fmt;

use schemars::JsonSchema;
use serde::{Serialize, Serializer};

/// Something in the ledger that contradicts a rule.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// The rule, one of `docs/reference/rules.md`.
    #[schemars(with = "String")]
    pub rule: Rule,
    /// What contradicts it: a ref, a commit, a file.
    pub object: String,
    /// What is wrong, and the way back.
    pub message: String,
}

impl Finding {
    /// `object` contradicts `rule`; `message` says how, and the way back.
    pub fn new(rule: Rule, object: impl Into<String>, message: impl Into<String>) -> Self {
        Self { rule, object: object.into(), message: message.into() }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

impl Serialize for Rule {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.id())
    }
}

/// Declares the rules with their ids and, for the documentation, what each demands.
macro_rules! rules {
    ($($(#[$doc:meta])* $name:ident = $id:literal: $demands:literal,)*) => {
        /// A rule of the ledger.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Rule {
            $(#[doc = $demands] $name,)*
        }

        impl Rule {
            /// Every rule.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// Its id, for machines.
            #[must_use]
            pub fn id(self) -> &'static str {
                match self { $(Self::$name => $id,)* }
            }

            /// What it demands.
            #[must_use]
            pub fn demands(self) -> &'static str {
                match self { $(Self::$name => $demands,)* }
            }
        }
    };
}

rules! {
    RepositoryRefused = "repository-refused": "the repository shows what was signed: no replace refs, grafts, alternates, and whole",
    RepositoryHead = "repository-head": "`HEAD` names a branch of the ledger, which Git shows first",
    RepositorySettings = "repository-settings": "the settings keep plain Git from losing objects, as the ledger was made",
    TrustRoot = "trust-root": "the trust branch begins at the commit that `joch.yaml` pins",
    ObjectMissing = "object-missing": "every object that something names is there",
    ObjectDamaged = "object-damaged": "every object can be read, and in one way only",
    RefGrammar = "ref-grammar": "every ref is a branch or tag of the ledger's table",
    BranchMissing = "branch-missing": "every rung, `evidence` and `trust` have a branch",
    CommitForm = "commit-form": "a commit has tree, parent, author, committer and one signature, and nothing beside",
    Unsigned = "unsigned": "every commit and release tag is signed",
    SignatureKind = "signature-kind": "signatures are SSH signatures",
    SignatureNamespace = "signature-namespace": "a signature was made for this purpose and no other",
    SignatureMismatch = "signature-mismatch": "what was signed is what stands there",
    SignatureUnreadable = "signature-unreadable": "a signature can be read, in one way only",
    KeyUnlisted = "key-unlisted": "the key that signed is listed by trust",
    Role = "role": "whoever signed held the role for it, then and as far as trust had not seen it later",
    Identity = "identity": "the names on a commit or tag are those of whoever signed",
    Operator = "operator": "the trailer `Joch-Operator` names whoever signed",
    StaleTrust = "stale-trust": "a release is valid under the newest trust that had not seen it, too",
    Genesis = "genesis": "all branches but trust begin at the one empty commit that names the trust root",
    OneParent = "one-parent": "every commit but the first has exactly one parent",
    ReleaseNumber = "release-number": "releases are numbered 1, 2, 3 and on, without a gap",
    ManifestMissing = "manifest-missing": "every commit of an environment changes its manifest",
    ManifestUnreadable = "manifest-unreadable": "a manifest can be read by this joch",
    ManifestContent = "manifest-content": "a manifest says what the tree says",
    RecordMissing = "record-missing": "every agent that changes has a record",
    RecordUnreadable = "record-unreadable": "a record can be read by this joch",
    RecordContent = "record-content": "a record says what the tree, the branch and trust say",
    RecordDigest = "record-digest": "the digest in a record is that of the closure beside it",
    RecordVersion = "record-version": "the version in a record is the number that its content was given",
    RecordDiff = "record-diff": "the diff in a record is that of the closures",
    RecordForm = "record-form": "a record is stored as joch writes it, byte for byte",
    RecordMembers = "record-members": "members, policies and adapter in a record are those of the closure",
    BomMissing = "bom-missing": "once an environment has a bill of materials, every closure that changes there has one",
    BomDigest = "bom-digest": "the bill beside a closure is the one that its record names",
    BomContent = "bom-content": "a bill is the one that its version was cut with, and that is what the closure makes of it",
    TreePath = "tree-path": "a release changes closures, records, bills and catalog entries, and nothing else",
    ClosureForm = "closure-form": "a closure's files are canonical, and each stands where it belongs",
    CatalogForm = "catalog-form": "a catalog entry is canonical, and stands where it belongs",
    Message = "message": "the trailers of a commit say what its manifest says",
    TimeBackwards = "time-backwards": "committer time never runs backwards along a branch",
    TimeAhead = "time-ahead": "no commit is dated later than now, but for five minutes by which clocks may differ",
    TrustBackwards = "trust-backwards": "the trust commits that releases cite exist and only move forward",
    EvidenceBackwards = "evidence-backwards": "the evidence commits that releases cite exist and only move forward",
    RewoundBranch = "rewound-branch": "what was on a branch stays on it",
    ReleaseTagMissing = "release-tag-missing": "every release has its tag",
    ReleaseTagMoved = "release-tag-moved": "a release's tag names that release's commit",
    ReleaseTagForm = "release-tag-form": "a release's tag is annotated, points at a commit and gives itself the name of its ref",
    ReleaseTagSigner = "release-tag-signer": "a release's tag is signed by whoever signed the release",
    VersionTagMissing = "version-tag-missing": "every version that was given has its tag",
    VersionTagMoved = "version-tag-moved": "a version's tag names the release that gave the number",
    VersionTagUnknown = "version-tag-unknown": "every version tag has a release that gave the number",
    VersionTwice = "version-twice": "a number is given once, to one content",
    ContentTwice = "content-twice": "a content is given one number",
    VersionGap = "version-gap": "the numbers of a resource have no gap",
    VersionContent = "version-content": "a number is given to content that the release holds",
    Removal = "removal": "an apply, promotion or rollback removes nothing",
    Ripple = "ripple": "a shared resource that changes exchanges itself in the closures that hold it, and nothing else",
    PromoteSource = "promote-source": "a promotion brings what its source environment held, from one rung below",
    RollbackServed = "rollback-served": "a rollback brings what served the environment before",
    GateMissing = "gate-missing": "every gate that was demanded was asked",
    GateVerdict = "gate-verdict": "a gate's answer follows from its evidence",
    GateNotPassed = "gate-not-passed": "no release stands that its gates stopped",
    Override = "override": "a gate is overridden by a person whom the Environment names, with reason, ticket and in time, and the word for it stands on evidence",
    GateRules = "gate-rules": "the rules that a record names are those that held",
    DecisionMissing = "decision-missing": "every release into an environment with gates has its decisions on evidence",
    EvidenceStale = "evidence-stale": "a release with gates is decided on the newest evidence",
    EvidenceChanged = "evidence-changed": "evidence is only added, never changed or taken away",
    EvidenceName = "evidence-name": "an item of evidence has the name that its content gives it, in a folder of the grammar",
    EvidenceLedger = "evidence-ledger": "what was said in another ledger does not stand in this one",
    EvidenceSignature = "evidence-signature": "an item of evidence is signed as evidence by a key that trust listed",
    TrustForm = "trust-form": "the files of trust are canonical, and each stands where it belongs",
    TrustSettings = "trust-settings": "the ledger's id and canonical form never change",
    TrustSigners = "trust-signers": "`allowed_signers` lists the keys of the teams and never drops a line",
    TrustQuorum = "trust-quorum": "a change of trust that asks for less has the quorum of the state before",
    TrustSeen = "trust-seen": "`seen.json` names commits of the branches and only moves forward",
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_distinct_and_plain() {
        let mut ids: Vec<_> = Rule::ALL.iter().map(|rule| rule.id()).collect();
        assert!(ids.iter().all(|id| id.bytes().all(|b| b.is_ascii_lowercase() || b == b'-')));
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), Rule::ALL.len());
    }
}
