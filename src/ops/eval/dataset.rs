//! The cases of an Eval: as the ledger holds them, or a file where they are too many to travel.

use std::sync::Arc;

use anyhow::Result;

use crate::eval::Case;
use crate::eval::dataset;
use crate::ledger::{Environment, Reader};
use crate::release::layout;
use crate::resource::{Digest, Kind, Resource, Value};
use crate::workspace;

use super::super::caller::Caller;
use super::super::desk::Desk;
use super::super::failure::Failure;
use super::super::set::read_set;

/// A dataset, read.
pub(super) struct Dataset {
    /// Where the Eval says it is.
    pub(super) uri: String,
    /// The bytes that its digest is of.
    pub(super) bytes: Vec<u8>,
    /// Its cases.
    pub(super) cases: Vec<Case>,
}

impl Dataset {
    /// The dataset of an Eval, from its bytes.
    ///
    /// # Errors
    /// Where it is no dataset.
    pub(super) fn of(eval: &Resource, bytes: Vec<u8>) -> Result<Self, String> {
        let uri = workspace::dataset::uri(eval).ok_or("the Eval names no file of cases")?;
        let cases = dataset::of_eval(eval, &bytes).map_err(|trouble| trouble.to_string())?;
        Ok(Self { uri, bytes, cases })
    }

    /// Its digest.
    pub(super) fn digest(&self) -> Digest {
        Digest::of(&self.bytes)
    }

    /// The dataset of an Eval that an environment holds. Where the cases did not travel, the project's file is read, if
    /// it is the one whose digest the Eval holds.
    ///
    /// # Errors
    /// It is not there, is another, or is no dataset.
    pub(super) fn in_ledger(
        eval: &Resource,
        environment: &Environment<'_, '_>,
        reader: &Reader<'_>,
        desk: &Desk,
    ) -> Result<Self> {
        let said = eval.spec().at(&["dataset", "sha256"]).and_then(Value::as_text).unwrap_or_default().to_owned();
        let again = format!("apply the Eval again: `joch apply -f PATH --env {}`", environment.name());
        let bytes = match reader.snapshot().blob_at(environment.head(), &layout::cases(eval.id()))? {
            Some(bytes) => bytes,
            None => {
                let uri = workspace::dataset::uri(eval).unwrap_or_default();
                workspace::dataset::bytes(&uri, &desk.project.root, &desk.project.root)?
            }
        };
        let digest = Digest::of(&bytes).hex();
        if digest != said {
            let message = format!("the dataset of {} is {digest}, and the Eval in `{}` holds {said}", eval.id(), environment.name());
            return Err(Failure::refused("dataset-changed", message).next(again).into());
        }
        Self::of(eval, bytes).map_err(|why| Failure::could_not("dataset", format!("{}: {why}", eval.id())).next(again).into())
    }
}

/// The Evals in files with their datasets, in order of their names.
///
/// # Errors
/// A file is invalid, or holds no Eval.
pub(super) fn in_files(files: &[String], desk: &Desk, caller: &mut Caller<'_>) -> Result<Vec<(Arc<Resource>, Dataset)>> {
    let set = read_set(files, desk, caller)?;
    let mut evals = Vec::new();
    for (id, eval) in set.resources.iter().filter(|(id, _)| id.kind == Kind::Eval) {
        let bytes = set.datasets.get(id).cloned().unwrap_or_default();
        let dataset = Dataset::of(eval, bytes).map_err(|why| Failure::refused("dataset", format!("{id}: {why}")))?;
        evals.push((eval.clone(), dataset));
    }
    if evals.is_empty() {
        return Err(Failure::refused("empty", format!("`{}` holds no Eval", files.join("`, `")))
            .next("name the file or directory of an Eval, or run one by its name: `joch eval run NAME --target ENV`")
            .into());
    }
    Ok(evals)
}
