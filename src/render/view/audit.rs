//! `joch audit log`, `joch audit verify` and `joch audit prove`.

use schemars::JsonSchema;
use serde::Serialize;

use crate::audit::{Entry, Finding, Proof, Touched};
use crate::render::{Page, View};
use crate::resource::Pinned;

use super::words;

/// What happened, newest first.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct AuditLog {
    /// One for each thing that happened.
    pub items: Vec<Entry>,
}

/// What a check of the ledger found.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct VerifyResult {
    /// `clean`, `clean-since` where releases before one were believed, or `refused`.
    #[schemars(extend("enum" = ["clean", "clean-since", "refused"]))]
    pub verdict: &'static str,
    /// The release after which the check began, for a quick one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// How much was looked at.
    pub checked: CheckedCounts,
    /// What contradicts a rule.
    pub findings: Vec<Finding>,
    /// What contradicts none and wants somebody: an override that nobody accepted in time.
    pub warnings: Vec<String>,
}

/// How much was looked at.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct CheckedCounts {
    /// Commits of all branches.
    pub commits: usize,
    /// Tags.
    pub tags: usize,
    /// Items of evidence.
    pub evidence: usize,
    /// Decisions that stopped a change and were made again from what they cite.
    pub stopped: usize,
    /// Releases that an earlier check here found clean in the same surroundings, and that were not planned again.
    pub remembered: usize,
    /// Releases that a quick check believed.
    pub skipped: usize,
}

/// What was written for a stranger to check.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AuditExport {
    /// The directory.
    pub path: String,
    /// How many branches and tags are in it.
    pub references: usize,
    /// How many objects of Git.
    pub objects: usize,
    /// How many files it has.
    pub files: usize,
    /// The commit at which trust begins.
    pub trust_root: String,
}

/// What is proven of one agent.
#[derive(Debug, Clone, Serialize)]
#[serde(transparent)]
pub struct ProofResult(pub Proof);

impl View for AuditLog {
    fn kind(&self) -> &'static str {
        "AuditLog"
    }

    fn fields(&self) -> serde_json::Value {
        super::fields_of(self)
    }

    fn text(&self, page: &mut Page, wide: bool) {
        if self.items.is_empty() {
            page.line("nothing happened");
            return;
        }
        let dash = || "-".to_owned();
        let row = |entry: &Entry| {
            let mut row =
                vec![
                    words::time(entry.time),
                    entry.environment.clone().unwrap_or_else(dash),
                    entry.release.clone().unwrap_or_else(dash),
                    entry.event.clone(),
                    what(&entry.subjects, wide),
                    entry.operator.clone().unwrap_or_else(|| "an unlisted key".into()),
                    super::words::or_none(entry.mark.as_ref().map_or_else(
                        || Some(entry.verdict.clone()),
                        |mark| Some(format!("{}, {mark}", entry.verdict)),
                    )),
                    entry.reason.as_deref().map_or_else(dash, crate::release::fold),
                ];
            if wide {
                row.push(entry.object.clone());
            }
            row
        };
        let mut headings = vec!["TIME", "ENV", "RELEASE", "EVENT", "WHAT", "OPERATOR", "VERDICT", "REASON"];
        if wide {
            headings.push("COMMIT OR EVIDENCE");
        }
        page.table(&headings, &self.items.iter().map(row).collect::<Vec<_>>());
    }

    fn names(&self) -> Vec<String> {
        self.items.iter().map(|entry| entry.release.clone().unwrap_or_else(|| entry.object.clone())).collect()
    }
}

impl VerifyResult {
    /// The result of looking at so much.
    #[must_use]
    pub fn new(checked: CheckedCounts, findings: Vec<Finding>, warnings: Vec<String>) -> Self {
        let verdict = if findings.is_empty() { "clean" } else { "refused" };
        Self { verdict, since: None, checked, findings, warnings }
    }

    /// The same of a check that began after a release.
    #[must_use]
    pub fn since(self, release: Option<String>) -> Self {
        let verdict = if release.is_some() && self.verdict == "clean" { "clean-since" } else { self.verdict };
        Self { verdict, since: release, ..self }
    }
}

impl View for VerifyResult {
    fn kind(&self) -> &'static str {
        "VerifyResult"
    }

    fn fields(&self) -> serde_json::Value {
        super::fields_of(self)
    }

    fn text(&self, page: &mut Page, _wide: bool) {
        super::findings::list(page, &self.findings);
        page.gap();
        self.warnings.iter().for_each(|warning| page.line(format!("warning: {}", crate::release::fold(warning))));
        let CheckedCounts { commits, tags, evidence, .. } = self.checked;
        let count = match self.findings.len() {
            0 => "nothing contradicts the ledger's rules".to_owned(),
            1 => "1 finding".to_owned(),
            several => format!("{several} findings"),
        };
        if let Some(since) = &self.since {
            page.line(format!(
                "a quick look: releases up to {since}, other environments and files that nothing leads to were believed"
            ));
        }
        page.line(format!("{}: {count} ({commits} commits, {tags} tags, {evidence} items of evidence)", self.verdict));
    }

    fn names(&self) -> Vec<String> {
        self.findings.iter().map(|finding| finding.object.clone()).collect()
    }
}

impl View for AuditExport {
    fn kind(&self) -> &'static str {
        "AuditExport"
    }

    fn fields(&self) -> serde_json::Value {
        super::fields_of(self)
    }

    fn text(&self, page: &mut Page, _wide: bool) {
        let Self { path, references, objects, files, trust_root } = self;
        page.line(format!("{path}: {references} branches and tags, {objects} objects, {files} files"));
        page.line(format!("check it with: sh {path}/verify.sh {trust_root}"));
    }

    fn names(&self) -> Vec<String> {
        vec![self.path.clone()]
    }
}

impl View for ProofResult {
    fn kind(&self) -> &'static str {
        "Proof"
    }

    fn fields(&self) -> serde_json::Value {
        super::fields_of(self)
    }

    fn text(&self, page: &mut Page, _wide: bool) {
        let proof = &self.0;
        let list = |pins: &[Pinned]| pins.iter().map(Pinned::to_string).collect::<Vec<_>>().join(", ");
        let or_none = |text: String| if text.is_empty() { "none".to_owned() } else { text };
        let version = proof.version.map_or_else(|| "a version without a number".to_owned(), |n| format!("v{n}"));
        let when = proof.at.map_or_else(|| "runs now".to_owned(), |at| format!("ran at {}", words::time(at)));
        page.line(format!("agent/{} {version} {when} in `{}`", proof.agent, proof.environment));
        page.field("digest", proof.digest.to_string());
        page.field("since", format!("{}, by {} of {}", words::time(proof.applied_at), proof.event, proof.operator));
        page.field("reason", proof.reason.as_deref().map_or_else(|| "none was given".to_owned(), crate::release::fold));
        page.field("policies", or_none(list(&proof.policies)));
        page.field("imposed", or_none(list(&proof.imposed)));
        if !proof.behind_trust.is_empty() {
            page.field("behind trust", format!("{} came after this release", list(&proof.behind_trust)));
        }
        page.field("adapter", proof.adapter.as_ref().map_or_else(|| "none".to_owned(), Pinned::to_string));
        if let Some(overridden) = &proof.overridden {
            page.field("overridden", super::release::sentence(overridden));
        }
        page.field("release", format!("{}, commit {}, tag {}", proof.release, proof.commit, proof.tag));
        let signature = &proof.signature;
        let who = signature.principal.as_deref().unwrap_or("nobody whom trust lists");
        let key = signature.fingerprint.as_deref().unwrap_or("no key");
        page.field("signature", format!("{} ({who}, {key})", signature.verdict));
        super::findings::list(page, &proof.findings);
        page.gap();
        page.line("The same with plain Git, in the ledger's repository:");
        for command in &proof.verify {
            page.line(format!("  {command}"));
        }
    }

    fn names(&self) -> Vec<String> {
        vec![self.0.release.clone()]
    }
}

/// `agent/support-triage v7 -> v8 and 3 more`.
fn what(subjects: &[Touched], all: bool) -> String {
    let one = |subject: &Touched| {
        let id = subject.id();
        match (subject.from_version, subject.to_version) {
            (Some(from), Some(to)) if from != to => format!("{id} v{from} -> v{to}"),
            (_, Some(to)) => format!("{id} v{to}"),
            (Some(from), None) if subject.change.is_some() => format!("{id} v{from} -> none"),
            _ => id.to_string(),
        }
    };
    match subjects {
        [] => "-".into(),
        subjects if all => subjects.iter().map(one).collect::<Vec<_>>().join(", "),
        [only] => one(only),
        [first, rest @ ..] => format!("{} and {} more", one(first), rest.len()),
    }
}
