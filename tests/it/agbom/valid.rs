//! Bills are valid: by the schemas under `fixtures/schemas`, and by the validator of the CycloneDX project.

use std::fs;
use std::path::PathBuf;

use joch::bom::check;
use joch::bom::cyclonedx::Bill;
use jsonschema::{Registry, Validator};
use serde_json::{Value, json};

use super::{family, sh};
use crate::support::world::{World, fixtures};
use crate::support::{all, needs};

fn schema(name: &str) -> Value {
    let text = fs::read_to_string(fixtures().join("schemas").join(name)).expect("a schema");
    serde_json::from_str(&text).expect("JSON")
}

/// The validator of CycloneDX 1.6, formats included.
fn cyclonedx() -> Validator {
    let at = |name: &str| format!("http://cyclonedx.org/schema/{name}");
    let beside = ["spdx.SNAPSHOT.schema.json", "jsf-0.82.SNAPSHOT.schema.json"];
    let registry = Registry::new().extend(beside.map(|name| (at(name), schema(name)))).expect("addresses");
    let registry = registry.prepare().expect("schemas");
    let options = jsonschema::options().with_registry(&registry).should_validate_formats(true);
    options.build(&schema("bom-1.6.SNAPSHOT.schema.json")).expect("a schema")
}

fn spdx() -> Validator {
    jsonschema::validator_for(&schema("spdx-3.0.1.schema.json")).expect("a schema")
}

fn complaints(validator: &Validator, text: &str) -> Vec<String> {
    let document: Value = serde_json::from_str(text).expect("JSON");
    validator.iter_errors(&document).map(|why| format!("{}: {why:.300}", why.instance_path())).collect()
}

const AGENTS: [&str; 4] = ["support-triage", "parent", "near", "agent/far -n team-a"];

/// The bills of every agent of the fixtures and of the family.
fn bills(world: &World, format: &str) -> Vec<String> {
    AGENTS.iter().map(|agent| sh(world, &format!("joch agbom {agent} --format {format}"))).collect()
}

/// The example that was published with the field names of agents, cut down to what is wrong with it.
fn published() -> Value {
    json!({
        "bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1,
        "components": [
            { "type": "service", "name": "github", "bom-ref": "mcp:github" },
            { "type": "tool", "name": "github.create_pull_request", "bom-ref": "tool:github.create_pull_request" },
        ],
        "signatures": [{ "keyId": "ops", "value": "x" }],
    })
}

#[test]
fn every_bill_is_valid_cyclonedx_and_hangs_together() {
    let world = family("bom-valid");
    let validator = cyclonedx();
    for text in bills(&world, "cyclonedx") {
        assert_eq!(complaints(&validator, &text), Vec::<String>::new(), "{text}");
        assert_eq!(check(&Bill::from_json(text.as_bytes()).expect("a bill")), Vec::<String>::new());
    }
    // The same files in the same ledger make the same bytes.
    assert_eq!(bills(&world, "cyclonedx"), bills(&world, "cyclonedx"));
}

#[test]
fn every_bill_is_valid_spdx() {
    let world = family("bom-valid-spdx");
    let validator = spdx();
    for text in bills(&world, "spdx") {
        assert_eq!(complaints(&validator, &text), Vec::<String>::new(), "{text}");
        let wrong = text.replacen("\"software_Package\"", "\"software_Service\"", 1);
        assert_ne!(complaints(&validator, &wrong), Vec::<String>::new(), "a class that SPDX has not");
        let wrong = text.replacen("\"dependsOn\"", "\"uses\"", 1);
        assert_ne!(complaints(&validator, &wrong), Vec::<String>::new(), "a relationship that SPDX has not");
    }
    assert_eq!(bills(&world, "spdx"), bills(&world, "spdx"));
}

#[test]
fn the_schema_of_cyclonedx_refuses_what_is_none() {
    let validator = cyclonedx();
    assert!(complaints(&validator, &published().to_string()).len() >= 3, "`service`, `tool` and `signatures`");
    let world = family("bom-invalid");
    let good = sh(&world, "joch agbom support-triage --format cyclonedx");
    let broken = good.replacen("https://mcp.northwind.example/help-center", "https://mcp northwind", 1);
    assert!(complaints(&validator, &broken).iter().any(|why| why.contains("iri-reference")), "formats are looked at");
    let broken = good.replacen("\"machine-learning-model\"", "\"ai-model\"", 1);
    assert!(!complaints(&validator, &broken).is_empty());
}

/// The validator of the CycloneDX project, as anybody would run it.
const PYTHON: &str = "import json, sys
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
text = open(sys.argv[1]).read()
version = SchemaVersion.from_version(json.loads(text)['specVersion'])
errors = list(JsonStrictValidator(version).validate_str(text, all_errors=True) or [])
for error in errors:
    print('/'.join(map(str, error.data.absolute_path)) or '<root>', error.data.message[:200])
sys.exit(bool(errors))
";

/// A Python that has it: that of `JOCH_TEST_PYTHON`, else the one on the path.
fn python() -> Option<PathBuf> {
    let python = std::env::var_os("JOCH_TEST_PYTHON").map_or_else(|| PathBuf::from("python3"), PathBuf::from);
    let has = std::process::Command::new(&python).args(["-c", "import cyclonedx.validation.json"]).output();
    let has = has.is_ok_and(|output| output.status.success());
    assert!(
        has || !all(),
        "JOCH_TEST_ALL=1 asks for every test: install cyclonedx-python-lib[json-validation]==11.12.0"
    );
    has.then_some(python)
}

#[test]
fn the_validator_of_the_cyclonedx_project_takes_every_bill_and_refuses_the_published_example() {
    if !all() && !needs(&["python3"]) {
        return;
    }
    let Some(python) = python() else { return };
    let world = family("bom-python");
    let place = world.project().join("../bill.json");
    let script = world.project().join("../validate.py");
    fs::write(&script, PYTHON).expect("own file");
    let run = |text: &str| {
        fs::write(&place, text).expect("own file");
        let ran = std::process::Command::new(&python).arg(&script).arg(&place).output().expect("Python");
        (ran.status.code(), String::from_utf8_lossy(&ran.stdout).into_owned())
    };
    for text in bills(&world, "cyclonedx") {
        assert_eq!(run(&text), (Some(0), String::new()));
    }
    let (code, told) = run(&published().to_string());
    assert_eq!(code, Some(1), "{told}");
    assert!(told.contains("signatures") && told.contains("components/0"), "{told}");
}
