//! `joch audit export`: what a stranger needs to check a ledger with `git`, `ssh-keygen` and `sha256sum` alone.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::PathBuf;

use anyhow::Result;

use crate::ledger::{ObjectId, Reader, RefTarget};
use crate::release::layout::{self, Tag};
use crate::resource::{Digest, Digesting};
use crate::workspace::{write_over, write_through};

use super::caller::Caller;
use super::desk::Desk;
use super::failure::Failure;
use super::find::check_environment;

const VERIFY: &str = include_str!("../../bundle/verify.sh");
const README: &str = include_str!("../../bundle/README.txt");

/// What is asked for.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// The directory to make.
    pub bundle: PathBuf,
    /// The one environment; all where none is named.
    pub environment: Option<String>,
}

/// What was written.
#[derive(Debug, Clone)]
pub struct Exported {
    /// The directory.
    pub path: PathBuf,
    /// How many references are in it.
    pub references: usize,
    /// How many objects.
    pub objects: usize,
    /// How many files.
    pub files: usize,
    /// The commit at which trust begins.
    pub trust_root: ObjectId,
}

/// Writes the directory. The same ledger gives the same files.
///
/// # Errors
/// Something is there already, the ledger cannot be read, or the disk refuses.
pub fn run(request: &Request, caller: &Caller<'_>) -> Result<Exported> {
    let path = caller.directory.join(&request.bundle);
    if path.exists() {
        let message = format!("`{}` is there already, and nothing is written over", path.display());
        return Err(Failure::could_not("exists", message).next("name a directory that is not there yet").into());
    }
    let desk = Desk::open(caller)?;
    let reader = desk.own_reader()?;
    let ladder = reader.trust()?.ladder().clone();
    if let Some(name) = &request.environment {
        check_environment(&ladder, name)?;
    }
    let rungs = ladder.rungs().iter().filter(|rung| request.environment.as_ref().is_none_or(|only| only == *rung));
    let rungs: BTreeSet<String> = rungs.cloned().collect();
    let references = references(&reader, &rungs, request.environment.is_none())?;
    // All is read once before anything is written.
    let objects = desk.repository.reachable(references.values().copied().collect())?;
    let mut files = BTreeMap::from([
        ("README.txt".to_owned(), README.as_bytes().to_vec()),
        ("verify.sh".to_owned(), VERIFY.as_bytes().to_vec()),
    ]);
    let trust = reader.tip(layout::TRUST)?;
    files.insert("allowed_signers".to_owned(), reader.snapshot().blob_at(trust, layout::SIGNERS)?.unwrap_or_default());
    for rung in &rungs {
        files.extend(records(&reader, rung)?);
    }
    let evidence = reader.snapshot().commit(reader.tip(layout::EVIDENCE)?)?.tree;
    for (path, blob) in reader.snapshot().files_under(evidence)? {
        files.insert(format!("evidence/{path}"), reader.snapshot().blob(blob)?);
    }
    let trust_root = Desk::trust_root(&reader)?;
    let mut sums: BTreeMap<&str, Digest> =
        files.iter().map(|(name, bytes)| (name.as_str(), Digest::of(bytes))).collect();
    let (sum, told) = (RefCell::new(Digesting::default()), RefCell::new(None));
    let written = write_through(&path.join(BUNDLE), |file| {
        sum.take();
        let mut out = Summed { file, sum: &sum };
        desk.repository.bundle(&references, &objects, &mut out).map_err(|why| {
            told.replace(Some(why));
            io::Error::other(BUNDLE)
        })
    });
    if let Some(why) = told.take() {
        return Err(why.into());
    }
    written?;
    sums.insert(BUNDLE, sum.take().finish());
    for (name, bytes) in &files {
        write_over(&path.join(name), bytes)?;
    }
    let lines: String = sums.iter().map(|(name, sum)| format!("{}  {name}\n", sum.hex())).collect();
    write_over(&path.join("SHA256SUMS"), lines.as_bytes())?;
    Ok(Exported { path, references: references.len(), objects: objects.len(), files: sums.len() + 1, trust_root })
}

/// The file with the whole history, which may be larger than memory.
const BUNDLE: &str = "ledger.bundle";

/// A file, with the digest of what is written to it.
struct Summed<'w> {
    file: &'w mut dyn io::Write,
    sum: &'w RefCell<Digesting>,
}

impl io::Write for Summed<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.sum.borrow_mut().add(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// The references that are exported: all of them, or those of some environments with what judges them.
fn references(reader: &Reader<'_>, rungs: &BTreeSet<String>, all: bool) -> Result<BTreeMap<String, ObjectId>> {
    let mut commits = BTreeSet::new();
    if !all {
        for rung in rungs {
            for commit in reader.snapshot().first_parents(reader.tip(rung)?) {
                commits.insert(commit?.id);
            }
        }
    }
    let mut references = BTreeMap::new();
    for (name, target) in reader.snapshot().all_refs()?.iter() {
        let RefTarget::Object(id) = target else { continue };
        let wanted = match (name.strip_prefix("refs/heads/"), name.strip_prefix("refs/tags/").and_then(Tag::parse)) {
            (Some(branch), _) => rungs.contains(branch) || [layout::TRUST, layout::EVIDENCE].contains(&branch),
            (_, Some(Tag::Release { environment, .. })) => rungs.contains(&environment),
            (_, Some(Tag::Version { .. })) => commits.contains(id),
            (None, None) => false,
        };
        if all || wanted {
            references.insert(name.clone(), *id);
        }
    }
    Ok(references)
}

/// The records of an environment, each in its file.
fn records(reader: &Reader<'_>, rung: &str) -> Result<Vec<(String, Vec<u8>)>> {
    let tip = reader.tip(rung)?;
    let Some(agents) = reader.snapshot().entry_at(tip, layout::AGENTS)? else { return Ok(Vec::new()) };
    let mut records = Vec::new();
    // A deleted agent leaves its record, so the files are asked and not the agents.
    for (path, blob) in reader.snapshot().files_under(agents.id)? {
        let agent = path.strip_suffix("/record.json").filter(|agent| agent.matches('/').count() == 1);
        if let Some(agent) = agent {
            records.push((format!("records/{rung}/{agent}.json"), reader.snapshot().blob(blob)?));
        }
    }
    Ok(records)
}
