//! Environment: a rung of the ladder, and what a promotion into it demands.

use super::{references, texts};
use crate::resource::duration;
use crate::resource::envelope::Resource;
use crate::resource::freeze::{self, Freeze};
use crate::resource::id::Reference;
use crate::resource::kind::Kind;
use crate::resource::requirement::Requirement;
use crate::resource::value::{Map, Value};

/// What an Environment says.
#[derive(Debug, Clone, PartialEq)]
pub struct Environment {
    /// What a promotion into it demands.
    pub gates: Vec<Gate>,
    /// What it demands beside of changes of some class, by the word of the class.
    pub change_classes: Vec<(String, Vec<Gate>)>,
    /// Policies imposed on every agent in it.
    pub policies: Vec<Reference>,
    /// Budgets imposed on every agent in it.
    pub budget_refs: Vec<Reference>,
    /// Values for every `{fromEnvironment: KEY}`.
    pub defaults: Map,
    /// What it runs on.
    pub runtime: Runtime,
    /// Where it runs.
    pub region: Option<String>,
    /// Whether evals must reach the agent itself, where it says so.
    pub require_live: Option<bool>,
    /// Who may sign results of evals: principals or `team:NAME`.
    pub eval_runners: Vec<String>,
    /// Who may override a gate: principals or `team:NAME`.
    pub override_by: Vec<String>,
    /// Whose models, servers and images may be used.
    pub allowlists: Allowlists,
    /// The least score of trust of every MCP server, as it is written.
    pub min_trust_score: Option<Value>,
    /// Whether an image without a digest is a high risk.
    pub require_image_digest: bool,
    /// Where data may be; anywhere where it lists nothing.
    pub data_residency: Vec<String>,
    /// What is let through in spite of risk rules, each as it is written.
    pub exceptions: Vec<Value>,
    /// When it stands still, each entry as far as it can be read.
    pub freezes: Vec<Result<Freeze, String>>,
    /// How many seconds a version must have run in the environment below, where it says so.
    pub soak: Option<Result<u64, String>>,
}

/// Whose things may be used in an environment; anybody's where a list is none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Allowlists {
    /// Providers of models.
    pub model_providers: Option<Vec<String>>,
    /// Publishers of MCP servers.
    pub publishers: Option<Vec<String>>,
    /// Registries of images.
    pub image_registries: Option<Vec<String>>,
}

/// What an environment runs on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Runtime {
    /// What runs it.
    pub orchestrator: Option<String>,
    /// Which cluster.
    pub cluster: Option<String>,
    /// Which cloud.
    pub cloud: Option<String>,
}

/// One gate of an environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gate {
    /// What it demands.
    pub requirement: Requirement,
    /// Whether it stops a promotion.
    pub mode: Mode,
    /// The gate as it was written, with every further setting.
    pub written: Value,
}

/// What a gate that fails does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// It stops the promotion.
    Enforce,
    /// It is told and recorded.
    Advisory,
}

impl Environment {
    /// The view of an Environment.
    ///
    /// # Errors
    /// Another kind, or a gate that is none: a gate is never left out in silence.
    pub fn of(resource: &Resource) -> Result<Self, String> {
        if resource.id().kind != Kind::Environment {
            return Err(format!("`{}` is no Environment", resource.id()));
        }
        let spec = resource.spec();
        let text = |keys: &[&str]| spec.at(keys).and_then(Value::as_text).map(str::to_owned);
        Ok(Self {
            gates: gates(spec.get("gates"))?,
            change_classes: by_class(spec.get("changeClasses"))?,
            policies: references(&Kind::Policy, spec.get("policies")),
            budget_refs: references(&Kind::Budget, spec.get("budgetRefs")),
            defaults: spec.get("defaults").and_then(Value::as_map).cloned().unwrap_or_default(),
            runtime: Runtime {
                orchestrator: text(&["runtime", "orchestrator"]),
                cluster: text(&["runtime", "cluster"]),
                cloud: text(&["runtime", "cloud"]),
            },
            region: text(&["region"]),
            require_live: spec.get("requireLive").and_then(Value::as_bool),
            eval_runners: texts(spec.get("evalRunners")),
            override_by: texts(spec.get("override")),
            allowlists: Allowlists {
                model_providers: list(spec, "modelProviders"),
                publishers: list(spec, "publishers"),
                image_registries: list(spec, "imageRegistries"),
            },
            min_trust_score: spec.get("minTrustScore").filter(|score| **score != Value::Null).cloned(),
            // Whatever is not plainly `false` asks for it.
            require_image_digest: !matches!(
                spec.get("requireImageDigest"),
                None | Some(Value::Null | Value::Bool(false))
            ),
            data_residency: texts(spec.at(&["compliance", "dataResidency"])),
            exceptions: match spec.get("exceptions") {
                None | Some(Value::Null) => Vec::new(),
                Some(Value::List(items)) => items.clone(),
                Some(one) => vec![one.clone()],
            },
            freezes: freeze::read_all(spec.get("freezes")),
            soak: spec.get("soak").filter(|soak| **soak != Value::Null).map(duration::read),
        })
    }
}

/// A list of what is allowed; one that is written and empty allows nothing.
fn list(spec: &Value, key: &str) -> Option<Vec<String>> {
    let list = spec.at(&["allowlists", key]).filter(|list| **list != Value::Null)?;
    Some(texts(Some(list)))
}

fn by_class(value: Option<&Value>) -> Result<Vec<(String, Vec<Gate>)>, String> {
    match value {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Map(classes)) => {
            classes.iter().map(|(class, demanded)| Ok((class.clone(), gates(Some(demanded))?))).collect()
        }
        Some(other) => Err(format!("`changeClasses` is a map from classes to gates, not {}", other.type_name())),
    }
}

fn gates(value: Option<&Value>) -> Result<Vec<Gate>, String> {
    match value {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::List(items)) => items.iter().map(gate).collect(),
        Some(one) => Ok(vec![gate(one)?]),
    }
}

fn gate(written: &Value) -> Result<Gate, String> {
    let text = written.as_text().or_else(|| written.get("gate")?.as_text());
    let text = text.ok_or_else(|| format!("a gate is text or a map with `gate`, not {}", written.type_name()))?;
    let mode = match written.get("mode") {
        None | Some(Value::Null) => Mode::Enforce,
        Some(Value::Text(mode)) if mode == "enforce" => Mode::Enforce,
        Some(Value::Text(mode)) if mode == "advisory" => Mode::Advisory,
        Some(_) => return Err(format!("the `mode` of the gate `{text}` is neither `enforce` nor `advisory`")),
    };
    Ok(Gate { requirement: text.parse()?, mode, written: written.clone() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::yaml::{Found, read};

    #[test]
    fn a_gate_is_a_word_or_a_map_and_never_left_out() {
        let text = |gates: &str| {
            format!(
                "apiVersion: joch.dev/v1alpha1\nkind: Environment\nmetadata: {{name: prod}}\nspec: {{gates: {gates}}}"
            )
        };
        let of = |gates: &str| {
            let mut read = read("x.yaml", &text(gates), Found::Named);
            Environment::of(&read.documents.remove(0).resource).map(|environment| environment.gates)
        };
        let told: Vec<_> = of("[policy, {gate: \"agbom:high\", mode: advisory, failOn: high}]")
            .expect("two gates")
            .into_iter()
            .map(|gate| (gate.requirement.to_string(), gate.mode))
            .collect();
        assert_eq!(told, [("policy".into(), Mode::Enforce), ("agbom:high".into(), Mode::Advisory)]);
        for bad in ["[polcy]", "[1]", "[{}]", "[{gate: policy, mode: off}]", "{policy: true}"] {
            assert!(of(bad).is_err(), "{bad}");
        }
    }
}
