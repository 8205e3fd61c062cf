//! Security keys: their signatures as devices made them, checked here and by OpenSSH.

use std::fs;
use std::io::Write as _;
use std::process::Stdio;

use joch::ledger::BadSignature;
use joch::ledger::signature;
use joch::trust::PublicKey;

use crate::ledger_door::bench::Bench;
use crate::support::needs;

/// A key and its signature of `testing` for the purpose `example`, as the tests of the crate `ssh-key` record them.
const KEY: &str = "sk-ssh-ed25519@openssh.com \
    AAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29tAAAAINSoElFleH+nN83FoLqqepJjN+y7Gs5lrn7qXjBqQZyuAAAABHNzaDo=";
const ARMOR: &str = "-----BEGIN SSH SIGNATURE-----
U1NIU0lHAAAAAQAAAEoAAAAac2stc3NoLWVkMjU1MTlAb3BlbnNzaC5jb20AAAAg1KgSUW
V4f6c3zcWguqp6kmM37LsazmWufupeMGpBnK4AAAAEc3NoOgAAAAdleGFtcGxlAAAAAAAA
AAZzaGE1MTIAAABnAAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29tAAAAQC9WcLb5NG
XRdCOHinQIS/MxdnAx7SQMYnyOt5q4+huTWh/Zk/UvWhP+wXl/ikNPlDpgliRq6o3VyKqS
LLo9lQYBAAAACQ==
-----END SSH SIGNATURE-----";

#[test]
fn a_security_keys_signature_counts_for_what_it_was_touched_for() {
    let key: PublicKey = KEY.parse().expect("a key");
    assert!(key.is_hardware());
    assert_eq!(signature::verify(ARMOR, "example", b"testing"), Ok(key));
    assert_eq!(signature::verify(ARMOR, "example", b"testing!"), Err(BadSignature::Mismatch));
    assert!(matches!(signature::verify(ARMOR, "git", b"testing"), Err(BadSignature::Namespace { .. })));
    // The flags and the counter are signed, so that nobody says afterwards that it was touched, or was not.
    for (was, is) in [("LLo9lQYBAAAACQ==", "LLo9lQYAAAAACQ=="), ("LLo9lQYBAAAACQ==", "LLo9lQYBAAAACg==")] {
        let changed = ARMOR.replace(was, is);
        assert_ne!(changed, ARMOR);
        assert_eq!(signature::verify(&changed, "example", b"testing"), Err(BadSignature::Mismatch));
    }
}

#[test]
fn openssh_agrees() {
    if !needs(&["ssh-keygen"]) {
        return;
    }
    let bench = Bench::new("hardware");
    fs::write(bench.path("signers"), format!("me {KEY}\n")).expect("signers");
    fs::write(bench.path("sig"), format!("{ARMOR}\n")).expect("a signature");
    for (text, counts) in [("testing", true), ("testing!", false)] {
        let mut command = bench.command("ssh-keygen");
        command.args(["-Y", "verify", "-f", "signers", "-I", "me", "-n", "example", "-s", "sig"]);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().expect("ssh-keygen runs");
        child.stdin.take().expect("a pipe").write_all(text.as_bytes()).expect("it reads");
        assert_eq!(child.wait().expect("it ends").success(), counts);
    }
}
