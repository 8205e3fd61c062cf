//! The policy gate: what every policy that applies in the target says of the candidate, before it runs.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Duration, Utc};

use crate::closure::{Closure, Unreadable};
use crate::policy::{
    self, Asked, Found, Input, Judgement, Obligation, People, Places, Question, RunCost, Sighting, World,
};
use crate::resource::{Digest, Kind, Number, Resource, ResourceId};
use crate::trust::Trust;

use super::budget::projected_run_cost;
use super::evidence::{Evidence, Subject};
use super::observed::{Observations, Observed, Scorers};
use super::statement::CLOCK_LEEWAY_MINUTES;
use super::verdict::{GateResult, Verdict};

/// How many findings stand in the sentence; the list has all of them.
const TOLD: usize = 20;
/// How many findings the list has at most.
const LISTED: usize = 1000;

/// Judges the demand for `policy`.
pub(super) fn judge(subject: &Subject, evidence: &Evidence<'_>) -> GateResult {
    let mut result = GateResult::new("policy", "", Verdict::Pass);
    if subject.to.is_none() {
        result.reason = "nothing runs afterwards that a policy could forbid".into();
        return result;
    }
    if subject.resource.kind != Kind::Agent {
        return of_record(subject, evidence, result);
    }
    let Some(candidate) = evidence.candidate else {
        result.verdict = Verdict::Missing;
        result.reason = format!("nobody can see what {} would be", subject.resource);
        return result;
    };
    let answered = Scene::of(candidate, subject, evidence).and_then(|scene| {
        result.evidence.clone_from(&scene.seen);
        policy::judge(&scene.question(candidate, evidence), &scene.places(evidence))
    });
    match answered {
        Ok(judgement) => told(result, &judgement),
        Err(why) => {
            result.verdict = Verdict::Error;
            result.reason = format!("the policies cannot be read: {why}");
            result.next = Some("`joch audit verify` tells what is wrong with the ledger".into());
            result
        }
    }
}

/// What only the runtime can keep of the policies that apply to a candidate; nothing where they cannot be judged, which
/// the gate says.
#[must_use]
pub fn obligations(subject: &Subject, evidence: &Evidence<'_>) -> Vec<Obligation> {
    let Some(candidate) = evidence.candidate.filter(|_| subject.to.is_some()) else { return Vec::new() };
    let judged = Scene::of(candidate, subject, evidence)
        .and_then(|scene| policy::judge_native(&scene.question(candidate, evidence), &scene.places(evidence)));
    judged.map(|judgement| judgement.obligations).unwrap_or_default()
}

/// The document that policies in Rego see of a candidate, with the `params` of a policy that applies, if one is named.
///
/// # Errors
/// There is no candidate, what cannot be read, or no such policy applies.
pub fn policy_input(subject: &Subject, evidence: &Evidence<'_>, named: Option<&ResourceId>) -> Result<Input, String> {
    let candidate = evidence.candidate.ok_or_else(|| format!("{} would not run", subject.resource))?;
    let scene = Scene::of(candidate, subject, evidence).map_err(|why| why.0)?;
    let question = scene.question(candidate, evidence);
    let input = policy::input(candidate, evidence.running, &question);
    let Some(named) = named else { return Ok(input) };
    let applying = policy::applying(&question, &scene.places(evidence)).map_err(|why| why.0)?;
    // Where several contents of it apply, the one that would be in force counts.
    let policy = applying.iter().rfind(|applied| applied.policy.id() == named);
    let policy = policy
        .ok_or_else(|| format!("{named} does not apply to {} in `{}`", subject.resource, evidence.environment))?;
    policy::as_here(&policy.policy, question.world).map(|policy| input.with_params(&policy))
}

/// A record that no closure holds is judged only if it is a Policy itself: whether it could be acted on.
fn of_record(subject: &Subject, evidence: &Evidence<'_>, mut result: GateResult) -> GateResult {
    result.reason = format!("no agent here holds {}, so no policy judges it", subject.resource);
    if subject.resource.kind != Kind::Policy {
        return result;
    }
    match evidence.measurements.target.get(&subject.resource) {
        Ok(Some(policy)) => {
            let flaws = policy::flaws(&policy);
            if let Some(first) = flaws.first() {
                result.verdict = Verdict::Error;
                let said: Vec<_> = flaws.iter().map(|flaw| format!("`{}`: {}", flaw.path, flaw.message)).collect();
                result.reason = format!("{} cannot be acted on: {}", subject.resource, said.join("; "));
                result.next = first.help.clone();
            }
        }
        Ok(None) => {}
        Err(why) => {
            result.verdict = Verdict::Error;
            result.reason = format!("{} cannot be read: {why}", subject.resource);
        }
    }
    result
}

/// The answer that a judgement comes to. A violation is a no, whatever else cannot be told.
fn told(mut result: GateResult, judgement: &Judgement) -> GateResult {
    let Judgement { violations, errors, gaps, warnings, obligations, policies } = judgement;
    result.verdict = match (violations.is_empty(), errors.is_empty(), gaps.is_empty()) {
        (false, ..) => Verdict::Fail,
        (true, false, _) => Verdict::Error,
        (true, true, false) => Verdict::Inconclusive,
        (true, true, true) => Verdict::Pass,
    };
    let number = |many: usize, one: &str, more: &str| match many {
        0 => None,
        1 => Some(format!("1 {one}")),
        many => Some(format!("{many} {more}")),
    };
    let counts = [
        number(violations.len(), "violation", "violations"),
        number(errors.len(), "error", "errors"),
        number(gaps.len(), "missing fact", "missing facts"),
        number(warnings.len(), "warning", "warnings"),
        number(obligations.len(), "obligation of the runtime", "obligations of the runtime"),
    ];
    let counts: Vec<_> = counts.into_iter().flatten().collect();
    result.observed = Some(if counts.is_empty() { "nothing found".into() } else { counts.join(", ") });
    let all: Vec<&Found> = judgement.obstacles().collect();
    let applies = number(*policies, "policy applies", "policies apply").unwrap_or_else(|| "no policy applies".into());
    result.reason = if all.is_empty() {
        match obligations.len() {
            0 => applies,
            many => format!("{applies}; {many} of what they ask only the runtime can keep, and the record says which"),
        }
    } else {
        let mut said: Vec<_> = all.iter().take(TOLD).map(ToString::to_string).collect();
        said.extend((all.len() > TOLD).then(|| format!("and {} more", all.len() - TOLD)));
        said.join("; ")
    };
    result.next = all.first().map(|first| first.remedy.clone()).filter(|remedy| !remedy.is_empty());
    result.findings = all.into_iter().chain(warnings).take(LISTED).map(Found::finding).collect();
    result
}

/// What trust imposes on agents of a namespace.
type Imposing<'a> = dyn Fn(&str) -> Vec<Arc<Resource>> + 'a;

/// What policies are asked about one candidate, put together from the evidence.
struct Scene<'a> {
    asked: Asked,
    world: World<'a>,
    people: Known<'a>,
    imposed: Box<Imposing<'a>>,
    catalogs: [&'a dyn crate::closure::Shelf; 2],
    /// Ids of the observations that count.
    seen: Vec<String>,
}

impl<'a> Scene<'a> {
    fn of(candidate: &Closure, subject: &Subject, evidence: &'a Evidence<'_>) -> Result<Self, Unreadable> {
        let scorers = Scorers {
            trust: evidence.trust,
            environment: evidence.environment,
            parties: Some((evidence.operator, &evidence.authors)),
        };
        let (sightings, seen) =
            sightings_of(candidate, evidence.observations, evidence.last_evidence, &scorers, evidence.now)?;
        let run_cost = projected_run_cost(subject, evidence).and_then(|usd| Number::from_f64(usd.as_f64()));
        let world = World {
            environment: evidence.environment,
            record: evidence.trust.environment(evidence.environment).map(AsRef::as_ref),
            sightings,
            run_cost: run_cost.map(|usd| RunCost { usd, source: "projected from evals and prices".into() }),
        };
        let asked = Asked {
            from: evidence.measurements.source.map(|(name, _)| name.to_owned()),
            to: evidence.environment.to_owned(),
            agent: candidate.id().full(),
            operator: evidence.operator.name.clone(),
        };
        let both = [Some(evidence.trust), evidence.earlier_trust];
        let imposed = move |namespace: &str| {
            let all = both.iter().flatten().flat_map(|trust| trust.imposed(evidence.environment, namespace));
            all.cloned().collect()
        };
        Ok(Self {
            asked,
            world,
            people: Known(evidence.trust),
            imposed: Box::new(imposed),
            catalogs: [evidence.standing, evidence.measurements.target],
            seen,
        })
    }

    fn question<'q>(&'q self, candidate: &'q Closure, evidence: &'q Evidence<'_>) -> Question<'q> {
        Question {
            candidate,
            running: evidence.running,
            asked: &self.asked,
            diff: evidence.diff,
            world: &self.world,
            people: &self.people,
        }
    }

    fn places<'q>(&'q self, evidence: &'q Evidence<'_>) -> Places<'q> {
        Places { environment: evidence.environment, catalogs: &self.catalogs, imposed: &*self.imposed }
    }
}

/// The people that trust knows.
pub struct Known<'a>(pub &'a Trust);

impl People for Known<'_> {
    fn answers(&self, approver: &str) -> bool {
        let people = self.0.people();
        match approver.strip_prefix("team:") {
            Some(team) => {
                self.0.approvers(team).is_some_and(|members| members.iter().any(|name| people.contains(name)))
            }
            None => people.contains(approver),
        }
    }
}

/// See [`sightings_of`].
pub type Sightings = (BTreeMap<Digest, Sighting>, Vec<String>);

/// What was seen lately of the MCP servers of a candidate and of its children, and the ids of those observations; `since`
/// is the evidence under which what runs now was decided.
///
/// # Errors
/// When the evidence branch cannot be read.
pub fn sightings_of(
    candidate: &Closure,
    observations: &dyn Observations,
    since: Option<&str>,
    scorers: &Scorers<'_>,
    now: DateTime<Utc>,
) -> Result<Sightings, Unreadable> {
    let mut sightings = BTreeMap::new();
    let mut ids = Vec::new();
    for server in candidate.everything().into_iter().filter(|part| part.id().kind == Kind::McpServer) {
        let observed = observations.of_server(server.id(), since)?;
        if let Some((id, sighting)) = sighting(server, &observed, scorers, now) {
            sightings.insert(server.digest(), sighting);
            ids.push(id);
        }
    }
    ids.sort();
    ids.dedup();
    Ok((sightings, ids))
}

/// The latest observation of a server as it stands that is not too old, signed by somebody who works here. Its tools
/// have drifted if they are others than those last seen before what runs now was decided, else than those first seen.
/// Of the scores that count and are not too old, the lowest counts.
fn sighting(
    server: &Resource,
    observed: &[Observed],
    scorers: &Scorers<'_>,
    now: DateTime<Utc>,
) -> Option<(String, Sighting)> {
    let counts = |one: &&Observed| one.counts(scorers.trust);
    let seen_at = |one: &Observed| one.observation.observed_at.min(one.carried_at);
    let fresh = |one: &&Observed| {
        one.observation.digest == server.digest()
            && one.observation.observed_at <= now + Duration::minutes(CLOCK_LEEWAY_MINUTES)
            && now - seen_at(one) <= Duration::days(policy::FRESH_DAYS)
    };
    let latest = observed.iter().filter(counts).rfind(fresh)?;
    let before = observed.iter().filter(counts).rfind(|one| one.earlier);
    let before = before.or_else(|| observed.iter().find(counts)).unwrap_or(latest);
    let who = latest.principal.as_ref().map_or("", |principal| principal.name.as_str());
    let day = latest.observation.observed_at.format("%Y-%m-%d");
    let source = format!("seen by {who} on {day}, {}", latest.id.get(..12).unwrap_or(&latest.id));
    let scores = observed.iter().filter(counts).filter(fresh).filter_map(|one| scorers.score(one));
    let trust_score = scores.min_by(|one, other| one.as_f64().total_cmp(&other.as_f64()));
    let schema_drift = Some(before.observation.tools_digest != latest.observation.tools_digest);
    Some((latest.id.clone(), Sighting { trust_score, schema_drift, source }))
}
