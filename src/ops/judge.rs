//! Judging a draft: which rules guard it, what its gates say, and whether the operator may ask for it.

use std::sync::Arc;

use anyhow::Result;
use chrono::{DateTime, Utc};

use crate::closure::Shelf;
use crate::gate::Override;
use crate::ledger::{Ballots, Environment, Reader};
use crate::release::{Context, Draft, Manifest, Operator, Plan, layout, plan};
use crate::resource::name::nearest;
use crate::resource::{Kind, Reference, Requirement, Resource, ResourceId};
use crate::trust::{Ladder, Trust};

use super::desk::{Desk, Operating};
use super::failure::Failure;
use super::guards::guards;

/// By what a draft is judged, beside the snapshot.
#[derive(Clone, Copy)]
pub(super) struct Asked<'a> {
    /// Who may say so.
    pub(super) trust: &'a Trust,
    /// Trust as it was, where the same command changes it.
    pub(super) earlier: Option<&'a Trust>,
    /// What `--require` adds.
    pub(super) required: &'a [Requirement],
    /// What `--allow-regression` names.
    pub(super) allowed_regressions: &'a [ResourceId],
    /// What `--override` names.
    pub(super) overrides: &'a [Override],
    /// The Model that judges where an Eval names none, as the project says it.
    pub(super) default_judge: Option<&'a Reference>,
}

impl<'a> Asked<'a> {
    /// By what `trust` and the project say alone.
    pub(super) fn of(trust: &'a Trust, desk: &'a Desk) -> Self {
        let default_judge = desk.project.config.judge.as_ref();
        Self { trust, earlier: None, required: &[], allowed_regressions: &[], overrides: &[], default_judge }
    }
}

/// Judges a draft in one environment.
pub(super) fn judge(
    draft: &Draft,
    asked: &Asked<'_>,
    reader: &Reader<'_>,
    operator: &Operator,
    now: DateTime<Utc>,
) -> Result<Plan> {
    in_context(draft, asked, reader, operator, now, |context| {
        plan(draft, context).map_err(|why| undecidable(why).into())
    })
}

/// A change that cannot be decided. Where what an Environment says is the reason, mending that is the way on.
pub(super) fn undecidable(why: String) -> Failure {
    let is_of_environment = why.starts_with("environment/");
    let failure = Failure::refused("plan", why);
    if !is_of_environment {
        return failure;
    }
    failure.next(
        "mend the Environment in its file, see by `joch validate -f FILE`, and have an admin `joch apply -f FILE`",
    )
}

/// Does `work` in the world that a draft is judged in.
pub(super) fn in_context<T>(
    draft: &Draft,
    asked: &Asked<'_>,
    reader: &Reader<'_>,
    operator: &Operator,
    now: DateTime<Utc>,
    work: impl FnOnce(&Context<'_>) -> Result<T>,
) -> Result<T> {
    let environment = reader.environment(&draft.environment)?;
    let source = draft.source.as_ref().map(|source| reader.environment(&source.environment)).transpose()?;
    let trusts: Vec<_> = [Some(asked.trust), asked.earlier].into_iter().flatten().collect();
    let records = guards(draft, &environment, source.as_ref(), &trusts, asked.required)?;
    check_evals(asked.required, &records, draft, &environment, source.as_ref())?;
    check_order(&environment, asked.trust.ladder(), reader)?;
    let evidence = reader.tip(layout::EVIDENCE)?;
    let ballots = Ballots { reader, commit: evidence, trust: asked.trust };
    let evidence = evidence.to_string();
    let context = Context {
        trust: asked.trust,
        earlier_trust: asked.earlier,
        evidence_commit: &evidence,
        operator,
        now,
        number: environment.next_release()?,
        records: &records,
        required: asked.required,
        allowed_regressions: asked.allowed_regressions,
        numbering: reader,
        bills: reader,
        votes: &ballots,
        results: &ballots,
        observations: &ballots,
        holds: &ballots,
        overrides: asked.overrides,
        broken: &ballots,
        target: &environment,
        source: source.as_ref().map(|source| source as &dyn Shelf),
        default_judge: asked.default_judge,
    };
    work(&context)
}

/// Refuses to ask for an Eval that exists nowhere: a slip of the pen is no gate.
fn check_evals(
    required: &[Requirement],
    records: &[Arc<Resource>],
    draft: &Draft,
    target: &Environment<'_, '_>,
    source: Option<&Environment<'_, '_>>,
) -> Result<()> {
    let here = |name: &str| records.iter().any(|record| record.id().kind == Kind::Eval && record.id().name == name);
    for requirement in required {
        let Requirement::Eval(name) = requirement else { continue };
        if here(name) {
            continue;
        }
        let mut known: Vec<ResourceId> = draft.catalog.keys().filter(|id| id.kind == Kind::Eval).cloned().collect();
        for environment in [Some(target), source].into_iter().flatten() {
            known.extend(environment.names(&Kind::Eval)?);
        }
        let known: Vec<&str> = known.iter().map(|id| id.name.as_str()).collect();
        let meant = nearest(name, known.iter().copied());
        let meant = meant.map_or_else(String::new, |meant| format!("; did you mean `eval:{meant}`?"));
        let message = format!("`{requirement}` is required, and there is no Eval `{name}` here{meant}");
        let mut all: Vec<_> = known.clone();
        all.sort_unstable();
        all.dedup();
        let next = match all.is_empty() {
            true => {
                format!("no Eval has come as far as `{}` yet; apply one with `joch apply -f FILE`", draft.environment)
            }
            false => format!("there is {}", all.join(", ")),
        };
        return Err(Failure::usage(message).next(next).into());
    }
    Ok(())
}

/// Checks that trust and evidence still hold what the latest release of each environment was decided under: along
/// a history both only move forward, and a rejection is not lost by rewinding them. A release of another
/// environment that cannot be read says nothing; `audit verify` names it.
pub(super) fn check_order(environment: &Environment<'_, '_>, ladder: &Ladder, reader: &Reader<'_>) -> Result<()> {
    let mut latest: Vec<_> = environment.manifest()?.into_iter().collect();
    for rung in ladder.rungs().iter().filter(|rung| *rung != environment.name()) {
        latest.extend(reader.environment(rung).and_then(|other| other.manifest()).ok().flatten());
    }
    for (branch, of) in [(layout::TRUST, cited_trust as Cited), (layout::EVIDENCE, cited_evidence)] {
        let mut open: Vec<_> = latest.iter().map(|manifest| (of(manifest), manifest.name())).collect();
        for commit in reader.snapshot().first_parents(reader.tip(branch)?) {
            let held = commit?.id.to_string();
            open.retain(|(cited, _)| *cited != held);
            if open.is_empty() {
                break;
            }
        }
        if let Some((cited, release)) = open.first() {
            let message =
                format!("`{branch}` no longer holds {cited}, under which {release} was decided: it was rewound");
            return Err(Failure::refused("rewound-branch", message)
                .next(format!("fetch `{branch}` from a clone that has that commit; `joch audit verify` tells more"))
                .into());
        }
    }
    Ok(())
}

/// What a release was decided under.
type Cited = fn(&Manifest) -> &str;

fn cited_trust(manifest: &Manifest) -> &str {
    &manifest.trust
}

fn cited_evidence(manifest: &Manifest) -> &str {
    &manifest.evidence
}

/// Checks that the operator may write to the environment.
pub(super) fn check_writer(trust: &Trust, operating: &Operating, environment: &str) -> Result<(), Failure> {
    trust.check_writer(&operating.operator.principal, environment).map_err(|why| {
        let admins = trust.admins().into_iter().collect::<Vec<_>>().join(", ");
        Failure::credentials("role", why).next(format!("ask an admin: {admins}"))
    })
}
