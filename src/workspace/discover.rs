//! `-f PATH`: which files are meant, and what they hold.

use std::collections::BTreeSet;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use ignore::WalkBuilder;

use crate::resource::yaml::{Found, Read as Parsed, read};
use crate::resource::{Document, Finding, Severity};

use super::own;
use super::project::{CONFIG, Trouble};

/// The largest file that is read at all; the reader of YAML has a tighter limit with a better message.
const LARGEST: u64 = 16 << 20;

/// What a set of paths holds.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// Every resource, in order of files and of places in them.
    pub documents: Vec<Document>,
    /// What is wrong with the files.
    pub findings: Vec<Finding>,
    /// How many files were read.
    pub files: usize,
}

impl Sources {
    /// Reads one file. What is no text is a fault of that file, told beside the faults of the others.
    fn read(&mut self, told: &str, path: &Path, found: Found) -> Result<(), Trouble> {
        match String::from_utf8(bytes_of(path, fs::File::open(path))?) {
            Ok(text) => self.add(read(told, &text, found)),
            Err(_) => {
                self.files += 1;
                self.findings.push(Finding {
                    severity: Severity::Error,
                    rule: "yaml-syntax",
                    message: "the file is not UTF-8 text".into(),
                    file: told.to_owned(),
                    line: 1,
                    column: 1,
                    path: String::new(),
                    help: Some("save it as UTF-8, or leave it out with `.jochignore`".into()),
                });
            }
        }
        Ok(())
    }

    fn add(&mut self, parsed: Parsed) {
        self.documents.extend(parsed.documents);
        self.findings.extend(parsed.findings);
        self.files += 1;
    }
}

/// Reads what `paths` name: files, directories (walked), and `-` for standard input. Paths are relative to
/// `directory`, and told as the person wrote them.
///
/// A walk takes `*.yaml`, `*.yml` and `*.json`; it leaves out dot-folders, `joch.yaml`, and what
/// `.gitignore` or `.jochignore` name.
///
/// # Errors
/// A path that is not there or cannot be read.
pub fn discover(paths: &[String], directory: &Path, stdin: &mut dyn Read) -> Result<Sources, Trouble> {
    let mut sources = Sources::default();
    let mut seen = BTreeSet::new();
    for path in paths {
        if path == "-" {
            let mut text = String::new();
            stdin.read_to_string(&mut text).map_err(|why| Trouble::at("read", Path::new("standard input"), &why))?;
            sources.add(read("-", &text, Found::Named));
            continue;
        }
        let full = directory.join(path);
        let kind = fs::metadata(&full).map_err(|why| Trouble::at("read", Path::new(path), &why))?;
        if kind.is_file() {
            if seen.insert(full.canonicalize().unwrap_or_else(|_| full.clone())) {
                sources.read(path, &full, Found::Named)?;
            }
            continue;
        }
        for file in walk(&full)? {
            if seen.insert(file.canonicalize().unwrap_or_else(|_| file.clone())) {
                let told = told(&file, &full, path);
                sources.read(&told, &file, Found::Walked)?;
            }
        }
    }
    Ok(sources)
}

/// The text of a file.
///
/// # Errors
/// It cannot be read, is larger than joch reads, or is no text.
pub fn read_file(path: &Path) -> Result<String, Trouble> {
    text_of(path, fs::File::open(path))
}

/// As [`read_file`], of a file that joch keeps for itself: nobody waits for a pipe in its place.
///
/// # Errors
/// As there, and if it is no file.
pub fn read_own(path: &Path) -> Result<String, Trouble> {
    text_of(path, own::open(path))
}

fn text_of(path: &Path, file: std::io::Result<fs::File>) -> Result<String, Trouble> {
    String::from_utf8(bytes_of(path, file)?).map_err(|_| Trouble {
        what: format!("`{}` is not UTF-8 text", path.display()),
        next: Some("save it as UTF-8, or leave it out with `.jochignore`".into()),
    })
}

fn bytes_of(path: &Path, file: std::io::Result<fs::File>) -> Result<Vec<u8>, Trouble> {
    let trouble = |why: std::io::Error| Trouble::at("read", path, &why);
    let mut bytes = Vec::new();
    file.map_err(trouble)?.take(LARGEST + 1).read_to_end(&mut bytes).map_err(trouble)?;
    if bytes.len() as u64 > LARGEST {
        return Err(Trouble { what: format!("`{}` is larger than {LARGEST} bytes", path.display()), next: None });
    }
    Ok(bytes)
}

fn walk(root: &Path) -> Result<Vec<PathBuf>, Trouble> {
    let mut walk = WalkBuilder::new(root);
    walk.standard_filters(false)
        .hidden(true)
        .parents(true)
        .git_ignore(true)
        .require_git(false)
        .add_custom_ignore_filename(".jochignore")
        .sort_by_file_path(Ord::cmp);
    let mut files = Vec::new();
    for entry in walk.build() {
        let entry =
            entry.map_err(|why| Trouble { what: format!("cannot walk `{}`: {why}", root.display()), next: None })?;
        let path = entry.path();
        let taken = matches!(path.extension().and_then(|e| e.to_str()), Some("yaml" | "yml" | "json"));
        let is_file = entry.file_type().is_some_and(|kind| kind.is_file());
        if is_file && taken && path.file_name().is_some_and(|name| name != CONFIG) {
            files.push(path.to_owned());
        }
    }
    Ok(files)
}

/// The path of a walked file as the person would write it, beginning as they began.
fn told(file: &Path, root: &Path, named: &str) -> String {
    let below = file.strip_prefix(root).unwrap_or(file).display().to_string();
    match named.trim_end_matches('/') {
        "." | "" => below,
        named => format!("{}/{below}", named.strip_prefix("./").unwrap_or(named)),
    }
}
