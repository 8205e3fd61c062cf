//! The AgBOM gate: a change brings no risk of the severity that the environment does not take.
//!
//! What the target has already is told and stops nothing, unless the change makes it worse.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Duration, Utc};

use crate::bom::risk::exception::{self, Judged, Used};
use crate::bom::risk::{self, Loosened, Reach, Side, Terms};
use crate::bom::{Finding, Observation};
use crate::closure::Closure;
use crate::resource::view::Environment;
use crate::resource::{Kind, Map, Resource, ResourceId, Risk, Value};
use crate::trust::Trust;

use super::evidence::{Demand, Evidence, Subject};
use super::hold::{self, Holds};
use super::observed::{Observations, Observed, Scorers};
use super::statement::CLOCK_LEEWAY_MINUTES;
use super::verdict::{GateResult, Verdict};
use super::weakening::loosened;

/// How many findings stand in the sentence; the list has all of them.
const TOLD: usize = 5;
/// How many findings the list has at most.
const LISTED: usize = 1000;

/// Judges the demand for `agbom[:SEVERITY]`.
pub(super) fn judge(severity: Option<Risk>, demand: &Demand, subject: &Subject, evidence: &Evidence<'_>) -> GateResult {
    let mut result = GateResult::new("agbom", severity.map(Risk::word).unwrap_or_default(), Verdict::Pass);
    if subject.to.is_none() {
        result.reason = "nothing runs afterwards that could be risky".into();
        return result;
    }
    if subject.resource.kind != Kind::Agent {
        result.reason = format!("no agent here holds {}, so it is no part of any bill", subject.resource);
        return result;
    }
    let Some(candidate) = evidence.candidate else {
        result.verdict = Verdict::Missing;
        result.reason = format!("nobody can see what {} would be", subject.resource);
        return result;
    };
    match judged(candidate, severity, demand, subject, evidence) {
        Ok(bill) => bill.told(result),
        Err(why) => {
            result.verdict = Verdict::Error;
            result.reason = format!("the risk cannot be judged: {why}");
            result.next = Some("mend what it names; `joch audit verify` tells what is wrong with the ledger".into());
            result
        }
    }
}

/// A place where agents run, as the rules of risk look at it.
pub struct Place<'a> {
    /// The environment.
    pub environment: &'a str,
    /// What it asks, and who works there.
    pub trust: &'a Trust,
    /// When.
    pub now: DateTime<Utc>,
    /// What people saw of MCP servers.
    pub observations: &'a dyn Observations,
    /// Which versions are on hold.
    pub holds: &'a dyn Holds,
}

/// What the rules find in a closure as it stands in a place, the worst first, without what an exception lets through.
///
/// # Errors
/// Evidence that cannot be read, or an environment that cannot be understood.
pub fn open_findings(closure: &Closure, place: &Place<'_>) -> Result<Vec<Finding>, String> {
    let mut seen = BTreeMap::new();
    for id in servers(closure).into_keys() {
        let observed = place.observations.of_server(&id, None).map_err(|why| why.0)?;
        let mut counted: Vec<&Observed> = observed.iter().filter(|one| counts(one, place)).collect();
        counted.sort_by_key(|one| one.observation.observed_at);
        let scorers = place.scorers();
        seen.insert(id, counted.into_iter().map(|one| scored(one, &scorers)).collect());
    }
    let asks = Asks::of(place.trust, place.environment, closure)?;
    let to = Side { closure, observed: &seen, at: place.now, values: None };
    let mut findings = asks.findings(None, &to, &held(closure, place)?, place, &[]);
    let written = environment(place.trust, place.environment)?.map(|view| view.exceptions).unwrap_or_default();
    let people = place.trust.people();
    // Whoever only looks is nobody who could have excepted their own.
    let exceptions = exception::judge(&written, place.now, "", &|name| people.contains(name));
    exception::apply(&mut findings, closure.id(), &exceptions);
    findings.retain(|finding| finding.exception.is_none());
    Ok(findings)
}

/// What was found, and from which severity on it stops the change.
struct Bill {
    fail_on: Risk,
    findings: Vec<Finding>,
    exceptions: Vec<Judged>,
    used: Used,
    evidence: Vec<String>,
}

fn judged(
    candidate: &Closure,
    severity: Option<Risk>,
    demand: &Demand,
    subject: &Subject,
    evidence: &Evidence<'_>,
) -> Result<Bill, String> {
    if evidence.running.is_none() && subject.from.is_some() {
        return Err(format!("what `{}` runs now cannot be read", evidence.environment));
    }
    let fail_on = match severity {
        Some(severity) => severity,
        None => strictest(&demand.settings)?.unwrap_or(Risk::High),
    };
    let seen = Seen::gather(candidate, evidence)?;
    let place = evidence.place();
    let held = held(candidate, &place)?;
    let from = evidence.running.map(|closure| Side {
        closure,
        observed: &seen.before,
        at: evidence.last_decided_at.unwrap_or(evidence.now),
        values: evidence.last_values,
    });
    let to = Side { closure: candidate, observed: &seen.after, at: evidence.now, values: None };
    let mut findings: Vec<Finding> = Vec::new();
    let loosened = loosened(evidence);
    // Trust as it was counts too: what comes with the change does not let it through.
    for trust in [Some(evidence.trust), evidence.earlier_trust].into_iter().flatten() {
        let asks = Asks::of(trust, evidence.environment, candidate)?;
        for finding in asks.findings(from.as_ref(), &to, &held, &place, &loosened) {
            let same = |known: &&mut Finding| {
                (&known.rule, &known.component, &known.reason) == (&finding.rule, &finding.component, &finding.reason)
            };
            match findings.iter_mut().find(same) {
                Some(known) => {
                    known.introduced |= finding.introduced;
                    known.severity = known.severity.max(finding.severity);
                }
                None => findings.push(finding),
            }
        }
    }
    let exceptions = exceptions(evidence)?;
    let used = exception::apply(&mut findings, &subject.resource, &exceptions);
    let stops = |finding: &Finding| finding.introduced && finding.exception.is_none();
    findings.sort_by(|a, b| {
        let key = |finding: &Finding| (!stops(finding), std::cmp::Reverse(finding.severity));
        (key(a), &a.rule, &a.component, &a.reason).cmp(&(key(b), &b.rule, &b.component, &b.reason))
    });
    Ok(Bill { fail_on, findings, exceptions, used, evidence: seen.ids })
}

/// The lowest severity that any of the gates as they are written names.
fn strictest(settings: &[Value]) -> Result<Option<Risk>, String> {
    let mut strictest = None;
    for word in settings.iter().filter_map(|setting| setting.get("failOn")).filter(|word| **word != Value::Null) {
        let risk = word.as_text().and_then(Risk::from_word);
        let risk = risk.ok_or("`failOn` of the gate is none of low, medium, high, critical")?;
        strictest = Some(strictest.map_or(risk, |known: Risk| known.min(risk)));
    }
    Ok(strictest)
}

/// What people saw of the MCP servers of both sides.
#[derive(Default)]
struct Seen {
    before: BTreeMap<ResourceId, Vec<Arc<Observation>>>,
    after: BTreeMap<ResourceId, Vec<Arc<Observation>>>,
    /// Ids of the newest that count for the candidate.
    ids: Vec<String>,
}

impl Seen {
    fn gather(candidate: &Closure, evidence: &Evidence<'_>) -> Result<Self, String> {
        let mut seen = Self::default();
        for id in servers(candidate).keys() {
            let observed = evidence.observations.of_server(id, evidence.last_evidence).map_err(|why| why.0)?;
            let mut counted: Vec<&Observed> = observed.iter().filter(|one| counts(one, &evidence.place())).collect();
            counted.sort_by_key(|one| one.observation.observed_at);
            let list = |all: Vec<&Observed>, scorers: Scorers<'_>| {
                all.into_iter().map(|one| scored(one, &scorers)).collect::<Vec<_>>()
            };
            let scorers = evidence.place().scorers();
            let parties = Some((evidence.operator, &evidence.authors));
            seen.ids.extend(counted.last().map(|newest| newest.id.clone()));
            seen.before.insert(id.clone(), list(counted.iter().filter(|one| one.earlier).copied().collect(), scorers));
            seen.after.insert(id.clone(), list(counted, Scorers { parties, ..scorers }));
        }
        // What only the running version has can be judged by what was known of it, and no more.
        let running = evidence.running.map(servers).unwrap_or_default();
        for id in running.into_keys().filter(|id| !seen.before.contains_key(id)).collect::<Vec<_>>() {
            seen.before.insert(id, Vec::new());
        }
        Ok(seen)
    }
}

/// Whether an observation counts: signed by somebody who works here, and not made after the ledger took it in.
fn counts(one: &Observed, place: &Place<'_>) -> bool {
    let leeway = Duration::minutes(CLOCK_LEEWAY_MINUTES);
    let seen_at = one.observation.observed_at;
    one.principal.as_ref().is_some_and(|principal| place.trust.works(principal))
        && seen_at <= one.carried_at + leeway
        && seen_at <= place.now + leeway
}

/// What was seen, without a score that does not count.
fn scored(one: &Observed, scorers: &Scorers<'_>) -> Arc<Observation> {
    if one.observation.trust_score.is_none() || scorers.score(one).is_some() {
        return one.observation.clone();
    }
    Arc::new(Observation { trust_score: None, trust_source: None, ..(*one.observation).clone() })
}

/// The MCP servers of a closure, children included, each with the contents that it stands there with.
fn servers(closure: &Closure) -> BTreeMap<ResourceId, Vec<&Arc<Resource>>> {
    let mut servers: BTreeMap<ResourceId, Vec<&Arc<Resource>>> = BTreeMap::new();
    for part in closure.everything().into_iter().filter(|part| part.id().kind == Kind::McpServer) {
        servers.entry(part.id().clone()).or_default().push(part);
    }
    servers
}

/// The MCP servers of the candidate whose record is on hold, each with the reason.
fn held(candidate: &Closure, place: &Place<'_>) -> Result<BTreeMap<ResourceId, String>, String> {
    let mut held = BTreeMap::new();
    for (id, contents) in servers(candidate) {
        for content in contents {
            let said = place.holds.on(&id, content.digest()).map_err(|why| why.0)?;
            if let Some(last) = hold::standing(&said, place.environment, place.trust) {
                let reason = last.hold.reason.clone().unwrap_or_else(|| "without a reason".to_owned());
                held.insert(id.clone(), reason);
            }
        }
    }
    Ok(held)
}

/// What one state of trust asks of the environment.
struct Asks {
    view: Option<Environment>,
    min_trust_score: Option<f64>,
    imposed: Vec<Arc<Resource>>,
}

impl Asks {
    fn of(trust: &Trust, name: &str, candidate: &Closure) -> Result<Self, String> {
        let view = environment(trust, name)?;
        let min_trust_score = match view.as_ref().and_then(|view| view.min_trust_score.as_ref()) {
            None => None,
            Some(score) => {
                let score = score.as_number().map(|score| score.as_f64()).filter(|score| (0.0..=1.0).contains(score));
                let why = || format!("`minTrustScore` of `{name}` is no number from 0 to 1");
                Some(score.ok_or_else(why)?)
            }
        };
        let imposed = trust.imposed(name, &candidate.id().namespace);
        Ok(Self { view, min_trust_score, imposed: imposed.into_iter().cloned().collect() })
    }

    fn findings(
        &self,
        from: Option<&Side<'_>>,
        to: &Side<'_>,
        held: &BTreeMap<ResourceId, String>,
        place: &Place<'_>,
        loosened: &[Loosened],
    ) -> Vec<Finding> {
        let (nothing, nobody) = (Map::new(), BTreeMap::<ResourceId, Reach>::new());
        let view = self.view.as_ref();
        let list = |of: fn(&Environment) -> Option<&Vec<String>>| view.and_then(of).map(Vec::as_slice);
        let terms = Terms {
            environment: place.environment,
            last_rung: place.trust.ladder().last() == place.environment,
            defaults: view.map_or(&nothing, |view| &view.defaults),
            min_trust_score: self.min_trust_score,
            model_providers: list(|view| view.allowlists.model_providers.as_ref()),
            publishers: list(|view| view.allowlists.publishers.as_ref()),
            image_registries: list(|view| view.allowlists.image_registries.as_ref()),
            require_image_digest: view.is_some_and(|view| view.require_image_digest),
            data_residency: view.map_or(&[], |view| view.data_residency.as_slice()),
            imposed: &self.imposed,
            handoffs: &nobody,
            held,
            loosened,
        };
        risk::findings(from, to, &terms)
    }
}

impl<'a> Place<'a> {
    /// Whose score counts, whoever asks for a change.
    fn scorers(&self) -> Scorers<'a> {
        Scorers { trust: self.trust, environment: self.environment, parties: None }
    }
}

impl Evidence<'_> {
    /// The place that the change is judged in.
    fn place(&self) -> Place<'_> {
        let Self { environment, trust, now, observations, holds, .. } = *self;
        Place { environment, trust, now, observations, holds }
    }
}

fn environment(trust: &Trust, name: &str) -> Result<Option<Environment>, String> {
    let read = |record: &Arc<Resource>| Environment::of(record).map_err(|why| format!("{}: {why}", record.id()));
    trust.environment(name).map(read).transpose()
}

/// The exceptions of the environment. One that comes with the change itself counts for later changes only.
fn exceptions(evidence: &Evidence<'_>) -> Result<Vec<Judged>, String> {
    let written = |trust: &Trust| -> Result<Vec<Value>, String> {
        Ok(environment(trust, evidence.environment)?.map(|view| view.exceptions).unwrap_or_default())
    };
    let mut all = written(evidence.trust)?;
    if let Some(earlier) = evidence.earlier_trust {
        let known = written(earlier)?;
        all.retain(|exception| known.contains(exception));
    }
    let people = evidence.trust.people();
    Ok(exception::judge(&all, evidence.now, &evidence.operator.name, &|name| people.contains(name)))
}

impl Bill {
    fn told(mut self, mut result: GateResult) -> GateResult {
        let fail_on = self.fail_on;
        let stops =
            |finding: &Finding| finding.introduced && finding.exception.is_none() && finding.severity >= fail_on;
        let count = |what: &dyn Fn(&Finding) -> bool| self.findings.iter().filter(|finding| what(finding)).count();
        let stopping = count(&stops);
        let excepted = count(&|finding| finding.exception.is_some());
        let milder = count(&|finding| finding.introduced && finding.exception.is_none() && !stops(finding));
        let older = count(&|finding| !finding.introduced && finding.exception.is_none());
        let counts = [
            (stopping, format!("{stopping} new of {} or above", fail_on.word())),
            (milder, format!("{milder} new below it")),
            (older, format!("{older} older")),
            (excepted, format!("{excepted} excepted")),
        ];
        let counts: Vec<String> = counts.into_iter().filter(|(many, _)| *many > 0).map(|(_, told)| told).collect();
        result.observed = Some(if counts.is_empty() { "nothing found".to_owned() } else { counts.join(", ") });
        result.threshold = Some(format!("nothing new of {} or above", fail_on.word()));
        result.evidence = std::mem::take(&mut self.evidence);
        let mut said = Vec::new();
        if stopping > 0 {
            result.verdict = Verdict::Fail;
            said.push(sentence(self.findings.iter().filter(|finding| stops(finding)), stopping));
            result.next = self.findings.iter().find(|finding| stops(finding)).map(next);
        } else {
            said.push(match milder {
                0 => "the change brings no risk".to_owned(),
                _ => format!("the change brings no risk of {} or above", fail_on.word()),
            });
        }
        if older > 0 {
            let is_older = |finding: &&Finding| !finding.introduced && finding.exception.is_none();
            said.push(format!("older debt: {}", sentence(self.findings.iter().filter(is_older), older)));
        }
        said.extend(self.tally());
        result.reason = said.join("; ");
        self.findings.truncate(LISTED);
        result.findings = self.findings;
        result
    }

    /// Which exceptions were used, and which do not count.
    fn tally(&self) -> Vec<String> {
        let mut said = Vec::new();
        if !self.exceptions.is_empty() {
            let used: Vec<&str> = self.used.used.iter().map(|place| self.exceptions[*place].what.as_str()).collect();
            let names = if used.is_empty() { String::new() } else { format!(": {}", used.join(", ")) };
            said.push(format!("{} of {} exceptions used{names}", used.len(), self.exceptions.len()));
        }
        for place in &self.used.too_mild {
            let what = &self.exceptions[*place].what;
            said.push(format!(
                "the exception of {what} reaches less far: only `severity` says that a graver finding is meant"
            ));
        }
        for judged in &self.exceptions {
            if let Err(why) = &judged.exception {
                said.push(format!("the exception of {} does not count: {why}", judged.what));
            }
        }
        said
    }
}

/// The first few findings, and how many more.
fn sentence<'a>(findings: impl Iterator<Item = &'a Finding>, many: usize) -> String {
    let mut said: Vec<String> = findings
        .take(TOLD)
        .map(|finding| {
            let Finding { rule, component, severity, reason, .. } = finding;
            format!("{rule} ({}) {component}: {reason}", severity.word())
        })
        .collect();
    if many > said.len() {
        said.push(format!("and {} more", many - said.len()));
    }
    said.join("; ")
}

fn next(finding: &Finding) -> String {
    format!(
        "{}; or an admin excepts `{}` for `{}` in the Environment, with a reason and an end",
        finding.remedy, finding.rule, finding.component
    )
}
