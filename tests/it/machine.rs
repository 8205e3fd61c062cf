//! Random honest lives of a ledger, beside a plain model of it: after every command the two agree on what each
//! environment runs and holds, and on every number; at the end the ledger proves itself. Some commands are killed on
//! their way: then the ledger is as the model was before that command, or as it is after it.
//!
//! Two agents, two tools, two policies. What an agent names is told by its content: `a` names tool `t` and policy
//! `p`, and an odd content tool `u` too; `b` names `u`, and an odd content `t` too. Policy `q` selects `a`. Alice,
//! Bob and Dave work, Bob under one key after another, and Carol, who holds the key of `ci`, approves and rejects.
//! `JOCH_LIVES=200` leads as many other lives, two at once for each processor.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use joch::ledger::{Environment, Reader, Repository, generate_key};
use joch::resource::{Digest, Kind, Resource, ResourceId, Value};
use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};

use crate::support::world::{World, fixtures};

const RUNGS: [&str; 3] = ["dev", "staging", "prod"];
/// The only rung that demands anything.
const GATED: usize = 2;

/// One of the six resources.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Thing {
    A,
    B,
    T,
    U,
    P,
    Q,
}

use Thing::{A, B, P, Q, T, U};

const AGENTS: [Thing; 2] = [A, B];
const SHARED: [Thing; 4] = [T, U, P, Q];

/// Contents of things, each a small number.
type Contents = BTreeMap<Thing, u8>;

/// An agent as it runs: its own content, and its members'.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Runs {
    own: u8,
    members: Contents,
}

/// How a promotion into the gated rung gets past its gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// Carol approves first.
    Approved,
    /// Carol rejects first, and approves after all.
    Rejected,
    /// Bob overrides the gate, and Alice reviews that.
    Overridden,
}

#[derive(Debug, Clone)]
enum Step {
    Apply {
        rung: usize,
        set: Contents,
    },
    Promote {
        thing: Thing,
        from: usize,
        way: Way,
    },
    /// Somebody holds what an agent runs in a rung, or lets it go.
    Hold {
        agent: Thing,
        rung: usize,
        action: &'static str,
        pick: prop::sample::Index,
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
        pick: prop::sample::Index,
    },
    Delete {
        thing: Thing,
        rung: usize,
    },
}

impl Thing {
    fn id(self) -> ResourceId {
        let (kind, name) = match self {
            A => (Kind::Agent, "a"),
            B => (Kind::Agent, "b"),
            T => (Kind::Tool, "t"),
            U => (Kind::Tool, "u"),
            P => (Kind::Policy, "p"),
            Q => (Kind::Policy, "q"),
        };
        ResourceId::new(kind, "default", name)
    }

    /// What an agent of this content names.
    fn names(self, own: u8) -> Vec<Self> {
        match (self, own % 2) {
            (A, 0) => vec![T, P],
            (A, _) => vec![T, U, P],
            (B, 0) => vec![U],
            (B, _) => vec![U, T],
            _ => vec![],
        }
    }

    fn yaml(self, content: u8) -> String {
        let id = self.id();
        let mut text = format!(
            "apiVersion: joch.dev/v1alpha1\nkind: {}\nmetadata: {{name: {}{}}}\nspec:\n  description: '{content}'\n",
            id.kind.name(),
            id.name,
            if self == A { ", labels: {tier: gold}" } else { "" }
        );
        let listed = |kind: Kind| {
            let named = self.names(content).into_iter().map(Self::id).filter(|id| id.kind == kind);
            named.map(|id| id.name).collect::<Vec<_>>().join(", ")
        };
        if self.id().kind == Kind::Agent {
            write!(text, "  tools: [{}]\n  policies: [{}]\n", listed(Kind::Tool), listed(Kind::Policy)).expect("text");
        }
        if self == Q {
            text += "  appliesTo: {agents: {selector: {matchLabels: {tier: gold}}}}\n";
        }
        text
    }

    fn of(id: &ResourceId) -> Self {
        AGENTS.into_iter().chain(SHARED).find(|thing| thing.id() == *id).expect("one of the six")
    }
}

/// What an environment should be.
#[derive(Debug, Clone, Default)]
struct Rung {
    catalog: Contents,
    runs: BTreeMap<Thing, Runs>,
    served: BTreeMap<Thing, BTreeSet<usize>>,
    /// Versions that nothing but a rollback brings in.
    held: BTreeSet<(Thing, usize)>,
    releases: u64,
}

/// What the ledger should be: its environments, and every content in the order of its number.
#[derive(Default)]
struct Model {
    rungs: [Rung; 3],
    shared: BTreeMap<Thing, Vec<u8>>,
    agents: BTreeMap<Thing, Vec<Runs>>,
    digests: BTreeMap<(Thing, Runs), Digest>,
}

/// What a command is to do: an environment as it will be, if it changes at all.
enum Comes {
    Nothing,
    Refusal,
    Change(Rung),
}

impl Rung {
    fn apply(&self, set: &Contents) -> Comes {
        let mut after = self.clone();
        let changed: Contents = set
            .iter()
            .filter(|(thing, content)| SHARED.contains(thing) && self.catalog.get(thing) != Some(content))
            .map(|(thing, content)| (*thing, *content))
            .collect();
        for agent in AGENTS {
            let Some(own) = set.get(&agent) else { continue };
            let held = self.runs.get(&agent);
            let nearest = |thing: &Thing| {
                let held = held.and_then(|held| held.members.get(thing));
                set.get(thing).or(held).or(self.catalog.get(thing)).copied()
            };
            let mut members = Contents::new();
            for thing in agent.names(*own) {
                let Some(content) = nearest(&thing) else { return Comes::Refusal };
                members.insert(thing, content);
            }
            members.extend(nearest(&Q).filter(|_| agent == A).map(|content| (Q, content)));
            after.runs.insert(agent, Runs { own: *own, members });
        }
        after.ripple(&changed, |agent| !set.contains_key(&agent));
        after.catalog.extend(changed);
        self.becomes(after)
    }

    /// Exchanges what changed in the agents that hold it or are selected by it.
    fn ripple(&mut self, changed: &Contents, reaches: impl Fn(Thing) -> bool) {
        for (agent, runs) in self.runs.iter_mut().filter(|(agent, _)| reaches(**agent)) {
            let here =
                changed.iter().filter(|(thing, _)| runs.members.contains_key(thing) || (**thing, *agent) == (Q, A));
            let here: Contents = here.map(|(thing, content)| (*thing, *content)).collect();
            runs.members.extend(here);
        }
    }

    fn promote(&self, thing: Thing, source: &Self) -> Comes {
        let mut after = self.clone();
        if AGENTS.contains(&thing) {
            let Some(candidate) = source.runs.get(&thing) else { return Comes::Refusal };
            if self.runs.get(&thing) == Some(candidate) {
                return Comes::Nothing;
            }
            for (member, content) in &candidate.members {
                after.catalog.entry(*member).or_insert(*content);
            }
            after.runs.insert(thing, candidate.clone());
        } else {
            let Some(content) = source.catalog.get(&thing) else { return Comes::Refusal };
            let changed = Contents::from([(thing, *content)]);
            if self.catalog.get(&thing) != Some(content) {
                after.ripple(&changed, |_| true);
            }
            after.catalog.extend(changed);
        }
        self.becomes(after)
    }

    fn delete(&self, thing: Thing) -> Comes {
        let mut after = self.clone();
        after.runs.remove(&thing);
        if after.catalog.remove(&thing).is_some() {
            let holds = self.runs.values().any(|runs| runs.members.contains_key(&thing));
            if holds && thing != Q {
                return Comes::Refusal;
            }
            after.runs.values_mut().for_each(|runs| runs.members.retain(|member, _| *member != thing));
        }
        self.becomes(after)
    }

    fn becomes(&self, after: Self) -> Comes {
        if after.catalog == self.catalog && after.runs == self.runs { Comes::Nothing } else { Comes::Change(after) }
    }
}

impl Model {
    /// The version that this running has: its place among all that ever ran.
    fn version(&self, agent: Thing, runs: &Runs) -> usize {
        let known = self.agents.get(&agent).and_then(|known| known.iter().position(|one| one == runs));
        known.expect("what runs was released") + 1
    }

    /// Whether a promotion would take something back: in an environment that demands nothing, a policy.
    fn goes_back(&self, thing: Thing, from: usize) -> bool {
        let (source, target) = (&self.rungs[from], &self.rungs[from + 1]);
        let older = |thing: &Thing, content: &u8, than: Option<&u8>| {
            let number = |content: &u8| self.shared[thing].iter().position(|known| known == content);
            than.is_some_and(|than| number(content) < number(than))
        };
        let Some(candidate) = source.runs.get(&thing) else {
            return older(&thing, &source.catalog[&thing], target.catalog.get(&thing));
        };
        let held = target.runs.get(&thing).map(|runs| runs.members.clone()).unwrap_or_default();
        let guarded = candidate.members.iter().filter(|(member, _)| from + 1 == GATED || [P, Q].contains(member));
        let mut guarded = guarded.map(|(member, content)| {
            older(member, content, held.get(member)) || older(member, content, target.catalog.get(member))
        });
        let unselected = thing == A && target.catalog.contains_key(&Q) && !candidate.members.contains_key(&Q);
        unselected || guarded.any(|older| older)
    }

    /// Whether a change brings in a version that is on hold there.
    fn is_held(&self, rung: usize, after: &Rung) -> bool {
        let before = &self.rungs[rung];
        let mut brought = after.runs.iter().filter(|(agent, runs)| before.runs.get(agent) != Some(runs));
        brought.any(|(agent, runs)| {
            let known = self.agents.get(agent).and_then(|known| known.iter().position(|one| one == runs));
            known.is_some_and(|at| before.held.contains(&(*agent, at + 1)))
        })
    }

    fn land(&mut self, rung: usize, mut after: Rung) {
        for (thing, content) in &after.catalog {
            let known = self.shared.entry(*thing).or_default();
            if !known.contains(content) {
                known.push(*content);
            }
        }
        for (agent, runs) in &after.runs {
            let known = self.agents.entry(*agent).or_default();
            if !known.contains(runs) {
                known.push(runs.clone());
            }
            let version = known.iter().position(|one| one == runs).expect("just there") + 1;
            after.served.entry(*agent).or_default().insert(version);
        }
        after.releases += 1;
        self.rungs[rung] = after;
    }
}

/// A ledger at work, and the model of it.
struct Life {
    world: World,
    model: Model,
    tips: [Vec<String>; 3],
    told: String,
    /// Bob's key, and how many he had before.
    bob: (PathBuf, usize),
    /// When the command that changes the ledger next is killed.
    kill: Option<Duration>,
}

/// What a command printed.
#[derive(Clone, Default)]
struct Printed(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Printed {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("no panic").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Life {
    fn begin() -> Self {
        let world = World::new("machine");
        let bob = (world.home("bob").join(".ssh/id_ed25519"), 0);
        let (model, tips, told) = (Model::default(), Default::default(), String::new());
        let mut life = Self { world, model, tips, told, bob, kill: None };
        life.must("alice", "joch init --operator alice@example.com --ladder dev,staging,prod");
        let head = "apiVersion: joch.dev/v1alpha1\nkind:";
        let carol = public(&fixtures().join("identities/ci/id_ed25519"));
        let rm = format!(
            "{head} Team\nmetadata: {{name: rm}}\nspec: {{members: [{{user: carol, role: approver, keys: ['{carol}']}}]}}\n"
        );
        let spec = "{gates: ['approval:rm'], override: [alice@example.com, bob]}";
        let prod = format!("{head} Environment\nmetadata: {{name: prod}}\nspec: {spec}\n");
        std::fs::write(life.world.project().join("trust.yaml"), [rm, prod, life.ops()].join("---\n"))
            .expect("own file");
        life.must("alice", "joch apply -f trust.yaml");
        life
    }

    /// Those who work beside Alice, with the keys that they have now.
    fn ops(&self) -> String {
        let dave = public(&fixtures().join("identities/mallory/id_ed25519"));
        let member = |who: &str, key: String| {
            format!("{{user: {who}, role: operator, environments: [dev, staging, prod], keys: ['{key}']}}")
        };
        let members = [member("bob", public(&self.bob.0)), member("dave", dave)].join(", ");
        format!("apiVersion: joch.dev/v1alpha1\nkind: Team\nmetadata: {{name: ops}}\nspec: {{members: [{members}]}}\n")
    }

    /// The environment of somebody's commands.
    fn variables(&self, person: &str) -> BTreeMap<String, OsString> {
        let command = self.world.command(person, "joch");
        let set = command.get_envs().filter_map(|(name, value)| Some((name.to_str()?.to_owned(), value?.to_owned())));
        let mut variables: BTreeMap<String, OsString> = set.collect();
        if person == "bob" {
            variables.insert("JOCH_SIGNING_KEY".into(), self.bob.0.clone().into());
        }
        variables
    }

    /// Runs a line in this process, and gives its exit code; what it said is kept for whoever looks at a failure.
    fn run(&mut self, person: &str, line: &str) -> i32 {
        let printed = Printed::default();
        let mut world = joch::cli::World {
            arguments: line.split(' ').map(OsString::from).collect(),
            directory: self.world.project(),
            variables: self.variables(person),
            stdin: Box::new(std::io::empty()),
            stdout: Box::new(printed.clone()),
            stderr: Box::new(printed.clone()),
            terminal: None,
            now: chrono::Utc::now,
            program: PathBuf::from("joch"),
        };
        let code = i32::from(joch::cli::run(&mut world));
        self.tell(person, line, &format!("{code}"), &printed.0.lock().expect("no panic"));
        code
    }

    /// Runs a line as `run` does, or in a process of its own that is killed in its time. `None`: it was killed.
    fn change(&mut self, person: &str, line: &str) -> Option<i32> {
        let Some(delay) = self.kill.take() else { return Some(self.run(person, line)) };
        let mut command = self.world.command(person, "joch");
        command.args(line.split(' ').skip(1)).env_clear().envs(self.variables(person));
        let mut child = command.stdout(std::process::Stdio::piped()).spawn().expect("joch runs");
        std::thread::sleep(delay);
        // It may have ended by itself.
        child.kill().ok();
        let output = child.wait_with_output().expect("it ended");
        let code = output.status.code();
        self.tell(person, line, &format!("{code:?} within {delay:?}"), &output.stdout);
        code
    }

    fn tell(&mut self, person: &str, line: &str, code: &str, printed: &[u8]) {
        let printed = String::from_utf8_lossy(printed);
        writeln!(self.told, "{person}: {line} -> {code}\n{printed}").expect("text");
    }

    fn must(&mut self, person: &str, line: &str) {
        let code = self.run(person, line);
        assert_eq!(code, 0, "{}", self.told);
    }

    fn take(&mut self, person: &str, step: &Step) {
        let (rung, comes, code) = match step {
            Step::Apply { rung, set } => {
                let project = self.world.project();
                let texts: Vec<_> = set.iter().map(|(thing, content)| thing.yaml(*content)).collect();
                std::fs::write(project.join("set.yaml"), texts.join("---\n")).expect("own file");
                let code = self.change(person, &format!("joch apply -f set.yaml --env {}", RUNGS[*rung]));
                (*rung, self.model.rungs[*rung].apply(set), code)
            }
            Step::Promote { thing, from, way } => {
                let (source, target) = (&self.model.rungs[*from], &self.model.rungs[from + 1]);
                let comes = target.promote(*thing, source);
                let words = format!("{} --from {} --to {}", word(*thing), RUNGS[*from], RUNGS[from + 1]);
                let code = if from + 1 == GATED {
                    self.past_the_gate(person, &words, *way, matches!(comes, Comes::Change(_)))
                } else {
                    self.change(person, &format!("joch promote {words}"))
                };
                (from + 1, comes, code)
            }
            Step::Rollback { agent, rung, pick } => {
                let here = &self.model.rungs[*rung];
                let Some(served) = here.served.get(agent).filter(|served| !served.is_empty()) else { return };
                let version = *served.iter().nth(pick.index(served.len())).expect("within");
                let mut after = here.clone();
                after.runs.insert(*agent, self.model.agents[agent][version - 1].clone());
                if let Some(left) = here.runs.get(agent) {
                    after.held.insert((*agent, self.model.version(*agent, left)));
                }
                let comes = here.becomes(after);
                let line = format!("joch rollback {} --to-version {version} --env {}", spaced(*agent), RUNGS[*rung]);
                let code = self.change(person, &line);
                assert!(code.is_none_or(|code| code == 0), "no gate holds a rollback up\n{}", self.told);
                (*rung, comes, code)
            }
            Step::Delete { thing, rung } => {
                let line = format!("joch delete {} --env {}", spaced(*thing), RUNGS[*rung]);
                let code = self.change(person, &line);
                (*rung, self.model.rungs[*rung].delete(*thing), code)
            }
            Step::Hold { agent, rung, action, pick } => {
                let known = self.model.agents.get(agent).map_or(0, Vec::len);
                if known == 0 {
                    return;
                }
                let version = pick.index(known) + 1;
                let line =
                    format!("joch {action} {} --version {version} --env {} --reason why", spaced(*agent), RUNGS[*rung]);
                self.must(person, &line);
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
                self.must("alice", "joch apply -f team.yaml");
                return self.agree();
            }
            Step::Rotate => return self.rotate(),
        };
        match (comes, code) {
            (Comes::Refusal, code) => assert_ne!(code, Some(0), "{step:?}\n{}", self.told),
            // Deleting what never was is refused, deleting what is gone is not; neither changes anything.
            (Comes::Nothing, code) => {
                let refused = code.is_some_and(|code| code != 0) && !matches!(step, Step::Delete { .. });
                assert!(!refused, "{step:?}\n{}", self.told);
            }
            (Comes::Change(after), Some(code)) => {
                let stopped = self.model.is_held(rung, &after) && !matches!(step, Step::Rollback { .. });
                let expected = match step {
                    _ if stopped => 2,
                    Step::Promote { thing, from, .. } if self.model.goes_back(*thing, *from) => 2,
                    Step::Apply { .. } | Step::Delete { .. } if rung == GATED => 3,
                    _ => 0,
                };
                assert_eq!(code, expected, "{step:?} in {}\n{}", RUNGS[rung], self.told);
                if code == 0 {
                    self.model.land(rung, after);
                }
            }
            (Comes::Change(after), None) => {
                // It is there or it is not, whoever looks and before anybody settles it; `agree` sees whether that is so.
                if self.has_release(rung, self.model.rungs[rung].releases + 1) {
                    self.model.land(rung, after);
                }
            }
        }
        self.agree();
    }

    /// Promotes into the gated rung; `changes`: whether there is anything to decide.
    fn past_the_gate(&mut self, person: &str, words: &str, way: Way, changes: bool) -> Option<i32> {
        let promote = format!("joch promote {words}");
        match way {
            Way::Approved => {
                self.run("ci", &format!("joch approve {words}"));
                self.change(person, &promote)
            }
            Way::Rejected => {
                let said = self.run("ci", &format!("joch reject {words}"));
                if changes && said == 0 {
                    assert_eq!(self.run(person, &promote), 2, "a no stands\n{}", self.told);
                    self.agree();
                }
                self.run("ci", &format!("joch approve {words}"));
                self.change(person, &promote)
            }
            Way::Overridden => {
                let code = self.change("bob", &format!("{promote} --override approval:rm --reason why --ticket T-1"));
                let last = self.model.rungs[GATED].releases + 1;
                if changes && self.has_release(GATED, last) {
                    // Nothing was overridden where Carol had approved the same before.
                    self.run("alice", &format!("joch approvals review prod/{last} --decision accept --rationale why"));
                }
                code
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
        self.must("alice", "joch apply -f ops.yaml");
        self.bob.0 = old;
        assert_eq!(self.run("bob", "joch apply -f ops.yaml"), 4, "{}", self.told);
        self.bob.0 = new;
        self.agree();
    }

    fn has_release(&self, rung: usize, number: u64) -> bool {
        let repository = Repository::open(self.world.project().join(".joch/ledger.git")).expect("a ledger");
        let snapshot = repository.snapshot().expect("its refs");
        snapshot.tag(&format!("release/{}/{number}", RUNGS[rung])).expect("readable").is_some()
    }

    /// Compares the ledger with the model.
    fn agree(&mut self) {
        let repository = Repository::open(self.world.project().join(".joch/ledger.git")).expect("a ledger");
        let reader = Reader::new(repository.snapshot().expect("its refs"));
        for (at, name) in RUNGS.iter().enumerate() {
            let environment = reader.environment(name).expect("a rung");
            let tip = environment.head().to_string();
            if self.tips[at].last() != Some(&tip) {
                self.tips[at].push(tip);
            }
            let rung = &self.model.rungs[at];
            assert_eq!(environment.next_release().expect("readable"), rung.releases + 1, "{name}\n{}", self.told);
            assert_eq!(catalog(&environment), rung.catalog, "the catalog of {name}\n{}", self.told);
            assert_eq!(environment.agents().expect("readable").len(), rung.runs.len(), "{name}\n{}", self.told);
            for (agent, runs) in &rung.runs {
                let closure = environment.closure(&agent.id()).expect("readable").expect("it runs");
                let members = closure.members().iter().map(|(id, member)| (Thing::of(id), content(member))).collect();
                let found = Runs { own: content(closure.agent()), members };
                assert_eq!(found, *runs, "{agent:?} in {name}\n{}", self.told);
                let record = environment.record(&agent.id()).expect("readable").expect("it was released");
                let version = self.model.version(*agent, runs);
                assert_eq!(record.to_version, Some(version as u64), "{agent:?} in {name}\n{}", self.told);
                assert_eq!(record.to_digest, Some(closure.digest()));
                let digest = *self.model.digests.entry((*agent, runs.clone())).or_insert(closure.digest());
                assert_eq!(digest, closure.digest(), "one content, one digest");
                let first = reader.version(&agent.id(), version as u64).expect("bound").expect("tagged");
                let then = reader.environment_at(name, first.commit).closure_tree(&agent.id()).expect("readable");
                assert_eq!(environment.closure_tree(&agent.id()).expect("readable"), then, "the tree of v{version}");
            }
        }
        let counts = self.model.shared.iter().map(|(thing, known)| (thing, known.len()));
        for (thing, count) in counts.chain(self.model.agents.iter().map(|(thing, known)| (thing, known.len()))) {
            let tags = reader.version_tags(&thing.id()).expect("readable");
            assert_eq!(tags.len(), count, "versions of {thing:?}\n{}", self.told);
        }
    }

    /// The history holds every tip that ever was, in order; and the ledger proves itself.
    fn end(mut self) {
        for (at, name) in RUNGS.iter().enumerate() {
            let line = format!("git -C .joch/ledger.git rev-list --first-parent --reverse heads/{name}");
            let history = self.world.sh("alice", &line).stdout;
            assert_eq!(history.lines().collect::<Vec<_>>(), self.tips[at], "{name} grows by one commit a release");
        }
        let fsck = self.world.sh("alice", "git -C .joch/ledger.git fsck --strict --no-dangling --no-progress");
        assert_eq!((fsck.code, fsck.stdout + &fsck.stderr), (0, String::new()));
        self.must("bob", "joch audit verify");
    }
}

/// The public half of a key.
fn public(key: &std::path::Path) -> String {
    std::fs::read_to_string(key.with_extension("pub")).expect("a public key").trim_end().to_owned()
}

/// `tool/t`, as `promote` takes it.
fn word(thing: Thing) -> String {
    let id = thing.id();
    format!("{}/{}", id.kind.singular(), id.name)
}

/// `tool t`, as `rollback` and `delete` take it.
fn spaced(thing: Thing) -> String {
    word(thing).replace('/', " ")
}

fn content(resource: &Resource) -> u8 {
    let text = resource.spec().get("description").and_then(Value::as_text).expect("a content");
    text.parse().expect("a number")
}

fn catalog(environment: &Environment<'_, '_>) -> Contents {
    let kinds = environment.catalog_kinds().expect("readable");
    let entries = kinds.iter().flat_map(|kind| environment.entries(kind).expect("readable"));
    entries.map(|entry| (Thing::of(entry.id()), content(&entry))).collect()
}

/// Who does what, and after how many milliseconds it is killed.
type Deed = (&'static str, Step, Option<u64>);

fn steps() -> impl Strategy<Value = Vec<Deed>> {
    let thing = || prop::sample::select(vec![A, B, T, U, P, Q]);
    let agent = || prop::sample::select(vec![A, B]);
    let lower = || prop_oneof![3 => Just(0_usize), 1 => Just(1)];
    let anywhere = || prop_oneof![4 => Just(0_usize), 3 => Just(1), 3 => Just(2)];
    let way = || prop_oneof![3 => Just(Way::Approved), 1 => Just(Way::Rejected), 1 => Just(Way::Overridden)];
    let pick = any::<prop::sample::Index>;
    let step = prop_oneof![
        8 => (anywhere(), prop::collection::btree_map(thing(), 0_u8..4, 1..4)).prop_map(|(rung, set)| Step::Apply { rung, set }),
        8 => (agent(), lower(), way()).prop_map(|(thing, from, way)| Step::Promote { thing, from, way }),
        2 => (thing(), Just(0), way()).prop_map(|(thing, from, way)| Step::Promote { thing, from, way }),
        4 => (agent(), anywhere(), pick()).prop_map(|(agent, rung, pick)| Step::Rollback { agent, rung, pick }),
        2 => (thing(), anywhere()).prop_map(|(thing, rung)| Step::Delete { thing, rung }),
        2 => (agent(), anywhere(), prop::sample::select(vec!["hold", "lift"]), pick())
            .prop_map(|(agent, rung, action, pick)| Step::Hold { agent, rung, action, pick }),
        1 => (0_u8..3).prop_map(|content| Step::Trust { content }),
        1 => Just(Step::Rotate),
    ];
    let kill = prop_oneof![4 => Just(None), 1 => (0_u64..LONGEST).prop_map(Some)];
    prop::collection::vec((prop::sample::select(vec!["alice", "bob", "mallory"]), step, kill), 15)
}

/// In which time a command is killed, in milliseconds: one that is left alone takes about as long.
const LONGEST: u64 = 120;

/// Lives begin alike: everything is applied and climbs to production.
fn beginning() -> Vec<Step> {
    let everything = AGENTS.into_iter().chain(SHARED).map(|thing| (thing, 0)).collect();
    let climb =
        AGENTS.into_iter().flat_map(|thing| [0, 1].map(|from| Step::Promote { thing, from, way: Way::Approved }));
    std::iter::once(Step::Apply { rung: 0, set: everything }).chain(climb).collect()
}

fn live(cases: u32, mut runner: TestRunner) -> Result<u32, String> {
    let result = runner.run(&steps(), |steps| {
        let mut life = Life::begin();
        life.agree();
        for step in beginning() {
            life.take("alice", &step);
        }
        for (person, step, kill) in &steps {
            life.kill = kill.map(Duration::from_millis);
            life.take(person, step);
            life.kill = None;
        }
        life.end();
        Ok(())
    });
    result.map(|()| cases).map_err(|why| why.to_string())
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
    // The same lives each time, unless more are asked for: a suite that fails by chance is read by nobody.
    let Some(lives) = more else {
        let runner = TestRunner::new_with_rng(config(20), TestRng::deterministic_rng(RngAlgorithm::ChaCha));
        live(20, runner).unwrap_or_else(|why| panic!("{why}"));
        return;
    };
    // Two for each processor: while one waits for the disk, the other works.
    let at_once = u32::try_from(2 * std::thread::available_parallelism().map_or(1, usize::from)).unwrap_or(1);
    let lived: u32 = std::thread::scope(|scope| {
        let shares = (0..at_once).map(|at| (lives + at) / at_once);
        let threads: Vec<_> =
            shares.map(|cases| scope.spawn(move || live(cases, TestRunner::new(config(cases))))).collect();
        let ended = threads.into_iter().map(|thread| thread.join().expect("no panic"));
        ended.map(|ended| ended.unwrap_or_else(|why| panic!("{why}"))).sum()
    });
    assert_eq!(lived, lives);
}
