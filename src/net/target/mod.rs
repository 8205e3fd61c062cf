//! Targets: every way in which an agent is asked one case, behind one call.

mod a2a;
pub(super) mod answering;
pub(super) mod anthropic;
mod command;
mod http;
mod lines;
pub(super) mod openai;
pub(super) mod program;
pub(super) mod reading;
mod replay;

use std::time::Duration;

use crate::eval::{Case, Fault, Outcome, Protocol, Reach, Reply, Text, Unit};
use crate::resource::Digest;

use super::attempts::{Attempts, Called};
use super::credentials::Credentials;
use super::setting::Setting;

/// An agent that can be asked.
#[derive(Debug)]
pub struct Target {
    protocol: Speaker,
    attempts: Attempts,
    credentials: Credentials,
    run: String,
}

#[derive(Debug)]
enum Speaker {
    Http(Box<http::Http>),
    OpenAi(Box<openai::OpenAi>),
    Anthropic(Box<anthropic::Anthropic>),
    A2a(Box<a2a::A2a>),
    Command(Box<command::Command>),
    Lines(Box<lines::Lines>),
    Replay(replay::Replay),
}

impl Target {
    /// An agent as `reach` says. Nothing is sent yet; what is read is a recording, or certificates.
    ///
    /// # Errors
    /// A Secret without a value, an address that is none, a recording that cannot be read.
    pub fn open(reach: &Reach, credentials: &Credentials, setting: &Setting) -> Result<Self, Fault> {
        let time = Duration::from_millis(reach.timeout_ms.max(1));
        let concurrency = reach.max_concurrency.map_or(setting.concurrency, |most| most.min(setting.concurrency));
        let protocol = match &reach.protocol {
            Protocol::Http(http) => Speaker::Http(Box::new(http::Http::open(http, credentials, setting, time)?)),
            Protocol::Replay { file } => Speaker::Replay(replay::Replay::open(file, setting)?),
            Protocol::OpenAi(chat) => {
                Speaker::OpenAi(Box::new(openai::OpenAi::open(chat, credentials, setting, time)?))
            }
            Protocol::Anthropic(chat) => {
                Speaker::Anthropic(Box::new(anthropic::Anthropic::open(chat, credentials, setting, time)?))
            }
            Protocol::A2a(a2a) => Speaker::A2a(Box::new(a2a::A2a::open(a2a, credentials, setting, time)?)),
            Protocol::Command(command) if command.lines => {
                Speaker::Lines(Box::new(lines::Lines::open(command, credentials, setting, time)?))
            }
            Protocol::Command(command) => {
                Speaker::Command(Box::new(command::Command::open(command, credentials, setting, time)?))
            }
        };
        Ok(Self {
            protocol,
            attempts: Attempts::new(setting, concurrency),
            credentials: credentials.with(open_credentials(&reach.protocol)),
            run: setting.run.clone(),
        })
    }

    /// Asks one case. Credentials are masked in all that comes back.
    pub async fn call(&self, case: &Case, unit: &Unit) -> Outcome {
        let key = self.key(unit);
        let called = match &self.protocol {
            Speaker::Http(http) => self.attempts.call(async || http.attempt(case, &key).await).await,
            Speaker::OpenAi(model) => {
                let body = model.body(case);
                self.attempts.call(async || model.attempt(&body, &key).await).await
            }
            Speaker::Anthropic(model) => {
                let body = model.body(case);
                self.attempts.call(async || model.attempt(&body, &key).await).await
            }
            Speaker::A2a(agent) => self.attempts.call(async || agent.attempt(case, &key).await).await,
            Speaker::Command(program) => self.attempts.call(async || program.attempt(case, unit).await).await,
            Speaker::Lines(program) => self.attempts.call(async || program.attempt(case, unit).await).await,
            Speaker::Replay(replay) => replay.call(unit),
        };
        self.outcome(called)
    }

    fn outcome(&self, called: Called<Reply>) -> Outcome {
        let reply = match called.result {
            Ok(reply) => Ok(self.credentials.mask_reply(reply)),
            Err(fault) => Err(self.credentials.mask_fault(fault)),
        };
        Outcome { reply, latency_us: micros(called.latency), total_us: micros(called.total), attempts: called.attempts }
    }

    /// What makes the requests of one unit of one run one request to an agent that cares.
    fn key(&self, unit: &Unit) -> String {
        let mut hex = Digest::of(format!("{}\0{}\0{}", self.run, unit.trial, unit.case)).hex();
        hex.truncate(32);
        hex
    }
}

/// What stands in the `invoke` itself in places where credentials stand, and is masked all the same.
fn open_credentials(protocol: &Protocol) -> Vec<&str> {
    let (key, texts) = match protocol {
        Protocol::Http(http) => (None, &http.headers),
        Protocol::OpenAi(chat) | Protocol::Anthropic(chat) => (chat.key.as_ref(), &chat.headers),
        Protocol::Command(command) => (None, &command.variables),
        Protocol::A2a(a2a) => (None, &a2a.headers),
        Protocol::Replay { .. } => return Vec::new(),
    };
    let carries = |name: &str| {
        let name = name.to_ascii_lowercase();
        ["authorization", "cookie", "key", "token", "secret", "password"].iter().any(|word| name.contains(word))
    };
    let named = texts.iter().filter(|(name, _)| carries(name)).map(|(_, text)| text);
    named.chain(key).filter_map(|text| if let Text::Plain(text) = text { Some(text.as_str()) } else { None }).collect()
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}
