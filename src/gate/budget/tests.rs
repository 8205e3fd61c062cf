//! The budget gate, row by row: what goes over, what comes near, and everything that nobody knows.

mod world;

use chrono::TimeDelta;

use super::*;
use crate::eval::{FaultKind, TrialResult, Usage};
use crate::resource::sample::one;
use crate::resource::{Digest, ResourceId};

use world::{DEAR, GPT, ROUTE, Scene, deployed, limited, now, usual};

/// The usual agent, held by a Budget of the target that names it.
fn under(limits: &str) -> Scene {
    let budget = one("Budget b", &format!("{{scope: {{agents: [x]}}, limits: {limits}}}"));
    Scene { catalog: vec![budget], ..Scene::default() }
}

fn usd(text: &str) -> Option<Decimal> {
    Some(text.parse().expect("a decimal"))
}

#[test]
fn a_run_that_costs_more_than_its_limit_fails_and_one_that_costs_as_much_does_not() {
    under("{perRunUsd: 0.04}").says(Verdict::Pass, "the dearest run 0.04 $ (max of 40)");
    let result = under("{perRunUsd: 0.039}").says(
        Verdict::Fail,
        "a run costs up to 0.04 $ (max of 40 runs), and `limits.perRunUsd` of budget/b allows 0.039 $",
    );
    assert_eq!(result.observed.as_deref(), Some("0.04 $/run"));
    assert_eq!(result.threshold.as_deref(), Some("<= 0.039 $/run (`limits.perRunUsd` of budget/b)"));
    assert_eq!(result.evidence, ["item"]);
    let next = result.next.expect("a way out");
    assert!(next.contains("have `limits.perRunUsd` of budget/b raised"), "{next}");
}

#[test]
fn the_dearest_of_few_runs_counts_and_of_many_the_99th_percentile() {
    let one_dear = |case: usize| TrialResult {
        usage: Some(Usage { input: if case == 7 { 100_000 } else { 1000 }, output: 1000 }),
        ..TrialResult::default()
    };
    let few = Scene { run: one_dear, cases: 99, ..under("{perRunUsd: 0.5}") };
    few.says(Verdict::Fail, "a run costs up to 1.03 $ (max of 99 runs)");
    let many = Scene { run: one_dear, cases: 100, ..under("{perRunUsd: 0.5}") };
    many.says(Verdict::Pass, "the dearest run 0.04 $ (p99 of 100)");
}

#[test]
fn a_run_is_priced_with_the_dearest_model_of_the_route_and_a_day_with_the_usual_one() {
    let route = |limits: &str| Scene {
        agent: "{modelRoute: {routeRef: r}}",
        members: vec![one("Model gpt", GPT), one("Model dear", DEAR), one("ModelRoute r", ROUTE)],
        ..under(limits)
    };
    route("{perRunUsd: 0.07}")
        .says(Verdict::Fail, "a run costs up to 0.08 $ (max of 40 runs, each with the dearest Model");
    let result = route("{dailyUsd: 20}").says(Verdict::Pass, "12 $/day at 300 runs");
    let warns = "warning: if every run fell back to the dearest Model, a day would cost 24 $, above 20 $/day";
    assert!(result.reason.contains(warns), "{}", result.reason);
    let worst = Scene { settings: Some("{gate: budget, worstCase: true}"), ..route("{dailyUsd: 20}") };
    worst.says(
        Verdict::Fail,
        "at 0.08 $/run the 20 $/day of `limits.dailyUsd` of budget/b allows 250 runs; 300 are declared",
    );
}

#[test]
fn a_change_does_not_lower_the_prices_that_it_is_judged_by() {
    let cheap = |name: &str| vec![one(name, &GPT.replace("10,", "1,").replace("30}", "3}"))];
    let scene = |name: &str, runs: Option<Vec<_>>| Scene { members: cheap(name), runs, ..under("{perRunUsd: 0.03}") };
    scene("Model gpt", None).says(Verdict::Pass, "the dearest run 0.004 $");
    let standing = || Some(vec![one("Model gpt", GPT)]);
    let result = scene("Model gpt", standing()).says(Verdict::Fail, "a run costs up to 0.04 $");
    let says = "model/gpt counts at the dearer price that `prod` has now";
    assert!(result.reason.contains(says), "{}", result.reason);
    let renamed = Scene { agent: "{model: new}", ..scene("Model new", standing()) };
    renamed.says(Verdict::Fail, "a run costs up to 0.04 $");
    let released = scene("Model gpt", Some(cheap("Model gpt")));
    assert!(!released.says(Verdict::Pass, "0.004 $").reason.contains("dearer"), "the price that runs is the price");
}

#[test]
fn a_day_is_the_mean_that_is_not_exceeded_95_times_of_100_times_the_declared_volume() {
    let spread = |case: usize| TrialResult {
        usage: Some(Usage { input: 1000, output: 500 + 50 * (case as u64 % 21) }),
        ..TrialResult::default()
    };
    let scene = Scene { run: spread, cases: 60, ..under("{dailyUsd: 100}") };
    let projection = scene.projected();
    let (mean, upper) = (projection.mean_usd.expect("known"), projection.upper_mean_usd.expect("known"));
    assert!(upper > mean, "{upper} {mean}");
    let day = upper.by("300".parse().expect("a decimal"));
    assert_eq!(projection.limits[0].projected, day);
    assert_eq!(scene.projected(), projection, "the draws are the same every time");
    // The limit between the two: by the mean it would pass.
    let between = (mean + upper).by("150".parse().expect("a decimal")).expect("small");
    let limits: &'static str = Box::leak(format!("{{dailyUsd: {between}}}").into_boxed_str());
    Scene { run: spread, cases: 60, ..under(limits) }.says(Verdict::Fail, "runs; 300 are declared");
}

#[test]
fn a_day_over_its_limit_says_how_many_runs_it_allows() {
    let own = Scene { agent: "{model: gpt, budgets: {costLimitUsdPerDay: 10}}", ..Scene::default() };
    let says = "at 0.04 $/run the 10 $/day of `budgets.costLimitUsdPerDay` of agent/x allows 250 runs; 300 are declared (12 $/day)";
    own.says(Verdict::Fail, says);
}

#[test]
fn a_month_has_31_days() {
    under("{monthlyUsd: 372}").says(Verdict::Pass, "within 1 limit");
    under("{monthlyUsd: 371}").says(Verdict::Fail, "allows 299 runs a day; 300 are declared (372 $ in 31 days)");
}

#[test]
fn tokens_are_held_against_limits_of_tokens() {
    let run = |limit: &'static str| Scene { agent: limit, ..Scene::default() };
    run("{model: gpt, budgets: {tokenLimitPerRun: 2000}}").says(Verdict::Pass, "within 1 limit");
    run("{model: gpt, budgets: {tokenLimitPerRun: 1999}}")
        .says(Verdict::Fail, "a run takes up to 2000 tokens, and `budgets.tokenLimitPerRun` of agent/x allows 1999");
    under("{tokenLimitDaily: 600000}").says(Verdict::Pass, "within 1 limit");
    under("{tokenLimitDaily: 599999}").says(Verdict::Fail, "at 2000 tokens/run the 599999 tokens/day");
}

#[test]
fn a_route_limits_a_run_and_what_it_says_of_a_call_counts_only_at_run_time() {
    let route = |constraints: &str| Scene {
        agent: "{modelRoute: {routeRef: r}}",
        members: vec![
            one("Model gpt", GPT),
            one("ModelRoute r", &format!("{{strategy: {{primary: 'openai:gpt'}}, constraints: {constraints}}}")),
        ],
        ..Scene::default()
    };
    route("{maxCostUsdPerExecution: 0.03}")
        .says(Verdict::Fail, "`constraints.maxCostUsdPerExecution` of model-route/r");
    route("{maxCostUsdPerCall: 0.03}")
        .says(Verdict::Pass, "`constraints.maxCostUsdPerCall` of model-route/r counts only at run time");
}

#[test]
fn what_comes_near_a_limit_or_over_one_that_only_tells_is_told() {
    under("{dailyUsd: 14}").says(
        Verdict::Pass,
        "warning: 12 $/day is above the soft limit 11.2 $/day of 14 $/day (`limits.dailyUsd` of budget/b)",
    );
    let soft = one("Budget b", "{scope: {agents: [x]}, limits: {dailyUsd: 14}, enforcement: {softLimitPct: 0.9}}");
    let result = Scene { catalog: vec![soft], ..Scene::default() }.judged();
    assert!(!result.reason.contains("warning"), "{}", result.reason);
    let alert = one("Budget b", "{scope: {agents: [x]}, limits: {dailyUsd: 1}, enforcement: {onHardLimit: alert}}");
    let alert = Scene { catalog: vec![alert], ..Scene::default() };
    alert.says(Verdict::Pass, "warning: 12 $/day is above 1 $/day (`limits.dailyUsd` of budget/b), which only tells");
}

#[test]
fn a_price_that_nobody_knows_is_not_nothing() {
    let of = |model: &str| Scene { members: vec![one("Model gpt", model)], ..under("{perRunUsd: 1}") };
    for (model, says) in [
        (
            "{pricing: {currency: USD, inputPerMillionTokens: 0, outputPerMillionTokens: 0}}",
            "the price of model/gpt is not known: BUD-PRICE-UNKNOWN: `pricing.inputPerMillionTokens` is 0 and it is hosted",
        ),
        (
            "{pricing: {currency: USD, inputPerMillionTokens: 1, outputPerMillionTokens: 0}}",
            "BUD-PRICE-UNKNOWN: `pricing.outputPerMillionTokens` is 0",
        ),
        ("{pricing: {currency: EUR, inputPerMillionTokens: 1, outputPerMillionTokens: 1}}", "its prices are in EUR"),
        ("{pricing: {inputPerMillionTokens: 1, outputPerMillionTokens: 1}}", "which `pricing.currency`"),
        ("{pricing: {currency: USD, inputPerMillionTokens: 1}}", "it names no `pricing.outputPerMillionTokens`"),
        (
            "{pricing: {currency: USD, inputPerMillionTokens: 1, outputPerMillionTokens: cheap}}",
            "it names no `pricing.out",
        ),
        ("{pricing: {currency: USD, inputPerMillionTokens: -1, outputPerMillionTokens: 1}}", "is below 0"),
        ("{pricing: {fromEnvironment: PRICES}}", "the environment has no `PRICES`"),
        ("{provider: openai}", "it names no `pricing`"),
    ] {
        let result = of(model).says(Verdict::Inconclusive, says);
        assert!(result.next.expect("a way out").contains("write `pricing: {currency: USD"), "{model}");
    }
    of("{endpoint: {type: local}, pricing: {currency: USD, inputPerMillionTokens: 0, outputPerMillionTokens: 5}}")
        .says(Verdict::Pass, "the dearest run 0.005 $");
    let filled = "{defaults: {PRICES: {currency: USD, inputPerMillionTokens: 1, outputPerMillionTokens: 1}}}";
    let filled = Scene { environment: filled, ..of("{pricing: {fromEnvironment: PRICES}}") };
    filled.says(Verdict::Pass, "the dearest run 0.002 $");
}

#[test]
fn one_unknown_price_among_the_fallbacks_is_enough() {
    let free = "{provider: openai, model: dear, pricing: {currency: USD, inputPerMillionTokens: 0, outputPerMillionTokens: 0}}";
    let route = Scene {
        agent: "{modelRoute: {routeRef: r}}",
        members: vec![one("Model gpt", GPT), one("Model dear", free), one("ModelRoute r", ROUTE)],
        ..under("{perRunUsd: 1}")
    };
    route.says(Verdict::Inconclusive, "the price of model/dear is not known");
    let gone = Scene { members: vec![one("Model gpt", GPT), one("ModelRoute r", ROUTE)], ..route };
    gone.says(Verdict::Inconclusive, "openai:dear, which model-route/r names, is not in the closure");
}

#[test]
fn tokens_that_nobody_counted_are_not_none() {
    let silent = |_: usize| TrialResult::default();
    let result = Scene { run: silent, ..under("{perRunUsd: 1}") }
        .says(Verdict::Inconclusive, "40 of 40 runs cannot be priced: the target does not count its tokens");
    assert!(result.next.expect("a way out").contains("`invoke.usage`"));
    let zero = |_: usize| TrialResult { usage: Some(Usage::default()), ..TrialResult::default() };
    Scene { run: zero, ..under("{perRunUsd: 1}") }.says(Verdict::Inconclusive, "no run is said to have used a token");
    let some = |case: usize| if case == 3 { TrialResult::default() } else { usual(case) };
    Scene { run: some, ..under("{perRunUsd: 1}") }.says(Verdict::Inconclusive, "1 of 40 runs cannot be priced");
}

#[test]
fn what_the_target_says_of_a_cost_counts_where_it_is_more() {
    let says = |_: usize| TrialResult { cost: usd("0.5"), ..usual(0) };
    Scene { run: says, ..under("{perRunUsd: 0.4}") }.says(Verdict::Fail, "a run costs up to 0.5 $");
    let less = |_: usize| TrialResult { cost: usd("0.001"), ..usual(0) };
    Scene { run: less, ..under("{perRunUsd: 0.03}") }.says(Verdict::Fail, "a run costs up to 0.04 $");
    // Without tokens it is known for the one Model that there is, and not for another.
    let only = |_: usize| TrialResult { cost: usd("0.02"), ..TrialResult::default() };
    Scene { run: only, ..under("{perRunUsd: 0.03}") }.says(Verdict::Pass, "the dearest run 0.02 $");
    let free = |_: usize| TrialResult { cost: usd("0"), ..TrialResult::default() };
    Scene { run: free, ..under("{perRunUsd: 0.03}") }.says(Verdict::Inconclusive, "does not count its tokens");
    let route = Scene {
        agent: "{modelRoute: {routeRef: r}}",
        members: vec![one("Model gpt", GPT), one("Model dear", DEAR), one("ModelRoute r", ROUTE)],
        run: only,
        ..under("{perRunUsd: 1}")
    };
    route.says(Verdict::Inconclusive, "does not count its tokens");
}

#[test]
fn a_run_without_an_answer_is_charged_the_dearest_and_not_left_out() {
    let some = |case: usize| match case {
        0 => TrialResult { usage: Some(Usage { input: 10_000, output: 1000 }), ..TrialResult::default() },
        1..=9 => TrialResult { fault: Some(FaultKind::Timeout), ..TrialResult::default() },
        _ => usual(case),
    };
    let scene = Scene { run: some, alter: |result| result.counts.timeouts = 9, ..under("{perRunUsd: 1}") };
    // The Eval allows no errors, so the result itself does not stand.
    scene.says(Verdict::Error, "9 of 40 calls have no answer");
    let column = usage::Column::of(&scene.result(&scene.eval("quality", 40), 40, some), |trial| {
        Ok(Decimal::whole(trial.usage.expect("u").input))
    });
    assert_eq!(column.expect("known").mean(), Some("3250".parse().expect("a decimal")));
}

#[test]
fn few_cases_tell_nothing_but_a_run_that_was_seen_to_cost_too_much() {
    let few = |limits: &str| Scene { cases: 19, ..under(limits) };
    let result = few("{perRunUsd: 1}").says(Verdict::Inconclusive, "eval/quality ran 19 cases, and 20 are needed");
    assert!(result.next.expect("a way out").contains("add cases to the dataset of eval/quality"));
    few("{dailyUsd: 1}").says(Verdict::Inconclusive, "20 are needed");
    few("{perRunUsd: 0.01}").says(Verdict::Fail, "a run costs up to 0.04 $");
    Scene { cases: 20, ..under("{perRunUsd: 1}") }.says(Verdict::Pass, "within 1 limit");
}

#[test]
fn a_volume_that_nobody_declares_is_unknown_where_a_day_is_limited() {
    let silent = |limits: &str| Scene { deployments: Vec::new(), ..under(limits) };
    let result = silent("{dailyUsd: 1000000}")
        .says(Verdict::Inconclusive, "no Deployment of agent/x in `prod` declares `expectedRunsPerDay`");
    assert!(result.next.expect("a way out").contains("write `expectedRunsPerDay: N`"));
    silent("{monthlyUsd: 1000000}").says(Verdict::Inconclusive, "`expectedRunsPerDay`");
    silent("{tokenLimitDaily: 1000000000}").says(Verdict::Inconclusive, "`expectedRunsPerDay`");
    silent("{perRunUsd: 1}").says(Verdict::Pass, "within 1 limit");
    for bad in ["0", "-1", "many", "[1]"] {
        let scene = Scene { deployments: vec![deployed(bad)], ..under("{dailyUsd: 1000000}") };
        scene.says(Verdict::Inconclusive, "`expectedRunsPerDay` of deployment/d is no number above 0");
    }
    let elsewhere = one("Deployment e", "{agentRef: x, environmentRef: staging, expectedRunsPerDay: 5}");
    let other = one("Deployment o", "{agentRef: y, environmentRef: prod, expectedRunsPerDay: 5}");
    let scene = Scene { deployments: vec![elsewhere, other], ..under("{dailyUsd: 1000000}") };
    scene.says(Verdict::Inconclusive, "no Deployment of agent/x in `prod`");
}

#[test]
fn of_two_volumes_the_larger_counts() {
    let scene =
        Scene { deployments: vec![deployed("300"), deployed("2"), deployed("null")], ..under("{dailyUsd: 11}") };
    scene.says(Verdict::Fail, "300 are declared");
}

#[test]
fn a_demand_that_no_budget_answers_is_missing() {
    let result = Scene::default().says(Verdict::Missing, "no budget holds for agent/x in `prod`");
    assert!(result.next.expect("a way out").contains("write `scope: {agents: [x]}` into a Budget of `prod`"));
    let others = one("Budget b", "{scope: {agents: [y], teams: [sales]}, limits: {perRunUsd: 1}}");
    Scene { catalog: vec![others], ..Scene::default() }.says(Verdict::Missing, "no budget holds");
    let empty = one("Budget b", "{scope: {agents: [x]}}");
    Scene { catalog: vec![empty], ..Scene::default() }.says(Verdict::Missing, "no budget holds");
}

#[test]
fn a_named_budget_is_held_alone() {
    let named = |gate: &'static str| Scene {
        agent: "{model: gpt, budgets: {costLimitUsdPerDay: 1}}",
        gate,
        ..under("{perRunUsd: 0.05}")
    };
    named("budget").says(Verdict::Fail, "agent/x");
    let result = named("budget:b").says(Verdict::Pass, "within 1 limit");
    assert_eq!((result.name.as_str(), result.label().as_str()), ("b", "budget:b"));
    named("budget:c").says(Verdict::Missing, "no Budget `c` with a limit holds for agent/x in `prod`");
}

#[test]
fn budgets_hold_that_the_closure_the_environment_or_the_target_name() {
    let tight = "{limits: {perRunUsd: 0.01}}";
    let of_closure = vec![one("Model gpt", GPT), one("Budget b", tight)];
    Scene { members: of_closure, ..Scene::default() }.says(Verdict::Fail, "budget/b");
    for scope in ["{teams: [support]}", "{teams: [desk]}", "{agents: [{name: x, namespace: default}]}"] {
        let budget = one("Budget b", &format!("{{scope: {scope}, limits: {{perRunUsd: 0.01}}}}"));
        Scene { catalog: vec![budget], ..Scene::default() }.says(Verdict::Fail, "budget/b");
    }
    // What the target holds under the name of a Budget of the closure holds too, whomever it names.
    let both = Scene {
        members: vec![one("Model gpt", GPT), limited("{perRunUsd: 1}")],
        catalog: vec![limited("{perRunUsd: 0.01}")],
        ..Scene::default()
    };
    both.says(Verdict::Fail, "allows 0.01 $");
}

#[test]
fn a_budget_that_covers_what_runs_holds_for_what_comes_whatever_its_labels() {
    let moved = |team, runs| Scene {
        team,
        runs,
        catalog: vec![one("Budget b", "{scope: {teams: [support]}, limits: {perRunUsd: 0.01}}")],
        ..Scene::default()
    };
    let runs = || Some(vec![one("Model gpt", GPT)]);
    moved("support", runs()).says(Verdict::Fail, "budget/b");
    moved("other", runs()).says(Verdict::Fail, "`limits.perRunUsd` of budget/b allows 0.01 $");
    moved("other", None).says(Verdict::Missing, "no budget holds");
    let mut stricter = moved("other", runs());
    stricter.catalog = vec![one("Budget c", "{scope: {teams: [other]}, limits: {perRunUsd: 0.01}}")];
    stricter.says(Verdict::Fail, "budget/c");
}

#[test]
fn a_budget_in_another_currency_than_the_prices_is_inconclusive() {
    let of = |currency: &str| {
        let budget = format!("{{scope: {{agents: [x]}}, currency: {currency}, limits: {{perRunUsd: 1000}}}}");
        Scene { catalog: vec![one("Budget b", &budget)], ..Scene::default() }
    };
    of("USD").says(Verdict::Pass, "within 1 limit");
    of("").says(Verdict::Pass, "within 1 limit");
    of("EUR").says(Verdict::Inconclusive, "budget/b: its `currency` is `EUR`, and prices and limits are in US dollars");
    of("usd").says(Verdict::Inconclusive, "its `currency` is `usd`");
    of("[USD]").says(Verdict::Inconclusive, "its `currency` is a list, and no word for a currency");
}

#[test]
fn a_shared_budget_is_held_by_part() {
    let shared = |shares: &str| {
        let budget = format!("{{scope: {{agents: [x]}}, limits: {{dailyUsd: 40}}, allocation: {{byAgent: {shares}}}}}");
        Scene { catalog: vec![one("Budget b", &budget)], ..Scene::default() }
    };
    shared("{x: 0.5}").says(Verdict::Pass, "within 1 limit");
    shared("{x: 0.25}").says(Verdict::Fail, "the 10 $/day");
    shared("{default/x: 0.25, y: 0.1}").says(Verdict::Fail, "the 10 $/day");
    shared("{y: 0.9}").says(Verdict::Fail, "the 4 $/day");
    shared("{x: 1.5}").says(Verdict::Error, "`allocation.byAgent.x` is 1.5, and a share is from 0 to 1");
    shared("{x: 0.6, y: 0.6}").says(Verdict::Error, "the shares of `allocation.byAgent` come to 1.2");
    let tenths = (0..10).map(|n| format!("a{n}: 0.1")).collect::<Vec<_>>().join(", ");
    shared(&format!("{{{tenths}}}")).says(Verdict::Fail, "the 0 $/day");
}

#[test]
fn a_budget_that_cannot_be_read_is_an_error_for_those_that_it_covers() {
    under("{perRunUsd: cheap}").says(Verdict::Error, "budget/b: `limits.perRunUsd` is text");
    let own = Scene { agent: "{model: gpt, budgets: {costLimitUsdPerDay: '10'}}", ..Scene::default() };
    own.says(Verdict::Error, "agent/x: `budgets.costLimitUsdPerDay` is no number from 0");
    let others = one("Budget z", "{scope: {agents: [y]}, limits: {perRunUsd: cheap}}");
    let mut scene = under("{perRunUsd: 1}");
    scene.catalog.push(others);
    scene.says(Verdict::Pass, "within 1 limit");
}

#[test]
fn a_result_that_is_not_about_this_is_stale_and_says_what_changed() {
    let stale = Scene { alter: |result| result.subject.digest = Digest::of("old"), ..under("{perRunUsd: 1}") };
    stale.says(Verdict::Stale, "the agent, its prompt or a member of it changed");
    let old = Scene {
        alter: |result| {
            result.runner.started_at = Some(now() - TimeDelta::days(30));
            result.runner.finished_at = Some(now() - TimeDelta::days(30));
        },
        ..under("{perRunUsd: 1}")
    };
    old.says(Verdict::Stale, "it is too old");
    let replayed = Scene { alter: |result| result.reach.live = false, ..under("{perRunUsd: 1}") };
    replayed.says(Verdict::Missing, "it judges recorded answers");
    let other = Scene { alter: |result| result.eval.id.name = "other".into(), ..under("{perRunUsd: 1}") };
    other.says(Verdict::Missing, "eval/quality has not run about agent/x");
}

#[test]
fn a_projection_holds_all_that_it_was_worked_out_from() {
    let projection = under("{perRunUsd: 1, dailyUsd: 100}").projected();
    assert_eq!((projection.cases, projection.runs, projection.run_rank.as_str()), (40, 40, "max"));
    assert_eq!(projection.tokens, Usage { input: 40_000, output: 40_000 });
    assert_eq!(
        (projection.run_usd, projection.mean_usd, projection.upper_mean_usd),
        (usd("0.04"), usd("0.04"), usd("0.04"))
    );
    assert_eq!((projection.runs_per_day, projection.days_per_month), (usd("300"), 31));
    assert_eq!(projection.declared_by, [ResourceId::new(Kind::Deployment, "default", "d")]);
    let [model] = projection.models.as_slice() else { panic!("one Model") };
    assert_eq!((model.input_per_million, model.output_per_million, model.usual), (usd("10"), usd("30"), true));
    let held: Vec<_> = projection.limits.iter().map(|held| (held.limit.figure, held.projected)).collect();
    assert_eq!(held, [(Figure::RunUsd, usd("0.04")), (Figure::DayUsd, usd("12"))]);
    let json = serde_json::to_string(&projection).expect("JSON");
    assert_eq!(serde_json::from_str::<Projection>(&json).expect("read back"), projection);
}

#[test]
fn the_cost_of_a_run_is_known_to_others_or_not_at_all() {
    let cost = |scene: &Scene| scene.with(|_, subject, evidence| projected_run_cost(subject, evidence));
    assert_eq!(cost(&Scene::default()), usd("0.04"));
    assert_eq!(cost(&Scene { cases: 19, ..Scene::default() }), None);
    assert_eq!(cost(&Scene { run: |_| TrialResult::default(), ..Scene::default() }), None);
    assert_eq!(cost(&Scene { members: vec![one("Model gpt", "{}")], ..Scene::default() }), None);
    assert_eq!(cost(&Scene { alter: |result| result.subject.digest = Digest::of("old"), ..Scene::default() }), None);
}

#[test]
fn an_eval_that_is_too_small_does_not_hide_another_and_one_that_says_no_is_not_outvoted() {
    let dear = |_: usize| TrialResult { usage: Some(Usage { input: 9000, output: 1000 }), ..TrialResult::default() };
    let silent = |_: usize| TrialResult::default();
    let with = |second: (usize, fn(usize) -> TrialResult)| Scene { second: Some(second), ..under("{perRunUsd: 0.1}") };
    let result = with((5, usual)).says(Verdict::Pass, "eval/quality: 0.04 $/run");
    assert_eq!(result.evidence, ["item"]);
    with((40, dear)).says(Verdict::Fail, "eval/second: a run costs up to 0.12 $");
    with((40, silent)).says(Verdict::Inconclusive, "eval/second: 40 of 40 runs cannot be priced");
    let stale = Scene {
        alter: |result| {
            if result.eval.id.name == "quality" {
                result.subject.digest = Digest::of("old");
            }
        },
        ..with((40, usual))
    };
    assert_eq!(stale.says(Verdict::Pass, "eval/second: ").evidence, ["other"]);
}

#[test]
fn a_child_is_held_by_limits_of_its_own_and_needs_a_result_for_them() {
    let child = |spec: &'static str| Scene { child: Some(spec), ..under("{perRunUsd: 0.1}") };
    child("{model: gpt}").says(Verdict::Pass, "within 1 limit");
    let limited = child("{model: gpt, budgets: {tokenLimitPerRun: 100}}");
    limited.says(Verdict::Missing, "no Eval measures agent/y, so nobody knows what a run of it costs");
    // Its Models are among those that a run of the parent may use.
    let unpriced = Scene { agent: "{description: a router}", ..child("{model: gpt}") };
    unpriced.says(Verdict::Pass, "0.04 $/run");
}
