//! A program that is started for every case: the case on its standard input, the answer on its standard output.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::eval::{self, Case, Fault, FaultKind, Reply, Unit};
use crate::net::attempts::Failed;
use crate::net::credentials::Credentials;
use crate::net::setting::Setting;

use super::program::Program;
use super::reading::Paths;

#[derive(Debug)]
pub(super) struct Command {
    program: Program,
    paths: Paths,
    most: usize,
    time: Duration,
}

impl Command {
    pub(super) fn open(
        command: &eval::Command,
        credentials: &Credentials,
        setting: &Setting,
        time: Duration,
    ) -> Result<Self, Fault> {
        let program = Program::open(command, credentials, setting)?;
        Ok(Self { program, paths: Paths::default(), most: setting.limits.answer, time })
    }

    pub(super) async fn attempt(&self, case: &Case, unit: &Unit) -> (Result<Reply, Failed>, Duration) {
        let began = Instant::now();
        match tokio::time::timeout(self.time, self.run(question(case, unit))).await {
            Ok(reply) => (reply.map_err(Failed::finally), began.elapsed()),
            Err(_) => (Err(Failed::finally(timed_out(&self.program, self.time))), self.time),
        }
    }

    async fn run(&self, question: Vec<u8>) -> Result<Reply, Fault> {
        let answer = self.program.converse(question, self.most).await?;
        self.paths.read_bytes(&answer, false)
    }
}

/// A case as programs get it, on one line. What is expected is none of their business.
pub(super) fn question(case: &Case, unit: &Unit) -> Vec<u8> {
    let mut line = json!({"id": case.id, "input": case.input, "trial": unit.trial}).to_string().into_bytes();
    line.push(b'\n');
    line
}

pub(super) fn timed_out(program: &Program, time: Duration) -> Fault {
    Fault::new(FaultKind::Timeout, format!("`{}` did not answer within {time:?}", program.shown()))
}
