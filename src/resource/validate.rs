//! Whether resources say something that joch can act on. Every check runs, so that a person sees all that is
//! wrong at once.

mod keys;
mod kinds;
mod references;
mod types;

use std::collections::BTreeMap;

use super::diagnostic::{Document, Finding, Severity};
use super::envelope::Resource;
use super::id::ResourceId;
use super::kind::Kind;
use super::served::Served;

/// What is known besides the documents at hand: the rest of the project, and the ledger.
pub trait Elsewhere {
    /// Whether there is a resource of this id.
    fn has(&self, id: &ResourceId) -> bool;
    /// Every resource of a kind, to suggest names.
    fn all(&self, kind: &Kind) -> Vec<ResourceId>;
    /// What every Model serves.
    fn models(&self) -> Vec<Served>;
}

/// There is nothing else.
#[derive(Debug, Clone, Copy)]
pub struct Nowhere;

impl Elsewhere for Nowhere {
    fn has(&self, _: &ResourceId) -> bool {
        false
    }

    fn all(&self, _: &Kind) -> Vec<ResourceId> {
        Vec::new()
    }

    fn models(&self) -> Vec<Served> {
        Vec::new()
    }
}

/// Resources read before are somewhere, too.
impl Elsewhere for [Resource] {
    fn has(&self, id: &ResourceId) -> bool {
        self.iter().any(|resource| resource.id() == id)
    }

    fn all(&self, kind: &Kind) -> Vec<ResourceId> {
        self.iter().map(Resource::id).filter(|id| id.kind == *kind).cloned().collect()
    }

    fn models(&self) -> Vec<Served> {
        self.iter().filter_map(Served::by).collect()
    }
}

/// Everything that is wrong with `documents` as a set, in the order of files and lines. References are looked
/// up among them, then `elsewhere`.
#[must_use]
pub fn validate(documents: &[Document], elsewhere: &dyn Elsewhere) -> Vec<Finding> {
    let mut findings = Vec::new();
    for document in documents {
        findings.extend(validate_one(document));
    }
    check_duplicates(documents, &mut findings);
    references::check(documents, elsewhere, &mut findings);
    references::check_cycles(documents, &mut findings);
    findings.sort();
    findings.dedup();
    findings
}

/// What is wrong with one document, whatever else there is.
#[must_use]
pub fn validate_one(document: &Document) -> Vec<Finding> {
    let mut report = Report { document, findings: Vec::new() };
    if let Kind::Other(kind) = &document.resource.id().kind {
        let message = format!("joch does not know the kind `{kind}`; it is versioned and diffed as data");
        report.add(Severity::Notice, "unknown-kind", "kind", message);
    }
    types::check(&mut report);
    kinds::check(&mut report);
    report.findings
}

/// The findings about one document while they are made.
struct Report<'d> {
    document: &'d Document,
    findings: Vec<Finding>,
}

impl Report<'_> {
    fn error(&mut self, rule: &'static str, path: &str, message: String) -> &mut Finding {
        self.add(Severity::Error, rule, path, message)
    }

    fn warning(&mut self, rule: &'static str, path: &str, message: String) -> &mut Finding {
        self.add(Severity::Warning, rule, path, message)
    }

    fn add(&mut self, severity: Severity, rule: &'static str, path: &str, message: String) -> &mut Finding {
        self.findings.push(self.document.finding(severity, rule, path, message));
        self.findings.last_mut().expect("it was just added")
    }
}

fn check_duplicates(documents: &[Document], findings: &mut Vec<Finding>) {
    let mut first: BTreeMap<&ResourceId, &Document> = BTreeMap::new();
    for document in documents {
        let id = document.resource.id();
        let Some(earlier) = first.get(id) else {
            first.insert(id, document);
            continue;
        };
        let message = format!("`{id}` stands twice, first in {}:{}", earlier.file, earlier.line);
        let finding = document.finding(Severity::Error, "duplicate-resource", "metadata.name", message);
        findings.push(finding.help("remove one of the two, or give it another name or namespace"));
    }
}
