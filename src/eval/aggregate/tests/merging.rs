//! Which journals belong together, and that spreading a run changes nothing.

use super::stage::*;
use crate::eval::aggregate::{MergeTrouble, aggregate};
use crate::eval::definition::Aggregate;
use crate::eval::journal::{Line, Plan};
use crate::eval::result::Verdict;
use crate::eval::{FaultKind, shard_of};
use crate::resource::Digest;

fn stage() -> Stage {
    Stage::new(12, 1).success("0.5").all("task_success", &["1"; 12]).with([lag(100)])
}

fn refused(stage: &Stage, files: Vec<(String, Vec<Line>)>) -> String {
    stage.merged(files).expect_err("trouble").to_string()
}

fn replan(mut file: (String, Vec<Line>), change: impl FnOnce(&mut Plan)) -> (String, Vec<Line>) {
    if let Line::Plan(plan) = &mut file.1[0] {
        change(plan);
    }
    file
}

#[test]
fn shards_give_the_result_of_one_journal() {
    let stage = stage();
    assert_eq!(stage.result().verdict, Verdict::Passed);
    for of in 1..=5 {
        assert_eq!(stage.merged(stage.shards(of)).expect("a result"), stage.result());
    }
}

#[test]
fn an_empty_shard_is_fine_and_a_missing_one_is_not() {
    let stage = Stage::new(1, 1).success("0.5").all("task_success", &["1"]);
    let shards = stage.shards(3);
    assert_eq!(stage.merged(shards.clone()).expect("a result").verdict, Verdict::Passed);
    let full = shard_of("c0", 3) as usize - 1;
    let said = format!("there is no journal of shard {} of 3: add it, and merge again", full + 1);
    let rest: Vec<_> =
        shards.iter().enumerate().filter(|(index, _)| *index != full).map(|(_, file)| file.clone()).collect();
    assert_eq!(refused(&stage, rest.clone()), said);
    assert!(refused(&stage, rest[..1].to_vec()).contains("shards "));
    let part = aggregate(&stage.definition, &Files(rest)).expect("a result");
    assert_eq!(part.verdict, Verdict::Inconclusive);
    assert_eq!(part.reasons, [format!("1 of 1 trials are missing; shards that are not here: {} of 3", full + 1)]);
}

#[test]
fn plans_that_differ_are_refused_by_their_field() {
    let stage = stage();
    let mixed = |change: fn(&mut Plan)| {
        let mut files = stage.shards(2);
        files[1] = replan(files[1].clone(), change);
        refused(&stage, files)
    };
    let said = |field: &str| {
        format!(
            "the journals `1.jsonl` and `2.jsonl` are not of one run: their `{field}` differs; merge only shards of one run"
        )
    };
    assert_eq!(mixed(|plan| plan.run = "r2".to_owned()), said("run"));
    assert_eq!(mixed(|plan| plan.subject.digest = Digest::of("other")), said("subject"));
    assert_eq!(mixed(|plan| plan.dataset.digest = Digest::of("other")), said("dataset"));
    assert_eq!(mixed(|plan| plan.reach.digest = Digest::of("other")), said("reach"));
    assert_eq!(mixed(|plan| plan.cases.truncate(3)), said("cases"));
    assert_eq!(mixed(|plan| plan.joch = "0.2.0".to_owned()), said("joch"));
    assert_eq!(mixed(|plan| plan.shard = None), said("shard"));
    assert_eq!(mixed(|plan| plan.shard = Some((2, 3))), said("shard"));
    assert!(mixed(|plan| plan.shard = Some((3, 2))).contains("shard 3 of 2"));
    assert!(mixed(|plan| plan.shard = Some((0, 2))).contains("shard 0 of 2"));
}

#[test]
fn a_case_of_another_shard_is_refused() {
    let stage = stage();
    let mut files = stage.shards(2);
    let moved = files[0].1.pop().filter(|line| matches!(line, Line::Answer(_)));
    let moved = moved.unwrap_or_else(|| files[0].1.remove(1));
    files[1].1.push(moved);
    assert!(refused(&stage, files).contains("is of shard 2, and its case `c"));
}

#[test]
fn a_journal_of_something_else_is_refused() {
    let stage = stage();
    let file = |change: fn(&mut Plan)| vec![replan(("a.jsonl".to_owned(), stage.file()), change)];
    assert!(refused(&stage, file(|plan| plan.eval.digest = Digest::of("older"))).contains("run it again"));
    assert!(refused(&stage, file(|plan| plan.schema = "joch.dev/eval-journal/v9".to_owned())).contains("upgrade joch"));
    assert!(refused(&stage, file(|plan| plan.cases.truncate(1))).contains("tells of case `c1`"));
    assert!(refused(&stage, file(|plan| plan.trials = u32::MAX)).contains("trials of each of 12 cases"));
    assert_eq!(stage.merged(Vec::new()), Err(MergeTrouble::Nothing));
    let headless = vec![("a.jsonl".to_owned(), stage.lines.clone())];
    assert!(refused(&stage, headless).contains("does not begin with the plan of a run"));
    assert!(refused(&stage, vec![("a.jsonl".to_owned(), Vec::new())]).contains("does not begin"));
    let strange = stage.clone().with([answer(0, 2, &[]).line()]);
    assert!(refused(&strange, vec![("a.jsonl".to_owned(), strange.file())]).contains("trial 2 of case `c0`"));
    let strange = stage.clone().with([spoken(opinion("c0", 1, 0, 1, &[]))]);
    assert!(refused(&strange, vec![("a.jsonl".to_owned(), strange.file())]).contains("sample 1 of judge 0"));
}

#[test]
fn files_that_were_written_one_behind_the_other_are_read_as_two() {
    let stage = stage();
    let shards = stage.shards(2);
    let glued: Vec<Line> = shards.into_iter().flat_map(|(_, lines)| lines).collect();
    assert_eq!(stage.merged(vec![("all.jsonl".to_owned(), glued)]).expect("a result"), stage.result());
}

#[test]
fn of_two_answers_the_earlier_counts() {
    let stage = Stage::new(1, 1).success("0.5").all("task_success", &["0"]);
    let again = stage.clone().with([answer(0, 1, &[("task_success", "1")]).later(60).line()]);
    assert_eq!(again.result(), stage.result());
    let late = stage.clone().with([answer(0, 1, &[]).fails(FaultKind::Timeout).later(-60).line()]);
    assert_eq!(
        late.result().counts.timeouts,
        1,
        "a call that timed out was had, and is not asked again until it passes"
    );
}

#[test]
fn where_only_the_way_failed_a_later_answer_counts() {
    let stage = Stage::new(1, 1).success("0.5").all("task_success", &["1"]);
    let resumed = stage.clone().with([answer(0, 1, &[]).fails(FaultKind::Connection).later(-60).line()]);
    assert_eq!(resumed.result(), stage.result());
    let mut mute = opinion("c0", 1, 0, 1, &[]);
    mute.found = Err("it refused".to_owned());
    mute.at = time(900);
    let judged =
        Stage::new(1, 1).metric("task_success", judged(&[], 1), Aggregate::Mean, "0.5").judge("task_success", 1);
    let judged = judged.with([answer(0, 1, &[]).line(), spoken(opinion("c0", 1, 0, 1, &[("task_success/1", '+')]))]);
    assert_eq!(judged.clone().with([spoken(mute)]).result(), judged.result());
}
