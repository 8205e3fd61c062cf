//! The dataset of an Eval: where it is, and what is known of it without judging a case.

use std::fs;
use std::path::{Path, PathBuf};

use crate::resource::{Digest, Resource, Value};

use super::project::Trouble;

/// Cases up to this size travel with the Eval in the ledger; larger ones by digest only.
const TRAVELS: u64 = 4 << 20;
/// The largest dataset that is read.
const LARGEST: u64 = 1 << 30;

/// A dataset as a file holds it.
#[derive(Debug, Clone)]
pub struct Dataset {
    bytes: Vec<u8>,
    cases: usize,
}

/// The path that a file dataset of an Eval names.
#[must_use]
pub fn uri(eval: &Resource) -> Option<String> {
    let dataset = eval.spec().get("dataset")?;
    let uri = dataset.get("uri")?.as_text()?;
    (dataset.get("type").is_none_or(|kind| kind.as_text() == Some("file"))).then(|| uri.to_owned())
}

/// Reads the dataset at `uri`: relative to the project, and if nothing is there to the Eval's own file.
///
/// # Errors
/// It is not there, leads out of the project, holds no case, or cannot be read.
pub fn read(uri: &str, root: &Path, eval_file: &Path) -> Result<Dataset, Trouble> {
    let beside = eval_file.parent().unwrap_or(root);
    let places = [root.join(uri), beside.join(uri)];
    let Some(path) = places.iter().find(|path| path.is_file()) else {
        return Err(Trouble {
            what: format!("the dataset `{uri}` of `{}` is not there", eval_file.display()),
            next: Some(format!(
                "put it at `{}`, or mend `spec.dataset.uri`",
                root.join(uri.trim_start_matches("./")).display()
            )),
        });
    };
    check_inside(path, root)?;
    let trouble = |why: std::io::Error| Trouble::at("read", path, &why);
    if fs::metadata(path).map_err(trouble)?.len() > LARGEST {
        return Err(Trouble { what: format!("the dataset `{uri}` is larger than {LARGEST} bytes"), next: None });
    }
    let bytes = fs::read(path).map_err(trouble)?;
    let cases = bytes.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty()).count();
    if cases == 0 {
        return Err(Trouble {
            what: format!("the dataset `{uri}` holds no case"),
            next: Some("write one case a line, as JSON".into()),
        });
    }
    Ok(Dataset { bytes, cases })
}

/// The Eval with the digest, size and number of cases of its dataset, which bind what it measures.
///
/// # Errors
/// Never for an Eval that names a dataset.
pub fn describe(eval: &Resource, data: &Dataset) -> Result<Resource, String> {
    let mut body = eval.body().clone();
    let number = |count: usize| Value::from(i64::try_from(count).unwrap_or(i64::MAX));
    if let Value::Map(body) = &mut body
        && let Some(Value::Map(spec)) = body.get_mut("spec")
        && let Some(Value::Map(dataset)) = spec.get_mut("dataset")
    {
        dataset.insert("sha256".into(), Digest::of(&data.bytes).hex().into());
        dataset.insert("size".into(), number(data.bytes.len()));
        dataset.insert("cases".into(), number(data.cases));
    }
    Resource::from_value(body)
}

impl Dataset {
    /// The cases, if they are small enough to travel.
    #[must_use]
    pub fn travels(&self) -> Option<Vec<u8>> {
        (self.bytes.len() as u64 <= TRAVELS).then(|| self.bytes.clone())
    }
}

/// Refuses a path that leads out of the project, by `..` or by a link.
fn check_inside(path: &Path, root: &Path) -> Result<(), Trouble> {
    let real = |path: &Path| -> Result<PathBuf, Trouble> {
        path.canonicalize().map_err(|why| Trouble::at("read", path, &why))
    };
    if real(path)?.starts_with(real(root)?) {
        return Ok(());
    }
    Err(Trouble {
        what: format!("the dataset `{}` lies outside the project `{}`", path.display(), root.display()),
        next: Some("copy it into the project".into()),
    })
}
