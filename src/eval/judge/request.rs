//! What is sent to a judge, and what comes back: text in, text out, whatever API lies between.

use serde_json::Value;

use crate::eval::Usage;

/// What a judge is asked.
#[derive(Debug, Clone, PartialEq)]
pub struct JudgeRequest {
    /// What it is told to do; the same for every case.
    pub system: String,
    /// The material and the criteria.
    pub user: String,
    /// JSON schema that its answer must follow, for APIs that can demand one.
    pub schema: Value,
}

/// What a judge answered, not yet read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JudgeReply {
    /// Its words.
    pub text: String,
    /// Tokens, where the API counts them.
    pub usage: Option<Usage>,
    /// The model that answered, as it names itself.
    pub model: Option<String>,
    /// How many requests were sent.
    pub attempts: u32,
}
