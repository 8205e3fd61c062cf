//! How far a run is: cases done, scores so far, cost, time left. One line that is drawn over on a terminal, one line
//! now and then elsewhere.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use crate::eval::{Finding, Line, Plan, Score, Usage};

use super::super::caller::Progress;

/// How often a terminal is drawn anew, in milliseconds.
const DRAW_MS: i64 = 200;
/// How often a log gets a line, in milliseconds.
const LOG_MS: i64 = 30_000;

/// What is known of a run so far.
pub(super) struct Meter<'p, 'w> {
    progress: &'p mut Progress<'w>,
    plan: &'p Plan,
    total: u64,
    before: u64,
    done: u64,
    faults: u64,
    means: BTreeMap<String, (f64, u64)>,
    tokens: Usage,
    began: DateTime<Utc>,
    told: DateTime<Utc>,
    drawn: bool,
}

impl<'p, 'w> Meter<'p, 'w> {
    /// A run of `total` units, of which `done` are done already.
    pub(super) fn new(progress: &'p mut Progress<'w>, plan: &'p Plan, total: u64, done: u64) -> Self {
        let now = (progress.clock)();
        Self {
            progress,
            plan,
            total,
            before: done,
            done,
            faults: 0,
            means: BTreeMap::new(),
            tokens: Usage::default(),
            began: now,
            told: now,
            drawn: false,
        }
    }

    /// Takes a line in.
    pub(super) fn take(&mut self, line: &Line) {
        match line {
            Line::Answer(answered) => {
                self.done += 1;
                for (metric, score) in answered.scores.iter() {
                    if let Score::Scored(score) = score {
                        self.add(metric, score.as_f64());
                    }
                }
                match &answered.outcome.reply {
                    Ok(reply) => {
                        if let Some(usage) = reply.usage {
                            self.tokens = self.tokens.plus(usage);
                        }
                    }
                    Err(_) => self.faults += 1,
                }
            }
            Line::Opinion(opinion) if opinion.unit.trial > 0 => {
                for (criterion, finding) in opinion.found.iter().flatten() {
                    let metric = criterion.split_once('/').map_or(criterion.as_str(), |(metric, _)| metric);
                    self.add(metric, if *finding == Finding::Met { 1.0 } else { 0.0 });
                }
            }
            Line::Plan(_) | Line::Opinion(_) | Line::Program(_) | Line::Lag(_) => {}
        }
    }

    /// Tells how far it is, if it is time to.
    pub(super) fn tell(&mut self) {
        let now = (self.progress.clock)();
        let every = if self.progress.terminal.is_some() { DRAW_MS } else { LOG_MS };
        if (now - self.told).num_milliseconds() < every {
            return;
        }
        self.told = now;
        let line = self.line(now);
        // A reader that went away does not stop a run.
        let written = match self.progress.terminal {
            Some(width) => {
                let shown: String = line.chars().take(width.saturating_sub(1)).collect();
                self.drawn = true;
                write!(self.progress.stream, "\r\x1b[K{shown}").and_then(|()| self.progress.stream.flush())
            }
            None => writeln!(self.progress.stream, "{line}"),
        };
        self.drawn &= written.is_ok();
    }

    /// Takes the line away that was drawn over.
    pub(super) fn clear(&mut self) {
        if self.drawn && write!(self.progress.stream, "\r\x1b[K").and_then(|()| self.progress.stream.flush()).is_ok() {
            self.drawn = false;
        }
    }

    fn add(&mut self, metric: &str, score: f64) {
        let (sum, count) = self.means.entry(metric.to_owned()).or_default();
        *sum += score;
        *count += 1;
    }

    fn line(&self, now: DateTime<Utc>) -> String {
        let mut parts = vec![format!("{}/{}", self.done, self.total)];
        if self.faults > 0 {
            parts.push(format!("{} without an answer", self.faults));
        }
        #[expect(clippy::cast_precision_loss, reason = "shown with two digits")]
        parts.extend(self.means.iter().map(|(metric, (sum, count))| format!("{metric} {:.2}", sum / *count as f64)));
        if let Some(cost) = self.cost() {
            parts.push(format!("${cost:.2}"));
        }
        let (fresh, left) = (self.done - self.before, self.total.saturating_sub(self.done));
        let elapsed = (now - self.began).num_milliseconds();
        if let (Ok(fresh @ 1..), Ok(left)) = (i64::try_from(fresh), i64::try_from(left)) {
            parts.push(format!("{} left", length_of(elapsed * left / fresh / 1000)));
        }
        parts.join("  ")
    }

    fn cost(&self) -> Option<f64> {
        let prices = self.plan.prices.get(self.plan.priced_as.as_ref()?)?;
        let cost =
            prices.input.per_million().times(self.tokens.input) + prices.output.per_million().times(self.tokens.output);
        Some(cost.as_f64())
    }
}

impl Drop for Meter<'_, '_> {
    fn drop(&mut self) {
        self.clear();
    }
}

/// `45 s`, `3 min`, `2 h 10 min`.
pub(super) fn length_of(seconds: i64) -> String {
    match seconds {
        ..60 => format!("{seconds} s"),
        60..3600 => format!("{} min", (seconds + 30) / 60),
        _ => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}
