//! What an Eval demands of a result, read for gates.

use crate::eval::Decimal;
use crate::resource::metric::direction;
use crate::resource::view::{self, Deployment};
use crate::resource::{Digest, Direction, Resource, Threshold, Value};

/// How old a result may be where the Eval does not say.
const DEFAULT_MAX_AGE_S: u64 = 7 * 24 * 3600;

/// What an Eval demands.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Terms {
    /// Digest of its canonical form, dataset included.
    pub(super) digest: Digest,
    /// SHA-256 of the dataset, in hex.
    pub(super) dataset: String,
    /// How many cases the dataset holds.
    pub(super) cases: u64,
    /// How often each case runs.
    pub(super) trials: u32,
    /// What each metric must reach, by its name.
    pub(super) thresholds: Vec<(String, Threshold)>,
    /// How much worse each may be than what the target runs now.
    pub(super) regressions: Vec<(String, Decimal, Direction)>,
    /// How old a result may be, in seconds.
    pub(super) max_age_s: u64,
}

impl Terms {
    /// Reads an Eval.
    ///
    /// # Errors
    /// What cannot be read: nothing can pass an Eval that is not understood.
    pub(super) fn of(eval: &Resource) -> Result<Self, String> {
        let view = view::Eval::of(eval).ok_or_else(|| format!("{} is no Eval", eval.id()))?;
        let spec = eval.spec();
        let whole = |value: &Value| value.as_number().and_then(|n| n.to_string().parse::<u64>().ok());
        let dataset = spec.at(&["dataset", "sha256"]).and_then(Value::as_text).map(str::to_owned);
        let cases = spec.at(&["dataset", "cases"]).and_then(whole);
        let (Some(dataset), Some(cases)) = (dataset, cases) else {
            return Err("it names no digest of its dataset, so nobody knows on what it was run".into());
        };
        let mut thresholds = Vec::new();
        for (name, read) in view.thresholds {
            thresholds.extend(read?.into_iter().map(|threshold| (name.clone(), threshold)));
        }
        if thresholds.is_empty() {
            return Err("it has no threshold, so there is nothing to pass".into());
        }
        let trials = match spec.at(&["run", "trials"]) {
            None | Some(Value::Null) => 1,
            Some(value) => whole(value).and_then(|n| n.try_into().ok()).ok_or("`run.trials` is no number")?,
        };
        let max_age_s = match spec.at(&["run", "maxAge"]) {
            None | Some(Value::Null) => DEFAULT_MAX_AGE_S,
            Some(value) => value.as_text().and_then(seconds).ok_or("`run.maxAge` is no length of time")?,
        };
        Ok(Self {
            digest: eval.digest(),
            dataset,
            cases,
            trials,
            thresholds,
            regressions: regressions(spec)?,
            max_age_s,
        })
    }
}

fn regressions(spec: &Value) -> Result<Vec<(String, Decimal, Direction)>, String> {
    let metrics = spec.get("metrics").and_then(Value::as_list).unwrap_or_default();
    let said = spec.get("maxRegression").and_then(Value::as_map).into_iter().flatten();
    said.map(|(name, value)| {
        let unread = || format!("`maxRegression.{name}` is no number from 0");
        let most = value.as_number().and_then(Decimal::from_number).filter(|most| *most >= Decimal::ZERO);
        let direction = direction(name, metrics);
        let direction = direction.ok_or_else(|| format!("nobody knows whether `{name}` is better higher or lower"))?;
        Ok((name.clone(), most.ok_or_else(unread)?, direction))
    })
    .collect()
}

/// Seconds of `90s`, `36h`, `7d`.
fn seconds(text: &str) -> Option<u64> {
    let unit = text.chars().next_back()?;
    let each = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 24 * 3600,
        'w' => 7 * 24 * 3600,
        _ => return None,
    };
    let digits = text.strip_suffix(unit).filter(|digits| digits.bytes().all(|b| b.is_ascii_digit()))?;
    digits.parse::<u64>().ok()?.checked_mul(each)
}

/// The `invoke` of a Deployment of this agent in this environment, if it is one and has one.
pub(super) fn invoke_of<'d>(
    deployment: &'d Resource,
    agent: &crate::resource::ResourceId,
    environment: &str,
) -> Option<&'d Value> {
    let view = Deployment::of(deployment)?;
    let about = view.agent.is_some_and(|named| named.candidates(&deployment.id().namespace).contains(agent));
    let here = view.environment.is_some_and(|named| named.name == environment);
    let invoke = deployment.spec().get("invoke").filter(|invoke| **invoke != Value::Null)?;
    (about && here).then_some(invoke)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::sample::one;

    fn told(spec: &str) -> Result<Terms, String> {
        Terms::of(&one("Eval e", &format!("{{target: {{kind: Agent, name: x}}, {spec}}}")))
    }

    const DATASET: &str = "dataset: {type: file, uri: x.jsonl, sha256: 'ab', cases: 3}";

    #[test]
    fn what_an_eval_says_is_read_and_what_it_leaves_out_is_known() {
        let terms =
            told(&format!("{DATASET}, thresholds: {{pii_leakage: 0.0}}, run: {{maxAge: 36h, trials: 2}}")).unwrap();
        assert_eq!((terms.cases, terms.trials, terms.max_age_s), (3, 2, 36 * 3600));
        assert_eq!(terms.thresholds[0].1.to_string(), "<= 0");
        let terms =
            told(&format!("{DATASET}, thresholds: {{task_success: 0.85}}, maxRegression: {{task_success: 0.02}}"));
        let terms = terms.unwrap();
        assert_eq!((terms.trials, terms.max_age_s), (1, DEFAULT_MAX_AGE_S));
        assert_eq!(terms.regressions, [("task_success".into(), "0.02".parse().unwrap(), Direction::Higher)]);
    }

    #[test]
    fn an_eval_that_is_not_understood_is_not_passed() {
        for (spec, why) in [
            ("thresholds: {task_success: 0.85}".to_owned(), "no digest of its dataset"),
            (DATASET.to_owned(), "no threshold"),
            (format!("{DATASET}, thresholds: {{sparkle: 1}}"), "does not say what passes"),
            (format!("{DATASET}, thresholds: {{task_success: {{fromEnvironment: KEY}}}}"), "does not say what passes"),
            (format!("{DATASET}, thresholds: {{f1: 1}}, maxRegression: {{f1: some}}"), "is no number"),
            (format!("{DATASET}, thresholds: {{f1: 1}}, maxRegression: {{sparkle: 1}}"), "higher or lower"),
        ] {
            let refusal = told(&spec).expect_err(&spec);
            assert!(refusal.contains(why), "{refusal}");
        }
    }
}
