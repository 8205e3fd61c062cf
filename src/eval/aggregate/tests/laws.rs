//! What holds of any run: neither order, nor repetition, nor how lines are spread over files changes a byte.

use proptest::prelude::*;

use super::stage::*;
use crate::eval::definition::{Aggregate, Measure, Observed};
use crate::eval::journal::Line;
use crate::eval::statistics::Chance;
use crate::eval::{Entry, FaultKind, RunResult};

/// A run in which anything may happen, decided by `seed`.
fn anything(cases: usize, trials: u32, seed: u64) -> Stage {
    let mut chance = Chance::seeded(seed.to_string());
    let mut stage = Stage::new(cases, trials)
        .success("0.85")
        .metric("pii_leakage", leakage(), Aggregate::Mean, "0")
        .metric("latency_p95_ms", observed(Observed::Latency), Aggregate::Percentile(95), "<3000")
        .metric("cost_per_case", observed(Observed::Cost), Aggregate::Mean, "<0.40")
        .metric("similarity", Measure::Program { command: Vec::new() }, Aggregate::Median, "")
        .metric("tone_consistency", judged(&[], 2), Aggregate::Mean, "0.9")
        .judge("tone_consistency", 2);
    stage.definition.run.max_error_rate = 500_000;
    stage.definition.run.max_unscored_rate = 500_000;
    for case in 0..cases {
        for trial in 1..=trials {
            // Some twice, some never.
            for _ in 0..[1, 1, 1, 1, 2, 0][chance.below(6)] {
                let share = ["0", "1", "0.9", "0.333333", "lost"][chance.below(5)];
                let leak = ["0", "0", "1"][chance.below(3)];
                let made = answer(case, trial, &[("task_success", share), ("pii_leakage", leak)])
                    .latency(chance.below(4000) as u64)
                    .costs(["0.1", "0.333333333333", "0.0000001"][chance.below(3)])
                    .later(i64::try_from(chance.below(3)).expect("small"));
                let kinds = [FaultKind::Timeout, FaultKind::Connection, FaultKind::Refused];
                stage.lines.push(match chance.below(8) {
                    0 => made.fails(kinds[chance.below(3)]).line(),
                    _ => made.line(),
                });
            }
            for sample in 1..=2 {
                let signs = ['+', '-', '?'];
                let found = [("tone_consistency/1", signs[chance.below(3)]), ("tone_consistency/2", '+')];
                let mut said = opinion(&format!("c{case}"), trial, 0, sample, &found);
                if chance.below(6) == 0 {
                    said.found = Err("no verdict".to_owned());
                }
                stage.lines.push(spoken(said));
            }
        }
        stage.lines.push(program(case, "similarity", ["0.5", "2", "broke"][chance.below(3)]));
    }
    stage.lines.extend([lag(chance.below(9000) as u64), lag(10)]);
    stage
}

fn shuffled(mut lines: Vec<Line>, seed: u64) -> Vec<Line> {
    let mut chance = Chance::seeded(format!("order {seed}"));
    for index in (1..lines.len()).rev() {
        lines.swap(index, chance.below(index + 1));
    }
    lines
}

fn bytes(result: &RunResult) -> String {
    serde_json::to_string(result).expect("JSON")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn order_partition_and_repetition_change_nothing(
        cases in 0_usize..9,
        trials in 1_u32..4,
        seed: u64,
        files in 1_usize..5,
    ) {
        let stage = anything(cases, trials, seed);
        let expected = bytes(&stage.result());
        let twice = stage.lines.iter().chain(&stage.lines).cloned().collect();
        let plan = Line::Plan(Box::new(stage.plan.clone()));
        let mut spread = vec![vec![plan]; files];
        for (index, line) in shuffled(twice, seed).into_iter().enumerate() {
            spread[index % files].push(line);
        }
        let spread = spread.into_iter().enumerate().map(|(index, lines)| (format!("{index}"), lines)).collect();
        prop_assert_eq!(bytes(&stage.merged(spread).expect("a result")), expected.clone());
        let shards = u32::try_from(files).expect("few");
        prop_assert_eq!(bytes(&stage.merged(stage.shards(shards)).expect("a result")), expected);
    }

    #[test]
    fn what_is_written_is_what_is_read(cases in 0_usize..4, seed: u64) {
        for line in anything(cases, 1, seed).file() {
            let stored = line.encode();
            prop_assert_eq!(stored.lines().count(), 1);
            prop_assert_eq!(Entry::decode(stored.as_bytes()), Ok(Entry::of(line)));
        }
    }

    #[test]
    fn equal_scores_give_that_score(millionths in 0_u64..=1_000_000, cases in 1_usize..60) {
        let score = crate::eval::Decimal::millionths(millionths).to_string();
        let result = Stage::new(cases, 1).success(&format!(">={score}")).all("task_success", &vec![score.as_str(); cases]).result();
        prop_assert_eq!(value(&result, "task_success"), score);
        prop_assert_eq!(result.verdict, crate::eval::Verdict::Passed);
    }

    #[test]
    fn a_result_is_read_as_it_was_written(cases in 0_usize..5, seed: u64) {
        let result = anything(cases, 2, seed).result();
        let json = bytes(&result);
        prop_assert_eq!(bytes(&RunResult::from_json(json.as_bytes()).expect("a result")), json);
    }
}
