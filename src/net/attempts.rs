//! One call, as many attempts as it takes: what is tried again, after which pause, and what is counted.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use chrono::{DateTime, NaiveDateTime, Utc};
use serde_json::Value;

use crate::eval::{Fault, FaultKind};

use super::client::{Answer, Broken};
use super::pace::Pace;
use super::setting::{Limits, Setting};

/// Repeats the calls of one endpoint.
#[derive(Debug)]
pub(super) struct Attempts {
    pub(super) pace: Pace,
    retries: u32,
    limits: Limits,
    random: Mutex<Random>,
}

/// Who is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Callee {
    /// An agent: what it did before it failed, it may do twice. Every request carries the unit's own key.
    Agent,
    /// A model that judges, and does nothing else.
    Judge,
}

/// Why one attempt failed.
#[derive(Debug)]
pub(super) struct Failed {
    pub(super) fault: Fault,
    again: bool,
    /// What the endpoint asked for.
    after: Option<Duration>,
    congested: bool,
}

/// A call with all its attempts.
#[derive(Debug)]
pub(super) struct Called<T> {
    pub(super) result: Result<T, Fault>,
    /// Of the last attempt.
    pub(super) latency: Duration,
    /// Of all attempts and the pauses between them.
    pub(super) total: Duration,
    pub(super) attempts: u32,
}

impl Attempts {
    pub(super) fn new(setting: &Setting, most: u32) -> Self {
        Self {
            pace: Pace::new(most, setting.per_second),
            retries: setting.retries,
            limits: setting.limits,
            random: Mutex::new(Random(setting.seed)),
        }
    }

    /// Calls until there is an answer, or no point in another attempt. `attempt` gives its result and how long it took.
    pub(super) async fn call<T>(&self, attempt: impl AsyncFn() -> (Result<T, Failed>, Duration)) -> Called<T> {
        let mut began = None;
        let mut waited = Duration::ZERO;
        let mut last: Option<(Failed, Duration)> = None;
        let mut attempts = 0;
        loop {
            let slot = match self.pace.enter(self.limits.patience).await {
                Ok(slot) => slot,
                Err(left) => {
                    let (fault, latency) = match last {
                        Some((failed, latency)) => (failed.fault, latency),
                        None => (impatient(left), Duration::ZERO),
                    };
                    return Called { result: Err(fault), latency, total: since(began), attempts };
                }
            };
            began.get_or_insert_with(Instant::now);
            attempts += 1;
            let (result, latency) = attempt().await;
            let failed = match result {
                Ok(answer) => {
                    self.pace.went_well();
                    drop(slot);
                    return Called { result: Ok(answer), latency, total: since(began), attempts };
                }
                Err(failed) => failed,
            };
            // Before the slot is free, so that nobody slips through.
            if failed.congested {
                self.pace.ease(failed.after);
            }
            drop(slot);
            let pause = self.pause(attempts - 1).max(failed.after.unwrap_or_default());
            waited += pause;
            if !failed.again || attempts > self.retries || waited > self.limits.patience {
                return Called { result: Err(failed.fault), latency, total: since(began), attempts };
            }
            last = Some((failed, latency));
            tokio::time::sleep(pause).await;
        }
    }

    /// Drawn between nothing and the longest pause of this round, so that those who failed together do not return together.
    fn pause(&self, round: u32) -> Duration {
        let longest = self.limits.first_pause.saturating_mul(1 << round.min(16)).min(self.limits.longest_pause);
        longest.mul_f64(self.random.lock().unwrap_or_else(PoisonError::into_inner).share())
    }
}

impl Failed {
    /// A failure that no other attempt would mend.
    pub(super) fn finally(fault: Fault) -> Self {
        Self { fault, again: false, after: None, congested: false }
    }

    /// No answer came.
    pub(super) fn broken(broken: Broken, callee: Callee) -> Self {
        let again = match callee {
            Callee::Agent => broken.before_answer,
            Callee::Judge => matches!(broken.fault.kind, FaultKind::Connection | FaultKind::Timeout),
        };
        Self { fault: broken.fault, again, after: None, congested: false }
    }

    /// The answer is a no. `shown` is the address for the message.
    pub(super) fn refused(answer: &Answer, shown: &str, callee: Callee) -> Self {
        let status = answer.status;
        let said = complaint(&answer.body);
        let used_up = [&b"insufficient_quota"[..], b"billing_hard_limit_reached"];
        let used_up = status == 429 && used_up.iter().any(|word| contains(&answer.body, word));
        let kind = match status {
            401 | 403 | 407 => FaultKind::Credentials,
            429 => FaultKind::Limit,
            _ => FaultKind::Refused,
        };
        let why = if used_up { "the quota is used up: " } else { "" };
        let again = match callee {
            Callee::Agent => matches!(status, 429 | 500 | 502 | 503 | 504),
            Callee::Judge => matches!(status, 408 | 409 | 425 | 429 | 500 | 502 | 503 | 504 | 529),
        };
        let again = again && !used_up;
        Self {
            fault: Fault::new(kind, format!("`{shown}` answered {status}: {why}{said}")),
            again,
            after: again.then(|| retry_after(answer, Utc::now())).flatten(),
            congested: again && matches!(status, 429 | 503 | 529),
        }
    }
}

/// What an error says of itself, in a few words.
pub(super) fn complaint(body: &[u8]) -> String {
    brief(&match serde_json::from_slice(body) {
        Ok(json) => said(&json).unwrap_or_else(|| json.to_string()),
        Err(_) => String::from_utf8_lossy(&body[..body.len().min(2000)]).into_owned(),
    })
}

/// A few words of a text, on one line.
pub(super) fn brief(text: &str) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if text.is_empty() { "it gave no reason".to_owned() } else { text.chars().take(200).collect() }
}

/// The words of an error in JSON, wherever APIs put them.
pub(super) fn said(json: &Value) -> Option<String> {
    match json {
        Value::String(text) => Some(text.clone()).filter(|text| !text.trim().is_empty()),
        Value::Object(_) => {
            ["error", "message", "detail", "error_description", "title"].iter().find_map(|key| said(json.get(key)?))
        }
        Value::Array(items) => said(items.first()?),
        _ => None,
    }
}

fn contains(body: &[u8], word: &[u8]) -> bool {
    body.windows(word.len()).any(|window| window == word)
}

fn impatient(left: Duration) -> Fault {
    let why = format!("the endpoint asks for a pause of {} s, longer than joch waits", left.as_secs());
    Fault::new(FaultKind::Limit, why)
}

fn since(began: Option<Instant>) -> Duration {
    began.map(|began| began.elapsed()).unwrap_or_default()
}

/// How long the endpoint asks to wait: `retry-after-ms`, else `Retry-After` in seconds or as a date.
fn retry_after(answer: &Answer, now: DateTime<Utc>) -> Option<Duration> {
    let number = |name: &str| answer.header(name)?.trim().parse::<f64>().ok().filter(|number| number.is_finite());
    let bounded = |seconds: f64| Duration::from_secs_f64(seconds.clamp(0.0, 7.0 * 86_400.0));
    if let Some(milliseconds) = number("retry-after-ms") {
        return Some(bounded(milliseconds / 1000.0));
    }
    if let Some(seconds) = number("retry-after") {
        return Some(bounded(seconds));
    }
    let until = http_date(answer.header("retry-after")?)?;
    // By the endpoint's own clock where it shows it.
    let now = answer.header("date").and_then(http_date).unwrap_or(now);
    Some(bounded((until - now).as_seconds_f64()))
}

/// The three ways in which HTTP writes a date (RFC 9110, 5.6.7).
fn http_date(text: &str) -> Option<DateTime<Utc>> {
    let text = text.trim();
    if let Ok(date) = DateTime::parse_from_rfc2822(text) {
        return Some(date.to_utc());
    }
    let forms = ["%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"];
    forms.iter().find_map(|form| NaiveDateTime::parse_from_str(text, form).ok()).map(|date| date.and_utc())
}

/// A small generator (SplitMix64): pauses only have to differ, not to be unforeseeable.
#[derive(Debug)]
struct Random(u64);

impl Random {
    /// Between 0 and 1.
    fn share(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^= z >> 31;
        #[expect(clippy::cast_precision_loss, reason = "53 bits are exact")]
        let share = (z >> 11) as f64 / (1_u64 << 53) as f64;
        share
    }
}
