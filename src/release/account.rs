//! The full account of one subject's move: what changes, by whose word, and what every gate says.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::SubsecRound as _;

use crate::bom;
use crate::closure::Closure;
use crate::diff::{self, Change, Weakening};
use crate::gate::{self, Counted, Evidence, GateResult, Lack, Measurements, Moved, Override, Subject, Vote};
use crate::resource::{ChangeClass, Digest, Kind, Requirement, Resource, ResourceId, Value};
use crate::trust::Trust;

use super::authors::authors;
use super::draft::{AgentEdit, CatalogEdit, Draft, Drafted};
use super::event::{Event, Word};
use super::numbers::Numbers;
use super::plan::{Context, changed_children};
use super::record::{Record, RecordedApproval, RecordedOverride, RollbackPath, RuntimeContext, SCHEMA};
use super::rules::Rules;

/// The record of one subject, its verdict still open. `attempt` is that of the draft, for all its subjects.
pub(super) fn record_of(
    (draft, attempt): (&Draft, Digest),
    subject: &Subject,
    edit: Option<&AgentEdit>,
    moves: Move,
    rules: &Rules,
    numbers: &mut Numbers<'_>,
    context: &Context<'_>,
) -> Result<Record, String> {
    let after = edit.and_then(|edit| edit.after.as_ref());
    let running = edit.and_then(|edit| edit.before.as_ref());
    let entry = draft.catalog.get(&subject.resource);
    let mut members = Vec::new();
    for member in after.map(Closure::everything).unwrap_or_default() {
        if member.id().kind != Kind::Agent {
            members.push(numbers.pin(member)?);
        }
    }
    members.sort();
    members.dedup();
    // A child may bring an adapter of its own; what runs this agent is the one that it names itself.
    let own = after.and_then(|closure| closure.members().values().find(|m| m.id().kind == Kind::FrameworkAdapter));
    let adapter = own.map(|adapter| numbers.pin(adapter)).transpose()?;
    let mut number =
        |digest: Option<Digest>| digest.map(|digest| numbers.number(&subject.resource, digest)).transpose();
    let (from_version, to_version) = (number(subject.from)?, number(subject.to)?);
    let Move { diff, weakenings, classes } = moves;
    let target = Drafted { draft, before: context.target };
    let evidence = evidence_of(draft, subject, rules, (&diff, &weakenings), &target, context)?;
    let free = draft.event == Event::Rollback && edit.is_some_and(|edit| edit.has_served);
    let gates = match free {
        // A version that served comes back as it was; a control on its own is weighed like any other.
        true => gate::way_back(subject, &evidence, !draft.catalog.is_empty()),
        false => gate::evaluate(&rules.demands, subject, &evidence),
    };
    let warnings = match after.filter(|_| free) {
        Some(after) => speaks_against(after, subject, &evidence)?,
        None => Vec::new(),
    };
    let approvals = if free { Vec::new() } else { approvals(&gates, subject, &evidence) };
    let eval_results = if free { Vec::new() } else { eval_results(rules, subject, &evidence) };
    let by_policy = rules.demands.iter().any(|demand| demand.requirement == Requirement::Policy);
    let obligations = if by_policy && !free { gate::obligations(subject, &evidence) } else { Vec::new() };
    let projections = if free { Vec::new() } else { gate::projections(&rules.demands, subject, &evidence) };
    let Evidence { authors, regressions, .. } = evidence;
    let old_members = running.map(|running| running.record.members.as_slice()).unwrap_or_default();
    let mut imposed = Vec::new();
    for resource in context.trust.imposed(&draft.environment, &subject.resource.namespace) {
        imposed.push(numbers.known(resource)?);
    }
    Ok(Record {
        schema: SCHEMA.into(),
        kind: "Release".into(),
        release: format!("{}/{}", draft.environment, context.number),
        verdict: String::new(),
        attempt,
        event: draft.event,
        change: edit.map_or_else(|| entry.map_or(Word::Unchanged, CatalogEdit::word), |edit| edit.word),
        environment: draft.environment.clone(),
        source: draft.source.clone(),
        agent_ref: subject.resource.clone(),
        from_version,
        to_version,
        from_digest: subject.from,
        to_digest: subject.to,
        diff,
        change_classes: classes,
        eval_results,
        approvals,
        abom_diff: bom::delta(old_members, &members).with(running.map(|running| &running.closure), after),
        runtime_context: runtime_context(&draft.environment, after, context.trust)?,
        operator_identity: context.operator.clone(),
        timestamp: context.now.trunc_subsecs(0),
        authors: authors.into_iter().collect(),
        rollback_path: rollback_path(&draft.environment, &subject.resource, from_version, subject.from),
        reason: draft.reason.clone(),
        adapter,
        policies: members.iter().filter(|member| member.kind == Kind::Policy).cloned().collect(),
        imposed,
        regressions,
        obligations,
        gate_rules: rules.digest,
        writes: subject.writes,
        undoes: edit.and_then(|edit| edit.undoes.clone()),
        previous_release: edit.and_then(|edit| edit.last.as_ref()).map(|last| last.release.clone()),
        trust: context.trust.commit.clone(),
        evidence: context.evidence_commit.to_owned(),
        joch: env!("CARGO_PKG_VERSION").to_owned(),
        bom: None,
        default_judge: context.default_judge.filter(|_| edit.is_some()).map(Into::into),
        projections,
        overrides: overridden(&gates),
        warnings,
        members,
        gates,
    })
}

/// All that the gates look at for a subject.
pub(super) fn evidence_of<'e>(
    draft: &'e Draft,
    subject: &Subject,
    rules: &Rules,
    (diff, weakenings): (&'e [Change], &'e [Weakening]),
    target: &'e Drafted<'e>,
    context: &'e Context<'e>,
) -> Result<Evidence<'e>, String> {
    let edit = draft.agents.get(&subject.resource);
    Ok(Evidence {
        environment: &draft.environment,
        gated: rules.gated,
        now: context.now,
        trust: context.trust,
        earlier_trust: context.earlier_trust,
        operator: &context.operator.principal,
        authors: authors(draft, subject, edit, context.numbering).map_err(|why| why.0)?,
        gate_rules: rules.digest,
        votes: votes_on(subject, edit, &draft.environment, context)?,
        regressions: edit.map(|edit| edit.regressions.clone()).unwrap_or_default(),
        allowed_regressions: context.allowed_regressions.to_vec(),
        candidate: edit.and_then(|edit| edit.after.as_ref()),
        running: edit.and_then(AgentEdit::against),
        diff,
        weakenings,
        is_rollback: draft.event == Event::Rollback,
        standing: context.target,
        running_in_source_since: edit.and_then(|edit| edit.running_in_source_since),
        last_release: edit.and_then(|edit| edit.last.as_ref()).map(|last| last.release.as_str()),
        last_evidence: edit.and_then(|edit| edit.last.as_ref()).map(|last| last.evidence.as_str()),
        last_decided_at: edit.and_then(|edit| edit.last.as_ref()).map(|last| last.timestamp),
        last_values: edit.and_then(|edit| edit.last.as_ref()).map(|last| &last.runtime_context.values),
        observations: context.observations,
        holds: context.holds,
        along: along(draft, edit),
        overrides: overrides(context, &draft.environment),
        broken: context.broken,
        measurements: Measurements {
            results: context.results,
            records: context.records,
            source: came_from(draft, edit).zip(context.source),
            target,
            default_judge: context.default_judge,
            agents: moved(subject, edit),
            together: draft.agents.keys().cloned().collect(),
        },
    })
}

/// What a change brings into the catalog on behalf of an agent.
fn along(draft: &Draft, edit: Option<&AgentEdit>) -> Vec<(ResourceId, Digest)> {
    let writes = edit.map(|edit| edit.writes.iter()).into_iter().flatten();
    let entry = |id: &ResourceId| Some((id.clone(), draft.catalog.get(id)?.after.as_ref()?.digest()));
    writes.filter_map(entry).collect()
}

/// What the operator overrides; nothing where the trust before the same command does not let them.
fn overrides<'a>(context: &Context<'a>, environment: &str) -> &'a [Override] {
    let operator = &context.operator.principal;
    match context.earlier_trust {
        Some(earlier) if earlier.check_overrider(operator, environment).is_err() => &[],
        _ => context.overrides,
    }
}

/// The gates that the change passes in spite of what they say.
fn overridden(gates: &[GateResult]) -> Vec<RecordedOverride> {
    let word = |gate: &GateResult| {
        let said = gate.overridden.clone()?;
        Some(RecordedOverride { gate: gate.label(), verdict: gate.verdict, said })
    };
    gates.iter().filter_map(word).collect()
}

/// What speaks against a version that comes back, and does not stop it.
fn speaks_against(after: &Closure, subject: &Subject, evidence: &Evidence<'_>) -> Result<Vec<Lack>, String> {
    let spec = evidence.trust.environment(evidence.environment).map(|record| record.spec());
    let defaults = spec.and_then(|spec| spec.get("defaults"));
    let lacks = gate::lacks(&after.everything(), evidence.environment, evidence.standing, defaults);
    let mut against = lacks.map_err(|why| why.0)?;
    against.extend(gate::forbidden(subject, evidence));
    Ok(against)
}

/// The environment that an agent is promoted from; none for one that only a shared resource reaches.
fn came_from<'d>(draft: &'d Draft, edit: Option<&AgentEdit>) -> Option<&'d str> {
    let promoted = edit.is_some_and(|edit| edit.brings.is_some());
    draft.source.as_ref().filter(|_| promoted).map(|source| source.environment.as_str())
}

/// The agents whose closures a subject moves.
fn moved(subject: &Subject, edit: Option<&AgentEdit>) -> Vec<Moved> {
    let Some(edit) = edit else { return Vec::new() };
    let itself = Moved { agent: subject.resource.clone(), from: subject.from, to: subject.to };
    [itself].into_iter().chain(changed_children(edit)).collect()
}

/// What a subject's move is, before anybody judges it.
pub(super) struct Move {
    /// The structural diff.
    pub(super) diff: Vec<Change>,
    /// What it does to the controls in it.
    pub(super) weakenings: Vec<Weakening>,
    /// What sort of change it is.
    pub(super) classes: Vec<ChangeClass>,
}

impl Move {
    pub(super) fn of(
        draft: &Draft,
        subject: &Subject,
        edit: Option<&AgentEdit>,
        context: &Context<'_>,
    ) -> Result<Self, String> {
        let body = |resource: &Option<Arc<Resource>>| resource.as_ref().map(|resource| resource.body().clone());
        let (diff, weakenings) = match (edit, draft.catalog.get(&subject.resource)) {
            (Some(edit), _) => {
                let (before, after) = (edit.before.as_ref().map(|running| &running.closure), edit.after.as_ref());
                let covering = |agent: &Resource| {
                    let teams = context.trust.teams_of(agent);
                    context.target.budgets(agent.id(), &teams.iter().map(String::as_str).collect())
                };
                let steps = diff::weigh_closures(edit.against(), after, &covering).map_err(|why| why.0)?;
                (diff::between_closures(before, after), steps)
            }
            (None, Some(entry)) => {
                let (before, after) = (body(&entry.before), body(&entry.after));
                let id = &subject.resource;
                (diff::between(id, before.as_ref(), after.as_ref()), diff::weigh(id, before.as_ref(), after.as_ref()))
            }
            (None, None) => (Vec::new(), Vec::new()),
        };
        let classes = diff::classes(&subject.resource, &diff, &weakenings);
        Ok(Self { diff, weakenings, classes })
    }
}

/// What the Evals that are demanded said of a subject, each run once.
fn eval_results(rules: &Rules, subject: &Subject, evidence: &Evidence<'_>) -> Vec<gate::Deciding> {
    let mut recorded: Vec<gate::Deciding> = Vec::new();
    for demand in &rules.demands {
        let Requirement::Eval(name) = &demand.requirement else { continue };
        recorded.extend(gate::deciding(name, subject, evidence));
    }
    recorded
}

/// The statements that bear on a subject: not those that brought what runs now.
fn votes_on(
    subject: &Subject,
    edit: Option<&AgentEdit>,
    environment: &str,
    context: &Context<'_>,
) -> Result<Vec<Vote>, String> {
    let since = edit.and_then(|edit| edit.last.as_ref()).map(|last| last.evidence.as_str());
    let mut votes = context.votes.about(&subject.resource, environment, since).map_err(|why| why.0)?;
    votes.retain(|vote| {
        let about = vote.predicate.changes.iter().find(|change| change.resource == subject.resource);
        about.is_some_and(|change| change.to == subject.to || change.to != subject.from)
    });
    Ok(votes)
}

fn approvals(gates: &[GateResult], subject: &Subject, evidence: &Evidence<'_>) -> Vec<RecordedApproval> {
    let teams = gates.iter().filter(|gate| gate.gate == "approval").map(|gate| gate.name.clone());
    let mut recorded = Vec::new();
    for team in teams {
        for (vote, counted) in gate::tally(&team, subject, evidence) {
            recorded.push(RecordedApproval {
                principal: vote.principal.as_ref().map(|principal| principal.name.clone()),
                fingerprint: vote.key.fingerprint(),
                team: team.clone(),
                decision: vote.predicate.decision,
                stated_at: vote.predicate.stated_at,
                expires: vote.predicate.expires,
                counted: match counted {
                    Counted::Yes => "counted".into(),
                    Counted::SelfApproved => "self".into(),
                    Counted::No => "rejected".into(),
                    Counted::Void(why) => why,
                    Counted::Stale(changed) => format!("stale: {changed}"),
                    Counted::Expired => "expired".into(),
                    Counted::Superseded => "superseded".into(),
                },
                evidence: vote.id.clone(),
            });
        }
    }
    recorded
}

fn runtime_context(environment: &str, after: Option<&Closure>, trust: &Trust) -> Result<RuntimeContext, String> {
    let spec = trust.environment(environment).map(|record| record.spec().clone()).unwrap_or(Value::Null);
    let text = |path: &[&str]| spec.at(path).and_then(Value::as_text).map(str::to_owned);
    let mut values = BTreeMap::new();
    let mut missing = Vec::new();
    for resource in after.map(Closure::everything).unwrap_or_default() {
        for (path, key) in resource.environment_keys() {
            match spec.at(&["defaults", &key]) {
                Some(value) => {
                    values.insert(key, value.clone());
                }
                None => missing.push(format!("`{key}`, wanted by {} at `{path}`", resource.id())),
            }
        }
    }
    if !missing.is_empty() {
        return Err(format!(
            "`spec.defaults` of Environment `{environment}` has no {}; an admin adds it and applies the Environment",
            missing.join(", no ")
        ));
    }
    Ok(RuntimeContext {
        environment: environment.to_owned(),
        cluster: text(&["runtime", "cluster"]),
        cloud: text(&["runtime", "cloud"]),
        region: text(&["region"]),
        orchestrator: text(&["runtime", "orchestrator"]),
        values,
    })
}

fn rollback_path(
    environment: &str,
    id: &ResourceId,
    version: Option<u64>,
    digest: Option<Digest>,
) -> Option<RollbackPath> {
    let (version, digest) = (version?, digest?);
    let command = format!("joch rollback {} --to-version {version} --env {environment}", id.words());
    Some(RollbackPath { version, digest, command })
}
