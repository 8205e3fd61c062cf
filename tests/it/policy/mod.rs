//! A promotion judged by policies: what each sort of them stops, with its reason, and what the runtime is left with.

mod gate;
mod preview;
mod union;

use std::fs;

use crate::support::world::{Outcome, World};

/// Exit codes as the contract has them.
const REFUSED: i32 = 2;
const UNDECIDED: i32 = 1;

/// A project of Alice's alone, whose last rung demands the policy gate. The agent `a` has a tool that asks before it
/// refunds, one that only reads, and two Models.
struct Office(World);

impl Office {
    fn new(name: &str) -> Self {
        let office = Self(World::new(name));
        office.does("init --operator alice@example.com");
        office.file("prod.yaml", &environment("{gates: [policy]}"));
        office.file("a.yaml", &agent(""));
        office.file("tools.yaml", &[REFUND, SEARCH].join("---\n"));
        office.file("models.yaml", &[model("big", "openai"), model("small", "mistral")].join("---\n"));
        office.file("help.yaml", HELP);
        office.does("apply -f .");
        office
    }

    /// The same, with this Policy named by the agent, and the agent in `staging`.
    fn with(name: &str, spec: &str) -> Self {
        let office = Self::new(name);
        office.file("p.yaml", &policy("p", spec));
        office.file("a.yaml", &agent(", policies: [p]"));
        office.does("apply -f .");
        office.up();
        office
    }

    fn file(&self, name: &str, text: &str) {
        fs::write(self.0.project().join(name), text).expect("a file of the project");
    }

    #[track_caller]
    fn does(&self, line: &str) -> String {
        let outcome = self.tries(line);
        assert_eq!(outcome.code, 0, "joch {line}\n{}{}", outcome.stdout, outcome.stderr);
        outcome.stdout
    }

    fn tries(&self, line: &str) -> Outcome {
        self.0.sh("alice", &format!("joch {line}"))
    }

    /// Brings the agent to `staging`.
    #[track_caller]
    fn up(&self) {
        self.does("promote a --from local --to dev");
        self.does("promote a --from dev --to staging");
    }

    /// The promotion to `prod` is stopped with this code, and says all of this.
    #[track_caller]
    fn stopped(&self, code: i32, says: &[&str]) {
        let outcome = self.tries("promote a --from staging --to prod");
        let said = format!("{}{}", outcome.stdout, outcome.stderr);
        assert_eq!(outcome.code, code, "{said}");
        for word in says {
            assert!(said.contains(word), "it does not say `{word}`:\n{said}");
        }
        self.does("audit verify");
    }

    /// The promotion to `prod` is made, and its record as JSON.
    #[track_caller]
    fn passes(&self) -> serde_json::Value {
        self.does("promote a --from staging --to prod");
        self.does("audit verify");
        let record = self.0.sh("alice", "git -C .joch/ledger.git show heads/prod:agents/default/a/record.json");
        serde_json::from_str(&record.stdout).expect("a record")
    }
}

fn head(kind: &str, name: &str) -> String {
    format!("apiVersion: joch.dev/v1alpha1\nkind: {kind}\nmetadata: {{name: {name}}}\n")
}

fn agent(more: &str) -> String {
    let metadata = "{name: a, labels: {tier: gold}}";
    format!(
        "apiVersion: joch.dev/v1alpha1\nkind: Agent\nmetadata: {metadata}\nspec: {{instructions: be kind, \
         modelPolicy: {{allowed: ['openai:big', 'mistral:small']}}, tools: [refund, search], mcpServers: [help]{more}}}\n"
    )
}

fn model(name: &str, provider: &str) -> String {
    format!("{}spec: {{provider: {provider}, model: {name}}}\n", head("Model", name))
}

fn policy(name: &str, spec: &str) -> String {
    format!("{}spec: {spec}\n", head("Policy", name))
}

fn rule(when: &str, effect: &str) -> String {
    format!("{{rules: [{{when: {when}, {effect}}}]}}")
}

fn environment(spec: &str) -> String {
    format!("{}spec: {spec}\n", head("Environment", "prod"))
}

const REFUND: &str = "apiVersion: joch.dev/v1alpha1
kind: Tool
metadata: {name: refund}
spec: {type: rest, sideEffects: {level: financial, requiresApproval: true}}
";

const SEARCH: &str = "apiVersion: joch.dev/v1alpha1
kind: Tool
metadata: {name: search}
spec: {type: rest, sideEffects: {level: read_only}}
";

const HELP: &str = "apiVersion: joch.dev/v1alpha1
kind: MCPServer
metadata: {name: help}
spec: {transport: streamable_http, endpoint: {url: 'https://mcp.example.com/help'}}
";

const DENIES: &str = "action: {deny: true, reason: not here}";
