//! Holds, overrides and reviews against named attacks: who says what, and what comes of it, in words.

use chrono::{DateTime, TimeDelta, Utc};

use super::tests::{Scene, digest, now};
use super::*;
use crate::resource::ResourceId;
use crate::trust::sample::key;

fn support() -> ResourceId {
    ResourceId::agent("default", "support")
}

/// What the holder of a key says of the candidate.
fn said(scene: &mut Scene, seed: u8, action: HoldAction, alter: impl Fn(&mut Hold)) {
    let mut hold = Hold {
        schema: HOLD_SCHEMA.into(),
        action,
        resource: support(),
        digest: digest("new"),
        version: Some(8),
        environment: Some("prod".into()),
        reason: Some("it leaks".into()),
        release: None,
        stated_at: now(),
        ledger: None,
    };
    alter(&mut hold);
    let principal = scene.trust.principal(&key(seed));
    scene.holds.push(Held {
        id: format!("hold-{}", scene.holds.len()),
        principal,
        key: key(seed),
        hold,
        carried_at: now(),
    });
}

fn told(scene: &Scene) -> Vec<String> {
    let results = scene.results();
    results.iter().map(|result| format!("{} {}", result.verdict.word(), result.label())).collect()
}

fn free() -> Scene {
    let mut scene = Scene::new();
    scene.demands.clear();
    scene
}

#[test]
fn the_last_word_that_counts_holds_a_version_or_lets_it_go() {
    let (hold, lift) = (HoldAction::Hold, HoldAction::Lift);
    let held = ["FAIL hold"];
    let after = |words: &[(u8, HoldAction)]| {
        let mut scene = free();
        words.iter().for_each(|(seed, action)| said(&mut scene, *seed, *action, |_| {}));
        told(&scene)
    };
    assert!(after(&[]).is_empty());
    assert_eq!(after(&[(2, hold)]), held);
    assert!(after(&[(2, hold), (3, lift)]).is_empty(), "anybody with a say lets it go");
    assert_eq!(after(&[(2, hold), (3, lift), (2, hold)]), held);
    assert_eq!(after(&[(7, hold)]), held, "a machine may hold");
    assert_eq!(after(&[(2, hold), (7, lift)]), held, "and lets nothing go");
    assert!(after(&[(5, hold)]).is_empty(), "a viewer has no say");
    assert_eq!(after(&[(2, hold), (5, lift)]), held);
    assert_eq!(after(&[(2, hold), (99, lift)]), held, "nor has a stranger");
    assert!(after(&[(99, hold)]).is_empty());
}

#[test]
fn a_hold_is_about_one_content_in_one_place() {
    let with = |alter: fn(&mut Hold)| {
        let mut scene = free();
        said(&mut scene, 2, HoldAction::Hold, alter);
        told(&scene)
    };
    assert_eq!(with(|hold| hold.environment = None), ["FAIL hold"]);
    assert!(with(|hold| hold.environment = Some("staging".into())).is_empty());
    assert!(with(|hold| hold.digest = digest("other")).is_empty());
    assert!(with(|hold| hold.resource = ResourceId::agent("team-b", "support")).is_empty());
    let mut scene = free();
    said(&mut scene, 2, HoldAction::Hold, |_| {});
    let result = scene.results().remove(0);
    assert!(
        result.reason.contains("agent/support v8 is on hold in `prod`") && result.reason.contains("by ana: it leaks")
    );
    assert_eq!(result.next.as_deref(), Some("joch lift agent support --version 8 --env prod --reason TEXT"));
    assert_eq!(result.demanded_by, ["every environment"]);
}

fn over(gate: &str) -> Override {
    Override {
        gate: gate.into(),
        reason: "prod is down".into(),
        ticket: "INC-7".into(),
        expires: now() + TimeDelta::hours(4),
    }
}

/// What the gates come to where Olga may override, and asks for this.
fn outcome(scene: &mut Scene, overrides: Vec<Override>) -> Outcome {
    scene.overrides = overrides;
    Outcome::of(&scene.results())
}

#[test]
fn only_what_is_asked_for_in_full_by_whom_the_environment_names_is_overridden() {
    let asked = |overriders: &str, alter: fn(&mut Override)| {
        let mut scene = Scene::new().where_may_override(overriders);
        let mut one = over("approval:rm");
        alter(&mut one);
        outcome(&mut scene, vec![one])
    };
    assert_eq!(asked("[olga]", |_| {}), Outcome::Open);
    assert_eq!(asked("['team:rm']", |_| {}), Outcome::Open);
    for (overriders, alter) in [
        ("[]", (|_| {}) as fn(&mut Override)),
        ("[ana]", |_| {}),
        ("[olga]", |one| one.ticket = " ".into()),
        ("[olga]", |one| one.reason = String::new()),
        ("[olga]", |one| one.expires = now()),
        ("[olga]", |one| one.expires = now() + TimeDelta::hours(5)),
        ("[olga]", |one| one.gate = "approval:security".into()),
    ] {
        assert_eq!(asked(overriders, alter), Outcome::Pending, "{overriders}");
    }
    let mut bot = Scene::new().where_may_override("[olga, bot]");
    bot.operator = "bot".into();
    assert_eq!(outcome(&mut bot, vec![over("approval:rm")]), Outcome::Pending, "a machine overrides nothing");
}

#[test]
fn an_override_keeps_the_verdict_and_leaves_the_other_gates() {
    let mut scene = Scene::new().where_may_override("[olga]");
    scene.demands.push("budget");
    assert_eq!(outcome(&mut scene, vec![over("approval:rm")]), Outcome::Blocked);
    let results = scene.results();
    assert_eq!(
        (results[0].verdict, results[0].overridden.as_ref().map(|said| said.by.as_str())),
        (Verdict::Pending, Some("olga"))
    );
    assert_eq!(results[1].overridden, None);
    assert_eq!(outcome(&mut scene, vec![over("approval:rm"), over("budget")]), Outcome::Open);
    said(&mut scene, 2, HoldAction::Hold, |_| {});
    assert_eq!(
        outcome(&mut scene, vec![over("approval:rm"), over("budget")]),
        Outcome::Blocked,
        "a hold is a gate too"
    );
    assert_eq!(outcome(&mut scene, vec![over("approval:rm"), over("budget"), over("hold")]), Outcome::Open);
}

#[test]
fn a_persons_no_and_what_would_go_back_are_not_overridden() {
    let mut scene = Scene::new().where_may_override("[olga]");
    scene.no(2);
    assert_eq!(outcome(&mut scene, vec![over("approval:rm")]), Outcome::Blocked);
    let mut scene = free().where_may_override("[olga]");
    scene.no(2);
    assert_eq!(outcome(&mut scene, vec![over("approval:rm")]), Outcome::Blocked, "also where nobody asked her");
}

/// An override of Olga's that brought what runs now, which ran out at `expires`; and what was said of it.
fn broken(scene: &mut Scene, expires: DateTime<Utc>, reviews: &[(u8, Judgement)]) {
    let glass = Glass {
        schema: OVERRIDE_SCHEMA.into(),
        resource: support(),
        environment: "prod".into(),
        release: "prod/7".into(),
        digest: Some(digest("old")),
        record: digest("record"),
        gates: vec!["approval:rm".into()],
        by: "olga".into(),
        reason: "prod is down".into(),
        ticket: "INC-7".into(),
        authors: vec!["ben".into()],
        stated_at: expires - TimeDelta::hours(4),
        expires,
    };
    let review = |(seed, decision): &(u8, Judgement)| Reviewed {
        id: "review".into(),
        principal: scene.trust.principal(&key(*seed)),
        key: key(*seed),
        review: Review {
            schema: REVIEW_SCHEMA.into(),
            reviews: "glass".into(),
            resource: support(),
            environment: "prod".into(),
            release: "prod/7".into(),
            commit: "c".into(),
            record: digest("record"),
            decision: *decision,
            rationale: "seen".into(),
            stated_at: now(),
        },
        carried_at: now(),
    };
    let reviews = reviews.iter().map(review).collect();
    let principal = scene.trust.principal(&key(1));
    scene.broken.push(Broken { id: "glass".into(), principal, key: key(1), glass, reviews });
}

#[test]
fn what_nobody_with_a_say_reviewed_in_time_stops_what_comes_after() {
    let after = |expires: DateTime<Utc>, reviews: &[(u8, Judgement)]| {
        let mut scene = free();
        broken(&mut scene, expires, reviews);
        told(&scene)
    };
    let (late, soon) = (now(), now() + TimeDelta::seconds(1));
    let (yes, no) = (Judgement::Accept, Judgement::Reject);
    let stopped = ["FAIL review"];
    assert!(after(soon, &[]).is_empty());
    assert_eq!(after(late, &[]), stopped, "at the instant it says");
    assert!(after(late, &[(2, yes)]).is_empty());
    for (seed, who) in [
        (1, "herself"),
        (3, "an author"),
        (4, "an author by another key"),
        (5, "a viewer"),
        (7, "a machine"),
        (99, "a stranger"),
    ] {
        assert_eq!(after(late, &[(seed, yes)]), stopped, "{who}");
    }
    assert_eq!(after(soon, &[(2, no)]), stopped, "a no does not wait");
    assert_eq!(after(soon, &[(2, yes), (8, no)]), stopped, "the last word counts");
    assert!(after(late, &[(2, no), (2, yes)]).is_empty());
    assert!(after(soon, &[(5, no)]).is_empty());
}

#[test]
fn a_review_of_something_else_is_none() {
    let with = |alter: fn(&mut Review)| {
        let mut scene = free();
        broken(&mut scene, now(), &[(2, Judgement::Accept)]);
        alter(&mut scene.broken[0].reviews[0].review);
        told(&scene)
    };
    assert!(with(|_| {}).is_empty());
    for alter in [
        (|review| review.reviews = "other".into()) as fn(&mut Review),
        |review| review.release = "prod/8".into(),
        |review| review.record = digest("other"),
        |review| review.resource = ResourceId::agent("default", "other"),
        |review| review.environment = "staging".into(),
    ] {
        assert_eq!(with(alter), ["FAIL review"]);
    }
}
