//! A small project with prices, volumes and one measured agent.

use std::fs;

use joch::eval::{RunResult, Usage};

use crate::support::measure;
use crate::support::world::World;

/// Alice is admin, `ci` is an automation that operates everywhere. The agent `a` stands in `staging`; a run of it takes
/// 1000 tokens in and 1000 out, which is 0.04 $, and `prod` is declared to run it 300 times a day.
pub(crate) struct Bench(pub(crate) World);

impl Bench {
    pub(crate) fn new(name: &str) -> Self {
        let bench = Self(World::new(name));
        bench.does("alice", "init --operator alice@example.com");
        let key = fs::read_to_string(bench.0.home("ci").join(".ssh/id_ed25519.pub")).expect("settled");
        let key = key.split(' ').take(2).collect::<Vec<_>>().join(" ");
        bench.file(
            "teams.yaml",
            &resource(
                "Team",
                "ops",
                &format!(
                    "{{members: [{{user: ci@example.com, role: operator, automation: true, \
                     environments: [local, dev, staging, prod], keys: [\"{}\"]}}]}}",
                    key.trim()
                ),
            ),
        );
        bench.cases(24);
        bench.file("a.yaml", &agent("be kind"));
        bench.file("m.yaml", &model(10, 30));
        bench.file("policy.yaml", &policy("calm"));
        let eval = "{target: {kind: Agent, name: a}, dataset: {type: file, uri: ./cases.jsonl}, \
                    metrics: [{name: latency_p95_ms, type: numeric}], thresholds: {latency_p95_ms: \"<9000\"}}";
        bench.file("quality.yaml", &resource("Eval", "quality", eval));
        let invoke = "invoke: {type: http, url: \"http://staging.example.com/a\"}";
        let staging = format!("{{agentRef: {{name: a}}, environmentRef: {{name: staging}}, {invoke}}}");
        bench.file("staging.yaml", &resource("Deployment", "a-staging", &staging));
        let prod = "{agentRef: a, environmentRef: prod, expectedRunsPerDay: 300}";
        bench.file("prod.yaml", &resource("Deployment", "a-prod", prod));
        bench.does("alice", "apply -f .");
        bench.up("a");
        bench
    }

    /// The same, with a first version of `a` in `prod`, and the next in `staging`.
    pub(crate) fn served(name: &str) -> Self {
        let bench = Self::new(name);
        bench.does("ci", "promote a --from staging --to prod");
        bench.next_version("be kinder");
        bench
    }

    /// Brings the next version of `a` to `staging`.
    pub(crate) fn next_version(&self, instructions: &str) {
        self.file("a.yaml", &agent(instructions));
        self.does("ci", "apply -f a.yaml");
        self.up("a");
    }

    pub(crate) fn up(&self, what: &str) {
        self.does("ci", &format!("promote {what} --from local --to dev"));
        self.does("ci", &format!("promote {what} --from dev --to staging"));
    }

    pub(crate) fn cases(&self, count: usize) {
        let cases: String = (1..=count).map(|n| format!("{{\"input\":\"case {n}\"}}\n")).collect();
        self.file("cases.jsonl", &cases);
    }

    pub(crate) fn file(&self, name: &str, text: &str) {
        fs::write(self.0.project().join(name), text).expect("a file of the project");
    }

    /// What the Environment `prod` says from now on.
    pub(crate) fn prod_says(&self, spec: &str) {
        self.file("environment.yaml", &resource("Environment", "prod", spec));
        self.does("alice", "apply -f environment.yaml");
    }

    /// `joch LINE`, which works.
    #[track_caller]
    pub(crate) fn does(&self, person: &str, line: &str) -> String {
        self.ends(person, line, 0)
    }

    /// `joch LINE`, which ends with this code; all that it says.
    #[track_caller]
    pub(crate) fn ends(&self, person: &str, line: &str, code: i32) -> String {
        let outcome = self.0.sh(person, &format!("joch {line}"));
        let said = format!("{}{}", outcome.stdout, outcome.stderr);
        assert_eq!(outcome.code, code, "{person}: joch {line}\n{said}");
        said
    }

    /// A promotion to `prod` ends with this code and says all of this.
    #[track_caller]
    pub(crate) fn promotes(&self, more: &str, code: i32, says: &[&str]) -> String {
        let said = self.ends("ci", &format!("promote a --from staging --to prod {more}"), code);
        let flat = said.split_whitespace().collect::<Vec<_>>().join(" ");
        for word in says {
            assert!(flat.contains(word), "it does not say `{word}`:\n{said}");
        }
        said
    }

    /// A run in `staging`, not yet recorded.
    pub(crate) fn run(&self) -> RunResult {
        let mut result = measure::result(&self.0, "quality", "a", "staging", &[("latency_p95_ms", 900.0)]);
        for case in &mut result.cases {
            case.trials[0].usage = Some(Usage { input: 1000, output: 1000 });
        }
        result
    }

    /// A run in `staging` that counts.
    pub(crate) fn measured(&self) -> String {
        measure::record(&self.0, "ci", &self.run()).expect("recorded")
    }

    /// An audit finds nothing.
    #[track_caller]
    pub(crate) fn is_sound(&self) {
        self.does("alice", "audit verify");
    }
}

pub(crate) fn resource(kind: &str, name: &str, spec: &str) -> String {
    format!("apiVersion: joch.dev/v1alpha1\nkind: {kind}\nmetadata: {{name: {name}}}\nspec: {spec}\n")
}

pub(crate) fn agent(instructions: &str) -> String {
    resource("Agent", "a", &format!("{{instructions: \"{instructions}\", model: m, policies: [p]}}"))
}

pub(crate) fn policy(word: &str) -> String {
    resource("Policy", "p", &format!("{{description: {word}}}"))
}

pub(crate) fn model(input: u32, output: u32) -> String {
    let pricing = format!("{{currency: USD, inputPerMillionTokens: {input}, outputPerMillionTokens: {output}}}");
    resource("Model", "m", &format!("{{provider: openai, model: gpt, pricing: {pricing}}}"))
}
