//! A promotion waits for an Eval: what satisfies it, what does not, and what is said of it.

mod forged;
mod judged;
mod latency;
mod stale;

use std::fs;

use joch::eval::RunResult;

use crate::support::measure;
use crate::support::world::{Outcome, World};

/// Exit codes as the contract has them.
const REFUSED: i32 = 2;
const UNDECIDED: i32 = 1;
const PENDING: i32 = 3;

const CASES: &str = "{\"input\":\"one\"}\n{\"input\":\"two\"}\n{\"input\":\"three\"}\n";

/// A project in which Alice is admin, `ci` is an automation that operates, Mallory works on the lowest rungs, and Bob
/// only reads. The agent `a` stands in `staging`, its Eval `quality` guards `prod`, and nothing was measured.
struct Bench(World);

impl Bench {
    fn new(name: &str) -> Self {
        let bench = Self(World::new(name));
        bench.does("alice", "init --operator alice@example.com");
        let [ci, bob, mallory] = ["ci", "bob", "mallory"].map(|person| bench.key(person));
        let teams = format!(
            "{}spec:\n  members:\n  - {{user: ci@example.com, role: operator, automation: true, \
             environments: [local, dev, staging, prod], keys: [\"{ci}\"]}}\n  \
             - {{user: mallory@example.com, role: operator, environments: [local], keys: [\"{mallory}\"]}}\n  \
             - {{user: bob@example.com, role: viewer, keys: [\"{bob}\"]}}\n",
            head("Team", "{name: ops}"),
        );
        bench.file("teams.yaml", &teams);
        bench.file("cases.jsonl", CASES);
        bench.file("a.yaml", &agent("a", "be kind"));
        bench.file("b.yaml", &agent("b", "be brief"));
        bench.file("policy.yaml", &policy("calm"));
        bench.file("models.yaml", &[model("m", "gpt-4.1"), model("j", "judge-1")].join("---\n"));
        bench.file("quality.yaml", &eval("quality", "", "{task_success: 0.85}"));
        bench.file("staging.yaml", &deployment("a-staging", "staging", "http://staging.example.com/a"));
        bench.does("alice", "apply -f .");
        bench
    }

    /// The same, with `a` in `staging`.
    fn staged(name: &str) -> Self {
        let bench = Self::new(name);
        bench.up("a");
        bench
    }

    /// The same, with a version of `a` in `prod` that passed, and the next in `staging`.
    fn served(name: &str) -> Self {
        let bench = Self::staged(name);
        bench.passes();
        bench.does("ci", "promote a --from staging --to prod");
        bench.file("a.yaml", &agent("a", "be kinder"));
        bench.does("ci", "apply -f a.yaml");
        bench.up("a");
        bench
    }

    fn up(&self, agent: &str) {
        self.does("ci", &format!("promote {agent} --from local --to dev"));
        self.does("ci", &format!("promote {agent} --from dev --to staging"));
    }

    fn key(&self, person: &str) -> String {
        let text = fs::read_to_string(self.0.home(person).join(".ssh/id_ed25519.pub")).expect("settled");
        text.split(' ').take(2).collect::<Vec<_>>().join(" ").trim().to_owned()
    }

    fn file(&self, name: &str, text: &str) {
        fs::write(self.0.project().join(name), text).expect("a file of the project");
    }

    /// `joch LINE`, which works.
    #[track_caller]
    fn does(&self, person: &str, line: &str) -> String {
        let outcome = self.0.sh(person, &format!("joch {line}"));
        assert_eq!(outcome.code, 0, "{person}: joch {line}\n{}{}", outcome.stdout, outcome.stderr);
        outcome.stdout
    }

    /// Brings a changed file to `staging`, as a shared resource or an Eval on its own.
    fn moves(&self, file: &str, what: &str) {
        self.does("ci", &format!("apply -f {file}"));
        self.does("ci", &format!("promote {what} --from local --to dev"));
        self.does("ci", &format!("promote {what} --from dev --to staging"));
    }

    /// A run in `staging` in which every case scored this much.
    fn scores(&self, task_success: f64) -> RunResult {
        measure::result(&self.0, "quality", "a", "staging", &[("task_success", task_success)])
    }

    /// Records a result that `ci` signs.
    #[track_caller]
    fn records(&self, result: &RunResult) -> String {
        measure::record(&self.0, "ci", result).expect("recorded")
    }

    /// A run that passes.
    #[track_caller]
    fn passes(&self) -> String {
        self.records(&self.scores(0.9))
    }

    /// What `joch promote a` to `prod` says and ends with, without being written.
    fn asks(&self) -> Outcome {
        self.0.sh("ci", "joch promote a --from staging --to prod --dry-run")
    }

    /// The promotion is stopped with this code, and says all of this.
    #[track_caller]
    fn stopped(&self, code: i32, says: &[&str]) {
        let outcome = self.asks();
        let said = format!("{}{}", outcome.stdout, outcome.stderr);
        assert_eq!(outcome.code, code, "{said}");
        for word in says {
            assert!(said.contains(word), "it does not say `{word}`:\n{said}");
        }
    }

    /// The promotion would be made.
    #[track_caller]
    fn opens(&self) -> String {
        let outcome = self.asks();
        assert_eq!(outcome.code, 0, "{}{}", outcome.stdout, outcome.stderr);
        outcome.stdout
    }

    /// An audit finds nothing.
    #[track_caller]
    fn is_sound(&self) {
        self.does("alice", "audit verify");
    }
}

fn head(kind: &str, metadata: &str) -> String {
    format!("apiVersion: joch.dev/v1alpha1\nkind: {kind}\nmetadata: {metadata}\n")
}

fn agent(name: &str, instructions: &str) -> String {
    let spec = format!("{{instructions: \"{instructions}\", model: m, policies: [p]}}");
    format!("{}spec: {spec}\n", head("Agent", &format!("{{name: {name}}}")))
}

fn model(name: &str, model: &str) -> String {
    format!("{}spec: {{provider: openai, model: {model}}}\n", head("Model", &format!("{{name: {name}}}")))
}

fn policy(word: &str) -> String {
    let spec = format!("{{rules: [{{when: {{tool.name: {word}}}, action: {{deny: true}}}}]}}");
    format!("{}spec: {spec}\n", head("Policy", "{name: p}"))
}

/// An Eval of `a` that guards `prod`; `more` is further fields of its spec.
fn eval(name: &str, more: &str, thresholds: &str) -> String {
    format!(
        "{}spec:\n  target: {{kind: Agent, name: a}}\n  dataset: {{type: file, uri: ./cases.jsonl}}\n  \
         metrics: [{{name: task_success, type: llm_judge, judgeModelRef: {{name: j}}}}]\n  \
         thresholds: {thresholds}\n  releaseGate: {{enabled: true, blocksPromotionTo: [prod]}}\n{more}",
        head("Eval", &format!("{{name: {name}}}"))
    )
}

fn deployment(name: &str, environment: &str, url: &str) -> String {
    let invoke = format!("{{type: http, url: \"{url}\"}}");
    let spec = format!("{{agentRef: {{name: a}}, environmentRef: {{name: {environment}}}, invoke: {invoke}}}");
    format!("{}spec: {spec}\n", head("Deployment", &format!("{{name: {name}}}")))
}

fn environment(name: &str, spec: &str) -> String {
    format!("{}spec: {spec}\n", head("Environment", &format!("{{name: {name}}}")))
}
