//! Ways around a gate, one a test, as somebody with a terminal would try them. Each is stopped with its exit code and
//! its reason, moves no branch that releases or trust are on, and leaves a ledger that an audit finds sound.

mod approval;
mod children;
mod forged;
mod rejection;
mod sets;
mod terminal;
mod votes;

use std::fs;
use std::path::PathBuf;

use crate::support::world::{Outcome, World};

const LADDER: [&str; 4] = ["local", "dev", "staging", "prod"];

/// Exit codes as the contract has them.
pub(crate) const REFUSED: i32 = 2;
pub(crate) const PENDING: i32 = 3;
pub(crate) const CREDENTIALS: i32 = 4;

/// A project in which Alice is admin, Alice and Bob are the release managers, Bob and the automation `ci` operate, and
/// nobody lists Mallory.
pub(crate) struct Lab(pub(crate) World);

impl Lab {
    pub(crate) fn new(name: &str) -> Self {
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
    pub(crate) fn gated(name: &str) -> Self {
        let lab = Self::new(name);
        lab.file("prod.yaml", &environment("prod", "[\"approval:rm\"]"));
        lab.does("alice", "apply -f prod.yaml");
        lab
    }

    pub(crate) fn key(&self, person: &str) -> String {
        let text = fs::read_to_string(self.0.home(person).join(".ssh/id_ed25519.pub")).expect("settled");
        text.split(' ').take(2).collect::<Vec<_>>().join(" ").trim().to_owned()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.project().join(name)
    }

    pub(crate) fn file(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).expect("a file of the project");
    }

    /// `joch LINE`, which works.
    #[track_caller]
    pub(crate) fn does(&self, person: &str, line: &str) -> String {
        let outcome = self.0.sh(person, &format!("joch {line}"));
        assert_eq!(outcome.code, 0, "{person}: joch {line}\n{}{}", outcome.stdout, outcome.stderr);
        outcome.stdout
    }

    /// `joch LINE`, which ends with `code`, says all of `reasons`, and moves no environment and not trust.
    #[track_caller]
    pub(crate) fn stopped(&self, person: &str, line: &str, code: i32, reasons: &[&str]) -> Outcome {
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
    pub(crate) fn git(&self, line: &str) -> String {
        let outcome = self.0.sh("alice", &format!("git --git-dir .joch/ledger.git {line}"));
        assert_eq!(outcome.code, 0, "git {line}\n{}{}", outcome.stdout, outcome.stderr);
        outcome.stdout.trim().to_owned()
    }

    pub(crate) fn tip(&self, branch: &str) -> String {
        self.git(&format!("rev-parse refs/heads/{branch}"))
    }

    /// Everything that a stopped release must leave alone.
    pub(crate) fn tips(&self) -> String {
        let branches = LADDER.map(|rung| format!("refs/heads/{rung}")).join(" ");
        self.git(&format!("for-each-ref {branches} refs/heads/trust refs/tags"))
    }

    /// What `prod` runs of a file in a closure.
    pub(crate) fn runs(&self, rung: &str, path: &str) -> String {
        self.git(&format!("show refs/heads/{rung}:agents/default/{path}"))
    }

    /// The automation applies `file` and brings `agent` up to `staging`.
    #[track_caller]
    pub(crate) fn up(&self, file: &str, agents: &[&str]) {
        self.does("ci", &format!("apply -f {file}"));
        for agent in agents {
            self.does("ci", &format!("promote {agent} --from local --to dev"));
            self.does("ci", &format!("promote {agent} --from dev --to staging"));
        }
    }

    /// The id of the attempt on `agent` that waits.
    pub(crate) fn waiting(&self, agent: &str) -> String {
        let list: serde_json::Value = serde_json::from_str(&self.does("bob", "approvals ls -o json")).expect("JSON");
        let items = list["items"].as_array().expect("items");
        let about = |item: &&serde_json::Value| {
            item["state"] == "waiting" && item["changes"][0]["resource"].to_string().contains(&format!("{agent}\""))
        };
        items.iter().find(about).expect("an attempt that waits")["id"].as_str().expect("an id").to_owned()
    }

    /// An audit finds nothing.
    #[track_caller]
    pub(crate) fn is_sound(&self) {
        self.does("alice", "audit verify");
    }
}

pub(crate) fn head(kind: &str, metadata: &str) -> String {
    format!("apiVersion: joch.dev/v1alpha1\nkind: {kind}\nmetadata: {metadata}\n")
}

pub(crate) fn environment(name: &str, gates: &str) -> String {
    format!("{}spec: {{gates: {gates}}}\n", head("Environment", &format!("{{name: {name}}}")))
}

pub(crate) fn agent(name: &str, instructions: &str) -> String {
    format!("{}spec: {{instructions: \"{instructions}\"}}\n", head("Agent", &format!("{{name: {name}}}")))
}

pub(crate) fn parent(name: &str, child: &str) -> String {
    format!("{}spec: {{instructions: parent, children: [{child}]}}\n", head("Agent", &format!("{{name: {name}}}")))
}

pub(crate) fn deployment(name: &str, agent: &str, more: &str) -> String {
    let spec = format!("{{agentRef: {{name: {agent}}}, environmentRef: {{name: prod}}{more}}}");
    format!("{}spec: {spec}\n", head("Deployment", &format!("{{name: {name}}}")))
}

pub(crate) fn policy(name: &str, words: &str) -> String {
    let spec = format!("{{rules: [{{when: {{tool.name: \"{words}\"}}, action: {{deny: true}}}}]}}");
    format!("{}spec: {spec}\n", head("Policy", &format!("{{name: {name}}}")))
}

pub(crate) const TO_PROD: &str = "--from staging --to prod";
