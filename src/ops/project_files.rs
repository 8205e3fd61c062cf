//! The project's own files, to say where something is that a set leaves out. They are never content.

use std::path::Path;

use crate::resource::Resource;
use crate::resource::served::Served;
use crate::workspace::discover;

/// Every resource in the files of the project, with the file. What cannot be read is left out: this only
/// helps to word a message.
pub(super) fn all(root: &Path) -> Vec<(String, Resource)> {
    let sources = discover(&[".".to_owned()], root, &mut std::io::empty()).unwrap_or_default();
    sources.documents.into_iter().map(|document| (document.file, document.resource)).collect()
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
