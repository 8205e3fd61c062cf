//! What the budget gate says of a promotion, and what stands in its record.

use super::bench::{Bench, agent, model, resource};
use crate::support::measure;

const REFUSED: i32 = 2;
const UNDECIDED: i32 = 1;

fn budget(limits: &str) -> String {
    resource("Budget", "b", &format!("{{scope: {{agents: [a]}}, limits: {limits}}}"))
}

impl Bench {
    /// The catalog of `prod` has this Budget from now on.
    fn limited(&self, limits: &str) {
        self.file("budget.yaml", &budget(limits));
        self.does("alice", "apply -f budget.yaml --env prod");
    }
}

#[test]
fn the_budget_alone_stops_a_promotion_and_a_larger_one_lets_it_pass() {
    let bench = Bench::new("budget");
    bench.measured();
    bench.limited("{dailyUsd: 10}");
    let says =
        "at 0.04 $/run the 10 $/day of `limits.dailyUsd` of budget/b allows 250 runs; 300 are declared (12 $/day)";
    bench.promotes("--require budget", REFUSED, &["FAIL budget", says]);
    bench.promotes("", 0, &[]);
    bench.is_sound();
}

#[test]
fn another_label_leaves_no_budget_behind() {
    let bench = Bench::new("budget-label");
    let labelled = |team: &str, words: &str| {
        bench.next_version(words);
        let agent = agent(words).replace("{name: a}", &format!("{{name: a, labels: {{team: {team}}}}}"));
        bench.file("a.yaml", &agent);
        bench.does("ci", "apply -f a.yaml");
        bench.up("a");
        bench.measured();
    };
    labelled("support", "be kind and short");
    bench.promotes("", 0, &[]);
    bench.file(
        "budget.yaml",
        &resource(
            "Budget",
            "b",
            "{scope: {teams: [support]}, limits: {perRunUsd: 0.01}, enforcement: {onHardLimit: deny}}",
        ),
    );
    bench.does("alice", "apply -f budget.yaml --env prod");
    bench.prod_says("{gates: [policy]}");
    labelled("other", "be kind and brief");
    let holds = "`limits.perRunUsd` of budget/b allows 0.01 $";
    let lost = "it weakens a control: budget/b: it no longer binds agent/a; 0 of 1 admins agree";
    bench.promotes("--require budget", REFUSED, &["FAIL budget", holds, "weakening", lost]);
    let stands = "AGB-GATE-001 (critical) joch:budget/default/b: it no longer binds agent/a";
    bench.promotes("--require agbom", REFUSED, &[stands]);
    // An admin may take the label away, in the open; from then on the Budget is none of this agent's.
    bench.ends("alice", "promote a --from staging --to prod", 0);
    labelled("other", "be kind and quick");
    bench.promotes("--require budget", REFUSED, &["no budget holds for agent/a in `prod`"]);
    bench.is_sound();
}

#[test]
fn a_label_that_policies_read_is_no_documentation() {
    let bench = Bench::served("class-label");
    bench.prod_says("{gates: [policy], changeClasses: {model-changed: [budget]}}");
    bench.promotes("--dry-run", 0, &[]);
    bench.file("m.yaml", &model(10, 30).replace("{name: m}", "{name: m, labels: {tier: small}}"));
    bench.does("ci", "apply -f m.yaml");
    bench.up("a");
    bench.promotes("", REFUSED, &["model-changed", "no budget holds for agent/a in `prod`"]);
}

#[test]
fn what_the_environment_demands_is_recorded_with_all_that_it_was_worked_out_from() {
    let bench = Bench::new("budget-record");
    bench.measured();
    bench.limited("{dailyUsd: 13, perRunUsd: 1}");
    bench.prod_says("{gates: [budget]}");
    let warns = "warning: 12 $/day is above the soft limit 10.4 $/day of 13 $/day (`limits.dailyUsd` of budget/b)";
    bench.promotes("", 0, &["PASS budget"]);
    let record = bench.does("alice", "describe release prod/2 -o json");
    let record: serde_json::Value = serde_json::from_str(&record).expect("JSON");
    let text = record.to_string();
    for word in [warns, "\"runsPerDay\":300", "\"upperMeanUsd\":0.04", "\"inputPerMillion\":10", "\"declaredBy\""] {
        assert!(text.contains(word), "no {word} in {record:#}");
    }
    bench.is_sound();
}

#[test]
fn a_budget_gate_without_a_budget_or_a_result_is_missing_and_says_what_to_add() {
    let bench = Bench::new("budget-missing");
    let line = "write `scope: {agents: [a]}` into a Budget of `prod`";
    bench.promotes("--require budget", REFUSED, &["MISSING", "no budget holds for agent/a in `prod`", line]);
    bench.limited("{perRunUsd: 1}");
    bench.promotes("--require budget", REFUSED, &["MISSING", "eval/quality has not run about agent/a"]);
    bench.promotes("--require budget:c", REFUSED, &["no Budget `c` with a limit holds for agent/a"]);
    bench.measured();
    bench.promotes("--require budget:b --dry-run", 0, &["PASS budget:b"]);
}

#[test]
fn a_result_about_another_version_is_stale_and_one_with_few_cases_cannot_tell() {
    let bench = Bench::new("budget-stale");
    bench.limited("{perRunUsd: 1}");
    bench.measured();
    bench.next_version("be kinder");
    bench.promotes("--require budget", REFUSED, &["STALE", "the agent, its prompt or a member of it changed"]);
    bench.cases(19);
    bench.does("ci", "apply -f quality.yaml");
    bench.up("eval quality");
    bench.measured();
    bench.promotes("--require budget", UNDECIDED, &["UNCLEAR", "eval/quality ran 19 cases, and 20 are needed"]);
}

#[test]
fn what_nobody_knows_is_undecided_and_never_free() {
    let bench = Bench::new("budget-unknown");
    bench.limited("{dailyUsd: 1000}");
    let mut silent = bench.run();
    silent.cases.iter_mut().for_each(|case| case.trials[0].usage = None);
    measure::record(&bench.0, "ci", &silent).expect("recorded");
    bench.promotes("--require budget", UNDECIDED, &["UNCLEAR", "the target does not count its tokens"]);
    bench.file("m.yaml", &model(0, 0));
    bench.does("ci", "apply -f m.yaml");
    bench.up("a");
    bench.measured();
    bench.promotes("--require budget", UNDECIDED, &["BUD-PRICE-UNKNOWN", "means unknown, not free"]);
}

#[test]
fn an_undeclared_volume_is_undecided_where_a_day_is_limited() {
    let bench = Bench::new("budget-volume");
    bench.limited("{dailyUsd: 1000}");
    bench.measured();
    bench.file("prod.yaml", &resource("Deployment", "a-prod", "{agentRef: a, environmentRef: prod}"));
    bench.does("ci", "apply -f prod.yaml");
    bench.up("deployment a-prod");
    let says = "no Deployment of agent/a in `prod` declares `expectedRunsPerDay`";
    bench.promotes("--require budget", UNDECIDED, &[says, "write `expectedRunsPerDay: N`"]);
}
