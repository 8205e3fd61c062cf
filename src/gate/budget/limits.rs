//! Which limits hold for an agent: of Budgets in its closure, imposed by trust, or of the target that cover it, of the
//! agent itself, and of its route.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::closure::Closure;
use crate::eval::Decimal;
use crate::gate::evidence::Evidence;
use crate::resource::envelope::filled;
use crate::resource::view::Budget;
use crate::resource::{Digest, Kind, Map, Number, Reference, Resource, ResourceId, Value};

/// What a limit is held against.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Figure {
    /// US dollars of a run.
    RunUsd,
    /// US dollars of a day.
    DayUsd,
    /// US dollars of a month.
    MonthUsd,
    /// Tokens of a run.
    RunTokens,
    /// Tokens of a day.
    DayTokens,
    /// US dollars of one call of a model, which nobody observes before run time.
    CallUsd,
}

/// One limit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "BudgetLimit")]
pub struct Limit {
    /// What it is held against.
    pub figure: Figure,
    /// Where it stands.
    pub of: ResourceId,
    /// In which field.
    pub field: String,
    /// What must not be exceeded; of a shared budget, this agent's part of it.
    pub hard: Decimal,
    /// Above this it is told.
    pub soft: Decimal,
    /// Whether going over it is only told.
    pub alerts_only: bool,
}

/// The share of a limit that is the soft one where a Budget does not say: the default of the catalogue.
fn usual_soft() -> Decimal {
    Decimal::fraction(8, 10).expect("ten is not 0")
}

/// Every limit that holds, in a fixed order; of one Budget alone where `only` names it.
///
/// # Errors
/// What cannot be read: no limit is left out in silence.
pub(super) fn limits(closure: &Closure, only: Option<&str>, evidence: &Evidence<'_>) -> Result<Vec<Limit>, String> {
    let agent = closure.id();
    let defaults = defaults(evidence);
    let mut limits = Vec::new();
    for budget in budgets(closure, evidence)?.values() {
        if only.is_none_or(|only| budget.id().name == only) {
            let told = |why| format!("{}: {why}", budget.id());
            limits.extend(of_budget(budget, agent, &defaults).map_err(told)?);
        }
    }
    if only.is_none() {
        let own = [("costLimitUsdPerDay", Figure::DayUsd), ("tokenLimitPerRun", Figure::RunTokens)];
        limits.extend(own_limits(closure.agent(), "budgets", &own, &defaults)?);
        let of_route = [("maxCostUsdPerExecution", Figure::RunUsd), ("maxCostUsdPerCall", Figure::CallUsd)];
        for route in closure.members().values().filter(|member| member.id().kind == Kind::ModelRoute) {
            limits.extend(own_limits(route, "constraints", &of_route, &defaults)?);
        }
    }
    limits.sort_by(|a, b| (a.figure, &a.of, &a.field, a.hard).cmp(&(b.figure, &b.of, &b.field, b.hard)));
    Ok(limits)
}

/// The Budgets among those that hold whose amounts cannot be held against prices, each with the reason; of one alone
/// where `only` names it.
///
/// # Errors
/// What cannot be read.
pub(super) fn foreign(closure: &Closure, only: Option<&str>, evidence: &Evidence<'_>) -> Result<Vec<String>, String> {
    let defaults = defaults(evidence);
    let mut found = Vec::new();
    for budget in budgets(closure, evidence)?.values() {
        if only.is_none_or(|only| budget.id().name == only) {
            let view = read(budget, &defaults).map_err(|why| format!("{}: {why}", budget.id()))?;
            found.extend(view.foreign.map(|why| format!("{}: {why}", budget.id())));
        }
    }
    Ok(found)
}

/// The values that the target fills in.
pub(super) fn defaults(evidence: &Evidence<'_>) -> Map {
    let record = evidence.trust.environment(evidence.environment);
    record.and_then(|record| record.spec().get("defaults")?.as_map().cloned()).unwrap_or_default()
}

type Budgets = BTreeMap<(ResourceId, Digest), Arc<Resource>>;

/// The Budgets that hold. Where the target has another content of one that the closure holds, both do. One that covers
/// the version that runs now covers the candidate too.
fn budgets(closure: &Closure, evidence: &Evidence<'_>) -> Result<Budgets, String> {
    let agent = closure.id();
    let mut found = Budgets::new();
    let mut add = |budget: &Arc<Resource>| {
        found.insert((budget.id().clone(), budget.digest()), budget.clone());
    };
    let is_budget = |resource: &&Arc<Resource>| resource.id().kind == Kind::Budget;
    closure.members().values().filter(is_budget).for_each(&mut add);
    let imposed = evidence.trust.imposed(evidence.environment, &agent.namespace);
    imposed.into_iter().filter(is_budget).for_each(&mut add);
    let target = evidence.measurements.target;
    // Nobody leaves a Budget behind by another label in the change that it would stop.
    let running = evidence.running.map(Closure::agents).unwrap_or_default();
    let was = running.values().filter(|running| running.id() == agent).copied();
    let teams: BTreeSet<String> =
        was.chain([closure.agent()]).flat_map(|agent| evidence.trust.teams_of(agent)).collect();
    for budget in target.budgets(agent, &teams.iter().map(String::as_str).collect()).map_err(|why| why.0)? {
        add(&budget);
    }
    for id in closure.members().keys().filter(|id| id.kind == Kind::Budget) {
        if let Some(standing) = target.get(id).map_err(|why| why.0)? {
            add(&standing);
        }
    }
    Ok(found)
}

fn read(budget: &Resource, defaults: &Map) -> Result<Budget, String> {
    let spec = filled(budget.spec(), defaults).map_err(|key| format!("the environment has no `{key}`"))?;
    Budget::read(&spec)
}

fn of_budget(budget: &Resource, agent: &ResourceId, defaults: &Map) -> Result<Vec<Limit>, String> {
    let view = read(budget, defaults)?;
    let part = share(&view, agent, &budget.id().namespace)?;
    let soft_share =
        view.soft_share.map_or_else(|| Ok(usual_soft()), |share| decimal(share, "enforcement.softLimitPct"))?;
    let Budget { limits, .. } = &view;
    let told = [
        (Figure::RunUsd, limits.per_run_usd, "limits.perRunUsd", Decimal::ONE),
        (Figure::DayUsd, limits.daily_usd, "limits.dailyUsd", part),
        (Figure::MonthUsd, limits.monthly_usd, "limits.monthlyUsd", part),
        (Figure::DayTokens, limits.daily_tokens, "limits.tokenLimitDaily", part),
    ];
    let mut found = Vec::new();
    for (figure, number, field, part) in told {
        let Some(number) = number else { continue };
        let too_large = || format!("`{field}` is too large");
        let hard = decimal(number, field)?.by(part).ok_or_else(too_large)?;
        let soft = hard.by(soft_share).ok_or_else(too_large)?;
        let alerts_only = view.alerts_only;
        found.push(Limit { figure, of: budget.id().clone(), field: field.into(), hard, soft, alerts_only });
    }
    Ok(found)
}

/// The part of a shared budget that is an agent's: its own share, or what the shares of others leave. A bare name is
/// looked for where the scope of the Budget would look: in the namespace of the Budget, then in the default one.
fn share(budget: &Budget, agent: &ResourceId, namespace: &str) -> Result<Decimal, String> {
    let mut own = None;
    let mut all = Decimal::ZERO;
    let qualified = format!("{}/{}", agent.namespace, agent.name);
    let bare = Reference { kind: Kind::Agent, namespace: None, name: agent.name.clone() };
    let is_bare = bare.candidates(namespace).contains(agent);
    for (name, share) in &budget.shares {
        let share = decimal(*share, &format!("allocation.byAgent.{name}"))?;
        all = all + share;
        if (is_bare && *name == agent.name) || *name == qualified {
            own = Some(own.map_or(share, |other: Decimal| other.min(share)));
        }
    }
    if all > Decimal::ONE {
        return Err(format!("the shares of `allocation.byAgent` come to {all}, more than all of it"));
    }
    Ok(own.unwrap_or(Decimal::ONE - all))
}

/// The limits that a resource itself names under a key.
fn own_limits(
    resource: &Resource,
    under: &str,
    fields: &[(&str, Figure)],
    defaults: &Map,
) -> Result<Vec<Limit>, String> {
    let Some(said) = resource.spec().get(under).filter(|said| **said != Value::Null) else { return Ok(Vec::new()) };
    let told = |why: String| format!("{}: {why}", resource.id());
    let said = filled(said, defaults).map_err(|key| told(format!("the environment has no `{key}`")))?;
    let mut found = Vec::new();
    for (key, figure) in fields {
        let field = format!("{under}.{key}");
        let number = match said.get(key) {
            None | Some(Value::Null) => continue,
            Some(Value::Number(number)) if number.as_f64() >= 0.0 => *number,
            Some(_) => return Err(told(format!("`{field}` is no number from 0"))),
        };
        let hard = decimal(number, &field).map_err(told)?;
        let soft = hard.by(usual_soft()).ok_or_else(|| told(format!("`{field}` is too large")))?;
        found.push(Limit { figure: *figure, of: resource.id().clone(), field, hard, soft, alerts_only: false });
    }
    Ok(found)
}

fn decimal(number: Number, field: &str) -> Result<Decimal, String> {
    Decimal::from_number(number).ok_or_else(|| format!("`{field}` is too large"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::sample::one;

    #[test]
    fn a_share_by_a_bare_name_is_none_of_an_agent_elsewhere() {
        let budget = one("Budget b", "{limits: {dailyUsd: 10}, allocation: {byAgent: {bot: 0.75}}}");
        let budget = Budget::read(budget.spec()).expect("it can be read");
        let of = |agent: &str, namespace: &str| {
            share(&budget, &ResourceId::agent(agent, "bot"), namespace).expect("shares below 1").to_string()
        };
        assert_eq!(of("default", "default"), "0.75");
        assert_eq!(of("team-a", "default"), "0.25", "what is left");
        assert_eq!((of("team-a", "team-a"), of("default", "team-a")), ("0.75".to_owned(), "0.75".to_owned()));
    }
}
