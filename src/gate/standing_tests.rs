//! The gates that nobody demands: what a freeze and a soak say of a change, and of what they say nothing.

use proptest::prelude::*;

use chrono::{DateTime, TimeDelta, Utc};

use super::tests::{Scene, digest, now};
use super::{GateResult, Outcome, Verdict};
use crate::resource::{Digest, Kind, ResourceId};
use crate::trust::sample::{team, trust};

impl Scene {
    /// A change of an agent into an environment that says this and demands nothing.
    fn into_environment(spec: &str) -> Self {
        let record = crate::resource::sample::one("Environment prod", spec);
        let mut scene = Self::new();
        scene.trust = trust([team("rm", &["olga operator 1"]), record]);
        scene.demands.clear();
        scene
    }

    /// The same, as a rollback.
    fn back(mut self) -> Self {
        self.rollback = true;
        self
    }

    /// The same, of what the source has run since then.
    fn since(mut self, since: Option<DateTime<Utc>>) -> Self {
        self.running_in_source_since = since;
        self
    }

    /// The same, of another resource or to nothing at all.
    fn of(mut self, resource: ResourceId, to: Option<Digest>) -> Self {
        (self.subject.resource, self.subject.to) = (resource, to);
        self
    }
}

/// The one answer of the gates of an environment that says this. It is 2024-10-04 00:00 UTC, a Friday.
fn answer(scene: &Scene) -> GateResult {
    let results = scene.results();
    let [result] = results.as_slice() else { panic!("one gate stands: {results:?}") };
    result.clone()
}

fn frozen(freezes: &str) -> GateResult {
    answer(&Scene::into_environment(&format!("{{freezes: {freezes}}}")))
}

/// An agent that has run below for so many minutes.
fn soaked(soak: &str, minutes: i64) -> Scene {
    let since = now() - TimeDelta::minutes(minutes);
    Scene::into_environment(&format!("{{soak: {soak}}}")).since(Some(since))
}

#[test]
fn nothing_moves_in_a_frozen_environment() {
    let result =
        frozen("[{from: 2024-10-01, to: 2024-10-05, timeZone: Europe/Berlin, reason: launch, owner: ops@example.com}]");
    assert_eq!((result.gate.as_str(), result.verdict), ("freeze", Verdict::Fail));
    assert_eq!(
        result.reason,
        "`prod` is frozen until 2024-10-06 00:00 Europe/Berlin (2024-10-05 22:00 UTC): launch (owner ops@example.com)"
    );
    let next = result.next.expect("a way out");
    assert!(next.contains("an admin takes it out of `spec.freezes` of Environment prod and applies that"), "{next}");
    assert!(next.contains("nobody may override it") && next.contains("a rollback is free"), "{next}");
    assert_eq!(result.demanded_by, ["environment/prod"]);
}

#[test]
fn a_lock_and_a_window_are_both_told_and_so_is_who_may_override() {
    let spec = "{override: ['team:oncall'], freezes: [{since: '2024-10-01T00:00Z', reason: incident, owner: ana}, \
                {weekly: {days: [thu, fri]}, timeZone: UTC, reason: no Fridays, owner: ben}]}";
    let result = answer(&Scene::into_environment(spec));
    let says = "`prod` is frozen until somebody lifts it: incident (owner ana); until 2024-10-05 00:00 UTC: no Fridays (owner ben)";
    assert_eq!(result.reason, says);
    let next = result.next.expect("a way out");
    assert!(next.contains("team:oncall may add `--override freeze --reason TEXT --ticket ID`"), "{next}");
}

#[test]
fn a_freeze_that_is_over_or_to_come_lets_pass_and_stands_in_the_record() {
    let over = "{since: '2024-09-01T00:00Z', expires: '2024-10-04T00:00:00Z', reason: r, owner: o}";
    let to_come = "{from: '2024-10-04T00:01Z', to: '2024-10-05T00:00Z', reason: r, owner: o}";
    let result = frozen(&format!("[{over}, {to_come}]"));
    assert_eq!((result.verdict, result.reason.as_str()), (Verdict::Pass, "none of 2 freezes of `prod` is in force"));
}

#[test]
fn a_freeze_that_cannot_be_read_is_in_force() {
    for (freezes, says) in [
        ("[{reason: r}]", "`spec.freezes[0]` of environment/prod: it names no `owner`"),
        ("[{owner: o}]", "it names no `reason`"),
        ("[{timeZone: Mars/Olympus, reason: r, owner: o}]", "no time zone is called `Mars/Olympus`"),
        ("[{from: whenever, to: later, timeZone: UTC, reason: r, owner: o}]", "its `from` is no moment"),
        ("[friday]", "a freeze is a map"),
        ("always", "a freeze is a map"),
        ("[{since: '2020-01-01T00:00Z', expires: '2021-01-01T00:00Z', reason: r}]", "it names no `owner`"),
    ] {
        let result = frozen(freezes);
        assert_eq!(result.verdict, Verdict::Error, "{freezes}");
        assert!(result.reason.starts_with("a freeze that cannot be read is in force: "), "{}", result.reason);
        assert!(result.reason.contains(says), "{}", result.reason);
    }
    let both = frozen("[{reason: r}, {reason: lock, owner: o}]");
    assert_eq!(both.verdict, Verdict::Fail, "one that is in force is a no");
    assert!(both.reason.contains("it names no `owner`"), "{}", both.reason);
}

#[test]
fn a_freeze_holds_whatever_changes_and_no_rollback() {
    let lock = || Scene::into_environment("{freezes: [{reason: r, owner: o}]}");
    let deletion = lock().of(ResourceId::agent("default", "support"), None);
    let entry = lock().of(ResourceId::new(Kind::Tool, "default", "t"), Some(digest("new")));
    for scene in [lock(), deletion, entry] {
        assert_eq!(answer(&scene).verdict, Verdict::Fail);
    }
    assert!(lock().back().results().is_empty());
    assert!(Scene::into_environment("{freezes: []}").results().is_empty());
}

#[test]
fn a_reason_of_any_length_and_sort_stays_one_short_line() {
    let long = "x".repeat(10_000);
    let result = frozen(&format!("[{{reason: \"{long}\\u001b[2J\\n\", owner: o}}]"));
    assert!(result.reason.len() < 400 && !result.reason.contains(['\n', '\u{1b}']), "{}", result.reason);
}

#[test]
fn what_has_not_soaked_says_when_it_will_have() {
    let result = answer(&soaked("24h", 200));
    assert_eq!((result.gate.as_str(), result.verdict), ("soak", Verdict::Fail));
    assert_eq!(
        result.reason,
        "it has run in `staging` for 3 h 20 min of 1 d, since 2024-10-03 20:40 UTC; ready at 2024-10-04 20:40 UTC"
    );
    assert_eq!((result.observed.as_deref(), result.threshold.as_deref()), (Some("3 h 20 min"), Some("1 d")));
    assert!(result.next.expect("a way out").starts_with("promote it after 2024-10-04 20:40 UTC"));
}

#[test]
fn what_has_soaked_to_the_second_passes() {
    let at = |seconds: i64| soaked("24h", 0).since(Some(now() - TimeDelta::hours(24) + TimeDelta::seconds(seconds)));
    assert_eq!(answer(&at(0)).verdict, Verdict::Pass);
    assert_eq!(answer(&at(1)).verdict, Verdict::Fail);
    // A clock of the source that runs ahead gives nothing.
    assert_eq!(answer(&at(25 * 3600)).observed.as_deref(), Some("0 s"));
}

#[test]
fn what_the_rung_below_does_not_run_has_not_soaked_at_all() {
    let result = answer(&soaked("1h", 0).since(None));
    assert_eq!(result.verdict, Verdict::Fail);
    assert_eq!(
        result.reason,
        "`prod` takes what has run in `staging` for 1 h, and `staging` does not run exactly this"
    );
}

#[test]
fn a_soak_that_cannot_be_read_stops() {
    for soak in ["a day", "24", "1.5h", "[24h]", "999999999999h"] {
        let result = answer(&soaked(soak, 1_000_000));
        assert_eq!(result.verdict, Verdict::Error, "{soak}");
        assert!(result.reason.contains("is no length of time"), "{}", result.reason);
    }
    assert_eq!(answer(&soaked("999999999w", 1)).verdict, Verdict::Fail, "longer than anybody lives");
}

#[test]
fn a_soak_is_asked_of_agents_that_move_forward() {
    let of = |resource: ResourceId, to| soaked("1h", 0).of(resource, to).results().len();
    assert_eq!(of(ResourceId::agent("default", "support"), Some(digest("new"))), 1);
    assert_eq!(of(ResourceId::agent("default", "support"), None), 0);
    assert_eq!(of(ResourceId::new(Kind::Tool, "default", "t"), Some(digest("new"))), 0);
    assert_eq!(soaked("1h", 0).back().results().len(), 0);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_longer_soak_never_opens(ran in 0_i64..100_000, soak in 0_u32..100_000, more in 0_u32..100_000) {
        let outcome = |minutes: u32| Outcome::of(&soaked(&format!("{minutes}m"), ran).results());
        prop_assert!(outcome(soak) <= outcome(soak.saturating_add(more)), "{} and {}", soak, more);
    }

    #[test]
    fn a_freeze_more_never_opens(window in 0_usize..4, more in 0_usize..4) {
        let all = [
            "{reason: r, owner: o}",
            "{reason: r}",
            "{from: '2024-10-03T00:00Z', to: '2024-10-05T00:00Z', reason: r, owner: o}",
            "{from: '2025-10-03T00:00Z', to: '2025-10-05T00:00Z', reason: r, owner: o}",
        ];
        let outcome = |freezes: &str| Outcome::of(&Scene::into_environment(&format!("{{freezes: [{freezes}]}}")).results());
        let both = [all[window], all[more]].join(", ");
        prop_assert!(outcome(all[window]) <= outcome(&both), "{}", both);
    }
}
