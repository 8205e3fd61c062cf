//! The contract of machine output, held against what the program really prints: every answer is as its published
//! schema says and has the fields that were promised, and every error is one JSON object on standard error.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use joch::render::contract;
use serde_json::Value;

use crate::support::schema;
use crate::support::world::World;

/// The fields that are promised of each kind; `[]` stands for every item of a list. What is optional is not here.
const PROMISED: &[(&str, &[&str])] = &[
    ("AgbomDiff", &["agent.name", "from.version", "to.version", "abom.added", "abom.removed", "abom.changed[].name"]),
    (
        "AgbomList",
        &[
            "items[].kind",
            "items[].namespace",
            "items[].name",
            "items[].environment",
            "items[].version",
            "items[].digest",
            "items[].release",
            "items[].components",
            "items[].uses[].name",
            "items[].uses[].version",
            "items[].findings",
        ],
    ),
    (
        "AgbomResult",
        &[
            "agent.name",
            "version",
            "environment",
            "release",
            "commit",
            "digest",
            "contentDigest",
            "serialNumber",
            "components[].ref",
            "components[].type",
            "components[].name",
            "components[].version",
            "components[].outside",
            "components[].digest",
        ],
    ),
    (
        "ApplyResult",
        &[
            "verdict",
            "environment",
            "release",
            "commit",
            "resources[].kind",
            "resources[].namespace",
            "resources[].name",
            "resources[].version",
            "resources[].change",
        ],
    ),
    ("ApprovalList", &["items[].id", "items[].state", "items[].environment", "items[].principal", "items[].changes[]"]),
    ("ApprovalResult", &["verdict", "id", "principal", "decision", "environment", "changes[].resource", "expires"]),
    ("AuditExport", &["path", "references", "objects", "files", "trustRoot"]),
    ("AuditLog", &["items[].time", "items[].event", "items[].subjects[].kind", "items[].operator", "items[].verdict"]),
    ("DeletionResult", CHANGE),
    (
        "Description",
        &[
            "resource.metadata.name",
            "version",
            "digest",
            "closure[].kind",
            "closure[].namespace",
            "closure[].name",
            "closure[].version",
            "closure[].digest",
            "policies[].name",
            "adapter.name",
            "environments[].environment",
        ],
    ),
    (
        "DiffResult",
        &[
            "from.version",
            "from.digest",
            "to.version",
            "to.digest",
            "changes[].resource",
            "changes[].path",
            "changes[].op",
            "affected[].name",
            "abom.added",
            "abom.removed",
            "abom.changed",
        ],
    ),
    ("DoctorResult", &["verdict", "checks[].name", "checks[].state", "checks[].message", "checks[].next"]),
    ("Error", &["code", "message", "next"]),
    ("EvalGate", &["verdict", "agent", "version", "from", "to", "gates[].gate", "gates[].verdict", "gates[].reason"]),
    (
        "EvalList",
        &[
            "items[].eval.name",
            "items[].environment",
            "items[].agent.name",
            "items[].schedule",
            "items[].last.verdict",
            "items[].last.time",
            "items[].last.current",
            "unfinished[].run",
            "unfinished[].command",
        ],
    ),
    ("EvalPart", &["state", "run", "eval.name", "environment", "shard", "directory", "done", "planned", "next"]),
    (
        "EvalPlan",
        &[
            "subject.digest",
            "eval.digest",
            "dataset.digest",
            "judges",
            "reach.protocol",
            "metrics[].name",
            "metrics[].threshold",
            "cases",
            "trials",
            "agentCalls",
            "judgeCalls",
            "estimate.usd",
        ],
    ),
    ("EvalPlans", &["items[].eval.id.name", "items[].agentCalls", "items[].judgeCalls"]),
    ("EvalResult", EVAL),
    (
        "EvalResults",
        &["verdict", "items[].verdict", "items[].subject.digest", "items[].metrics[].name", "parts", "troubles"],
    ),
    (
        "Explanation",
        &[
            "verdict",
            "from",
            "to",
            "changes[]",
            "missing[].resource",
            "missing[].gate.gate",
            "missing[].who[]",
            "missing[].command",
            "text",
        ],
    ),
    ("GcResult", &["verdict", "dryRun", "pack", "objects", "references", "swept", "damaged"]),
    (
        "History",
        &[
            "items[].version",
            "items[].digest",
            "items[].commit",
            "items[].time",
            "items[].operator",
            "items[].change",
            "items[].events[].release",
            "items[].events[].environment",
            "items[].events[].time",
            "items[].events[].operator",
        ],
    ),
    (
        "HoldList",
        &["items[].id", "items[].hold.resource", "items[].principal", "items[].environments[]", "items[].lift"],
    ),
    ("HoldResult", &["verdict", "id", "hold.resource", "hold.digest", "principal", "commit"]),
    ("InitResult", &["already", "ledger", "trustRoot", "admin", "fingerprint", "ladder[]"]),
    ("KindList", &["items[].kind", "items[].apiVersion", "items[].plural", "items[].short"]),
    ("McpDiff", &["server.name", "from.evidence", "to.evidence", "to.observedAt", "changes[].path", "changes[].op"]),
    (
        "McpObservation",
        &["evidence", "observedAt", "signedBy", "count", "observation.tools[].name", "observation.toolsDigest"],
    ),
    (
        "McpRecorded",
        &[
            "state",
            "environment",
            "evidence",
            "signedBy",
            "commit",
            "observation.server.name",
            "observation.digest",
            "observation.observedAt",
            "observation.transport",
            "observation.tools[].name",
            "observation.toolsDigest",
            "earlier.evidence",
            "changes[].path",
        ],
    ),
    (
        "PolicyPreview",
        &[
            "policies[]",
            "environments[].environment",
            "environments[].running",
            "environments[].bound",
            "environments[].stopped",
            "agents[].environment",
            "agents[].agent",
            "agents[].version",
            "agents[].policy",
            "agents[].violations",
            "agents[].errors",
            "agents[].gaps",
            "agents[].warnings",
            "agents[].obligations",
            "agents[].standing",
        ],
    ),
    ("PromotionResult", CHANGE),
    (
        "Proof",
        &[
            "agent",
            "environment",
            "version",
            "digest",
            "appliedAt",
            "operator",
            "policies[].name",
            "policies[].version",
            "adapter",
            "release",
            "commit",
            "tag",
            "signature.principal",
            "signature.fingerprint",
            "signature.verdict",
            "verify[]",
        ],
    ),
    ("ReleaseDescription", &["name", "commit", "manifest.agents[].name", "records[].agentRef.name", "commands[]"]),
    ("ReleaseList", &["items[].name", "items[].commit", "items[].event", "items[].operator.name", "items[].timestamp"]),
    ("ResourceList", &["of", "ladder[]", "items[].kind", "items[].name", "items[].environments[].version"]),
    ("ReviewResult", &["verdict", "release", "reviewed[].gates[]", "principal", "decision", "rationale", "commit"]),
    (
        "RollbackCheck",
        &["resource", "environment", "choice", "versions[].version", "versions[].canRun", "versions[].servedAt"],
    ),
    // Nobody is asked before a rollback.
    ("RollbackResult", &["verdict", "release", "commit", "agents[].agent", "agents[].record.schema", "agents[].gates"]),
    (
        "SelftestResult",
        &[
            "verdict",
            "environment",
            "caught",
            "missed",
            "passed",
            "stopped",
            "planted[].seed",
            "planted[].expected",
            "planted[].fate",
            "planted[].said",
        ],
    ),
    ("TrustResult", &["verdict", "quorum", "admins[]", "trustCommit"]),
    (
        "ValidationResult",
        &[
            "verdict",
            "findings[].severity",
            "findings[].rule",
            "findings[].message",
            "findings[].file",
            "findings[].line",
            "findings[].column",
            "findings[].path",
            "findings[].help",
        ],
    ),
    (
        "VerifyResult",
        &[
            "verdict",
            "checked.commits",
            "checked.tags",
            "checked.evidence",
            "findings[].rule",
            "findings[].object",
            "findings[].message",
        ],
    ),
    ("VersionInfo", &["version", "canonicalForm", "manifest", "record"]),
];

/// What every run of an Eval answers.
const EVAL: &[&str] = &[
    "verdict",
    "subject.agent",
    "subject.version",
    "subject.digest",
    "subject.environment",
    "eval.digest",
    "dataset.uri",
    "dataset.digest",
    "dataset.cases",
    "judges",
    "counts.planned",
    "counts.answered",
    "metrics[].name",
    "metrics[].value",
    "metrics[].n",
    "metrics[].direction",
    "metrics[].threshold",
    "metrics[].verdict",
    "metrics[].ci95",
    "cost.agentUsd",
    "cost.judgeUsd",
    "evidence",
];

/// What every change of an environment that gates judge answers.
const CHANGE: &[&str] = &[
    "verdict",
    "release",
    "commit",
    "agents[].agent",
    "agents[].record.schema",
    "agents[].gates[].gate",
    "agents[].gates[].name",
    "agents[].gates[].verdict",
    "agents[].gates[].reason",
    "agents[].gates[].evidence",
];

/// Who runs what, with which exit code, and the kind of the answer. Each command stands for a way in which an answer
/// of its kind may look; a new command needs a line here.
const SCRIPT: &[(&str, &str, i32, &str)] = &[
    ("alice", "joch version", 0, "VersionInfo"),
    ("alice", "joch schema", 0, "KindList"),
    ("alice", "joch doctor", 0, "DoctorResult"),
    ("alice", "joch gc", 1, "Error"),
    ("alice", "joch get agents", 1, "Error"),
    ("alice", "joch init --operator alice@example.com", 0, "InitResult"),
    ("alice", "joch init --operator alice@example.com", 0, "InitResult"),
    ("alice", "joch validate -f .", 0, "ValidationResult"),
    ("alice", "joch validate -f broken", 2, "ValidationResult"),
    ("alice", "joch apply -f . --dry-run", 0, "ApplyResult"),
    ("alice", "joch apply -f . --reason first", 0, "ApplyResult"),
    ("alice", "joch apply -f .", 0, "ApplyResult"),
    ("alice", "joch apply -f broken", 2, "Error"),
    ("alice", "joch apply -f nowhere", 1, "Error"),
    ("alice", "joch explain support-triage --from local --to dev", 0, "Explanation"),
    ("alice", "joch promote support-triage --from local --to dev --dry-run", 0, "PromotionResult"),
    ("alice", "joch promote support-triage --from local --to dev", 0, "PromotionResult"),
    ("alice", "joch promote support-triage --from local --to dev", 0, "PromotionResult"),
    ("alice", "joch promote support-triage --from dev --to staging", 0, "PromotionResult"),
    ("alice", "joch promote support-triage --from local --to prod", 2, "Error"),
    ("alice", "joch promote support-triage --from staging --to prod", 3, "PromotionResult"),
    ("alice", "joch explain support-triage --from staging --to prod", 0, "Explanation"),
    ("alice", "joch approvals request support-triage --from staging --to prod", 0, "ApprovalResult"),
    ("alice", "joch approvals ls", 0, "ApprovalList"),
    ("bob", "joch reject support-triage --from staging --to prod --rationale no", 0, "ApprovalResult"),
    ("alice", "joch promote support-triage --from staging --to prod", 2, "PromotionResult"),
    // Of two words of one person the later counts, and their clocks tell seconds.
    ("bob", "sleep 1 && joch approve support-triage --from staging --to prod --rationale yes", 0, "ApprovalResult"),
    ("bob", "joch approve support-triage --from staging --to prod --rationale yes", 0, "ApprovalResult"),
    ("alice", "joch approvals ls --waiting", 0, "ApprovalList"),
    ("mallory", "joch approve support-triage --from staging --to prod", 4, "Error"),
    ("alice", "joch promote support-triage --from staging --to prod --reason ready", 0, "PromotionResult"),
    ("alice", "joch promote support-triage --from dev --to staging", 0, "PromotionResult"),
    ("alice", "sed -i 's/Tone: calm/Tone: warm/' agents/support-triage.yaml && joch apply -f .", 0, "ApplyResult"),
    ("alice", "joch apply -f . --env prod", 3, "ApplyResult"),
    ("alice", "joch rollback agent support-triage --to-version 1 --env local", 0, "RollbackResult"),
    ("alice", "joch rollback agent support-triage --to-version 1 --env local", 0, "RollbackResult"),
    ("alice", "joch rollback agent support-triage --to-version 9 --env local", 2, "Error"),
    ("alice", "joch rollback support-triage --check --env local", 2, "RollbackCheck"),
    ("alice", "joch get holds", 0, "HoldList"),
    ("alice", "joch lift support-triage --version 2 --env local --reason fine", 0, "HoldResult"),
    ("alice", "joch rollback support-triage --check --env local", 0, "RollbackCheck"),
    ("alice", "joch hold support-triage --version 2 --env local --reason odd", 0, "HoldResult"),
    ("alice", "joch hold support-triage --version 2 --env local --reason odd", 0, "HoldResult"),
    ("alice", "joch delete agent support-triage --env prod", 3, "DeletionResult"),
    ("alice", "joch delete agent support-triage --env dev", 0, "DeletionResult"),
    ("alice", "joch delete agent support-triage --env dev", 0, "DeletionResult"),
    ("alice", "joch apply -f measured --no-evals", 0, "ApplyResult"),
    ("alice", "joch eval run manners --target local --dry-run", 0, "EvalPlan"),
    ("alice", "joch eval run -f measured --target local --dry-run", 0, "EvalPlans"),
    ("alice", "joch eval run manners --target local --shard 1/2", 0, "EvalPart"),
    ("alice", "joch eval run manners --target local", 0, "EvalResult"),
    ("alice", "joch eval run -f measured --target local", 2, "EvalResults"),
    // A part of which only the plan is left, as a killed one leaves it, can be gone on with.
    ("alice", "sed -i '2,$d' .joch/runs/*-1-of-2/journal.jsonl && joch eval ls", 0, "EvalList"),
    ("alice", "joch eval show manners --target local", 0, "EvalResult"),
    ("alice", "joch eval gate manners --from local --to dev", 0, "EvalGate"),
    ("alice", "joch gates selftest support-triage", 2, "SelftestResult"),
    ("alice", "joch trust quorum", 0, "TrustResult"),
    ("alice", "joch trust quorum 9", 64, "Error"),
    ("alice", "echo '{\"tools\": [{\"name\": \"a\"}]}' | joch mcp record help-center -f -", 0, "McpRecorded"),
    ("alice", "echo '{\"tools\": [{\"name\": \"b\"}]}' | joch mcp record help-center -f -", 0, "McpRecorded"),
    ("alice", "joch mcp show help-center", 0, "McpObservation"),
    ("alice", "joch mcp diff help-center", 0, "McpDiff"),
    ("alice", "joch get agents", 0, "ResourceList"),
    ("alice", "joch get environments", 0, "ResourceList"),
    ("alice", "joch get tools --env prod", 0, "ResourceList"),
    ("alice", "joch get agent support-triage --history", 0, "History"),
    ("alice", "joch get agent support-triage --history --env prod", 0, "History"),
    ("alice", "joch get releases", 0, "ReleaseList"),
    ("alice", "joch describe agent support-triage --env prod", 0, "Description"),
    ("alice", "joch describe tool zendesk.create_ticket", 0, "Description"),
    ("alice", "joch describe release prod/1", 0, "ReleaseDescription"),
    ("alice", "joch describe agent nobody", 1, "Error"),
    ("alice", "joch diff agent support-triage --from 1 --to 2", 0, "DiffResult"),
    ("alice", "joch diff agent support-triage --from 1 --to 2 --exit-code", 2, "DiffResult"),
    ("alice", "sed -i 's/^  description: /&Now /' policies/pii-redaction.yaml && joch version", 0, "VersionInfo"),
    ("alice", "joch diff -f policies --against context:prod", 0, "DiffResult"),
    ("alice", "joch policy preview -f policies", 0, "PolicyPreview"),
    ("alice", "joch diff agent support-triage --from 1 --to 9", 1, "Error"),
    ("alice", "joch agbom support-triage", 0, "AgbomResult"),
    ("alice", "joch agbom support-triage --diff --from prod --to local", 0, "AgbomDiff"),
    ("alice", "sed -i 's/2\\.3\\.1/2.4.0/' mcp-servers/*.yaml && joch apply -f mcp-servers", 0, "ApplyResult"),
    ("alice", "joch agbom support-triage --diff --from prod --to local", 0, "AgbomDiff"),
    ("alice", "joch agbom support-triage --format swid", 64, "Error"),
    ("alice", "joch agbom ls --mcp-server help-center", 0, "AgbomList"),
    ("alice", "joch agbom ls --uses help-center", 64, "Error"),
    (
        "alice",
        "sed -i '/^spec:/a\\  override: [alice@example.com]' environments/prod.yaml && joch version",
        0,
        "VersionInfo",
    ),
    ("alice", "joch apply -f environments", 0, "ApplyResult"),
    ("alice", "sed -i 's/Tone: warm/Tone: kind/' agents/*.yaml && joch version", 0, "VersionInfo"),
    ("alice", "joch apply -f agents --env prod --override approval:release-manager --reason down", 64, "Error"),
    (
        "alice",
        "joch apply -f agents --env prod --override approval:release-manager --reason down --ticket INC-7",
        0,
        "ApplyResult",
    ),
    ("alice", "joch get releases --env prod", 0, "ReleaseList"),
    ("bob", "joch approvals review prod/2 --rationale fine", 0, "ReviewResult"),
    ("alice", "joch describe release prod/2", 0, "ReleaseDescription"),
    ("alice", "joch audit verify", 0, "VerifyResult"),
    ("alice", "joch gc --dry-run", 0, "GcResult"),
    ("alice", "joch gc", 0, "GcResult"),
    ("alice", "joch gc", 0, "GcResult"),
    ("alice", "joch audit log", 0, "AuditLog"),
    ("alice", "joch audit export --bundle exported", 0, "AuditExport"),
    ("alice", "joch audit prove support-triage --env prod", 0, "Proof"),
    ("alice", "git -C .joch/ledger.git tag -d release/prod/1 > gone; joch audit verify", 2, "VerifyResult"),
    ("alice", "joch audit prove support-triage", 64, "Error"),
    ("alice", "joch no-such-command", 64, "Error"),
];

#[test]
fn every_answer_is_as_it_was_promised() {
    let world = project();
    let schemas: BTreeMap<_, _> = contract::answers().into_iter().collect();
    let mut shown = BTreeSet::new();
    let mut complaints = Vec::new();
    for &(person, line, code, kind) in SCRIPT {
        let outcome = world.sh(person, &format!("{line} -o json"));
        let answers = [&outcome.stdout, &outcome.stderr];
        let [answer, other] = if kind == "Error" { [answers[1], answers[0]] } else { answers };
        let quiet = other.lines().all(|said| kind != "Error" && said.starts_with("note: "));
        if outcome.code != code || !quiet {
            complaints.push(format!("`{line}`: exit {}, {:.600}{:.600}", outcome.code, outcome.stdout, outcome.stderr));
            continue;
        }
        let answer: Value = serde_json::from_str(answer).unwrap_or_else(|why| panic!("`{line}`: {why}: {answer}"));
        let about = |complaint: String| format!("`{line}`: {complaint}");
        if answer["kind"] != kind {
            complaints.push(about(format!("its kind is {}, not {kind}", answer["kind"])));
            continue;
        }
        complaints.extend(schema::complaints(&schemas[kind], &answer).into_iter().map(about));
        for field in promised(kind) {
            match occurrences(&answer, field) {
                Ok(0) => {}
                Ok(_) => drop(shown.insert((kind, *field))),
                Err(at) => complaints.push(about(format!("`{field}` is not there, at {at}"))),
            }
        }
    }
    complaints.truncate(20);
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
    let all = PROMISED.iter().flat_map(|(kind, fields)| fields.iter().map(|field| (*kind, *field)));
    let unseen: Vec<_> = all.filter(|promise| !shown.contains(promise)).collect();
    assert!(unseen.is_empty(), "no command of the script shows {unseen:?}");
}

#[test]
fn a_report_that_a_command_has_not_is_refused_before_it_does_anything() {
    let world = World::new("reports");
    for format in ["junit", "openmetrics", "github", "html"] {
        let refused = world.sh("alice", &format!("joch init --operator alice@example.com -o {format}"));
        assert_eq!((refused.code, refused.stdout.as_str()), (64, ""));
        assert!(refused.stderr.contains(&format!("this command has no form as `{format}`")), "{}", refused.stderr);
        assert!(
            refused.stderr.contains("next: it has table, wide, json, yaml, name, markdown\n"),
            "{}",
            refused.stderr
        );
    }
    assert!(!world.project().join("joch.yaml").exists(), "a refused command did its work");
    // A variable is for many commands; it counts for those that have the report.
    let told = world.sh("alice", "JOCH_OUTPUT=junit joch version");
    assert!(told.code == 0 && told.stdout.starts_with("joch "), "{}", told.stdout);
}

#[test]
fn every_published_kind_promises_fields() {
    let promised: Vec<_> = PROMISED.iter().map(|(kind, _)| *kind).collect();
    let published: Vec<_> = contract::answers().into_iter().map(|(kind, _)| kind).collect();
    assert_eq!(promised, published);
}

#[test]
fn what_is_stored_is_as_its_schema_says() {
    let world = project();
    for line in ["joch init --operator alice@example.com", "joch apply -f .", "joch apply -f . --env prod"] {
        world.sh("alice", line);
    }
    world.sh("alice", "joch approvals request support-triage --from local --to dev");
    let schemas: BTreeMap<_, _> = contract::stored().into_iter().collect();
    let places = [
        ("record", "heads/local", "record.json"),
        ("release", "heads/local", "release.json"),
        ("record", "heads/evidence", "decisions/"),
        ("statement", "heads/evidence", "approvals/"),
    ];
    for (name, branch, part) in places {
        let git = "git -C .joch/ledger.git";
        let listed = world.sh("alice", &format!("{git} ls-tree -r --name-only {branch}")).stdout;
        let paths: Vec<_> = listed.lines().filter(|path| path.contains(part) && path.ends_with(".json")).collect();
        assert!(!paths.is_empty(), "no `{part}` in {branch}:\n{listed}");
        for path in paths {
            let text = world.sh("alice", &format!("{git} cat-file blob '{branch}:{path}'")).stdout;
            let value: Value = serde_json::from_str(&text).expect("JSON");
            assert_eq!(schema::complaints(&schemas[name], &value), Vec::<String>::new(), "{branch}:{path}");
        }
    }
}

/// The fixture project, with Bob's key in the team that releases, and something broken beside it.
fn project() -> World {
    let world = World::new("output");
    let team = world.project().join("teams/release-manager.yaml");
    assert_eq!(world.sh("alice", "cp -R \"$FIXTURES/support-triage/.\" .").code, 0);
    let key = fs::read_to_string(world.home("bob").join(".ssh/id_ed25519.pub")).expect("Bob's key");
    let key = key.rsplit_once(' ').map_or(key.as_str(), |(key, _)| key);
    let text = fs::read_to_string(&team).expect("a file of the fixture");
    let with_key = text.replacen("role: approver\n", &format!("role: approver\n      keys: [\"{key}\"]\n"), 1);
    assert_ne!(text, with_key, "the fixture's team has an approver");
    fs::write(&team, with_key).expect("own file");
    // Left out of `-f .`, so that it breaks only what names it.
    fs::write(world.project().join(".jochignore"), "broken\nmeasured\n").expect("own file");
    fs::create_dir(world.project().join("broken")).expect("own folder");
    let broken = "apiVersion: joch.dev/v1alpha1\nkind: Agent\nmetadata:\n  name: broken\nspec:\n  tools:\n    - zendesk.create_tickets\n";
    fs::write(world.project().join("broken/agent.yaml"), broken).expect("own file");
    fs::create_dir(world.project().join("measured")).expect("own folder");
    fs::write(world.project().join("measured/cases.jsonl"), "{\"id\": \"a\", \"input\": \"Hi\"}\n").expect("own file");
    fs::write(world.project().join("measured/all.yaml"), MEASURED).expect("own file");
    world
}

/// An agent that is a program, and two Evals of it, of which one fails.
const MEASURED: &str = "\
apiVersion: joch.dev/v1alpha1
kind: Agent
metadata: {name: greeter}
spec: {framework: {adapterRef: {name: openai-agents}}, instructions: Greet.}
---
apiVersion: joch.dev/v1alpha1
kind: Deployment
metadata: {name: greeter-local}
spec:
  agentRef: {name: greeter}
  environmentRef: {name: local}
  invoke: {type: command, command: [echo, hello]}
---
apiVersion: joch.dev/v1alpha1
kind: Eval
metadata: {name: manners}
spec:
  target: {kind: Agent, name: greeter}
  dataset: {type: file, uri: ./measured/cases.jsonl}
  schedule: {nightly: true}
  metrics: [{name: greeting, type: deterministic, check: contains, texts: [hello], direction: higher}]
  thresholds: {greeting: 1}
---
apiVersion: joch.dev/v1alpha1
kind: Eval
metadata: {name: warmth}
spec:
  target: {kind: Agent, name: greeter}
  dataset: {type: file, uri: ./measured/cases.jsonl}
  metrics: [{name: greeting, type: deterministic, check: contains, texts: [welcome], direction: higher}]
  thresholds: {greeting: 1}
";

fn promised(kind: &str) -> &'static [&'static str] {
    PROMISED.iter().find(|(of, _)| *of == kind).map(|(_, fields)| *fields).unwrap_or_default()
}

/// How often a field such as `agents[].gates[].verdict` is there; none where a list on the way is empty.
fn occurrences(value: &Value, field: &str) -> Result<usize, String> {
    let Some((step, rest)) = field.split_once('.') else { return step_into(value, field).map(|found| found.len()) };
    // What may be null has no fields then.
    let inner = step_into(value, step)?.into_iter().filter(|value| !value.is_null());
    inner.map(|value| occurrences(value, rest)).sum()
}

fn step_into<'a>(value: &'a Value, step: &str) -> Result<Vec<&'a Value>, String> {
    let name = step.trim_end_matches("[]");
    let found = value.get(name).ok_or_else(|| format!("`{name}` of {value}"))?;
    match (step.ends_with("[]"), found.as_array()) {
        (true, Some(items)) => Ok(items.iter().collect()),
        (true, None) => Err(format!("`{name}` is no list")),
        (false, _) => Ok(vec![found]),
    }
}
