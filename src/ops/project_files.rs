//! The project's own files, to say where something is that a set leaves out. They are never content.

use std::collections::BTreeSet;
use std::path::Path;

use crate::resource::served::{Served, match_candidate};
use crate::resource::{Document, Finding, Mention, Resource, Target};
use crate::workspace::discover;

/// Every resource in the files of the project, with the file. What cannot be read is left out: this only
/// helps to word a message.
pub(super) fn all(root: &Path) -> Vec<(String, Resource)> {
    let sources = discover(&[".".to_owned()], root, &mut std::io::empty()).unwrap_or_default();
    sources.documents.into_iter().map(|document| (document.file, document.resource)).collect()
}

/// Where a reference leads nowhere that a set may take from, and a file of the project would bring it: says so
/// in the help of the finding, and gives the flags that name these files.
pub(super) fn point_out(
    findings: &mut [Finding],
    documents: &[Document],
    root: &Path,
    directory: &Path,
) -> BTreeSet<String> {
    let open = |finding: &Finding| finding.rule == "missing-reference";
    if !findings.iter().any(open) {
        return BTreeSet::new();
    }
    let files = all(root);
    let mut flags = BTreeSet::new();
    for finding in findings.iter_mut().filter(|finding| open(finding)) {
        let named = documents.iter().filter(|document| document.file == finding.file).find_map(|document| {
            let mentions = document.resource.mentions().into_iter();
            let here = |mention: &Mention| {
                mention.path == finding.path && document.position(&mention.path).line == finding.line
            };
            mentions.filter(here).map(|mention| (document.resource.id().namespace.clone(), mention.target)).next()
        });
        let Some((namespace, target)) = named else { continue };
        if let Some((file, _)) = files.iter().find(|(_, resource)| answers(resource, &target, &namespace)) {
            let file = if root == directory { file.clone() } else { root.join(file).display().to_string() };
            finding.help = Some(format!("`{file}` has it: add `-f {file}`"));
            flags.insert(format!("-f {file}"));
        }
    }
    flags
}

/// Whether `resource` is what a resource of `namespace` names.
fn answers(resource: &Resource, target: &Target, namespace: &str) -> bool {
    match target {
        Target::Resource(reference) => reference.candidates(namespace).contains(resource.id()),
        Target::Candidate(candidate) => {
            Served::by(resource).is_some_and(|served| match_candidate(candidate, namespace, &[served]).is_ok())
        }
    }
}

/// The files that hold what is missing, each told as `kind/name`, `kind/namespace/name` or `provider:model`.
pub(super) fn holding(root: &Path, missing: &[&str]) -> Vec<String> {
    let serves = |resource: &Resource, what: &str| {
        let Some((provider, model)) = what.split_once(':') else { return false };
        let served = Served::by(resource);
        served.is_some_and(|served| served.provider == provider && (served.model == model || served.id.name == model))
    };
    let is = |resource: &Resource| {
        let id = resource.id();
        missing.iter().any(|what| *what == id.to_string() || *what == id.full() || serves(resource, what))
    };
    let mut files: Vec<_> = all(root).into_iter().filter(|(_, resource)| is(resource)).map(|(file, _)| file).collect();
    files.dedup();
    files
}
