//! One verb, at many points: each is a fresh copy of the project, one fault, and what holds afterwards.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use crate::bypass::Lab;
use crate::support::long;
use crate::support::world::Outcome;

use super::tracer::{Errno, Fault, KILLED, NEVER_REACHED, Tracer, calls};

/// Of each fault, at how many calls of a verb it happens: by default, and with `JOCH_TEST_LONG=1`.
const FAULTS: [(Fault, usize, usize); 7] = [
    (Fault::Kill, 5, 30),
    (Fault::KillAfter, 3, 15),
    (Fault::Half, 1, 8),
    (Fault::Once(Errno::Fails), 4, 20),
    (Fault::Once(Errno::Full), 1, 8),
    (Fault::Sticky(Errno::Fails), 2, 10),
    (Fault::Sticky(Errno::Full), 1, 10),
];

/// The names and values of all references.
type References = BTreeMap<String, String>;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Old,
    New,
}

/// A verb before it is run.
pub(super) struct Sweep {
    lab: Lab,
    person: &'static str,
    line: &'static str,
    old: References,
    /// As they are once it was run.
    new: References,
}

/// What was found at all points.
#[derive(Default)]
struct Tally {
    points: usize,
    finished: usize,
    unconfirmed: usize,
    wrong: Vec<String>,
}

impl Sweep {
    /// Runs `joch LINE` in the lab again and again, with every fault at calls all over it. It must make at least
    /// `at_least` calls that change a file: fewer, and it is not what it was, or the tracer does not see it.
    #[track_caller]
    pub(super) fn run(tracer: &Tracer, lab: Lab, person: &'static str, line: &'static str, at_least: usize) {
        Self::at_all_points(tracer, lab, person, line, at_least, true);
    }

    /// The same for what moves no reference: old and new are the same.
    #[track_caller]
    pub(super) fn run_unmoved(tracer: &Tracer, lab: Lab, person: &'static str, line: &'static str, at_least: usize) {
        Self::at_all_points(tracer, lab, person, line, at_least, false);
    }

    #[track_caller]
    fn at_all_points(
        tracer: &Tracer,
        lab: Lab,
        person: &'static str,
        line: &'static str,
        at_least: usize,
        moves: bool,
    ) {
        let mut sweep = Self { lab, person, line, old: References::new(), new: References::new() };
        sweep.keep();
        sweep.old = sweep.references();
        let log = sweep.lab.path("../calls");
        let outcome = sweep.joch(&tracer.watching(&sweep.lab.0.project(), &log));
        assert_eq!(outcome.code, 0, "joch {line}\n{}", outcome.stderr);
        sweep.new = sweep.references();
        assert_eq!(sweep.new != sweep.old, moves, "joch {line}: whether references move");
        let calls = calls(&log);
        assert!(calls.len() >= at_least, "joch {line} makes {} calls, and made {at_least}", calls.len());
        let every: Vec<usize> = (1..=calls.len()).collect();
        let writes = every.iter().copied().filter(|point| calls[point - 1].name == "write").collect();
        let mut tally = Tally::default();
        for (fault, few, many) in FAULTS {
            let wanted = if everything() {
                usize::MAX
            } else if long() {
                many
            } else {
                few
            };
            let points = if fault == Fault::Half { &writes } else { &every };
            for point in spread(points, wanted) {
                sweep.bring_back();
                let call = &calls[point - 1];
                let outcome = sweep.joch(&tracer.before(point, fault, &sweep.lab.0.project()));
                if outcome.code == NEVER_REACHED {
                    // A commit has another id at another time, and another directory to sync.
                    let is_late = point * 10 >= calls.len() * 9;
                    assert!(is_late, "joch {line} made {} calls and then not {point}", calls.len());
                    continue;
                }
                tally.points += 1;
                if let Err(why) = sweep.judge(fault, &outcome, &mut tally) {
                    let said = format!("{}{}", outcome.stdout, outcome.stderr);
                    let at = format!("{} {}", call.name, call.path.display());
                    tally.wrong.push(format!("{fault:?} at {point}, {at}: {why}\n  exit {}: {said}", outcome.code));
                }
            }
        }
        let Tally { points, finished, unconfirmed, wrong } = tally;
        assert!(wrong.is_empty(), "joch {line}: {} of {points} points\n{}", wrong.len(), wrong.join("\n"));
        assert!(!moves || finished > 0 && finished < points, "joch {line}: {finished} of {points} came out new");
        report(&format!(
            "joch {line}: {} calls, {points} points, {finished} new, {unconfirmed} unconfirmed",
            calls.len()
        ));
    }

    /// What must hold after a fault.
    fn judge(&self, fault: Fault, outcome: &Outcome, tally: &mut Tally) -> Result<(), String> {
        let there = self.ledger().exists();
        if there {
            self.works("audit verify")?;
        }
        let state = self.state()?;
        tally.finished += usize::from(state == State::New);
        let said = &outcome.stderr;
        let says = |word: &str| said.contains(word).then_some(()).ok_or_else(|| format!("it does not say `{word}`"));
        match (fault, outcome.code, state) {
            (_, 0, State::New) => {}
            (_, 0, State::Old) if self.old == self.new => {}
            (_, 0, State::Old) => return Err("it claims to have done what it has not done".into()),
            (Fault::Kill | Fault::KillAfter | Fault::Half, KILLED, _) => {}
            (Fault::Once(errno) | Fault::Sticky(errno), 1, _) => {
                says(errno.words())?;
                says("`/")?;
                says("next: ")?;
                if state == State::New && there && !self.line.starts_with("init") {
                    tally.unconfirmed += 1;
                    says("is not known")?;
                }
            }
            _ => return Err("it came to an end of its own".into()),
        }
        self.works(self.line)?;
        if self.references().keys().ne(self.new.keys()) || self.state()? != State::New && self.old != self.new {
            return Err("run again, it does nothing".into());
        }
        let left = self.left_behind();
        if !left.is_empty() {
            return Err(format!("left behind: {left:?}"));
        }
        self.works("audit verify")?;
        let fsck = self.lab.git("fsck --strict --no-dangling --no-progress");
        if fsck.is_empty() { Ok(()) } else { Err(fsck) }
    }

    /// All references are as before, or all that the verb moves have moved and no others.
    fn state(&self) -> Result<State, String> {
        let now = self.references();
        if now == self.old {
            return Ok(State::Old);
        }
        let moves = |name: &String| self.new.get(name) != self.old.get(name);
        let names = now.keys().eq(self.new.keys());
        let values = now.iter().all(|(name, value)| moves(name) == (self.old.get(name) != Some(value)));
        if names && values { Ok(State::New) } else { Err(format!("neither old nor new: {now:#?}")) }
    }

    fn joch(&self, before: &str) -> Outcome {
        self.lab.0.sh(self.person, &format!("{before} joch {}", self.line))
    }

    fn works(&self, line: &str) -> Result<(), String> {
        let outcome = self.lab.0.sh(self.person, &format!("joch {line}"));
        let said = format!("{}{}", outcome.stdout, outcome.stderr);
        if outcome.code == 0 { Ok(()) } else { Err(format!("`joch {line}` then exits {}: {said}", outcome.code)) }
    }

    fn references(&self) -> References {
        if !self.ledger().exists() {
            return References::new();
        }
        let listed = self.lab.git("for-each-ref --format='%(refname) %(objectname)'");
        let pair = |line: &str| line.split_once(' ').map(|(name, id)| (name.to_owned(), id.to_owned()));
        listed.lines().filter_map(pair).collect()
    }

    fn ledger(&self) -> PathBuf {
        self.lab.path(".joch/ledger.git")
    }

    fn keep(&self) {
        self.shell("rm -rf ../kept && cp -a . ../kept");
    }

    fn bring_back(&self) {
        self.shell("find . -mindepth 1 -delete && cp -a ../kept/. .");
    }

    fn shell(&self, line: &str) {
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
fn spread(points: &[usize], wanted: usize) -> Vec<usize> {
    let wanted = wanted.min(points.len());
    (0..wanted).map(|at| points[(at + 1) * points.len() / wanted - 1]).collect()
}

fn everything() -> bool {
    std::env::var("JOCH_FAULTS").is_ok_and(|faults| faults == "all")
}

#[expect(clippy::print_stderr, reason = "figures for whoever runs the tests with `--nocapture`")]
fn report(line: &str) {
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
