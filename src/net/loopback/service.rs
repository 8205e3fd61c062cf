//! What is answered, when, and with what luck.

use std::collections::HashMap;
use std::collections::hash_map::DefaultHasher;
use std::fmt;
use std::hash::{Hash as _, Hasher as _};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::connection::Request;
use super::judge::Shown;
use super::tally::{Tally, nearest_rank};
use super::{Truth, Weather};

/// One answer.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) header: Option<(&'static str, String)>,
    pub(super) body: String,
}

/// The agent and the judge.
pub(super) struct Service {
    weather: Weather,
    truth: Box<dyn Truth>,
    seen: Mutex<Seen>,
}

/// What has happened so far.
#[derive(Default)]
struct Seen {
    tally: Tally,
    busy: u64,
    /// How often each question came, and when it may come again.
    questions: HashMap<u64, (u32, Option<Instant>)>,
    /// How long answers of the agent took, in microseconds.
    answers_us: Vec<u64>,
}

/// What a request asks for.
enum Asked {
    Agent(Value),
    Judge(Value, Shown),
}

/// What a request meets.
enum Luck {
    Fine,
    TooMany,
    Broken,
}

impl Answer {
    pub(super) fn refusal(status: u16, why: &str) -> Self {
        Self { status, header: None, body: json!({"error": {"message": why}}).to_string() }
    }

    fn ok(body: &Value) -> Self {
        Self { status: 200, header: None, body: body.to_string() }
    }
}

impl Service {
    pub(super) fn new(weather: Weather, truth: Box<dyn Truth>) -> Self {
        Self { weather, truth, seen: Mutex::default() }
    }

    pub(super) fn tally(&self) -> Tally {
        let mut seen = self.seen();
        let (p50_us, p95_us) = (nearest_rank(&mut seen.answers_us, 50), nearest_rank(&mut seen.answers_us, 95));
        Tally { p50_us, p95_us, ..seen.tally }
    }

    pub(super) async fn respond(&self, request: &Request) -> Answer {
        if (request.method.as_str(), request.path.as_str()) == ("GET", "/tally") {
            return Answer::ok(&json!(self.tally()));
        }
        let asked = match read(request) {
            Ok(asked) => asked,
            Err(refusal) => return refusal,
        };
        let begun = Instant::now();
        let (key, time, luck) = self.meet(&asked, begun);
        tokio::time::sleep(time).await;
        let answer = self.answer(&asked, key, &luck);
        let mut seen = self.seen();
        seen.busy -= 1;
        if matches!((&asked, luck), (Asked::Agent(_), Luck::Fine)) {
            seen.answers_us.push(u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX));
        }
        answer
    }

    /// Counts a request, and draws its luck from the seed, the question, and how often that came.
    fn meet(&self, asked: &Asked, now: Instant) -> (u64, Duration, Luck) {
        let key = asked.key(self.weather.seed);
        let mut seen = self.seen();
        seen.busy += 1;
        seen.tally.busiest = seen.tally.busiest.max(seen.busy);
        let (times, not_before) = seen.questions.entry(key).or_default();
        *times += 1;
        let (times, early) = (*times, not_before.take().is_some_and(|then| now < then));
        if early {
            seen.tally.early += 1;
        }
        let [least, most] = self.weather.latency;
        let spread = u64::try_from(most.saturating_sub(least).as_micros()).unwrap_or(u64::MAX).saturating_add(1);
        let time = least + Duration::from_micros(mixed(key, times, 0) % spread);
        let draw = mixed(key, times, 1) % 1000;
        let (too_many, broken) = (u64::from(self.weather.too_many), u64::from(self.weather.broken));
        let luck = match draw {
            _ if draw < too_many => Luck::TooMany,
            _ if draw < too_many + broken => Luck::Broken,
            _ => Luck::Fine,
        };
        (key, time, luck)
    }

    fn answer(&self, asked: &Asked, key: u64, luck: &Luck) -> Answer {
        match (luck, asked) {
            (Luck::TooMany, _) => {
                let wait = self.weather.retry_after;
                let mut seen = self.seen();
                seen.tally.too_many += 1;
                seen.questions.entry(key).or_default().1 = Some(Instant::now() + wait);
                drop(seen);
                let whole = wait.subsec_nanos() == 0;
                let header = if whole {
                    ("retry-after", wait.as_secs().to_string())
                } else {
                    ("retry-after-ms", wait.as_millis().to_string())
                };
                Answer { header: Some(header), ..Answer::refusal(429, "too many requests") }
            }
            (Luck::Broken, _) => {
                self.seen().tally.broken += 1;
                Answer::refusal(500, "it broke")
            }
            (Luck::Fine, Asked::Agent(body)) => {
                self.seen().tally.answers += 1;
                Answer::ok(&self.truth.answer(body))
            }
            (Luck::Fine, Asked::Judge(body, shown)) => {
                self.seen().tally.verdicts += 1;
                let verdict = shown.verdict(|id, text| self.truth.finding(shown, id, text));
                let said = self.truth.said(shown, verdict);
                let asked: usize = body["messages"].as_array().into_iter().flatten().map(|m| m.to_string().len()).sum();
                Answer::ok(&json!({
                    "object": "chat.completion",
                    "model": body["model"],
                    "usage": {"prompt_tokens": asked / 4, "completion_tokens": said.len() / 4},
                    "choices": [{
                        "index": 0,
                        "finish_reason": "stop",
                        "message": {"role": "assistant", "content": said},
                    }],
                }))
            }
        }
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Asked {
    /// What stays the same when the same question is asked again; a nonce does not.
    fn key(&self, seed: u64) -> u64 {
        let mut hasher = DefaultHasher::new();
        match self {
            Self::Agent(body) => (seed, body.to_string()).hash(&mut hasher),
            Self::Judge(_, shown) => {
                (seed, Value::Object(shown.material.clone()).to_string(), &shown.criteria).hash(&mut hasher);
            }
        }
        hasher.finish()
    }
}

impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Service").field("weather", &self.weather).finish_non_exhaustive()
    }
}

fn read(request: &Request) -> Result<Asked, Answer> {
    let body = || -> Result<Value, Answer> {
        serde_json::from_slice(&request.body).map_err(|_| Answer::refusal(400, "the body is no JSON"))
    };
    match (request.method.as_str(), request.path.as_str()) {
        ("POST", "/agent") => body().map(Asked::Agent),
        ("POST", "/v1/chat/completions") => {
            let body = body()?;
            match Shown::of(&body) {
                Some(shown) => Ok(Asked::Judge(body, shown)),
                None => Err(Answer::refusal(400, "this is no question to a judge")),
            }
        }
        _ => Err(Answer::refusal(404, "nothing is here but POST /agent and POST /v1/chat/completions")),
    }
}

/// A number that looks drawn, always the same for the same three.
fn mixed(key: u64, times: u32, what: u64) -> u64 {
    let mut z = key.wrapping_add(u64::from(times).wrapping_mul(0x9e37_79b9_7f4a_7c15)).wrapping_add(what << 56);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
