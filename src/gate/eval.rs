//! The eval gate: the latest complete run of the Eval, about exactly the candidate, passed.

use std::collections::BTreeMap;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::eval::{RunResult, Verdict as Ran, shown};
use crate::resource::view::{self, Environment};
use crate::resource::{Digest, Kind, Resource, ResourceId};

use super::baseline::{Baseline, regressions};
use super::binding::{Binding, Problem, short};
use super::evidence::{Demand, Evidence, Subject};
use super::measured::{Measured, Moved};
use super::score::{self, Judged};
use super::terms::Terms;
use super::verdict::{GateResult, Verdict};

/// How many of the worst cases a refusal names.
const WORST: usize = 3;

/// What one Eval said of one agent, as it decided a gate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "DecidingEval")]
pub struct Deciding {
    /// The Eval.
    pub eval: ResourceId,
    /// Digest of its content, dataset included.
    pub eval_digest: Digest,
    /// The agent that was measured.
    pub agent: ResourceId,
    /// Digest of its closure.
    pub digest: Digest,
    /// What it came to here.
    pub verdict: Verdict,
    /// The environment that ran the agent.
    pub environment: String,
    /// The thresholds, and what was observed.
    pub thresholds: Vec<Judged>,
    /// Who signed it, if trust lists the key.
    pub principal: Option<String>,
    /// The key.
    pub fingerprint: String,
    /// The id of the run.
    pub run: String,
    /// The evidence item.
    pub evidence: String,
    /// Which of the runs for the same inputs it is, from 1.
    pub number: u64,
    /// How many runs there are for the same inputs.
    pub runs: u64,
    /// The joch that ran it.
    pub joch: String,
}

/// What one Eval comes to about one agent.
pub(super) struct Answer {
    pub(super) verdict: Verdict,
    pub(super) reason: String,
    pub(super) next: Option<String>,
    pub(super) evidence: Vec<String>,
    pub(super) deciding: Option<Deciding>,
}

/// Judges the demand for `eval:NAME`.
pub(super) fn judge(name: &str, demand: &Demand, subject: &Subject, evidence: &Evidence<'_>) -> GateResult {
    let told = |verdict, reason: String, next: Option<String>| GateResult {
        reason,
        next,
        ..GateResult::new("eval", name, verdict)
    };
    if subject.resource.kind != Kind::Agent || subject.to.is_none() {
        return told(Verdict::Pass, nothing_to_measure(subject).to_owned(), None);
    }
    let evals = named(name, evidence);
    let around = &evidence.measurements;
    let measures = |agent: &ResourceId| evals.iter().any(|eval| measures(eval, agent));
    let itself = measures(&subject.resource);
    let some = around.agents.iter().any(|moved| measures(&moved.agent));
    let of_all = demand.origins.iter().any(|origin| origin.starts_with("environment/"));
    if evals.is_empty() {
        let place = around.source.map_or(evidence.environment, |(source, _)| source);
        let next = format!(
            "apply an Eval of that name that measures {}, and run it: `joch apply -f FILE --env {place}`",
            subject.resource
        );
        return told(Verdict::Missing, format!("there is no Eval `{name}`"), Some(next));
    }
    if !some || (of_all && !itself) {
        let whom = evals.iter().filter_map(|eval| Some(view::Eval::of(eval)?.target?.to_string()));
        let whom = whom.collect::<std::collections::BTreeSet<_>>().into_iter().collect::<Vec<_>>().join(", ");
        let reason = format!("`{name}` measures {whom}, and not {}", subject.resource);
        if !demand.is_standing() && around.together.iter().any(&measures) {
            return told(Verdict::Pass, format!("{reason}; it is judged there"), None);
        }
        let next = format!("write an Eval that measures {}, or demand this one of what it measures", subject.resource);
        return told(Verdict::Missing, reason, Some(next));
    }
    combined(name, answers(&evals, evidence), evidence)
}

/// What every Eval of this name said about each agent that the subject moves, as it goes into the record.
#[must_use]
pub fn deciding(name: &str, subject: &Subject, evidence: &Evidence<'_>) -> Vec<Deciding> {
    if subject.resource.kind != Kind::Agent || subject.to.is_none() {
        return Vec::new();
    }
    answers(&named(name, evidence), evidence).into_iter().filter_map(|(_, answer)| answer.deciding).collect()
}

/// The different contents of the Evals of this name, on both sides.
fn named(name: &str, evidence: &Evidence<'_>) -> Vec<Arc<Resource>> {
    let mut found: BTreeMap<(ResourceId, Digest), Arc<Resource>> = BTreeMap::new();
    for record in evidence.measurements.records {
        if record.id().kind == Kind::Eval && record.id().name == name {
            found.entry((record.id().clone(), record.digest())).or_insert_with(|| record.clone());
        }
    }
    found.into_values().collect()
}

fn measures(eval: &Resource, agent: &ResourceId) -> bool {
    view::Eval::of(eval).is_some_and(|view| view.measures(agent, &eval.id().namespace))
}

/// What each of these Evals comes to about each agent that it measures.
fn answers(evals: &[Arc<Resource>], evidence: &Evidence<'_>) -> Vec<(Arc<Resource>, Answer)> {
    let mut answers = Vec::new();
    for eval in evals {
        for moved in evidence.measurements.agents.iter().filter(|moved| measures(eval, &moved.agent)) {
            let answer = one(eval, moved, evidence).unwrap_or_else(|why| Answer {
                verdict: Verdict::Error,
                reason: format!("{}: {why}", eval.id()),
                next: None,
                evidence: Vec::new(),
                deciding: None,
            });
            answers.push((eval.clone(), answer));
        }
    }
    answers
}

/// A record that guards agents, another resource that no closure holds, or a deletion: there is nothing to run. Whether
/// such a record asks for less, the weakening gate says.
pub(super) fn nothing_to_measure(subject: &Subject) -> &'static str {
    match subject.resource.kind {
        Kind::Agent => "nothing runs afterwards that could be measured",
        _ => "no agent changes that could be measured",
    }
}

/// One Eval about one agent.
fn one(eval: &Arc<Resource>, moved: &Moved, evidence: &Evidence<'_>) -> Result<Answer, String> {
    let terms = Terms::of(eval)?;
    let binding = Binding { eval, terms: &terms, moved, evidence, live: wants_live(evidence)? };
    let latest = Latest::find(&binding)?;
    let Some(chosen) = latest.chosen else { return Ok(without_result(&binding, latest.nearest)) };
    let result = &chosen.result;
    let thresholds = score::judge(result, &terms);
    let mut answer = judged(&binding, &chosen, &thresholds)?;
    let count = format!("run {} of {}", latest.number, latest.runs);
    let by = chosen.principal.as_ref().map_or_else(|| chosen.key.fingerprint(), ToString::to_string);
    answer.reason = format!("{}; {count} in `{}`, by {by}", answer.reason, short(&result.subject.environment));
    answer.evidence.insert(0, chosen.id.clone());
    answer.deciding = Some(Deciding {
        eval: eval.id().clone(),
        eval_digest: terms.definition.digest,
        agent: moved.agent.clone(),
        digest: result.subject.digest,
        verdict: answer.verdict,
        environment: short(&result.subject.environment),
        thresholds,
        principal: chosen.principal.as_ref().map(|principal| principal.name.clone()),
        fingerprint: chosen.key.fingerprint(),
        run: short(&result.run),
        evidence: chosen.id.clone(),
        number: latest.number,
        runs: latest.runs,
        joch: short(&result.runner.joch),
    });
    Ok(answer)
}

/// Whether results must come from the agent itself.
pub(super) fn wants_live(evidence: &Evidence<'_>) -> Result<bool, String> {
    let into = evidence.environment;
    let said = match evidence.trust.environment(into) {
        Some(record) => Environment::of(record).map_err(|why| format!("{}: {why}", record.id()))?.require_live,
        None => None,
    };
    Ok(said.unwrap_or_else(|| into == evidence.trust.ladder().last()))
}

/// The run that decides.
#[derive(Default)]
pub(super) struct Latest {
    /// The latest complete run about exactly this, or one that says no.
    pub(super) chosen: Option<Measured>,
    /// Where there is none, the run that comes nearest, and what keeps it from counting.
    pub(super) nearest: Option<(Measured, Vec<Problem>)>,
    /// Which of the runs for the same inputs was chosen, from 1.
    pub(super) number: u64,
    /// How many runs there are for the same inputs.
    pub(super) runs: u64,
}

impl Latest {
    pub(super) fn find(binding: &Binding<'_>) -> Result<Self, String> {
        let results = binding.evidence.measurements.results;
        let about = |digest| results.of(&binding.moved.agent, digest).map_err(|why| why.0);
        let of_eval = |measured: &Measured| measured.result.eval.id == *binding.eval.id();
        let mut latest = Self::default();
        let mut incomplete = None;
        for measured in about(binding.moved.to)?.into_iter().filter(of_eval) {
            let problems = binding.problems(&measured)?;
            let only_no = problems.iter().all(|problem| matches!(problem, Problem::OnlyNo(_)));
            let says_no = measured.result.verdict == Ran::Failed;
            if problems.is_empty() || (only_no && says_no) {
                latest.runs += 1;
                if score::is_complete(&measured.result) {
                    latest.number = latest.runs;
                    latest.chosen = Some(measured);
                } else {
                    incomplete = Some((latest.runs, measured));
                }
            } else {
                latest.near(measured, problems);
            }
        }
        if let (None, Some((number, measured))) = (&latest.chosen, incomplete) {
            latest.number = number;
            latest.chosen = Some(measured);
        }
        if latest.chosen.is_none() && latest.nearest.is_none() {
            // Nothing is about this closure: what is there is told by what has changed since.
            for measured in about(None)?.into_iter().filter(of_eval) {
                let problems = binding.problems(&measured)?;
                latest.near(measured, problems);
            }
        }
        Ok(latest)
    }

    fn near(&mut self, measured: Measured, problems: Vec<Problem>) {
        if self.nearest.as_ref().is_none_or(|(_, least)| problems.len() <= least.len()) {
            self.nearest = Some((measured, problems));
        }
    }
}

/// No run counts: none was made, or each was made for something else.
pub(super) fn without_result(binding: &Binding<'_>, nearest: Option<(Measured, Vec<Problem>)>) -> Answer {
    let next = Some(command(binding));
    let id = binding.eval.id();
    let Some((measured, problems)) = nearest else {
        let reason = format!("{id} has not run about {}", binding.moved.agent);
        return Answer { verdict: Verdict::Missing, reason, next, evidence: Vec::new(), deciding: None };
    };
    let changed = problems.iter().any(|problem| matches!(problem, Problem::Changed(_) | Problem::Other(_)));
    let words = |problem: Problem| match problem {
        Problem::Changed(why) | Problem::Beside(why) | Problem::OnlyNo(why) | Problem::Other(why) => why,
    };
    let reason = problems.into_iter().map(words).collect::<Vec<_>>().join(", ");
    let run = measured.id[..measured.id.len().min(12)].to_owned();
    Answer {
        verdict: if changed { Verdict::Stale } else { Verdict::Missing },
        reason: format!("the result {run} of {id} does not count: {reason}"),
        next,
        evidence: vec![measured.id],
        deciding: None,
    }
}

/// The command that measures what would be released.
fn command(binding: &Binding<'_>) -> String {
    let evidence = binding.evidence;
    let rungs = evidence.trust.ladder().rungs();
    let below = rungs.iter().position(|rung| rung == evidence.environment).and_then(|at| rungs.get(at.checked_sub(1)?));
    let place = match (evidence.measurements.source, below) {
        (Some((source, _)), _) => source,
        (None, Some(below)) => below,
        (None, None) => evidence.environment,
    };
    let id = binding.eval.id();
    let namespace = if id.namespace == "default" { String::new() } else { format!(" -n {}", id.namespace) };
    format!("joch eval run {}{namespace} --target {place}", id.name)
}

/// The verdict of the run that decides.
fn judged(binding: &Binding<'_>, chosen: &Measured, thresholds: &[Judged]) -> Result<Answer, String> {
    let result = &chosen.result;
    let show = Some(format!("joch eval show {}", &chosen.id[..chosen.id.len().min(12)]));
    let answer =
        |verdict, reason: String| Answer { verdict, reason, next: show.clone(), evidence: Vec::new(), deciding: None };
    let told =
        |reasons: &[String]| reasons.iter().take(WORST).map(|reason| short(reason)).collect::<Vec<_>>().join("; ");
    // Where the run as a whole cannot tell, what its numbers look like is no finding about the agent.
    let spoilt = result.counts.errors > 0 || result.canaries.correct != result.canaries.expected;
    if result.verdict == Ran::Inconclusive && spoilt && !result.reasons.is_empty() {
        return Ok(answer(Verdict::Inconclusive, told(&result.reasons)));
    }
    let failed: Vec<_> = thresholds.iter().filter(|judged| judged.verdict == Ran::Failed).collect();
    if !failed.is_empty() {
        let runs_now = Baseline::find(binding, result, false)?;
        let said: Vec<_> = failed.iter().map(|judged| sentence(judged, result, runs_now.as_ref(), binding)).collect();
        return Ok(answer(Verdict::Fail, said.join("; ")));
    }
    if result.verdict == Ran::Failed {
        let reasons = told(&result.reasons);
        return Ok(answer(Verdict::Fail, if reasons.is_empty() { "the run failed".to_owned() } else { reasons }));
    }
    if let Err(why) = score::check(result, binding.terms) {
        return Ok(answer(Verdict::Error, format!("the result does not add up: {why}")));
    }
    let unclear: Vec<_> = thresholds.iter().filter(|judged| judged.verdict == Ran::Inconclusive).collect();
    if let Some(judged) = unclear.first() {
        let why = judged.reason.as_deref().unwrap_or("the run cannot tell");
        return Ok(answer(Verdict::Inconclusive, format!("{}: {why}", judged.metric)));
    }
    if result.canaries.correct != result.canaries.expected {
        let (right, of) = (result.canaries.correct, result.canaries.expected);
        let reason = format!("its judges found {right} of {of} canaries right");
        return Ok(answer(Verdict::Inconclusive, reason));
    }
    if result.verdict != Ran::Passed || !result.reasons.is_empty() || result.counts.missing > 0 {
        let reasons = told(&result.reasons);
        let why = if reasons.is_empty() { "the run cannot tell".to_owned() } else { reasons };
        return Ok(answer(Verdict::Inconclusive, why));
    }
    let passed: Vec<_> = thresholds.iter().map(held).collect();
    let (verdict, more, evidence) = regressions(binding, result)?;
    let reason = if more.is_empty() { passed.join(", ") } else { format!("{}; {more}", passed.join(", ")) };
    let next = if verdict == Verdict::Pass { None } else { show.clone() };
    Ok(Answer { verdict, reason, next, evidence, deciding: None })
}

fn held(judged: &Judged) -> String {
    let value = judged.observed.map_or_else(|| "unknown".to_owned(), |value| shown(value, &judged.threshold));
    format!("{} {value} ({})", judged.metric, judged.threshold)
}

/// What failed, by how much, against what the target runs now, and where to look.
fn sentence(judged: &Judged, result: &RunResult, now: Option<&Baseline>, binding: &Binding<'_>) -> String {
    let value = judged.observed.map_or_else(|| "unknown".to_owned(), |value| shown(value, &judged.threshold));
    let before = now.and_then(|now| now.value(&judged.metric));
    let before = before.map_or_else(String::new, |before| {
        format!(", and `{}` runs {} now", binding.evidence.environment, shown(before, &value))
    });
    let worst = result.metrics.iter().find(|metric| metric.name == judged.metric);
    let worst: Vec<_> =
        worst.map(|metric| metric.worst.iter().take(WORST).map(|id| short(id)).collect()).unwrap_or_default();
    let worst = if worst.is_empty() { String::new() } else { format!("; worst: {}", worst.join(", ")) };
    format!("{} is {value} and must be {}{before}{worst}", judged.metric, judged.threshold)
}

/// One gate result of several answers: the worst decides, and what is not well is told before what is.
fn combined(name: &str, answers: Vec<(Arc<Resource>, Answer)>, evidence: &Evidence<'_>) -> GateResult {
    let several = answers.len() > 1;
    let worst = answers.iter().map(|(_, answer)| badness(answer.verdict)).max().unwrap_or_default();
    let mut result = GateResult::new("eval", name, Verdict::Pass);
    let mut reasons = Vec::new();
    for (eval, answer) in answers {
        let deciding = badness(answer.verdict) == worst;
        if deciding {
            result.verdict = answer.verdict;
            result.next = result.next.or(answer.next);
            let prefix = if several { format!("{}: ", whose(&eval, evidence)) } else { String::new() };
            reasons.push(format!("{prefix}{}", answer.reason));
        }
        if let Some(decided) = &answer.deciding {
            let shown: Vec<_> =
                decided.thresholds.iter().filter(|judged| worst == 0 || judged.verdict != Ran::Passed).collect();
            if deciding && result.observed.is_none() && !shown.is_empty() {
                let value = |judged: &&Judged| {
                    let value = judged.observed.map_or_else(|| "unknown".to_owned(), |value| value.to_string());
                    format!("{} {value}", judged.metric)
                };
                let threshold = |judged: &&Judged| format!("{} {}", judged.metric, judged.threshold);
                result.observed = Some(shown.iter().map(value).collect::<Vec<_>>().join(", "));
                result.threshold = Some(shown.iter().map(threshold).collect::<Vec<_>>().join(", "));
            }
        }
        result.evidence.extend(answer.evidence);
    }
    result.evidence.dedup();
    result.reason = reasons.join("; ");
    result
}

/// How much a verdict stands in the way: a no before what is out of date, that before what cannot tell.
pub(super) fn badness(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Pass => 0,
        Verdict::Pending => 1,
        Verdict::Inconclusive => 2,
        Verdict::Error => 3,
        Verdict::Missing => 4,
        Verdict::Stale => 5,
        Verdict::Fail => 6,
    }
}

/// The Eval, with the side that has it so where both have one of that name.
fn whose(eval: &Resource, evidence: &Evidence<'_>) -> String {
    let around = &evidence.measurements;
    let same =
        |shelf: &dyn crate::closure::Shelf| shelf.get(eval.id()).ok().flatten().is_some_and(|held| *held == *eval);
    let mut sides = Vec::new();
    if let Some((source, shelf)) = around.source
        && same(shelf)
    {
        sides.push(source);
    }
    if same(around.target) {
        sides.push(evidence.environment);
    }
    match sides.as_slice() {
        [one] => format!("{} as `{one}` has it", eval.id()),
        _ => eval.id().to_string(),
    }
}
