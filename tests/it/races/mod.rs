//! Many processes at work in one ledger at once, beside a plain Git that packs and fetches, and beside readers: nothing
//! is lost, no number is given twice, nobody is refused, and no reader is alarmed.
//!
//! Eight workers have an agent each, and share a tool that each of them changes under all the others. Alice, Bob and Dave
//! work, and whoever holds the key of `ci` approves.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::long;
use crate::support::world::{World, fixtures};

const WORKERS: usize = 8;
const RUNGS: [&str; 3] = ["dev", "staging", "prod"];
const HEAD: &str = "apiVersion: joch.dev/v1alpha1\nkind:";

/// What was acknowledged to a worker.
struct Told {
    line: String,
    took: Duration,
    /// The release that was made, as `dev/7`, and its commit.
    release: Option<(String, String)>,
    /// Commits of evidence and trust.
    commits: Vec<String>,
}

/// A ledger with four people, and a tool that all agents name.
fn begin(name: &str) -> World {
    let world = World::new(name);
    must(&world, "alice", "joch init --operator alice@example.com --ladder dev,staging,prod");
    let member = |who: &str, person: &str, role: &str| {
        let key = fs::read_to_string(fixtures().join("identities").join(person).join("id_ed25519.pub"));
        format!("{{user: {who}, {role}, keys: ['{}']}}", key.expect("everyone has a key").trim_end())
    };
    let everywhere = "role: operator, environments: [dev, staging, prod]";
    let team = |name: &str, members: &str| {
        format!("{HEAD} Team\nmetadata: {{name: {name}}}\nspec: {{members: [{members}]}}\n")
    };
    let texts = [
        team("rm", &member("carol", "ci", "role: approver")),
        team("ops", &[member("bob", "bob", everywhere), member("dave", "mallory", everywhere)].join(", ")),
        format!("{HEAD} Environment\nmetadata: {{name: prod}}\nspec: {{gates: ['approval:rm']}}\n"),
        tool("shared", "0"),
    ];
    fs::write(world.project().join("all.yaml"), texts.join("---\n")).expect("own file");
    must(&world, "alice", "joch apply -f all.yaml");
    world
}

fn must(world: &World, person: &str, line: &str) {
    let outcome = world.sh(person, line);
    assert_eq!(outcome.code, 0, "{person}: {line}\n{}{}", outcome.stdout, outcome.stderr);
}

fn tool(name: &str, content: &str) -> String {
    format!("{HEAD} Tool\nmetadata: {{name: {name}}}\nspec: {{description: '{content}'}}\n")
}

/// The step of a worker: who types what, and the exit codes that are no refusal to work.
fn step(world: &World, worker: usize, step: usize) -> (&'static str, String, &'static [i32]) {
    let person = ["alice", "bob", "mallory"][worker % 3];
    let agent = format!("w{worker}");
    let file = |name: &str, text: String| {
        let name = format!("{name}{worker}.yaml");
        fs::write(world.project().join(&name), text).expect("own file");
        format!("joch apply -f {name} -o json")
    };
    let own = || {
        let spec = format!("description: '{step}', tools: [shared, x{worker}]");
        let agent = format!("{HEAD} Agent\nmetadata: {{name: {agent}}}\nspec: {{{spec}}}\n");
        [tool(&format!("x{worker}"), &step.to_string()), agent].join("---\n")
    };
    match step % 10 {
        0 => (person, file("own", own()), &[0]),
        1 => (person, format!("joch promote {agent} --from dev --to staging -o json"), &[0]),
        2 => (person, file("shared", tool("shared", &format!("{worker}-{step}"))), &[0]),
        3 => ("ci", format!("joch approve {agent} --from staging --to prod -o json"), &[0]),
        // Others may have changed the shared tool since, in prod, too: then the approval is of something else.
        4 => (person, format!("joch promote {agent} --from staging --to prod -o json"), &[0, 2, 3]),
        5 => (person, format!("joch rollback {agent} --to-version 1 --env dev -o json"), &[0]),
        6 => (person, format!("joch hold {agent} --version 1 --env staging --reason race -o json"), &[0]),
        7 => (person, format!("joch lift {agent} --version 1 --env staging --reason over -o json"), &[0]),
        8 => (person, format!("joch delete agent {agent} --env staging -o json"), &[0]),
        _ => {
            let team =
                format!("{HEAD} Team\nmetadata: {{name: t{worker}}}\nspec: {{description: '{step}', members: []}}\n");
            ("alice", file("team", team), &[0])
        }
    }
}

/// Runs a step, and reads what was acknowledged.
fn take(world: &World, worker: usize, number: usize) -> Told {
    let (person, line, fine) = step(world, worker, number);
    let since = Instant::now();
    let outcome = world.sh(person, &line);
    let took = since.elapsed();
    assert!(fine.contains(&outcome.code), "{person}: {line} -> {}\n{}{}", outcome.code, outcome.stdout, outcome.stderr);
    let json: Value = serde_json::from_str(&outcome.stdout).expect("JSON");
    let text = |field: &str| json[field].as_str().map(str::to_owned);
    let commit = text("commit");
    let release = text("release").map(|name| (name, commit.clone().expect("a release is a commit")));
    let mut commits: Vec<_> = text("trustCommit").into_iter().collect();
    commits.extend(commit.filter(|_| release.is_none()));
    assert!(outcome.code != 0 || number % 10 == 5 || release.is_some() || !commits.is_empty(), "{line} did nothing");
    Told { line, took, release, commits }
}

/// What readers and a plain Git do beside the workers until these are done.
fn beside(world: &World, line: &str, done: &AtomicBool, times: &AtomicUsize, alarming: bool) {
    while !done.load(Ordering::Relaxed) {
        let outcome = world.sh("mallory", line);
        let said = format!("{line} -> {}\n{}{}", outcome.code, outcome.stdout, outcome.stderr);
        // A panic alone would leave the others running for nothing.
        if alarming && outcome.code != 0 {
            done.store(true, Ordering::Relaxed);
            panic!("a reader was alarmed: {said}");
        }
        times.fetch_add(1, Ordering::Relaxed);
    }
}

const VERIFY: &str = "joch audit verify";
const READ: &str =
    "joch get agents --env dev && joch get agent w0 --env dev --history 2>&1 || joch get agents --env dev";
const GIT: &str = "cd .joch/ledger.git; git pack-refs --all; git repack -d -l -q; git gc -q; git repack -adq; \
                   git -C ../../mirror.git fetch -q origin";

/// Everybody takes so many steps; `git`: beside a plain Git that packs and fetches.
fn race(name: &str, steps: usize, git: bool) {
    let world = begin(name);
    must(&world, "alice", "git clone -q --mirror .joch/ledger.git mirror.git");
    let (done, audits, reads, packs) =
        (AtomicBool::new(false), AtomicUsize::new(0), AtomicUsize::new(0), AtomicUsize::new(0));
    let since = Instant::now();
    let told: Vec<Told> = std::thread::scope(|scope| {
        let (world, done) = (&world, &done);
        let workers: Vec<_> = (0..WORKERS)
            .map(|worker| {
                scope.spawn(move || {
                    let mut told = Vec::new();
                    for number in 0..steps {
                        if done.load(Ordering::Relaxed) {
                            break;
                        }
                        told.push(take(world, worker, number));
                    }
                    told
                })
            })
            .collect();
        scope.spawn(|| beside(world, VERIFY, done, &audits, true));
        scope.spawn(|| beside(world, READ, done, &reads, true));
        if git {
            scope.spawn(|| beside(world, GIT, done, &packs, false));
        }
        let ended: Vec<_> = workers.into_iter().map(std::thread::ScopedJoinHandle::join).collect();
        done.store(true, Ordering::Relaxed);
        ended.into_iter().flat_map(|told| told.unwrap_or_else(|why| std::panic::resume_unwind(why))).collect()
    });
    let took = since.elapsed();
    assert_eq!(told.len(), WORKERS * steps, "everybody took every step");
    check(&world, &told);
    report(name, &told, took, [audits, reads, packs].map(AtomicUsize::into_inner));
}

/// Everything that was acknowledged is there once, and nothing else is.
fn check(world: &World, told: &[Told]) {
    let listed = |words: &str| {
        let outcome = world.sh("alice", &format!("git -C .joch/ledger.git rev-list --reverse {words}"));
        outcome.stdout.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    let mut releases: BTreeMap<&str, (&str, &str)> = BTreeMap::new();
    for told in told {
        let Some((name, commit)) = &told.release else { continue };
        if let Some((_, other)) = releases.insert(name, (commit, &told.line)) {
            panic!("{name} was given to `{}` and to `{other}`", told.line);
        }
    }
    for rung in RUNGS {
        let history = listed(&format!("--first-parent heads/{rung}"));
        assert_eq!(history, listed(&format!("heads/{rung}")), "the history of {rung} is one line");
        let here: BTreeMap<usize, &str> = releases
            .iter()
            .filter_map(|(name, (commit, _))| {
                Some((name.strip_prefix(rung)?.strip_prefix('/')?.parse().ok()?, *commit))
            })
            .collect();
        // The first commit is no release, and the beginning made one in dev.
        let before = 1 + usize::from(rung == "dev");
        let expected: BTreeMap<usize, &str> =
            history.iter().enumerate().skip(before).map(|(number, commit)| (number, commit.as_str())).collect();
        assert_eq!(here, expected, "{rung} holds what was acknowledged");
    }
    let there: BTreeSet<String> = listed("heads/evidence heads/trust").into_iter().collect();
    for told in told {
        for commit in &told.commits {
            assert!(there.contains(commit), "{commit} of `{}` is lost", told.line);
        }
    }
    let fsck = world.sh("alice", "git -C .joch/ledger.git fsck --strict --no-dangling --no-progress");
    assert_eq!((fsck.code, fsck.stdout + &fsck.stderr), (0, String::new()));
    must(world, "bob", VERIFY);
}

#[expect(clippy::print_stderr, reason = "how long people wait is what whoever runs this wants to know")]
fn report(name: &str, told: &[Told], took: Duration, [audits, reads, packs]: [usize; 3]) {
    let mut times: Vec<_> = told.iter().map(|told| told.took).collect();
    times.sort_unstable();
    let at = |percent: usize| times[(times.len() - 1) * percent / 100].as_millis();
    eprintln!(
        "{name}: {} changes by {WORKERS} workers in {:.1} s; a change took p50 {} ms, p99 {} ms, at most {} ms; \
         beside {audits} audits, {reads} readings, {packs} rounds of Git",
        told.len(),
        took.as_secs_f32(),
        at(50),
        at(99),
        at(100)
    );
}

#[test]
fn eight_processes_lose_nothing_beside_git_and_readers() {
    race("race", 5, true);
}

#[test]
fn eight_processes_of_twenty_changes_lose_nothing() {
    if long() {
        race("race-alone", 20, false);
    }
}

#[test]
fn eight_processes_of_twenty_changes_lose_nothing_beside_git() {
    if long() {
        race("race-beside-git", 20, true);
    }
}
