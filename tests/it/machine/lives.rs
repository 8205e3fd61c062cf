//! Random lives, led one after the other or many at once, and what they must have done together.

use std::io::Write as _;
use std::sync::Mutex;

use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};

use crate::faults::tracer::{Fault, Tracer};

use super::model::{A, AGENTS, B, P, Q, SHARED, T, U};
use super::steps::{Step, Way};
use super::tally::Tally;
use super::world::{Kill, Life, Place};

/// How many lives the suite leads.
const LIVES: u32 = 20;
/// What happens at least this often in so many lives: what a step was, how it got past the gate, and what was killed.
const FLOORS: [(&str, f64); 16] = [
    ("step apply", 2.0),
    ("step promote", 2.0),
    ("step rollback", 0.7),
    ("step delete", 0.4),
    ("step hold", 0.2),
    ("step lift", 0.2),
    ("step trust", 0.3),
    ("step rotate", 0.3),
    ("past the gate: Approved", 0.2),
    ("past the gate: Rejected", 0.08),
    ("past the gate: Overridden", 0.08),
    ("old or new: old", 0.4),
    ("old or new: new", 0.15),
    ("killed at a call of apply: hit", 0.3),
    ("killed at a call of promote: hit", 0.2),
    ("killed at a call of rollback: hit", 0.04),
];

/// The calls by which a change lands, from the journal to what is remembered of it.
const LANDING: [(&str, &str); 9] = [
    ("rename", "joch/txn"),
    ("link", "refs/tags/release"),
    ("link", "refs/heads"),
    ("rename", "refs/tags/release"),
    ("rename", "refs/heads/evidence"),
    ("rename", "refs/heads"),
    ("sync", "ledger.git/refs"),
    ("unlink", "joch/txn"),
    ("rename", "seen.json"),
];

/// Who does what, and where it is killed.
type Deed = (&'static str, Step, Option<Kill>);

fn steps() -> impl Strategy<Value = Vec<Deed>> {
    let thing = || prop::sample::select(vec![A, B, T, U, P, Q]);
    let agent = || prop::sample::select(vec![A, B]);
    let lower = || prop_oneof![3 => Just(0_usize), 1 => Just(1)];
    let anywhere = || prop_oneof![4 => Just(0_usize), 3 => Just(1), 3 => Just(2)];
    let way = || prop_oneof![2 => Just(Way::Approved), 1 => Just(Way::Rejected), 1 => Just(Way::Overridden)];
    let pick = any::<prop::sample::Index>;
    let step = prop_oneof![
        8 => (anywhere(), prop::collection::btree_map(thing(), 0_u8..4, 1..4)).prop_map(|(rung, set)| Step::Apply { rung, set }),
        3 => (agent(), lower(), way()).prop_map(|(thing, from, way)| Step::Promote { thing, from, way, pick: None }),
        1 => (thing(), Just(0), way()).prop_map(|(thing, from, way)| Step::Promote { thing, from, way, pick: None }),
        8 => (agent(), lower(), way(), pick())
            .prop_map(|(thing, from, way, pick)| Step::Promote { thing, from, way, pick: Some(pick) }),
        4 => (agent(), anywhere(), pick()).prop_map(|(agent, rung, pick)| Step::Rollback { agent, rung, pick }),
        2 => (thing(), anywhere()).prop_map(|(thing, rung)| Step::Delete { thing, rung }),
        2 => (agent(), anywhere(), prop::sample::select(vec!["hold", "lift"]), pick())
            .prop_map(|(agent, rung, action, pick)| Step::Hold { agent, rung, action, pick }),
        1 => (0_u8..3).prop_map(|content| Step::Trust { content }),
        1 => Just(Step::Rotate),
    ];
    let fault = prop::sample::select(vec![Fault::Kill, Fault::KillAfter, Fault::Half]);
    let place = prop_oneof![
        (1_usize..200).prop_map(Place::Call),
        prop::sample::select(LANDING.to_vec()).prop_map(|(call, text)| Place::First(call, text)),
    ];
    let kill = (place, fault, any::<bool>()).prop_map(|(place, fault, early)| Kill { place, fault, early });
    let kill = prop_oneof![3 => Just(None), 1 => kill.prop_map(Some)];
    prop::collection::vec((prop::sample::select(vec!["alice", "bob", "mallory"]), step, kill), 15)
}

/// Lives begin alike: everything is applied and climbs to production.
pub(super) fn beginning() -> Vec<Step> {
    let everything = AGENTS.into_iter().chain(SHARED).map(|thing| (thing, 0)).collect();
    let promote = |thing, from| Step::Promote { thing, from, way: Way::Approved, pick: None };
    let climb = AGENTS.into_iter().flat_map(|thing| [0, 1].map(|from| promote(thing, from)));
    std::iter::once(Step::Apply { rung: 0, set: everything }).chain(climb).collect()
}

fn live(mut runner: TestRunner, tally: &Mutex<Tally>) -> Result<(), String> {
    let result = runner.run(&steps(), |steps| {
        let mut life = Life::begin();
        for (person, step, kill) in &steps {
            life.kill = *kill;
            life.take(person, step);
            life.kill = None;
        }
        let mut tally = tally.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        tally.take(&life.end());
        tally.add("lives");
        Ok(())
    });
    result.map_err(|why| why.to_string())
}

#[test]
fn the_ledger_is_what_a_plain_model_says() {
    let more: Option<u32> = std::env::var("JOCH_LIVES").ok().and_then(|lives| lives.parse().ok());
    let config = |cases| ProptestConfig {
        cases,
        failure_persistence: None,
        max_shrink_iters: if more.is_some() { 0 } else { 20 },
        ..ProptestConfig::default()
    };
    let tally = Mutex::new(Tally::default());
    match more {
        // The same lives each time, unless more are asked for: a suite that fails by chance is read by nobody.
        None => {
            let runner = TestRunner::new_with_rng(config(LIVES), TestRng::deterministic_rng(RngAlgorithm::ChaCha));
            live(runner, &tally).unwrap_or_else(|why| panic!("{why}"));
        }
        Some(lives) => at_once(lives, config, &tally),
    }
    let tally = tally.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    if more.is_some() {
        writeln!(std::io::stdout(), "{tally}").expect("a stream");
    }
    let lives = more.unwrap_or(LIVES);
    assert_eq!(tally.of("lives"), lives as usize, "{tally}");
    for (what, each) in FLOORS {
        let killed = what.starts_with("killed") || what.starts_with("old or new");
        if lives < LIVES || (killed && Tracer::here().is_none()) {
            continue;
        }
        let (times, least) = (tally.of(what) as f64, each * f64::from(lives));
        assert!(times >= least, "`{what}` happened {times} times in {lives} lives, not {least}:\n{tally}");
    }
}

/// So many lives, two at once for each processor: while one waits for the disk, the other works.
fn at_once(lives: u32, config: impl Fn(u32) -> ProptestConfig + Copy + Send, tally: &Mutex<Tally>) {
    let at_once = u32::try_from(2 * std::thread::available_parallelism().map_or(1, usize::from)).unwrap_or(1);
    std::thread::scope(|scope| {
        let shares = (0..at_once).map(|at| (lives + at) / at_once);
        let threads: Vec<_> =
            shares.map(|cases| scope.spawn(move || live(TestRunner::new(config(cases)), tally))).collect();
        for thread in threads {
            thread.join().expect("no panic").unwrap_or_else(|why| panic!("{why}"));
        }
    });
}
