//! A model of the order between branches: people with older and newer views write to `trust`, `evidence` and `prod`, keys
//! come and go, and somebody who lost theirs dates back. Who can have known what is told by a second account, of which
//! event went before which; the audit knows only places on branches and `seen.json`.

use std::collections::BTreeMap;

use chrono::DateTime;

use super::commit::{CommitFact, Fault};
use super::finding::Rule;
use super::trust::{TrustHistory, TrustStep, check_seen};
use crate::trust::Trust;
use crate::trust::sample::{key, team, trust};

/// How many schedules are tried.
const SCHEDULES: u64 = 20_000;
/// What happens in each, at most.
const ACTS: u64 = 48;

const TRUST: usize = 0;
const BRANCHES: [&str; 3] = ["trust", "evidence", "prod"];
/// Two admins, who are always listed, and two whose keys come and go.
const PEOPLE: usize = 4;
const ADMINS: usize = 2;

/// Random numbers that a seed tells (splitmix64).
struct Dice(u64);

impl Dice {
    fn throw(&mut self, sides: u64) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((z ^ (z >> 31)) % sides).expect("a few sides")
    }
}

/// A commit: one bit among all events, and what went before it.
#[derive(Clone, Copy)]
struct Event {
    bit: u128,
    /// Everything that its author had, and itself.
    past: u128,
    author: usize,
    /// Which of the two were listed, after a change of trust.
    listed: usize,
    /// How many states of trust its author had.
    knew: usize,
    /// How many there were.
    stood: usize,
    forged: bool,
}

/// What is on the branches, and what each person has of it.
struct Model {
    branches: [Vec<Event>; 3],
    has: [u128; PEOPLE],
    events: u32,
    steps: Vec<TrustStep>,
    states: Vec<Trust>,
}

impl Model {
    /// All branches with their first commit, which everybody has.
    fn new(states: &[Trust]) -> Self {
        let mut model = Self {
            branches: Default::default(),
            has: [0; PEOPLE],
            events: 0,
            steps: Vec::new(),
            states: states.to_vec(),
        };
        for branch in [1, 2, TRUST] {
            model.add(branch, 0, 0b11, false);
        }
        model.has = [model.has[0]; PEOPLE];
        model
    }

    /// How many commits of a branch somebody has, who always has them from the first on.
    fn count(&self, who: usize, branch: usize) -> usize {
        self.branches[branch].iter().take_while(|event| self.has[who] & event.bit != 0).count()
    }

    fn add(&mut self, branch: usize, author: usize, listed: usize, forged: bool) {
        let bit = 1 << self.events;
        self.events += 1;
        let (knew, stood) = (self.count(author, TRUST), self.branches[TRUST].len());
        if branch == TRUST {
            self.change(author, listed);
        }
        self.has[author] |= bit;
        self.branches[branch].push(Event { bit, past: self.has[author], author, listed, knew, stood, forged });
    }

    /// A change of trust, with the `seen.json` that its author writes, read as an audit reads it.
    fn change(&mut self, author: usize, listed: usize) {
        let tip = |branch: usize| {
            let last = self.count(author, branch).checked_sub(1)?;
            Some((BRANCHES[branch].to_owned(), self.branches[branch][last].bit.to_string()))
        };
        let tips: BTreeMap<_, _> = [1, 2].into_iter().filter_map(tip).collect();
        let before = self.steps.last().map(|step| step.seen.clone()).unwrap_or_default();
        let place = |branch: &str, tip: &str| {
            let branch = BRANCHES.iter().position(|name| *name == branch)?;
            self.branches[branch].iter().position(|event| event.bit.to_string() == tip)
        };
        let (seen, findings) = check_seen(&fact(), &tips, &before, place);
        assert_eq!(findings, [], "an honest admin");
        self.steps.push(TrustStep { trust: self.states[listed].clone(), seen });
    }

    fn is_current(&self, who: usize, branch: usize) -> bool {
        self.count(who, branch) == self.branches[branch].len()
    }

    /// Whether the trust that somebody has lists them.
    fn may(&self, who: usize) -> bool {
        let known = self.branches[TRUST][self.count(who, TRUST) - 1].listed;
        who < ADMINS || known & 1 << (who - ADMINS) != 0
    }

    fn act(&mut self, dice: &mut Dice) {
        let who = dice.throw(PEOPLE as u64);
        let branch = 1 + dice.throw(2);
        match dice.throw(8) {
            // Everything that is there, or one branch with what went before its tip.
            0 => {
                self.has[who] |=
                    self.branches.iter().filter_map(|events| events.last()).fold(0, |all, tip| all | tip.past)
            }
            1 | 2 => {
                let branch = dice.throw(3);
                self.has[who] |= self.branches[branch].last().map_or(0, |tip| tip.past);
            }
            3 if who < ADMINS && self.is_current(who, TRUST) => {
                let listed = self.branches[TRUST].last().map_or(0, |tip| tip.listed) ^ (1 + dice.throw(3));
                self.add(TRUST, who, listed, false);
            }
            // Whoever lost their key writes on top of what is there, as if they had heard of nothing since.
            4 if who >= ADMINS
                && self.branches[TRUST].last().is_some_and(|tip| tip.listed & 1 << (who - ADMINS) == 0) =>
            {
                let knows = self.has[who];
                self.has[who] |= self.branches[branch].last().map_or(0, |tip| tip.past);
                self.add(branch, who, 0, true);
                self.has[who] = knows;
            }
            _ if self.is_current(who, branch) && self.may(who) => self.add(branch, who, 0, false),
            _ => {}
        }
    }

    /// Compares what the audit says of every commit with what went before what.
    fn check(self, seed: u64) -> Counts {
        let history = TrustHistory(self.steps);
        let mut counts = Counts::default();
        for branch in [1, 2] {
            for (place, event) in self.branches[branch].iter().enumerate().skip(1) {
                let could = self.branches[TRUST].iter().rposition(|step| step.past & event.bit == 0);
                let could = could.expect("the root went before everything");
                let judge = history.newest_unseeing(BRANCHES[branch], place).expect("the root saw only the first");
                let (told, expected) = (judge, &self.states[self.branches[TRUST][could].listed]);
                assert_eq!(told.people(), expected.people(), "seed {seed}: {} {place}", BRANCHES[branch]);
                assert!(could + 1 >= event.knew, "seed {seed}: judged by less than its author knew");
                let listed = |trust: &Trust| trust.principal(&key(u8::try_from(event.author).expect("few"))).is_some();
                let since = self.branches[TRUST].iter().position(|step| step.past & event.bit != 0);
                if event.forged {
                    // Only an admin who gives the key back, and has not seen what it signed meanwhile, lets that count.
                    let back = could >= event.stood;
                    assert!(back || !listed(judge), "seed {seed}: a key that was taken away still counts at {place}");
                    counts.forged += usize::from(!back);
                } else if could + 1 == event.knew {
                    assert!(listed(judge), "seed {seed}: whoever knew all there was is taken for a forger");
                    counts.honest += 1;
                    counts.outlived += usize::from(
                        since.is_some_and(|since| !listed(&self.states[self.branches[TRUST][since].listed])),
                    );
                } else {
                    counts.stale += usize::from(!listed(judge));
                }
            }
        }
        counts
    }
}

/// How often what is asked for came about: a model in which nothing happens shows nothing.
#[derive(Debug, Default)]
struct Counts {
    forged: usize,
    honest: usize,
    /// Honest, and its key was taken away by somebody who had seen it.
    outlived: usize,
    /// Made by somebody who had not heard that their key was gone.
    stale: usize,
}

fn fact() -> CommitFact {
    CommitFact {
        object: "0".into(),
        of: "trust".into(),
        parents: 1,
        parent: None,
        time: DateTime::UNIX_EPOCH,
        authored: DateTime::UNIX_EPOCH,
        people: Vec::new(),
        other_headers: Vec::new(),
        message: String::new(),
        signature: Err(Fault { rule: Rule::Unsigned, why: String::new() }),
    }
}

#[test]
fn who_can_have_known_which_trust_is_told_from_places_alone() {
    let members = ["a admin 0", "b admin 1", "c operator 2", "d operator 3"];
    let listed = |set: usize| {
        let keep = |at: &usize| *at < ADMINS || set & 1 << (at - ADMINS) != 0;
        let kept: Vec<_> = (0..PEOPLE).filter(keep).map(|at| members[at]).collect();
        trust([team("t", &kept)])
    };
    let states: Vec<_> = (0..4).map(listed).collect();
    let mut all = Counts::default();
    for seed in 0..SCHEDULES {
        let mut dice = Dice(seed);
        let mut model = Model::new(&states);
        for _ in 0..=dice.throw(ACTS) {
            model.act(&mut dice);
        }
        let counts = model.check(seed);
        all.forged += counts.forged;
        all.honest += counts.honest;
        all.outlived += counts.outlived;
        all.stale += counts.stale;
    }
    let least = usize::try_from(SCHEDULES / 20).expect("few");
    assert!([all.forged, all.honest, all.outlived, all.stale].into_iter().all(|count| count > least), "{all:?}");
}
