//! Whether a result is about exactly what would be released: what has changed since, and why it may not count.

use chrono::{DateTime, Duration, Utc};

use crate::eval::{Judge, Reach, Trigger};
use crate::resource::envelope::filled;
use crate::resource::{Resource, Value};

use super::evidence::Evidence;
use super::measured::{Measured, Moved};
use super::statement::CLOCK_LEEWAY_MINUTES;
use super::terms::{Terms, invoke_of};

/// Why a result does not satisfy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Problem {
    /// What it was made for has changed, or too much time has passed.
    Changed(String),
    /// Something else was measured, or somebody else says so, than the environment demands.
    Beside(String),
    /// It was measured where the candidate is to go: it can say no and never yes.
    OnlyNo(String),
    /// It is about another Eval content or another closure, so its verdict is none about this one.
    Other(String),
}

/// One Eval at one content, about one agent on its way.
pub(super) struct Binding<'a> {
    pub(super) eval: &'a Resource,
    pub(super) terms: &'a Terms,
    pub(super) moved: &'a Moved,
    pub(super) evidence: &'a Evidence<'a>,
    /// Whether results must come from the agent itself.
    pub(super) live: bool,
}

impl Binding<'_> {
    /// Everything that keeps a result from satisfying the Eval; none for one that may.
    ///
    /// # Errors
    /// When what it is compared with cannot be read.
    pub(super) fn problems(&self, measured: &Measured) -> Result<Vec<Problem>, String> {
        let mut problems = self.inputs(measured);
        problems.extend(self.place(measured));
        problems.extend(self.signer(measured)?);
        problems.extend(self.age(measured));
        for judge in &measured.result.judges {
            problems.extend(self.judge(judge)?);
        }
        problems.extend(self.reach(measured)?);
        Ok(problems)
    }

    /// What was measured, and by which Eval.
    fn inputs(&self, measured: &Measured) -> Vec<Problem> {
        let (result, terms) = (&measured.result, self.terms);
        let mut problems = Vec::new();
        if Some(result.subject.digest) != self.moved.to {
            let is = self.moved.to.map_or_else(|| "nothing".to_owned(), |digest| digest.short());
            let was = result.subject.version.map_or_else(String::new, |version| format!(" (v{version})"));
            problems.push(Problem::Other(format!(
                "it is about {}{was} of {}, and the candidate is {is}: the agent, its prompt or a member of it changed",
                result.subject.digest.short(),
                self.moved.agent
            )));
        }
        if result.eval.digest != terms.definition.digest {
            problems.push(Problem::Other(self.what_changed_of_the_eval(measured)));
        } else if result.dataset.digest.hex() != terms.dataset {
            problems.push(Problem::Other("it ran on another dataset than the Eval names".into()));
        }
        problems
    }

    fn what_changed_of_the_eval(&self, measured: &Measured) -> String {
        let result = &measured.result;
        if result.dataset.digest.hex() != self.terms.dataset {
            return format!("the dataset of {} changed since", self.eval.id());
        }
        let moved = self.terms.thresholds().find_map(|(name, threshold)| {
            let then = result.metrics.iter().find(|metric| metric.name == name)?.threshold.as_ref()?;
            (*then != threshold).then(|| format!("`{name}` had to be {} and has to be {threshold}", short(then)))
        });
        match moved {
            Some(moved) => format!("{} changed since: {moved}", self.eval.id()),
            None => format!("{} changed since", self.eval.id()),
        }
    }

    /// Where it was measured, and how close to the agent itself.
    fn place(&self, measured: &Measured) -> Vec<Problem> {
        let (result, evidence) = (&measured.result, self.evidence);
        let place = result.subject.environment.as_str();
        let into = evidence.environment;
        let own = matches!(&result.runner.trigger, Trigger::Deployment(release)
            if release.split_once('/').is_some_and(|(environment, _)| environment == into));
        let mut problems = Vec::new();
        match evidence.measurements.source {
            _ if own || (place == into && evidence.measurements.source.is_some()) => {
                problems.push(Problem::OnlyNo(format!("it was measured in `{into}` itself, after a release into it")));
            }
            Some((source, _)) if source != place => {
                let message = format!("it was measured in `{}`, and the candidate comes from `{source}`", short(place));
                problems.push(Problem::Beside(message));
            }
            _ => {}
        }
        if self.live && !result.reach.live {
            problems.push(Problem::Beside(format!(
                "it judges recorded answers, and `{into}` wants those of the agent itself"
            )));
        }
        problems
    }

    fn signer(&self, measured: &Measured) -> Result<Option<Problem>, String> {
        let into = self.evidence.environment;
        let Some(principal) = &measured.principal else {
            let key = measured.key.fingerprint();
            return Ok(Some(Problem::Beside(format!("{key}, which trust does not list, signed it"))));
        };
        let taken = self.evidence.trust.takes_evals_of(principal, into)?;
        Ok((!taken).then(|| Problem::Beside(format!("`{principal}` signed it, of whom `{into}` takes no results"))))
    }

    /// Counted from when it was begun or taken in, whichever is earlier: neither clock alone makes it young.
    fn age(&self, measured: &Measured) -> Option<Problem> {
        let changed = |why: String| Some(Problem::Changed(why));
        let carried = measured.carried_at;
        let finished = measured.result.runner.finished_at?;
        if finished > carried + Duration::minutes(CLOCK_LEEWAY_MINUTES) {
            return changed(format!("it is dated {}, later than the ledger took it in", day(finished)));
        }
        // The oldest answer counts: a run that was gone on with, or put together of parts, is as old as that.
        let since = measured.result.runner.started_at.unwrap_or(finished).min(carried);
        let most = i64::try_from(self.terms.definition.run.max_age_s).ok().and_then(Duration::try_seconds);
        let age = self.evidence.now - since;
        if most.is_some_and(|most| age <= most) {
            return None;
        }
        let days = self.terms.definition.run.max_age_s as f64 / 86_400.0;
        changed(format!("it is too old: it was measured {}, and counts for {} days", day(since), trim(days)))
    }

    /// Whether the Model that judged is the one that would judge now.
    fn judge(&self, judge: &Judge) -> Result<Option<Problem>, String> {
        let (asked, around) = (&judge.asked, &self.evidence.measurements);
        let changed = |why: String| Ok(Some(Problem::Changed(why)));
        if asked.by_default
            && let Some(now) =
                around.default_judge.filter(|now| !now.candidates(&self.eval.id().namespace).contains(&asked.model))
        {
            return changed(format!(
                "the judge changed since: {} judged, and the project's judge is {now}",
                asked.model
            ));
        }
        // As a run looks for it: where it ran, then in the agent's closure.
        let first = around.source.map_or(around.target, |(_, shelf)| shelf);
        let of_candidate = || self.evidence.candidate.and_then(|closure| closure.find(&asked.model)).cloned();
        let mut found = first.get(&asked.model).map_err(|why| why.0)?.or_else(of_candidate);
        if found.is_none() {
            found = around.target.get(&asked.model).map_err(|why| why.0)?;
        }
        if let Some(model) = found {
            let same = asked.digest == model.digest();
            return Ok((!same).then(|| Problem::Changed(format!("the judge {} changed since", asked.model))));
        }
        let place = around.source.map_or(self.evidence.environment, |(name, _)| name);
        changed(format!(
            "its judge {} is not in `{place}` any more, so nobody can tell whether it is the same; `joch apply -f FILE \
             --env {place}` brings it back",
            asked.model
        ))
    }

    /// Whether the agent is reached as it was. What other environments hold than the two of this change does not bear
    /// on it.
    fn reach(&self, measured: &Measured) -> Result<Option<Problem>, String> {
        let (subject, reach) = (&measured.result.subject, &measured.result.reach);
        let around = &self.evidence.measurements;
        let shelf = match around.source {
            Some((source, shelf)) if source == subject.environment => shelf,
            _ if subject.environment == self.evidence.environment => around.target,
            _ => return Ok(None),
        };
        let deployments = shelf.about(&crate::resource::Kind::Deployment, &subject.agent).map_err(|why| why.0)?;
        // What the environment fills in is part of how the agent is reached; what it does not fill in leads nowhere.
        let defaults = self.evidence.trust.environment(&subject.environment);
        let defaults = defaults.and_then(|record| record.spec().get("defaults")?.as_map().cloned()).unwrap_or_default();
        let digest = |invoke: &Value| filled(invoke, &defaults).ok().map(|invoke| Reach::digest_of(&invoke));
        let invoke = |deployment: &Resource| invoke_of(deployment, &subject.agent, &subject.environment).map(digest);
        let mut ways: Vec<_> =
            deployments.iter().filter_map(|deployment| Some((deployment.id(), invoke(deployment)?))).collect();
        if ways.is_empty()
            && let Some(own) = self.eval.spec().at(&["target", "invoke"]).filter(|invoke| **invoke != Value::Null)
        {
            ways.push((self.eval.id(), digest(own)));
        }
        if ways.contains(&(&reach.by, Some(reach.digest))) {
            return Ok(None);
        }
        let place = &subject.environment;
        let why = match ways.iter().find(|(by, _)| **by == reach.by) {
            Some(_) => format!("how {} is reached in `{place}` changed since, in {}", subject.agent, reach.by),
            None => match ways.first() {
                Some((by, _)) => {
                    format!("{} was reached as {} says, and in `{place}` {by} says it", subject.agent, reach.by)
                }
                None => {
                    format!("{} was reached as {} says, and nothing in `{place}` says so now", subject.agent, reach.by)
                }
            },
        };
        Ok(Some(Problem::Changed(why)))
    }
}

/// How many characters of somebody else's text a sentence takes.
const SHORT: usize = 160;

/// Text of a result, which its signer alone answers for, cut to what a line can take.
pub(super) fn short(text: &str) -> String {
    let mut cut: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(SHORT).collect();
    if text.chars().nth(SHORT).is_some() {
        cut.push('…');
    }
    cut
}

fn day(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%d %H:%M UTC").to_string()
}

fn trim(days: f64) -> String {
    let text = format!("{days:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
