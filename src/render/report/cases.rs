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

/// The cases to tell, worst first: those that weigh on a metric that did not pass, then whatever else went wrong.
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
    told.filter(|(told, named)| *named || told.is_amiss()).map(|(told, _)| told).collect()
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
    let scores = result.metrics.iter().filter(|metric| stands_out(metric) && metric.worst.contains(&case.id));
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

/// Whether a metric's worst cases are worth telling: it did not pass.
fn stands_out(metric: &MetricResult) -> bool {
    metric.verdict.is_some_and(|verdict| verdict != Verdict::Passed)
}
