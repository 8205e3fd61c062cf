//! A promotion into `prod` that demands all six gates: what passes, what each of them alone stops, and that none hides
//! another.

use std::fs;
use std::io::Write as _;
use std::process::Stdio;
use std::sync::OnceLock;

use joch::eval::{Decimal, Definition, RunResult, Usage, rejudge};
use joch::ledger::{Reader, Repository};
use joch::resource::{Kind, ResourceId};
use serde_json::Value;

use crate::support::measure;
use crate::support::world::{Outcome, World};

const ALL: &str = "--require eval:support-triage-quality --require approval:release-manager --require policy \
                   --require agbom --require budget --require latency:+20%";
const STEP: &str = "support-triage --from staging --to prod";

/// Bob approves, agents are reached over HTTP, prod expects 500 runs a day, judges are named, and a person confirms
/// every ticket.
pub(crate) const PROJECT: &str = r#"
set -e
cp -r $FIXTURES/support-triage/. .
key() { cut -d' ' -f1,2 "../home/$1/.ssh/id_ed25519.pub"; }
sed -i "s|role: approver|role: approver\n      keys: [\"$(key bob)\"]|" teams/release-manager.yaml
sed -i 's|type: llm_judge|type: llm_judge\n      judgeModelRef: { name: gpt-4.1 }|' evals/support-triage-quality.yaml
sed -i '/name: zendesk.create_ticket/,/^---/s/requiresApproval: false/requiresApproval: true/' tools/zendesk.yaml
cat > deployments/support-triage-staging.yaml <<END
apiVersion: ops.joch.dev/v1alpha1
kind: Deployment
metadata: { name: support-triage-staging }
spec:
  agentRef: { name: support-triage }
  environmentRef: { name: staging }
  invoke: { type: http, url: "https://agents.example.com/triage" }
END
joch init --operator alice@example.com
joch apply -f . --no-evals
"#;

/// A project whose first version serves in `prod` and whose second, with another word in its prompt, is in `staging`.
/// It is made once, and copied.
fn served(name: &str) -> World {
    static MADE: OnceLock<Vec<u8>> = OnceLock::new();
    let made = MADE.get_or_init(|| {
        let world = World::new("six-gates");
        does(&world, "alice", PROJECT);
        observes(&world);
        climbs(&world);
        records(&world, &run(&world, 1000, "0.02"));
        does(&world, "bob", &format!("joch approve {STEP}"));
        does(&world, "alice", &format!("joch promote {STEP} {ALL}"));
        does(&world, "alice", "sed -i 's/calm, brief/calm, short/' agents/support-triage.yaml");
        does(&world, "alice", "joch apply -f agents/support-triage.yaml --no-evals");
        climbs(&world);
        world.command("alice", "tar").args(["-c", "."]).output().expect("an archive").stdout
    });
    let world = World::new(name);
    let mut tar = world.command("alice", "tar").arg("-x").stdin(Stdio::piped()).spawn().expect("tar");
    tar.stdin.take().expect("a pipe").write_all(made).expect("tar reads");
    assert!(tar.wait().expect("tar ends").success());
    world
}

/// Somebody who does not ask for the change looked at the MCP server and scored it.
pub(crate) fn observes(world: &World) {
    let tools =
        r#"{"tools":[{"name":"search","description":"Searches the help centre.","inputSchema":{"type":"object"}}]}"#;
    fs::write(world.project().join("../tools.json"), tools).expect("own file");
    let score = "--trust-score 0.9 --trust-source 'security review of May'";
    does(world, "bob", &format!("joch mcp record help-center -f ../tools.json {score}"));
}

pub(crate) fn climbs(world: &World) {
    does(world, "alice", "joch promote support-triage --from local --to dev --no-evals");
    does(world, "alice", "joch promote support-triage --from dev --to staging --no-evals");
}

/// What was changed in the files is brought to `staging`.
fn brings(world: &World, script: &str, files: &str, what: &[&str]) {
    does(world, "alice", script);
    does(world, "alice", &format!("joch apply -f {files} --no-evals"));
    for what in what {
        does(world, "alice", &format!("joch promote {what} --from local --to dev --no-evals"));
        does(world, "alice", &format!("joch promote {what} --from dev --to staging --no-evals"));
    }
}

/// A run in `staging` in which every case succeeds, takes about so many milliseconds and costs so many dollars.
pub(crate) fn run(world: &World, milliseconds: u64, dollars: &str) -> RunResult {
    let scores = [("task_success", 1.0), ("tone_consistency", 1.0), ("pii_leakage", 0.0)];
    let mut result = measure::result(world, "support-triage-quality", "support-triage", "staging", &scores);
    result.runner.lag_p99_us = Some(100);
    let cost: Decimal = dollars.parse().expect("a number");
    for (at, case) in (0..).zip(&mut result.cases) {
        let trial = &mut case.trials[0];
        trial.latency_us = milliseconds * 1000 + at * 100;
        trial.cost = Some(cost);
        trial.usage = Some(Usage { input: 2000, output: 300 });
        trial.scores.insert("cost_per_case", joch::eval::Score::Scored(cost));
        trial.scores.insert(
            "latency_p95_ms",
            joch::eval::Score::Scored(Decimal::fraction(trial.latency_us, 1000).expect("not by 0")),
        );
    }
    judged(world, result)
}

/// The same, with metrics and verdict as its cases have them.
pub(crate) fn judged(world: &World, mut result: RunResult) -> RunResult {
    let repository = Repository::open(world.project().join(".joch/ledger.git")).expect("a ledger");
    let reader = Reader::new(repository.snapshot().expect("a snapshot"));
    let id = ResourceId::new(Kind::Eval, "default", "support-triage-quality");
    let eval = reader.environment("staging").expect("staging").entry(&id).expect("readable").expect("the Eval");
    let definition = Definition::of(&eval).expect("understood");
    result.metrics = rejudge(&definition, &result);
    let failed = result.metrics.iter().any(|metric| metric.verdict == Some(joch::eval::Verdict::Failed));
    result.verdict = if failed { joch::eval::Verdict::Failed } else { joch::eval::Verdict::Passed };
    result
}

pub(crate) fn records(world: &World, result: &RunResult) {
    measure::record(world, "alice", result).expect("recorded");
}

#[track_caller]
pub(crate) fn does(world: &World, person: &str, line: &str) -> String {
    let outcome = world.sh(person, line);
    assert_eq!(outcome.code, 0, "{person}: {line}\n{}{}", outcome.stdout, outcome.stderr);
    outcome.stdout
}

fn asks(world: &World) -> (Outcome, Value) {
    let outcome = world.sh("alice", &format!("joch promote {STEP} {ALL} -o json"));
    let result = serde_json::from_str(&outcome.stdout).unwrap_or_else(|why| panic!("{why}: {}", outcome.stderr));
    (outcome, result)
}

/// Every gate with its answer, and what it says.
fn answers(result: &Value) -> Vec<(String, String, String)> {
    let text = |gate: &Value, field: &str| gate[field].as_str().unwrap_or_default().to_owned();
    let agents = result["agents"].as_array().expect("agents");
    let gates = agents.iter().flat_map(|agent| agent["gates"].as_array().expect("gates"));
    gates.map(|gate| (text(gate, "gate"), text(gate, "verdict"), text(gate, "reason"))).collect()
}

/// Only this gate does not pass, with this answer and these words.
#[track_caller]
fn only(world: &World, code: i32, gate: &str, verdict: &str, words: &str) {
    let (outcome, result) = asks(world);
    let answers = answers(&result);
    let stops: Vec<_> = answers.iter().filter(|(_, verdict, _)| verdict != "pass").collect();
    let [(stopped, answer, reason)] = stops.as_slice() else { panic!("{stops:#?}") };
    assert_eq!((stopped.as_str(), answer.as_str()), (gate, verdict), "{reason}");
    assert!(reason.contains(words), "it does not say `{words}`: {reason}");
    assert_eq!(outcome.code, code, "{reason}");
    does(world, "alice", "joch audit verify");
}

#[test]
fn all_six_are_asked_and_pass() {
    let world = served("six-pass");
    records(&world, &run(&world, 1000, "0.02"));
    does(&world, "bob", &format!("joch approve {STEP}"));
    let (outcome, result) = asks(&world);
    assert_eq!((outcome.code, &result["verdict"]), (0, &"promoted".into()), "{:#?}", answers(&result));
    let mut gates: Vec<_> = answers(&result).into_iter().map(|(gate, ..)| gate).collect();
    gates.sort();
    gates.dedup();
    assert_eq!(gates, ["agbom", "approval", "budget", "eval", "latency", "policy"]);
    does(&world, "alice", "joch audit verify");
}

#[test]
fn the_eval_alone_stops_it() {
    let world = served("six-eval");
    let mut bad = run(&world, 1000, "0.02");
    for case in bad.cases.iter_mut().take(12) {
        case.trials[0].scores.insert("task_success", joch::eval::Score::Scored(Decimal::ZERO));
    }
    records(&world, &judged(&world, bad));
    does(&world, "bob", &format!("joch approve {STEP}"));
    only(&world, 2, "eval", "fail", "task_success");
}

#[test]
fn the_approval_alone_stops_it() {
    let world = served("six-approval");
    records(&world, &run(&world, 1000, "0.02"));
    only(&world, 3, "approval", "pending", "0 of 1 approvals of team release-manager");
}

#[test]
fn the_policy_alone_stops_it() {
    let world = served("six-policy");
    let rule =
        "    - when: { tool.name: zendesk.create_ticket }\\n      action: { deny: true, reason: tickets are closed }";
    brings(
        &world,
        &format!("sed -i 's/^  rules:/  rules:\\n{rule}/' policies/pii-redaction.yaml"),
        "policies/pii-redaction.yaml",
        &["policy/pii-redaction"],
    );
    records(&world, &run(&world, 1000, "0.02"));
    does(&world, "bob", &format!("joch approve {STEP}"));
    only(&world, 2, "policy", "fail", "tickets are closed");
}

#[test]
fn the_bill_of_materials_alone_stops_it() {
    let world = served("six-agbom");
    brings(
        &world,
        "sed -i 's/pinServerVersion: true/pinServerVersion: false/' mcp-servers/help-center.yaml",
        "mcp-servers/help-center.yaml",
        &["mcp-server/help-center"],
    );
    observes(&world);
    records(&world, &run(&world, 1000, "0.02"));
    does(&world, "bob", &format!("joch approve {STEP}"));
    only(&world, 2, "agbom", "fail", "AGB-MCP-001");
}

#[test]
fn the_budget_alone_stops_it() {
    let world = served("six-budget");
    records(&world, &run(&world, 1000, "0.39"));
    does(&world, "bob", &format!("joch approve {STEP}"));
    only(&world, 2, "budget", "fail", "runs");
}

#[test]
fn the_latency_alone_stops_it() {
    let world = served("six-latency");
    records(&world, &run(&world, 1500, "0.02"));
    does(&world, "bob", &format!("joch approve {STEP}"));
    only(&world, 2, "latency", "fail", "against what `prod` runs");
}

#[test]
fn a_gate_that_waits_or_passes_never_hides_one_that_says_no() {
    let world = served("six-hidden");
    records(&world, &run(&world, 1500, "0.39"));
    let (outcome, result) = asks(&world);
    assert_eq!((outcome.code, &result["verdict"]), (2, &"blocked".into()));
    let mut stops: Vec<_> = answers(&result).into_iter().filter(|(_, verdict, _)| verdict != "pass").collect();
    stops.sort();
    let told: Vec<_> = stops.iter().map(|(gate, verdict, _)| format!("{gate} {verdict}")).collect();
    assert_eq!(told, ["approval pending", "budget fail", "latency fail"]);
    let explained = does(&world, "alice", &format!("joch explain {STEP} {ALL}"));
    for gate in ["approval:release-manager", "budget", "latency:+20%"] {
        let names = |line: &str| line.split_whitespace().nth(1) == Some(gate);
        assert!(explained.lines().any(names), "{gate}: {explained}");
    }
    let asked = world.sh("bob", &format!("joch explain {STEP}"));
    let told = "bob@example.com may not promote to `prod`; these may: ";
    assert!(asked.stderr.contains(told), "an approver is told that he cannot carry it out: {}", asked.stderr);
}

#[test]
fn nothing_measured_is_no_pass_for_any_gate_that_measures() {
    let world = served("six-unmeasured");
    does(&world, "bob", &format!("joch approve {STEP}"));
    let (outcome, result) = asks(&world);
    assert_eq!((outcome.code, &result["verdict"]), (2, &"blocked".into()));
    let stops = answers(&result).into_iter().filter(|(_, verdict, _)| verdict != "pass");
    let told: Vec<_> = stops.map(|(gate, ..)| gate).collect();
    assert!(["eval", "budget", "latency"].iter().all(|gate| told.contains(&(*gate).to_owned())), "{told:?}");
}
