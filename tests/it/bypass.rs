//! Ways around a gate, one a test, as somebody with a terminal would try them. Each is stopped with its exit code and
//! its reason, moves no branch that releases or trust are on, and leaves a ledger that an audit finds sound.

use std::fs;
use std::path::PathBuf;

use crate::support::needs;
use crate::support::world::{Outcome, World};

const LADDER: [&str; 4] = ["local", "dev", "staging", "prod"];

/// Exit codes as the contract has them.
const REFUSED: i32 = 2;
const PENDING: i32 = 3;
const CREDENTIALS: i32 = 4;

/// A project in which Alice is admin, Alice and Bob are the release managers, Bob and the automation `ci` operate, and
/// nobody lists Mallory.
struct Lab(World);

impl Lab {
    fn new(name: &str) -> Self {
        let lab = Self(World::new(name));
        lab.does("alice", "init --operator alice@example.com");
        let [bob, ci] = ["bob", "ci"].map(|person| lab.key(person));
        let teams = format!(
            "{}spec:\n  members:\n  - {{user: alice@example.com, role: approver}}\n  \
             - {{user: bob@example.com, role: approver, keys: [\"{bob}\"]}}\n---\n\
             {}spec:\n  members:\n  - {{user: bob@example.com, role: operator, environments: [local, dev, staging, prod]}}\n  \
             - {{user: ci@example.com, role: operator, automation: true, environments: [local, dev, staging, prod], \
             keys: [\"{ci}\"]}}\n",
            head("Team", "{name: rm}"),
            head("Team", "{name: ops}"),
        );
        lab.file("teams.yaml", &teams);
        lab.does("alice", "apply -f teams.yaml");
        lab
    }

    /// The same, with `approval:rm` before `prod`.
    fn gated(name: &str) -> Self {
        let lab = Self::new(name);
        lab.file("prod.yaml", &environment("prod", "[\"approval:rm\"]"));
        lab.does("alice", "apply -f prod.yaml");
        lab
    }

    fn key(&self, person: &str) -> String {
        let text = fs::read_to_string(self.0.home(person).join(".ssh/id_ed25519.pub")).expect("settled");
        text.split(' ').take(2).collect::<Vec<_>>().join(" ").trim().to_owned()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.project().join(name)
    }

    fn file(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).expect("a file of the project");
    }

    /// `joch LINE`, which works.
    #[track_caller]
    fn does(&self, person: &str, line: &str) -> String {
        let outcome = self.0.sh(person, &format!("joch {line}"));
        assert_eq!(outcome.code, 0, "{person}: joch {line}\n{}{}", outcome.stdout, outcome.stderr);
        outcome.stdout
    }

    /// `joch LINE`, which ends with `code`, says all of `reasons`, and moves no environment and not trust.
    #[track_caller]
    fn stopped(&self, person: &str, line: &str, code: i32, reasons: &[&str]) -> Outcome {
        let before = self.tips();
        let outcome = self.0.sh(person, &format!("joch {line}"));
        let said = format!("{}{}", outcome.stdout, outcome.stderr);
        assert_eq!(outcome.code, code, "{person}: joch {line}\n{said}");
        for reason in reasons {
            assert!(said.contains(reason), "{person}: joch {line}\nsays no `{reason}`:\n{said}");
        }
        assert_eq!(self.tips(), before, "{person}: joch {line} was stopped and moved something\n{said}");
        outcome
    }

    #[track_caller]
    fn git(&self, line: &str) -> String {
        let outcome = self.0.sh("alice", &format!("git --git-dir .joch/ledger.git {line}"));
        assert_eq!(outcome.code, 0, "git {line}\n{}{}", outcome.stdout, outcome.stderr);
        outcome.stdout.trim().to_owned()
    }

    fn tip(&self, branch: &str) -> String {
        self.git(&format!("rev-parse refs/heads/{branch}"))
    }

    /// Everything that a stopped release must leave alone.
    fn tips(&self) -> String {
        let branches = LADDER.map(|rung| format!("refs/heads/{rung}")).join(" ");
        self.git(&format!("for-each-ref {branches} refs/heads/trust refs/tags"))
    }

    /// What `prod` runs of a file in a closure.
    fn runs(&self, rung: &str, path: &str) -> String {
        self.git(&format!("show refs/heads/{rung}:agents/default/{path}"))
    }

    /// The automation applies `file` and brings `agent` up to `staging`.
    #[track_caller]
    fn up(&self, file: &str, agents: &[&str]) {
        self.does("ci", &format!("apply -f {file}"));
        for agent in agents {
            self.does("ci", &format!("promote {agent} --from local --to dev"));
            self.does("ci", &format!("promote {agent} --from dev --to staging"));
        }
    }

    /// The id of the attempt on `agent` that waits.
    fn waiting(&self, agent: &str) -> String {
        let list: serde_json::Value = serde_json::from_str(&self.does("bob", "approvals ls -o json")).expect("JSON");
        let items = list["items"].as_array().expect("items");
        let about = |item: &&serde_json::Value| {
            item["state"] == "waiting" && item["changes"][0]["resource"].to_string().contains(&format!("{agent}\""))
        };
        items.iter().find(about).expect("an attempt that waits")["id"].as_str().expect("an id").to_owned()
    }

    /// An audit finds nothing.
    #[track_caller]
    fn is_sound(&self) {
        self.does("alice", "audit verify");
    }
}

fn head(kind: &str, metadata: &str) -> String {
    format!("apiVersion: joch.dev/v1alpha1\nkind: {kind}\nmetadata: {metadata}\n")
}

fn environment(name: &str, gates: &str) -> String {
    format!("{}spec: {{gates: {gates}}}\n", head("Environment", &format!("{{name: {name}}}")))
}

fn agent(name: &str, instructions: &str) -> String {
    format!("{}spec: {{instructions: \"{instructions}\"}}\n", head("Agent", &format!("{{name: {name}}}")))
}

fn parent(name: &str, child: &str) -> String {
    format!("{}spec: {{instructions: parent, children: [{child}]}}\n", head("Agent", &format!("{{name: {name}}}")))
}

fn deployment(name: &str, agent: &str, more: &str) -> String {
    let spec = format!("{{agentRef: {{name: {agent}}}, environmentRef: {{name: prod}}{more}}}");
    format!("{}spec: {spec}\n", head("Deployment", &format!("{{name: {name}}}")))
}

fn policy(name: &str, words: &str) -> String {
    let spec = format!("{{rules: [{{when: {{x: \"{words}\"}}, action: {{deny: true}}}}]}}");
    format!("{}spec: {spec}\n", head("Policy", &format!("{{name: {name}}}")))
}

const TO_PROD: &str = "--from staging --to prod";

// What a set may do to the gates that judge it.

#[test]
fn a_gate_that_a_set_adds_judges_that_set() {
    let lab = Lab::new("adds-a-gate");
    lab.file("prod.yaml", &environment("prod", "[\"approval:rm\"]"));
    lab.file("a.yaml", &agent("a", "one"));
    let line = "apply -f prod.yaml -f a.yaml --env prod -o json";
    let outcome = lab.stopped("alice", line, PENDING, &["0 of 1 approvals of team rm"]);
    let said: serde_json::Value = serde_json::from_str(&outcome.stdout).expect("JSON");
    for resource in said["resources"].as_array().expect("resources") {
        assert_eq!(resource["change"], "unchanged", "{resource}");
    }
    assert_eq!((&said["release"], &said["trustCommit"]), (&serde_json::Value::Null, &serde_json::Value::Null));
    lab.is_sound();
}

#[test]
fn a_gate_that_a_set_removes_still_judges_that_set() {
    let lab = Lab::gated("removes-a-gate");
    lab.file("prod.yaml", &environment("prod", "[]"));
    lab.file("a.yaml", &agent("a", "one"));
    lab.stopped("alice", "apply -f prod.yaml -f a.yaml --env prod", PENDING, &["0 of 1 approvals of team rm"]);
    lab.is_sound();
}

#[test]
fn gates_written_as_one_string_or_one_map_are_gates() {
    for (name, gates) in [("string", "\"approval:rm\""), ("map", "{gate: \"approval:rm\"}")] {
        let lab = Lab::new(name);
        lab.file("prod.yaml", &environment("prod", gates));
        lab.does("alice", "apply -f prod.yaml");
        lab.file("a.yaml", &agent("a", "one"));
        lab.stopped("ci", "apply -f a.yaml --env prod", PENDING, &["0 of 1 approvals of team rm"]);
        lab.is_sound();
    }
}

#[test]
fn an_environment_of_a_namespace_does_not_shadow_the_one_that_guards() {
    let lab = Lab::gated("namespace-environment");
    let shadow = head("Environment", "{name: prod, namespace: aaa}") + "spec: {gates: []}\n";
    lab.file("shadow.yaml", &shadow);
    lab.stopped(
        "alice",
        "apply -f shadow.yaml",
        REFUSED,
        &["environment/aaa/prod", "environments and teams have no namespace"],
    );
    lab.is_sound();
}

#[test]
fn a_team_of_a_namespace_does_not_speak_for_its_namesake() {
    let lab = Lab::gated("namespace-team");
    let mallory = lab.key("mallory");
    let shadow = head("Team", "{name: rm, namespace: zzz}")
        + &format!("spec: {{members: [{{user: mallory@example.com, role: approver, keys: [\"{mallory}\"]}}]}}\n");
    lab.file("shadow.yaml", &shadow);
    lab.stopped("alice", "apply -f shadow.yaml", REFUSED, &["team/zzz/rm", "environments and teams have no namespace"]);
    lab.is_sound();
}

#[test]
fn an_operator_who_drops_their_own_role_releases_nothing_on_the_way() {
    let lab = Lab::new("drops-own-role");
    let (alice, bob) = (lab.key("alice"), lab.key("bob"));
    // Alice stays known, as an approver; Bob becomes the admin.
    let admins = head("Team", "{name: admins}")
        + &format!(
            "spec:\n  members:\n  - {{user: bob@example.com, role: admin, keys: [\"{bob}\"]}}\n  \
             - {{user: alice@example.com, role: viewer, keys: [\"{alice}\"]}}\n"
        );
    lab.file("admins.yaml", &admins);
    lab.file("a.yaml", &agent("a", "one"));
    lab.stopped(
        "alice",
        "apply -f admins.yaml -f a.yaml --env prod",
        CREDENTIALS,
        &["`alice@example.com` may not write to `prod`"],
    );
    lab.is_sound();
}

#[test]
fn what_an_environment_holds_is_not_taken_for_an_imposed_policy() {
    let lab = Lab::new("imposed");
    lab.file("pii.yaml", &policy("pii", "weak"));
    lab.does("ci", "apply -f pii.yaml");
    let prod = head("Environment", "{name: prod}") + "spec: {gates: [\"approval:rm\"], policies: [pii]}\n";
    lab.file("prod.yaml", &prod);
    lab.stopped("alice", "apply -f prod.yaml", REFUSED, &["pii", "neither in the set nor on trust"]);
    lab.file("strong.yaml", &policy("pii", "strong"));
    lab.does("alice", "apply -f prod.yaml -f strong.yaml");
    assert!(lab.git("show refs/heads/trust:policies/pii.yaml").contains("strong"));
    lab.is_sound();
}

#[test]
fn a_deployment_does_not_take_its_own_gate_away() {
    let lab = Lab::new("deployment-gate");
    let asks = deployment("d", "a", ", promotion: {requiresApproval: rm}");
    lab.file("set.yaml", &[agent("a", "one"), asks].join("---\n"));
    lab.up("set.yaml", &["a"]);
    let reason = "0 of 1 approvals of team rm";
    lab.stopped("ci", &format!("promote a {TO_PROD}"), PENDING, &[reason]);
    lab.does("bob", &format!("approve a {TO_PROD}"));
    lab.does("ci", &format!("promote a {TO_PROD}"));
    lab.does("ci", "apply -f set.yaml --env staging");
    lab.file("set.yaml", &[agent("a", "two"), deployment("d", "a", "")].join("---\n"));
    lab.stopped("ci", "apply -f set.yaml --env prod", PENDING, &[reason]);
    lab.file("d.yaml", &deployment("d", "a", ""));
    lab.stopped("ci", "apply -f d.yaml --env prod", PENDING, &[reason]);
    lab.file("d.yaml", &[agent("z", "other"), deployment("d", "z", "")].join("---\n"));
    lab.stopped("ci", "apply -f d.yaml --env prod", PENDING, &[reason]);
    lab.stopped("ci", "delete deployment d --env prod", PENDING, &[reason]);
    lab.is_sound();
}

#[test]
fn a_deletion_from_a_gated_environment_is_gated() {
    let lab = Lab::gated("deletion");
    lab.file("a.yaml", &agent("a", "one"));
    lab.up("a.yaml", &["a"]);
    lab.does("bob", &format!("approve a {TO_PROD}"));
    lab.does("ci", &format!("promote a {TO_PROD}"));
    lab.stopped("ci", "delete agent a --env prod", PENDING, &["0 of 1 approvals of team rm"]);
    lab.is_sound();
}

#[test]
fn no_rung_is_skipped_and_none_is_promoted_downwards() {
    let lab = Lab::gated("rungs");
    lab.file("a.yaml", &agent("a", "one"));
    lab.up("a.yaml", &["a"]);
    for (from, to) in [("dev", "prod"), ("local", "staging"), ("staging", "dev"), ("staging", "staging")] {
        lab.stopped(
            "ci",
            &format!("promote a --from {from} --to {to}"),
            REFUSED,
            &["a promotion climbs one rung of local → dev → staging → prod"],
        );
    }
    lab.is_sound();
}

// Whose yes counts.

#[test]
fn an_author_does_not_approve_what_an_automation_applies_for_them() {
    let lab = Lab::gated("author-apply");
    lab.file("a.yaml", &agent("a", "one"));
    lab.does("bob", "apply -f a.yaml");
    lab.stopped("ci", "apply -f a.yaml --env prod", PENDING, &["0 of 1 approvals of team rm"]);
    lab.does("bob", &format!("approvals decide {} --decision approve", lab.waiting("a")));
    let reason = "bob@example.com: an author of the change does not approve it";
    lab.stopped("ci", "apply -f a.yaml --env prod", PENDING, &[reason, "alice@example.com can approve"]);
    lab.does("alice", &format!("approvals decide {} --decision approve", lab.waiting("a")));
    lab.does("ci", "apply -f a.yaml --env prod");
    lab.is_sound();
}

#[test]
fn an_author_does_not_approve_what_an_automation_promotes_for_them() {
    let lab = Lab::gated("author-promote");
    lab.file("a.yaml", &agent("a", "one"));
    lab.does("bob", "apply -f a.yaml");
    lab.up("a.yaml", &["a"]);
    lab.does("bob", &format!("approve a {TO_PROD}"));
    let reason = "bob@example.com: an author of the change does not approve it";
    lab.stopped("ci", &format!("promote a {TO_PROD}"), PENDING, &[reason]);
    lab.is_sound();
}

#[test]
fn an_author_of_a_deployment_or_an_eval_alone_does_not_approve_it() {
    let lab = Lab::gated("author-record");
    lab.file("a.yaml", &agent("a", "one"));
    lab.up("a.yaml", &["a"]);
    let eval = head("Eval", "{name: d}")
        + "spec: {target: {kind: Agent, name: a}, dataset: {type: file, uri: ./c.jsonl}, \
           metrics: [{name: success, type: llm_judge}], thresholds: {success: 0.85}}\n";
    lab.file("c.jsonl", "{\"input\":\"x\"}\n");
    for (kind, text) in [("deployment", deployment("d", "a", ", replicas: 1")), ("eval", eval)] {
        lab.file("record.yaml", &text);
        lab.does("bob", "apply -f record.yaml --env staging");
        lab.does("bob", &format!("approve {kind} d {TO_PROD}"));
        let reason = "bob@example.com: an author of the change does not approve it";
        lab.stopped("ci", &format!("promote {kind} d {TO_PROD}"), PENDING, &[reason]);
    }
    lab.is_sound();
}

#[test]
fn an_author_of_a_child_does_not_approve_its_parent() {
    let lab = Lab::gated("author-child");
    lab.file("kid.yaml", &agent("kid", "one"));
    lab.file("dad.yaml", &parent("dad", "kid"));
    lab.does("bob", "apply -f kid.yaml");
    lab.up("dad.yaml", &["dad"]);
    lab.does("bob", &format!("approve dad {TO_PROD}"));
    let reason = "bob@example.com: an author of the change does not approve it";
    lab.stopped("ci", &format!("promote dad {TO_PROD}"), PENDING, &[reason]);
    lab.is_sound();
}

#[test]
fn a_word_of_somebody_who_may_not_speak_is_not_written() {
    let lab = Lab::gated("no-voice");
    lab.file("a.yaml", &agent("a", "one"));
    lab.up("a.yaml", &["a"]);
    let before = lab.tip("evidence");
    lab.stopped("ci", &format!("approve a {TO_PROD}"), CREDENTIALS, &["is an automation, and its word never counts"]);
    for verb in ["approve", "reject", "promote"] {
        let reason = "trust lists no principal for your key";
        lab.stopped("mallory", &format!("{verb} a {TO_PROD}"), CREDENTIALS, &[reason]);
    }
    assert_eq!(lab.tip("evidence"), before);
    lab.is_sound();
}

#[test]
fn a_decision_on_one_attempt_is_none_on_another_of_the_same_second() {
    let lab = Lab::gated("same-second");
    lab.file("ab.yaml", &[agent("a", "one"), agent("b", "two")].join("---\n"));
    lab.up("ab.yaml", &["a", "b"]);
    // Begun with a second, both attempts end in it, unless the machine is very busy.
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970");
    std::thread::sleep(std::time::Duration::from_nanos(1_000_000_000 - u64::from(now.subsec_nanos())));
    lab.0.sh("ci", &format!("joch promote a {TO_PROD} & joch promote b {TO_PROD}; wait"));
    lab.does("bob", &format!("approvals decide {} --decision approve", lab.waiting("a")));
    lab.stopped("ci", &format!("promote b {TO_PROD}"), PENDING, &["0 of 1 approvals of team rm"]);
    lab.does("ci", &format!("promote a {TO_PROD}"));
    lab.is_sound();
}

// A no stays a no.

#[test]
fn a_rejection_is_not_dodged_by_a_change_beside_the_candidate() {
    let lab = Lab::gated("dodge");
    lab.file("a.yaml", &agent("a", "one"));
    lab.up("a.yaml", &["a"]);
    lab.does("bob", &format!("reject a {TO_PROD} --rationale 'leaks data'"));
    lab.does("alice", &format!("approve a {TO_PROD}"));
    lab.stopped("ci", &format!("promote a {TO_PROD}"), REFUSED, &["rejected by bob@example.com"]);
    lab.file("d.yaml", &deployment("d", "a", ", replicas: 1"));
    lab.does("ci", "apply -f d.yaml --env staging");
    lab.does("alice", &format!("approve a {TO_PROD}"));
    lab.stopped("ci", &format!("promote a {TO_PROD}"), REFUSED, &["rejected by bob@example.com"]);
    lab.stopped("ci", &format!("promote deployment d {TO_PROD}"), PENDING, &["0 of 1 approvals of team rm"]);
    lab.is_sound();
}

#[test]
fn a_rejection_blocks_where_nobody_demands_an_approval() {
    let lab = Lab::new("ungated-reject");
    lab.file("a.yaml", &agent("a", "one"));
    lab.up("a.yaml", &["a"]);
    lab.does("bob", &format!("reject a {TO_PROD}"));
    lab.stopped("ci", &format!("promote a {TO_PROD}"), REFUSED, &["rejected by bob@example.com"]);
    lab.stopped("ci", "apply -f a.yaml --env prod", REFUSED, &["rejected by bob@example.com"]);
    lab.is_sound();
}

#[test]
fn a_rejection_after_a_yes_of_the_same_person_counts() {
    let lab = Lab::gated("no-after-yes");
    lab.file("a.yaml", &agent("a", "one"));
    lab.up("a.yaml", &["a"]);
    lab.does("bob", &format!("approve a {TO_PROD}"));
    lab.does("bob", &format!("reject a {TO_PROD} --rationale 'changed my mind'"));
    lab.stopped("ci", &format!("promote a {TO_PROD}"), REFUSED, &["rejected by bob@example.com"]);
    lab.is_sound();
}

#[test]
fn a_yes_that_is_carried_again_after_a_no_does_not_take_it_back() {
    if !needs(&["ssh-keygen"]) {
        return;
    }
    let lab = Lab::gated("replayed-yes");
    lab.file("a.yaml", &agent("a", "one"));
    lab.up("a.yaml", &["a"]);
    lab.does("bob", &format!("approve a {TO_PROD}"));
    let path = lab.git("ls-tree -r --name-only refs/heads/evidence approvals");
    let path = path.lines().find(|path| path.ends_with(".json")).expect("Bob's yes").to_owned();
    lab.does("bob", &format!("reject a {TO_PROD}"));
    let honest = lab.tip("evidence");
    let again = path.replace(".json", "0.json");
    let taken_away = format!("--force-remove {path}");
    let put_back = format!("--add --cacheinfo 100644,$blob,{path}");
    let beside = format!("--add --cacheinfo 100644,$blob,{again} --cacheinfo 100644,$signature,{again}.sig");
    for (first, second, reason) in [
        (taken_away.as_str(), put_back.as_str(), "rejected by bob@example.com"),
        ("--refresh", beside.as_str(), "is damaged: its content is"),
    ] {
        let forge = format!(
            "export GIT_DIR=.joch/ledger.git GIT_INDEX_FILE=forged; rm -f forged; git read-tree evidence && \
             blob=$(git rev-parse evidence:{path}) && signature=$(git rev-parse evidence:{path}.sig) && \
             step() {{ git update-index \"$@\"; git update-ref refs/heads/evidence \
             $(git commit-tree -S $(git write-tree) -p evidence -m 'approve'); }} && step {first} && step {second}"
        );
        let forged = lab.0.sh("ci", &forge);
        assert_eq!(forged.code, 0, "{}", forged.stderr);
        lab.stopped("ci", &format!("promote a {TO_PROD}"), REFUSED, &[reason]);
        lab.git(&format!("update-ref refs/heads/evidence {honest}"));
        // What joch remembers of the forged branch is of no use to the next round.
        fs::remove_file(lab.path(".joch/seen.json")).ok();
    }
    lab.is_sound();
}

// Agents within agents.

#[test]
fn promoting_and_rolling_back_a_child_reaches_its_parents() {
    let lab = Lab::new("child");
    let child = |lab: &Lab, rung: &str| lab.runs(rung, "dad/closure/agents/kid/agent.yaml");
    for words in ["one", "two"] {
        lab.file("kid.yaml", &agent("kid", words));
        lab.file("dad.yaml", &parent("dad", "kid"));
        lab.does("ci", "apply -f kid.yaml -f dad.yaml");
        lab.does("ci", "promote kid --from local --to dev");
        lab.0.sh("ci", "joch promote dad --from local --to dev");
        assert!(child(&lab, "dev").contains(words), "{}", child(&lab, "dev"));
    }
    lab.does("ci", "rollback kid --env dev --to-version 1");
    assert!(lab.runs("dev", "kid/closure/agent.yaml").contains("one"));
    assert!(child(&lab, "dev").contains("one"), "{}", child(&lab, "dev"));
    lab.is_sound();
}

#[test]
fn a_promoted_child_is_released_in_its_parents_in_the_same_release() {
    let lab = Lab::new("child-promoted");
    lab.file("kid.yaml", &agent("kid", "one"));
    lab.file("dad.yaml", &parent("dad", "kid"));
    lab.does("ci", "apply -f kid.yaml -f dad.yaml");
    lab.does("ci", "promote kid --from local --to dev");
    lab.does("ci", "promote dad --from local --to dev");
    lab.file("kid.yaml", &agent("kid", "two"));
    lab.does("ci", "apply -f kid.yaml");
    lab.does("ci", "promote kid --from local --to dev");
    assert!(lab.runs("dev", "dad/closure/agents/kid/agent.yaml").contains("two"));
    lab.is_sound();
}

#[test]
fn a_parent_does_not_smuggle_a_child_past_its_gate() {
    let lab = Lab::new("smuggle");
    lab.file("kid.yaml", &agent("kid", "one"));
    lab.file("dad.yaml", &parent("dad", "kid"));
    lab.file("d.yaml", &deployment("kid-prod", "kid", ", promotion: {requiresApproval: rm}"));
    lab.does("ci", "apply -f kid.yaml -f dad.yaml -f d.yaml");
    for (from, to) in [("local", "dev"), ("dev", "staging")] {
        lab.does("ci", &format!("promote kid --from {from} --to {to}"));
        lab.does("ci", &format!("promote dad --from {from} --to {to}"));
    }
    let reason = "0 of 1 approvals of team rm";
    lab.stopped("ci", &format!("promote kid {TO_PROD}"), PENDING, &[reason]);
    lab.stopped("ci", &format!("promote dad {TO_PROD}"), PENDING, &[reason]);
    lab.stopped("ci", "apply -f kid.yaml -f dad.yaml -f d.yaml --env prod", PENDING, &[reason]);
    lab.is_sound();
}

#[test]
fn a_ring_of_children_over_several_applies_is_refused_and_printed() {
    let lab = Lab::new("ring");
    lab.file("leaf.yaml", &agent("b", "leaf"));
    lab.file("a.yaml", &parent("a", "b"));
    lab.file("b.yaml", &parent("b", "a"));
    lab.does("ci", "apply -f leaf.yaml");
    lab.does("ci", "apply -f a.yaml");
    let outcome = lab.stopped("ci", "apply -f b.yaml", REFUSED, &["agent/b → agent/a → agent/b"]);
    assert!(!outcome.stderr.contains("panicked"));
    lab.is_sound();
}

#[test]
fn a_rollback_of_a_child_is_free_only_for_parents_that_served_in_that_form() {
    let lab = Lab::gated("child-rollback");
    lab.file("kid.yaml", &agent("kid", "one"));
    lab.file("dad.yaml", &parent("dad", "kid"));
    let release = |files: &str, agents: &[&str]| {
        lab.does("ci", &format!("apply {files}"));
        for agent in agents {
            lab.does("ci", &format!("promote {agent} --from local --to dev"));
            lab.does("ci", &format!("promote {agent} --from dev --to staging"));
            lab.does("alice", &format!("approve {agent} {TO_PROD}"));
            lab.does("ci", &format!("promote {agent} {TO_PROD}"));
        }
    };
    release("-f kid.yaml -f dad.yaml", &["kid", "dad"]);
    lab.file("kid.yaml", &agent("kid", "two"));
    release("-f kid.yaml", &["kid"]);
    assert!(lab.runs("prod", "dad/closure/agents/kid/agent.yaml").contains("two"));
    lab.file("dad.yaml", &parent("dad", "kid").replace("parent", "another parent"));
    release("-f dad.yaml", &["dad"]);
    lab.stopped("ci", "rollback kid --env prod", PENDING, &["agent/dad", "0 of 1 approvals of team rm"]);
    lab.is_sound();
}

// How long a yes counts.

#[test]
fn an_approval_from_before_a_rollback_does_not_release_again_what_was_rolled_back() {
    let lab = Lab::gated("replay");
    for words in ["one", "two"] {
        lab.file("a.yaml", &agent("a", words));
        lab.up("a.yaml", &["a"]);
        lab.does("bob", &format!("approve a {TO_PROD}"));
        lab.does("ci", &format!("promote a {TO_PROD}"));
    }
    lab.does("ci", "rollback a --env prod --reason 'v2 is bad'");
    let reason = "it was given before the latest release of this here";
    lab.stopped("ci", &format!("promote a {TO_PROD}"), PENDING, &[reason]);
    assert!(lab.runs("prod", "a/closure/agent.yaml").contains("one"));
    lab.is_sound();
}

#[test]
fn a_release_of_another_agent_voids_no_approval() {
    let lab = Lab::gated("shared-model");
    let on_model = |name: &str, words: &str| {
        head("Agent", &format!("{{name: {name}}}")) + &format!("spec: {{model: m, instructions: {words}}}\n")
    };
    let model = head("Model", "{name: m}") + "spec: {provider: openai, model: gpt-4.1}\n";
    lab.file("ab.yaml", &[on_model("a", "one"), on_model("b", "two"), model].join("---\n"));
    lab.up("ab.yaml", &["a", "b"]);
    for name in ["a", "b"] {
        lab.does("bob", &format!("approve {name} {TO_PROD}"));
    }
    for name in ["a", "b"] {
        lab.does("ci", &format!("promote {name} {TO_PROD}"));
    }
    lab.is_sound();
}

// A ledger that somebody else wrote to.

/// Every verb that writes, on a project where `a` is on all rungs and another `a` waits before `prod`.
fn writing_verbs(attempt: &str) -> Vec<String> {
    vec![
        "apply -f a.yaml".into(),
        format!("promote a {TO_PROD}"),
        "rollback a --env prod".into(),
        "delete agent a --env prod".into(),
        format!("approve a {TO_PROD}"),
        format!("reject a {TO_PROD}"),
        format!("approvals request a {TO_PROD}"),
        format!("approvals decide {attempt} --decision approve"),
    ]
}

/// Two versions of `a` are on all rungs, and a third waits before `prod`. The evidence before the no is returned.
fn a_third_that_waits(lab: &Lab) -> String {
    for words in ["one", "two"] {
        lab.file("a.yaml", &agent("a", words));
        lab.up("a.yaml", &["a"]);
        lab.does("alice", &format!("approve a {TO_PROD}"));
        lab.does("ci", &format!("promote a {TO_PROD}"));
    }
    lab.file("a.yaml", &agent("a", "three"));
    lab.up("a.yaml", &["a"]);
    lab.stopped("ci", &format!("promote a {TO_PROD}"), PENDING, &["0 of 1 approvals of team rm"]);
    lab.file("a.yaml", &agent("a", "four"));
    lab.waiting("a")
}

#[test]
fn nothing_is_written_on_a_trust_that_no_admin_signed() {
    let lab = Lab::gated("forged-trust");
    let attempt = a_third_that_waits(&lab);
    let honest = lab.tip("trust");
    let team = lab.git("show refs/heads/trust:teams/admins.yaml");
    let team = team.replace("name: admins", "name: zz").replace("alice@", "mallory@");
    lab.file("zz.yaml", &(team.replace(&lab.key("alice"), &lab.key("mallory")) + "\n"));
    let forge = "export GIT_DIR=.joch/ledger.git GIT_INDEX_FILE=forged; git read-tree trust && \
                 blob=$(git hash-object -w zz.yaml) && git update-index --add --cacheinfo 100644,$blob,teams/zz.yaml && \
                 commit=$(git commit-tree $(git write-tree) -p trust -m 'change trust: zz') && \
                 git update-ref refs/heads/trust $commit";
    let forged = lab.0.sh("mallory", forge);
    assert_eq!(forged.code, 0, "{}", forged.stderr);
    for verb in writing_verbs(&attempt) {
        for person in ["mallory", "alice"] {
            lab.stopped(person, &format!("{verb} -o json"), REFUSED, &["\"trust-chain\"", "cannot be believed"]);
        }
    }
    assert_eq!(lab.0.sh("alice", "joch audit verify").code, REFUSED);
    lab.git(&format!("update-ref refs/heads/trust {honest}"));
    lab.is_sound();
}

#[test]
fn a_rejection_is_not_lost_by_rewinding_evidence() {
    for remembered in [true, false] {
        let lab = Lab::gated("rewound");
        let attempt = a_third_that_waits(&lab);
        lab.does("alice", &format!("approve a {TO_PROD}"));
        let before = lab.tip("evidence");
        lab.does("bob", &format!("reject a {TO_PROD}"));
        lab.stopped("ci", &format!("promote a {TO_PROD}"), REFUSED, &["rejected by bob@example.com"]);
        // Another release is decided under the rejection, so that the ledger itself remembers it.
        lab.file("b.yaml", &agent("b", "one"));
        lab.up("b.yaml", &["b"]);
        lab.does("alice", &format!("approve b {TO_PROD}"));
        lab.does("ci", &format!("promote b {TO_PROD}"));
        let honest = lab.tip("evidence");
        lab.git(&format!("update-ref refs/heads/evidence {before}"));
        if !remembered {
            fs::remove_file(lab.path(".joch/seen.json")).expect("the memory of this checkout");
        }
        for verb in writing_verbs(&attempt) {
            lab.stopped("alice", &format!("{verb} -o json"), REFUSED, &["\"rewound-branch\"", "evidence"]);
        }
        assert_eq!(lab.tip("evidence"), before);
        lab.git(&format!("update-ref refs/heads/evidence {honest}"));
        lab.is_sound();
    }
}

// Around the terminal.

#[test]
fn a_dry_run_needs_neither_the_lock_nor_a_ledger_it_can_write() {
    let lab = Lab::gated("dry-run");
    lab.file("a.yaml", &agent("a", "one"));
    lab.up("a.yaml", &["a"]);
    let lock = lab.path(".joch/ledger.git/joch/lock");
    let held = fs::File::options().create(true).truncate(false).write(true).open(lock).expect("the lock of the ledger");
    held.lock().expect("nobody else has it");
    let start = std::time::Instant::now();
    // Whoever runs the tests may be allowed to write everywhere, so it also counts that nothing was written.
    let all = || lab.0.sh("ci", "find .joch -type f -exec cksum {} + | sort").stdout;
    let before = all();
    lab.file("a.yaml", &agent("a", "two"));
    lab.stopped("ci", "apply -f a.yaml --dry-run", 0, &["a"]);
    lab.stopped("ci", &format!("promote a {TO_PROD} --dry-run"), PENDING, &["0 of 1 approvals of team rm"]);
    assert!(start.elapsed().as_secs() < 10, "it waited for the lock");
    drop(held);
    assert_eq!(lab.0.sh("ci", "chmod -R a-w .joch").code, 0);
    lab.stopped("ci", "apply -f a.yaml --dry-run", 0, &["a"]);
    lab.stopped("ci", &format!("promote a {TO_PROD} --dry-run"), PENDING, &["0 of 1 approvals of team rm"]);
    assert_eq!(lab.0.sh("ci", "chmod -R u+w .joch").code, 0);
    assert_eq!(all(), before);
    lab.is_sound();
}

#[test]
fn a_reader_that_leaves_does_not_turn_a_no_into_a_yes() {
    let lab = Lab::gated("closed-pipe");
    lab.file("a.yaml", &agent("a", "one"));
    lab.up("a.yaml", &["a"]);
    // A plain shell has no PIPESTATUS: the code goes the other way round the pipe.
    let code = |line: &str| {
        let outcome = lab.0.sh("ci", &format!("{{ joch {line} 2>&1; echo $? >&3; }} 3>code | head -c0; cat code"));
        outcome.stdout.trim().to_owned()
    };
    let before = lab.tips();
    assert_eq!(code(&format!("promote a {TO_PROD}")), PENDING.to_string());
    lab.does("bob", &format!("reject a {TO_PROD}"));
    assert_eq!(code(&format!("promote a {TO_PROD}")), REFUSED.to_string());
    assert_eq!(code(&format!("promote a {TO_PROD} -o json")), REFUSED.to_string());
    assert_eq!(lab.tips(), before);
    lab.is_sound();
}
