//! One verb, at many points: each is a fresh copy of the project, one fault, and what holds afterwards.

use crate::support::world::Outcome;

use super::foreign::GIT;
use super::tracer::{Errno, Fault, KILLED, NEVER_REACHED, Tracer};
use super::trial::{State, Trial, many, report, spread};
use super::verbs::Verb;

/// Of each fault, at how many calls of a verb it happens: by default, and with `JOCH_TEST_LONG=1`.
const FAULTS: [(Fault, usize, usize); 7] = [
    (Fault::Kill, 6, 30),
    (Fault::KillAfter, 3, 15),
    (Fault::Half, 1, 8),
    (Fault::Once(Errno::Fails), 4, 20),
    (Fault::Once(Errno::Full), 1, 8),
    (Fault::Sticky(Errno::Fails), 2, 10),
    (Fault::Sticky(Errno::Full), 1, 10),
];

/// What was found at all points.
#[derive(Default)]
struct Tally {
    points: usize,
    finished: usize,
    unconfirmed: usize,
    wrong: Vec<String>,
}

/// Runs a verb again and again, with every fault at calls all over it.
#[track_caller]
pub(super) fn sweep(tracer: &Tracer, verb: Verb) {
    let trial = Trial::begin(tracer, verb);
    let (line, calls) = (trial.line, &trial.calls);
    let every: Vec<usize> = (1..=calls.len()).collect();
    let writes: Vec<usize> = every.iter().copied().filter(|point| calls[point - 1].name == "write").collect();
    let mut tally = Tally::default();
    for (fault, few, long_run) in FAULTS {
        let points = if fault == Fault::Half { &writes } else { &every };
        for (number, point) in spread(points, many(few, long_run)).into_iter().enumerate() {
            trial.bring_back();
            let call = &calls[point - 1];
            let outcome = trial.joch(&tracer.before(point, fault, &trial.lab.0.project()));
            if outcome.code == NEVER_REACHED {
                // A commit has another id at another time, and another directory to sync.
                let is_late = point * 10 >= calls.len() * 9;
                assert!(is_late, "joch {line} made {} calls and then not {point}", calls.len());
                continue;
            }
            tally.points += 1;
            // Of two that are dead, one is found by a plain Git before joch comes back.
            let git = fault == Fault::Kill && number % 2 == 1 && trial.ledger().exists();
            if git {
                trial.shell(GIT);
            }
            if let Err(why) = judge(&trial, fault, &outcome, &mut tally) {
                let said = format!("{}{}", outcome.stdout, outcome.stderr);
                let at = format!("{} {}{}", call.name, call.path.display(), if git { ", then Git" } else { "" });
                tally.wrong.push(format!("{fault:?} at {point}, {at}: {why}\n  exit {}: {said}", outcome.code));
            }
        }
    }
    let Tally { points, finished, unconfirmed, wrong } = tally;
    assert!(wrong.is_empty(), "joch {line}: {} of {points} points\n{}", wrong.len(), wrong.join("\n"));
    let both = finished > 0 && finished < points;
    assert!(!trial.moves() || both, "joch {line}: {finished} of {points} came out new");
    report(&format!("joch {line}: {} calls, {points} points, {finished} new, {unconfirmed} unconfirmed", calls.len()));
}

/// What must hold after a fault.
fn judge(trial: &Trial, fault: Fault, outcome: &Outcome, tally: &mut Tally) -> Result<(), String> {
    let there = trial.ledger().exists();
    if there {
        trial.works("audit verify")?;
    }
    let state = trial.state()?;
    tally.finished += usize::from(state == State::New);
    let said = &outcome.stderr;
    let says = |word: &str| said.contains(word).then_some(()).ok_or_else(|| format!("it does not say `{word}`"));
    match (fault, outcome.code, state) {
        (_, 0, State::New) => {}
        (_, 0, State::Old) if !trial.moves() => {}
        (_, 0, State::Old) => return Err("it claims to have done what it has not done".into()),
        (Fault::Kill | Fault::KillAfter | Fault::Half, KILLED, _) => {}
        (Fault::Once(errno) | Fault::Sticky(errno), 1, _) => {
            says(errno.words())?;
            says("`/")?;
            says("next: ")?;
            if state == State::New && there && !trial.line.starts_with("init") {
                tally.unconfirmed += 1;
                says("is not known")?;
            }
        }
        _ => return Err("it came to an end of its own".into()),
    }
    trial.works_again()
}
