//! A project whose agent and judge answer on loopback, as a test says.

use std::fs;

use serde_json::{Value, json};

use crate::support::server::{Answer, Request, Server};
use crate::support::world::{Outcome, World};

/// A world with an applied project, and the server that its agent and judge are.
pub(super) struct Stage {
    pub(super) world: World,
    pub(super) server: Server,
}

/// The Eval as the requirements write it, with nothing added.
const EVAL: &str = include_str!("../../../fixtures/support-triage/evals/support-triage-quality.yaml");

/// The variable that holds the key of agent and judge, and its value.
pub(super) const KEY: (&str, &str) = ("BENCH_KEY", "sk-bench-0123456789abcdefghij");

const AGENT: &str = "\
apiVersion: joch.dev/v1alpha1
kind: Agent
metadata: {name: support-triage}
spec:
  framework: {adapterRef: {name: plain}}
  modelRef: {name: small}
  policies: [{name: calm}]
  instructions: Answer briefly.
---
apiVersion: joch.dev/v1alpha1
kind: FrameworkAdapter
metadata: {name: plain}
spec: {framework: plain, adapterImage: 'registry.example/plain:1'}
---
apiVersion: joch.dev/v1alpha1
kind: Policy
metadata: {name: calm}
spec:
  rules:
    - when: {tool.name: rm}
      action: {deny: true, reason: never}
";

impl Stage {
    /// A project with the Eval of the requirements and `cases` cases, applied to `local` and brought to `staging`.
    pub(super) fn new(name: &str, cases: usize, script: impl Fn(&Request) -> Answer + Send + Sync + 'static) -> Self {
        let stage = Self { world: World::new(name), server: Server::start(script) };
        let url = stage.server.url();
        // A busy machine makes the runner late, and a fiftieth of the threshold is how late it may be.
        let eval = EVAL.split("  releaseGate:").next().unwrap_or(EVAL);
        stage.write("evals/support-triage-quality.yaml", &eval.replace("\"<3000\"", "\"<300000\""));
        stage.write("evals/support-cases.jsonl", &dataset(cases));
        stage.write("agent.yaml", AGENT);
        let model = |name: &str| {
            format!(
                "apiVersion: joch.dev/v1alpha1\nkind: Model\nmetadata: {{name: {name}}}\nspec:\n  provider: openai\n  \
                 model: {name}-1\n  endpoint: {{type: hosted, baseUrl: \"{url}/v1\"}}\n  auth: {{secretRef: {{name: bench-key}}}}\n  \
                 pricing: {{currency: USD, inputPerMillionTokens: 2, outputPerMillionTokens: 8}}\n---\n"
            )
        };
        let secret = format!(
            "apiVersion: joch.dev/v1alpha1\nkind: Secret\nmetadata: {{name: bench-key}}\n\
             spec: {{source: {{type: env, name: {}}}}}\n",
            KEY.0
        );
        stage.write("models.yaml", &(model("small") + &model("judge") + &secret));
        stage.write(
            "deployments.yaml",
            &format!(
                "apiVersion: joch.dev/v1alpha1\nkind: Deployment\nmetadata: {{name: support-triage-staging}}\nspec:\n  \
                 agentRef: {{name: support-triage}}\n  environmentRef: {{name: staging}}\n  invoke:\n    type: http\n    \
                 url: {url}/agent\n    body: {{id: \"{{{{id}}}}\", input: \"{{{{input}}}}\"}}\n    output: $.output\n    \
                 toolCalls: $.tool_calls\n    headers: {{authorization: {{secretRef: {{name: bench-key}}}}}}\n"
            ),
        );
        stage.done("joch init --operator alice@example.com");
        let settings = fs::read_to_string(stage.world.project().join("joch.yaml")).expect("made");
        stage.write("joch.yaml", &format!("{settings}judge: {{modelRef: {{name: judge}}}}\n"));
        stage.done("joch apply -f . --no-evals");
        stage.up();
        stage
    }

    /// Brings what `local` has to `staging`.
    pub(super) fn up(&self) {
        self.done("joch promote support-triage --from local --to dev --no-evals");
        self.done("joch promote support-triage --from dev --to staging --no-evals");
    }

    /// Writes a file of the project.
    pub(super) fn write(&self, path: &str, text: &str) {
        let path = self.world.project().join(path);
        fs::create_dir_all(path.parent().expect("a file in a folder")).expect("a folder");
        fs::write(path, text).expect("a file of the project");
    }

    /// Runs a command as alice, with the key in her environment.
    pub(super) fn sh(&self, line: &str) -> Outcome {
        self.world.sh("alice", &format!("export {}={}; {line}", KEY.0, KEY.1))
    }

    /// The same, and it must exit with 0.
    pub(super) fn done(&self, line: &str) -> Outcome {
        let outcome = self.sh(line);
        assert_eq!(outcome.code, 0, "{line}\n{}{}", outcome.stdout, outcome.stderr);
        outcome
    }

    /// Runs the Eval in `staging`, with more words; the exit code and the JSON of the result.
    pub(super) fn eval(&self, more: &str) -> (i32, Value) {
        let outcome = self.sh(&format!("joch eval run support-triage-quality --target staging -o json {more}"));
        let result = serde_json::from_str(&outcome.stdout)
            .unwrap_or_else(|why| panic!("{why}: {}{}", outcome.stdout, outcome.stderr));
        (outcome.code, result)
    }
}

/// So many cases with the ids `c-0001` and on.
pub(super) fn dataset(cases: usize) -> String {
    (1..=cases)
        .map(|n| format!("{{\"id\":\"c-{n:04}\",\"input\":\"Question {n}?\",\"expected\":\"Answer {n}.\"}}\n"))
        .collect()
}

/// An agent that answers `Answer N.`, and a judge that finds every criterion met.
pub(super) fn good(request: &Request) -> Answer {
    if request.path == "/agent" { agent(request, |n| format!("Answer {n}.")) } else { judge(request, |_, _| "met") }
}

/// An answer of the agent, by the number of the case.
pub(super) fn agent(request: &Request, says: impl Fn(u64) -> String) -> Answer {
    let usage = json!({"input_tokens": 100, "output_tokens": 20});
    Answer::Json(200, json!({"output": says(case(request)), "tool_calls": [], "usage": usage}))
}

/// The number of the case that the agent is asked about.
pub(super) fn case(request: &Request) -> u64 {
    let id = request.body["id"].as_str().unwrap_or_default();
    id.trim_start_matches("c-").parse().unwrap_or(0)
}

/// The answer of a judge that follows the protocol, and finds of canaries what is so. `finds` is asked with the id of a
/// criterion and the output.
pub(super) fn judge(request: &Request, finds: impl Fn(&str, &str) -> &'static str) -> Answer {
    let asked = Asked::of(request);
    let verdict = |(id, text): &(String, String)| {
        let finding = asked.canary(text).unwrap_or_else(|| finds(id, &asked.output));
        json!({"criterion": id, "evidence": "", "verdict": finding})
    };
    let verdicts: Vec<Value> = asked.criteria.iter().map(verdict).collect();
    said(&json!({"nonce": asked.nonce, "verdicts": verdicts}).to_string())
}

/// A completion with this text.
pub(super) fn said(text: &str) -> Answer {
    Answer::Json(
        200,
        json!({
            "model": "judge-1-2026-03-17",
            "choices": [{"message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 300, "completion_tokens": 40},
        }),
    )
}

/// What a judge is asked, read as anybody could read it.
pub(super) struct Asked {
    pub(super) nonce: String,
    pub(super) criteria: Vec<(String, String)>,
    pub(super) output: String,
}

impl Asked {
    pub(super) fn of(request: &Request) -> Self {
        let user = request.body["messages"][1]["content"].as_str().unwrap_or_default();
        let fence = user.lines().find_map(|line| line.strip_prefix("<material ")).unwrap_or_default();
        let lines = user.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let (criteria, material): (Vec<_>, Vec<_>) = lines.partition(|line| line.get("criterion").is_some());
        let output = material.iter().find(|line| line["field"] == "output").map(|line| text(&line["text"]));
        Self {
            nonce: fence.trim_end_matches('>').to_owned(),
            criteria: criteria.iter().map(|line| (text(&line["criterion"]), text(&line["text"]))).collect(),
            output: output.unwrap_or_default(),
        }
    }

    /// What an honest judge finds of the criterion of a canary.
    pub(super) fn canary(&self, text: &str) -> Option<&'static str> {
        let word = text.strip_prefix("The output contains the word \"")?.strip_suffix("\".")?;
        Some(if self.output.contains(word) { "met" } else { "not_met" })
    }
}
