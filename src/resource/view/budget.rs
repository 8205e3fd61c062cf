//! Budget: what may be spent, by whom, and what happens at the limit.

use std::collections::BTreeMap;

use super::references;
use crate::resource::envelope::Resource;
use crate::resource::id::{Reference, ResourceId};
use crate::resource::kind::Kind;
use crate::resource::value::{Number, Value};

/// What a Budget says.
#[derive(Debug, Clone, PartialEq)]
pub struct Budget {
    /// What may be spent.
    pub limits: Limits,
    /// Which share of a limit is the soft one, where it says so.
    pub soft_share: Option<Number>,
    /// Whether going over a limit is only told.
    pub alerts_only: bool,
    /// The share of each agent, by `name` or `namespace/name`.
    pub shares: BTreeMap<String, Number>,
    /// Why its amounts cannot be held against prices, where it names a currency that these are not in.
    pub foreign: Option<String>,
}

/// The maps of a Budget of which every key counts, and the keys that joch reads there.
pub const READ: &[(&str, &[&str])] = &[
    ("scope", &["teams", "agents"]),
    ("limits", &["perRunUsd", "dailyUsd", "monthlyUsd", "tokenLimitDaily"]),
    ("allocation", &["byAgent"]),
];

/// Who draws on a Budget.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scope {
    /// Teams that draw on it.
    pub teams: Vec<Reference>,
    /// Agents that draw on it.
    pub agents: Vec<Reference>,
}

/// What may be spent. None is below zero.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Limits {
    /// US dollars of a run.
    pub per_run_usd: Option<Number>,
    /// US dollars of a day.
    pub daily_usd: Option<Number>,
    /// US dollars of a month.
    pub monthly_usd: Option<Number>,
    /// Tokens of a day.
    pub daily_tokens: Option<Number>,
}

impl Scope {
    /// The scope of a Budget; `None` for another kind.
    #[must_use]
    pub fn of(resource: &Resource) -> Option<Self> {
        if resource.id().kind != Kind::Budget {
            return None;
        }
        let scope = |key: &str| resource.spec().at(&["scope", key]);
        Some(Self { teams: references(&Kind::Team, scope("teams")), agents: references(&Kind::Agent, scope("agents")) })
    }

    /// Whether it names this agent, or a team of which `is_of` says that the agent is of it; `namespace` is that of the
    /// Budget.
    #[must_use]
    pub fn covers(&self, agent: &ResourceId, namespace: &str, is_of: impl Fn(&str) -> bool) -> bool {
        self.agents.iter().any(|named| named.candidates(namespace).contains(agent))
            || self.teams.iter().any(|team| is_of(&team.name))
    }
}

impl Budget {
    /// Reads the `spec` of a Budget, its `{fromEnvironment: KEY}` filled in.
    ///
    /// # Errors
    /// A limit, share or word that is none: no limit is left out in silence.
    pub fn read(spec: &Value) -> Result<Self, String> {
        for (under, known) in READ {
            let mut keys = spec.get(under).and_then(Value::as_map).into_iter().flat_map(|map| map.keys());
            if let Some(odd) = keys.find(|key| !known.contains(&key.as_str())) {
                return Err(format!("`{under}.{odd}` is nothing that joch reads, so nobody knows what it limits"));
            }
        }
        let limit = |key: &str| amount(spec.at(&["limits", key]), &format!("limits.{key}"));
        let soft_share = amount(spec.at(&["enforcement", "softLimitPct"]), "enforcement.softLimitPct")?;
        if soft_share.is_some_and(|share| share.as_f64() > 1.0) {
            return Err("`enforcement.softLimitPct` is a share from 0 to 1".into());
        }
        let alerts_only = match spec.at(&["enforcement", "onHardLimit"]) {
            None | Some(Value::Null) => false,
            // Any other word than this one stops: nobody means less by it.
            Some(Value::Text(word)) => word == "alert",
            Some(other) => return Err(format!("`enforcement.onHardLimit` is {}, and must be text", other.type_name())),
        };
        let mut shares = BTreeMap::new();
        match spec.at(&["allocation", "byAgent"]) {
            None | Some(Value::Null) => {}
            Some(Value::Map(map)) => {
                for (agent, share) in map {
                    let at = format!("allocation.byAgent.{agent}");
                    let share = amount(Some(share), &at)?.ok_or_else(|| format!("`{at}` says nothing"))?;
                    if share.as_f64() > 1.0 {
                        return Err(format!("`{at}` is {share}, and a share is from 0 to 1"));
                    }
                    shares.insert(agent.clone(), share);
                }
            }
            Some(other) => return Err(format!("`allocation.byAgent` is {}, and must be a map", other.type_name())),
        }
        Ok(Self {
            limits: Limits {
                per_run_usd: limit("perRunUsd")?,
                daily_usd: limit("dailyUsd")?,
                monthly_usd: limit("monthlyUsd")?,
                daily_tokens: limit("tokenLimitDaily")?,
            },
            soft_share,
            alerts_only,
            shares,
            foreign: foreign(spec.get("currency")),
        })
    }
}

/// Amounts are in US dollars, as their names say; a currency beside them that is another, or none, makes all of them
/// doubtful.
fn foreign(currency: Option<&Value>) -> Option<String> {
    match currency {
        None | Some(Value::Null) => None,
        Some(Value::Text(word)) if word == "USD" => None,
        Some(Value::Text(word)) => {
            let word: String = word.chars().filter(|c| !c.is_control()).take(12).collect();
            Some(format!("its `currency` is `{word}`, and prices and limits are in US dollars"))
        }
        Some(other) => Some(format!("its `currency` is {}, and no word for a currency", other.type_name())),
    }
}

/// A number from 0.
fn amount(value: Option<&Value>, at: &str) -> Result<Option<Number>, String> {
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Number(number)) if number.as_f64() >= 0.0 => Ok(Some(*number)),
        Some(Value::Number(number)) => Err(format!("`{at}` is {number}, and a limit is not below 0")),
        Some(other) => Err(format!("`{at}` is {}, and must be a number", other.type_name())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::sample::one;

    fn budget(spec: &str) -> Result<Budget, String> {
        Budget::read(one("Budget b", spec).spec())
    }

    #[test]
    fn a_budget_says_whom_it_covers_and_nobody_else() {
        let scope = Scope::of(&one("Budget b", "{scope: {teams: [support], agents: [x, {name: y, namespace: z}]}}"));
        let scope = scope.expect("a Budget");
        let covers = |namespace: &str, name: &str, team: &str| {
            scope.covers(&ResourceId::agent(namespace, name), "default", |named| named == team)
        };
        assert!(covers("default", "x", "") && covers("z", "y", "") && covers("q", "any", "support"));
        assert!(!covers("z", "x", "") && !covers("default", "y", "sales"));
    }

    #[test]
    fn a_limit_that_is_none_is_not_left_out() {
        for (spec, says) in [
            ("{limits: {dailyUsd: much}}", "`limits.dailyUsd` is text"),
            ("{limits: {dailyUsd: -1}}", "`limits.dailyUsd` is -1"),
            ("{limits: {tokenLimitDaily: [1]}}", "`limits.tokenLimitDaily` is a list"),
            ("{enforcement: {softLimitPct: 80}}", "a share from 0 to 1"),
            ("{enforcement: {onHardLimit: [deny]}}", "`enforcement.onHardLimit` is a list"),
            ("{allocation: {byAgent: {x: half}}}", "`allocation.byAgent.x` is text"),
            ("{allocation: {byAgent: [x]}}", "`allocation.byAgent` is a list"),
            ("{allocation: {byAgent: {x: 1.5}}}", "`allocation.byAgent.x` is 1.5, and a share is from 0 to 1"),
            ("{allocation: {byAgent: {x: -0.5, y: 1}}}", "`allocation.byAgent.x` is -0.5"),
            ("{allocation: {byTeam: {x: 1}}}", "`allocation.byTeam` is nothing that joch reads"),
            ("{limits: {weeklyUsd: 5}}", "`limits.weeklyUsd` is nothing that joch reads"),
            ("{scope: {agents: [x], selector: {matchExpressions: []}}}", "`scope.selector` is nothing that joch reads"),
        ] {
            let why = budget(spec).expect_err(spec);
            assert!(why.contains(says), "{why}");
        }
        let said = |word: &str| budget(&format!("{{enforcement: {{onHardLimit: {word}}}}}")).expect("read").alerts_only;
        assert!(said("alert") && !said("deny") && !said("warn") && !said("Alert"));
    }
}
