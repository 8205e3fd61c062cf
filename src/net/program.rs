//! Programs of one's own that score an answer: JSON in, JSON out, one process for each answer.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;

use crate::eval::{Case, Command, Decimal, Reply, Score};

use super::credentials::Credentials;
use super::setting::Setting;
use super::target;

/// How long a program may take for one answer.
const TIME: Duration = Duration::from_secs(60);
/// Most bytes that are read of what it says.
const LONGEST: usize = 1 << 20;

/// A program that scores answers.
#[derive(Debug)]
pub struct Program {
    program: target::program::Program,
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
    /// That there is no program.
    pub fn new(command: &[String], setting: &Setting) -> Result<Self, String> {
        if command.first().is_none_or(String::is_empty) {
            return Err("its `command` names no program".into());
        }
        let command = Command { command: command.to_vec(), lines: false, variables: BTreeMap::new() };
        let program = target::program::Program::open(&command, &Credentials::default(), setting);
        Ok(Self { program: program.map_err(|why| why.message)? })
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
        let program = self.program.shown();
        let said = self.program.converse(input.to_string().into_bytes(), LONGEST).await.map_err(|why| why.message)?;
        let said: Said = serde_json::from_slice(&said)
            .map_err(|why| format!("the program `{program}` did not say `{{\"score\": NUMBER}}`: {why}"))?;
        Decimal::from_f64(said.score)
            .ok_or_else(|| format!("the program `{program}` said {}, which is no score", said.score))
    }
}
