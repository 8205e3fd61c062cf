//! The runner at work with a real endpoint: what it asks of judges, and what it makes of what they count.

use std::time::Duration;

use chrono::Utc;
use serde_json::json;

use super::stage::{Loopback, credentials, json as json_answer, reach, setting};
use super::{Credentials, Ended, JudgeClient, Left, Seat, Target, Told, Work, measure};
use crate::eval::judge::canaries;
use crate::eval::{Fault, Line, ModelFacts, Opinion, Usage};

/// Shows one canary in two samples to a judge that gives no verdict.
fn opinions(server: &Loopback) -> Vec<Opinion> {
    let model = ModelFacts {
        name: "judge".into(),
        provider: "openai".into(),
        model: "judge-1".into(),
        base_url: Some(format!("{}/v1", server.url)),
        local: false,
        key: Some("key".into()),
        parameters: serde_json::Map::new(),
        max_output_tokens: None,
    };
    let client = JudgeClient::open(&model, &credentials(&[("key", "sk-secret-1")]), &setting(), Duration::from_secs(5));
    let reach = reach(json!({"type": "http", "url": server.url}));
    let target = Target::open(&reach, &Credentials::default(), &setting()).expect("a target");
    let canary = canaries().swap_remove(0);
    let left = |sample| Left::Canary { canary: Box::new(canary.clone()), judge: 0, sample };
    let work = Work {
        cases: &[],
        left: vec![left(1), left(2)],
        target: &target,
        judges: vec![Seat { client: client.expect("a judge"), criteria: Box::new(|_| Ok(Vec::new())), samples: 2 }],
        checks: Vec::new(),
        leaks: Vec::new(),
        programs: Vec::new(),
        concurrency: 1,
        now: Utc::now,
    };
    let mut opinions = Vec::new();
    let ended = measure(&work, &mut |told| {
        if let Told::Line(Line::Opinion(opinion)) = told {
            opinions.push(*opinion);
        }
        Ok::<_, Fault>(())
    });
    assert_eq!(ended, Ok(Ended::Done));
    opinions
}

#[test]
fn tokens_beyond_all_counting_are_counted_as_the_most() {
    let server = Loopback::answering(|_| {
        json_answer(&json!({"choices": [{"message": {"content": "well"}}],
            "usage": {"prompt_tokens": u64::MAX, "completion_tokens": 1}}))
    });
    for opinion in opinions(&server) {
        assert!(opinion.found.is_err());
        assert_eq!(opinion.usage, Some(Usage { input: u64::MAX, output: 3 }));
    }
}

#[test]
fn every_sample_has_a_seed_of_its_own_and_the_same_one_when_it_is_asked_anew() {
    let server = Loopback::answering(|_| json_answer(&json!({"choices": [{"message": {"content": "well"}}]})));
    assert_eq!(opinions(&server).len(), 2);
    let seeds: Vec<_> = server.asked().iter().map(|asked| asked.body["seed"].as_u64()).collect();
    assert_eq!(seeds, [Some(8), Some(8), Some(8), Some(9), Some(9), Some(9)]);
}
