//! Agents that go away or answer for another key, and the window that asks for a passphrase.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::thread;

use joch::ledger::signature::GIT;
use joch::ledger::{Error, Signer, SignerEnvironment};
use ssh_key::{HashAlg, PrivateKey};

use crate::audit::forge::{sh, verify};
use crate::ledger_door::bench::{Bench, executable};
use crate::support::needs;
use crate::support::world::World;

/// What an agent does when it is asked to sign.
#[derive(Clone, Copy)]
enum Agent {
    /// It is gone before anything is asked.
    Gone,
    /// It closes the connection instead of an answer.
    Leaves,
    /// It says no, as one that was not confirmed.
    Refuses,
    /// Another of its keys answers.
    AnotherKey,
}

/// Lets an agent live at a socket that holds `key`, and signs with `other`.
fn agent(bench: &Bench, key: PrivateKey, other: PrivateKey, does: Agent) -> PathBuf {
    let socket = bench.path("s");
    #[expect(clippy::disallowed_methods, reason = "a socket's path may have 108 bytes")]
    let socket = if socket.as_os_str().len() < 100 {
        socket
    } else {
        std::env::temp_dir().join(format!("joch-a-{}", std::process::id()))
    };
    drop(fs::remove_file(&socket));
    let listener = UnixListener::bind(&socket).expect("a socket");
    if matches!(does, Agent::Gone) {
        // The file of the socket stays, as after a crash.
        return socket;
    }
    thread::spawn(move || {
        for stream in listener.incoming() {
            serve(stream.expect("a connection"), &key, &other, does);
        }
    });
    socket
}

/// Answers one connection (draft-ietf-sshm-ssh-agent): 11 asks for keys, 13 for a signature.
fn serve(mut stream: UnixStream, key: &PrivateKey, other: &PrivateKey, does: Agent) {
    loop {
        let mut length = [0; 4];
        if stream.read_exact(&mut length).is_err() {
            return;
        }
        let mut message = vec![0; u32::from_be_bytes(length) as usize];
        stream.read_exact(&mut message).expect("a message");
        let answer = match (message[0], does) {
            (11, _) => {
                [vec![12, 0, 0, 0, 1], text(&key.public_key().to_bytes().expect("a key")), text(b"held")].concat()
            }
            (13, Agent::Leaves) => return,
            (13, Agent::AnotherKey) => {
                let signed = other.sign(GIT, HashAlg::Sha512, b"x").expect("a signature");
                let blob = [text(b"ssh-ed25519"), text(signed.signature_bytes())].concat();
                [vec![14], text(&blob)].concat()
            }
            _ => vec![5],
        };
        stream.write_all(&text(&answer)).expect("it reads");
    }
}

/// A string as the protocol writes it.
fn text(bytes: &[u8]) -> Vec<u8> {
    let length = u32::try_from(bytes.len()).expect("short").to_be_bytes();
    [&length[..], bytes].concat()
}

#[test]
fn an_agent_that_goes_away_or_answers_for_another_key_signs_nothing() {
    if !needs(&["ssh-keygen"]) {
        return;
    }
    for (name, does, why) in [
        ("agent-gone", Agent::Gone, "`ssh-keygen -Y sign` failed: "),
        ("agent-leaves", Agent::Leaves, "`ssh-keygen -Y sign` failed: "),
        ("agent-refuses", Agent::Refuses, "agent refused operation"),
        ("agent-another", Agent::AnotherKey, "the new signature does not count: "),
    ] {
        let bench = Bench::new(name);
        let read = |name: &str| {
            let public = bench.somebody(name).public_key().to_string();
            (PrivateKey::read_openssh_file(&bench.path(name)).expect("a key"), public)
        };
        let ((key, public), (other, _)) = (read("held"), read("other"));
        fs::remove_file(bench.path("held")).expect("only the agent has it");
        let socket = agent(&bench, key, other, does);
        let mut environment = bench.environment();
        environment.variables.push(("SSH_AUTH_SOCK", socket.clone().into_os_string()));
        let signed = Signer::open(&format!("key::{public}"), &environment).and_then(|signer| signer.sign(GIT, b"x"));
        drop(fs::remove_file(socket));
        match signed {
            Err(error @ Error::Signing { .. }) => {
                assert!(error.to_string().contains(why), "{name}: {error}");
                assert!(error.next().is_some_and(|next| next.contains("ssh-add")), "{name}: {:?}", error.next());
            }
            other => panic!("{name}: expected a refusal, found {other:?}"),
        }
    }
}

#[test]
fn a_window_that_answers_opens_a_key_behind_a_passphrase() {
    if !needs(&["ssh-keygen"]) {
        return;
    }
    let world = World::new("askpass");
    sh(&world, "alice", "cp -r $FIXTURES/support-triage/. .");
    sh(&world, "alice", "ssh-keygen -q -t ed25519 -N 'open sesame' -f ~/locked");
    let window = world.home("alice").join("window");
    fs::write(&window, "#!/bin/sh\necho \"$1\" >> ~/asked; echo 'open sesame'\n").expect("own file");
    executable(&window);
    let with = "JOCH_SIGNING_KEY=$HOME/locked SSH_ASKPASS=$HOME/window";
    sh(&world, "alice", &format!("{with} joch init --operator alice@example.com"));
    sh(&world, "alice", &format!("{with} joch apply -f ."));
    let asked = sh(&world, "alice", "cat ~/asked");
    assert!(!asked.is_empty() && asked.lines().all(|line| line.contains("passphrase")), "{asked}");
    assert_eq!(verify(&world).0, 0);
    fs::write(&window, "#!/bin/sh\necho wrong\n").expect("own file");
    let edit = "sed -i 's/calm, brief/calm, short/' agents/support-triage.yaml";
    let refused = world.sh("alice", &format!("{edit}; {with} joch apply -f ."));
    assert!(refused.code == 4 && refused.stderr.contains("incorrect passphrase supplied"), "{}", refused.stderr);
    assert!(refused.stderr.contains("ssh-add "), "{}", refused.stderr);
}

#[test]
fn programs_that_sign_see_what_they_need_of_the_environment() {
    let environment = SignerEnvironment::from_variables(|name| Some(name.to_owned().into()));
    let names: Vec<_> = environment.variables.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, joch::ledger::SIGNER_VARIABLES);
    assert!(names.iter().all(|name| !name.contains("KEY") && !name.contains("TOKEN") && !name.starts_with("GIT")));
    assert!(environment.program.is_none(), "a program comes from Git's configuration alone");
}
