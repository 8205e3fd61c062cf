//! Whether a change of trust asks for less than before: its records one by one, its settings, and who is left to say no.

use std::collections::BTreeSet;

use crate::diff::{Strength, Weakening, weigh};
use crate::resource::{Kind, Resource, ResourceId};

use super::state::Trust;

/// Every step from one state of trust to another, each with its strength.
#[must_use]
pub fn weigh_trust(before: &Trust, after: &Trust) -> Vec<Weakening> {
    let ids: BTreeSet<&ResourceId> = before.resources.keys().chain(after.resources.keys()).collect();
    let body = |trust: &Trust, id: &ResourceId| trust.resources.get(id).map(|found| Resource::body(found).clone());
    let records = ids.into_iter().flat_map(|id| weigh(id, body(before, id).as_ref(), body(after, id).as_ref()));
    records.chain(settings(before, after)).collect()
}

/// How statements and findings name the settings of the ledger, which are no resource.
#[must_use]
pub fn settings_id() -> ResourceId {
    ResourceId::new(Kind::Other("Ledger".into()), "default", "settings")
}

/// What holds for the ledger as a whole. Who is left matters as much as what is written: whoever takes the others away
/// decides alone.
fn settings(before: &Trust, after: &Trust) -> Vec<Weakening> {
    let step = |path: &str, strength, sentence: String| Weakening {
        resource: settings_id(),
        path: path.to_owned(),
        strength,
        sentence,
    };
    let mut steps = Vec::new();
    let (old, new) = (&before.settings, &after.settings);
    if old.quorum != new.quorum {
        let strength = if new.quorum > old.quorum { Strength::Stronger } else { Strength::Weaker };
        steps.push(step("quorum", strength, format!("`quorum` was {} and is {}", old.quorum, new.quorum)));
    }
    if (old.ladder.rungs(), &old.uuid, old.canonical_form) != (new.ladder.rungs(), &new.uuid, new.canonical_form) {
        let was = old.ladder.rungs().join(", ");
        let sentence = format!("the ladder, id or form of the ledger is another: it was {was}");
        steps.push(step("ladder", Strength::Weaker, sentence));
    }
    if after.quorum() < before.quorum() {
        let sentence = format!("{} admins had to agree, and {} would", before.quorum(), after.quorum());
        steps.push(step("quorum", Strength::Weaker, sentence));
    }
    if after.people().len() == 1 && before.people().len() > 1 {
        let sentence = "one person would be left, whose own approval then counts".to_owned();
        steps.push(step("people", Strength::Weaker, sentence));
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::super::sample::{team, trust};
    use super::*;

    fn weaker(before: &Trust, after: &Trust) -> Vec<String> {
        let steps = weigh_trust(before, after).into_iter().filter(Weakening::is_weaker);
        steps.map(|step| format!("{} {}", step.resource, step.sentence)).collect()
    }

    #[test]
    fn an_admin_who_goes_is_no_weakening_while_as_many_must_agree() {
        let three = trust([team("t", &["a admin 1", "b admin 2", "c admin 3"])]);
        let two = trust([team("t", &["a admin 1", "b admin 2"])]);
        let one = trust([team("t", &["a admin 1"])]);
        assert_eq!(weaker(&three, &two), Vec::<String>::new(), "a key that is lost is taken away by one admin");
        let said = weaker(&two, &one);
        assert!(said[0].contains("ledger/settings 2 admins had to agree, and 1 would"), "{said:?}");
        assert!(said[1].contains("one person would be left"), "{said:?}");
        assert_eq!(weaker(&one, &two).len(), 1, "who comes may do more than before");
    }

    #[test]
    fn a_lower_quorum_and_another_ladder_are_weaker_and_a_higher_quorum_is_not() {
        let before = trust([team("t", &["a admin 1", "b admin 2", "c admin 3"])]);
        let mut after = before.clone();
        after.settings.quorum = 3;
        assert_eq!(weaker(&before, &after), Vec::<String>::new());
        assert!(weaker(&after, &before)[0].contains("`quorum` was 3 and is 2"));
        after = before.clone();
        after.settings.ladder = super::super::Ladder::new(vec!["dev".into(), "prod".into()]).expect("a ladder");
        assert!(weaker(&before, &after)[0].contains("the ladder"));
    }
}
