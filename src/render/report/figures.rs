//! Numbers and words of a result as people read them: rounded, but never so far that a bound is crossed.

use chrono::{DateTime, Utc};

use crate::eval::{Cost, Decimal, MetricResult, RunResult, Verdict};
use crate::resource::Threshold;

/// Decimals to try, fewest first.
const PLACES: [usize; 4] = [2, 4, 6, 9];
/// With fewer decimals a score tells too little, and with more a latency tells too much.
const OF_SHARES: usize = 1;

/// What a metric says where the whole run cannot tell.
const UNTOLD: &str = "the run cannot tell";

/// A number with as few decimals as tell on which side of 0, 1 and of every bound it is; so that nobody reads
/// `0.85 < 0.85`.
pub(crate) fn number(value: Decimal, bounds: &[Decimal]) -> String {
    let float = value.as_f64();
    let tells = |rounded: &Decimal| {
        let marks = [Decimal::ZERO, Decimal::ONE];
        marks.iter().chain(bounds).all(|mark| value.cmp(mark) == rounded.cmp(mark))
    };
    let skip = if float.abs() < 10.0 { OF_SHARES } else { 0 };
    let rounded = PLACES.iter().skip(skip).filter_map(|places| format!("{float:.places$}").parse().ok());
    rounded.into_iter().find(tells).unwrap_or(value).to_string()
}

/// The value of a metric; a dash where it has none.
pub(crate) fn value(metric: &MetricResult) -> String {
    let bounds: Vec<_> = bounds(metric).iter().filter_map(|bound| Decimal::from_number(bound.value)).collect();
    metric.value.map_or_else(|| "-".to_owned(), |value| number(value, &bounds))
}

/// `0.85 to 0.96`; a dash where there is none.
pub(crate) fn interval(metric: &MetricResult) -> String {
    let Some([low, high]) = metric.ci95 else { return "-".to_owned() };
    format!("{} to {}", number(low, &[]), number(high, &[]))
}

/// The thresholds of a metric; none where it has none, or where they cannot be read.
pub(crate) fn bounds(metric: &MetricResult) -> Vec<Threshold> {
    let Some(text) = &metric.threshold else { return Vec::new() };
    let read = |part: &str| Threshold::read(&part.into(), None).ok();
    text.split(" and ").flat_map(|part| part.split(',')).map(read).collect::<Option<_>>().unwrap_or_default()
}

/// `PASS`, `FAIL`, `UNCLEAR`; a dash for a metric that is only told.
pub(crate) fn word(verdict: Option<Verdict>) -> &'static str {
    match verdict {
        Some(Verdict::Passed) => "PASS",
        Some(Verdict::Failed) => "FAIL",
        Some(Verdict::Inconclusive) => "UNCLEAR",
        None => "-",
    }
}

/// Why a metric cannot be told, beyond that the run as a whole cannot tell: the reasons of the run say that already.
pub(crate) fn own_reason<'a>(metric: &'a MetricResult, result: &RunResult) -> Option<&'a str> {
    let reason = metric.reason.as_deref()?;
    match reason.strip_prefix(UNTOLD).filter(|_| !result.reasons.is_empty()) {
        Some("") => None,
        Some(rest) => Some(rest.strip_prefix("; ").unwrap_or(reason)),
        None => Some(reason),
    }
}

/// `passed`, `failed`, `inconclusive`.
pub(crate) fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Passed => "passed",
        Verdict::Failed => "failed",
        Verdict::Inconclusive => "inconclusive",
    }
}

/// `eval/support-triage-quality v3 on agent/support-triage v8 in staging`.
pub(crate) fn title(result: &RunResult) -> String {
    let version = |version: Option<u64>| version.map_or_else(String::new, |version| format!(" v{version}"));
    let (eval, subject) = (&result.eval, &result.subject);
    format!(
        "{}{} on {}{} in {}",
        eval.id,
        version(eval.version),
        subject.agent,
        version(subject.version),
        subject.environment
    )
}

/// `support-cases.jsonl, 120 cases, 3 trials each`.
pub(crate) fn dataset(result: &RunResult) -> String {
    let cases = counted(result.dataset.cases, "case");
    let trials =
        if result.runner.trials > 1 { format!(", {} trials each", result.runner.trials) } else { String::new() };
    format!("{}, {cases}{trials}", result.dataset.uri)
}

/// `118 answered, 2 without an answer (1 timed out), 1 score missing`.
pub(crate) fn counts(result: &RunResult) -> String {
    let counts = &result.counts;
    let mut told = vec![format!("{} of {} answered", counts.answered, counts.planned)];
    if counts.errors > 0 {
        told.push(format!("{} without an answer ({} timed out)", counts.errors, counts.timeouts));
    }
    let rest = [(counts.missing, "not run"), (counts.unscored, "scores missing"), (counts.retried, "repeated")];
    told.extend(rest.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")));
    told.extend((counts.flaky > 0).then(|| format!("{} with trials that differ", counted(counts.flaky, "case"))));
    told.join(", ")
}

/// `agent $38.40 (1200 tokens), judges $1.92 (300 tokens)`; what is not known is not 0.
pub(crate) fn cost(cost: &Cost) -> String {
    let one = |who: &str, usd: Option<Decimal>, tokens: crate::eval::Usage| {
        let usd = usd.map_or_else(|| "cost unknown".to_owned(), money);
        format!("{who} {usd} ({} tokens)", tokens.input.saturating_add(tokens.output))
    };
    format!("{}, {}", one("agent", cost.agent_usd, cost.agent_tokens), one("judges", cost.judge_usd, cost.judge_tokens))
}

/// `$38.40`; fractions of a cent are told.
pub(crate) fn money(usd: Decimal) -> String {
    let cents = format!("{:.2}", usd.as_f64());
    let exact = cents.parse::<Decimal>().is_ok_and(|rounded| rounded == usd);
    if exact || usd.as_f64().abs() >= 1.0 { format!("${cents}") } else { format!("${}", number(usd, &[])) }
}

/// `4 min 12 s`, from the first call to the last answer.
pub(crate) fn run_time(result: &RunResult) -> Option<String> {
    let taken = result.runner.finished_at? - result.runner.started_at?;
    Some(seconds(taken.num_seconds().max(0).unsigned_abs()))
}

/// `2 h 5 min`, `4 min 12 s`, `12 s`.
pub(crate) fn seconds(seconds: u64) -> String {
    match (seconds / 3600, seconds % 3600 / 60, seconds % 60) {
        (0, 0, s) => format!("{s} s"),
        (0, min, s) => format!("{min} min {s} s"),
        (h, min, _) => format!("{h} h {min} min"),
    }
}

/// `2026-05-10T12:00:00Z`.
pub(crate) fn time(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
}

/// `1 case`, `2 cases`.
pub(crate) fn counted(count: u64, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimal(text: &str) -> Decimal {
        text.parse().expect("a decimal")
    }

    #[test]
    fn a_rounded_number_stays_on_its_side_of_a_bound() {
        let told = |value: &str, bound: &str| number(decimal(value), &[decimal(bound)]);
        assert_eq!(told("0.916666666667", "0.85"), "0.9167");
        assert_eq!(told("0.849999", "0.85"), "0.849999");
        assert_eq!(told("0.849999999999", "0.85"), "0.849999999999");
        assert_eq!(told("0.85", "0.85"), "0.85");
        assert_eq!(told("2999.996", "3000"), "2999.996");
        assert_eq!(told("2750.25", "3000"), "2750.25");
    }

    #[test]
    fn almost_nothing_is_not_told_as_nothing_nor_almost_all_as_all() {
        assert_eq!(number(decimal("0.00003"), &[]), "0.00003");
        assert_eq!(number(decimal("0.99999"), &[]), "0.99999");
        assert_eq!(money(decimal("0.0000375")), "$0.000037");
        assert_eq!(money(decimal("38.4")), "$38.40");
        assert_eq!(money(Decimal::ZERO), "$0.00");
    }

    #[test]
    fn a_metric_does_not_repeat_that_the_run_cannot_tell() {
        let mut result = crate::render::report::sample::inconclusive();
        let mut own = |reason: &str| {
            result.metrics[0].reason = Some(reason.to_owned());
            own_reason(&result.metrics[0], &result).map(str::to_owned)
        };
        assert_eq!(own("the run cannot tell"), None);
        let told = "the run cannot tell; as far as it goes, task_success = 0.5 < 0.9";
        assert_eq!(own(told).as_deref(), Some("as far as it goes, task_success = 0.5 < 0.9"));
        assert_eq!(own("1 of 4 scores is missing").as_deref(), Some("1 of 4 scores is missing"));
        result.reasons.clear();
        result.metrics[0].reason = Some("the run cannot tell".to_owned());
        assert!(own_reason(&result.metrics[0], &result).is_some(), "nothing else says it");
    }

    #[test]
    fn what_a_run_cost_is_unknown_or_a_number() {
        assert_eq!(cost(&Cost::default()), "agent cost unknown (0 tokens), judges cost unknown (0 tokens)");
    }

    #[test]
    fn a_span_is_told_in_its_own_size() {
        assert_eq!([seconds(12), seconds(252), seconds(7500)], ["12 s", "4 min 12 s", "2 h 5 min"]);
    }
}
