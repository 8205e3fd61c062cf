//! Random honest lives of a ledger, beside a plain model of it: after every command the two agree on what each
//! environment runs and holds, and on every number; at the end the ledger proves itself.
//!
//! Two agents, two tools, two policies. What an agent names is told by its content: `a` names tool `t` and policy
//! `p`, and an odd content tool `u` too; `b` names `u`, and an odd content `t` too. Policy `q` selects `a`. Alice
//! and Bob work, and the person who holds the key of `ci` approves. `JOCH_LIVES=200` leads as many other lives.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use joch::ledger::{Environment, Reader, Repository};
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

#[derive(Debug, Clone)]
enum Step {
    Apply { rung: usize, set: Contents },
    Promote { thing: Thing, from: usize },
    Rollback { agent: Thing, rung: usize, pick: prop::sample::Index },
    Delete { thing: Thing, rung: usize },
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
}

impl Life {
    fn begin() -> Self {
        let world = World::new("machine");
        let mut life = Self { world, model: Model::default(), tips: Default::default(), told: String::new() };
        life.must("alice", "joch init --operator alice@example.com --ladder dev,staging,prod");
        let member = |who: &str, person: &str, role: &str| {
            let key = std::fs::read_to_string(fixtures().join("identities").join(person).join("id_ed25519.pub"));
            format!("{{user: {who}, {role}, keys: ['{}']}}", key.expect("everyone has a key").trim_end())
        };
        let head = "apiVersion: joch.dev/v1alpha1\nkind:";
        let trust = [
            format!(
                "{head} Team\nmetadata: {{name: rm}}\nspec: {{members: [{}]}}\n",
                member("carol", "ci", "role: approver")
            ),
            format!(
                "{head} Team\nmetadata: {{name: ops}}\nspec: {{members: [{}]}}\n",
                member("bob", "bob", "role: operator, environments: [dev, staging, prod]")
            ),
            format!("{head} Environment\nmetadata: {{name: prod}}\nspec: {{gates: ['approval:rm']}}\n"),
        ];
        std::fs::write(life.world.project().join("trust.yaml"), trust.join("---\n")).expect("own file");
        life.must("alice", "joch apply -f trust.yaml");
        life
    }

    /// Runs a line, and gives its exit code; what it said is kept for whoever looks at a failure.
    fn run(&mut self, person: &str, line: &str) -> i32 {
        let outcome = self.world.sh(person, line);
        writeln!(self.told, "{person}: {line} -> {}\n{}{}", outcome.code, outcome.stdout, outcome.stderr)
            .expect("text");
        outcome.code
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
                let code = self.run(person, &format!("joch apply -f set.yaml --env {}", RUNGS[*rung]));
                (*rung, self.model.rungs[*rung].apply(set), code)
            }
            Step::Promote { thing, from } => {
                let (source, target) = (&self.model.rungs[*from], &self.model.rungs[from + 1]);
                let comes = target.promote(*thing, source);
                let way = format!("{} --from {} --to {}", word(*thing), RUNGS[*from], RUNGS[from + 1]);
                if from + 1 == GATED {
                    self.run("ci", &format!("joch approve {way}"));
                }
                (from + 1, comes, self.run(person, &format!("joch promote {way}")))
            }
            Step::Rollback { agent, rung, pick } => {
                let here = &self.model.rungs[*rung];
                let Some(served) = here.served.get(agent).filter(|served| !served.is_empty()) else { return };
                let version = *served.iter().nth(pick.index(served.len())).expect("within");
                let mut after = here.clone();
                after.runs.insert(*agent, self.model.agents[agent][version - 1].clone());
                let comes = here.becomes(after);
                let line = format!("joch rollback {} --to-version {version} --env {}", spaced(*agent), RUNGS[*rung]);
                let code = self.run(person, &line);
                assert_eq!(code, 0, "no gate holds a rollback up\n{}", self.told);
                (*rung, comes, code)
            }
            Step::Delete { thing, rung } => {
                let line = format!("joch delete {} --env {}", spaced(*thing), RUNGS[*rung]);
                let code = self.run(person, &line);
                (*rung, self.model.rungs[*rung].delete(*thing), code)
            }
        };
        match comes {
            Comes::Refusal => assert_ne!(code, 0, "{step:?}\n{}", self.told),
            // Deleting what never was is refused, deleting what is gone is not; neither changes anything.
            Comes::Nothing => assert!(code == 0 || matches!(step, Step::Delete { .. }), "{step:?}\n{}", self.told),
            Comes::Change(after) => {
                let expected = match step {
                    Step::Promote { thing, from } if self.model.goes_back(*thing, *from) => 2,
                    Step::Apply { .. } | Step::Delete { .. } if rung == GATED => 3,
                    _ => 0,
                };
                assert_eq!(code, expected, "{step:?} in {}\n{}", RUNGS[rung], self.told);
                if code == 0 {
                    self.model.land(rung, after);
                }
            }
        }
        self.agree();
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

fn steps() -> impl Strategy<Value = Vec<(&'static str, Step)>> {
    let thing = || prop::sample::select(vec![A, B, T, U, P, Q]);
    let agent = || prop::sample::select(vec![A, B]);
    let lower = || prop_oneof![3 => Just(0_usize), 1 => Just(1)];
    let anywhere = || prop_oneof![4 => Just(0_usize), 3 => Just(1), 3 => Just(2)];
    let step = prop_oneof![
        4 => (anywhere(), prop::collection::btree_map(thing(), 0_u8..4, 1..4)).prop_map(|(rung, set)| Step::Apply { rung, set }),
        4 => (agent(), lower()).prop_map(|(thing, from)| Step::Promote { thing, from }),
        1 => (thing(), Just(0)).prop_map(|(thing, from)| Step::Promote { thing, from }),
        2 => (agent(), anywhere(), any::<prop::sample::Index>()).prop_map(|(agent, rung, pick)| Step::Rollback { agent, rung, pick }),
        1 => (thing(), anywhere()).prop_map(|(thing, rung)| Step::Delete { thing, rung }),
    ];
    prop::collection::vec((prop::sample::select(vec!["alice", "bob"]), step), 15)
}

/// Lives begin alike: everything is applied and climbs to production.
fn beginning() -> Vec<Step> {
    let everything = AGENTS.into_iter().chain(SHARED).map(|thing| (thing, 0)).collect();
    let climb = AGENTS.into_iter().flat_map(|thing| [0, 1].map(|from| Step::Promote { thing, from }));
    std::iter::once(Step::Apply { rung: 0, set: everything }).chain(climb).collect()
}

#[test]
fn the_ledger_is_what_a_plain_model_says() {
    let more = std::env::var("JOCH_LIVES").ok().and_then(|lives| lives.parse().ok());
    let cases = more.unwrap_or(6);
    let config = ProptestConfig { cases, failure_persistence: None, max_shrink_iters: 60, ..ProptestConfig::default() };
    // The same lives each time, unless more are asked for: a suite that fails by chance is read by nobody.
    let mut runner = match more {
        Some(_) => TestRunner::new(config),
        None => TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha)),
    };
    let result = runner.run(&steps(), |steps| {
        let mut life = Life::begin();
        life.agree();
        for step in beginning() {
            life.take("alice", &step);
        }
        for (person, step) in &steps {
            life.take(person, step);
        }
        life.end();
        Ok(())
    });
    if let Err(why) = result {
        panic!("{why}");
    }
}
