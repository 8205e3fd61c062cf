//! `joch rollback --check`: which of the versions that served last could come back now, and what each would miss.

use std::sync::Arc;

use anyhow::Result;
use chrono::{DateTime, Utc};

use crate::closure::Closure;
use crate::gate::{HoldAction, Judgement, Lack, Overrides as _, Stain, hold_sentence, lacks, rejection, standing_hold};
use crate::ledger::{Ballots, Environment, Reader};
use crate::release::{Operator, Votes as _, layout};
use crate::resource::{Digest, Kind, Resource, ResourceId};
use crate::trust::{Principal, Trust};

use super::caller::Caller;
use super::desk::Desk;
use super::failure::Failure;
use super::judge::{Asked, judge};
use super::rollback::{draft, place};
use super::served::{Served, current_version, served};

/// How many versions are looked at unless the caller says.
pub const LOOKED_AT: usize = 5;

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Request {
    /// What would go back.
    pub resource: ResourceId,
    /// Only this version; the last ones that served where none is named.
    pub to_version: Option<u64>,
    /// Where; the highest rung that has it where none is named.
    pub environment: Option<String>,
}

/// What came of it.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// What would go back.
    pub resource: ResourceId,
    /// Where.
    pub environment: String,
    /// Each version once, the last that served first; not the one that runs.
    pub items: Vec<Weighed>,
    /// The version that `joch rollback` takes where none is named.
    pub choice: Option<u64>,
}

/// One version, and what would come of going back to it.
#[derive(Debug, Clone)]
pub struct Weighed {
    /// Its number.
    pub version: u64,
    /// Digest of its content.
    pub digest: Digest,
    /// The release that brought it last.
    pub release: String,
    /// When that was.
    pub time: DateTime<Utc>,
    /// Whether a rollback left it, and nobody lifted the hold on it since.
    pub left: bool,
    /// Who holds it, since when and why.
    pub held: Option<String>,
    /// Who rejected it.
    pub rejected: Option<String>,
    /// What it cannot run without.
    pub gone: Vec<Lack>,
    /// What speaks against it and does not stop it.
    pub warnings: Vec<Lack>,
}

impl Weighed {
    /// Whether a rollback that names no version may take it.
    #[must_use]
    pub fn is_eligible(&self) -> bool {
        !self.left && !self.is_stopped()
    }

    /// Whether nothing speaks against it but that a rollback left it.
    pub(super) fn is_only_left(&self) -> bool {
        self.left && !self.is_stopped()
    }

    fn is_stopped(&self) -> bool {
        self.held.is_some() || self.rejected.is_some() || !self.gone.is_empty()
    }
}

/// Looks at the versions that served last. Needs no key, and writes nothing.
///
/// # Errors
/// The environment never served it, or the ledger cannot be read.
pub fn run(request: &Request, caller: &mut Caller<'_>) -> Result<Outcome> {
    let desk = Desk::open(caller)?;
    let reader = desk.reader()?;
    let trust = reader.trust()?;
    let name = place(&request.resource, request.environment.as_deref(), "looking at", &reader, &trust, caller)?;
    let environment = reader.environment(&name)?;
    let scales = Scales::new(&request.resource, &environment, &reader, &trust)?;
    let mut items = Vec::new();
    for served in scales.versions() {
        let wanted = match request.to_version {
            Some(version) => served.version == version,
            None => items.len() < LOOKED_AT,
        };
        if wanted {
            let mut weighed = scales.weigh(served)?;
            weighed.warnings.extend(against(&request.resource, served, &weighed, &environment, &trust, &desk, caller)?);
            items.push(weighed);
        }
    }
    if let Some(version) = request.to_version.filter(|_| items.is_empty()) {
        return Err(scales.never_served(version).into());
    }
    if items.is_empty() && scales.served.is_empty() {
        return Err(scales.never_served(0).into());
    }
    let choice = scales.choice()?.map(|weighed| weighed.version);
    Ok(Outcome { resource: request.resource.clone(), environment: name, items, choice })
}

/// What the policies in force say against a version, as the plan of going back to it tells.
fn against(
    id: &ResourceId,
    served: &Served,
    weighed: &Weighed,
    environment: &Environment<'_, '_>,
    trust: &Trust,
    desk: &Desk,
    caller: &Caller<'_>,
) -> Result<Vec<Lack>> {
    if weighed.gone.iter().any(|lack| lack.rule == "environment-key-missing") {
        // There is no plan without the value.
        return Ok(Vec::new());
    }
    let reader = desk.reader()?;
    let draft = draft(id, None, served, environment, &reader)?;
    let nobody = Principal { name: String::new(), automation: true };
    let nobody = Operator { principal: nobody, fingerprint: String::new() };
    let plan = judge(&draft, &Asked::of(trust, desk), &reader, &nobody, caller.now)?;
    let warnings = plan.records.into_iter().flat_map(|record| record.warnings);
    Ok(warnings.filter(|lack| lack.rule.starts_with("policy-")).collect())
}

/// What versions of one resource in one environment are weighed by.
pub(super) struct Scales<'a, 'r> {
    id: &'a ResourceId,
    environment: &'a Environment<'a, 'r>,
    reader: &'a Reader<'r>,
    trust: &'a Trust,
    ballots: Ballots<'a, 'r>,
    /// What it served, newest first.
    pub(super) served: Vec<Served>,
    /// What it has now.
    pub(super) current: Option<u64>,
}

impl<'a, 'r> Scales<'a, 'r> {
    pub(super) fn new(
        id: &'a ResourceId,
        environment: &'a Environment<'a, 'r>,
        reader: &'a Reader<'r>,
        trust: &'a Trust,
    ) -> Result<Self> {
        let ballots = Ballots { reader, commit: reader.tip(layout::EVIDENCE)?, trust };
        let served = served(id, environment, reader)?;
        let current = current_version(id, environment, reader)?;
        Ok(Self { id, environment, reader, trust, ballots, served, current })
    }

    /// Each version that it served and does not have now, once, as it served last.
    pub(super) fn versions(&self) -> Vec<&Served> {
        let mut versions: Vec<&Served> = Vec::new();
        for served in &self.served {
            if Some(served.version) != self.current && !versions.iter().any(|seen| seen.version == served.version) {
                versions.push(served);
            }
        }
        versions
    }

    /// The newest version that may come back and can run.
    ///
    /// # Errors
    /// What it was cannot be read.
    pub(super) fn choice(&self) -> Result<Option<Weighed>> {
        for served in self.versions() {
            let weighed = self.weigh(served)?;
            if weighed.is_eligible() {
                return Ok(Some(weighed));
            }
        }
        Ok(None)
    }

    /// What would come of going back to one version.
    ///
    /// # Errors
    /// What it was, or what was said of it, cannot be read.
    pub(super) fn weigh(&self, served: &Served) -> Result<Weighed> {
        let (name, trust) = (self.environment.name(), self.trust);
        let said = self.ballots.held(self.id, Some(served.digest))?;
        let held = standing_hold(&said, name, trust).map(|held| hold_sentence(held, trust));
        let last = said.iter().rfind(|held| held.hold.covers(name) && held.counts(trust));
        let lifted = last.is_some_and(|held| held.hold.action == HoldAction::Lift);
        let votes = self.ballots.about(self.id, name, None).map_err(|why| anyhow::anyhow!(why.0))?;
        let rejected = rejection(self.id, served.digest, name, &votes, trust).map(|(who, _)| who);
        let rejected = rejected.map_or_else(|| self.rejected_override(served), |who| Ok(Some(who)))?;
        let (gone, warnings) = self.missing(served)?;
        Ok(Weighed {
            version: served.version,
            digest: served.digest,
            release: served.release.clone(),
            time: served.time,
            left: served.left && !lifted,
            held,
            rejected,
            gone,
            warnings,
        })
    }

    /// Who rejected the override that a version of an agent stood on.
    fn rejected_override(&self, served: &Served) -> Result<Option<String>> {
        let Some(last) = self.served.first().filter(|_| self.id.kind == Kind::Agent) else { return Ok(None) };
        let overrides = self.ballots.overrides(self.environment.name(), Some(self.id))?;
        if overrides.is_empty() {
            return Ok(None);
        }
        let passed = self.ballots.passed(self.id, &last.release).map_err(|why| anyhow::anyhow!(why.0))?;
        let rejected = overrides.iter().find_map(|broken| {
            let standing = broken.standing(self.trust);
            let stands = Stain::of(&broken.glass.release, &passed).covers(served.digest);
            (stands && standing.decision == Some(Judgement::Reject)).then(|| {
                format!("{} (the override in {})", standing.reviewer.unwrap_or_default(), broken.glass.release)
            })
        });
        Ok(rejected)
    }

    /// What it cannot run without, and what only speaks against it. A Secret that the catalog had when the version
    /// served and has no more was taken away; one that it never had is kept elsewhere.
    fn missing(&self, served: &Served) -> Result<(Vec<Lack>, Vec<Lack>)> {
        let then = self.reader.environment_at(self.environment.name(), served.commit);
        let closure = if self.id.kind == Kind::Agent { then.closure(self.id)? } else { None };
        let entry = if closure.is_none() { then.entry(self.id)? } else { None };
        let resources: Vec<&Arc<Resource>> = match (&closure, &entry) {
            (Some(closure), _) => Closure::everything(closure),
            (None, entry) => entry.iter().collect(),
        };
        let spec = self.trust.environment(self.environment.name()).map(|record| record.spec());
        let defaults = spec.and_then(|spec| spec.get("defaults"));
        let read = |catalog: &Environment<'_, '_>| lacks(&resources, self.environment.name(), catalog, defaults);
        let now = read(self.environment).map_err(|why| anyhow::anyhow!(why.0))?;
        let before = read(&then).map_err(|why| anyhow::anyhow!(why.0))?;
        let stops = |lack: &Lack| lack.rule == "environment-key-missing" || !before.contains(lack);
        Ok(now.into_iter().partition(stops))
    }

    /// The versions that it served, as `v1, v2`.
    pub(super) fn list(&self) -> String {
        let mut versions: Vec<_> = self.served.iter().map(|served| served.version).collect();
        versions.sort_unstable();
        versions.dedup();
        versions.iter().map(|version| format!("v{version}")).collect::<Vec<_>>().join(", ")
    }

    pub(super) fn never_served(&self, version: u64) -> Failure {
        let (id, name) = (self.id, self.environment.name());
        if self.current == Some(version) {
            let message = format!("`{name}` runs {id} v{version} now: there is nothing to go back to");
            return Failure::refused("runs-now", message)
                .next(format!("`joch rollback {} --check --env {name}` looks at the others", id.words()));
        }
        let number = if version == 0 { String::new() } else { format!(" v{version}") };
        let message = format!("`{name}` never served {id}{number}, and a rollback takes only what it has served");
        let failure = Failure::refused("never-served", message);
        if self.served.is_empty() {
            failure.next(format!("`joch get {} {} --history` shows where it ran", id.kind.plural(), id.name))
        } else {
            failure.next(format!("it has served {}; anything else comes by promotion", self.list()))
        }
    }
}
