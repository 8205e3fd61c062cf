//! The dataset of an Eval: where it is, and the cases that it holds.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use crate::eval::{Case, dataset};
use crate::resource::{Digest, Resource, Value};

use super::project::Trouble;

/// Cases up to this size travel with the Eval in the ledger; larger ones by digest only.
const TRAVELS: u64 = 4 << 20;
/// The largest dataset that is read, in bytes: cases take several times that in memory.
const LARGEST: u64 = 256 << 20;

/// A dataset as a file holds it.
#[derive(Debug, Clone)]
pub struct Dataset {
    /// The path, as the Eval has it.
    pub uri: String,
    /// The bytes, whatever their format.
    pub bytes: Vec<u8>,
    /// The cases that they say, in order.
    pub cases: Vec<Case>,
}

/// The path that a file dataset of an Eval names.
#[must_use]
pub fn uri(eval: &Resource) -> Option<String> {
    let dataset = eval.spec().get("dataset")?;
    let uri = dataset.get("uri")?.as_text()?;
    (dataset.get("type").is_none_or(|kind| kind.as_text() == Some("file"))).then(|| uri.to_owned())
}

/// Reads the dataset of an Eval: relative to the project, and if nothing is there to the Eval's own file. `None` where
/// the Eval names no file.
///
/// # Errors
/// It is not there, leads out of the project, is not the one whose digest the Eval names, or cannot be read as a whole.
pub fn read(eval: &Resource, root: &Path, eval_file: &Path) -> Result<Option<Dataset>, Trouble> {
    let Some(uri) = uri(eval) else { return Ok(None) };
    let path = find(&uri, root, eval_file)?;
    let trouble = |why: std::io::Error| Trouble::at("read", &path, &why);
    let mut bytes = Vec::new();
    // A file may grow while it is read.
    fs::File::open(&path).map_err(trouble)?.take(LARGEST + 1).read_to_end(&mut bytes).map_err(trouble)?;
    if bytes.len() as u64 > LARGEST {
        return Err(Trouble {
            what: format!("the dataset `{uri}` is larger than {LARGEST} bytes"),
            next: Some("split it into several Evals".into()),
        });
    }
    let name = real(root)?;
    let name = path.strip_prefix(name).unwrap_or(&path).display().to_string();
    let cases = dataset::of_eval(eval, &bytes, &name)
        .map_err(|trouble| Trouble { what: trouble.to_string(), next: Some(trouble.next) })?;
    Ok(Some(Dataset { uri, bytes, cases }))
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
        dataset.insert("cases".into(), number(data.cases.len()));
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

/// The bytes of a file within the project.
///
/// # Errors
/// It is not there, lies outside, or cannot be read.
pub fn read_inside(root: &Path, path: &str) -> Result<Vec<u8>, Trouble> {
    let found = find(path, root, &root.join("joch.yaml"))?;
    fs::read(&found).map_err(|why| Trouble::at("read", &found, &why))
}

/// The file at `uri`, every link followed; never one outside of the project.
fn find(uri: &str, root: &Path, eval_file: &Path) -> Result<PathBuf, Trouble> {
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
    let found = real(path)?;
    if found.starts_with(real(root)?) {
        return Ok(found);
    }
    Err(Trouble {
        what: format!("the dataset `{}` lies outside the project `{}`", path.display(), root.display()),
        next: Some("copy it into the project".into()),
    })
}

fn real(path: &Path) -> Result<PathBuf, Trouble> {
    path.canonicalize().map_err(|why| Trouble::at("read", path, &why))
}
