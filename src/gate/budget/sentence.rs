//! What the budget gate says: the number that decides, the limit, and what to do.

use crate::eval::{Decimal, shown};
use crate::gate::evidence::Evidence;
use crate::gate::verdict::Verdict;

use super::limits::{Figure, Limit, defaults};
use super::prices::raised;
use super::projection::{DAYS, Held, Projection, Unknown};

/// An answer in words.
pub(super) struct Said {
    pub(super) reason: String,
    pub(super) next: Option<String>,
    pub(super) observed: Option<String>,
    pub(super) threshold: Option<String>,
}

/// Puts into words what a projection came to.
pub(super) fn of(projection: &Projection, unknown: &Unknown, verdict: Verdict, evidence: &Evidence<'_>) -> Said {
    let failed: Vec<&Held> = projection.limits.iter().filter(|held| held.verdict == Verdict::Fail).collect();
    let decides = failed.first().copied().or_else(|| tightest(projection));
    let observed = decides.and_then(|held| Some(amount(held.limit.figure, held.projected?, Some(held.limit.hard))));
    let threshold = decides.map(|held| format!("<= {}", named(&held.limit)));
    let (reason, next) = match verdict {
        Verdict::Fail => {
            let over: Vec<_> = failed.iter().map(|held| over(held, projection)).collect();
            (over.join("; "), Some(way_out(&failed[0].limit)))
        }
        Verdict::Pass => (within(projection), None),
        _ => {
            let (why, next) = unclear(projection, unknown, evidence);
            (why, Some(next))
        }
    };
    let raised = evidence.candidate.map(|candidate| raised(&projection.models, candidate, &defaults(evidence)));
    let raised: Vec<_> = raised.into_iter().flatten().map(ToString::to_string).collect();
    let dearer = match raised.is_empty() {
        true => String::new(),
        false => format!("; {} counts at the dearer price that `{}` has now", raised.join(", "), evidence.environment),
    };
    Said { reason: format!("{}: {reason}{dearer}", projection.eval), next, observed, threshold }
}

/// The limit that is nearest to what is projected.
fn tightest(projection: &Projection) -> Option<&Held> {
    let share =
        |held: &Held| held.projected.map_or(0.0, |projected| projected.as_f64() / held.limit.hard.as_f64().max(1e-12));
    let judged = projection.limits.iter().filter(|held| held.limit.figure != Figure::CallUsd);
    judged.max_by(|a, b| share(a).total_cmp(&share(b)))
}

/// One limit that does not hold.
fn over(held: &Held, projection: &Projection) -> String {
    let Held { limit, projected, .. } = held;
    let projected = projected.unwrap_or_default();
    let declared = projection.runs_per_day.unwrap_or_default();
    let allows = |mean: Option<Decimal>, days: u64| {
        let limit_of_day = Decimal::whole(days);
        let runs = mean.and_then(|mean| mean.by(limit_of_day)).and_then(|mean| mean.goes_into(limit.hard));
        runs.unwrap_or_default()
    };
    // What a day comes to tells which mean was held against the limit.
    let mean = [projection.upper_mean_usd, projection.worst_mean_usd].into_iter().find(|mean| {
        let day = projection.day(*mean);
        day == Some(projected) || day.and_then(|day| day.by(Decimal::whole(DAYS))) == Some(projected)
    });
    let mean = mean.flatten();
    let per_run = mean.map(|mean| usd(mean, None)).unwrap_or_default();
    match limit.figure {
        Figure::RunUsd | Figure::CallUsd => format!(
            "a run costs up to {} ({} of {} runs{}), and {} allows {}",
            usd(projected, Some(limit.hard)),
            projection.run_rank,
            projection.runs,
            dearest(projection),
            place(limit),
            usd(limit.hard, None)
        ),
        Figure::DayUsd => format!(
            "at {per_run}/run the {}/day of {} allows {} runs; {declared} are declared ({}/day)",
            usd(limit.hard, None),
            place(limit),
            allows(mean, 1),
            usd(projected, Some(limit.hard))
        ),
        Figure::MonthUsd => format!(
            "at {per_run}/run the {}/month of {} allows {} runs a day; {declared} are declared ({} in {DAYS} days)",
            usd(limit.hard, None),
            place(limit),
            allows(mean, DAYS),
            usd(projected, Some(limit.hard))
        ),
        Figure::RunTokens => {
            format!("a run takes up to {projected} tokens, and {} allows {}", place(limit), limit.hard)
        }
        Figure::DayTokens => format!(
            "at {} tokens/run the {} tokens/day of {} allow {} runs; {declared} are declared",
            shown(projection.upper_mean_tokens.unwrap_or_default(), ""),
            limit.hard,
            place(limit),
            allows(projection.upper_mean_tokens, 1)
        ),
    }
}

/// Everything holds: what was projected, and what comes near.
fn within(projection: &Projection) -> String {
    let mut told = vec![summary(projection)];
    for held in projection.limits.iter().filter(|held| held.warns) {
        let Some(projected) = held.projected else { continue };
        let limit = &held.limit;
        told.push(match limit.figure {
            Figure::CallUsd if projected > limit.hard => {
                format!(
                    "{} counts only at run time, and a whole run costs up to {}",
                    place(limit),
                    usd(projected, None)
                )
            }
            Figure::CallUsd => continue,
            _ if projected > limit.hard => {
                format!(
                    "warning: {} is above {}, which only tells",
                    amount(limit.figure, projected, None),
                    named(limit)
                )
            }
            _ => format!(
                "warning: {} is above the soft limit {} of {}",
                amount(limit.figure, projected, Some(limit.soft)),
                amount(limit.figure, limit.soft, None),
                named(limit)
            ),
        });
    }
    told.extend(fallback(projection));
    told.join("; ")
}

fn summary(projection: &Projection) -> String {
    let mut parts = Vec::new();
    if let (Some(mean), Some(upper)) = (projection.mean_usd, projection.upper_mean_usd) {
        parts.push(format!(
            "{}/run in the mean, {} at most (95% sure, {} cases)",
            usd(mean, None),
            usd(upper, None),
            projection.cases
        ));
        if let (Some(day), Some(runs)) = (projection.day(Some(upper)), projection.runs_per_day) {
            parts.push(format!("{}/day at {runs} runs", usd(day, None)));
        }
    }
    if let Some(run) = projection.run_usd {
        parts.push(format!("the dearest run {} ({} of {})", usd(run, None), projection.run_rank, projection.runs));
    }
    let count = projection.limits.len();
    parts.push(format!("within {count} limit{}", if count == 1 { "" } else { "s" }));
    parts.join(", ")
}

/// What a day would cost if the dearest Model answered every time, where that is more than a limit allows.
fn fallback(projection: &Projection) -> Option<String> {
    let day = projection.day(projection.worst_mean_usd)?;
    let over = projection.limits.iter().find(|held| {
        let projected = match held.limit.figure {
            Figure::DayUsd => Some(day),
            Figure::MonthUsd => day.by(Decimal::whole(DAYS)),
            _ => None,
        };
        held.verdict == Verdict::Pass
            && held.projected.is_some_and(|usual| usual <= held.limit.hard)
            && projected.is_some_and(|projected| projected > held.limit.hard)
    })?;
    Some(format!(
        "warning: if every run fell back to the dearest Model, a day would cost {}, above {}",
        usd(day, Some(over.limit.hard)),
        named(&over.limit)
    ))
}

/// What is not known, and how to make it known.
fn unclear(projection: &Projection, unknown: &Unknown, evidence: &Evidence<'_>) -> (String, String) {
    let waits = |wanted: &[Figure]| {
        projection
            .limits
            .iter()
            .any(|held| wanted.contains(&held.limit.figure) && held.verdict == Verdict::Inconclusive)
    };
    let dollars = [Figure::RunUsd, Figure::DayUsd, Figure::MonthUsd, Figure::CallUsd];
    let volumes = [Figure::DayUsd, Figure::MonthUsd, Figure::DayTokens];
    let mut told = Vec::new();
    let mut next = Vec::new();
    if let Some(why) = unknown.cost.as_ref().filter(|_| projection.limits.is_empty() || waits(&dollars)) {
        told.push(why.clone());
        next.push(match projection.models.iter().find(|model| model.unknown.is_some()) {
            Some(model) => format!(
                "write `pricing: {{currency: USD, inputPerMillionTokens: …, outputPerMillionTokens: …}}` into {}",
                model.model
            ),
            None => {
                "let the target count its tokens: `invoke.usage` says where they stand, `invoke.cost` what a call cost"
                    .into()
            }
        });
    }
    if let Some(why) = unknown.tokens.as_ref().filter(|why| {
        waits(&[Figure::RunTokens, Figure::DayTokens])
            && unknown.cost.as_ref().is_none_or(|told| !told.contains(why.as_str()))
    }) {
        told.push(why.clone());
        next.push("let the target count its tokens: `invoke.usage` says where they stand".into());
    }
    if let Some(why) = unknown.volume.as_ref().filter(|_| waits(&volumes)) {
        told.push(why.clone());
        next.push(format!(
            "write `expectedRunsPerDay: N` into the Deployment of {} in `{}`",
            projection.agent, evidence.environment
        ));
    }
    if let Some(why) = &unknown.few {
        told.push(why.clone());
        next.push(format!("add cases to the dataset of {} and run it again", projection.eval));
    }
    if told.is_empty() {
        told.push(format!("it was measured in `{}` itself, after a release into it", evidence.environment));
        next.push("run the Eval where the candidate comes from".into());
    }
    (told.join("; "), next.join("; "))
}

fn way_out(limit: &Limit) -> String {
    format!(
        "make a run cheaper, declare fewer runs if that is true, or have `{}` of {} raised where it stands",
        limit.field, limit.of
    )
}

fn dearest(projection: &Projection) -> String {
    let fallback = projection.models.iter().any(|model| !model.usual);
    if fallback { ", each with the dearest Model of the route".into() } else { String::new() }
}

fn place(limit: &Limit) -> String {
    format!("`{}` of {}", limit.field, limit.of)
}

/// `25 $/day of agent/x`
fn named(limit: &Limit) -> String {
    format!("{} (`{}` of {})", amount(limit.figure, limit.hard, None), limit.field, limit.of)
}

/// A figure with its unit.
fn amount(figure: Figure, value: Decimal, beside: Option<Decimal>) -> String {
    match figure {
        Figure::RunUsd => format!("{}/run", usd(value, beside)),
        Figure::DayUsd => format!("{}/day", usd(value, beside)),
        Figure::MonthUsd => format!("{}/month", usd(value, beside)),
        Figure::CallUsd => format!("{}/call", usd(value, beside)),
        Figure::RunTokens => format!("{} tokens/run", shown(value, "")),
        Figure::DayTokens => format!("{} tokens/day", shown(value, "")),
    }
}

/// US dollars with at most four decimals, or as many as tell them from what stands beside.
fn usd(value: Decimal, beside: Option<Decimal>) -> String {
    let beside = beside.unwrap_or_default();
    format!("{} $", shown(value, &beside.to_string()))
}
