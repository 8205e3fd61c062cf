//! The dataset of an Eval: as the ledger holds it, or a file where its cases are too many to travel.

use std::sync::Arc;

use anyhow::Result;

use crate::eval::dataset;
use crate::ledger::{Environment, Reader};
use crate::release::layout;
use crate::resource::{Kind, Resource, Severity};
use crate::workspace::dataset::{Dataset, read, read_inside, uri};

use super::super::caller::Caller;
use super::super::desk::Desk;
use super::super::failure::Failure;
use super::super::set::read_set;

/// The dataset of an Eval, from the bytes that were kept of it.
///
/// # Errors
/// They are no dataset, or not the one that the Eval names.
pub(super) fn of_bytes(eval: &Resource, bytes: Vec<u8>) -> Result<Dataset, Failure> {
    let uri = uri(eval).unwrap_or_default();
    let cases = dataset::of_eval(eval, &bytes, &uri)
        .map_err(|trouble| Failure::could_not("dataset", trouble.to_string()).next(trouble.next))?;
    Ok(Dataset { uri, bytes, cases })
}

/// The dataset of an Eval that an environment holds. Where the cases did not travel, the project's file is read, if it
/// is the one whose digest the Eval holds.
///
/// # Errors
/// It is not there, is another, or is no dataset.
pub(super) fn in_ledger(
    eval: &Resource,
    environment: &Environment<'_, '_>,
    reader: &Reader<'_>,
    desk: &Desk,
) -> Result<Dataset> {
    if let Some(bytes) = reader.snapshot().blob_at(environment.head(), &layout::cases(eval.id()))? {
        return Ok(of_bytes(eval, bytes)?);
    }
    let root = &desk.project.root;
    read(eval, root, &root.join("joch.yaml"))?.ok_or_else(|| {
        let message = format!("{} names no file of cases, and joch reads no other datasets", eval.id());
        Failure::refused("dataset", message).next("write `dataset: { type: file, uri: … }`, and apply it").into()
    })
}

/// Says so where the project's file of cases is another than the one that is run.
pub(super) fn tell_edited(
    eval: &Resource,
    dataset: &Dataset,
    environment: &Environment<'_, '_>,
    desk: &Desk,
    caller: &mut Caller<'_>,
) {
    let Ok(file) = read_inside(&desk.project.root, &dataset.uri) else { return };
    if file != dataset.bytes {
        caller.notice(format!(
            "`{}` is not what {} has in `{2}`, and that is what runs; `joch apply -f PATH --env {2}` brings the file there",
            dataset.uri,
            eval.id(),
            environment.name()
        ));
    }
}

/// The Evals in files with their datasets, in order of their names.
///
/// # Errors
/// A file is invalid, or holds no Eval.
pub(super) fn in_files(
    files: &[String],
    desk: &Desk,
    caller: &mut Caller<'_>,
) -> Result<Vec<(Arc<Resource>, Dataset)>> {
    let mut set = read_set(files, desk, caller).map_err(nothing_measured)?;
    let mut evals = Vec::new();
    for (id, eval) in set.resources.iter().filter(|(id, _)| id.kind == Kind::Eval) {
        let dataset = set.datasets.remove(id).ok_or_else(|| {
            let message = format!("{id} names no file of cases, and joch reads no other datasets");
            Failure::refused("dataset", message).next("write `dataset: { type: file, uri: … }`")
        })?;
        evals.push((eval.clone(), dataset));
    }
    if evals.is_empty() {
        return Err(Failure::refused("empty", format!("`{}` holds no Eval", files.join("`, `")))
            .next("name the file or directory of an Eval, or run one by its name: `joch eval run NAME --target ENV`")
            .into());
    }
    Ok(evals)
}

/// Without its cases a run decides nothing: neither yes nor no.
fn nothing_measured(why: anyhow::Error) -> anyhow::Error {
    why.downcast::<Failure>().map_or_else(
        |why| why,
        |failure| {
            let mut errors = failure.findings.iter().filter(|finding| finding.severity == Severity::Error);
            if failure.code == "invalid" && errors.all(|finding| finding.rule == "dataset") {
                return Failure { kind: super::super::failure::Kind::CouldNot, ..failure }.into();
            }
            failure.into()
        },
    )
}
