//! `joch eval run --dry-run`.

use schemars::JsonSchema;
use serde::Serialize;

use crate::eval::{DatasetRef, Decimal, EvalRef, JudgeRef, ReachRef, Subject, Usage};
use crate::render::report::figures;
use crate::render::{Page, View};

use super::words;

/// What a run would do. Nothing was called.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EvalPlan {
    /// What would be measured.
    pub subject: Subject,
    /// The Eval.
    pub eval: EvalRef,
    /// The dataset.
    pub dataset: DatasetRef,
    /// How the agent would be reached.
    pub reach: ReachRef,
    /// Who would judge.
    pub judges: Vec<JudgeRef>,
    /// What would be measured, in the order of the Eval.
    pub metrics: Vec<PlannedMetric>,
    /// Which part of the cases, as `2/4`; none for all of them.
    pub shard: Option<String>,
    /// How many cases would run.
    pub cases: u64,
    /// How often each.
    pub trials: u32,
    /// How many at a time.
    pub concurrency: u32,
    /// Calls of the agent, without repeated ones.
    pub agent_calls: u64,
    /// Calls of judges, canaries included.
    pub judge_calls: u64,
    /// What is to be expected; an estimate.
    pub estimate: Estimate,
    /// What a reader should know before it runs.
    pub notices: Vec<String>,
    /// The command that runs it.
    pub next: Option<String>,
}

/// What a run may take. What nobody knows is none, not 0.
#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "EvalEstimate")]
pub struct Estimate {
    /// What it goes by: `an earlier run`, `the length of the cases`.
    pub basis: Option<String>,
    /// The agent's tokens.
    pub agent_tokens: Option<Usage>,
    /// The judges' tokens.
    pub judge_tokens: Option<Usage>,
    /// US dollars for both.
    pub usd: Option<Decimal>,
    /// Seconds.
    pub seconds: Option<u64>,
}

/// A metric as it would be measured.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlannedMetric {
    /// Its name.
    pub name: String,
    /// How a case is scored: `judged`, `observed`, `computed`, `program`.
    pub measure: String,
    /// How cases become one: `mean`, `p95`.
    pub aggregate: String,
    /// What it must be, with the operator: `>= 0.85`.
    pub threshold: Option<String>,
    /// `higher` or `lower`, which way is better.
    pub direction: Option<String>,
    /// Where the criteria come from: `the metric`, `each case's rubric`, `the case's expected answer`, `its name`; several
    /// with `or` between them.
    pub criteria_from: Option<String>,
    /// What a judge looks for, where that is the same for every case.
    pub criteria: Vec<String>,
}

impl View for EvalPlan {
    fn kind(&self) -> &'static str {
        "EvalPlan"
    }

    fn fields(&self) -> serde_json::Value {
        super::fields_of(self)
    }

    fn text(&self, page: &mut Page, wide: bool) {
        let subject = &self.subject;
        page.line(format!(
            "{} {} on {} {} in {}",
            self.eval.id,
            words::version(self.eval.version),
            subject.agent,
            words::version(subject.version),
            subject.environment
        ));
        page.gap();
        let headings = ["METRIC", "MEASURED", "AGGREGATE", "THRESHOLD"];
        let row = |metric: &PlannedMetric| {
            let threshold = words::or_none(metric.threshold.clone());
            vec![metric.name.clone(), metric.measure.clone(), metric.aggregate.clone(), threshold]
        };
        page.table(&headings, &self.metrics.iter().map(row).collect::<Vec<_>>());
        for metric in &self.metrics {
            let Some(from) = &metric.criteria_from else { continue };
            page.line(format!("{} is judged by criteria from {from}", metric.name));
            for (at, criterion) in metric.criteria.iter().enumerate() {
                page.line(format!("  {}. {}", at + 1, crate::release::fold(criterion)));
            }
        }
        page.gap();
        page.field("dataset", format!("{}, {}", self.dataset.uri, figures::counted(self.dataset.cases, "case")));
        let shard = self.shard.as_ref().map_or_else(String::new, |shard| format!(" (shard {shard})"));
        let trials = if self.trials == 1 { String::new() } else { format!(", {} times each", self.trials) };
        page.field(
            "would run",
            format!("{}{shard}{trials}, {} at a time", figures::counted(self.cases, "case"), self.concurrency),
        );
        page.field("reached by", format!("{}, as {} says", self.reach.protocol, self.reach.by));
        if !self.reach.live {
            page.field("", "answers come from a recording; it shows nothing of the agent as it is now");
        }
        for judge in &self.judges {
            let by = if judge.by_default { ", named by joch.yaml" } else { "" };
            page.field(
                "judge",
                format!(
                    "{} ({} {}), {} each{by}",
                    judge.model,
                    judge.provider,
                    judge.requested,
                    figures::counted(u64::from(judge.samples), "sample")
                ),
            );
        }
        page.field("calls", format!("{} of the agent, {} of judges", self.agent_calls, self.judge_calls));
        self.estimate.tell(page);
        if wide {
            page.field("agent digest", subject.digest.to_string());
            page.field("eval digest", self.eval.digest.to_string());
            page.field("dataset is", self.dataset.digest.to_string());
        }
        for notice in &self.notices {
            page.line(format!("note: {notice}"));
        }
        page.line("dry run: nothing was called");
        if let Some(next) = &self.next {
            page.line(format!("next: {next}"));
        }
    }

    fn names(&self) -> Vec<String> {
        vec![self.eval.id.to_string()]
    }
}

/// What several runs would do.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct EvalPlans {
    /// One for each Eval.
    pub items: Vec<EvalPlan>,
}

impl View for EvalPlans {
    fn kind(&self) -> &'static str {
        "EvalPlans"
    }

    fn fields(&self) -> serde_json::Value {
        super::fields_of(self)
    }

    fn text(&self, page: &mut Page, wide: bool) {
        for plan in &self.items {
            plan.text(page, wide);
            page.gap();
        }
    }

    fn names(&self) -> Vec<String> {
        self.items.iter().flat_map(View::names).collect()
    }
}

impl Estimate {
    fn tell(&self, page: &mut Page) {
        let tokens = |usage: Option<Usage>| {
            usage.map_or_else(|| "unknown".to_owned(), |usage| usage.input.saturating_add(usage.output).to_string())
        };
        let basis = self.basis.as_ref().map_or_else(String::new, |basis| format!(", going by {basis}"));
        page.field(
            "tokens",
            format!("agent {}, judges {}{basis}", tokens(self.agent_tokens), tokens(self.judge_tokens)),
        );
        page.field(
            "cost",
            self.usd.map_or_else(|| "unknown".to_owned(), |usd| format!("about {}", figures::money(usd))),
        );
        page.field(
            "time",
            self.seconds.map_or_else(|| "unknown".to_owned(), |s| format!("about {}", figures::seconds(s))),
        );
    }
}

#[cfg(test)]
mod tests {
    use crate::render::report::sample;
    use crate::render::table;

    use super::*;

    #[test]
    fn a_plan_tells_what_would_be_called_and_judged_and_what_nobody_knows() {
        let result = sample::passed();
        let plan = EvalPlan {
            subject: result.subject,
            eval: result.eval,
            dataset: result.dataset,
            reach: result.reach,
            judges: result.judges.into_iter().map(|judge| judge.asked).collect(),
            metrics: vec![PlannedMetric {
                name: "task_success".into(),
                measure: "judged".into(),
                aggregate: "mean".into(),
                threshold: Some(">= 0.85".into()),
                direction: Some("higher".into()),
                criteria_from: Some("the metric".into()),
                criteria: vec!["The answer solves\nthe problem.".into()],
            }],
            shard: None,
            cases: 4,
            trials: 1,
            concurrency: 4,
            agent_calls: 4,
            judge_calls: 24,
            estimate: Estimate { seconds: Some(90), ..Estimate::default() },
            notices: vec!["the judge and the agent are of one provider".into()],
            next: None,
        };
        let expected = "\
eval/support-triage-quality v3 on agent/support-triage v8 in staging

METRIC        MEASURED  AGGREGATE  THRESHOLD
task_success  judged    mean       >= 0.85
task_success is judged by criteria from the metric
  1. The answer solves the problem.

dataset:      evals/support-cases.jsonl, 4 cases
would run:    4 cases, 4 at a time
reached by:   http, as deployment/support-triage-staging says
judge:        model/judge (example judge-small), 3 samples each
calls:        4 of the agent, 24 of judges
tokens:       agent unknown, judges unknown
cost:         unknown
time:         about 1 min 30 s
note: the judge and the agent are of one provider
dry run: nothing was called
";
        assert_eq!(table(&plan, false), expected);
    }
}
