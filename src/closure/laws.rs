//! The laws of the ripple, over a small universe in which everything may have changed since a closure was cut:
//! two tools of which one may name a server, a server that may name a policy, two policies that may select.

use std::collections::BTreeSet;
use std::sync::Arc;

use proptest::prelude::*;

use super::tests::{Places, Set, set};
use super::{Closure, Exchange, holds, ripple, selects};
use crate::resource::sample::{labelled, one};
use crate::resource::{Resource, ResourceId, Target, Tie};

/// One content of each resource; an odd number makes it name or select.
fn contents(numbers: [u8; 5]) -> [Arc<Resource>; 5] {
    let [a, b, m, p, q] = numbers;
    let link = |number: u8, field: &str| {
        if number % 2 == 1 { format!("{{v: {number}, {field}}}") } else { format!("{{v: {number}}}") }
    };
    let selector = "appliesTo: {agents: {selector: {matchLabels: {tier: gold}}}}";
    [
        one("Tool a", &link(a, "mcpServerRef: m")),
        one("Tool b", &link(b, "mcpServerRef: m")),
        one("MCPServer m", &link(m, "policies: [q]")),
        one("Policy p", &link(p, selector)),
        one("Policy q", &link(q, selector)),
    ]
}

fn numbers() -> impl Strategy<Value = [u8; 5]> {
    prop::array::uniform5(0_u8..6)
}

/// A closure as it was cut some time ago.
fn closures() -> impl Strategy<Value = Closure> {
    (prop::sample::subsequence(vec!["a", "b"], 0..=2), any::<bool>(), any::<bool>(), numbers()).prop_map(
        |(tools, named, gold, numbers)| {
            let policies = if named { "[p]" } else { "[]" };
            let labels = if gold { "{tier: gold}" } else { "{}" };
            let agent =
                labelled("Agent x", labels, &format!("{{tools: [{}], policies: {policies}}}", tools.join(", ")));
            Places { set: set(contents(numbers)), ..Places::default() }.cut(&agent).expect("all is there")
        },
    )
}

/// A catalog of which some is gone by now.
fn catalogs() -> impl Strategy<Value = Set> {
    let all = numbers().prop_map(|numbers| contents(numbers).to_vec());
    all.prop_flat_map(|all| prop::sample::subsequence(all, 0..=5)).prop_map(set)
}

fn exchanges() -> impl Strategy<Value = Exchange> {
    let changes = numbers().prop_map(|numbers| contents(numbers).to_vec());
    let changes = changes.prop_flat_map(|all| prop::sample::subsequence(all, 0..=4));
    (changes, prop::collection::vec(prop::bool::weighted(0.3), 4)).prop_map(|(changes, gone)| {
        let entry = |(new, gone): (Arc<Resource>, bool)| (new.id().clone(), Some(new).filter(|_| !gone));
        Exchange { resources: changes.into_iter().zip(gone).map(entry).collect(), ..Exchange::default() }
    })
}

/// Everything that the agent or a member names.
fn named(closure: &Closure) -> BTreeSet<ResourceId> {
    let mentions = closure.everything().into_iter().flat_map(|resource| resource.mentions());
    let members = mentions.filter(|mention| mention.tie == Tie::Member);
    members
        .filter_map(|mention| match mention.target {
            Target::Resource(reference) => reference.candidates("default").pop(),
            Target::Candidate(_) => None,
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_ripple_changes_what_is_exchanged_and_nothing_else(
        held in closures(), catalog in catalogs(), exchange in exchanges()
    ) {
        let Ok(after) = ripple(&held, &exchange, &catalog) else { return Ok(()) };
        prop_assert_eq!(after.agent(), held.agent());
        for (id, member) in after.members() {
            match (exchange.resources.get(id), held.members().get(id)) {
                (Some(new), _) => prop_assert_eq!(Some(member), new.as_ref()),
                (None, Some(kept)) => prop_assert_eq!(member, kept),
                (None, None) => prop_assert_eq!(Some(member), catalog.get(id), "newly named"),
            }
        }
        let named = named(&after);
        for id in &named {
            prop_assert!(after.members().contains_key(id), "{} is named", id);
        }
        for (id, member) in after.members() {
            prop_assert!(named.contains(id) || selects(member, after.agent()), "{} is there for no reason", id);
        }
        for (id, kept) in held.members() {
            let leaves = exchange.resources.contains_key(id) || !named.contains(id) && !selects(kept, held.agent());
            prop_assert!(leaves || after.members().contains_key(id), "{} left for no reason", id);
        }
        prop_assert_eq!(ripple(&after, &exchange, &catalog), Ok(after.clone()), "once is enough");
    }

    #[test]
    fn what_does_not_reach_a_closure_leaves_it_alone(
        held in closures(), catalog in catalogs(), exchange in exchanges()
    ) {
        let touched = exchange.resources.iter().any(|(id, new)| {
            held.members().contains_key(id) || new.as_ref().is_some_and(|new| selects(new, held.agent()))
        });
        prop_assert_eq!(holds(&held, &exchange), touched);
        if !touched {
            prop_assert_eq!(ripple(&held, &exchange, &catalog), Ok(held));
        }
    }

    #[test]
    fn a_ripple_fails_only_over_what_is_gone_or_newly_named(
        held in closures(), catalog in catalogs(), exchange in exchanges()
    ) {
        let Err(super::Unresolved::Missing(missing)) = ripple(&held, &exchange, &catalog) else { return Ok(()) };
        for missing in missing {
            let (_, name) = missing.what.split_once('/').expect("a kind and a name");
            let gone = exchange.resources.iter().any(|(id, new)| new.is_none() && id.name == name);
            let absent = !catalog.keys().any(|id| id.name == name);
            prop_assert!(gone || absent, "{}", missing);
        }
    }

    #[test]
    fn a_closure_is_read_back_from_its_files(held in closures()) {
        prop_assert_eq!(Closure::from_files(&held.files()), Ok(held));
    }
}
