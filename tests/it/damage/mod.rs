//! Every file of a ledger is hurt, one at a time: `audit verify` finds each, in time, and names what is hurt and the
//! releases and versions that it touches.

use std::collections::BTreeSet;
use std::fs;
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use chrono::Utc;
use flate2::read::ZlibDecoder;
use joch::audit::Finding;
use joch::ops::audit_verify::{self, Request};
use joch::ops::{Caller, Progress};

use crate::audit::forge::{forge, sh, shared};
use crate::support::long;
use crate::support::world::World;

/// How long one verification may take, on a machine that does other things beside.
const LIMIT: Duration = Duration::from_secs(60);

/// What is done to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Harm {
    /// One bit in its middle.
    Flip,
    /// Its second half is gone.
    Cut,
    /// All of it is gone.
    Empty,
    /// It is not there.
    Gone,
}

const HARMS: [Harm; 4] = [Harm::Flip, Harm::Cut, Harm::Empty, Harm::Gone];

/// The files whose loss loses nothing, each with the reason.
const DERIVED: [(&str, &str); 5] = [
    ("joch/lock", "says who wrote last; the lock itself is the kernel's"),
    (".rev", "Git makes it from the index of a pack, and joch does not read it"),
    ("objects/info/packs", "a list of the packs for a web server, which joch does not read"),
    ("info/refs", "a list of the references for a web server, which joch does not read"),
    ("description", "a word for a web page, which joch does not read"),
];

/// The empty tree: every Git knows it without a file. Hurt, and not gone, it is found.
const EMPTY_TREE: &str = "objects/4b/825dc642cb6eb9a060e54bf8d69288fbee4904";

/// A copy of the shared ledger, and the files of its repository.
struct Patient {
    world: World,
    files: Vec<String>,
    /// Whether it was found clean before, and whoever looks at it remembers that.
    known: bool,
}

impl Patient {
    fn new(name: &str, prepare: &str, known: bool) -> Self {
        let world = shared(name);
        forge(&world, "alice", prepare);
        let mut files = Vec::new();
        list(&ledger(&world), "", &mut files);
        files.sort();
        let patient = Self { world, files, known };
        let findings = patient.findings().expect("the ledger can be read");
        assert!(findings.is_empty(), "the ledger was not whole: {findings:?}");
        assert_eq!(patient.world.project().join(".joch/cache/clean").exists(), known);
        patient
    }

    /// What an audit finds, in a limited time.
    fn findings(&self) -> Result<Vec<Finding>, String> {
        // Without a home there is no seal, and nothing is kept.
        findings(&self.world.project(), self.known.then(|| self.world.home("alice")))
    }

    fn path(&self, file: &str) -> PathBuf {
        ledger(&self.world).join(file)
    }

    /// What an audit finds after this harm; `None` where it changed nothing that the file says.
    fn after(&self, file: &str, harm: Harm) -> Option<Result<Vec<Finding>, String>> {
        let path = self.path(file);
        let whole = fs::read(&path).expect("a file of the ledger");
        let mode = fs::metadata(&path).expect("a file of the ledger").permissions();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).expect("own file");
        let mut hurt = whole.clone();
        match harm {
            Harm::Flip => {
                let middle = whole.len() / 2;
                hurt.get_mut(middle).map(|byte| *byte ^= 0x10)?;
            }
            Harm::Cut => hurt.truncate(whole.len() / 2),
            Harm::Empty => hurt.clear(),
            Harm::Gone => {}
        }
        if harm != Harm::Gone && says_the_same(file, &whole, &hurt) {
            return None;
        }
        if harm == Harm::Gone { fs::remove_file(&path) } else { fs::write(&path, &hurt) }.expect("own file");
        let found = self.findings();
        fs::write(&path, &whole).expect("own file");
        fs::set_permissions(&path, mode).expect("own file");
        Some(found)
    }

    /// The objects that environments hold, behind the commit where all branches begin.
    fn released(&self) -> BTreeSet<String> {
        let list = "cd .joch/ledger.git && git rev-list --objects local dev staging prod ^$(git rev-list --max-parents=0 prod)";
        sh(&self.world, "alice", list).lines().map(|line| line[..40].to_owned()).collect()
    }
}

fn ledger(world: &World) -> PathBuf {
    world.project().join(".joch/ledger.git")
}

fn list(directory: &Path, name: &str, files: &mut Vec<String>) {
    for entry in fs::read_dir(directory).expect("a directory of the ledger").flatten() {
        let name = if name.is_empty() { String::new() } else { format!("{name}/") };
        let name = format!("{name}{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() {
            list(&entry.path(), &name, files);
        } else {
            files.push(name);
        }
    }
}

/// Whether a loose object reads the same: a few bits of its file fill up bytes and say nothing.
fn says_the_same(file: &str, whole: &[u8], hurt: &[u8]) -> bool {
    let inflate = |packed: &[u8]| {
        let mut bytes = Vec::new();
        ZlibDecoder::new(packed).read_to_end(&mut bytes).ok().map(|_| bytes)
    };
    whole == hurt || (object(file).is_some() && inflate(whole) == inflate(hurt))
}

/// The id of the object in a file.
fn object(file: &str) -> Option<String> {
    let id: String = file.strip_prefix("objects/")?.split('/').collect();
    (id.len() == 40).then_some(id)
}

fn findings(project: &Path, home: Option<PathBuf>) -> Result<Vec<Finding>, String> {
    let (told, answer) = mpsc::channel();
    let directory = project.to_owned();
    thread::spawn(move || {
        let (mut stdin, mut stream) = (std::io::empty(), std::io::sink());
        let mut caller = Caller {
            directory,
            variables: home.map(|home| ("HOME".to_owned(), home.into())).into_iter().collect(),
            now: Utc::now(),
            stdin: &mut stdin,
            key: None,
            namespace: None,
            progress: Progress { stream: &mut stream, terminal: None, clock: Utc::now },
            notices: Vec::new(),
        };
        let outcome = audit_verify::run(&Request::default(), &mut caller);
        told.send(outcome.map(|outcome| outcome.findings).map_err(|why| format!("{why:#}"))).ok();
    });
    answer.recv_timeout(LIMIT).map_err(|_| format!("no answer in {LIMIT:?}"))?
}

/// Hurts every file; tells how often, and what was not found or not told as it should be.
fn sweep(name: &str, prepare: &str, known: bool) -> (usize, Vec<String>) {
    let patient = Patient::new(name, prepare, known);
    let released = patient.released();
    let (mut tried, mut wrong) = (0, Vec::new());
    let mut turn = 0;
    for file in &patient.files {
        if DERIVED.iter().any(|(name, _)| file.ends_with(name)) {
            continue;
        }
        turn += 1;
        for (at, harm) in HARMS.into_iter().enumerate() {
            // There are many objects, and every harm is done to a quarter of them.
            if object(file).is_some() && !long() && at != turn % HARMS.len() {
                continue;
            }
            if harm == Harm::Gone && file == EMPTY_TREE {
                continue;
            }
            let Some(found) = patient.after(file, harm) else { continue };
            tried += 1;
            if let Err(why) = judged(file, &found, &released) {
                wrong.push(format!("{harm:?} {file}: {why}"));
            }
        }
    }
    (tried, wrong)
}

/// Whether what was found names what is hurt, and whom that touches.
fn judged(file: &str, found: &Result<Vec<Finding>, String>, released: &BTreeSet<String>) -> Result<(), String> {
    let findings = found.as_ref().map_err(|why| format!("no findings but an error: {why}"))?;
    let all = || findings.iter().map(|f| format!("  {} {}: {}\n", f.rule, f.object, f.message)).collect::<String>();
    let told = |holds: &dyn Fn(&Finding) -> bool, what: &str| {
        if findings.iter().any(holds) { Ok(()) } else { Err(format!("{what}\n{}", all())) }
    };
    if let Some(id) = object(file) {
        told(&|f| f.object == id && f.message.contains("touch"), "the object is not named with what it touches")?;
        let names =
            |f: &Finding| f.object == id && (f.message.contains("the release") && f.message.contains("the version"));
        return if released.contains(&id) { told(&names, "no release and version are named") } else { Ok(()) };
    }
    match file {
        "HEAD" => told(&|f| f.rule.id() == "repository-head" && f.message.contains("touched"), "not told as HEAD"),
        "config" => {
            told(&|f| f.rule.id() == "repository-settings" && f.message.contains("touched"), "not told as settings")
        }
        "packed-refs" => told(&|f| f.message.contains("/1") && f.object.contains("refs"), "no release is named"),
        _ if file.starts_with("objects/pack/") => {
            told(&|f| f.object.starts_with("objects/pack/"), "the pack is not named")?;
            told(
                &|f| f.message.contains("the releases") || f.message.contains("no release or version"),
                "nothing is named",
            )
        }
        _ => {
            let name = file.strip_prefix("refs/tags/").or_else(|| file.strip_prefix("refs/heads/")).unwrap_or(file);
            let tag = name.strip_prefix("release/").unwrap_or(name);
            let version = name.replace("/v", " v");
            let names = |f: &Finding| {
                let said = format!("{} {}", f.object, f.message);
                said.contains(file) || said.contains(tag) || said.contains(&version)
            };
            told(&names, "the reference is not named")?;
            told(&|f| names_one(&f.message), "no release or version is named")
        }
    }
}

/// Whether a text names a release, such as `prod/1`, or a version, such as `v1`.
fn names_one(text: &str) -> bool {
    let followed = |before: &str| {
        text.match_indices(before)
            .any(|(at, _)| text[at + before.len()..].starts_with(|next: char| next.is_ascii_digit()))
    };
    followed("/") || followed(" v")
}

fn clean(name: &str, prepare: &str, known: bool, floor: usize) {
    let (tried, wrong) = sweep(name, prepare, known);
    assert!(wrong.is_empty(), "{} of {tried}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(tried >= floor, "only {tried} harms were done");
}

#[test]
fn every_file_of_a_ledger_of_loose_files_is_missed() {
    clean("damage-loose", "true", false, 200);
}

#[test]
fn every_file_of_a_ledger_that_was_found_clean_is_missed() {
    clean("damage-known", "true", true, 200);
}

const PACK: &str = "git pack-refs --all; git repack -q";

#[test]
fn every_file_of_a_packed_ledger_is_missed() {
    for known in [false, true] {
        clean("damage-packed", &format!("{PACK}; rm -rf \"$GIT_DIR\"/objects/[0-9a-f][0-9a-f]"), known, 15);
    }
}

#[test]
fn a_copy_that_nobody_needs_is_looked_at_too() {
    let patient = Patient::new("damage-twin", &format!("{PACK}; echo stray | git hash-object -w --stdin"), true);
    let objects: Vec<_> = patient.files.iter().filter(|file| object(file).is_some()).collect();
    let stray = format!("objects/{}/{}", &STRAY[..2], &STRAY[2..]);
    for file in objects.into_iter().step_by(17).chain([&stray]) {
        let id = object(file).expect("an object");
        for harm in [Harm::Flip, Harm::Cut, Harm::Empty] {
            let Some(found) = patient.after(file, harm) else { continue };
            let found = found.expect("findings");
            let told = found.iter().find(|finding| finding.object == id).unwrap_or_else(|| panic!("{harm:?} {file}"));
            assert_eq!(told.rule.id(), "object-damaged");
            assert_eq!(told.message.contains("no reference leads to it"), id == STRAY, "{}", told.message);
        }
    }
    let pack = patient.files.iter().find(|file| file.ends_with(".pack")).expect("a pack");
    let found = patient.after(pack, Harm::Flip).expect("a pack is no text").expect("findings");
    assert!(found.iter().any(|finding| finding.object == *pack), "{found:?}");
}

/// `echo stray | git hash-object --stdin`.
const STRAY: &str = "946d7b47aae57046fe26beb6d856067e76c1e2d7";
