//! A run in parts: several machines, one result.

use std::fs;
use std::process::Stdio;
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::stage::{Stage, agent, judge};
use crate::support::server::{Answer, Request};

fn script(request: &Request) -> Answer {
    if request.path == "/agent" {
        return agent(request, |n| if n.is_multiple_of(7) { "Dunno.".into() } else { format!("Answer {n}.") });
    }
    judge(request, |_, output| if output == "Dunno." { "not_met" } else { "met" })
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|why| panic!("{why}: {text}"))
}

#[test]
fn four_parts_come_to_what_one_piece_comes_to() {
    let stage = Stage::new("shards", 40, script);
    let run = "joch eval run support-triage-quality --target staging --run-id r1";
    for part in 1..=4 {
        let outcome = stage.done(&format!("{run} --shard {part}/4 --journal parts"));
        assert!(outcome.stdout.contains(&format!("shard {part}/4")), "{}", outcome.stdout);
    }
    let missing = stage.sh("mv parts/r1-3-of-4 aside && joch eval merge parts");
    assert_eq!(missing.code, 1, "{}", missing.stdout);
    assert!(missing.stderr.contains("there is no journal of shard 3 of 4"), "{}", missing.stderr);
    stage.done("mv aside parts/r1-3-of-4");
    let merged = stage.sh("joch eval merge parts -o json");
    let (merged, code) = (json(&merged.stdout), merged.code);

    // The same lines in one file, as one machine would have written them, but for what says which part a line is of.
    let whole = stage.sh("joch eval run support-triage-quality --target staging -o json");
    let whole_json = json(&whole.stdout);
    assert_eq!(code, whole.code);
    for (one, other) in
        merged["metrics"].as_array().into_iter().flatten().zip(whole_json["metrics"].as_array().into_iter().flatten())
    {
        if !one["name"].as_str().is_some_and(|name| name.starts_with("latency")) {
            assert_eq!(one, other);
        }
    }
    assert_eq!(merged["counts"], whole_json["counts"]);
    let ids = |result: &Value| -> Vec<Value> {
        result["cases"].as_array().into_iter().flatten().map(|case| case["id"].clone()).collect()
    };
    assert_eq!(ids(&merged), ids(&whole_json));

    // In another order, and with a part given twice, it is bit for bit the same result.
    let again = stage.sh(
        "joch eval merge parts/r1-4-of-4 parts/r1-2-of-4/journal.jsonl parts/r1-1-of-4 parts/r1-3-of-4 parts -o json",
    );
    assert_eq!(json(&again.stdout)["evidence"], merged["evidence"]);
}

#[test]
fn parts_of_two_runs_are_not_mixed() {
    let stage = Stage::new("shards-mixed", 12, script);
    for (run, part) in [("a", 1), ("b", 2)] {
        stage.done(&format!(
            "joch eval run support-triage-quality --target staging --run-id {run} --shard {part}/2 --journal parts"
        ));
    }
    let mixed = stage.sh("joch eval merge parts");
    assert_eq!(mixed.code, 1, "{}", mixed.stdout);
    assert!(mixed.stderr.contains("are not of one run: their `run` differs"), "{}", mixed.stderr);
    let journal = stage.world.project().join("parts/a-1-of-2/journal.jsonl");
    let text = fs::read_to_string(&journal).expect("a journal");
    fs::write(&journal, text.replacen("\"text\":\"Answer", "\"text\":\"answer", 1)).expect("changed");
    let forged = stage.sh("joch eval merge parts/a-1-of-2");
    assert!(forged.stderr.contains("its checksum is that of another text"), "{}", forged.stderr);
}

#[test]
fn a_part_is_a_number_of_a_number() {
    let stage = Stage::new("shards-usage", 3, script);
    for bad in ["0/4", "5/4", "1/0", "x", "1/", "1-4"] {
        let outcome = stage.sh(&format!("joch eval run support-triage-quality --target staging --shard {bad}"));
        assert_eq!(outcome.code, 64, "{bad}: {}", outcome.stderr);
    }
    assert_eq!(stage.server.count(), 0, "nothing was called");
}

/// Runs a part and stops it with a signal after some calls; what it printed.
fn stopped(stage: &Stage, words: &[&str]) -> String {
    let mut command = stage.world.command("alice", "joch");
    command.args(["eval", "run", "support-triage-quality", "--target", "staging", "--concurrency", "1"]).args(words);
    command.env(super::stage::KEY.0, super::stage::KEY.1).stdout(Stdio::piped());
    let before = stage.server.count();
    let child = command.spawn().expect("started");
    let began = Instant::now();
    // Canaries come first.
    while stage.server.count() < before + 16 {
        assert!(began.elapsed() < Duration::from_secs(60), "it never came so far");
        sleep(Duration::from_millis(5));
    }
    stage.done(&format!("kill -TERM {}", child.id()));
    let output = child.wait_with_output().expect("ended");
    assert_eq!(output.status.code(), Some(130));
    String::from_utf8(output.stdout).expect("text")
}

#[test]
fn a_part_goes_on_where_it_lies_and_no_other_in_its_place() {
    let stage = Stage::new("shards-resume", 60, |request| match request.path.as_str() {
        "/agent" => Answer::After(Duration::from_millis(60), Box::new(script(request))),
        _ => script(request),
    });
    let run = "joch eval run support-triage-quality --target staging --journal 'my parts'";
    stage.done(&format!("{run} --concurrency 1 --run-id r1 --shard 2/3"));
    let told = stopped(&stage, &["--journal", "my parts", "--run-id", "r1", "--shard", "1/3"]);
    stopped(&stage, &["--journal", "my parts", "--run-id", "r1", "--shard", "3/3"]);
    let next = told.lines().find_map(|line| line.split_once("next: ")).expect("a command").1;

    let calls = stage.server.count();
    for (line, said) in [
        (format!("{run} --shard 2/3 --resume r1"), "nothing is left of the run `r1`, shard 2/3"),
        (format!("{run} --shard 1/4 --resume r1"), "the run `r1` is shard"),
        (run.replace("quality", "nosuch") + " --resume r1", "of eval/support-triage-quality in `staging`"),
        (run.replace("staging", "prod") + " --resume r1", "of eval/support-triage-quality in `staging`"),
        (run.replace("my parts", "elsewhere") + " --resume r1", "no unfinished run in"),
    ] {
        let refused = stage.sh(&line);
        assert_eq!(refused.code, 1, "{line}: {}{}", refused.stdout, refused.stderr);
        assert!(refused.stderr.contains(said), "{line}: {}", refused.stderr);
    }
    assert_eq!(stage.server.count(), calls, "nothing was called");

    // The command that was printed works as it stands, wherever it is pasted.
    assert!(next.contains("--shard 1/3") && next.contains("my parts'"), "{next}");
    let first = stage.done(next);
    assert!(first.stdout.contains("shard 1/3"), "{}", first.stdout);
    let third = stage.done(&format!("{run} --resume"));
    assert!(third.stdout.contains("shard 3/3"), "{}", third.stdout);
    assert_eq!(stage.sh(&format!("{run} --resume")).code, 1, "nothing is left");
    let merged = stage.sh("joch eval merge 'my parts'");
    assert!(merged.stdout.contains("60 of 60 answered"), "{}{}", merged.stdout, merged.stderr);
}

#[test]
fn a_part_that_is_done_is_not_offered_as_unfinished() {
    let stage = Stage::new("shards-done", 12, script);
    stage.done("joch eval run support-triage-quality --target staging --run-id r2 --shard 1/2");
    let listed = stage.done("joch eval ls");
    assert!(!listed.stdout.contains("r2"), "{}", listed.stdout);
}
