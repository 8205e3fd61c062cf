//! A ledger at work, and the model of it: how commands are run, or killed on their way, and how the two are compared.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use joch::ledger::{Environment, Reader, Repository};
use joch::resource::{Resource, Value};

use crate::faults::tracer::{Fault, KILLED, NEVER_REACHED, Tracer};
use crate::support::world::{World, fixtures};

use super::lives::beginning;
use super::model::{Contents, Model, RUNGS, Rung, Runs, Thing};
use super::tally::Tally;

/// Where a command is killed, and how.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kill {
    pub(super) place: Place,
    pub(super) fault: Fault,
    /// Whether the first command of the step is meant, where there are several.
    pub(super) early: bool,
}

/// A call that changes a file.
#[derive(Debug, Clone, Copy)]
pub(super) enum Place {
    /// So many calls from the first; commands make from a hundred to two hundred.
    Call(usize),
    /// The first of this name on a path that holds this text.
    First(&'static str, &'static str),
}

/// Where nobody can be traced, in which time a command is killed, in milliseconds: one that is left alone takes about
/// as long.
const LONGEST: usize = 120;

/// What became of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Code(i32),
    /// It was killed.
    Killed,
    /// It ended by itself, before it came to where it was to be killed, and nobody knows how.
    Unknown,
}

/// A ledger at work, and the model of it.
pub(super) struct Life {
    pub(super) world: World,
    pub(super) model: Model,
    tips: [Vec<String>; 3],
    /// What was compared last, by its tip.
    agreed: [Option<(String, Rung)>; 3],
    pub(super) told: String,
    /// Bob's key, and how many he had before.
    pub(super) bob: (PathBuf, usize),
    /// Where the command that changes the ledger next is killed.
    pub(super) kill: Option<Kill>,
    pub(super) tally: Tally,
    /// Whether Carol said no to something. Her no is about the candidate, and what she said yes to after that is one
    /// change that brings it: another one that brings it is stopped by the no, not for want of a yes.
    pub(super) said_no: bool,
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

/// What all lives begin with: the project, and what the model knows of it.
struct Beginning {
    project: Vec<u8>,
    model: Model,
    tips: [Vec<String>; 3],
}

impl Life {
    /// A life that has begun. All begin alike, so that is made once, and copied.
    pub(super) fn begin() -> Self {
        static MADE: OnceLock<Beginning> = OnceLock::new();
        let made = MADE.get_or_init(|| {
            let mut life = Self::found();
            beginning().iter().for_each(|step| life.take("alice", step));
            let project = life.world.command("alice", "tar").args(["-c", "."]).output().expect("an archive").stdout;
            Beginning { project, model: life.model, tips: life.tips }
        });
        let mut life = Self::new();
        let mut tar = life.world.command("alice", "tar").arg("-x").stdin(Stdio::piped()).spawn().expect("tar");
        tar.stdin.take().expect("a pipe").write_all(&made.project).expect("tar reads");
        assert!(tar.wait().expect("tar ends").success());
        (life.model, life.tips) = (made.model.clone(), made.tips.clone());
        life.agree();
        life
    }

    fn new() -> Self {
        let world = World::in_memory("machine");
        let bob = (world.home("bob").join(".ssh/id_ed25519"), 0);
        let (model, tips, agreed, told) = (Model::default(), Default::default(), Default::default(), String::new());
        Self { world, model, tips, agreed, told, bob, kill: None, tally: Tally::default(), said_no: false }
    }

    /// A ledger of which nothing is released.
    fn found() -> Self {
        let mut life = Self::new();
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
        life.agree();
        life
    }

    /// Those who work beside Alice, with the keys that they have now.
    pub(super) fn ops(&self) -> String {
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
    pub(super) fn run(&mut self, person: &str, line: &str) -> i32 {
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

    /// Runs a line as `run` does, or in a process of its own that is killed.
    pub(super) fn change(&mut self, person: &str, line: &str) -> End {
        let Some(kill) = self.kill.take() else { return End::Code(self.run(person, line)) };
        let verb = line.split(' ').nth(1).unwrap_or_default();
        let end = self.killed(person, line, kill);
        self.tally.add(format!("killed at a call of {verb}: {}", if end == End::Killed { "hit" } else { "too late" }));
        end
    }

    /// Runs a line of which `kill` befalls a call.
    fn killed(&mut self, person: &str, line: &str, kill: Kill) -> End {
        let Some(tracer) = Tracer::here() else { return self.killed_in_time(person, line, kill) };
        let project = self.world.project();
        let before = match kill.place {
            Place::Call(point) => tracer.before(point, kill.fault, &project),
            Place::First(call, text) => tracer.before_first(call, text, kill.fault, &project),
        };
        let mut shell = self.world.command(person, "sh");
        shell.args(["-c", &format!("{before} {line}")]).envs(self.variables(person));
        let output = shell.output().expect("a shell");
        let code = output.status.code().expect("the shell ends by itself");
        self.tell(person, line, &format!("{code}, {kill:?}"), &output.stdout);
        self.tell(person, "", "", &output.stderr);
        match code {
            KILLED => End::Killed,
            NEVER_REACHED => End::Unknown,
            code => panic!("the tracer exits as nobody knows, with {code}\n{}", self.told),
        }
    }

    /// The same where nobody can be traced: it is killed after a while.
    fn killed_in_time(&mut self, person: &str, line: &str, kill: Kill) -> End {
        let Place::Call(point) = kill.place else { return End::Code(self.run(person, line)) };
        let delay = Duration::from_millis((point % LONGEST) as u64);
        let mut command = self.world.command(person, "joch");
        command.args(line.split(' ').skip(1)).env_clear().envs(self.variables(person));
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("joch runs");
        std::thread::sleep(delay);
        // It may have ended by itself.
        child.kill().ok();
        let output = child.wait_with_output().expect("it ended");
        self.tell(person, line, &format!("{:?} within {delay:?}", output.status.code()), &output.stdout);
        output.status.code().map_or(End::Killed, End::Code)
    }

    fn tell(&mut self, person: &str, line: &str, code: &str, printed: &[u8]) {
        let printed = String::from_utf8_lossy(printed);
        writeln!(self.told, "{person}: {line} -> {code}\n{printed}").expect("text");
    }

    pub(super) fn must(&mut self, person: &str, line: &str) {
        let code = self.run(person, line);
        assert_eq!(code, 0, "{}", self.told);
    }

    pub(super) fn has_release(&self, rung: usize, number: u64) -> bool {
        let repository = Repository::open(self.world.project().join(".joch/ledger.git")).expect("a ledger");
        let snapshot = repository.snapshot().expect("its refs");
        snapshot.tag(&format!("release/{}/{number}", RUNGS[rung])).expect("readable").is_some()
    }

    /// Compares the ledger with the model. An environment whose tip and model are those that were compared is left out.
    pub(super) fn agree(&mut self) {
        let repository = Repository::open(self.world.project().join(".joch/ledger.git")).expect("a ledger");
        let reader = Reader::new(repository.snapshot().expect("its refs"));
        for (at, name) in RUNGS.iter().enumerate() {
            let environment = reader.environment(name).expect("a rung");
            let tip = environment.head().to_string();
            if self.tips[at].last() != Some(&tip) {
                self.tips[at].push(tip.clone());
            }
            let rung = &self.model.rungs[at];
            if self.agreed[at].as_ref().is_some_and(|(before, model)| (before, model) == (&tip, rung)) {
                continue;
            }
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
            self.agreed[at] = Some((tip, rung.clone()));
        }
        let counts = self.model.shared.iter().map(|(thing, known)| (thing, known.len()));
        for (thing, count) in counts.chain(self.model.agents.iter().map(|(thing, known)| (thing, known.len()))) {
            let tags = reader.version_tags(&thing.id()).expect("readable");
            assert_eq!(tags.len(), count, "versions of {thing:?}\n{}", self.told);
        }
    }

    /// The history holds every tip that ever was, in order; and the ledger proves itself. What was counted is told.
    pub(super) fn end(mut self) -> Tally {
        for (at, name) in RUNGS.iter().enumerate() {
            let line = format!("git -C .joch/ledger.git rev-list --first-parent --reverse heads/{name}");
            let history = self.world.sh("alice", &line).stdout;
            assert_eq!(history.lines().collect::<Vec<_>>(), self.tips[at], "{name} grows by one commit a release");
        }
        // Whatever was killed last is healed by this one.
        self.must("bob", "joch audit verify");
        let fsck = self.world.sh("alice", "git -C .joch/ledger.git fsck --strict --no-dangling --no-progress");
        assert_eq!((fsck.code, fsck.stdout + &fsck.stderr), (0, String::new()), "{}", self.told);
        self.tally
    }
}

/// The public half of a key.
fn public(key: &Path) -> String {
    std::fs::read_to_string(key.with_extension("pub")).expect("a public key").trim_end().to_owned()
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
