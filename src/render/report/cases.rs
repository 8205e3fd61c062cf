//! The cases worth telling: those that failed, leaked or stayed without an answer, worst first.

use std::collections::{BTreeMap, BTreeSet};

use crate::eval::{CaseResult, Decimal, FaultKind, MetricResult, Ratio, RunResult, Score, Verdict};

use super::figures;

/// A case with what there is to say of it.
#[derive(Debug, Clone)]
pub(crate) struct Told<'a> {
    /// The case.
    pub(crate) case: &'a CaseResult,
    /// What it scored where that is among the worst, metric by metric.
    pub(crate) scores: Vec<(&'a str, Decimal)>,
    /// Criteria that were not met, each once.
    pub(crate) unmet: BTreeSet<&'a str>,
    /// Scores that are missing, and why.
    pub(crate) unscored: BTreeMap<&'a str, &'a str>,
    /// Why a trial has no answer.
    pub(crate) faults: Vec<(FaultKind, &'a str)>,
    /// What leaks: detector, place and masked excerpt.
    pub(crate) leaks: BTreeSet<String>,
}

/// The cases to tell, worst first: those that weigh on a metric that did not pass, then whatever else went wrong. A case
/// of which there is nothing bad to say is not among them, however slow or dear it was beside the others.
pub(crate) fn worst(result: &RunResult) -> Vec<Told<'_>> {
    let by_id: BTreeMap<&str, &CaseResult> = result.cases.iter().map(|case| (case.id.as_str(), case)).collect();
    let mut metrics: Vec<&MetricResult> = result.metrics.iter().collect();
    // The sort is stable: among equals, the order of the Eval.
    metrics.sort_by_key(|metric| std::cmp::Reverse(metric.verdict));
    let weighing = metrics.iter().filter(|metric| stands_out(metric)).flat_map(|metric| &metric.worst);
    let named = weighing.filter_map(|id| by_id.get(id.as_str()).copied());
    let mut seen = BTreeSet::new();
    let all = named.map(|case| (case, true)).chain(result.cases.iter().map(|case| (case, false)));
    let told = all.filter(|(case, _)| seen.insert(case.id.as_str())).map(|(case, named)| (tell(result, case), named));
    told.filter(|(told, named)| told.is_amiss() || *named && !told.scores.is_empty()).map(|(told, _)| told).collect()
}

/// What a case scored on a metric: the mean of its trials; none where no trial has a score.
pub(crate) fn value(case: &CaseResult, metric: &str) -> Option<Decimal> {
    let scores = case.trials.iter().filter_map(|trial| match trial.scores.get(metric) {
        Some(Score::Scored(score)) => Some(*score),
        _ => None,
    });
    Ratio::mean(&scores.collect::<Vec<_>>()).map(Ratio::rounded)
}

/// Whether a case on its own is on the wrong side of the metric's threshold.
pub(crate) fn is_below(case: &CaseResult, metric: &MetricResult) -> bool {
    let bounds = figures::bounds(metric);
    value(case, &metric.name).is_some_and(|value| !bounds.iter().all(|bound| Ratio::of(value).passes(bound)))
}

/// What is told of one case.
pub(crate) fn tell<'a>(result: &'a RunResult, case: &'a CaseResult) -> Told<'a> {
    let scores = result.metrics.iter().filter(|metric| stands_out(metric) && weighs_on(case, metric, result));
    let scores = scores.filter_map(|metric| Some((metric.name.as_str(), value(case, &metric.name)?)));
    let trials = || case.trials.iter();
    let reasons = trials().filter(|trial| trial.fault.is_none()).flat_map(|trial| trial.scores.iter());
    let unscored = reasons.filter_map(|(metric, score)| match score {
        Score::Unscored(why) => Some((metric, why.as_str())),
        Score::Scored(_) => None,
    });
    let faults = trials().filter_map(|trial| Some((trial.fault?, trial.message.as_deref().unwrap_or_default())));
    let leaks = trials().flat_map(|trial| &trial.leaks).filter(|leak| !leak.echoed);
    Told {
        case,
        scores: scores.collect(),
        unmet: trials().flat_map(|trial| &trial.unmet).map(String::as_str).collect(),
        unscored: unscored.collect(),
        faults: faults.collect(),
        leaks: leaks.map(|leak| format!("{} in {}: {}", leak.detector, leak.place, leak.excerpt)).collect(),
    }
}

/// What happened instead of an answer, as the journal spells it.
pub(crate) fn fault_word(kind: FaultKind) -> &'static str {
    match kind {
        FaultKind::Timeout => "timeout",
        FaultKind::Connection => "connection",
        FaultKind::Refused => "refused",
        FaultKind::Credentials => "credentials",
        FaultKind::Limit => "limit",
        FaultKind::TooLarge => "too-large",
        FaultKind::Malformed => "malformed",
        FaultKind::NotRecorded => "not-recorded",
    }
}

impl Told<'_> {
    /// Whether something went wrong, whatever it weighs.
    fn is_amiss(&self) -> bool {
        self.case.trials.is_empty()
            || !(self.unmet.is_empty() && self.unscored.is_empty() && self.faults.is_empty() && self.leaks.is_empty())
    }

    /// Whether what went wrong is a fault of the target or of a judge, and not a bad answer.
    pub(crate) fn is_faulty(&self) -> bool {
        self.case.trials.is_empty() || !self.faults.is_empty() || !self.unscored.is_empty()
    }

    /// One phrase for each thing to say.
    pub(crate) fn phrases(&self) -> Vec<String> {
        let mut phrases: Vec<String> =
            self.scores.iter().map(|(metric, value)| format!("{metric} {}", figures::number(*value, &[]))).collect();
        if self.case.trials.is_empty() {
            phrases.push("was not run".to_owned());
        }
        phrases.extend(self.faults.iter().map(|(kind, why)| format!("no answer ({}): {why}", fault_word(*kind))));
        phrases.extend(self.unscored.iter().map(|(metric, why)| format!("no score for {metric}: {why}")));
        if !self.unmet.is_empty() {
            phrases.push(format!("not met: {}", self.unmet.iter().copied().collect::<Vec<_>>().join(", ")));
        }
        phrases.extend(self.leaks.iter().map(|leak| format!("leaks {leak}")));
        phrases
    }

    /// The first answer that was kept.
    pub(crate) fn output(&self) -> Option<&str> {
        self.case.trials.iter().find_map(|trial| trial.output.as_deref())
    }
}

/// Whether a case pulls a metric down: it is one of its worst, and has less than the full share, or is by itself what the
/// metric failed for.
fn weighs_on(case: &CaseResult, metric: &MetricResult, result: &RunResult) -> bool {
    let is_bad = || is_share(metric, result) || metric.verdict == Some(Verdict::Failed) && is_below(case, metric);
    metric.worst.contains(&case.id) && is_bad()
}

/// Whether a case can score only between 0 and 1, as far as a result tells. No case with the best share is among the
/// worst.
fn is_share(metric: &MetricResult, result: &RunResult) -> bool {
    let is_judged = || result.judges.iter().any(|judge| judge.asked.metrics.contains(&metric.name));
    let is_sliced = || result.slices.iter().any(|slice| slice.means.contains_key(&metric.name));
    // Of what is better when it is more, only shares never exceed 1; a cost can be as small as a share.
    let values = || result.cases.iter().filter_map(|case| value(case, &metric.name));
    let is_small = || values().all(|value| (Decimal::ZERO..=Decimal::ONE).contains(&value));
    is_judged() || is_sliced() || metric.direction.as_deref() == Some("higher") && is_small()
}

/// Whether a metric's worst cases are worth telling: it did not pass.
fn stands_out(metric: &MetricResult) -> bool {
    metric.verdict.is_some_and(|verdict| verdict != Verdict::Passed)
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    fn ids(result: &RunResult) -> Vec<&str> {
        worst(result).iter().map(|told| told.case.id.as_str()).collect()
    }

    #[test]
    fn a_case_that_is_only_slower_than_others_is_not_told() {
        let mut result = sample::inconclusive();
        result.metrics[1].verdict = Some(Verdict::Inconclusive);
        result.metrics[1].worst = vec!["case-3".to_owned(), "case-1".to_owned()];
        assert_eq!(ids(&result), ["case-1"], "it has no score");
        assert_eq!(worst(&result)[0].phrases(), ["no score for task_success: the judge refused"]);
    }

    #[test]
    fn a_case_that_a_latency_failed_for_is_told() {
        let mut result = sample::inconclusive();
        result.metrics[1].verdict = Some(Verdict::Failed);
        result.metrics[1].worst = vec!["case-3".to_owned(), "case-2".to_owned()];
        result.cases[2].trials[0].scores.insert("latency_p95_ms", Score::Scored(sample::decimal("3200")));
        assert_eq!(ids(&result), ["case-3", "case-1"]);
        assert_eq!(worst(&result)[0].phrases(), ["latency_p95_ms 3200"]);
    }

    #[test]
    fn a_share_below_its_best_is_told_also_where_the_run_cannot_tell() {
        let mut result = sample::failed();
        result.metrics[0].verdict = Some(Verdict::Inconclusive);
        result.judges.clear();
        assert_eq!(ids(&result), ["case-2", "case-4", "case-3"]);
    }
}
