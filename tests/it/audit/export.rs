//! What was exported is checked by a stranger who has git, ssh-keygen and sha256sum, and nothing else: the whole one
//! passes, and each that somebody changed is refused for that reason.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::forge::{forge, forget, sh, shared};
use crate::support::needs;
use crate::support::world::World;

const TOOLS: [&str; 4] = ["git", "ssh-keygen", "sha256sum", "sh"];

/// A place with links to the three programs.
fn tools(world: &World) -> PathBuf {
    let place = world.project().join("../three");
    fs::create_dir_all(&place).expect("own directory");
    let path = std::env::var_os("PATH").unwrap_or_default();
    for tool in &TOOLS[..3] {
        let program = std::env::split_paths(&path).map(|place| place.join(tool)).find(|program| program.is_file());
        symlink(program.expect("it was asked for"), place.join(tool)).ok();
    }
    place.canonicalize().expect("it was just made")
}

/// Runs `verify.sh` of a bundle with nothing but these programs; whether it passed, and what it said.
fn checked(world: &World, bundle: &str, root: &str) -> (bool, String) {
    fs::remove_dir_all(world.project().join(bundle).join("unpacked.git")).ok();
    let output = Command::new("/bin/sh")
        .arg(world.project().join(bundle).join("verify.sh"))
        .arg(root)
        .current_dir("/")
        .env_clear()
        .env("PATH", tools(world))
        .stdin(Stdio::null())
        .output()
        .expect("a shell");
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&said).into_owned())
}

/// A copy of the good bundle, changed by this, with digests that fit if `sealed`.
fn tampered(world: &World, script: &str, sealed: bool) -> (bool, String) {
    let seal = if sealed {
        "rm SHA256SUMS; find . -type f | sed 's,^./,,' | LC_ALL=C sort | xargs sha256sum > ../sums; mv ../sums SHA256SUMS"
    } else {
        "true"
    };
    let script = format!("rm -rf bad; cp -r good bad; rm -rf bad/unpacked.git; cd bad; set -e; {script}; {seal}");
    sh(world, "mallory", &script);
    checked(world, "bad", "")
}

fn files(directory: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).expect("a directory").flatten() {
        if entry.path().is_dir() {
            found.extend(files(&entry.path()));
        } else {
            let name = entry.path();
            found.push((name.clone(), fs::read(name).expect("own file")));
        }
    }
    found.sort();
    found
}

#[test]
fn a_stranger_checks_a_bundle_with_three_programs() {
    if !needs(&TOOLS) {
        return;
    }
    let world = shared("export-good");
    sh(&world, "alice", "joch audit export --bundle good");
    let root = sh(&world, "alice", "git --git-dir=.joch/ledger.git rev-list --max-parents=0 refs/heads/trust");
    let (passed, said) = checked(&world, "good", root.trim());
    assert!(passed, "{said}");
    assert!(said.contains("whole: "), "{said}");
    assert!(
        said.contains(" 5 releases, 4 records, 1 items of evidence") || said.contains(" 5 releases, 4 records, "),
        "{said}"
    );
    assert!(said.contains("as you said"), "{said}");
    let (passed, said) = checked(&world, "good", &"0".repeat(40));
    assert!(!passed && said.contains("trust begins at"), "{said}");
    fs::remove_dir_all(world.project().join("good/unpacked.git")).expect("it was made there");

    // However the objects are stored, the same ledger gives the same files.
    forge(&world, "alice", "git pack-refs --all; git repack -q; rm -rf \"$GIT_DIR\"/objects/[0-9a-f][0-9a-f]");
    sh(&world, "bob", "joch audit export --bundle again");
    let bare = |name: &str| -> Vec<_> {
        let root = world.project().join(name);
        files(&root).into_iter().map(|(path, bytes)| (path.strip_prefix(&root).map(Path::to_owned), bytes)).collect()
    };
    assert!(bare("good") == bare("again"), "two exports of one ledger differ");
    assert_eq!(world.sh("alice", "joch audit export --bundle good").code, 1, "nothing is written over");

    sh(&world, "alice", "joch audit export --bundle one --env dev");
    let (passed, said) = checked(&world, "one", root.trim());
    assert!(passed && said.contains(" 1 releases, 1 records, "), "{said}");
    // What was unpacked is a ledger, which joch judges in full.
    sh(&world, "alice", "rm -rf good/unpacked.git");
    assert!(checked(&world, "good", root.trim()).0);
    let outcome = world.sh("alice", "JOCH_LEDGER=good/unpacked.git joch audit verify");
    assert_eq!(outcome.code, 0, "{}{}", outcome.stdout, outcome.stderr);
}

#[test]
fn what_was_changed_in_a_bundle_is_refused_for_that() {
    if !needs(&TOOLS) {
        return;
    }
    let world = shared("export-bad");
    sh(&world, "alice", "joch audit export --bundle good");
    let item = "item=$(find evidence -name '*.json' | sort | head -1)";
    let record = "records/prod/default/support-triage.json";
    for (why, script, sealed) in [
        ("SHA256SUMS", format!("echo >> {record}"), false),
        ("SHA256SUMS", "rm README.txt".to_owned(), false),
        ("SHA256SUMS", "printf x | dd of=ledger.bundle bs=1 seek=3000 conv=notrunc 2> ../dd".to_owned(), false),
        ("ledger.bundle: ", "printf x | dd of=ledger.bundle bs=1 seek=3000 conv=notrunc 2> ../dd".to_owned(), true),
        ("is not the record that prod has", format!("sed -i 's/\"toVersion\": 1/\"toVersion\": 2/' {record}"), true),
        ("is not the record that prod has", format!("rm {record}"), true),
        ("is not what the ledger has", format!("{item}; echo >> $item"), true),
        ("is not what the ledger has", format!("{item}; rm $item.sig"), true),
        (
            "allowed_signers is not the one that trust has",
            "echo 'mallory@example.com namespaces=\"git,joch-evidence@v1\"' $(cut -d' ' -f1,2 ~/.ssh/id_ed25519.pub) >> allowed_signers"
                .to_owned(),
            true,
        ),
    ] {
        let (passed, said) = tampered(&world, &script, sealed);
        assert!(!passed && said.contains("FAILED") && said.contains(why), "{script}: expected `{why}`: {said}");
    }

    // A ledger that was forged before it was exported.
    for (why, script) in [
        (
            "the signature of the commit",
            "take local; new=$(raw \"$old\" < /dev/null | git hash-object -t commit -w --stdin); git update-ref refs/heads/local \"$new\"",
        ),
        ("does not name the release", "git update-ref refs/tags/release/prod/1 tags/release/dev/1"),
        ("has tags of releases that are not on it", "git update-ref refs/tags/release/prod/2 tags/release/prod/1"),
        ("the signature of refs/tags/release/dev/1 does not count", "git tag -f -a -m x release/dev/1 heads/dev"),
    ] {
        let world = shared("export-forged");
        forget(&world);
        forge(&world, "mallory", script);
        sh(&world, "alice", "joch audit export --bundle bad");
        let (passed, said) = checked(&world, "bad", "");
        assert!(!passed && said.contains("FAILED") && said.contains(why), "{script}: expected `{why}`: {said}");
    }
}
