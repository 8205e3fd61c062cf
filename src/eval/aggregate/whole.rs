//! What concerns the run as a whole: counts, costs, lateness, judges, and whether it can tell anything.

use std::collections::{BTreeMap, BTreeSet};

use crate::eval::Decimal;
use crate::eval::answer::{FaultKind, Usage};
use crate::eval::definition::{Definition, Measure};
use crate::eval::result::{Canaries, Cost, Counts, Judge, Runner};
use crate::eval::statistics::raw_agreement;
use crate::resource::Digest;

use super::collect::{Collected, Heard, Held, Kept, Observed as Answer};
use super::judged;
use super::metric::rate;
use super::points::{Column, Point};
use super::words::brief;

impl Collected {
    fn held(&self) -> impl Iterator<Item = &Held> {
        self.cases.iter().flatten().map(|(_, held)| held)
    }

    fn answers(&self) -> impl Iterator<Item = &Answer> {
        self.held().filter_map(|held| Some(&held.answer.as_ref()?.value))
    }

    fn heard(&self) -> impl Iterator<Item = (u32, &Kept<Heard>)> {
        let of_units = self
            .held()
            .flat_map(|held| held.opinions.iter().filter_map(|((judge, ..), kept)| Some((*judge, kept.as_ref()?))));
        of_units
            .chain(self.canaries.iter().flat_map(|((_, judge, _), kept)| kept.values().map(move |kept| (*judge, kept))))
    }

    /// How many of what.
    pub(super) fn counts(&self, columns: &[Column], flaky: u64) -> Counts {
        let plan = &self.plans.plan;
        let planned = plan.cases.len() as u64 * u64::from(plan.trials);
        let mut counts = Counts { planned, flaky, ..Counts::default() };
        for answer in self.answers() {
            match &answer.fault {
                None => counts.answered += 1,
                Some((kind, _)) => {
                    counts.errors += 1;
                    counts.timeouts += u64::from(*kind == FaultKind::Timeout);
                }
            }
            counts.retried += u64::from(answer.attempts > 1);
        }
        counts.missing = planned - counts.answered - counts.errors;
        for (case, trials) in self.cases.iter().enumerate() {
            for (trial, held) in trials {
                let answered = held.answer.as_ref().is_some_and(|answer| answer.value.fault.is_none());
                let points = columns.iter().map(|column| &column.cases[case][*trial as usize - 1]);
                counts.unscored +=
                    points.filter(|point| answered && matches!(point, Point::Unscored(_))).count() as u64;
            }
        }
        counts
    }

    /// Nearest-rank 99th percentile of how late the runner was, in microseconds, over the lines that measured it, each as
    /// often as it measured.
    pub(super) fn lag_p99_us(&self) -> Option<u64> {
        let mut lags: Vec<(u64, u64)> = self.lags.values().map(|lag| (lag.p99_us, lag.count)).collect();
        lags.sort_unstable();
        let total: u128 = lags.iter().map(|(_, count)| u128::from(*count)).sum();
        let wanted = (total * 99).div_ceil(100);
        let mut seen = 0_u128;
        lags.into_iter().filter(|(_, count)| *count > 0).find_map(|(p99_us, count)| {
            seen += u128::from(count);
            (seen >= wanted).then_some(p99_us)
        })
    }

    /// What the run cost. A trial without an answer is charged the largest cost that any had.
    pub(super) fn cost(&self) -> Cost {
        let mut cost = Cost { agent_usd: Some(Decimal::ZERO), judge_usd: Some(Decimal::ZERO), ..Cost::default() };
        let add = |sum: &mut Option<Decimal>, part: Option<Decimal>| *sum = sum.zip(part).map(|(sum, part)| sum + part);
        let largest = self.answers().filter_map(|answer| answer.cost.as_ref().ok()).max().copied();
        for answer in self.answers() {
            let own = answer.cost.as_ref().ok().copied();
            add(&mut cost.agent_usd, if answer.fault.is_some() { largest } else { own });
            cost.agent_tokens = sum(cost.agent_tokens, answer.usage);
        }
        for (_, Kept { value: heard, .. }) in self.heard() {
            // Where a judge did not speak and counted nothing, nothing was answered.
            if heard.found.is_some() || heard.usage.is_some() {
                add(&mut cost.judge_usd, heard.cost);
            }
            cost.judge_tokens = sum(cost.judge_tokens, heard.usage);
        }
        cost
    }

    /// The judges, what answered for them, and whether they agree.
    pub(super) fn judges(&self, definition: &Definition) -> Vec<Judge> {
        let mut reported: BTreeMap<u32, BTreeSet<&str>> = BTreeMap::new();
        for (judge, heard) in self.heard() {
            if let Some(model) = heard.value.model {
                reported.entry(judge).or_default().insert(self.names.text(model));
            }
        }
        let belonging = judged::belonging(&self.criteria, definition);
        let judges = (0_u32..).zip(&self.plans.plan.judges);
        judges
            .map(|(judge, asked)| {
                let metrics: Vec<_> = definition
                    .metrics
                    .iter()
                    .enumerate()
                    .filter(|(_, metric)| asked.metrics.contains(&metric.name))
                    .filter_map(|(place, metric)| match &metric.measure {
                        Measure::Judged(judged) => Some((place, metric, judged)),
                        Measure::Observed(_) | Measure::Checked(_) | Measure::Program { .. } => None,
                    })
                    .collect();
                let (mut agreed, mut all) = (0, 0);
                for held in self.held() {
                    for (place, metric, judged) in &metrics {
                        let votes =
                            judged::judge(judged, *place, &metric.name, &self.plans.plan.judges, held, &belonging)
                                .votes;
                        let (same, of) = raw_agreement(&votes);
                        (agreed, all) = (agreed + same, all + of);
                    }
                }
                let reported = reported.remove(&judge).unwrap_or_default().into_iter().map(str::to_owned).collect();
                Judge { asked: asked.clone(), reported, agreement: Decimal::fraction(agreed, all) }
            })
            .collect()
    }

    /// How it was run.
    pub(super) fn runner(&self) -> Runner {
        let plan = &self.plans.plan;
        let answers = || self.held().filter_map(|held| held.answer.as_ref());
        let began = answers().filter_map(|kept| {
            let us = i64::try_from(kept.value.total_us).ok()?;
            kept.at.checked_sub_signed(chrono::Duration::microseconds(us))
        });
        let programs =
            self.held().flat_map(|held| held.programs.iter().filter_map(|(_, kept)| Some(kept.as_ref()?.at)));
        let ended = answers().map(|kept| kept.at).chain(self.heard().map(|(_, kept)| kept.at)).chain(programs);
        Runner {
            joch: plan.joch.clone(),
            trigger: plan.trigger.clone(),
            trials: plan.trials,
            concurrency: plan.concurrency,
            started_at: began.min(),
            finished_at: ended.max(),
            lag_p99_us: self.lag_p99_us(),
            journal: self.digest(),
        }
    }

    /// Digest of the lines that count, in the order of plan, units, canaries and lateness, one digest a line.
    fn digest(&self) -> Digest {
        let mut text = format!("{}\n", self.plans.digest);
        for held in self.held() {
            let programs: BTreeSet<Digest> =
                held.programs.iter().filter_map(|(_, kept)| Some(kept.as_ref()?.digest)).collect();
            let opinions = held.opinions.iter().filter_map(|(_, kept)| Some(kept.as_ref()?.digest));
            for digest in held.answer.iter().map(|kept| kept.digest).chain(programs).chain(opinions) {
                text.push_str(&format!("{digest}\n"));
            }
        }
        for digest in self.canaries.values().flat_map(BTreeMap::keys).chain(self.lags.keys()) {
            text.push_str(&format!("{digest}\n"));
        }
        Digest::of(text)
    }

    /// Why the run cannot tell anything: one sentence each, none if it can.
    pub(super) fn trouble(&self, definition: &Definition, counts: &Counts, canaries: Canaries) -> Vec<String> {
        let mut trouble = Vec::new();
        let Counts { planned, errors, missing, answered, .. } = *counts;
        if planned == 0 {
            trouble.push("there is no case, so nothing was measured".to_owned());
        }
        if missing > 0 {
            let shards = self.plans.missing().map_or(String::new(), |(missing, of)| {
                let missing: Vec<String> = missing.iter().map(u32::to_string).collect();
                format!("; shards that are not here: {} of {of}", missing.join(", "))
            });
            trouble.push(format!("{missing} of {planned} trials are missing{shards}"));
        }
        let most = u64::from(definition.run.max_error_rate);
        if errors > 0 && answered == 0 {
            trouble.push(format!("none of {errors} calls has an answer: {}", self.faults()));
        } else if errors.saturating_mul(1_000_000) > most.saturating_mul(planned) {
            trouble.push(format!(
                "{errors} of {planned} calls have no answer, and {} may: {}",
                rate(most),
                self.faults()
            ));
        }
        if answered > 0 && canaries.correct != canaries.expected {
            let wrong = canaries.expected - canaries.correct;
            let first = super::canary::first_wrong(self).map_or_else(String::new, |first| format!("; {first}"));
            trouble.push(format!(
                "the judges cannot be believed: of {} findings about canaries, {wrong} are wrong or missing{first}",
                canaries.expected
            ));
        }
        let versions: BTreeSet<&str> =
            self.answers().filter_map(|answer| Some(self.names.text(answer.version?))).collect();
        if versions.len() > 1 {
            let versions: Vec<String> =
                versions.into_iter().take(5).map(|version| format!("`{}`", brief(version))).collect();
            trouble.push(format!("the agent changed during the run: it answered as {}", versions.join(", ")));
        }
        trouble
    }

    /// The failures by their sort: `2 timeout, 1 refused (the first: …)`.
    fn faults(&self) -> String {
        let faults = || self.answers().filter_map(|answer| answer.fault.as_ref());
        let mut kinds: BTreeMap<String, u64> = BTreeMap::new();
        for (kind, _) in faults() {
            let kind = serde_json::to_value(kind).ok().and_then(|kind| Some(kind.as_str()?.to_owned()));
            *kinds.entry(kind.unwrap_or_default()).or_default() += 1;
        }
        let kinds: Vec<String> = kinds.into_iter().map(|(kind, count)| format!("{count} {kind}")).collect();
        let first = faults().map(|(_, message)| message.as_str()).next().unwrap_or_default();
        if first.is_empty() { kinds.join(", ") } else { format!("{} (the first: {})", kinds.join(", "), brief(first)) }
    }
}

fn sum(all: Usage, one: Option<Usage>) -> Usage {
    let one = one.unwrap_or_default();
    Usage { input: all.input.saturating_add(one.input), output: all.output.saturating_add(one.output) }
}
