//! A server that is a program: one message a line, in on its standard input and out on its standard output.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::eval::{Command, Fault, FaultKind};
use crate::net::credentials::Credentials;
use crate::net::setting::Setting;
use crate::net::target::program::{LastWords, Program, Running};

use super::message::{Answered, Came, read, reply};

/// A program that was started.
pub(super) struct Spoken {
    program: Program,
    running: Running,
    /// What it said and nobody read yet.
    heard: Vec<u8>,
    words: LastWords,
    /// Whether its error stream is still open.
    complains: bool,
    /// Bytes that may still be read.
    left: usize,
}

/// How long it may take to end by itself once nobody listens.
const GOODBYE: Duration = Duration::from_secs(2);

impl Spoken {
    pub(super) fn start(
        command: &Command,
        credentials: &Credentials,
        setting: &Setting,
        most: usize,
    ) -> Result<Self, Fault> {
        let program = Program::open(command, credentials, setting)?;
        let running = program.start()?;
        Ok(Self { program, running, heard: Vec::new(), words: LastWords::default(), complains: true, left: most })
    }

    pub(super) fn shown(&self) -> String {
        format!("`{}`", self.program.shown())
    }

    /// Sends a request, and reads as far as its answer.
    pub(super) async fn ask(&mut self, id: u64, message: &[u8]) -> Result<Answered, Fault> {
        self.tell(message).await?;
        loop {
            while let Some(line) = self.line() {
                // Some programs greet people on the same stream; a message begins like this.
                if !line.trim_ascii_start().starts_with(b"{") && !line.trim_ascii_start().starts_with(b"[") {
                    continue;
                }
                let came = read(&line, id)
                    .map_err(|why| Fault::new(why.kind, format!("{}: {}", self.shown(), why.message)))?;
                for came in came {
                    match came {
                        Came::Answer(answered) => return Ok(answered),
                        Came::Asked(id, method) => self.tell(&reply(id, &method)).await?,
                        Came::Other => {}
                    }
                }
            }
            self.hear().await?;
        }
    }

    /// Sends a message.
    pub(super) async fn tell(&mut self, message: &[u8]) -> Result<(), Fault> {
        if let Some(stdin) = &mut self.running.stdin {
            // One that no longer reads has ended, or will: what it says last is the better message.
            drop(stdin.write_all(&[message, b"\n"].concat()).await);
            drop(stdin.flush().await);
        }
        Ok(())
    }

    /// Says goodbye by falling silent, and kills what does not take the hint.
    pub(super) async fn close(mut self) {
        drop(self.running.stdin.take());
        drop(tokio::time::timeout(GOODBYE, self.running.wait()).await);
    }

    fn line(&mut self) -> Option<Vec<u8>> {
        let end = self.heard.iter().position(|byte| *byte == b'\n')?;
        let mut line: Vec<u8> = self.heard.drain(..=end).collect();
        line.pop();
        Some(line)
    }

    /// Hears something more on either stream.
    async fn hear(&mut self) -> Result<(), Fault> {
        let (mut said, mut complained) = (vec![0; 16 << 10], [0; 1024]);
        let Running { stdout, stderr, .. } = &mut self.running;
        tokio::select! {
            count = stdout.read(&mut said) => {
                let count = count.unwrap_or(0);
                if count == 0 {
                    return Err(self.ended().await);
                }
                self.left = self.left.checked_sub(count).ok_or_else(|| {
                    Fault::new(FaultKind::TooLarge, format!("{} says more than joch reads of a server", self.shown()))
                })?;
                self.heard.extend_from_slice(&said[..count]);
            }
            count = stderr.read(&mut complained), if self.complains => match count {
                Ok(count @ 1..) => self.words.keep(&complained[..count]),
                _ => self.complains = false,
            }
        }
        Ok(())
    }

    /// Why a program is gone that should have answered.
    async fn ended(&mut self) -> Fault {
        let status = match self.running.wait().await {
            Ok(status) => status,
            Err(fault) => return fault,
        };
        self.words.listen(&mut self.running.stderr).await;
        match self.program.verdict(status, &self.words) {
            // What a program says when it ends is no answer of the protocol, so nothing else is tried.
            Err(fault) => Fault::new(FaultKind::Connection, fault.message),
            Ok(()) => Fault::new(FaultKind::Connection, format!("{} ended without an answer", self.shown())),
        }
    }
}
