//! The worked examples in `docs/evals`: what they show is YAML, and says what the text around it promises.

use std::fs;
use std::path::Path;

use serde_yaml::Value;

#[test]
fn every_block_of_yaml_in_the_examples_is_yaml() {
    let mut blocks = 0;
    for entry in fs::read_dir(folder()).expect("the examples") {
        let path = entry.expect("an entry").path();
        for block in yaml_of(&fs::read_to_string(&path).expect("a page")) {
            let documents = documents(&block);
            assert!(documents.iter().all(Value::is_mapping), "{}", path.display());
            blocks += 1;
        }
    }
    assert!(blocks >= 2, "{blocks} blocks");
}

#[test]
fn a_workflow_shares_out_all_cases_and_lets_only_the_merge_judge() {
    let page = fs::read_to_string(folder().join("ci-matrix.md")).expect("the page");
    let workflow = documents(&yaml_of(&page)[0]).remove(0);
    let shards = workflow["jobs"]["shard"]["strategy"]["matrix"]["shard"].as_sequence().expect("a matrix");
    let numbers: Vec<_> = shards.iter().filter_map(Value::as_u64).collect();
    assert_eq!(numbers, (1..=shards.len() as u64).collect::<Vec<_>>());
    let text = yaml_of(&page).concat();
    assert!(text.contains(&format!("--shard \"$SHARD/{}\"", shards.len())), "the matrix and the command differ");
    // Values of an event inside of a script would be code.
    for job in ["shard", "verdict"] {
        for step in workflow["jobs"][job]["steps"].as_sequence().expect("steps") {
            let script = step["run"].as_str().unwrap_or_default();
            assert!(!script.contains("${{"), "{script}");
            assert!(job == "verdict" || !script.contains("merge"), "{script}");
        }
    }
}

#[test]
fn a_shard_in_a_pod_is_one_of_as_many_as_the_job_completes() {
    let page = fs::read_to_string(folder().join("kubernetes.md")).expect("the page");
    let documents = documents(&yaml_of(&page)[0]);
    let jobs: Vec<_> = documents.iter().filter(|document| document["kind"] == "Job").collect();
    let [shards, verdict] = jobs[..] else { panic!("two jobs") };
    let spec = &shards["spec"];
    assert_eq!(spec["completionMode"], "Indexed");
    let completions = spec["completions"].as_u64().expect("a number");
    let script = |job: &Value| {
        job["spec"]["template"]["spec"]["containers"][0]["args"][0].as_str().unwrap_or_default().to_owned()
    };
    assert!(script(shards).contains(&format!("$((JOB_COMPLETION_INDEX + 1))/{completions}")));
    assert!(script(verdict).contains("eval merge"));
    // A failure policy needs this, and names a container that is there.
    for job in [shards, verdict] {
        assert_eq!(job["spec"]["template"]["spec"]["restartPolicy"], "Never");
        let names = &job["spec"]["podFailurePolicy"]["rules"][1]["onExitCodes"]["containerName"];
        assert_eq!(*names, job["spec"]["template"]["spec"]["containers"][0]["name"]);
    }
    let tried_again = &spec["podFailurePolicy"]["rules"][1]["onExitCodes"]["values"];
    assert!(!tried_again.as_sequence().expect("codes").contains(&1.into()), "exit 1 is worth another try");
}

/// The blocks that begin with three backticks and `yaml`.
fn yaml_of(page: &str) -> Vec<String> {
    let blocks = page.split("```yaml\n").skip(1);
    blocks.map(|rest| rest.split_once("\n```").expect("a block ends").0.to_owned() + "\n").collect()
}

fn documents(block: &str) -> Vec<Value> {
    let one = |text: &str| serde_yaml::from_str(text).unwrap_or_else(|why| panic!("{why}:\n{text}"));
    block.split("\n---\n").map(one).collect()
}

fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/evals")
}
