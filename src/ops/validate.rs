//! `joch validate`: everything that is wrong with some files, at once. Writes nothing, and needs no ledger.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::Result;
use chrono::{DateTime, Utc};

use crate::bom::risk::exception;
use crate::eval::Definition;
use crate::policy;
use crate::resource::validate::validate;
use crate::resource::{Document, Finding, Kind, Severity, Value, path};
use crate::workspace::{Project, dataset, discover};

use super::caller::Caller;
use super::desk::Desk;
use super::elsewhere::Index;
use super::failure::Failure;
use super::project_files;

/// What is asked for.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// Files, directories, `-`.
    pub files: Vec<String>,
}

/// What came of it.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// Every resource that could be read.
    pub documents: Vec<Document>,
    /// What is wrong, in the order of files and lines.
    pub findings: Vec<Finding>,
    /// How many files were read.
    pub files: usize,
}

impl Outcome {
    /// Whether nothing stands in the way of applying the files.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        !self.findings.iter().any(Finding::is_error)
    }
}

/// Validates the files. References are looked up among them, then in the rest of the project, then in the
/// ledger; they are missing only if they lead nowhere in any.
///
/// # Errors
/// A path that cannot be read or holds nothing. What is wrong with the files is an outcome.
pub fn run(request: &Request, caller: &mut Caller<'_>) -> Result<Outcome> {
    let sources = discover(&request.files, &caller.directory, caller.stdin)?;
    let project = Project::find(&caller.directory)?;
    let mut findings = sources.findings;
    if sources.documents.is_empty() && findings.is_empty() {
        return Err(Failure::could_not("empty", format!("`{}` holds no resource", request.files.join("`, `")))
            .next("name files or directories with `*.yaml`, `*.yml` or `*.json` files")
            .into());
    }
    let mut index = Index::of_open_references(&sources.documents);
    if !index.is_needless() {
        index.add(sources.documents.iter().map(|document| &document.resource));
        if project.configured {
            let rest = project_files::all(&project.root);
            index.add(rest.iter().map(|(_, resource)| resource));
        }
        // The ledger is asked last and only if it must be: files that stand on their own are valid without one.
        let has_ledger = project.config.trust_root.is_some()
            || project.ledger(caller.variable("JOCH_LEDGER"), &caller.directory).exists();
        if has_ledger
            && is_open(&validate(&sources.documents, &index))
            && let Err(why) = add_ledger(&mut index, caller)
        {
            caller.notice(format!("references were not looked up in the ledger: {why}"));
        }
    }
    findings.extend(validate(&sources.documents, &index));
    findings.extend(check_definitions(&sources.documents, &findings));
    findings.extend(check_policies(&sources.documents, &findings));
    findings.extend(check_exceptions(&sources.documents, caller.now));
    findings.extend(check_datasets(&sources.documents, &project.root, &caller.directory));
    findings.sort();
    Ok(Outcome { documents: sources.documents, findings, files: sources.files })
}

/// What is wrong with the datasets of Evals.
pub(super) fn check_datasets(documents: &[Document], root: &Path, directory: &Path) -> Vec<Finding> {
    let mut findings = Vec::new();
    for document in documents.iter().filter(|document| document.resource.id().kind == Kind::Eval) {
        let Err(trouble) = dataset::read(&document.resource, root, &directory.join(&document.file)) else { continue };
        let mut finding = document.finding(Severity::Error, "dataset", "spec.dataset.uri", trouble.what);
        finding.help = trouble.next;
        findings.push(finding);
    }
    findings
}

/// What keeps Evals from being run, where nothing was `found` at that place: a warning, for the record itself is sound.
pub(super) fn check_definitions(documents: &[Document], found: &[Finding]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for document in documents.iter().filter(|document| document.resource.id().kind == Kind::Eval) {
        let open = document.resource.environment_keys();
        let flaws = Definition::read(&document.resource).err().unwrap_or_default();
        for flaw in flaws.into_iter().filter(|flaw| !open.iter().any(|(path, _)| *path == flaw.path)) {
            let finding = document.finding(Severity::Warning, "eval-cannot-run", &flaw.path, flaw.message);
            let is_told =
                |told: &Finding| told.file == finding.file && told.path == finding.path && told.line == finding.line;
            if !found.iter().any(is_told) {
                findings.push(finding.help(flaw.help));
            }
        }
    }
    findings
}

/// What keeps Policies from being judged, where nothing was `found` at that place.
pub(super) fn check_policies(documents: &[Document], found: &[Finding]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for document in documents.iter().filter(|document| document.resource.id().kind == Kind::Policy) {
        for flaw in policy::flaws(&document.resource) {
            let rule = if flaw.path == "spec.rego" { "policy-rego" } else { "policy-malformed" };
            let mut finding = document.finding(Severity::Error, rule, &flaw.path, flaw.message);
            finding.help = flaw.help;
            let is_told =
                |told: &Finding| (&told.file, &told.path, told.line) == (&finding.file, &finding.path, finding.line);
            if !found.iter().any(|told| told.is_error() && is_told(told)) {
                findings.push(finding);
            }
        }
    }
    findings
}

/// What keeps exceptions of Environments from letting anything through at `now`. One that ran out is a warning.
pub(super) fn check_exceptions(documents: &[Document], now: DateTime<Utc>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for document in documents.iter().filter(|document| document.resource.id().kind == Kind::Environment) {
        let written = document.resource.spec().get("exceptions").and_then(Value::as_list).unwrap_or_default();
        for (index, exception) in written.iter().enumerate().filter(|(_, exception)| exception.as_map().is_some()) {
            let at = path::item("spec.exceptions", index);
            for flaw in exception::flaws(exception, now) {
                let severity = if flaw.is_over { Severity::Warning } else { Severity::Error };
                let at = if exception.get(flaw.key).is_some() { path::entry(&at, flaw.key) } else { at.clone() };
                let mut finding = document.finding(severity, "exception", &at, flaw.message);
                finding.help = flaw.help;
                findings.push(finding);
            }
        }
    }
    findings
}

fn is_open(findings: &[Finding]) -> bool {
    findings.iter().any(|finding| matches!(finding.rule, "missing-reference" | "unverified-reference"))
}

/// Adds trust, and every environment from the first rung up.
fn add_ledger(index: &mut Index, caller: &Caller<'_>) -> Result<()> {
    let desk = Desk::open(caller)?;
    let reader = desk.reader()?;
    let trust = reader.trust()?;
    index.add_trust(&trust);
    let mut known = BTreeSet::new();
    for rung in trust.ladder().rungs() {
        let environment = reader.environment(rung)?;
        index.add_environment(&environment)?;
        index.add_closures(&environment.agents()?, &environment, &reader, &mut known)?;
    }
    Ok(())
}
