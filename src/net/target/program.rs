//! A program of the team's own: where it runs, with which variables, and that nothing of it outlives its call.

use std::fmt;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout};

use crate::eval::{self, Fault, FaultKind};
use crate::net::credentials::Credentials;
use crate::net::setting::Setting;

/// A program that can be started.
pub(crate) struct Program {
    name: String,
    arguments: Vec<String>,
    variables: Vec<(std::ffi::OsString, std::ffi::OsString)>,
    project: Arc<std::path::Path>,
}

/// A program that runs. Dropped, it and all that it started are killed.
#[derive(Debug)]
pub(crate) struct Running {
    // Before the child: a child that is gone no longer tells its group.
    group: Group,
    child: Child,
    pub(crate) stdin: Option<ChildStdin>,
    pub(crate) stdout: ChildStdout,
    pub(crate) stderr: ChildStderr,
}

/// The group of processes that a program leads; none once the program is known to have ended.
#[derive(Debug)]
struct Group(Option<u32>);

/// The last that a program said on its error stream.
#[derive(Debug, Default)]
pub(crate) struct LastWords(Vec<u8>);

/// Enough for a last line.
const LAST_WORDS: usize = 4 << 10;

impl Program {
    pub(crate) fn open(command: &eval::Command, credentials: &Credentials, setting: &Setting) -> Result<Self, Fault> {
        let Some((program, arguments)) = command.command.split_first() else {
            return Err(Fault::new(FaultKind::Refused, "the command is empty"));
        };
        let mut variables = setting.variables.clone();
        for (name, text) in &command.variables {
            let value = credentials.resolve(text)?;
            if value.contains('\0') {
                let why = format!("the value for the variable `{name}` has a zero byte in it");
                return Err(Fault::new(FaultKind::Credentials, why));
            }
            variables.push((name.into(), value.into()));
        }
        Ok(Self {
            name: program.clone(),
            arguments: arguments.to_vec(),
            variables,
            project: setting.project.as_path().into(),
        })
    }

    pub(crate) fn start(&self) -> Result<Running, Fault> {
        let path = self.project.join(&self.name);
        let program = if self.name.contains('/') { path.as_os_str() } else { self.name.as_ref() };
        let mut command = tokio::process::Command::new(program);
        command.args(&self.arguments).current_dir(&self.project);
        command.env_clear().envs(self.variables.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        #[cfg(unix)]
        command.process_group(0);
        let mut child = command.spawn().map_err(|why| {
            let help = "check its name, that it may be run, and PATH";
            Fault::new(FaultKind::Connection, format!("`{}` cannot be started: {why}; {help}", self.name))
        })?;
        let pipes = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let (stdin, Some(stdout), Some(stderr)) = pipes else {
            return Err(Fault::new(FaultKind::Connection, format!("`{}` has no streams", self.name)));
        };
        Ok(Running { group: Group(child.id()), child, stdin, stdout, stderr })
    }

    /// Starts it, says this, and hears what it says until it ends well; at most so many bytes.
    pub(crate) async fn converse(&self, question: Vec<u8>, most: usize) -> Result<Vec<u8>, Fault> {
        let mut running = self.start()?;
        let stdin = running.stdin.take();
        let say = async {
            if let Some(mut stdin) = stdin {
                // A program need not read what it is asked.
                drop(stdin.write_all(&question).await);
                drop(stdin.shutdown().await);
            }
            Ok(())
        };
        let mut answer = Vec::new();
        let mut limited = (&mut running.stdout).take(most as u64 + 1);
        let hear = async {
            let heard = limited.read_to_end(&mut answer).await;
            heard.map_err(|why| Fault::new(FaultKind::Connection, format!("the answer broke off: {why}")))?;
            if answer.len() > most {
                let why = format!("`{}` answers with more than {most} bytes", self.name);
                return Err(Fault::new(FaultKind::TooLarge, why));
            }
            Ok(())
        };
        let mut words = LastWords::default();
        let listen = async {
            words.listen(&mut running.stderr).await;
            Ok(())
        };
        tokio::try_join!(say, hear, listen)?;
        let status = running.wait().await?;
        self.verdict(status, &words)?;
        Ok(answer)
    }

    pub(crate) fn shown(&self) -> &str {
        &self.name
    }

    /// What an end is to whoever waits for an answer; nothing where it is as it should be.
    pub(crate) fn verdict(&self, status: ExitStatus, words: &LastWords) -> Result<(), Fault> {
        if status.success() {
            return Ok(());
        }
        let words = words.line();
        let said = if words.is_empty() { String::new() } else { format!(": {words}") };
        Err(match status.code() {
            Some(code) => Fault::new(FaultKind::Refused, format!("`{}` ended with exit code {code}{said}", self.name)),
            None => Fault::new(FaultKind::Connection, format!("`{}` was killed, {status}{said}", self.name)),
        })
    }
}

/// The values of variables may be credentials.
impl fmt::Debug for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Program").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Running {
    /// Waits for the end.
    pub(crate) async fn wait(&mut self) -> Result<ExitStatus, Fault> {
        let status = self.child.wait().await;
        let status = status.map_err(|why| Fault::new(FaultKind::Connection, format!("the program is lost: {why}")))?;
        self.group.0 = None;
        Ok(status)
    }

    /// Whether it has ended already.
    pub(crate) fn has_ended(&mut self) -> bool {
        let ended = !matches!(self.child.try_wait(), Ok(None));
        if ended {
            self.group.0 = None;
        }
        ended
    }

    /// Whether something of it waits to be heard, or never will again. What was heard is gone.
    pub(crate) async fn has_spoken(&mut self) -> bool {
        // The runtime looks at its streams when nobody has anything to do.
        tokio::task::yield_now().await;
        let mut byte = [0];
        tokio::select! {
            biased;
            _ = self.stdout.read(&mut byte) => true,
            () = std::future::ready(()) => false,
        }
    }
}

impl Drop for Group {
    /// Kills the whole group. The program itself dies with its handle in any case; what it started needs a signal to
    /// the group, which the standard library has no safe call for, and every shell has.
    fn drop(&mut self) {
        if let (true, Some(leader)) = (cfg!(unix), self.0) {
            let mut shell = std::process::Command::new("/bin/sh");
            shell.args(["-c", "kill -s KILL -- \"-$0\"", &leader.to_string()]).env_clear();
            drop(shell.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status());
        }
    }
}

impl LastWords {
    /// Reads to the end of the stream, and keeps the last of it.
    pub(crate) async fn listen(&mut self, stream: &mut (impl AsyncRead + Unpin)) {
        let mut buffer = [0; 1024];
        while let Ok(count @ 1..) = stream.read(&mut buffer).await {
            self.keep(&buffer[..count]);
        }
    }

    /// Adds what was said, and keeps the last of it.
    pub(crate) fn keep(&mut self, said: &[u8]) {
        self.0.extend_from_slice(said);
        if self.0.len() > 2 * LAST_WORDS {
            self.0.drain(..self.0.len() - LAST_WORDS);
        }
    }

    fn line(&self) -> String {
        let text = String::from_utf8_lossy(&self.0);
        text.lines().rev().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default().to_owned()
    }
}
