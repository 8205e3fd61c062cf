//! Targets: every way in which an agent is asked one case, behind one call.

mod answering;
mod http;
mod reading;
mod replay;

use std::time::Duration;

use crate::eval::{Case, Fault, FaultKind, Outcome, Protocol, Reach, Reply, Unit};
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
            _ => return Err(Fault::new(FaultKind::Refused, "not spoken yet")),
        };
        Ok(Self {
            protocol,
            attempts: Attempts::new(setting, concurrency),
            credentials: credentials.clone(),
            run: setting.run.clone(),
        })
    }

    /// Asks one case. Credentials are masked in all that comes back.
    pub async fn call(&self, case: &Case, unit: &Unit) -> Outcome {
        let key = self.key(unit);
        let called = match &self.protocol {
            Speaker::Http(http) => self.attempts.call(async || http.attempt(case, &key).await).await,
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

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}
