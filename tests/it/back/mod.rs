//! The way back, and the way through in an emergency: rollbacks that look before they go, versions on hold, gates that
//! somebody overrode, and what every listing says of it.

mod check;
mod glass;
mod hold;
mod late;

use crate::bypass::{Lab, REFUSED, TO_PROD, agent, environment, head};

/// Usage errors end so.
const USAGE: i32 = 64;

/// Brings `words` of the agent `a` up to `prod`, approved by Alice.
fn release(lab: &Lab, words: &str) {
    lab.file("a.yaml", &agent("a", words));
    lab.up("a.yaml", &["a"]);
    lab.does("alice", &format!("approve a {TO_PROD}"));
    lab.does("ci", &format!("promote a {TO_PROD}"));
}

/// `approval:rm` stands before `prod`, and Bob may override there.
fn with_glass(name: &str) -> Lab {
    let lab = Lab::new(name);
    lab.file("prod.yaml", &glass("[\"approval:rm\"]"));
    lab.does("alice", "apply -f prod.yaml");
    lab
}

/// Production with these gates, where Bob may override.
fn glass(gates: &str) -> String {
    environment("prod", gates).replace("spec: {", "spec: {override: [bob@example.com], ")
}

/// The JSON answer of `joch LINE`, which works.
fn json(lab: &Lab, person: &str, line: &str) -> serde_json::Value {
    serde_json::from_str(&lab.does(person, &format!("{line} -o json"))).expect("JSON")
}
