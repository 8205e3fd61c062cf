//! Controls that are made weaker, and who must agree to that.

mod children;
mod controls;
mod forged;
mod trust;
mod words;

use std::fs;

use crate::support::world::{Outcome, World};

const REFUSED: i32 = 2;
const PENDING: i32 = 3;
const CREDENTIALS: i32 = 4;

/// A project whose admins are Alice and Bob, both of whom must agree; `ci`, a person here, only operates, everywhere.
struct Lab(World);

impl Lab {
    fn new(name: &str) -> Self {
        Self::of(name, 2)
    }

    /// The same, with this quorum.
    fn of(name: &str, quorum: u32) -> Self {
        let lab = Self(World::new(name));
        lab.does("alice", "init --operator alice@example.com");
        lab.file("teams.yaml", &lab.teams(""));
        lab.file("prod.yaml", &environment("prod", "gates: [\"approval:admins\"], soak: 1h"));
        lab.does("alice", "apply -f teams.yaml");
        if quorum > 1 {
            lab.does("alice", &format!("trust quorum {quorum}"));
        }
        lab
    }

    /// The same, with these members beside.
    fn teams(&self, more: &str) -> String {
        let [alice, bob, ci] = ["alice", "bob", "ci"].map(|person| self.key(person));
        format!(
            "{}spec:\n  members:\n  - {{user: alice@example.com, role: admin, keys: [\"{alice}\"]}}\n  \
             - {{user: bob@example.com, role: admin, keys: [\"{bob}\"]}}\n  \
             - {{user: ci@example.com, role: operator, environments: [local, dev, staging, prod], keys: [\"{ci}\"]}}\n{more}",
            head("Team", "admins")
        )
    }

    fn key(&self, person: &str) -> String {
        self.key_at(&format!("../home/{person}/.ssh/id_ed25519.pub"))
    }

    fn key_at(&self, path: &str) -> String {
        let text = fs::read_to_string(self.0.project().join(path)).expect("a public key");
        text.split(' ').take(2).collect::<Vec<_>>().join(" ").trim().to_owned()
    }

    fn file(&self, name: &str, text: &str) {
        fs::write(self.0.project().join(name), text).expect("a file of the project");
    }

    #[track_caller]
    fn does(&self, person: &str, line: &str) -> String {
        self.ends(person, line, 0, &[]).stdout
    }

    /// `joch LINE`, which ends with `code` and says all of `reasons`.
    #[track_caller]
    fn ends(&self, person: &str, line: &str, code: i32, reasons: &[&str]) -> Outcome {
        let outcome = self.0.sh(person, &format!("joch {line}"));
        let said = format!("{}{}", outcome.stdout, outcome.stderr);
        assert_eq!(outcome.code, code, "{person}: joch {line}\n{said}");
        for reason in reasons {
            assert!(said.contains(reason), "{person}: joch {line}\nsays no `{reason}`:\n{said}");
        }
        outcome
    }

    /// The same, and trust and the environments stay where they are.
    #[track_caller]
    fn stopped(&self, person: &str, line: &str, code: i32, reasons: &[&str]) {
        let before = self.tips();
        self.ends(person, line, code, reasons);
        assert_eq!(self.tips(), before, "joch {line} was stopped and moved something");
    }

    fn tips(&self) -> String {
        let refs = "for-each-ref refs/heads/trust refs/heads/local refs/heads/prod refs/tags";
        self.0.sh("alice", &format!("git --git-dir .joch/ledger.git {refs}")).stdout
    }

    /// The newest item of `approvals ls` in this state.
    fn newest(&self, state: &str) -> String {
        let list: serde_json::Value = serde_json::from_str(&self.does("alice", "approvals ls -o json")).expect("JSON");
        let items = list["items"].as_array().expect("items");
        let item = items.iter().find(|item| item["state"] == state).expect("such an item");
        item["id"].as_str().expect("an id").to_owned()
    }

    #[track_caller]
    fn is_sound(&self) {
        self.does("alice", "audit verify");
    }
}

fn head(kind: &str, name: &str) -> String {
    format!("apiVersion: joch.dev/v1alpha1\nkind: {kind}\nmetadata: {{name: {name}}}\n")
}

fn environment(name: &str, spec: &str) -> String {
    format!("{}spec: {{{spec}}}\n", head("Environment", name))
}
