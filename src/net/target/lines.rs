//! Programs that stay: one JSON line in, one JSON line out, one case at a time each.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncWriteExt as _, BufReader};
use tokio::process::ChildStdout;

use crate::eval::{self, Case, Fault, FaultKind, Reply, Unit};
use crate::net::attempts::Failed;
use crate::net::credentials::Credentials;
use crate::net::setting::Setting;

use super::command::{question, timed_out};
use super::program::{LastWords, Program, Running};
use super::reading::{Paths, malformed};

#[derive(Debug)]
pub(super) struct Lines {
    program: Program,
    paths: Paths,
    most: usize,
    time: Duration,
    /// Those that wait for a case. Whoever fails one is not put back.
    idle: Mutex<Vec<Running>>,
}

impl Lines {
    pub(super) fn open(
        command: &eval::Command,
        credentials: &Credentials,
        setting: &Setting,
        time: Duration,
    ) -> Result<Self, Fault> {
        let program = Program::open(command, credentials, setting)?;
        Ok(Self { program, paths: Paths::default(), most: setting.limits.answer, time, idle: Mutex::default() })
    }

    pub(super) async fn attempt(&self, case: &Case, unit: &Unit) -> (Result<Reply, Failed>, Duration) {
        let mut worker = match self.worker().await {
            Ok(worker) => worker,
            Err(fault) => return (Err(Failed::finally(fault)), Duration::ZERO),
        };
        let began = Instant::now();
        let result = match tokio::time::timeout(self.time, self.ask(&mut worker, case, unit)).await {
            Ok(result) => result,
            Err(_) => return (Err(Failed::finally(timed_out(&self.program, self.time))), self.time),
        };
        let took = began.elapsed();
        let reply = result.and_then(|answer| {
            // It kept to the protocol, whatever it answered.
            self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(worker);
            self.paths.read_bytes(answer.to_string().as_bytes(), true)
        });
        (reply.map_err(Failed::finally), took)
    }

    /// One that waits, or a new one. One that spoke without being asked is let go: its words answer nothing.
    async fn worker(&self) -> Result<Running, Fault> {
        loop {
            let waiting = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let Some(mut worker) = waiting else { return self.program.start() };
            if !worker.has_ended() && !worker.has_spoken().await {
                return Ok(worker);
            }
        }
    }

    async fn ask(&self, worker: &mut Running, case: &Case, unit: &Unit) -> Result<Value, Fault> {
        let line = question(case, unit);
        let mut answer = Vec::new();
        let mut words = LastWords::default();
        {
            let Running { stdin, stdout, stderr, .. } = worker;
            let ask = async {
                if let Some(stdin) = stdin {
                    // One that no longer reads has ended, or will: what it says last is the better message.
                    drop(stdin.write_all(&line).await);
                    drop(stdin.flush().await);
                }
            };
            let hear = read_line(stdout, &mut answer, self.most);
            let listen = async {
                words.listen(stderr).await;
                // The line, or its absence, decides.
                std::future::pending::<()>().await;
            };
            let talk = async { tokio::join!(ask, hear).1 };
            tokio::select! {
                heard = talk => heard.map_err(|fault| self.named(fault))?,
                () = listen => {}
            }
        }
        if answer.is_empty() {
            let status = worker.wait().await?;
            words.listen(&mut worker.stderr).await;
            self.program.verdict(status, &words)?;
            return Err(Fault::new(
                FaultKind::Connection,
                format!("`{}` ended without an answer", self.program.shown()),
            ));
        }
        let answer: Value =
            serde_json::from_slice(&answer).map_err(|why| malformed(format!("the line is not JSON: {why}")))?;
        if answer.get("id").and_then(Value::as_str) != Some(&case.id) {
            let why = format!("the line answers another case than `{}`: its `id` must be the same", case.id);
            return Err(malformed(why));
        }
        match answer.get("trial") {
            Some(trial) if trial.as_u64() != Some(unit.trial.into()) => {
                let why = format!("the line answers another trial than {}: its `trial` must be the same", unit.trial);
                Err(malformed(why))
            }
            _ => Ok(answer),
        }
    }

    fn named(&self, fault: Fault) -> Fault {
        Fault::new(fault.kind, format!("`{}` {}", self.program.shown(), fault.message))
    }
}

/// One line without its end, at most `most` bytes; nothing where the stream ended before it.
async fn read_line(stream: &mut ChildStdout, line: &mut Vec<u8>, most: usize) -> Result<(), Fault> {
    let mut stream = BufReader::with_capacity(8 << 10, stream);
    read_line_of(&mut stream, line, most).await
}

async fn read_line_of(
    stream: &mut BufReader<impl AsyncRead + Unpin>,
    line: &mut Vec<u8>,
    most: usize,
) -> Result<(), Fault> {
    loop {
        let bytes = stream.fill_buf().await;
        let bytes = bytes.map_err(|why| Fault::new(FaultKind::Connection, format!("broke off: {why}")))?;
        if bytes.is_empty() {
            line.clear();
            return Ok(());
        }
        let end = bytes.iter().position(|byte| *byte == b'\n');
        line.extend_from_slice(&bytes[..end.unwrap_or(bytes.len())]);
        let behind = end.map(|end| bytes.len() - end - 1);
        let count = bytes.len();
        stream.consume(count);
        if line.len() > most {
            return Err(Fault::new(FaultKind::TooLarge, format!("answers with more than {most} bytes")));
        }
        match behind {
            Some(0) => return Ok(()),
            Some(_) => return Err(malformed("answers with more than one line")),
            None => {}
        }
    }
}
