//! A run in parts: several machines, one result.

use std::fs;

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
