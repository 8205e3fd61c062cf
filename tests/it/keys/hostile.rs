//! No verb runs a program, or takes a key, that a repository names.

use std::collections::BTreeSet;
use std::fs;

use crate::audit::forge::{sh, shared};
use crate::ledger_door::bench::executable;

/// Lines for every command; `;` leads to a second one. Whether they succeed is not asked here.
const LINES: [&str; 35] = [
    "init --operator alice@example.com",
    "gc --dry-run",
    "validate -f .",
    "apply -f . --dry-run",
    "apply -f .",
    "promote support-triage --from local --to dev",
    "approve support-triage --from dev --to staging",
    "reject support-triage --from dev --to staging --rationale no",
    "approvals ls",
    "eval ls",
    "eval gate support-triage --from local --to dev",
    "explain support-triage --from local --to dev",
    "policy preview -f policies",
    "mcp show x",
    "rollback agent support-triage --env local --reason oops",
    "hold agent support-triage --version 1 --env dev --reason look",
    "lift agent support-triage --version 1 --env dev --reason fine",
    "get agents",
    "describe agent support-triage",
    "diff support-triage --from local --to dev",
    "diff -f .",
    "gates selftest",
    "trust quorum",
    "trust quorum 1",
    "agbom support-triage --env local",
    "agbom ls",
    "audit log",
    "audit verify",
    "audit prove agent support-triage --env local",
    "delete agent support-triage --env local",
    "doctor",
    "schema agent",
    "completion bash",
    "version",
    "demo --help",
];

#[test]
fn no_verb_runs_what_a_repository_names() {
    let world = shared("keys-hostile");
    let canary = world.project().join("canary");
    let evil = world.project().join("evil");
    fs::write(&evil, format!("#!/bin/sh\necho \"$0 $@\" >> {}\nexit 1\n", canary.display())).expect("own file");
    executable(&evil);
    // A name that `PATH` would not find, and that lies in the working directory.
    fs::copy(&evil, world.project().join("op-ssh-sign")).expect("own file");
    sh(&world, "alice", "git init -q . && git config --file evil.conf gpg.ssh.program $PWD/evil");
    sh(&world, "alice", "git config --file evil.conf gpg.ssh.defaultKeyCommand $PWD/evil");
    sh(&world, "alice", "git config --file evil.conf gpg.program $PWD/evil");
    for repository in [".", ".joch/ledger.git"] {
        for (key, value) in [
            ("include.path", "$PWD/evil.conf"),
            ("includeIf.onbranch:**.path", "$PWD/evil.conf"),
            ("gpg.format", "ssh"),
            ("user.signingKey", "$HOME/../mallory/.ssh/id_ed25519"),
            ("core.fsmonitor", "$PWD/evil"),
            ("core.sshCommand", "$PWD/evil"),
            ("core.hooksPath", "$PWD/hooks"),
            ("core.pager", "$PWD/evil"),
            ("diff.external", "$PWD/evil"),
            ("credential.helper", "$PWD/evil"),
        ] {
            sh(
                &world,
                "alice",
                &format!("git --git-dir $(cd {repository}; git rev-parse --absolute-git-dir) config {key} \"{value}\""),
            );
        }
    }
    sh(
        &world,
        "alice",
        "mkdir hooks; for h in reference-transaction update pre-commit; do cp evil hooks/$h; cp evil .joch/ledger.git/$h; done; rm -f canary",
    );
    let mut asked = BTreeSet::new();
    for line in LINES {
        asked.extend(line.split(' ').next());
        // By the key that the user's own configuration names; the last reading is by one that joch was told.
        for key in ["unset JOCH_SIGNING_KEY;", ""] {
            let outcome = world.sh("alice", &format!("{key} joch {line}"));
            assert!(outcome.code < 128 && outcome.code != 64, "{line}: {}", outcome.stderr);
        }
        assert!(!canary.exists(), "`joch {line}` ran {}", fs::read_to_string(&canary).unwrap_or_default());
    }
    let verbs: BTreeSet<_> = joch::cli::command().get_subcommands().map(|verb| verb.get_name().to_owned()).collect();
    let missing: Vec<_> = verbs.iter().filter(|verb| !asked.contains(verb.as_str())).collect();
    assert!(missing.is_empty(), "not asked: {missing:?}");
    // The canary would sing: the same settings in the user's own configuration do run it.
    sh(&world, "alice", "git config --global include.path $PWD/evil.conf");
    assert_ne!(
        world
            .sh("alice", "unset JOCH_SIGNING_KEY; joch hold agent support-triage --version 1 --env dev --reason look")
            .code,
        0
    );
    assert!(canary.exists());
}
