//! Configurations that want a program run: every verb runs, and no program that the ledger or the project names does.

use crate::audit::forge::{sh, shared};
use crate::support::needs;

/// What a Git repository can name as a program.
const KEYS: [&str; 22] = [
    "core.fsmonitor",
    "core.sshCommand",
    "core.editor",
    "core.pager",
    "core.askPass",
    "core.gitProxy",
    "core.alternateRefsCommand",
    "gpg.program",
    "gpg.ssh.program",
    "gpg.x509.program",
    "gpg.ssh.defaultKeyCommand",
    "sequence.editor",
    "diff.external",
    "diff.x.textconv",
    "merge.x.driver",
    "filter.x.clean",
    "filter.x.smudge",
    "filter.x.process",
    "credential.helper",
    "pager.log",
    "uploadpack.packObjectsHook",
    "interactive.diffFilter",
];

const HOOKS: &str = "pre-commit commit-msg post-commit reference-transaction update post-update pre-receive \
                     post-receive post-checkout pre-auto-gc pre-push fsmonitor-watchman post-index-change";

/// Each verb, and how it ends where nothing is wrong.
const VERBS: [(&str, &str, i32); 17] = [
    ("mallory", "apply -f agents --reason again", 0),
    ("mallory", "promote support-triage --from local --to dev", 0),
    ("alice", "promote support-triage --from dev --to staging", 0),
    ("bob", "approve support-triage --from staging --to prod", 0),
    ("alice", "promote support-triage --from staging --to prod", 0),
    ("alice", "rollback support-triage --env staging --to-version 1", 0),
    ("alice", "get agents", 0),
    ("alice", "get releases", 0),
    ("alice", "describe agent support-triage --env prod", 0),
    ("alice", "diff support-triage --from local --to prod", 0),
    ("alice", "validate -f .", 0),
    ("alice", "audit log", 0),
    ("alice", "audit verify", 0),
    ("alice", "audit prove agent support-triage --env prod", 0),
    ("alice", "explain support-triage --from local --to dev", 0),
    ("alice", "doctor", 0),
    ("mallory", "apply -f agents --env dev", 0),
];

#[test]
fn b33_no_verb_runs_a_program_that_the_ledger_or_the_project_names() {
    if !needs(&["ssh-keygen"]) {
        return;
    }
    let world = shared("b33_config");
    let root = world.project();
    let canary = root.join("../canary");
    let evil = root.join("../evil");
    std::fs::write(&evil, format!("#!/bin/sh\necho \"$0 $*\" >> {}\n", canary.display())).expect("own file");
    let evil = evil.display();
    let keys: String = KEYS.iter().map(|key| format!("git config -f config {key} '{evil}'\n")).collect();
    let settings = format!(
        "chmod +x {evil}; {keys} mkdir -p hooks; for hook in {HOOKS}; do cp {evil} hooks/$hook; done
         git config -f config core.hooksPath \"$PWD/hooks\"; git config -f config user.signingKey \"$HOME/../ci/.ssh/id_ed25519\"
         git config -f config alias.log '!{evil}'; cp config more; git config -f config include.path \"$PWD/more\"
         mkdir -p info; echo '* filter=x diff=x merge=x' > info/attributes"
    );
    sh(&world, "alice", &format!("cd .joch/ledger.git\n{settings}"));
    // The project is a repository of its own, whose settings are not to be believed either.
    sh(&world, "alice", "test -d .git || git init -q .");
    sh(&world, "alice", &format!("cd .git\n{settings}"));
    std::fs::remove_file(&canary).ok();
    sh(&world, "alice", "sed -i 's/calm, [a-z]*/calm, kind/' agents/support-triage.yaml");
    for (person, verb, expected) in VERBS {
        let outcome = world.sh(person, &format!("joch {verb}"));
        let ran = std::fs::read_to_string(&canary).unwrap_or_default();
        assert_eq!(ran, "", "b33: `{verb}` ran what a repository names");
        assert_eq!(outcome.code, expected, "b33: `{verb}`: {}{}", outcome.stdout, outcome.stderr);
    }
}
