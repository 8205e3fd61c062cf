//! One verb, run again and again in fresh copies of a project, and what must hold afterwards.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use crate::bypass::Lab;
use crate::support::long;
use crate::support::world::Outcome;

use super::tracer::{Call, Tracer, calls};
use super::verbs::Verb;

/// The names and values of all references.
type References = BTreeMap<String, String>;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Old,
    New,
}

/// A verb, and how the references are before it and once it was run.
pub(super) struct Trial {
    pub(super) lab: Lab,
    pub(super) person: &'static str,
    pub(super) line: &'static str,
    old: References,
    new: References,
    /// Its calls, when nothing goes wrong.
    pub(super) calls: Vec<Call>,
}

impl Trial {
    /// Runs the verb once.
    ///
    /// # Panics
    /// It makes fewer calls than it did, so that it is not what it was, or the tracer does not see it; or it moves
    /// references and should not, or the other way round.
    #[track_caller]
    pub(super) fn begin(tracer: &Tracer, verb: Verb) -> Self {
        let Verb { lab, person, line, at_least, moves } = verb;
        let (old, new) = (References::new(), References::new());
        let mut trial = Self { lab, person, line, old, new, calls: Vec::new() };
        trial.shell("rm -rf ../kept && cp -a . ../kept");
        trial.old = trial.references();
        let log = trial.lab.path("../calls");
        let outcome = trial.joch(&tracer.watching(&trial.lab.0.project(), &log));
        assert_eq!(outcome.code, 0, "joch {line}\n{}", outcome.stderr);
        trial.new = trial.references();
        assert_eq!(trial.moves(), moves, "joch {line}: whether references move");
        trial.calls = calls(&log);
        let count = trial.calls.len();
        assert!(count >= at_least, "joch {line} makes {count} calls, and made {at_least}");
        trial
    }

    /// Whether the verb moves references.
    pub(super) fn moves(&self) -> bool {
        self.new != self.old
    }

    /// All references are as before, or all that the verb moves have moved and no others.
    pub(super) fn state(&self) -> Result<State, String> {
        let now = self.references();
        if now == self.old {
            return Ok(State::Old);
        }
        let moves = |name: &String| self.new.get(name) != self.old.get(name);
        let names = now.keys().eq(self.new.keys());
        let values = now.iter().all(|(name, value)| moves(name) == (self.old.get(name) != Some(value)));
        if names && values { Ok(State::New) } else { Err(format!("neither old nor new: {now:#?}")) }
    }

    /// The verb, with something in front of it that does it harm.
    pub(super) fn joch(&self, before: &str) -> Outcome {
        self.lab.0.sh(self.person, &format!("{before} joch {}", self.line))
    }

    pub(super) fn works(&self, line: &str) -> Result<(), String> {
        let outcome = self.lab.0.sh(self.person, &format!("joch {line}"));
        let said = format!("{}{}", outcome.stdout, outcome.stderr);
        if outcome.code == 0 { Ok(()) } else { Err(format!("`joch {line}` then exits {}: {said}", outcome.code)) }
    }

    /// Run again, the verb does what it did not do, and all is well.
    pub(super) fn works_again(&self) -> Result<(), String> {
        self.works(self.line)?;
        self.is_done().map_err(|why| format!("run again: {why}"))
    }

    /// The verb has done what it does, nothing is left behind, and neither joch nor Git finds anything.
    pub(super) fn is_done(&self) -> Result<(), String> {
        if self.references().keys().ne(self.new.keys()) || self.moves() && self.state()? != State::New {
            return Err("it does nothing".into());
        }
        let left = self.left_behind();
        if !left.is_empty() {
            return Err(format!("left behind: {left:?}"));
        }
        self.works("audit verify")?;
        let fsck = self.lab.git("fsck --strict --no-dangling --no-progress");
        if fsck.is_empty() { Ok(()) } else { Err(fsck) }
    }

    pub(super) fn references(&self) -> References {
        if !self.ledger().exists() {
            return References::new();
        }
        let listed = self.lab.git("for-each-ref --format='%(refname) %(objectname)'");
        let pair = |line: &str| line.split_once(' ').map(|(name, id)| (name.to_owned(), id.to_owned()));
        listed.lines().filter_map(pair).collect()
    }

    pub(super) fn ledger(&self) -> PathBuf {
        self.lab.path(".joch/ledger.git")
    }

    /// The project as it was before the verb.
    pub(super) fn bring_back(&self) {
        self.shell("find . -mindepth 1 -delete && cp -a ../kept/. .");
    }

    #[track_caller]
    pub(super) fn shell(&self, line: &str) {
        let outcome = self.lab.0.sh("alice", line);
        assert_eq!(outcome.code, 0, "{line}: {}", outcome.stderr);
    }

    /// Locks, journals and drafts, of Git and of joch, and of ledgers and files that were being made.
    fn left_behind(&self) -> Vec<PathBuf> {
        let mut left = Vec::new();
        collect(self.lab.0.project(), &mut left);
        left.retain(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let begins = ["txn", "value-", "object-", "packing", "tmp_", ".ledger.git."]
                .iter()
                .any(|draft| name.starts_with(draft));
            begins || name.ends_with(".lock") || name.ends_with(".new")
        });
        left
    }
}

/// `wanted` of them, evenly spread; the last is among them.
pub(super) fn spread(points: &[usize], wanted: usize) -> Vec<usize> {
    let wanted = wanted.min(points.len());
    (0..wanted).map(|at| points[(at + 1) * points.len() / wanted - 1]).collect()
}

/// How many points are looked at: by default, with `JOCH_TEST_LONG=1`, and with `JOCH_FAULTS=all`.
pub(super) fn many(few: usize, long_run: usize) -> usize {
    let everything = std::env::var("JOCH_FAULTS").is_ok_and(|faults| faults == "all");
    match (everything, long()) {
        (true, _) => usize::MAX,
        (_, true) => long_run,
        _ => few,
    }
}

#[expect(clippy::print_stderr, reason = "figures for whoever runs the tests with `--nocapture`")]
pub(super) fn report(line: &str) {
    eprintln!("{line}");
}

fn collect(directory: PathBuf, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).expect("a directory").flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            collect(entry.path(), into);
        }
        into.push(entry.path());
    }
}
