//! How fast, how lean and how true an eval runs: `joch eval run` against an agent and a judge of known quality that
//! live in a process of their own.
//!
//!     cargo bench --bench eval                                     three runs of 1,000 cases
//!     cargo bench --bench eval -- cases=10000 concurrency=128      one run
//!
//! What can be set: `cases`, `concurrency`, `latency` and `spread` (milliseconds), `too_many` and `broken` (of a
//! thousand requests: 429 and 500), `retry_after` (milliseconds), `seed`. One case in ten is bad, so the mean is 0.9.
//!
//! Each row: wall time beside the ideal (two calls a case, divided by the concurrency), processor time a case, peak
//! memory, and what joch reports beside what the server knows. Processor time and memory are read from `/proc`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs, io, thread};

use joch::eval::Finding;
use joch::net::loopback::{Loopback, Shown, Truth, Weather};
use serde_json::{Value, json};

fn main() -> io::Result<()> {
    let words: Vec<String> = env::args().skip(1).filter(|word| word != "--bench").collect();
    let serve = words.iter().any(|word| word == "serve");
    let said = Settings::read(words.iter().filter(|word| *word != "serve"))?;
    if serve {
        return server(&said);
    }
    let mut out = io::stdout();
    writeln!(out, "{HEAD}")?;
    let rows = if said.0.is_empty() {
        [&["concurrency=32"][..], &["concurrency=128"], &["too_many=50", "broken=20", "retry_after=1000"]]
            .iter()
            .map(|row| Settings::read(row.iter()))
            .collect::<io::Result<_>>()?
    } else {
        vec![said]
    };
    for row in rows {
        writeln!(out, "{}", measured(&row)?)?;
    }
    Ok(())
}

const HEAD: &str = "cases  conc  latency  faults    ideal s  wall s  cpu ms/case  rss MB  exit  task_success  p95 ms (server)  429  500  early  busiest";

/// Settings by name; what was not said has its default.
struct Settings(BTreeMap<String, u64>);

const DEFAULTS: [(&str, u64); 8] = [
    ("cases", 1000),
    ("concurrency", 32),
    ("latency", 50),
    ("spread", 10),
    ("too_many", 0),
    ("broken", 0),
    ("retry_after", 1000),
    ("seed", 1),
];

impl Settings {
    fn read(words: impl Iterator<Item = impl AsRef<str>>) -> io::Result<Self> {
        let wrong = |word: &str| io::Error::other(format!("`{word}` is no setting; write `cases=1000`"));
        let mut said = BTreeMap::new();
        for word in words {
            let word = word.as_ref();
            let (name, value) = word.split_once('=').ok_or_else(|| wrong(word))?;
            if !DEFAULTS.iter().any(|(known, _)| *known == name) {
                return Err(wrong(word));
            }
            said.insert(name.to_owned(), value.parse().map_err(|_| wrong(word))?);
        }
        Ok(Self(said))
    }

    fn get(&self, name: &str) -> u64 {
        let default = || DEFAULTS.iter().find(|(known, _)| *known == name).map_or(0, |(_, value)| *value);
        self.0.get(name).copied().unwrap_or_else(default)
    }

    fn words(&self) -> Vec<String> {
        self.0.iter().map(|(name, value)| format!("{name}={value}")).collect()
    }
}

/// Answers well where it is asked `good`.
struct Known;

impl Truth for Known {
    fn answer(&self, body: &Value) -> Value {
        let good = body["input"].as_str().is_some_and(|input| input.ends_with("good"));
        let output = if good { "The parcel arrives on Tuesday." } else { "No idea." };
        json!({"output": output, "tool_calls": [], "usage": {"input_tokens": 400, "output_tokens": 80}})
    }

    fn finding(&self, shown: &Shown, _: &str, _: &str) -> Finding {
        if shown.text("output").contains("Tuesday") { Finding::Met } else { Finding::NotMet }
    }
}

fn server(said: &Settings) -> io::Result<()> {
    let millis = |name| Duration::from_millis(said.get(name));
    let weather = Weather {
        latency: [millis("latency").saturating_sub(millis("spread")), millis("latency") + millis("spread")],
        too_many: u32::try_from(said.get("too_many")).unwrap_or(0),
        broken: u32::try_from(said.get("broken")).unwrap_or(0),
        retry_after: millis("retry_after"),
        seed: said.get("seed"),
    };
    let loopback = Loopback::start(0, weather, Known)?;
    writeln!(io::stdout(), "{}", loopback.address().port())?;
    // Whoever started it holds the other end, so that it never outlives them.
    io::stdin().read_line(&mut String::new())?;
    writeln!(io::stdout(), "{}", json!(loopback.tally()))?;
    Ok(())
}

/// One row of the table.
fn measured(said: &Settings) -> io::Result<String> {
    let mut server = Command::new(env::current_exe()?)
        .arg("serve")
        .args(said.words())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut lines = BufReader::new(server.stdout.take().expect("it is piped")).lines();
    let port: u16 = lines.next().unwrap_or_else(|| Ok(String::new()))?.parse().map_err(io::Error::other)?;
    let project = Project::lay(said, port)?;
    let (before, begun) = (children_ticks()?, Instant::now());
    let (code, output, rss) = watched(project.joch(&["eval", "run", "bench", "--target", "local", "-o", "json"]))?;
    let (wall, ticks) = (begun.elapsed(), children_ticks()? - before);
    server.stdin.take().expect("it is piped").write_all(b"\n")?;
    let tally: Value = serde_json::from_str(&lines.next().unwrap_or_else(|| Ok("null".into()))?)?;
    server.wait()?;
    let result: Value = serde_json::from_slice(&output).unwrap_or_default();
    let value = |name: &str| {
        let metrics = result["metrics"].as_array().into_iter().flatten();
        metrics.clone().find(|metric| metric["name"] == name).map_or(Value::Null, |metric| metric["value"].clone())
    };
    let cases = said.get("cases");
    #[expect(clippy::cast_precision_loss, reason = "small numbers, for people")]
    let row = format!(
        "{cases:<5}  {:<4}  {:>3}±{:<3}  {:>3}+{:<3}   {:>7.2} {:>7.2}  {:>11.2}  {:>6.1}  {code:>4}  {:>12}  {:>6} ({:>6.1})  {:>3}  {:>3}  {:>5}  {:>7}",
        said.get("concurrency"),
        said.get("latency"),
        said.get("spread"),
        said.get("too_many"),
        said.get("broken"),
        (2 * cases * said.get("latency")) as f64 / 1000.0 / said.get("concurrency") as f64,
        wall.as_secs_f64(),
        ticks as f64 * 10.0 / cases as f64,
        rss as f64 / 1024.0,
        value("task_success"),
        value("latency_p95_ms"),
        tally["p95Us"].as_f64().unwrap_or_default() / 1000.0,
        tally["tooMany"],
        tally["broken"],
        tally["early"],
        tally["busiest"],
    );
    Ok(row)
}

/// A project with one agent, and an Eval of it.
struct Project {
    root: PathBuf,
}

impl Project {
    fn lay(said: &Settings, port: u16) -> io::Result<Self> {
        let project = Self { root: Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("bench-eval-{port}")) };
        fs::create_dir_all(project.root.join("home"))?;
        let mut cases = String::new();
        for n in 0..said.get("cases") {
            let quality = if n % 10 == 9 { "bad" } else { "good" };
            let _ = writeln!(cases, "{}", json!({"id": format!("case-{n}"), "input": format!("case {n}: {quality}")}));
        }
        fs::write(project.root.join("cases.jsonl"), cases)?;
        let resources =
            RESOURCES.replace("PORT", &port.to_string()).replace("CONCURRENCY", &said.get("concurrency").to_string());
        fs::write(project.root.join("bench.yaml"), resources)?;
        joch::ledger::generate_key(project.root.join("home/key"), "bench").map_err(io::Error::other)?;
        for words in [&["init", "--operator", "bench@example.com"][..], &["apply", "-f", "bench.yaml"]] {
            let output = project.joch(words).output()?;
            if !output.status.success() {
                return Err(io::Error::other(String::from_utf8_lossy(&output.stderr).into_owned()));
            }
        }
        Ok(project)
    }

    fn joch(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_joch"));
        let home = self.root.join("home");
        command
            .args(words)
            .current_dir(&self.root)
            .env_clear()
            .env("PATH", env::var_os("PATH").unwrap_or_default())
            .env("HOME", &home)
            .env("JOCH_SIGNING_KEY", home.join("key"));
        command
    }
}

impl Drop for Project {
    fn drop(&mut self) {
        // What is left behind is in the way of nobody.
        drop(fs::remove_dir_all(&self.root));
    }
}

const RESOURCES: &str = r#"apiVersion: joch.dev/v1alpha1
kind: Agent
metadata: { name: bench }
spec:
  instructions: Answer.
  modelRef: { name: answers }
---
apiVersion: model.joch.dev/v1alpha1
kind: Model
metadata: { name: answers }
spec:
  provider: openai
  model: answers-1
  pricing: { currency: USD, inputPerMillionTokens: 2.00, outputPerMillionTokens: 8.00 }
---
apiVersion: model.joch.dev/v1alpha1
kind: Model
metadata: { name: judge }
spec:
  provider: openai
  model: judge-1
  endpoint: { type: local, baseUrl: "http://127.0.0.1:PORT/v1" }
---
apiVersion: ops.joch.dev/v1alpha1
kind: Deployment
metadata: { name: bench-local }
spec:
  agentRef: { name: bench }
  environmentRef: { name: local }
  invoke:
    type: http
    url: http://127.0.0.1:PORT/agent
    body: { input: "{{input}}" }
    output: $.output
    toolCalls: $.tool_calls
---
apiVersion: joch.dev/v1alpha1
kind: Eval
metadata: { name: bench }
spec:
  target: { kind: Agent, name: bench }
  dataset: { type: file, uri: ./cases.jsonl }
  run: { concurrency: CONCURRENCY }
  metrics:
    - name: task_success
      type: llm_judge
      judgeModelRef: { name: judge }
      criteria: ["The output says when the parcel arrives."]
    - { name: cost_per_case, type: numeric }
    - { name: latency_p95_ms, type: numeric }
    - { name: pii_leakage, type: deterministic }
  thresholds:
    task_success: 0.85
    cost_per_case: "<0.40"
    latency_p95_ms: "<3000"
    pii_leakage: 0.0
"#;

/// Runs a command: exit code, standard output, and the most memory it had, in KiB.
fn watched(mut command: Command) -> io::Result<(i32, Vec<u8>, u64)> {
    let mut child = command.stdout(Stdio::piped()).spawn()?;
    let mut stdout = child.stdout.take().expect("it is piped");
    let reader = thread::spawn(move || {
        let mut bytes = Vec::new();
        io::Read::read_to_end(&mut stdout, &mut bytes).map(|_| bytes)
    });
    let mut peak = 0;
    let status = loop {
        peak = peak.max(memory(&child));
        if let Some(status) = child.try_wait()? {
            break status;
        }
        thread::sleep(Duration::from_millis(10));
    };
    let output = reader.join().expect("it only reads")?;
    Ok((status.code().unwrap_or(-1), output, peak))
}

fn memory(child: &Child) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

/// Processor time of the children that have ended, in hundredths of a second.
fn children_ticks() -> io::Result<u64> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let fields: Vec<u64> = after_name.split_whitespace().map(|field| field.parse().unwrap_or(0)).collect();
    Ok(fields.get(13).copied().unwrap_or(0) + fields.get(14).copied().unwrap_or(0))
}
