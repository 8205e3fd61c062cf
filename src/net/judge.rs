//! Judges: models that are asked what an answer is worth.

use std::time::Duration;

use crate::eval::judge::{JudgeReply, JudgeRequest};
use crate::eval::{Fault, FaultKind, ModelFacts};

use super::attempts::Attempts;
use super::credentials::Credentials;
use super::setting::Setting;

/// A model that judges.
#[derive(Debug)]
pub struct JudgeClient {
    attempts: Attempts,
    credentials: Credentials,
}

impl JudgeClient {
    /// A judge that gets `time` for each attempt. Nothing is sent yet.
    ///
    /// # Errors
    /// A Model without an address, a Secret without a value.
    pub fn open(
        model: &ModelFacts,
        credentials: &Credentials,
        setting: &Setting,
        time: Duration,
    ) -> Result<Self, Fault> {
        let _ = (model, time);
        Ok(Self { attempts: Attempts::new(setting, setting.concurrency), credentials: credentials.clone() })
    }

    /// Asks.
    ///
    /// # Errors
    /// Why there is no answer, with how many requests were sent.
    pub async fn ask(&self, request: &JudgeRequest) -> Result<JudgeReply, Fault> {
        let _ = (request, &self.attempts, &self.credentials);
        Err(Fault::new(FaultKind::Refused, "not spoken yet"))
    }
}
