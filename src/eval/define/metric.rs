//! One metric: how it is measured, how its scores become one, and what they must reach.

use crate::eval::definition::{Aggregate, Bounds, Check, Measure, Metric, Observed};
use crate::resource::metric::{self as known, Quantity, Statistic};
use crate::resource::threshold::{Direction, Threshold, Unclear};
use crate::resource::{Measured, Value, path};

use super::check;
use super::flaws::Flaws;
use super::judged::judged;

/// What every metric may say.
const COMMON: [&str; 5] = ["name", "type", "direction", "aggregate", "k"];
/// What some metrics may say: all parameters but those of checks.
const OWN: [&str; 8] = ["measure", "check", "command", "judgeModelRef", "judges", "criteria", "rubric", "samples"];

/// Every metric of an Eval, in the order of the file.
pub(super) fn all(spec: &Value, trials: u32, flaws: &mut Flaws) -> Vec<Metric> {
    let listed = spec.get("metrics").and_then(Value::as_list).unwrap_or_default();
    if listed.is_empty() {
        flaws.add("spec.metrics", "nothing is measured", "add, say, `- { name: task_success, type: llm_judge }`");
    }
    let mut metrics: Vec<Metric> = Vec::new();
    for (index, entry) in listed.iter().enumerate() {
        let at = path::item("spec.metrics", index);
        let Some(name) = flaws.text(entry.get("name"), &path::entry(&at, "name")) else {
            if matches!(entry.get("name"), None | Some(Value::Null)) {
                flaws.add(&at, "the metric has no name", "add `name:`");
            }
            continue;
        };
        if metrics.iter().any(|metric| metric.name == name) {
            flaws.add(&path::entry(&at, "name"), format!("the metric `{name}` stands twice"), "remove one of the two");
            continue;
        }
        metrics.extend(one(name, entry, (spec, listed), trials, &at, flaws));
    }
    for map in ["thresholds", "maxRegression"] {
        for name in spec.get(map).and_then(Value::as_map).into_iter().flatten().map(|(name, _)| name) {
            if !listed.iter().any(|entry| entry.get("name").and_then(Value::as_text) == Some(name)) {
                let at = path::entry(&path::entry("spec", map), name);
                flaws.add(
                    &at,
                    "no metric has this name",
                    format!("add `- name: {name}` under `metrics`, or remove it"),
                );
            }
        }
    }
    metrics
}

fn one(
    name: &str,
    entry: &Value,
    (spec, listed): (&Value, &[Value]),
    trials: u32,
    at: &str,
    flaws: &mut Flaws,
) -> Option<Metric> {
    let measured = match Measured::of(entry) {
        Ok(measured) => measured,
        Err(unknown) => {
            flaws.add(&path::entry(at, unknown.key), unknown.message, unknown.help);
            return None;
        }
    };
    check_parameters(measured, entry, at, flaws);
    let percentile = match measured {
        Measured::Quantity(_, percentile) => percentile,
        _ => None,
    };
    let measure = measure(measured, entry, at, flaws)?;
    let (threshold, direction) = threshold(name, spec, listed, flaws);
    let max_regression = max_regression(name, spec, direction, flaws);
    let aggregate = aggregate(entry, percentile, at, flaws)?;
    let metric = Metric { name: name.to_owned(), measure, direction, aggregate, threshold, max_regression };
    check_aggregate(&metric, trials, at, flaws);
    if let Measure::Checked(Check::PiiLeakage(_) | Check::SecretLeakage(_)) = metric.measure
        && direction == Some(Direction::Higher)
    {
        let message = "of a leak, more is never better";
        flaws.add(&path::entry(at, "direction"), message, "remove `direction`");
    }
    Some(metric)
}

/// Refuses what means nothing for this metric, and what is nearly a parameter of it.
fn check_parameters(measured: Measured, entry: &Value, at: &str, flaws: &mut Flaws) {
    let (own, checks): (&[&str], &[&str]) = match measured {
        Measured::Judge => (&["judgeModelRef", "judges", "criteria", "rubric", "samples"], &[]),
        Measured::Quantity(..) => (&["measure"], &[]),
        Measured::Check(word) => (&["check"], check::parameters(word)),
        Measured::Program => (&["command"], &[]),
    };
    let takes: Vec<&str> = COMMON.iter().chain(own).chain(checks).copied().collect();
    flaws.check_keys(entry, &takes, at);
    for key in entry.as_map().into_iter().flatten().filter(|(_, value)| **value != Value::Null).map(|(key, _)| key) {
        if !takes.contains(&key.as_str()) && (OWN.contains(&key.as_str()) || known::PARAMETERS.contains(&key.as_str()))
        {
            let message = format!("`{key}` means nothing for a metric that is measured so");
            flaws.add(&path::entry(at, key), message, "remove it, or mend `type`, `measure` or `check`");
        }
    }
}

fn measure(measured: Measured, entry: &Value, at: &str, flaws: &mut Flaws) -> Option<Measure> {
    Some(match measured {
        Measured::Judge => Measure::Judged(judged(entry, at, flaws)),
        Measured::Quantity(quantity, _) => Measure::Observed(match quantity {
            Quantity::Cost => Observed::Cost,
            Quantity::Latency => Observed::Latency,
            Quantity::InputTokens => Observed::InputTokens,
            Quantity::OutputTokens => Observed::OutputTokens,
            Quantity::Tokens => Observed::Tokens,
            Quantity::Errors => Observed::Error,
            Quantity::ToolCalls => Observed::ToolCalls,
        }),
        Measured::Check(word) => Measure::Checked(check::check(word, entry, at, flaws)?),
        Measured::Program => Measure::Program { command: command(entry, at, flaws)? },
    })
}

fn command(entry: &Value, at: &str, flaws: &mut Flaws) -> Option<Vec<String>> {
    let at = path::entry(at, "command");
    let command = flaws.texts(entry.get("command"), &at);
    let Some(program) = command.first() else {
        flaws.add(&at, "it is not said which program scores", "add `command: [./score, --metric, bleu]`");
        return None;
    };
    if command.len() == 1 && program.contains(char::is_whitespace) {
        flaws.add(&at, "program and arguments stand in one text", "write a list: `[./score, --metric, bleu]`");
        return None;
    }
    Some(command)
}

/// What a metric must reach, and which way is better; of one that nobody knows otherwise, as its threshold takes it.
fn threshold(name: &str, spec: &Value, listed: &[Value], flaws: &mut Flaws) -> (Option<Bounds>, Option<Direction>) {
    let scale = known::scale(name, listed);
    let at = path::entry("spec.thresholds", name);
    let Some(value) = spec.at(&["thresholds", name]) else {
        return (None, scale.direction);
    };
    if *value == Value::Null {
        // Whoever began to write one wants the metric to be held to something.
        let message = format!("it is not said what `{name}` must reach");
        flaws.add(&at, message, "write a number, or remove the line: then the metric is measured and decides nothing");
        return (None, scale.direction);
    }
    match Threshold::read_all(value, &scale) {
        Ok(bounds) => {
            let taken = match bounds.as_slice() {
                [one] => one.direction(),
                _ => None,
            };
            let direction = scale.direction.or(taken);
            if direction.is_none() {
                let message = format!("nobody knows whether `{name}` is better higher or lower");
                flaws.add(&at, message, "give the metric `direction: higher` or `lower`");
            }
            (Some(Bounds(bounds)), direction)
        }
        Err(unclear) => {
            let (message, help) = match unclear {
                Unclear::Direction => (
                    format!("nobody knows whether `{name}` is better higher or lower, so a number alone says nothing"),
                    "write a comparison such as `\">=0.9\"`, or give the metric `direction: higher` or `lower`".into(),
                ),
                Unclear::Form => (
                    "this is neither a number nor a comparison".to_owned(),
                    "write `0.85`, `\"<0.40\"` or `{ min: 1, max: 5 }`".to_owned(),
                ),
                Unclear::Unit(unit) => (format!("`{name}` is not measured in `{unit}`"), "leave the unit out".into()),
                Unclear::Range(range) => (format!("`{name}` is {range}"), "write a number that it can have".into()),
                Unclear::Crossed => ("`min` is more than `max`".into(), "turn them around".into()),
            };
            flaws.add(&at, message, help);
            (None, scale.direction)
        }
    }
}

fn max_regression(
    name: &str,
    spec: &Value,
    direction: Option<Direction>,
    flaws: &mut Flaws,
) -> Option<crate::eval::Decimal> {
    let at = path::entry("spec.maxRegression", name);
    let most = flaws.decimal(spec.at(&["maxRegression", name]), &at)?;
    if direction.is_none() {
        let message =
            format!("nobody knows whether `{name}` is better higher or lower, so nobody can tell what is worse");
        flaws.add(&at, message, "give the metric `direction: higher` or `lower`");
    }
    Some(most)
}

fn aggregate(entry: &Value, percentile: Option<u8>, at: &str, flaws: &mut Flaws) -> Option<Aggregate> {
    let at_word = path::entry(at, "aggregate");
    let at_k = path::entry(at, "k");
    let k = flaws.whole(entry.get("k"), &at_k, 1, 1000);
    if matches!(entry.get("aggregate"), None | Some(Value::Null)) {
        if k.is_some() {
            flaws.add(&at_k, "`k` means something for `pass@k` and `pass^k` only", "add `aggregate: \"pass@k\"`");
        }
        return Some(percentile.map_or(Aggregate::Mean, Aggregate::Percentile));
    }
    let word = flaws.text(entry.get("aggregate"), &at_word)?;
    let Some(statistic) = Statistic::read(word) else {
        let help = format!("write one of {}", Statistic::WORDS);
        flaws.add(&at_word, format!("`{}` is not understood", word.escape_debug()), help);
        return None;
    };
    let aggregate = match statistic {
        Statistic::Mean => Aggregate::Mean,
        Statistic::Median => Aggregate::Median,
        Statistic::Min => Aggregate::Min,
        Statistic::Max => Aggregate::Max,
        Statistic::Percentile(percent) => Aggregate::Percentile(percent),
        Statistic::PassAt(count) | Statistic::PassAll(count) => {
            let Some(count) = count.or(k) else {
                flaws.add(&at_k, format!("`{word}` does not say how many trials"), "add `k: 3`");
                return None;
            };
            if k.is_some_and(|k| k != count) {
                flaws.add(&at_k, format!("`k` is another number than that of `{word}`"), "remove `k`");
            }
            if matches!(statistic, Statistic::PassAt(_)) { Aggregate::PassAt(count) } else { Aggregate::PassAll(count) }
        }
    };
    if k.is_some() && !matches!(aggregate, Aggregate::PassAt(_) | Aggregate::PassAll(_)) {
        flaws.add(&at_k, format!("`k` means nothing for `{word}`"), "remove it");
    }
    if percentile.is_some_and(|percent| aggregate != Aggregate::Percentile(percent)) {
        flaws.add(
            &at_word,
            format!("the name of the metric says another percentile than `{word}`"),
            "remove `aggregate`",
        );
    }
    Some(aggregate)
}

fn check_aggregate(metric: &Metric, trials: u32, at: &str, flaws: &mut Flaws) {
    let (Aggregate::PassAt(k) | Aggregate::PassAll(k)) = metric.aggregate else { return };
    let at = path::entry(at, "aggregate");
    if !metric.is_share() || metric.direction != Some(Direction::Higher) {
        let message = format!("`{}` has no trials that succeed", metric.name);
        flaws.add(&at, message, "take `mean`; `pass@k` and `pass^k` are for judges and checks");
    } else if trials < k {
        let message =
            format!("each case has {trials} {}, fewer than {k}", if trials == 1 { "trial" } else { "trials" });
        flaws.add(&at, message, format!("write `run: {{ trials: {k} }}`"));
    }
}
