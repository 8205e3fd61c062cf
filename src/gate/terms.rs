//! What an Eval demands of a result, read for gates.

use crate::eval::{Bounds, Decimal, Definition};
use crate::resource::view::Deployment;
use crate::resource::{Direction, Resource, ResourceId, Value};

/// What an Eval demands.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Terms {
    /// The Eval, understood.
    pub(super) definition: Definition,
    /// SHA-256 of the dataset, in hex.
    pub(super) dataset: String,
    /// How many cases the dataset holds.
    pub(super) cases: u64,
}

impl Terms {
    /// Reads an Eval.
    ///
    /// # Errors
    /// What cannot be read: nothing can pass an Eval that is not understood.
    pub(super) fn of(eval: &Resource) -> Result<Self, String> {
        let definition = Definition::of(eval).map_err(|flaws| flaws.join("; "))?;
        let spec = eval.spec();
        let whole = |value: &Value| value.as_number().and_then(|number| number.to_string().parse::<u64>().ok());
        let dataset = spec.at(&["dataset", "sha256"]).and_then(Value::as_text).map(str::to_owned);
        let cases = spec.at(&["dataset", "cases"]).and_then(whole);
        let (Some(dataset), Some(cases)) = (dataset, cases) else {
            return Err("it names no digest of its dataset, so nobody knows on what it was run".into());
        };
        let terms = Self { definition, dataset, cases };
        if terms.thresholds().next().is_none() {
            return Err("it has no threshold, so there is nothing to pass".into());
        }
        Ok(terms)
    }

    /// What each metric that has a threshold must reach, by its name: `>= 0.85`.
    pub(super) fn thresholds(&self) -> impl Iterator<Item = (&str, String)> {
        let told = |Bounds(bounds): &Bounds| bounds.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ");
        self.definition
            .metrics
            .iter()
            .filter_map(move |metric| metric.threshold.as_ref().map(|bounds| (metric.name.as_str(), told(bounds))))
    }

    /// How much worse each metric may be than what the target runs now.
    pub(super) fn regressions(&self) -> Vec<(&str, Decimal, Option<Direction>)> {
        let metrics = self.definition.metrics.iter();
        let direction = |metric: &crate::eval::Metric| {
            let told = || metric.threshold.as_ref()?.0.iter().find_map(crate::resource::Threshold::direction);
            metric.direction.or_else(told)
        };
        metrics.filter_map(|metric| Some((metric.name.as_str(), metric.max_regression?, direction(metric)))).collect()
    }
}

/// The `invoke` of a Deployment of this agent in this environment, if it is one and has one.
pub(super) fn invoke_of<'d>(deployment: &'d Resource, agent: &ResourceId, environment: &str) -> Option<&'d Value> {
    let view = Deployment::of(deployment)?;
    let invoke = deployment.spec().get("invoke").filter(|invoke| **invoke != Value::Null)?;
    view.deploys(agent, environment, &deployment.id().namespace).then_some(invoke)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::sample::one;

    const DATASET: &str = "dataset: {type: file, uri: x.jsonl, sha256: 'ab', cases: 3}";

    fn told(metrics: &str, spec: &str) -> Result<Terms, String> {
        let metrics = format!("metrics: [{metrics}]");
        Terms::of(&one("Eval e", &format!("{{target: {{kind: Agent, name: x}}, {metrics}, {spec}}}")))
    }

    #[test]
    fn what_an_eval_says_is_read_and_what_it_leaves_out_is_known() {
        let judged = "{name: task_success, type: llm_judge}";
        let terms = told(
            judged,
            &format!("{DATASET}, thresholds: {{task_success: 0.85}}, maxRegression: {{task_success: 0.02}}"),
        );
        let terms = terms.expect("read");
        assert_eq!((terms.cases, terms.definition.run.max_age_s), (3, 7 * 86_400));
        assert_eq!(terms.thresholds().collect::<Vec<_>>(), [("task_success", ">= 0.85".to_owned())]);
        let most = "0.02".parse().expect("a decimal");
        assert_eq!(terms.regressions(), [("task_success", most, Some(Direction::Higher))]);
    }

    #[test]
    fn an_eval_that_is_not_understood_is_not_passed() {
        let judged = "{name: task_success, type: llm_judge}";
        for (metrics, spec, why) in [
            (judged, "thresholds: {task_success: 0.85}".to_owned(), "no digest of its dataset"),
            (judged, DATASET.to_owned(), "no threshold"),
            (judged, format!("{DATASET}, thresholds: {{task_success: {{fromEnvironment: KEY}}}}"), "task_success"),
            (judged, format!("{DATASET}, thresholds: {{f1: 1}}"), "f1"),
        ] {
            let refusal = told(metrics, &spec).expect_err(&spec);
            assert!(refusal.contains(why), "{refusal}");
        }
    }
}
