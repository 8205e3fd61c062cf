//! From the record of an Eval to what a run does. Everything that is wrong is told at once, each with where and how to
//! mend it; a value that is not understood is never replaced by a default.

mod check;
mod flaws;
mod judged;
mod metric;
#[cfg(test)]
mod tests;

use crate::resource::envelope::Resource;
use crate::resource::view;
use crate::resource::{Kind, Value, duration, path};

use super::definition::{Definition, Run};
use flaws::Flaws;

pub use flaws::Flaw;
pub use judged::points;

/// Calls at a time where nothing is said: few enough for any endpoint.
const CONCURRENCY: u32 = 8;
const TIMEOUT_MS: u64 = 60_000;
const RETRIES: u32 = 4;
const MAX_AGE_S: u64 = 7 * 86_400;

impl Definition {
    /// Reads an Eval. The result depends on nothing else, and is the same every time.
    ///
    /// # Errors
    /// Everything that keeps it from being run: for each the path, what is wrong, and how to mend it.
    pub fn of(eval: &Resource) -> Result<Self, Vec<String>> {
        Self::read(eval).map_err(|flaws| flaws.iter().map(Flaw::to_string).collect())
    }

    /// The same, with the parts of each fault apart.
    ///
    /// # Errors
    /// As [`Definition::of`].
    pub fn read(eval: &Resource) -> Result<Self, Vec<Flaw>> {
        let mut flaws = Flaws::default();
        if eval.id().kind != Kind::Eval {
            flaws.add("kind", format!("`{}` is no Eval", eval.id()), "name an Eval");
            return Err(flaws.0);
        }
        let spec = eval.spec();
        let target = view::Eval::of(eval).and_then(|view| view.target);
        if target.is_none() {
            flaws.add("spec.target", "it is not said what is measured", "write `target: { kind: Agent, name: … }`");
        }
        let run = run(spec.get("run").unwrap_or(&Value::Null), &mut flaws);
        let confidence = confidence(spec.get("confidence"), &mut flaws);
        let metrics = metric::all(spec, run.trials, &mut flaws);
        match (target, flaws.0.is_empty()) {
            (Some(target), true) => {
                Ok(Self { id: eval.id().clone(), digest: eval.digest(), target, metrics, run, confidence })
            }
            _ => Err(flaws.0),
        }
    }
}

fn run(run: &Value, flaws: &mut Flaws) -> Run {
    let at = |key: &str| path::entry("spec.run", key);
    if !matches!(run, Value::Null | Value::Map(_)) {
        flaws.add("spec.run", format!("a map is expected, not {}", run.type_name()), "write `run: { trials: 3 }`");
    }
    let known = [
        "concurrency",
        "requestsPerMinute",
        "trials",
        "timeoutSeconds",
        "retries",
        "maxAge",
        "maxErrorRate",
        "maxUnscoredRate",
    ];
    flaws.check_keys(run, &known, "spec.run");
    Run {
        concurrency: flaws.whole(run.get("concurrency"), &at("concurrency"), 1, 512).unwrap_or(CONCURRENCY),
        requests_per_minute: flaws.whole(run.get("requestsPerMinute"), &at("requestsPerMinute"), 1, 1_000_000),
        trials: flaws.whole(run.get("trials"), &at("trials"), 1, 1000).unwrap_or(1),
        timeout_ms: timeout(run.get("timeoutSeconds"), &at("timeoutSeconds"), flaws).unwrap_or(TIMEOUT_MS),
        retries: flaws.whole(run.get("retries"), &at("retries"), 0, 20).unwrap_or(RETRIES),
        max_age_s: max_age(run.get("maxAge"), &at("maxAge"), flaws).unwrap_or(MAX_AGE_S),
        max_error_rate: flaws.millionths(run.get("maxErrorRate"), &at("maxErrorRate")).unwrap_or(0),
        max_unscored_rate: flaws.millionths(run.get("maxUnscoredRate"), &at("maxUnscoredRate")).unwrap_or(0),
    }
}

fn timeout(value: Option<&Value>, at: &str, flaws: &mut Flaws) -> Option<u64> {
    let seconds = flaws.number(value, at)?;
    if !(0.001..=86_400.0).contains(&seconds) {
        flaws.add(at, format!("`{seconds}` is no time limit in seconds"), "write a number from 0.001 to 86400");
        return None;
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within 1 and 86400000")]
    Some((seconds * 1000.0).round() as u64)
}

fn max_age(value: Option<&Value>, at: &str, flaws: &mut Flaws) -> Option<u64> {
    let value = value.filter(|value| **value != Value::Null)?;
    let seconds = value.as_text().and_then(duration::seconds).filter(|seconds| *seconds > 0);
    if seconds.is_none() {
        flaws.add(at, "this is no length of time", "write, say, `36h` or `7d`");
    }
    seconds
}

fn confidence(value: Option<&Value>, flaws: &mut Flaws) -> Option<f64> {
    let at = "spec.confidence";
    let confidence = flaws.number(value, at)?;
    if confidence > 0.0 && confidence < 1.0 {
        return Some(confidence);
    }
    flaws.add(at, format!("`{confidence}` does not lie between 0 and 1"), "write, say, `confidence: 0.95`");
    None
}
