//! The laws of the gates, over whatever people may have said about a change.

use proptest::prelude::*;

use super::tests::{Scene, digest, now};
use super::{Decision, Outcome};

/// Anything that somebody may have said: who, yes or no, about this or something else, in time or too late.
fn utterances() -> impl Strategy<Value = Vec<(u8, bool, u8)>> {
    let seed = prop::sample::select(vec![1, 2, 3, 4, 5, 7, 8, 99]);
    prop::collection::vec((seed, any::<bool>(), 0_u8..8), 0..8)
}

fn demands() -> impl Strategy<Value = Vec<&'static str>> {
    let all = vec!["approval:rm", "approval:rm:2", "approval:security", "approval:nobody", "eval:quality", "policy"];
    prop::sample::subsequence(all, 0..=6).prop_shuffle()
}

fn said(scene: &mut Scene, utterances: &[(u8, bool, u8)]) {
    for (seed, yes, how) in utterances {
        let decision = if *yes { Decision::Approve } else { Decision::Reject };
        scene.says(*seed, decision, |said| match how {
            0 => said.expires = now(),
            1 => said.changes[0].to = Some(digest("other")),
            2 => said.team = Some("security".into()),
            _ => {}
        });
    }
}

fn outcome(scene: &Scene) -> Outcome {
    Outcome::of(&scene.results())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_order_of_demands_changes_no_verdict(demands in demands(), utterances in utterances()) {
        let mut scene = Scene::new();
        said(&mut scene, &utterances);
        scene.demands = demands;
        let mut before = scene.results();
        scene.demands.reverse();
        let mut after = scene.results();
        before.sort_by_key(|result| (result.label(), result.threshold.clone()));
        after.sort_by_key(|result| (result.label(), result.threshold.clone()));
        prop_assert_eq!(before, after);
    }

    #[test]
    fn one_more_demand_opens_nothing(demands in demands(), utterances in utterances(), standing in 0_usize..3) {
        let mut scene = Scene::new();
        said(&mut scene, &utterances);
        scene.demands = demands.iter().copied().take(standing).collect();
        for demand in demands.into_iter().skip(standing) {
            let so_far = outcome(&scene);
            scene.required.push(demand);
            prop_assert!(outcome(&scene) >= so_far, "{:?} opened {:?}", demand, so_far);
        }
    }

    #[test]
    fn one_more_approval_closes_nothing(demands in demands(), utterances in utterances(), last in utterances()) {
        let mut scene = Scene::new();
        scene.demands = demands;
        said(&mut scene, &utterances);
        for (seed, _, how) in last {
            let before = outcome(&scene);
            said(&mut scene, &[(seed, true, how)]);
            prop_assert!(outcome(&scene) <= before, "{seed} {how}");
        }
    }

    #[test]
    fn one_more_current_rejection_by_a_member_blocks(utterances in utterances(), seed in prop::sample::select(vec![1, 2, 3, 4])) {
        let mut scene = Scene::new();
        said(&mut scene, &utterances);
        scene.no(seed);
        prop_assert_eq!(outcome(&scene), Outcome::Blocked);
    }
}
