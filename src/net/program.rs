//! Programs of one's own that score an answer: JSON in, JSON out, one process for each answer.

use std::process::Stdio;
use std::time::Duration;

use serde::Deserialize;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::eval::{Case, Decimal, Reply, Score};

use super::setting::Setting;

/// How long a program may take for one answer.
const TIME: Duration = Duration::from_secs(60);
/// Most bytes that are read of what it says.
const LONGEST: u64 = 1 << 20;

/// A program that scores answers.
#[derive(Debug)]
pub struct Program {
    command: Vec<String>,
    setting: Setting,
}

/// What it says on its standard output.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Said {
    score: f64,
    #[expect(dead_code, reason = "for whoever runs it by hand")]
    reason: Option<String>,
}

impl Program {
    /// A program with its arguments; a program with a `/` is looked for in the project.
    ///
    /// # Errors
    /// There is none.
    pub fn new(command: &[String], setting: &Setting) -> Result<Self, String> {
        if command.first().is_none_or(String::is_empty) {
            return Err("its `command` names no program".into());
        }
        Ok(Self { command: command.to_vec(), setting: setting.clone() })
    }

    /// The score of an answer. Whatever the program does else than to say one is none.
    pub async fn score(&self, case: &Case, reply: &Reply) -> Score {
        match tokio::time::timeout(TIME, self.ask(case, reply)).await {
            Ok(Ok(score)) => Score::Scored(score),
            Ok(Err(why)) => Score::Unscored(why),
            Err(_) => Score::Unscored(format!("the program took longer than {} s", TIME.as_secs())),
        }
    }

    async fn ask(&self, case: &Case, reply: &Reply) -> Result<Decimal, String> {
        let input = serde_json::json!({
            "id": case.id, "input": case.input, "expected": case.expected, "metadata": case.metadata,
            "output": reply.text, "tool_calls": reply.tool_calls,
        });
        let program = &self.command[0];
        let cannot = |what: &str, why: std::io::Error| format!("the program `{program}` cannot be {what}: {why}");
        let mut child = tokio::process::Command::new(program)
            .args(&self.command[1..])
            .current_dir(&self.setting.project)
            .env_clear()
            .envs(self.setting.variables.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .map_err(|why| cannot("started", why))?;
        let (Some(mut stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(format!("the program `{program}` has no standard input and output"));
        };
        let mut said = Vec::new();
        let mut limited = stdout.take(LONGEST);
        let (written, read) = tokio::join!(
            async move {
                let written = stdin.write_all(input.to_string().as_bytes()).await;
                drop(stdin);
                written
            },
            limited.read_to_end(&mut said)
        );
        // A program may answer without reading all of it; whether it answered is seen below.
        drop(written);
        read.map_err(|why| cannot("read", why))?;
        let status = child.wait().await.map_err(|why| cannot("waited for", why))?;
        if !status.success() {
            return Err(format!("the program `{program}` ended with {status}"));
        }
        let said: Said = serde_json::from_slice(&said)
            .map_err(|why| format!("the program `{program}` did not say `{{\"score\": NUMBER}}`: {why}"))?;
        Decimal::from_f64(said.score)
            .ok_or_else(|| format!("the program `{program}` said {}, which is no score", said.score))
    }
}
