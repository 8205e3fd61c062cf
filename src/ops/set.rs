//! A set: what the files of a command hold, refused as a whole if anything is wrong with any.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use anyhow::Result;

use crate::ledger::{Environment, Reader};
use crate::resource::validate::{validate, validate_one};
use crate::resource::{Document, Kind, Resource, ResourceId, Severity};
use crate::trust::Trust;
use crate::workspace::dataset::{self, Dataset};
use crate::workspace::{self, discover};

use super::caller::Caller;
use super::desk::Desk;
use super::elsewhere::Index;
use super::failure::Failure;
use super::project_files;
use super::validate::{check_datasets, check_definitions, check_exceptions, check_policies};

/// A set of resources as files hold them, with where each was read.
pub(super) struct Set {
    /// The resources.
    pub(super) resources: BTreeMap<ResourceId, Arc<Resource>>,
    /// For Evals, their datasets.
    pub(super) datasets: BTreeMap<ResourceId, Dataset>,
}

/// Reads the files of a set and refuses it as a whole if anything is wrong with any. Where its references
/// lead is not asked: the content comes from elsewhere.
pub(super) fn read_set(files: &[String], desk: &Desk, caller: &mut Caller<'_>) -> Result<Set> {
    let sources = discover(files, &caller.directory, caller.stdin)?;
    check_set(sources, files, None, desk, caller)
}

/// What an apply may take from the ledger: the catalog of the environment, the closures that it holds for the
/// agents of the set, and trust. What an Eval or Deployment is about may also run in another environment only.
pub(super) fn known_to(
    documents: &[Document],
    environment: &Environment<'_, '_>,
    reader: &Reader<'_>,
    trust: &Trust,
) -> Result<Index> {
    let mut index = Index::of_open_references(documents);
    if index.is_needless() {
        return Ok(index);
    }
    index.add_trust(trust);
    index.add_environment(environment)?;
    let agents = documents.iter().map(|document| document.resource.id()).filter(|id| id.kind == Kind::Agent);
    index.add_closures(agents, environment, reader, &mut BTreeSet::new())?;
    for rung in trust.ladder().rungs() {
        index.add_agents(&reader.environment(rung)?)?;
    }
    Ok(index)
}

/// The set that files hold, or everything that is wrong with them; with `known`, also where references lead.
pub(super) fn check_set(
    sources: workspace::Sources,
    files: &[String],
    known: Option<&Index>,
    desk: &Desk,
    caller: &mut Caller<'_>,
) -> Result<Set> {
    let mut findings = sources.findings;
    match known {
        Some(known) => findings.extend(validate(&sources.documents, known)),
        None => findings.extend(sources.documents.iter().flat_map(validate_one)),
    }
    findings.extend(check_definitions(&sources.documents, &findings));
    findings.extend(check_policies(&sources.documents, &findings));
    findings.extend(check_exceptions(&sources.documents, caller.now));
    findings.extend(check_datasets(&sources.documents, &desk.project.root, &caller.directory));
    let bring: Vec<_> =
        project_files::point_out(&mut findings, &sources.documents, &desk.project.root, &caller.directory)
            .into_iter()
            .collect();
    findings.sort();
    if findings.iter().any(|finding| finding.severity == Severity::Error) {
        let count = findings.iter().filter(|finding| finding.severity == Severity::Error).count();
        let message =
            format!("{count} {} in the files, so nothing was done", if count == 1 { "error" } else { "errors" });
        return Err(Failure::refused("invalid", message)
            .next(match bring.is_empty() {
                true => "mend the files; `joch validate -f PATH` tells all of it again".to_owned(),
                false => format!("apply them together: add {}", bring.into_iter().collect::<Vec<_>>().join(" ")),
            })
            .findings(findings)
            .into());
    }
    for finding in findings.iter().filter(|finding| finding.severity != Severity::Error) {
        caller.notice(finding.to_string());
    }
    if sources.documents.is_empty() {
        return Err(Failure::refused("empty", format!("`{}` holds no resource", files.join("`, `")))
            .next("name files with `apiVersion: joch.dev/v1alpha1` documents, or a directory that has some")
            .into());
    }
    let mut set = Set { resources: BTreeMap::new(), datasets: BTreeMap::new() };
    for document in &sources.documents {
        let id = document.resource.id().clone();
        let resource = if id.kind == Kind::Eval {
            let (resource, data) = with_dataset(document, &desk.project.root, &caller.directory)?;
            set.datasets.extend(data.map(|data| (id.clone(), data)));
            resource
        } else {
            document.resource.clone()
        };
        set.resources.insert(id, Arc::new(resource));
    }
    Ok(set)
}

/// The Eval with its dataset's digest, size and number of cases, and the dataset.
fn with_dataset(document: &Document, root: &Path, directory: &Path) -> Result<(Resource, Option<Dataset>)> {
    let Some(data) = dataset::read(&document.resource, root, &directory.join(&document.file))? else {
        return Ok((document.resource.clone(), None));
    };
    let resource = dataset::describe(&document.resource, &data).map_err(|why| Failure::refused("dataset", why))?;
    Ok((resource, Some(data)))
}
