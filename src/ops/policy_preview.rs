//! `joch policy preview -f`: which agents a draft of a Policy would block, in every environment, before it is applied.
//! Writes nothing, and needs no key.

use std::collections::BTreeSet;
use std::sync::Arc;

use anyhow::Result;

use crate::closure::{Closure, Shelf};
use crate::gate::{Known, Scorers, sightings_of};
use crate::ledger::{Ballots, Environment};
use crate::policy::{Asked, Found, Judgement, Places, Question, World, applied, draft};
use crate::release::{Running, layout};
use crate::resource::{Kind, Resource, ResourceId, view};
use crate::trust::Trust;

use super::caller::Caller;
use super::desk::Desk;
use super::failure::Failure;
use super::set::read_set;

/// What is asked for.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// Files, directories, `-`.
    pub files: Vec<String>,
}

/// What came of it.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    /// The drafts.
    pub policies: Vec<ResourceId>,
    /// How many agents each rung runs, lowest first.
    pub environments: Vec<(String, usize)>,
    /// Every agent that a draft would apply to, rung by rung.
    pub agents: Vec<Previewed>,
}

/// What one draft would say of one agent.
#[derive(Debug, Clone)]
pub struct Previewed {
    /// The environment.
    pub environment: String,
    /// The agent.
    pub agent: ResourceId,
    /// Its version there.
    pub version: Option<u64>,
    /// The draft.
    pub policy: ResourceId,
    /// What it says that the policy of that name does not say now.
    pub adds: Judgement,
    /// How much of what it says is said now, too.
    pub standing: usize,
}

impl Previewed {
    /// Whether a promotion of the agent into this environment would be stopped by what the draft adds.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.adds.obstacles().next().is_some()
    }
}

/// Previews the Policies of some files.
///
/// # Errors
/// Invalid files, files without a Policy, or a ledger that cannot be read.
pub fn run(request: &Request, caller: &mut Caller<'_>) -> Result<Outcome> {
    let desk = Desk::open(caller)?;
    let reader = desk.reader()?;
    let trust = reader.trust()?;
    let set = read_set(&request.files, &desk, caller)?;
    let drafts: Vec<_> = set.resources.into_values().filter(|draft| draft.id().kind == Kind::Policy).collect();
    if drafts.is_empty() {
        let message = format!("`{}` holds no Policy", request.files.join("`, `"));
        return Err(Failure::refused("empty", message)
            .next("name the file of the Policy that you mean to apply")
            .into());
    }
    let mut outcome =
        Outcome { policies: drafts.iter().map(|draft| draft.id().clone()).collect(), ..Outcome::default() };
    let ballots = Ballots { reader: &reader, commit: reader.tip(layout::EVIDENCE)?, trust: &trust };
    for rung in trust.ladder().rungs() {
        let environment = reader.environment(rung)?;
        let agents = environment.agents()?;
        outcome.environments.push((rung.clone(), agents.len()));
        for agent in agents {
            let Some(running) = environment.running(&agent)? else { continue };
            let stage = Stage { environment: &environment, trust: &trust, ballots: &ballots, caller_now: caller.now };
            for draft in &drafts {
                outcome.agents.extend(stage.preview(draft, &agent, &running)?);
            }
        }
    }
    Ok(outcome)
}

/// Where one agent runs.
struct Stage<'a, 'r> {
    environment: &'a Environment<'a, 'r>,
    trust: &'a Trust,
    ballots: &'a Ballots<'a, 'r>,
    caller_now: chrono::DateTime<chrono::Utc>,
}

impl Stage<'_, '_> {
    /// What a draft would say of an agent and of the children that it binds; nothing where it binds neither.
    fn preview(&self, policy: &Arc<Resource>, agent: &ResourceId, running: &Running) -> Result<Option<Previewed>> {
        let name = self.environment.name();
        let imposed = |namespace: &str| self.trust.imposed(name, namespace).into_iter().cloned().collect();
        let catalogs: [&dyn Shelf; 1] = [self.environment];
        let places = Places { environment: name, catalogs: &catalogs, imposed: &imposed };
        let since = Some(running.record.evidence.as_str());
        let scorers = Scorers { trust: self.trust, environment: name, parties: None };
        let (sightings, _) = sightings_of(&running.closure, self.ballots, since, &scorers, self.caller_now)?;
        let record = self.trust.environment(name).map(AsRef::as_ref);
        let world = World { environment: name, record, sightings, run_cost: None };
        let asked = Asked { from: None, to: name.to_owned(), agent: agent.full(), operator: String::new() };
        let people = Known(self.trust);
        let question = |candidate| Question {
            candidate,
            running: Some(candidate),
            asked: &asked,
            diff: &[],
            world: &world,
            people: &people,
        };
        let mut new = Judgement::default();
        let mut now = Judgement::default();
        let mut binds = false;
        let mut open = vec![&running.closure];
        while let Some(closure) = open.pop() {
            let standing: Vec<_> =
                applied(closure, None, &places)?.into_iter().filter(|one| one.policy.id() == policy.id()).collect();
            for one in &standing {
                now.extend(draft(&one.policy, &question(closure)));
            }
            if !standing.is_empty() || self.selects(policy, closure) {
                binds = true;
                new.extend(draft(policy, &question(closure)));
            } else {
                open.extend(closure.children().values());
            }
        }
        if !binds {
            return Ok(None);
        }
        let (new, now) = (new.settled(), now.settled());
        let all = new.obstacles().count();
        let adds = beside(new, &now);
        let standing = all - adds.obstacles().count();
        let version = running.record.to_version;
        let (environment, agent, policy) = (name.to_owned(), agent.clone(), policy.id().clone());
        Ok(Some(Previewed { environment, agent, version, policy, adds, standing }))
    }

    /// Whether a draft binds an agent by its selector, in this environment.
    fn selects(&self, policy: &Resource, closure: &Closure) -> bool {
        let mut labels = closure.agent().labels();
        labels.insert("env".into(), self.environment.name().to_owned());
        view::selects(policy, &labels)
    }
}

/// What `new` says and `now` does not; another text of one policy says the same in the same words.
fn beside(new: Judgement, now: &Judgement) -> Judgement {
    let key = |found: &Found| (found.id.clone(), found.context.clone(), found.reason.clone());
    let said: BTreeSet<_> = now.obstacles().chain(&now.warnings).map(key).collect();
    let fresh = |list: Vec<Found>| list.into_iter().filter(|found| !said.contains(&key(found))).collect();
    let must = |one: &crate::policy::Obligation| (one.context.clone(), one.must.clone());
    let kept: BTreeSet<_> = now.obligations.iter().map(must).collect();
    Judgement {
        violations: fresh(new.violations),
        gaps: fresh(new.gaps),
        errors: fresh(new.errors),
        warnings: fresh(new.warnings),
        obligations: new.obligations.into_iter().filter(|one| !kept.contains(&must(one))).collect(),
        policies: new.policies,
    }
}
