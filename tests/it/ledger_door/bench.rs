//! A workbench: a directory of its own for each test, a ledger in it, and the real Git to check it with.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use chrono::{DateTime, Utc};
use joch::ledger::{
    CommitDraft, Edit, ObjectId, Person, Repository, Signer, SignerEnvironment, TagDraft, generate_key,
};

/// A directory of a test, empty at its beginning.
pub(crate) struct Bench {
    pub(crate) root: PathBuf,
}

impl Bench {
    pub(crate) fn new(name: &str) -> Self {
        let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("ledger_door").join(name);
        drop(fs::remove_dir_all(&root));
        fs::create_dir_all(&root).expect("a directory of its own");
        Self { root }
    }

    /// A new ledger whose `HEAD` is `prod`.
    pub(crate) fn ledger(&self) -> Repository {
        Repository::create(self.path("ledger.git"), "prod").expect("a ledger")
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// Ana's signer, with an ed25519 key that is always the same.
    pub(crate) fn ana(&self) -> Signer {
        let path = self.path("ana");
        if !path.exists() {
            fs::write(&path, ANA).expect("a key");
            private(&path);
        }
        self.signer(&path)
    }

    /// Somebody's signer, with an ed25519 key that is new.
    pub(crate) fn somebody(&self, name: &str) -> Signer {
        generate_key(self.path(name), name).expect("a key");
        self.signer(&self.path(name))
    }

    pub(crate) fn signer(&self, key: &Path) -> Signer {
        Signer::open(key.to_str().expect("UTF-8"), &self.environment()).expect("a signer")
    }

    pub(crate) fn environment(&self) -> SignerEnvironment {
        let home = self.root.clone();
        SignerEnvironment::from_variables(|name| match name {
            "HOME" => Some(home.clone().into_os_string()),
            "PATH" => std::env::var_os("PATH"),
            _ => None,
        })
    }

    /// Runs Git in the ledger and gives what it printed.
    pub(crate) fn git(&self, words: &[&str]) -> String {
        let output = self.try_git(words);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "git {words:?}: {said}");
        String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
    }

    pub(crate) fn try_git(&self, words: &[&str]) -> Output {
        let mut command = self.command("git");
        command.arg("-C").arg(self.path("ledger.git")).args(words);
        command.output().expect("git runs")
    }

    /// A command that knows nothing of whoever runs the tests.
    pub(crate) fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.env_clear().env("HOME", &self.root).env("LC_ALL", "C");
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
        command.current_dir(&self.root);
        command
    }

    /// Git's own judgement: nothing is damaged; and no lock, journal or draft is left.
    pub(crate) fn assert_whole(&self) {
        assert_eq!(self.git(&["fsck", "--strict", "--no-dangling"]), "");
        assert_eq!(self.left_behind(), Vec::<PathBuf>::new());
    }

    /// The locks, journals and drafts in the ledger.
    pub(crate) fn left_behind(&self) -> Vec<PathBuf> {
        let mut left = Vec::new();
        for directory in ["refs", "joch", "objects"] {
            collect(&self.path("ledger.git").join(directory), &mut left);
        }
        left.retain(|path| {
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            name.ends_with(".lock") || ["txn", "value-", "tmp_"].iter().any(|draft| name.starts_with(draft))
        });
        left
    }
}

/// The person in whose name the tests commit.
pub(crate) fn person() -> Person {
    Person::new("Ana Ng", "ana@example.org")
}

/// So many seconds after a time that is always the same.
pub(crate) fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_700_000_000 + seconds, 0).expect("a time")
}

pub(crate) fn put(path: &str, text: &str) -> (String, Edit) {
    (path.to_owned(), Edit::Put(text.as_bytes().to_vec()))
}

pub(crate) fn draft(branch: &str, parent: Option<ObjectId>, edits: Vec<(String, Edit)>) -> CommitDraft {
    let message = format!("change {branch}");
    CommitDraft { branch: branch.to_owned(), parent, edits, message, author: person(), time: at(0) }
}

/// Commits one file to `prod`, with the tags `v<n>` and `release/prod/<n>`.
pub(crate) fn release(ledger: &Repository, signer: &Signer, n: u32) -> ObjectId {
    let mut tx = ledger.begin().expect("a turn");
    let parent = tx.snapshot().branch("prod");
    let made =
        tx.commit(signer, &draft("prod", parent, vec![put("agent.yaml", &format!("n: {n}\n"))])).expect("a commit");
    tx.tag_light(&format!("agent/x/v{n}"), made.id).expect("a tag");
    tx.tag_signed(signer, &tag(&format!("release/prod/{n}"), made.id)).expect("a tag");
    tx.finish().expect("it is written");
    made.id
}

pub(crate) fn tag(name: &str, commit: ObjectId) -> TagDraft {
    TagDraft { name: name.to_owned(), commit, message: "a release".to_owned(), author: person(), time: at(0) }
}

/// Makes a file readable by nobody else, as a private key must be.
pub(crate) fn private(path: &Path) {
    set_mode(path, 0o600);
}

pub(crate) fn executable(path: &Path) {
    set_mode(path, 0o755);
}

pub(crate) fn set_mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("a mode");
}

fn collect(directory: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).expect("a directory").flatten() {
        match entry.path() {
            path if path.is_dir() => collect(&path, into),
            path => into.push(path),
        }
    }
}

/// A key that signs nothing but these tests.
const ANA: &str = "\
-----BEGIN OPENSSH PRIVATE KEY-----
b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2gtZW
QyNTUxOQAAACA4KC9stm9UfBdW5kJk2ORQ8kIshcn6ii/B/udoVZYEWgAAAIh6wfcResH3
EQAAAAtzc2gtZWQyNTUxOQAAACA4KC9stm9UfBdW5kJk2ORQ8kIshcn6ii/B/udoVZYEWg
AAAECRw4f3gqqyISAdharNNvgZD9JgxEkwKbI7yX6evdsMuDgoL2y2b1R8F1bmQmTY5FDy
QiyFyfqKL8H+52hVlgRaAAAAA2FuYQEC
-----END OPENSSH PRIVATE KEY-----
";
