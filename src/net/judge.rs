//! Judges: models that are asked what an answer is worth, in a form that they cannot leave where their API allows it.

use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::eval::judge::{JudgeReply, JudgeRequest};
use crate::eval::{Api, Chat, Fault, FaultKind, ModelFacts, Text, Usage};

use super::attempts::{Attempts, Callee, Failed};
use super::client::Answer;
use super::credentials::Credentials;
use super::setting::Setting;
use super::target::{anthropic, openai, reading};

/// A model that judges.
#[derive(Debug)]
pub struct JudgeClient {
    caller: super::target::answering::Caller,
    anthropic: bool,
    /// The model and its parameters, the same in every request.
    fixed: Map<String, Value>,
    seed: u64,
    /// What the endpoint has refused, by the bits of [`WISHES`]; it is not asked again.
    refused: AtomicU8,
    attempts: Attempts,
    credentials: Credentials,
}

/// What joch would like of a judge and does without where it is refused, and the words in which that is said.
const WISHES: [(u8, &[&str]); 3] =
    [(FORM, &["response_format", "json_schema", "structured output"]), (STILL, &["temperature"]), (SEED, &["seed"])];
const FORM: u8 = 1;
const STILL: u8 = 2;
const SEED: u8 = 4;
/// The bits of a seed: JSON readers differ beyond this.
const SEEDS: u64 = 0x7fff_ffff;
/// What the form of a verdict is called.
const NAME: &str = "verdicts";
/// Most tokens of a verdict, for the API that must be told.
const TOKENS: u64 = 4096;

impl JudgeClient {
    /// A judge that gets `time` for each attempt, at most `setting.concurrency` at a time. Nothing is sent yet.
    ///
    /// # Errors
    /// A Model without an address, a Secret without a value.
    pub fn open(
        model: &ModelFacts,
        credentials: &Credentials,
        setting: &Setting,
        time: Duration,
    ) -> Result<Self, Fault> {
        let base_url = model.address().map_err(|why| Fault::new(FaultKind::Connection, why))?;
        let chat = Chat {
            base_url,
            model: model.model.clone(),
            key: model.key.clone().map(Text::Secret),
            headers: std::collections::BTreeMap::new(),
            api: Api::Chat,
            instructions: None,
            parameters: Map::new(),
        };
        let anthropic = model.is_anthropic();
        let mut caller = match anthropic {
            true => anthropic::caller(&chat, credentials, setting, time)?,
            false => openai::caller(&chat, credentials, setting, time)?,
        };
        caller.callee = Callee::Judge;
        caller.most = setting.limits.judgement;
        let mut fixed = model.parameters.clone();
        // What joch sets itself, and what would make two judgements of one answer differ.
        for own in ["stream", "n", "tools", "tool_choice", "response_format", "temperature", "top_p", "seed"] {
            fixed.remove(own);
        }
        fixed.insert("model".into(), model.model.clone().into());
        if anthropic && !fixed.contains_key("max_tokens") {
            fixed.insert("max_tokens".into(), model.max_output_tokens.map_or(TOKENS, |most| most.min(TOKENS)).into());
        }
        Ok(Self {
            caller,
            anthropic,
            fixed,
            seed: setting.seed,
            refused: AtomicU8::new(0),
            attempts: Attempts::new(setting, setting.concurrency),
            credentials: credentials.clone(),
        })
    }

    /// Asks. Each sample has a seed of its own, so that none is the echo of another; asked anew it has the same.
    ///
    /// # Errors
    /// Why there is no verdict: no answer, a refusal, or one that was cut short.
    pub async fn ask(&self, request: &JudgeRequest, sample: u32) -> Result<JudgeReply, Fault> {
        let mut attempts = 0;
        let answer = loop {
            let without = self.refused.load(Ordering::Relaxed);
            let body = self.body(request, sample, without);
            let called = self.attempts.call(async || self.attempt(&body).await).await;
            attempts += called.attempts;
            let answer = called.result.map_err(|fault| self.credentials.mask_fault(fault))?;
            if answer.is_success() {
                break answer;
            }
            let found = wish(&answer.body).filter(|wish| without & wish == 0);
            let Some(wish) = found else {
                let refusal = Failed::refused(&answer, &self.caller.endpoint.shown(), Callee::Judge);
                return Err(self.credentials.mask_fault(refusal.fault));
            };
            self.refused.fetch_or(wish, Ordering::Relaxed);
        };
        match self.read(&answer) {
            Ok((text, usage, model)) => {
                let text = self.credentials.mask(&text);
                Ok(JudgeReply { text, usage, model: model.map(|model| self.credentials.mask(&model)), attempts })
            }
            Err(fault) => Err(self.credentials.mask_fault(fault)),
        }
    }

    /// One request. That it is not understood is an answer: something of it may be left out.
    async fn attempt(&self, body: &[u8]) -> (Result<Answer, Failed>, Duration) {
        let mut request = self.caller.request(reqwest::Method::POST, &self.caller.endpoint, None);
        *request.body_mut() = Some(body.to_vec().into());
        let (result, took) = self.caller.endpoint.send(request, self.caller.most, self.caller.time).await;
        match result {
            Ok(answer) if matches!(answer.status, 400 | 422) => (Ok(answer), took),
            other => (self.caller.success(other), took),
        }
    }

    fn body(&self, request: &JudgeRequest, sample: u32, without: u8) -> Vec<u8> {
        let mut body = self.fixed.clone();
        let user = json!({"role": "user", "content": request.user});
        if without & STILL == 0 {
            body.insert("temperature".into(), 0.into());
        }
        if self.anthropic {
            let tool = json!({"name": NAME, "description": "The verdicts.", "input_schema": request.schema});
            body.insert("system".into(), request.system.clone().into());
            body.insert("messages".into(), json!([user]));
            body.insert("tools".into(), json!([tool]));
            body.insert("tool_choice".into(), json!({"type": "tool", "name": NAME}));
        } else {
            body.insert("messages".into(), json!([{"role": "system", "content": request.system}, user]));
            if without & SEED == 0 {
                body.insert("seed".into(), (self.seed.wrapping_add(sample.into()) & SEEDS).into());
            }
            if without & FORM == 0 {
                let form = json!({"name": NAME, "strict": true, "schema": request.schema});
                body.insert("response_format".into(), json!({"type": "json_schema", "json_schema": form}));
            }
        }
        Value::Object(body).to_string().into_bytes()
    }

    fn read(&self, answer: &Answer) -> Result<(String, Option<Usage>, Option<String>), Fault> {
        let json = openai::json_of(answer)?;
        let usage = json.get("usage").and_then(reading::usage);
        let model = json.get("model").and_then(reading::word);
        let text = if self.anthropic { read_tool(&json)? } else { read_message(&json)? };
        Ok((text, usage, model))
    }
}

/// Which wish an endpoint refuses, as far as its words tell.
fn wish(body: &[u8]) -> Option<u8> {
    let text = String::from_utf8_lossy(body).to_lowercase();
    WISHES.iter().find(|(_, words)| words.iter().any(|word| text.contains(word))).map(|(wish, _)| *wish)
}

fn read_message(json: &Value) -> Result<String, Fault> {
    let refusal = json.pointer("/choices/0/message/refusal").and_then(Value::as_str);
    if let Some(refusal) = refusal.filter(|refusal| !refusal.is_empty()) {
        return Err(Fault::new(FaultKind::Refused, format!("the judge refuses: {refusal}")));
    }
    let reply = openai::read_chat(json)?;
    complete(reply.cut_short.as_deref())?;
    Ok(reply.text)
}

/// The verdict of a forced call; a text where there is none.
fn read_tool(json: &Value) -> Result<String, Fault> {
    let stopped = json.get("stop_reason").and_then(Value::as_str);
    complete(stopped.and_then(reading::reason).as_deref())?;
    let blocks: Vec<&Value> = json.get("content").and_then(Value::as_array).into_iter().flatten().collect();
    let call = blocks.iter().find(|block| block["type"] == "tool_use" && block["name"] == NAME);
    match call.and_then(|call| call.get("input")) {
        Some(input) => Ok(input.to_string()),
        None => {
            let text: String = blocks.iter().filter_map(|block| block.get("text")?.as_str()).collect();
            if text.is_empty() { Err(reading::malformed("the judge said nothing")) } else { Ok(text) }
        }
    }
}

fn complete(cut_short: Option<&str>) -> Result<(), Fault> {
    match cut_short {
        None => Ok(()),
        Some("length") => Err(reading::malformed("the judge's answer was cut at its limit of tokens")),
        Some(why) => Err(Fault::new(FaultKind::Refused, format!("the judge refuses: {why}"))),
    }
}
