//! Signatures of every kind of key, made by joch and by OpenSSH, and those that do not count.

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::Stdio;

use joch::ledger::signature::{self, GIT};
use joch::ledger::{BadSignature, Error, Signer};

use crate::support::needs;

use super::bench::{Bench, draft, put, release, set_mode, tag};

/// A key pair made by `ssh-keygen`.
fn keygen(bench: &Bench, name: &str, words: &[&str]) -> PathBuf {
    let path = bench.path(name);
    let mut command = bench.command("ssh-keygen");
    let output = command.args(["-q", "-C", name, "-f"]).arg(&path).args(words).output().expect("ssh-keygen runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    path
}

fn refusal(bench: &Bench, key: &str) -> (String, String) {
    match Signer::open(key, &bench.environment()).and_then(|signer| signer.sign(GIT, b"x")) {
        Err(error @ Error::Signing { .. }) => (error.to_string(), error.next().expect("a way out")),
        other => panic!("expected a refusal, found {other:?}"),
    }
}

#[test]
fn every_kind_of_key_signs_and_both_sides_agree() {
    if !needs(&["ssh-keygen"]) {
        return;
    }
    let bench = Bench::new("kinds");
    let kinds: [(&str, &[&str]); 6] = [
        ("ed25519", &["-t", "ed25519", "-N", ""]),
        ("p256", &["-t", "ecdsa", "-b", "256", "-N", ""]),
        ("p384", &["-t", "ecdsa", "-b", "384", "-N", ""]),
        ("p521", &["-t", "ecdsa", "-b", "521", "-N", ""]),
        ("rsa", &["-t", "rsa", "-b", "2048", "-N", ""]),
        ("rsa-pem", &["-t", "rsa", "-b", "2048", "-m", "PEM", "-N", ""]),
    ];
    for (name, words) in kinds {
        let key = keygen(&bench, name, words);
        let signer = bench.signer(&key);
        let public = fs::read_to_string(bench.path(&format!("{name}.pub"))).expect("a public key");
        assert_eq!(*signer.public_key(), public.parse().expect("a key"));
        let armor = signer.sign("joch-evidence@v1", b"what is signed").expect("a signature");
        assert!(!armor.ends_with('\n'));
        assert_eq!(signature::verify(&armor, "joch-evidence@v1", b"what is signed").as_ref(), Ok(signer.public_key()));
        let listed =
            bench.command("ssh-keygen").args(["-lf", &format!("{name}.pub")]).output().expect("ssh-keygen runs");
        let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
        assert_eq!(listed.split(' ').nth(1), Some(signer.public_key().fingerprint().as_str()));

        fs::write(bench.path("signers"), format!("me {}\n", signer.public_key())).expect("signers");
        fs::write(bench.path("sig"), format!("{armor}\n")).expect("a signature");
        let mut command = bench.command("ssh-keygen");
        command.args(["-Y", "verify", "-f", "signers", "-I", "me", "-n", "joch-evidence@v1", "-s", "sig"]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().expect("ssh-keygen runs");
        child.stdin.take().expect("a pipe").write_all(b"what is signed").expect("it reads");
        assert!(child.wait().expect("it ends").success(), "{name}");
    }
}

#[test]
fn a_public_key_file_signs_with_the_private_key_beside_it() {
    if !needs(&["ssh-keygen"]) {
        return;
    }
    let bench = Bench::new("beside");
    let key = keygen(&bench, "key", &["-t", "ed25519", "-N", ""]);
    let signer = Signer::open("~/key.pub", &bench.environment()).expect("a signer");
    signer.sign(GIT, b"x").expect("a signature");
    assert_eq!(signer.public_key(), bench.signer(&key).public_key());
}

#[test]
fn a_key_that_cannot_sign_says_why_and_what_to_do() {
    if !needs(&["ssh-keygen"]) {
        return;
    }
    let bench = Bench::new("cannot");
    let locked = keygen(&bench, "locked", &["-t", "ed25519", "-N", "secret"]);
    let (said, next) = refusal(&bench, locked.to_str().expect("UTF-8"));
    assert!(said.contains("passphrase") && next == format!("ssh-add {}", locked.display()), "{said} / {next}");
    let (said, next) = refusal(&bench, &format!("{}.pub", locked.display()));
    assert!(next == format!("ssh-add {}", locked.display()), "{said} / {next}");

    let open = keygen(&bench, "open", &["-t", "ed25519", "-N", ""]);
    let public = fs::read_to_string(bench.path("open.pub")).expect("a key");
    let (said, next) = refusal(&bench, &format!("key::{public}"));
    assert!(next.contains("ssh-add"), "{said} / {next}");
    set_mode(&open, 0o644);
    let (said, next) = refusal(&bench, open.to_str().expect("UTF-8"));
    assert!(said.contains("others can read") && next.starts_with("chmod 600"), "{said}");

    fs::write(bench.path("pgp"), "-----BEGIN PGP PRIVATE KEY BLOCK-----\n").expect("a file");
    assert!(refusal(&bench, "~/pgp").0.contains("no SSH key"));
    assert!(refusal(&bench, "~/nowhere").0.contains("cannot be read"));
    fs::write(bench.path("cert.pub"), "ssh-ed25519-cert-v01@openssh.com AAAA x\n").expect("a file");
    assert!(refusal(&bench, "~/cert.pub").0.contains("certificate"));
}

#[test]
fn the_agent_signs_what_it_holds() {
    if !needs(&["ssh-keygen", "ssh-agent", "ssh-add"]) {
        return;
    }
    let bench = Bench::new("agent");
    let key = keygen(&bench, "held", &["-t", "ed25519", "-N", ""]);
    let socket = bench.path("s");
    #[expect(
        clippy::disallowed_methods,
        reason = "a socket's path may have 108 bytes, and the target's is often longer"
    )]
    let socket = if socket.as_os_str().len() < 100 {
        socket
    } else {
        std::env::temp_dir().join(format!("joch-{}", std::process::id()))
    };
    let mut agent =
        bench.command("ssh-agent").arg("-D").arg("-a").arg(&socket).stdout(Stdio::null()).spawn().expect("an agent");
    for _ in 0..200 {
        if socket.exists() {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    let added =
        bench.command("ssh-add").arg("-q").arg(&key).env("SSH_AUTH_SOCK", &socket).output().expect("ssh-add runs");
    fs::remove_file(&key).expect("only the agent has it now");
    let mut environment = bench.environment();
    environment.variables.push(("SSH_AUTH_SOCK", socket.clone().into_os_string()));
    let public = fs::read_to_string(bench.path("held.pub")).expect("a key");
    let signed = ["~/held.pub".to_owned(), format!("key::{public}"), public]
        .map(|spec| Signer::open(&spec, &environment).and_then(|signer| signer.sign(GIT, b"x")));
    agent.kill().expect("it ends");
    agent.wait().expect("it ends");
    drop(fs::remove_file(socket));
    assert!(added.status.success(), "{}", String::from_utf8_lossy(&added.stderr));
    for armor in signed {
        signature::verify(&armor.expect("a signature"), GIT, b"x").expect("it counts");
    }
}

#[test]
fn joch_verifies_what_git_signed() {
    if !needs(&["ssh-keygen"]) {
        return;
    }
    let bench = Bench::new("git-signed");
    let (ledger, ana) = (bench.ledger(), bench.ana());
    let first = release(&ledger, &ana, 1);
    let key = keygen(&bench, "bob", &["-t", "ecdsa", "-N", ""]);
    let config = format!("user.signingKey={}", key.display());
    let sign = ["-c", &config, "-c", "gpg.format=ssh", "-c", "user.name=Bob", "-c", "user.email=bob@example.org"];
    let run = |words: &[&str]| bench.git(&[&sign[..], words].concat());
    let commit = run(&["commit-tree", "-S", "-p", &first.to_string(), "-m", "by git", "prod^{tree}"]);
    run(&["tag", "-s", "-m", "by git", "by-git", &commit]);
    let snapshot = ledger.snapshot().expect("a read");
    let bob = bench.signer(&key);
    let (_, raw) = snapshot.raw(commit.parse().expect("an id")).expect("a commit");
    let signed = signature::split_commit(&raw).expect("a signature");
    assert_eq!(signature::verify(&signed.armor, GIT, &signed.payload).as_ref(), Ok(bob.public_key()));
    let (_, raw) = snapshot.raw(snapshot.tag("by-git").expect("a read").expect("a tag")).expect("a tag");
    let signed = signature::split_tag(&raw).expect("a signature");
    assert_eq!(signature::verify(&signed.armor, GIT, &signed.payload).as_ref(), Ok(bob.public_key()));
    let unsigned = run(&["commit-tree", "-m", "by git", "prod^{tree}"]);
    let (_, raw) = snapshot.raw(unsigned.parse().expect("an id")).expect("a commit");
    assert_eq!(signature::split_commit(&raw), Err(BadSignature::Absent));
}

#[test]
fn whatever_is_changed_no_signature_counts() {
    let bench = Bench::new("tampered");
    let (ledger, ana) = (bench.ledger(), bench.ana());
    let first = release(&ledger, &ana, 1);
    let snapshot = ledger.snapshot().expect("a read");
    let (_, raw) = snapshot.raw(first).expect("a commit");
    let honest = signature::split_commit(&raw).expect("a signature");
    assert_eq!(signature::verify(&honest.armor, GIT, &honest.payload).as_ref(), Ok(ana.public_key()));
    for position in 0..raw.len() {
        let mut forged = raw.clone();
        forged[position] ^= 1;
        let verdict =
            signature::split_commit(&forged).and_then(|signed| signature::verify(&signed.armor, GIT, &signed.payload));
        assert!(verdict.as_ref() != Ok(ana.public_key()), "byte {position}: {verdict:?}");
    }
    let tampered = String::from_utf8_lossy(&honest.payload).replace("change prod", "change nothing");
    assert_eq!(signature::verify(&honest.armor, GIT, tampered.as_bytes()), Err(BadSignature::Mismatch));
    let other = signature::verify(&honest.armor, "joch-evidence@v1", &honest.payload);
    assert_eq!(other, Err(BadSignature::Namespace { expected: "joch-evidence@v1".to_owned(), found: GIT.to_owned() }));
}

#[test]
fn a_tag_says_its_own_name_and_signs_it() {
    let bench = Bench::new("tag-name");
    let (ledger, ana) = (bench.ledger(), bench.somebody("bob"));
    let mut tx = ledger.begin().expect("a turn");
    let made = tx.commit(&ana, &draft("prod", None, vec![put("a", "1")])).expect("a commit");
    let id = tx.tag_signed(&ana, &tag("release/prod/1", made.id)).expect("a tag");
    tx.finish().expect("it is written");
    let snapshot = ledger.snapshot().expect("a read");
    let signed = signature::split_tag(&snapshot.raw(id).expect("a tag").1).expect("a signature");
    assert_eq!(signature::verify(&signed.armor, GIT, &signed.payload).as_ref(), Ok(ana.public_key()));
    assert!(snapshot.tag_object(id).expect("a tag").message.starts_with("a release\n-----BEGIN"));
}
