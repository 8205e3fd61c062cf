//! What people do, and what the model says must come of it.

use joch::ledger::generate_key;

use super::model::{AGENTS, Comes, Contents, GATED, RUNGS, Rung, SHARED, Thing};
use super::world::{End, Life};

/// How a promotion into the gated rung gets past its gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// Carol approves first.
    Approved,
    /// Carol rejects first, and approves after all.
    Rejected,
    /// Bob overrides the gate, and Alice reviews that.
    Overridden,
}

#[derive(Debug, Clone)]
pub(super) enum Step {
    Apply {
        rung: usize,
        set: Contents,
    },
    /// What is drawn, or, with `pick`, one of all that would change something.
    Promote {
        thing: Thing,
        from: usize,
        way: Way,
        pick: Option<proptest::sample::Index>,
    },
    /// Somebody holds what an agent runs in a rung, or lets it go.
    Hold {
        agent: Thing,
        rung: usize,
        action: &'static str,
        pick: proptest::sample::Index,
    },
    /// An admin changes a Team that decides nothing.
    Trust {
        content: u8,
    },
    /// Bob's key is taken away and another one given to him.
    Rotate,
    Rollback {
        agent: Thing,
        rung: usize,
        pick: proptest::sample::Index,
    },
    Delete {
        thing: Thing,
        rung: usize,
    },
}

impl Step {
    fn word(&self) -> &'static str {
        match self {
            Self::Apply { .. } => "apply",
            Self::Promote { .. } => "promote",
            Self::Hold { action, .. } => action,
            Self::Trust { .. } => "trust",
            Self::Rotate => "rotate",
            Self::Rollback { .. } => "rollback",
            Self::Delete { .. } => "delete",
        }
    }
}

impl Life {
    /// Does a step, and holds what came of it against the model.
    pub(super) fn take(&mut self, person: &str, step: &Step) {
        self.tally.add(format!("step {}", step.word()));
        let (rung, comes, end) = match step {
            Step::Apply { rung, set } => {
                let project = self.world.project();
                let texts: Vec<_> = set.iter().map(|(thing, content)| thing.yaml(*content)).collect();
                std::fs::write(project.join("set.yaml"), texts.join("---\n")).expect("own file");
                let end = self.change(person, &format!("joch apply -f set.yaml --env {}", RUNGS[*rung]));
                (*rung, self.model.rungs[*rung].apply(set), end)
            }
            Step::Promote { thing, from, way, pick } => {
                let worth = pick.and_then(|pick| self.worth_promoting(pick));
                let (thing, from) = &worth.unwrap_or((*thing, *from));
                let (source, target) = (&self.model.rungs[*from], &self.model.rungs[from + 1]);
                let comes = target.promote(*thing, source);
                let words = format!("{} --from {} --to {}", thing.word(), RUNGS[*from], RUNGS[from + 1]);
                let end = if from + 1 == GATED {
                    self.past_the_gate(person, &words, *way, matches!(comes, Comes::Change(_)))
                } else {
                    self.change(person, &format!("joch promote {words}"))
                };
                if matches!(comes, Comes::Change(_)) {
                    self.tally.add("a promotion that changes something");
                }
                let back = matches!(comes, Comes::Change(_)) && self.model.goes_back(*thing, *from);
                let expected = if back { 2 } else { 0 };
                return self.settle(step, from + 1, comes, end, expected);
            }
            Step::Rollback { agent, rung, pick } => {
                let here = &self.model.rungs[*rung];
                let Some(served) = here.served.get(agent).filter(|served| !served.is_empty()) else { return };
                let current = here.runs.get(agent).map(|runs| self.model.version(*agent, runs));
                let others: Vec<_> = served.iter().copied().filter(|version| Some(*version) != current).collect();
                // Where it has served nothing else, it is asked for what runs.
                let version = others.get(pick.index(others.len().max(1))).or(served.first()).copied().expect("one");
                let mut after = here.clone();
                after.runs.insert(*agent, self.model.agents[agent][version - 1].clone());
                if let Some(left) = here.runs.get(agent) {
                    after.held.insert((*agent, self.model.version(*agent, left)));
                }
                let comes = here.becomes(after);
                let line = format!("joch rollback {} --to-version {version} --env {}", agent.spaced(), RUNGS[*rung]);
                let end = self.change(person, &line);
                let stopped = matches!(end, End::Code(code) if code != 0);
                assert!(!stopped, "no gate holds a rollback up\n{}", self.told);
                (*rung, comes, end)
            }
            Step::Delete { thing, rung } => {
                let line = format!("joch delete {} --env {}", thing.spaced(), RUNGS[*rung]);
                let end = self.change(person, &line);
                (*rung, self.model.rungs[*rung].delete(*thing), end)
            }
            Step::Hold { agent, rung, action, pick } => {
                let known = self.model.agents.get(agent).map_or(0, Vec::len);
                if known == 0 {
                    return;
                }
                let version = pick.index(known) + 1;
                let words = format!("--version {version} --env {} --reason why", RUNGS[*rung]);
                self.surely(person, &format!("joch {action} {} {words}", agent.spaced()));
                let held = &mut self.model.rungs[*rung].held;
                if *action == "hold" {
                    held.insert((*agent, version))
                } else {
                    held.remove(&(*agent, version))
                };
                return self.agree();
            }
            Step::Trust { content } => {
                let head = "apiVersion: joch.dev/v1alpha1\nkind: Team\nmetadata: {name: more}";
                let team = format!("{head}\nspec: {{description: '{content}', members: []}}\n");
                std::fs::write(self.world.project().join("team.yaml"), team).expect("own file");
                self.surely("alice", "joch apply -f team.yaml");
                return self.agree();
            }
            Step::Rotate => return self.rotate(),
        };
        let gated = matches!(step, Step::Apply { .. } | Step::Delete { .. }) && rung == GATED;
        self.settle(step, rung, comes, end, if gated { 3 } else { 0 });
    }

    /// What could be promoted, and from where, so that it changes something and no gate is asked in vain.
    fn worth_promoting(&self, pick: proptest::sample::Index) -> Option<(Thing, usize)> {
        let moves = AGENTS.into_iter().flat_map(|agent| [(agent, 1), (agent, 0)]);
        let moves = moves.chain(SHARED.into_iter().map(|thing| (thing, 0)));
        let would = |(thing, from): &(Thing, usize)| {
            let (source, target) = (&self.model.rungs[*from], &self.model.rungs[from + 1]);
            let comes = target.promote(*thing, source);
            matches!(comes, Comes::Change(after) if !self.model.is_held(from + 1, &after))
                && !self.model.goes_back(*thing, *from)
        };
        let moves: Vec<_> = moves.filter(would).collect();
        // Production first: whatever waits there has come a long way.
        let last: Vec<_> = moves.iter().copied().filter(|(_, from)| from + 1 == GATED).collect();
        let moves = if last.is_empty() { moves } else { last };
        (!moves.is_empty()).then(|| moves[pick.index(moves.len())])
    }

    /// Holds the end of a command against what the model says, and lets the model follow.
    /// `expected` is the exit code of what nothing else stops.
    fn settle(&mut self, step: &Step, rung: usize, comes: Comes, end: End, expected: i32) {
        let held =
            |life: &Self, after: &Rung| life.model.is_held(rung, after) && !matches!(step, Step::Rollback { .. });
        match (comes, end) {
            (Comes::Refusal, end) => assert_ne!(end, End::Code(0), "{step:?}\n{}", self.told),
            // Deleting what never was is refused, deleting what is gone is not; neither changes anything.
            (Comes::Nothing, end) => {
                let refused = matches!(end, End::Code(code) if code != 0) && !matches!(step, Step::Delete { .. });
                assert!(!refused, "{step:?}\n{}", self.told);
            }
            (Comes::Change(after), End::Code(code)) => {
                let denied = expected == 3 && self.said_no && code == 2;
                let expected = if denied || held(self, &after) { 2 } else { expected };
                assert_eq!(code, expected, "{step:?} in {}\n{}", RUNGS[rung], self.told);
                if code == 0 {
                    self.model.land(rung, after);
                }
            }
            (Comes::Change(after), end) => {
                // It is there or it is not, whoever looks and before anybody settles it; `agree` sees whether that is so.
                let landed = self.has_release(rung, self.model.rungs[rung].releases + 1);
                let expected = expected == 0 && !held(self, &after);
                assert!(expected || !landed, "what is stopped does not land by being killed: {step:?}\n{}", self.told);
                if end == End::Unknown {
                    // A no of Carol's is not overridden.
                    let denied = self.said_no && !landed;
                    assert!(denied || landed == expected, "it was left alone: {step:?}\n{}", self.told);
                } else {
                    self.tally.add(format!("old or new: {}", if landed { "new" } else { "old" }));
                }
                if landed {
                    self.model.land(rung, after);
                }
            }
        }
        self.agree();
    }

    /// Runs a line that says the same if it is said twice: again, where it was killed.
    fn surely(&mut self, person: &str, line: &str) {
        match self.change(person, line) {
            End::Code(code) => assert_eq!(code, 0, "{}", self.told),
            End::Killed | End::Unknown => self.must(person, line),
        }
    }

    /// Carol says something, again if she was killed when it was her word that was to be.
    fn says(&mut self, line: &str) -> i32 {
        if self.kill.is_some_and(|kill| kill.early) && self.change("ci", line) == End::Killed {
            self.tally.add("a word was killed");
        }
        self.run("ci", line)
    }

    /// Promotes into the gated rung; `changes`: whether there is anything to decide.
    fn past_the_gate(&mut self, person: &str, words: &str, way: Way, changes: bool) -> End {
        let promote = format!("joch promote {words}");
        if changes {
            self.tally.add(format!("past the gate: {way:?}"));
        }
        match way {
            Way::Approved => {
                self.says(&format!("joch approve {words}"));
                self.change(person, &promote)
            }
            Way::Rejected => {
                let said = self.says(&format!("joch reject {words}"));
                self.said_no = true;
                if changes && said == 0 {
                    assert_eq!(self.run(person, &promote), 2, "a no stands\n{}", self.told);
                    self.agree();
                }
                self.run("ci", &format!("joch approve {words}"));
                self.change(person, &promote)
            }
            Way::Overridden => {
                let end = self.change("bob", &format!("{promote} --override approval:rm --reason why --ticket T-1"));
                let last = self.model.rungs[GATED].releases + 1;
                if changes && self.has_release(GATED, last) {
                    // Nothing was overridden where Carol had approved the same before.
                    self.run("alice", &format!("joch approvals review prod/{last} --decision accept --rationale why"));
                }
                end
            }
        }
    }

    /// Takes Bob's key away and gives him another one; with the old one nothing is written any more.
    fn rotate(&mut self) {
        let (old, count) = self.bob.clone();
        let new = self.world.home("bob").join(format!(".ssh/key{count}"));
        generate_key(&new, "bob").expect("a key");
        self.bob = (new.clone(), count + 1);
        std::fs::write(self.world.project().join("ops.yaml"), self.ops()).expect("own file");
        self.surely("alice", "joch apply -f ops.yaml");
        self.bob.0 = old;
        assert_eq!(self.run("bob", "joch apply -f ops.yaml"), 4, "{}", self.told);
        self.bob.0 = new;
        self.agree();
    }
}
