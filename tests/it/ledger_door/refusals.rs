//! The repositories that joch does not open, each by its name and with its way out.

use std::fs;
use std::path::Path;

use joch::ledger::{Error, Repository};

use super::bench::{Bench, release};

/// What is refused, and the way out.
fn refusal(path: &Path) -> (String, String) {
    match Repository::open(path) {
        Err(error @ Error::Refused { .. }) => (error.to_string(), error.next().expect("a way out")),
        other => panic!("expected a refusal, found {other:?}"),
    }
}

#[test]
fn what_could_show_an_auditor_something_else_is_refused() {
    let bench = Bench::new("refused");
    let (ledger, ana) = (bench.ledger(), bench.ana());
    let first = release(&ledger, &ana, 1);
    let second = release(&ledger, &ana, 2);
    let cases = [
        ("shallow", format!("{first}\n"), "shallow", "fetch --unshallow"),
        ("info/grafts", format!("{second}\n"), "other parents", "rm "),
        ("objects/info/alternates", "/elsewhere/objects\n".to_owned(), "borrows objects", "repack -a"),
        ("objects/pack/pack-1.promisor", String::new(), "partial clone", "fetch --refetch"),
        ("commondir", "../..\n".to_owned(), "linked worktree", "main repository"),
    ];
    for (file, text, what, way_out) in cases {
        let file = ledger.path().join(file);
        fs::create_dir_all(file.parent().expect("a directory")).expect("a directory");
        fs::write(&file, text).expect("a file");
        let (said, next) = refusal(ledger.path());
        assert!(said.contains(what) && next.contains(way_out), "{said} / {next}");
        fs::remove_file(&file).expect("it is gone");
        Repository::open(ledger.path()).expect("it opens again");
    }
}

#[test]
fn replaced_objects_are_refused_loose_and_packed() {
    let bench = Bench::new("replace");
    let (ledger, ana) = (bench.ledger(), bench.ana());
    let first = release(&ledger, &ana, 1);
    let second = release(&ledger, &ana, 2);
    bench.git(&["replace", &second.to_string(), &first.to_string()]);
    for _ in 0..2 {
        let (said, next) = refusal(ledger.path());
        assert!(said.contains(&format!("refs/replace/{second}")), "{said}");
        assert!(next.contains("update-ref -d"), "{next}");
        bench.git(&["pack-refs", "--all", "--prune"]);
    }
}

#[test]
fn formats_that_joch_cannot_read_are_refused() {
    let bench = Bench::new("formats");
    let init = |name: &str, option: &str| {
        let output = bench.command("git").args(["init", "-q", "--bare", option, name]).output().expect("git runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        bench.path(name)
    };
    let (said, next) = refusal(&init("reftable.git", "--ref-format=reftable"));
    assert!(said.contains("`reftable`") && next.contains("refs migrate"), "{said}");
    let (said, _) = refusal(&init("sha256.git", "--object-format=sha256"));
    assert!(said.contains("`sha256`"), "{said}");
    let partial = init("partial.git", "--shared=false");
    let mut command = bench.command("git");
    command.arg("-C").arg(&partial).args(["config", "extensions.partialClone", "origin"]);
    assert!(command.status().expect("git runs").success());
    let (said, _) = refusal(&partial);
    assert!(said.contains("partial clone"), "{said}");
}

#[test]
fn a_directory_of_another_user_is_refused() {
    let bench = Bench::new("owner");
    let ledger = bench.ledger();
    let give = bench.command("chown").args(["-R", "65534"]).arg(ledger.path()).output();
    if !give.is_ok_and(|output| output.status.success()) {
        // Only root can give a directory away.
        return;
    }
    let (said, next) = refusal(ledger.path());
    assert!(said.contains("another user owns it") && next.contains("safe.directory"), "{said}");
}

#[test]
fn what_is_no_repository_is_named() {
    let bench = Bench::new("nothing");
    let says = |path: &Path| match Repository::open(path) {
        Err(error @ Error::NotALedger { .. }) => format!("{error}; {}", error.next().expect("a way out")),
        other => panic!("expected no ledger, found {other:?}"),
    };
    assert!(says(&bench.path("nowhere")).contains("nothing is there"));
    assert!(says(&bench.root).contains("no Git repository"));
    let output = bench.command("git").args(["init", "-q", "work"]).output().expect("git runs");
    assert!(output.status.success());
    assert!(says(&bench.path("work")).contains("working directory"));
    Repository::open(bench.path("work/.git")).expect("the `.git` directory opens");
    fs::create_dir(bench.path("work/sub")).expect("a directory");
    assert!(says(&bench.path("work/sub")).contains("no Git repository"), "no parent directory is searched");
}

#[test]
fn no_program_that_the_repository_names_is_run() {
    let bench = Bench::new("hostile");
    let (ledger, ana) = (bench.ledger(), bench.ana());
    let canary = bench.path("canary");
    let script = bench.path("ledger.git/evil");
    fs::write(&script, format!("#!/bin/sh\ntouch {}\n", canary.display())).expect("a script");
    super::bench::executable(&script);
    fs::create_dir(bench.path("ledger.git/hooks")).expect("hooks");
    for hook in ["reference-transaction", "pre-commit", "post-commit", "update"] {
        fs::copy(&script, bench.path("ledger.git/hooks").join(hook)).expect("a hook");
    }
    let text = script.display().to_string();
    for key in ["core.fsmonitor", "core.sshCommand", "gpg.ssh.program", "core.editor", "diff.external", "gpg.program"] {
        bench.git(&["config", key, &text]);
    }
    drop(fs::remove_file(&canary));
    let ledger = Repository::open(ledger.path()).expect("a ledger");
    release(&ledger, &ana, 1);
    ledger.snapshot().expect("a read").all_refs().expect("a read");
    assert!(!canary.exists());
}
