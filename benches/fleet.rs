//! What a fleet costs: a promotion with all six gates and their evidence, `joch agbom ls` and `joch get agents`, as whole
//! processes, in a ledger of 100 agents and in one of 10,000.
//!
//!     cargo bench --bench fleet                                    both fleets, and how they compare
//!     cargo bench --bench fleet -- agents=1000                     one fleet
//!     cargo bench --bench fleet -- agents=10000 namespace=10000    all of them in one namespace
//!
//! What can be set: `agents`, `namespace` (how many agents share one), `runs`. A fleet is laid once, by `joch apply`
//! and `joch promote` themselves, a set of 100 agents at a time, and kept below `target/tmp`; then its references are
//! packed and its packs get one index, as a server does at night. Every run promotes another agent, in a copy.
//!
//! Each row: processor time, wall time and peak memory (`VmHWM`), as minimum, median and maximum of the runs.

mod watched;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::{BufRead as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};
use std::{env, fs, io, thread};

use serde_json::json;
use watched::watch;

fn main() -> io::Result<()> {
    let words: Vec<String> = env::args().skip(1).filter(|word| word != "--bench").collect();
    if words.first().is_some_and(|word| word == "answer") {
        return answer();
    }
    let said = Settings::read(&words)?;
    let mut out = io::stdout();
    let sizes = said.agents.map_or_else(|| vec![100, 10_000], |agents| vec![agents]);
    let mut measured = Vec::new();
    for agents in sizes {
        let fleet = Fleet::lay(agents, said.namespace.min(agents), said.runs)?;
        writeln!(out, "{agents} agents, {} in a namespace; laid in {:.1?}", fleet.namespace, fleet.laid_in)?;
        out.flush()?;
        writeln!(out, "{HEAD}")?;
        let rows = fleet.measure()?;
        for (name, row) in &rows {
            writeln!(out, "{name:<28}  {row}")?;
        }
        measured.push(rows);
    }
    if let [few, many] = measured.as_slice() {
        writeln!(out, "\nthe larger fleet against the smaller, by medians:   cpu   wall   memory")?;
        for ((name, few), (_, many)) in few.iter().zip(many) {
            let [cpu, wall, memory] = [0, 1, 2].map(|of| many.0[of].median() / few.0[of].median());
            writeln!(out, "{name:<48}  {cpu:>5.2}  {wall:>5.2}  {memory:>5.2}")?;
        }
    }
    Ok(())
}

const HEAD: &str = "                                    cpu ms                  wall ms                 memory MB";

/// What was set, or its default.
struct Settings {
    agents: Option<usize>,
    namespace: usize,
    runs: usize,
}

impl Settings {
    fn read(words: &[String]) -> io::Result<Self> {
        let mut said = Self { agents: None, namespace: 100, runs: 5 };
        for word in words {
            let wrong = || io::Error::other(format!("`{word}` is no setting; write `agents=1000`"));
            let (name, value) = word.split_once('=').ok_or_else(wrong)?;
            let value = value.parse().map_err(|_| wrong())?;
            match name {
                "agents" => said.agents = Some(value),
                "namespace" => said.namespace = value,
                "runs" => said.runs = value,
                _ => return Err(wrong()),
            }
        }
        Ok(said)
    }
}

/// The agent that evals ask: a line in, a line out.
fn answer() -> io::Result<()> {
    let mut out = io::stdout().lock();
    for line in io::stdin().lock().lines() {
        let case: serde_json::Value = serde_json::from_str(&line?)?;
        thread::sleep(Duration::from_millis(2));
        writeln!(
            out,
            "{}",
            json!({"id": case["id"], "trial": case["trial"], "output": "On Tuesday.", "usage": {"input_tokens": 2000, "output_tokens": 300}})
        )?;
        out.flush()?;
    }
    Ok(())
}

/// A project whose ledger holds a fleet.
struct Fleet {
    root: PathBuf,
    agents: usize,
    namespace: usize,
    runs: usize,
    laid_in: Duration,
}

/// What a promotion must pass.
fn required(agent: usize) -> Vec<String> {
    let own = format!("eval:quality-{agent:05}");
    let gates = [&own, "approval:release-manager", "policy", "agbom", "budget", "latency:+50%"].map(str::to_owned);
    gates.into_iter().flat_map(|gate| ["--require".to_owned(), gate]).collect()
}

impl Fleet {
    /// The fleet, laid or found.
    fn lay(agents: usize, namespace: usize, runs: usize) -> io::Result<Self> {
        let within = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let root = within.join(format!("fleet-{LAYOUT}-{agents}-{namespace}-{runs}"));
        let mut fleet = Self { root, agents, namespace, runs, laid_in: Duration::ZERO };
        if fleet.root.join("laid").exists() {
            return Ok(fleet);
        }
        let begun = Instant::now();
        drop(fs::remove_dir_all(&fleet.root));
        fs::create_dir_all(fleet.root.join("home"))?;
        for who in ["alice", "bob"] {
            joch::ledger::generate_key(fleet.root.join("home").join(who), who).map_err(io::Error::other)?;
        }
        fleet.done("alice", &["init", "--ladder", "staging,prod", "--operator", "alice@example.com"])?;
        let bob = fs::read_to_string(fleet.root.join("home/bob.pub"))?;
        let namespaces = agents.div_ceil(namespace);
        fs::write(fleet.root.join("shared.yaml"), shared(namespaces).replace("BOB", bob.trim()))?;
        fleet.done("alice", &["apply", "-f", "shared.yaml"])?;
        fleet.done("alice", &["promote", "-f", "shared.yaml", "--from", "staging", "--to", "prod"])?;
        let cases: Vec<_> = (0..40).map(|n| json!({"id": format!("c{n}"), "input": "when?"}).to_string()).collect();
        fs::write(fleet.root.join("cases.jsonl"), cases.join("\n"))?;
        let all: Vec<usize> = (0..agents).collect();
        for (number, some) in all.chunks(SET).enumerate() {
            let file = format!("set-{number:03}.yaml");
            let texts: Vec<_> = some.iter().map(|agent| fleet.resources(*agent, 1)).collect();
            fs::write(fleet.root.join(&file), texts.join("---\n"))?;
            fleet.done("alice", &["apply", "-f", &file])?;
            fleet.done("alice", &["promote", "-f", &file, "--from", "staging", "--to", "prod", "--no-evals"])?;
        }
        fs::write(fleet.root.join("tools.json"), LISTED)?;
        for server in fleet.promoted().into_iter().map(server_of).collect::<BTreeSet<_>>() {
            let score = ["--trust-score", "0.9", "--trust-source", "a review"];
            let server = format!("server-{server}");
            fleet.done("alice", &[&["mcp", "record", &server, "-f", "tools.json"][..], &score].concat())?;
        }
        for agent in fleet.promoted() {
            fleet.prepare(agent)?;
        }
        for words in [&["multi-pack-index", "write"][..], &["pack-refs", "--all"]] {
            let git = Command::new("git").arg("-C").arg(fleet.root.join(".joch/ledger.git")).args(words).status()?;
            if !git.success() {
                return Err(io::Error::other("the fleet could not be packed"));
            }
        }
        fs::write(fleet.root.join("laid"), "")?;
        fleet.laid_in = begun.elapsed();
        Ok(fleet)
    }

    /// The agents that the runs promote, and one more to begin with, spread over the fleet.
    fn promoted(&self) -> Vec<usize> {
        (0..=self.runs).map(|run| run * self.agents / (self.runs + 1)).collect()
    }

    /// An agent that is measured as it runs, changed, measured again and approved.
    fn prepare(&self, agent: usize) -> io::Result<()> {
        let (namespace, eval, name) = (self.namespace_of(agent), format!("quality-{agent:05}"), format!("a{agent:05}"));
        let file = format!("change-{agent:05}.yaml");
        for version in [1, 2] {
            let exe = env::current_exe()?;
            let reached = self.deployed(
                agent,
                "staging",
                &format!("\n  invoke: {{ type: command, command: [{exe:?}, answer], lines: true }}"),
            );
            fs::write(self.root.join(&file), format!("{}---\n{reached}", self.resources(agent, version)))?;
            self.done("alice", &["apply", "-f", &file])?;
            let measure = || self.done("alice", &["eval", "run", &eval, "-n", &namespace, "--target", "staging"]);
            // A machine that is busy measures nothing worth believing, and the run says so.
            (0..20).map(|_| measure()).find(Result::is_ok).unwrap_or_else(measure)?;
        }
        self.done("bob", &["approve", &name, "-n", &namespace, "--from", "staging", "--to", "prod"])
    }

    fn namespace_of(&self, agent: usize) -> String {
        format!("team-{:03}", agent / self.namespace)
    }

    /// An agent with what is its own.
    fn resources(&self, agent: usize, version: usize) -> String {
        let deployed = self.deployed(agent, "prod", "\n  expectedRunsPerDay: 500");
        OWN.replace("NAMESPACE", &self.namespace_of(agent))
            .replace("NUMBER", &format!("{agent:05}"))
            .replace("MODEL", &(agent % 4).to_string())
            .replace("SERVER", &server_of(agent).to_string())
            .replace("VERSION", &version.to_string())
            + "---\n"
            + &deployed
    }

    fn deployed(&self, agent: usize, environment: &str, more: &str) -> String {
        let namespace = self.namespace_of(agent);
        format!(
            "apiVersion: ops.joch.dev/v1alpha1\nkind: Deployment\nmetadata: {{ name: a{agent:05}-{environment}, \
             namespace: {namespace} }}\nspec:\n  agentRef: {{ name: a{agent:05} }}\n  environmentRef: {{ name: \
             {environment} }}\n  replicas: 1{more}\n"
        )
    }

    /// Every command in turn, each as often as was asked.
    fn measure(&self) -> io::Result<Vec<(&'static str, Row)>> {
        let copy = self.copied()?;
        let mut rows = Vec::new();
        let mut promotions = Vec::new();
        for (run, agent) in copy.promoted().into_iter().enumerate() {
            let (name, namespace) = (format!("a{agent:05}"), copy.namespace_of(agent));
            let mut words = ["promote", &name, "-n", &namespace, "--from", "staging", "--to", "prod", "--no-evals"]
                .map(str::to_owned)
                .to_vec();
            words.extend(required(agent));
            let cost = copy.watched(&words.iter().map(String::as_str).collect::<Vec<_>>())?;
            // The first finds nothing in memory, and no index.
            if run > 0 {
                promotions.push(cost);
            } else {
                rows.push(("promote, the first", Row::of(&[cost])));
            }
        }
        rows.push(("promote", Row::of(&promotions)));
        for (name, words) in READS {
            copy.watched(words)?;
            let costs: Vec<_> = (0..self.runs).map(|_| copy.watched(words)).collect::<io::Result<_>>()?;
            rows.push((name, Row::of(&costs)));
        }
        fs::remove_dir_all(&copy.root)?;
        Ok(rows)
    }

    fn copied(&self) -> io::Result<Self> {
        let root = self.root.with_extension("copy");
        drop(fs::remove_dir_all(&root));
        let copied = Command::new("cp").arg("-a").arg(&self.root).arg(&root).status()?;
        if !copied.success() {
            return Err(io::Error::other("the fleet could not be copied"));
        }
        Ok(Self { root, laid_in: self.laid_in, ..*self })
    }

    fn joch(&self, who: &str, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_joch"));
        let home = self.root.join("home");
        command
            .args(words)
            .current_dir(&self.root)
            .env_clear()
            .env("PATH", env::var_os("PATH").unwrap_or_default())
            .env("HOME", &home)
            .env("JOCH_SIGNING_KEY", home.join(who));
        command
    }

    fn done(&self, who: &str, words: &[&str]) -> io::Result<()> {
        let output = self.joch(who, words).output()?;
        if output.status.success() {
            return Ok(());
        }
        let told = [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat();
        Err(io::Error::other(format!("joch {}: {told}", words.join(" "))))
    }

    /// Runs a command and says what it cost.
    fn watched(&self, words: &[&str]) -> io::Result<Cost> {
        let (status, output, used) = watch(&mut self.joch("alice", words))?;
        if !status.success() {
            let told = String::from_utf8_lossy(&output);
            return Err(io::Error::other(format!("joch {}: {status}\n{told}", words.join(" "))));
        }
        #[expect(clippy::cast_precision_loss, reason = "small numbers, for people")]
        let cost = Cost([used.cpu.as_secs_f64() * 1e3, used.wall.as_secs_f64() * 1e3, used.memory as f64 / 1024.0]);
        Ok(cost)
    }
}

/// What is read of a fleet.
const READS: [(&str, &[&str]); 4] = [
    ("agbom ls --high-risk", &["agbom", "ls", "--high-risk", "-o", "json"]),
    ("agbom ls --mcp-server (all)", &["agbom", "ls", "--mcp-server", "server-9", "-o", "json"]),
    ("agbom ls --uses (one agent)", &["agbom", "ls", "--uses", "tool/tool-00042", "-o", "json"]),
    ("get agents", &["get", "agents", "-o", "json"]),
];

/// Processor time and wall time in milliseconds, and peak memory in megabytes.
struct Cost([f64; 3]);

/// Several costs of one command.
struct Row([Spread; 3]);

struct Spread(Vec<f64>);

impl Spread {
    fn median(&self) -> f64 {
        self.0[self.0.len() / 2]
    }
}

impl Row {
    fn of(costs: &[Cost]) -> Self {
        Self([0, 1, 2].map(|of| {
            let mut values: Vec<f64> = costs.iter().map(|cost| cost.0[of]).collect();
            values.sort_by(f64::total_cmp);
            Spread(values)
        }))
    }
}

impl std::fmt::Display for Row {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for spread in &self.0 {
            let (least, most) = (spread.0[0], spread.0[spread.0.len() - 1]);
            write!(f, "{least:>7.1} {:>7.1} {most:>7.1} ", spread.median())?;
        }
        Ok(())
    }
}

/// Changes with what is laid, so that an older fleet is not taken for it.
const LAYOUT: u32 = 2;
/// How many agents are applied and promoted at once.
const SET: usize = 100;

/// Which MCP server an agent uses.
fn server_of(agent: usize) -> usize {
    agent % 20
}

/// What a server was seen to offer.
const LISTED: &str = r#"{"tools":[{"name":"search","description":"Searches.","inputSchema":{"type":"object"}}]}"#;

/// What the whole fleet shares, and the Budget of each namespace.
fn shared(namespaces: usize) -> String {
    let mut text = TEAM.to_owned();
    for n in 0..namespaces {
        let _ = write!(
            text,
            "---\napiVersion: ops.joch.dev/v1alpha1\nkind: Budget\nmetadata: {{ name: budget-{n:03} }}\nspec: {{ scope: {{ teams: \
             [team-{n:03}] }}, limits: {{ perRunUsd: 0.40, dailyUsd: 220 }}, enforcement: {{ onHardLimit: deny }} }}\n"
        );
    }
    for n in 0..4 {
        let _ = write!(
            text,
            "---\napiVersion: model.joch.dev/v1alpha1\nkind: Model\nmetadata: {{ name: model-{n} }}\nspec: {{ provider: openai, \
             model: answers-{n}, pricing: {{ currency: USD, inputPerMillionTokens: 2, outputPerMillionTokens: 8 }} }}\n"
        );
    }
    for n in 0..20 {
        // One in ten servers may change under the agents that use it.
        let pinned =
            if n % 10 == 9 { "pinServerVersion: false" } else { "pinServerVersion: true, pinnedVersion: \"1.0.0\"" };
        let _ = write!(
            text,
            "---\napiVersion: tools.joch.dev/v1alpha1\nkind: MCPServer\nmetadata: {{ name: server-{n} }}\nspec: {{ transport: \
             streamable_http, endpoint: {{ url: \"https://mcp.example/{n}\" }}, exposes: {{ tools: [search] }}, security: {{ \
             {pinned} }} }}\n---\napiVersion: tools.joch.dev/v1alpha1\nkind: Tool\nmetadata: {{ name: search-{n} }}\nspec: {{ type: \
             mcp, mcpServerRef: {{ name: server-{n} }}, sideEffects: {{ level: read_only }} }}\n"
        );
    }
    text
}

const TEAM: &str = r#"apiVersion: ops.joch.dev/v1alpha1
kind: Team
metadata: { name: release-manager }
spec:
  members:
    - { user: bob@example.com, role: approver, keys: ["BOB"] }
---
apiVersion: runtime.joch.dev/v1alpha1
kind: FrameworkAdapter
metadata: { name: openai-agents }
spec: { framework: openai-agents, language: python }
---
apiVersion: joch.dev/v1alpha1
kind: Policy
metadata: { name: pii-redaction }
spec: { rules: [{ when: { data.contains: credentials }, action: { redact: true } }] }
---
apiVersion: joch.dev/v1alpha1
kind: Policy
metadata: { name: customer-facing }
spec:
  appliesTo: { agents: { selector: { matchLabels: { tier: customer-facing } } } }
  rules: [{ when: { tool.sideEffect: privileged }, action: { deny: true } }]
"#;

const OWN: &str = r#"apiVersion: joch.dev/v1alpha1
kind: Agent
metadata: { name: aNUMBER, namespace: NAMESPACE, labels: { tier: customer-facing, team: NAMESPACE } }
spec:
  framework: { adapterRef: { name: openai-agents } }
  instructions: Answer as agent NUMBER does, in its version VERSION.
  modelRef: { name: model-MODEL }
  tools: [{ name: tool-NUMBER }, { name: search-SERVER }]
  mcpServers: [{ name: server-SERVER }]
  memories: { conversation: { name: memory-NUMBER } }
  policies: [{ name: pii-redaction }]
---
apiVersion: tools.joch.dev/v1alpha1
kind: Tool
metadata: { name: tool-NUMBER, namespace: NAMESPACE }
spec: { type: rest, endpoint: { method: GET, url: "https://api.example/NUMBER" }, sideEffects: { level: read_only } }
---
apiVersion: memory.joch.dev/v1alpha1
kind: Memory
metadata: { name: memory-NUMBER, namespace: NAMESPACE }
spec: { type: conversation, backend: { type: postgres }, retention: { days: 30 } }
---
apiVersion: joch.dev/v1alpha1
kind: Eval
metadata: { name: quality-NUMBER, namespace: NAMESPACE }
spec:
  target: { kind: Agent, name: aNUMBER }
  dataset: { type: file, uri: ./cases.jsonl }
  metrics: [{ name: pii_leakage, type: deterministic }, { name: latency_p95_ms, type: numeric }]
  run: { concurrency: 1 }
  thresholds: { pii_leakage: 0.0, latency_p95_ms: "<3000" }
"#;
