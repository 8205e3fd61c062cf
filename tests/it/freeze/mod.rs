//! An environment that stands still, and one that takes only what has soaked: what they stop, and what they do not.

use std::thread::sleep;
use std::time::Duration;

use crate::budget::Bench;
use crate::support::measure;

const REFUSED: i32 = 2;
const LOCK: &str = "{reason: incident 4711, owner: oncall@example.com}";

#[test]
fn a_freeze_alone_stops_a_promotion_until_it_is_lifted() {
    let bench = Bench::served("freeze");
    bench.prod_says(&format!("{{freezes: [{LOCK}]}}"));
    let says = "`prod` is frozen until somebody lifts it: incident 4711 (owner oncall@example.com)";
    bench.promotes("", REFUSED, &["FAIL freeze", says, "an admin takes it out of `spec.freezes`"]);
    let explained = bench.does("ci", "explain a --from staging --to prod");
    assert!(explained.contains("incident 4711"), "{explained}");
    bench.is_sound();
    bench.prod_says(
        "{freezes: [{since: \"2020-01-01T00:00Z\", expires: \"2020-02-01T00:00Z\", reason: old, owner: o}]}",
    );
    bench.promotes("", 0, &[]);
    bench.is_sound();
}

#[test]
fn a_freeze_holds_whatever_moves_forward_and_lets_a_rollback_through() {
    let bench = Bench::served("freeze-rollback");
    bench.promotes("", 0, &[]);
    bench.prod_says(&format!("{{freezes: [{LOCK}]}}"));
    bench.file("policy.yaml", &crate::budget::policy("calmer"));
    for line in ["apply -f policy.yaml --env prod", "delete agent a --env prod"] {
        let said = bench.ends("alice", line, REFUSED);
        assert!(said.contains("incident 4711"), "{line}: {said}");
    }
    let said = bench.does("ci", "rollback agent a --env prod --reason broken");
    assert!(said.contains("v1"), "{said}");
    bench.is_sound();
}

#[test]
fn a_freeze_of_one_environment_is_none_of_another() {
    let bench = Bench::served("freeze-elsewhere");
    bench.prod_says(&format!("{{freezes: [{LOCK}]}}"));
    bench.next_version("be kindest");
    bench.promotes("--dry-run", REFUSED, &["incident 4711"]);
}

#[test]
fn a_freeze_that_cannot_be_read_is_refused_before_it_stands() {
    let bench = Bench::new("freeze-unreadable");
    bench.file(
        "environment.yaml",
        &crate::budget::resource("Environment", "prod", "{freezes: [{reason: r, owner: o, timeZone: Mars/Olympus}]}"),
    );
    let said = bench.ends("alice", "apply -f environment.yaml", REFUSED);
    assert!(said.contains("no time zone is called `Mars/Olympus`") && said.contains("[freeze]"), "{said}");
}

#[test]
fn a_soak_alone_stops_a_promotion_until_the_version_has_run_below() {
    let bench = Bench::served("soak");
    bench.prod_says("{soak: 1h}");
    bench.promotes("", REFUSED, &["FAIL soak", "it has run in `staging` for", "of 1 h, since", "ready at"]);
    bench.prod_says("{soak: 2s}");
    sleep(Duration::from_secs(3));
    bench.promotes("", 0, &["PASS soak"]);
    bench.is_sound();
}

#[test]
fn a_version_that_comes_back_below_begins_to_soak_again() {
    let bench = Bench::served("soak-again");
    bench.prod_says("{soak: 6s}");
    sleep(Duration::from_secs(7));
    bench.promotes("--dry-run", 0, &[]);
    bench.does("ci", "rollback agent a --env staging --to-version 1 --reason try");
    bench.does("ci", "rollback agent a --env staging --to-version 2 --reason again");
    bench.promotes("--dry-run", REFUSED, &["FAIL soak", "of 6 s"]);
}

#[test]
fn what_is_applied_above_has_not_soaked_below() {
    let bench = Bench::served("soak-applied");
    bench.prod_says("{soak: 1s}");
    bench.file("a.yaml", &crate::budget::agent("be quick"));
    let said = bench.ends("alice", "apply -f a.yaml --env prod", REFUSED);
    let flat = said.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(flat.contains("`staging` does not run exactly this"), "{said}");
    sleep(Duration::from_secs(2));
    bench.does("ci", "promote a --from staging --to prod --dry-run");
    bench.does("ci", "rollback agent a --env staging --to-version 1 --reason \"a soak is no matter of going back\"");
}

#[test]
fn a_shared_resource_soaks_with_the_closures_that_it_makes() {
    let bench = Bench::served("soak-shared");
    bench.promotes("", 0, &[]);
    bench.prod_says("{soak: 2s}");
    bench.file("policy.yaml", &crate::budget::policy("calmer"));
    bench.does("ci", "apply -f policy.yaml");
    bench.up("policy p");
    sleep(Duration::from_secs(3));
    let said = bench.does("ci", "promote policy p --from staging --to prod");
    assert!(said.contains("soak"), "{said}");
    bench.is_sound();
}

#[test]
fn every_reason_to_stop_is_told_at_once() {
    let bench = Bench::served("freeze-and-soak");
    measure::record(&bench.0, "ci", &bench.run()).expect("recorded");
    bench.prod_says(&format!("{{soak: 1h, freezes: [{LOCK}], gates: [budget]}}"));
    bench.promotes("", REFUSED, &["FAIL freeze", "FAIL soak", "MISSING budget"]);
    let decisions = bench.does("alice", "audit log --env prod");
    bench.promotes("", REFUSED, &[]);
    assert_eq!(bench.does("alice", "audit log --env prod"), decisions, "the same attempt is told once");
}
