//! Judging native rules: every rule for every case, three-valued. What is not known is never taken for a no.

use std::sync::Arc;

use crate::closure::Closure;
use crate::resource::envelope::environment_key;
use crate::resource::{Digest, Kind, Resource, Risk, Value};

use super::facts::{Case, Fact, World};
use super::found::{APPROVAL, DENY, FACT_MISSING, Found, Judgement, Obligation, TOO_MANY};
use super::key::Family;
use super::rule::{Condition, Effect, Rule};
use super::wanted::{Wanted, told};

/// How many cases one rule may have.
pub const MOST_CASES: usize = 10_000;
/// How many cases all rules of one policy may have.
pub(super) const MOST_CASES_OF_POLICY: usize = 10 * MOST_CASES;

/// Who can be asked for approval.
pub trait People {
    /// Whether this principal or `team:NAME` is somebody who can answer.
    fn answers(&self, approver: &str) -> bool;
}

/// Whether a rule applies to one case, the least first: one condition that does not hold settles it.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Match {
    /// A condition does not hold.
    No,
    /// A fact is missing: what, and how to supply it.
    Missing(String, String),
    /// All that can be known holds, and the rest shows when it runs: the conditions that are left.
    Runtime(String),
    /// It applies, because of these facts.
    Yes(String),
}

/// What a rule of `policy` says of what `agent` may do with what it and its children have.
pub(super) fn judge(
    policy: &Resource,
    rule: &Rule,
    agent: &Closure,
    world: &World<'_>,
    people: &dyn People,
    judgement: &mut Judgement,
) {
    let by = By { policy, digest: policy.digest(), rule };
    let count = cases(rule, agent);
    if count > MOST_CASES {
        let reason = format!("the rule has {count} cases here, and {MOST_CASES} are judged at most");
        let remedy = "ask about fewer of tools, servers and Models in one rule".to_owned();
        judgement.errors.push(by.found(TOO_MANY, agent.id().to_string(), reason, remedy));
        return;
    }
    for holder in holders(rule, agent) {
        each_case(rule, agent, holder, &mut |case| by.judge(&case, world, people, judgement));
    }
}

/// How many cases a rule has for an agent.
pub(super) fn cases(rule: &Rule, agent: &Closure) -> usize {
    holders(rule, agent).iter().map(|holder| size(rule, holder)).fold(0, usize::saturating_add)
}

/// Those whose tools, servers and Models a rule asks about; the agent alone where it asks about none.
fn holders<'c>(rule: &Rule, agent: &'c Closure) -> Vec<&'c Closure> {
    let wide = [Family::Tool, Family::Server, Family::Model].into_iter().any(|family| rule.asks(family));
    if wide { subtree(agent) } else { vec![agent] }
}

/// An agent and all below it.
fn subtree(agent: &Closure) -> Vec<&Closure> {
    std::iter::once(agent).chain(agent.children().values().flat_map(subtree)).collect()
}

fn members<'c>(holder: &'c Closure, kind: &Kind) -> Vec<Option<&'c Arc<Resource>>> {
    holder.members().values().filter(|member| member.id().kind == *kind).map(Some).collect()
}

/// What one family contributes to the cases: each of its members, or nothing in particular where it is not asked about.
fn axis<'c>(rule: &Rule, family: Family, kind: &Kind, holder: &'c Closure) -> Vec<Option<&'c Arc<Resource>>> {
    if rule.asks(family) { members(holder, kind) } else { vec![None] }
}

fn axes<'c>(rule: &Rule, holder: &'c Closure) -> [Vec<Option<&'c Arc<Resource>>>; 3] {
    [
        axis(rule, Family::Tool, &Kind::Tool, holder),
        axis(rule, Family::Server, &Kind::McpServer, holder),
        axis(rule, Family::Model, &Kind::Model, holder),
    ]
}

fn size(rule: &Rule, holder: &Closure) -> usize {
    axes(rule, holder).iter().map(Vec::len).fold(1, usize::saturating_mul)
}

fn each_case<'c>(rule: &Rule, agent: &'c Closure, holder: &'c Closure, visit: &mut dyn FnMut(Case<'c>)) {
    let [tools, servers, models] = axes(rule, holder);
    for tool in &tools {
        for server in &servers {
            for model in &models {
                visit(Case { agent, tool: *tool, server: *server, model: *model });
            }
        }
    }
}

/// The rule that speaks.
struct By<'a> {
    policy: &'a Resource,
    digest: Digest,
    rule: &'a Rule,
}

impl By<'_> {
    fn judge(&self, case: &Case<'_>, world: &World<'_>, people: &dyn People, judgement: &mut Judgement) {
        if self.rule.effects.is_empty() {
            return;
        }
        let matched = matched(self.rule, case, world);
        if matched == Match::No {
            return;
        }
        for effect in &self.rule.effects {
            match (effect, &matched) {
                (Effect::Transform(word), _) => {
                    let must = format!("{word} where {}", self.condition());
                    judgement.obligations.push(self.obligation(case, must));
                }
                (_, Match::Missing(why, next)) => {
                    let reason = format!("nobody can tell whether it applies: {why}");
                    judgement.gaps.push(self.found(FACT_MISSING, case.told(), reason, next.clone()));
                }
                (Effect::Deny(_), Match::Runtime(left)) => {
                    judgement.obligations.push(self.obligation(case, format!("deny where {left}")));
                }
                (Effect::Deny(reason), Match::Yes(facts)) => {
                    let why = reason.as_ref().map_or_else(String::new, |reason| format!(": {reason}"));
                    let reason = format!("it is denied where {facts}{why}");
                    let remedy = "take out what is denied, or change the policy where it stands, with the approval that asks for";
                    judgement.violations.push(self.found(DENY, case.told(), reason, remedy.into()));
                }
                (Effect::Approve(approvers), Match::Runtime(left)) => {
                    let must = format!("ask {} where {left}", who(approvers));
                    judgement.obligations.push(self.obligation(case, must));
                }
                (Effect::Approve(approvers), Match::Yes(facts)) => match wired(approvers, case, world, people) {
                    Ok(()) => {
                        let must = format!("ask {} where {facts}", who(approvers));
                        judgement.obligations.push(self.obligation(case, must));
                    }
                    Err((why, next)) => {
                        let reason = format!("a person must allow it where {facts}, and {why}");
                        judgement.violations.push(self.found(APPROVAL, case.told(), reason, next));
                    }
                },
                (_, Match::No) => {}
            }
        }
    }

    fn found(&self, id: &str, context: String, reason: String, remedy: String) -> Found {
        Found {
            id: id.to_owned(),
            policy: self.policy.id().clone(),
            digest: self.digest,
            rule: Some(self.rule.index),
            context,
            severity: Risk::High,
            reason,
            remedy,
        }
    }

    fn obligation(&self, case: &Case<'_>, must: String) -> Obligation {
        Obligation {
            policy: self.policy.id().clone(),
            digest: self.digest,
            rule: self.rule.index,
            context: case.told(),
            must,
        }
    }

    fn condition(&self) -> String {
        sentence(self.rule.when.iter().map(|condition| format!("`{}` is {}", condition.written, condition.wanted)))
    }
}

/// Whether somebody is asked before the call: the tool says so itself; or it says nothing, and the rule names people
/// whom the runtime can ask. A tool that says `false` is not overruled by a name.
fn wired(
    approvers: &[String],
    case: &Case<'_>,
    world: &World<'_>,
    people: &dyn People,
) -> Result<(), (String, String)> {
    let said = case.tool.map(|tool| {
        let spec = world.spec(tool);
        (tool.id(), spec.at(&["sideEffects", "requiresApproval"]).cloned())
    });
    if let Some((_, Some(Value::Bool(true)))) = said {
        return Ok(());
    }
    let line = |id: &dyn std::fmt::Display| format!("set `spec.sideEffects.requiresApproval: true` in {id}");
    if let Some((id, Some(value))) = &said
        && *value != Value::Null
    {
        return Err((format!("`requiresApproval` of {id} is {}", told(value)), line(id)));
    }
    let next = said.map_or_else(
        || "name somebody who can answer under `require.approvalRouting.approvers`".to_owned(),
        |(id, _)| line(id),
    );
    if approvers.is_empty() {
        return Err(("nothing says who is asked".into(), next));
    }
    match approvers.iter().find(|approver| !people.answers(approver)) {
        Some(nobody) => Err((format!("`{nobody}` is nobody who can answer"), next)),
        None => Ok(()),
    }
}

fn who(approvers: &[String]) -> String {
    if approvers.is_empty() { "a person".to_owned() } else { approvers.join(" or ") }
}

fn matched(rule: &Rule, case: &Case<'_>, world: &World<'_>) -> Match {
    let allowed = world.allowed_providers();
    let mut held = Vec::new();
    let mut open = Vec::new();
    let mut missing = Vec::new();
    for condition in &rule.when {
        match answer(condition, case, world, allowed.as_deref()) {
            Match::No => return Match::No,
            Match::Missing(why, next) => missing.push((why, next)),
            Match::Runtime(left) => open.push(left),
            Match::Yes(fact) => held.push(fact),
        }
    }
    if !missing.is_empty() {
        let (why, next): (Vec<_>, Vec<_>) = missing.into_iter().unzip();
        return Match::Missing(why.join("; "), next.join("; "));
    }
    if !open.is_empty() {
        return Match::Runtime(sentence(open.into_iter().chain(held)));
    }
    Match::Yes(sentence(held))
}

/// Whether one condition holds.
fn answer(condition: &Condition, case: &Case<'_>, world: &World<'_>, allowed: Option<&[String]>) -> Match {
    let Condition { written, key, wanted } = condition;
    if let Wanted::Runtime(_) = wanted {
        return Match::Runtime(format!("`{written}` is {wanted}"));
    }
    if *wanted == Wanted::NotAllowlisted && allowed.is_none() {
        let why = format!("Environment `{}` has no `spec.allowlists.modelProviders`", world.environment);
        let next = format!(
            "an admin adds `allowlists: {{ modelProviders: [ … ] }}` to the Environment `{}` and applies it",
            world.environment
        );
        return Match::Missing(why, next);
    }
    match world.fact(key, written, case) {
        Fact::Runtime => Match::Runtime(format!("`{written}` is {wanted}")),
        Fact::Missing { why, next } => Match::Missing(why, next),
        Fact::Known { values, source } => {
            // Any of several values may be the one that counts: one that matches is enough.
            let mut unclear = None;
            for value in &values {
                match wanted.holds(value, allowed) {
                    Some(true) => return Match::Yes(format!("`{written}` is {} ({source})", told(value))),
                    Some(false) => {}
                    None => unclear = Some(value),
                }
            }
            match unclear {
                None => Match::No,
                Some(value) => Match::Missing(
                    format!(
                        "`{written}` is {}, {}, and cannot be compared with {wanted} ({source})",
                        told(value),
                        value.type_name()
                    ),
                    format!("write {source} as the rule asks for it"),
                ),
            }
        }
    }
}

fn sentence(facts: impl IntoIterator<Item = String>) -> String {
    let facts: Vec<_> = facts.into_iter().collect();
    if facts.is_empty() { "it happens at all".to_owned() } else { facts.join(" and ") }
}

/// Whether a policy's text still has a value that only an environment fills in.
pub(super) fn is_open(value: &Value) -> bool {
    environment_key(value).is_some()
        || match value {
            Value::List(items) => items.iter().any(is_open),
            Value::Map(map) => map.values().any(is_open),
            _ => false,
        }
}
