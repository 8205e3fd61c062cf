//! `joch demo`: an agent goes from a YAML file to production and back, in a scratch directory, with
//! throw-away keys. Every line is a real command that is run; any exit code but the expected one fails.
//! The agent and its judge are rules that answer over HTTP on this machine.

mod agent;
mod judge;
mod project;
mod script;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use clap::Args;

use crate::ledger::generate_key;
use crate::net::loopback::{Loopback, Weather};
use crate::render::escape;
use crate::workspace::write_over;

use super::exit;
use super::world::{Child, World};
use script::{Actor, SCRIPT, Step};

/// Watch an agent go to production and back, in a scratch directory with throw-away keys
#[derive(Debug, Args)]
pub(super) struct DemoArgs {
    /// Directory to play in; it must not hold anything
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

/// Plays the demo, and gives the exit code.
///
/// # Errors
/// The directory cannot be used, a command cannot be run, or one exits with another code than expected.
pub(super) fn run(args: &DemoArgs, world: &mut World) -> Result<u8> {
    let scratch = match &args.dir {
        Some(named) => world.directory.join(named),
        None => world.scratch("joch-demo"),
    };
    if scratch.join("project").exists() {
        bail!("`{}` holds a demo already; name an empty directory with `--dir`", scratch.display());
    }
    let stage = Stage::set(&scratch)?;
    say(world, &format!("A project and two throw-away keys in {}", scratch.display()))?;
    say(world, &format!("In `staging` the agent answers at {}: rules of the demo, no model", stage.server.agent()))?;
    for step in SCRIPT {
        stage.play(step, world)?;
    }
    say(world, "")?;
    say(world, "Every command above was real, and exited as it should. Look around:")?;
    say(world, &format!("  cd {}", stage.project.display()))?;
    say(world, &format!("  export JOCH_SIGNING_KEY={}", stage.key(Actor::Alice).display()))?;
    say(world, "  joch get agents support-triage --history")?;
    say(world, "  git -C .joch/ledger.git log --first-parent heads/prod")?;
    Ok(exit::DONE)
}

/// Where the demo plays.
struct Stage {
    scratch: PathBuf,
    project: PathBuf,
    /// The agent in `staging`, and the judge.
    server: Loopback,
}

/// How often a run is repeated that cannot tell, because other programs kept the machine busy.
const MEASURED_AGAIN: u32 = 5;

/// How long an answer takes.
const LATENCY: [Duration; 2] = [Duration::from_millis(10), Duration::from_millis(40)];

impl Stage {
    /// Lays out the project, and makes a key for each actor.
    fn set(scratch: &Path) -> Result<Self> {
        let project = scratch.join("project");
        let truth = agent::Support::of(project.join(".joch/ledger.git"));
        let weather = Weather { latency: LATENCY, ..Weather::default() };
        let server = Loopback::start(0, weather, truth).context("cannot listen on 127.0.0.1")?;
        let stage = Self { scratch: scratch.to_owned(), project, server };
        for (path, text) in project::FILES {
            write_over(&stage.project.join(path), text.as_bytes())?;
        }
        for (path, text) in project::SERVED {
            let text = text.replace("AGENT-URL", &stage.server.agent()).replace("JUDGE-URL", &stage.server.judge());
            write_over(&stage.project.join(path), text.as_bytes())?;
        }
        write_over(&scratch.join("home/.gitconfig"), b"[init]\n\tdefaultBranch = main\n")?;
        for actor in [Actor::Alice, Actor::Bob] {
            generate_key(stage.key(actor), actor.name())?;
        }
        Ok(stage)
    }

    fn key(&self, actor: Actor) -> PathBuf {
        self.scratch.join(format!("{}.key", actor.name()))
    }

    fn play(&self, step: &Step, world: &mut World) -> Result<()> {
        match step {
            Step::Chapter(title) => {
                say(world, "")?;
                say(world, &format!("== {title}"))
            }
            Step::Edit { file, what, from, to } => {
                let path = self.project.join(file);
                let text = crate::workspace::read_file(&path)?;
                let key = crate::workspace::read_file(&self.key(Actor::Bob).with_extension("key.pub"))?;
                let to = to.replace("BOBS-KEY", key.trim_end());
                if !text.contains(from) {
                    bail!("the demo's edit of `{file}` finds nothing to change");
                }
                write_over(&path, text.replace(from, &to).as_bytes())?;
                say(world, &format!("# {what} ({file})"))
            }
            Step::Run { actor, command, expect } => {
                for _ in 0..MEASURED_AGAIN {
                    let code = self.run(*actor, command, world)?;
                    if code != Some(1) || *expect == 1 || !command.contains("--to prod") {
                        return Self::check(command, code, *expect, world);
                    }
                    say(world, "# this machine was too busy to tell how fast the agent is: alice measures again")?;
                    self.run(Actor::Alice, "joch eval run support-triage-quality --target staging", world)?;
                }
                Self::check(command, self.run(*actor, command, world)?, *expect, world)
            }
        }
    }

    /// Runs a command and prints what it printed; gives its exit code.
    fn run(&self, actor: Actor, command: &str, world: &mut World) -> Result<Option<i32>> {
        say(world, &format!("{}$ {command}", actor.name()))?;
        let mut words = shell_words(command);
        let program = if words[0] == "joch" { world.program.clone() } else { PathBuf::from(&words[0]) };
        let home = self.scratch.join("home");
        let child = Child {
            program,
            arguments: words.split_off(1),
            directory: self.project.clone(),
            variables: vec![
                ("HOME".into(), home.clone().into()),
                ("GIT_CONFIG_GLOBAL".into(), home.join(".gitconfig").into()),
                ("GIT_CONFIG_NOSYSTEM".into(), "1".into()),
                ("LC_ALL".into(), "C".into()),
                ("JOCH_SIGNING_KEY".into(), self.key(actor).into()),
            ],
        };
        let ended = child.run(world).with_context(|| format!("cannot run `{command}`"))?;
        let text = String::from_utf8_lossy(&ended.output).into_owned();
        for line in text.lines() {
            writeln!(world.stdout, "{}", escape(line))?;
        }
        Ok(ended.code)
    }

    fn check(command: &str, code: Option<i32>, expect: i32, world: &mut World) -> Result<()> {
        if code != Some(expect) {
            bail!("`{command}` exited with {code:?}, and {expect} was expected");
        }
        if expect != 0 {
            say(world, &format!("[exit {expect}, as it should]"))?;
        }
        Ok(())
    }
}

fn say(world: &mut World, line: &str) -> Result<()> {
    writeln!(world.stdout, "{}", escape(line))?;
    Ok(world.stdout.flush()?)
}

/// Splits a command of the script at spaces; double quotes hold words together.
fn shell_words(command: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quoted = false;
    for letter in command.chars() {
        match letter {
            '"' => quoted = !quoted,
            ' ' if !quoted => words.push(String::new()),
            other => words.last_mut().expect("never empty").push(other),
        }
    }
    words
}
