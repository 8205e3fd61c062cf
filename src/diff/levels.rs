//! What a change of an agent does to the controls in its closure, level by level: its own limits, policies and budgets,
//! and those of its child agents.
//!
//! A child agent that goes leaves nothing behind that its controls could bind. Where another comes in the same change,
//! nobody can tell whether it does the work of the one that went, so it is held against what bound that one: of all that
//! come, as many must be bound by a control as it bound before, and as strictly.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::strength::{Weakening, own_limits, weigh};
use crate::closure::{Closure, Unreadable};
use crate::resource::{Kind, Resource, ResourceId, Value};

type Level = BTreeMap<ResourceId, Value>;
type Levels = BTreeMap<String, Level>;

/// The Budgets of a catalog that cover an agent without being part of its closure.
pub type Covering<'c> = dyn Fn(&Resource) -> Result<Vec<Arc<Resource>>, Unreadable> + 'c;

/// What a change of an agent does to the controls in its closure, and to the Budgets that cover it beside, as the
/// environment has them before the change.
///
/// # Errors
/// What `covering` cannot read.
pub fn weigh_closures(
    before: Option<&Closure>,
    after: Option<&Closure>,
    covering: &Covering<'_>,
) -> Result<Vec<Weakening>, Unreadable> {
    let (Some(before), Some(after)) = (before, after) else { return Ok(Vec::new()) };
    let (mut old, mut new) = (before.levels(), after.levels());
    let (was, is) = (before.agents(), after.agents());
    // Where nothing moves that a Budget finds an agent by, each of them covers as much as before.
    let found_by = |agents: &BTreeMap<String, &Arc<Resource>>| {
        let team = |(path, agent): (&String, &&Arc<Resource>)| (path.clone(), agent.labels().remove("team"));
        agents.iter().map(team).collect::<Vec<_>>()
    };
    if found_by(&was) != found_by(&is) {
        cover(&mut old, &was, covering)?;
        cover(&mut new, &is, covering)?;
    }
    Ok(weigh_levels(before.id(), &old, &new))
}

/// Adds to each level the Budgets that cover its agent and that it does not hold itself.
fn cover(
    levels: &mut Levels,
    agents: &BTreeMap<String, &Arc<Resource>>,
    covering: &Covering<'_>,
) -> Result<(), Unreadable> {
    for (path, agent) in agents {
        let Some(level) = levels.get_mut(path) else { continue };
        for budget in covering(agent)? {
            level.entry(budget.id().clone()).or_insert_with(|| budget.body().clone());
        }
    }
    Ok(())
}

fn weigh_levels(agent: &ResourceId, old: &Levels, new: &Levels) -> Vec<Weakening> {
    let mut found: Vec<Weakening> = Vec::new();
    let mut add = |steps: Vec<Weakening>, unbound: &str| {
        for mut step in steps {
            if step.path.is_empty() && step.is_weaker() {
                step.sentence = format!("it no longer binds {unbound}");
            }
            if !found.contains(&step) {
                found.push(step);
            }
        }
    };
    for (level, old) in old {
        let Some(new) = new.get(level) else { continue };
        let ids = old.keys().chain(new.keys().filter(|id| !old.contains_key(*id)));
        for id in ids {
            let (was, is) = (old.get(id), new.get(id));
            add(step(id, was, is), &agent.to_string());
        }
    }
    let gone: Vec<&Level> = old.iter().filter(|(path, _)| !new.contains_key(*path)).map(|(_, level)| level).collect();
    let come: Vec<&str> = new.keys().filter(|path| !old.contains_key(*path)).map(String::as_str).collect();
    if gone.is_empty() || come.is_empty() {
        return found;
    }
    let unbound = format!("what takes the place of {}", agents(&gone));
    for id in bound(&gone) {
        let was: Vec<&Value> = gone.iter().filter_map(|level| level.get(id)).collect();
        let is = come.iter().map(|path| binding(id, path, new)).collect();
        for (was, is) in partners(&was, is, |was, is| was == is) {
            add(step(id, Some(was), is), &unbound);
        }
    }
    // What an agent says of its own spending has no name: the agents are held against each other.
    let limits = |agent: &Value| agent.at(&["spec", "budgets"]).cloned();
    let limited: Vec<(&ResourceId, &Value)> =
        gone.iter().filter_map(|level| agent_of(level)).filter(|(_, agent)| limits(agent).is_some()).collect();
    let heirs = come.iter().map(|path| new.get(*path).and_then(agent_of).map(|(_, agent)| agent)).collect();
    let bodies: Vec<&Value> = limited.iter().map(|(_, agent)| *agent).collect();
    for (was, is) in partners(&bodies, heirs, |was, is| limits(was) == limits(is)) {
        for (id, _) in limited.iter().filter(|(_, agent)| *agent == was) {
            add(step(id, Some(was), is), &unbound);
        }
    }
    found
}

/// What a step does to one resource of a closure.
fn step(id: &ResourceId, was: Option<&Value>, is: Option<&Value>) -> Vec<Weakening> {
    match id.kind {
        Kind::Agent => own_limits(id, was, is),
        _ => weigh(id, was, is),
    }
}

/// The agent that a level is about: no other stands in it.
fn agent_of(level: &Level) -> Option<(&ResourceId, &Value)> {
    level.iter().find(|(id, _)| id.kind == Kind::Agent)
}

fn agents(levels: &[&Level]) -> String {
    let mut names: Vec<String> =
        levels.iter().filter_map(|level| agent_of(level)).map(|(id, _)| id.to_string()).collect();
    names.sort();
    names.dedup();
    let more = names.len().saturating_sub(3);
    names.truncate(3);
    if more > 0 {
        names.push(format!("and {more} more"));
    }
    names.join(", ")
}

/// Every policy and budget at these levels, each once.
fn bound<'l>(levels: &[&'l Level]) -> Vec<&'l ResourceId> {
    let mut ids: Vec<&ResourceId> = levels
        .iter()
        .flat_map(|level| level.keys())
        .filter(|id| matches!(id.kind, Kind::Policy | Kind::Budget))
        .collect();
    ids.sort();
    ids.dedup();
    ids
}

/// The content of a control that binds the agent at this level: its own, else that of the nearest agent above it.
fn binding<'l>(id: &ResourceId, level: &str, levels: &'l Levels) -> Option<&'l Value> {
    let ends = std::iter::once(level.len()).chain(level.rmatch_indices('/').map(|(at, _)| at + 1).skip(1));
    let above = ends.chain([0]).filter_map(|end| levels.get(level.get(..end)?));
    above.into_iter().find_map(|held| held.get(id))
}

/// What each that was is held against: nothing where one that is equals it, else whatever is left that is bound, or
/// nothing at all if too few are.
fn partners<'v>(
    was: &[&'v Value],
    mut is: Vec<Option<&'v Value>>,
    alike: impl Fn(&Value, &Value) -> bool,
) -> Vec<(&'v Value, Option<&'v Value>)> {
    let all = is.clone();
    let mut lost: Vec<&Value> = Vec::new();
    for was in was {
        match is.iter().position(|is| is.is_some_and(|is| alike(was, is))) {
            Some(place) => drop(is.remove(place)),
            None => lost.push(was),
        }
    }
    if is.is_empty() {
        is = all;
    }
    is.sort_by_key(Option::is_none);
    is.truncate(lost.len());
    distinct(&mut lost);
    distinct(&mut is);
    lost.into_iter().flat_map(|was| is.iter().map(move |is| (was, *is)).collect::<Vec<_>>()).collect()
}

/// Each content once, so that many children of one content are weighed as one.
fn distinct<T: PartialEq>(contents: &mut Vec<T>) {
    let mut kept: Vec<T> = Vec::new();
    for content in contents.drain(..) {
        if !kept.contains(&content) {
            kept.push(content);
        }
    }
    *contents = kept;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::sample::{labelled, one};

    const DENY: &str =
        "{rules: [{when: {tool.name: x}, action: {deny: true}}, {when: {env: y}, action: {deny: true}}]}";
    const MILD: &str = "{rules: [{when: {tool.name: x}, action: {deny: true}}]}";

    fn closure(name: &str, spec: &str, members: &[Arc<Resource>], children: Vec<Closure>) -> Closure {
        let members = members.iter().map(|member| (member.id().clone(), member.clone())).collect();
        let children = children.into_iter().map(|child| (child.id().clone(), child)).collect();
        Closure::new(one(&format!("Agent {name}"), spec), members, children)
    }

    fn guard(spec: &str) -> Arc<Resource> {
        one("Policy guard", spec)
    }

    fn child(name: &str, members: &[Arc<Resource>]) -> Closure {
        closure(name, "{}", members, Vec::new())
    }

    /// What asks for less in a parent whose children were these and are those.
    fn weaker(was: Vec<Closure>, is: Vec<Closure>) -> Vec<String> {
        let (was, is) = (closure("parent", "{}", &[], was), closure("parent", "{}", &[], is));
        covered(&was, &is, &[])
    }

    /// The same of two closures, where these Budgets stand in the catalog and cover by the label `team`.
    fn covered(was: &Closure, is: &Closure, budgets: &[Arc<Resource>]) -> Vec<String> {
        let covering = |agent: &Resource| {
            let teams: Vec<String> = agent.labels().remove("team").into_iter().collect();
            let draws = |budget: &&Arc<Resource>| {
                crate::closure::draws(budget, agent.id(), &teams.iter().map(String::as_str).collect())
            };
            Ok(budgets.iter().filter(draws).cloned().collect())
        };
        let steps = weigh_closures(Some(was), Some(is), &covering).expect("all can be read");
        steps
            .into_iter()
            .filter(Weakening::is_weaker)
            .map(|step| format!("{}: {} {}", step.resource, step.path, step.sentence))
            .collect()
    }

    #[test]
    fn a_child_that_is_renamed_keeps_its_policies_or_is_weaker() {
        let was = || vec![child("old", &[guard(DENY)])];
        let said = "policy/guard:  it no longer binds what takes the place of agent/old";
        assert_eq!(weaker(was(), vec![child("new", &[])]), [said]);
        assert_eq!(weaker(was(), vec![child("new", &[guard(DENY)])]), Vec::<String>::new());
        let milder = weaker(was(), vec![child("new", &[guard(MILD)])]);
        assert!(milder.len() == 1 && milder[0].starts_with("policy/guard: spec.rules"), "{milder:?}");
        let nested = weaker(was(), vec![closure("new", "{}", &[guard(DENY)], vec![child("below", &[])])]);
        assert_eq!(nested, Vec::<String>::new(), "what binds an agent binds what its children do for it");
        let (a, b) = (vec![child("old", &[guard(DENY)])], vec![child("new", &[])]);
        let stays = |children| vec![closure("stays", "{}", &[guard(DENY)], children)];
        assert_eq!(weaker(stays(a), stays(b)), Vec::<String>::new(), "and so does what binds the one above");
    }

    #[test]
    fn a_child_that_is_dropped_has_nothing_left_to_bind() {
        let was = || vec![child("old", &[guard(DENY)]), child("stays", &[])];
        assert_eq!(weaker(was(), vec![child("stays", &[])]), Vec::<String>::new());
        assert_eq!(weaker(was(), Vec::new()), Vec::<String>::new());
        assert_eq!(weaker(Vec::new(), vec![child("new", &[])]), Vec::<String>::new(), "one that only comes");
    }

    #[test]
    fn a_policy_of_a_sibling_that_stays_does_not_bind_the_renamed_child() {
        let guarded = |name| child(name, &[guard(DENY)]);
        let said = weaker(vec![guarded("old"), guarded("stays")], vec![child("new", &[]), guarded("stays")]);
        assert_eq!(said, ["policy/guard:  it no longer binds what takes the place of agent/old"]);
        let both = weaker(vec![guarded("a"), guarded("b")], vec![guarded("c"), child("d", &[])]);
        assert_eq!(both, ["policy/guard:  it no longer binds what takes the place of agent/a, agent/b"]);
        let more = weaker(vec![guarded("a")], vec![guarded("c"), child("d", &[])]);
        assert_eq!(more, Vec::<String>::new(), "as many are bound as were");
    }

    #[test]
    fn of_several_contents_each_finds_its_like_first() {
        let with = |name, spec| child(name, &[guard(spec)]);
        let swapped = weaker(vec![with("a", DENY), with("b", MILD)], vec![with("c", MILD), with("d", DENY)]);
        assert_eq!(swapped, Vec::<String>::new());
        let fewer = weaker(vec![with("a", DENY), with("b", MILD)], vec![with("c", MILD)]);
        assert!(fewer.len() == 1 && fewer[0].contains("spec.rules"), "{fewer:?}");
    }

    #[test]
    fn budgets_and_what_an_agent_says_of_its_own_spending_are_held_against_the_heir_too() {
        let budget = |most: &str| one("Budget daily", &format!("{{limits: {{dailyUsd: {most}}}}}"));
        let said = weaker(vec![child("old", &[budget("5")])], vec![child("new", &[budget("50")])]);
        assert_eq!(said, ["budget/daily: spec.limits.dailyUsd `spec.limits.dailyUsd` was 5 and is 50"]);
        let own = |name, spec: &str| closure(name, spec, &[], Vec::new());
        let limited = "{budgets: {costLimitUsdPerDay: 5}}";
        let said = weaker(vec![own("old", limited)], vec![own("new", "{}")]);
        assert!(said.len() == 1 && said[0].starts_with("agent/old: spec.budgets"), "{said:?}");
        assert_eq!(weaker(vec![own("old", limited)], vec![own("new", limited)]), Vec::<String>::new());
    }

    #[test]
    fn a_budget_that_finds_an_agent_by_its_label_is_lost_with_the_label() {
        let budget = [one("Budget daily", "{scope: {teams: [support]}, limits: {dailyUsd: 5}}")];
        let of = |name: &str, team: &str, children| {
            let agent = labelled(&format!("Agent {name}"), &format!("{{team: {team}}}"), "{}");
            Closure::new(agent, BTreeMap::new(), children)
        };
        let alone = |team| of("x", team, BTreeMap::new());
        let said = ["budget/daily:  it no longer binds agent/x"];
        assert_eq!(covered(&alone("support"), &alone("other"), &budget), said);
        assert_eq!(covered(&alone("support"), &child("x", &[]), &budget), said, "no label at all");
        assert_eq!(covered(&alone("other"), &alone("support"), &budget), Vec::<String>::new());
        assert_eq!(covered(&alone("support"), &child("x", &budget), &budget), Vec::<String>::new(), "it names it now");
        let below = |name, team| {
            let child = of(name, team, BTreeMap::new());
            of("parent", "desk", BTreeMap::from([(child.id().clone(), child)]))
        };
        let moved = covered(&below("x", "support"), &below("x", "other"), &budget);
        assert_eq!(moved, ["budget/daily:  it no longer binds agent/parent"]);
        let renamed = covered(&below("x", "support"), &below("y", "other"), &budget);
        assert_eq!(renamed, ["budget/daily:  it no longer binds what takes the place of agent/x"]);
    }
}
