//! What an environment demands of a change: the union of what its Environment, Deployments and Evals
//! say, on the target's side and on the source's, and what the operator adds. None takes another away.

use std::sync::Arc;

use crate::gate::Demand;
use crate::resource::view::{self, Deployment, Environment, Eval, about};
use crate::resource::{ChangeClass, Digest, Kind, Requirement, Resource, ResourceId};
use crate::trust::Trust;

/// The rules for one subject in one environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    /// What is demanded, each requirement once.
    pub demands: Vec<Demand>,
    /// Digest of what the environment, Deployments and Evals say; `--require` adds to the demands only.
    pub digest: Digest,
    /// Whether anything but `--require` demands something; for a Policy or a Budget, of any agent.
    pub gated: bool,
}

impl Rules {
    /// These rules and those of another agent that the same change moves, under one digest.
    #[must_use]
    pub fn with(self, other: Self) -> Self {
        let digest = Digest::of(format!("{}{}", self.digest, other.digest));
        Self { digest, ..self.and(other) }
    }

    /// These rules, and what `earlier` demands beside them.
    #[must_use]
    pub fn and(mut self, earlier: Self) -> Self {
        earlier.demands.into_iter().for_each(|demand| add(&mut self.demands, demand));
        self.gated |= earlier.gated;
        self
    }
}

/// What an Environment says beside its gates that decides what passes them: a yes to a change is a yes under these.
const BINDING: [&str; 7] =
    ["defaults", "allowlists", "minTrustScore", "requireImageDigest", "exceptions", "soak", "changeClasses"];

/// The rules for a change of `resource` in `environment`.
///
/// `classes` are those of the change, and `records` the Evals and Deployments of the target and of the source. The first
/// rung demands nothing.
///
/// # Errors
/// A gate that cannot be read: the change must not happen, because what is demanded is not known.
pub fn rules_for(
    environment: &str,
    resource: &ResourceId,
    classes: &[ChangeClass],
    trust: &Trust,
    records: &[Arc<Resource>],
    required: &[Requirement],
) -> Result<Rules, String> {
    let mut demands = Vec::new();
    let mut said = Vec::new();
    if environment != trust.ladder().first() {
        for demand in environment_gates(environment, classes, trust)? {
            said.extend(demand.origins.iter().map(|origin| format!("{origin} {}", demand.requirement)));
            add(&mut demands, demand);
        }
        let agents = judged_agents(resource, records);
        for record in records {
            for requirement in demanded_by(record, &agents, environment) {
                let origin = record.id().to_string();
                said.push(format!("{origin} {requirement}"));
                if record.id().kind == Kind::Eval {
                    said.push(format!("{origin} {}", record.digest()));
                }
                add(&mut demands, Demand::new(requirement, origin));
            }
        }
    }
    let gated =
        !demands.is_empty() || (environment != trust.ladder().first() && bears_on_all(resource, environment, records));
    for requirement in required {
        add(&mut demands, Demand::new(requirement.clone(), Demand::REQUIRED));
    }
    said.sort_unstable();
    said.dedup();
    // What is imposed, and the values that the environment fills in, are part of what is approved.
    for imposed in trust.imposed(environment, &resource.namespace) {
        said.push(format!("imposed {} {}", imposed.id(), imposed.digest()));
    }
    let spec = trust.environment(environment).map(|record| record.spec());
    for field in BINDING {
        if let Some(value) = spec.and_then(|spec| spec.get(field)) {
            said.push(format!("{field} {}", serde_json::to_string(value).unwrap_or_default()));
        }
    }
    said.sort_unstable();
    let gates = trust.environment(environment).and_then(|record| record.spec().get("gates").cloned());
    let gates = gates.map(|gates| serde_json::to_string(&gates).unwrap_or_default()).unwrap_or_default();
    Ok(Rules { demands, digest: Digest::of(format!("{gates}\n{}", said.join("\n"))), gated })
}

/// Adds a demand to those that stand. Advice beside a demand is a demand.
fn add(demands: &mut Vec<Demand>, more: Demand) {
    let Some(demand) = demands.iter_mut().find(|demand| demand.requirement == more.requirement) else {
        demands.push(more);
        return;
    };
    demand.advisory &= more.advisory;
    for origin in more.origins {
        if !demand.origins.contains(&origin) {
            demand.origins.push(origin);
        }
    }
    for setting in more.settings {
        if !demand.settings.contains(&setting) {
            demand.settings.push(setting);
        }
    }
}

/// What an Environment demands of every change, and of changes of these classes.
fn environment_gates(environment: &str, classes: &[ChangeClass], trust: &Trust) -> Result<Vec<Demand>, String> {
    let Some(record) = trust.environment(environment) else { return Ok(Vec::new()) };
    let id = record.id();
    let view = Environment::of(record).map_err(|why| format!("{id}: {why}"))?;
    let demand = |gate: view::Gate, origin: String| Demand {
        advisory: gate.mode == view::Mode::Advisory,
        settings: Some(gate.written).filter(|written| written.as_map().is_some()).into_iter().collect(),
        ..Demand::new(gate.requirement, origin)
    };
    let mut demands: Vec<_> = view.gates.into_iter().map(|gate| demand(gate, id.to_string())).collect();
    for (word, gates) in view.change_classes {
        let class = ChangeClass::from_word(&word)
            .ok_or_else(|| format!("{id}: `changeClasses` names `{word}`: {}", ChangeClass::help(&word)))?;
        if classes.contains(&class) {
            demands.extend(gates.into_iter().map(|gate| demand(gate, format!("{id} changeClasses {class}"))));
        }
    }
    Ok(demands)
}

/// Whose rules judge a resource: its own for an agent; for a Deployment or Eval, those of the agents it may
/// be about, since it guards them.
fn judged_agents(resource: &ResourceId, records: &[Arc<Resource>]) -> Vec<ResourceId> {
    if resource.kind == Kind::Agent {
        return vec![resource.clone()];
    }
    records.iter().filter(|record| record.id() == resource).flat_map(|record| about(record)).collect()
}

/// Whether a kind bears on agents that it does not name: a Policy selects by labels, and many draw on one Budget.
#[must_use]
pub fn is_shared_control(kind: &Kind) -> bool {
    matches!(kind, Kind::Policy | Kind::Budget)
}

/// Whether a shared control changes where somebody demands something, so that it is not loosened unseen.
///
/// What a Deployment or Eval demands itself is not asked of it. That is about a version of one agent, and the teams of all
/// agents would have to say yes to every change of a policy, also to one that asks for more. Gated means that what asks
/// for less waits for the admins, who answer for all of them, and that the decision stands on evidence.
fn bears_on_all(resource: &ResourceId, environment: &str, records: &[Arc<Resource>]) -> bool {
    is_shared_control(&resource.kind) && records.iter().any(|record| !demands_of(record, environment).is_empty())
}

/// What a Deployment or Eval demands of a change of one of `agents`.
fn demanded_by(record: &Resource, agents: &[ResourceId], environment: &str) -> Vec<Requirement> {
    if about(record).iter().any(|agent| agents.contains(agent)) { demands_of(record, environment) } else { Vec::new() }
}

/// What a Deployment or Eval demands in an environment, of whichever agent it is about.
fn demands_of(record: &Resource, environment: &str) -> Vec<Requirement> {
    if let Some(deployment) = Deployment::of(record) {
        let here = deployment.environment.as_ref().is_some_and(|named| named.name == environment);
        let evals = deployment.requires_eval.into_iter().map(|eval| Requirement::Eval(eval.name));
        let teams = deployment.requires_approval.into_iter().map(|team| Requirement::Approval(team.name, 1));
        return if here { evals.chain(teams).collect() } else { Vec::new() };
    }
    let guards = Eval::of(record).is_some_and(|eval| eval.blocks(environment));
    if guards { vec![Requirement::Eval(record.id().name.clone())] } else { Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::sample::one;
    use crate::trust::sample::trust;

    /// The rules for a change of a resource in `prod`, as `requirement (origin, …)`.
    fn told(gates: &str, resource: &ResourceId, records: &[Arc<Resource>], required: &[&str]) -> Vec<String> {
        rules(gates, resource, records, required).demands.iter().map(sentence).collect()
    }

    fn sentence(demand: &Demand) -> String {
        format!("{} ({})", demand.requirement, demand.origins.join(", "))
    }

    fn rules(gates: &str, resource: &ResourceId, records: &[Arc<Resource>], required: &[&str]) -> Rules {
        in_environment("prod", gates, resource, records, required).expect("readable")
    }

    fn in_environment(
        name: &str,
        gates: &str,
        resource: &ResourceId,
        records: &[Arc<Resource>],
        required: &[&str],
    ) -> Result<Rules, String> {
        let trust = trust([one(&format!("Environment {name}"), &format!("{{gates: {gates}}}"))]);
        let required: Vec<_> = required.iter().map(|text| text.parse().expect("a gate")).collect();
        rules_for(name, resource, &[], &trust, records, &required)
    }

    fn agent() -> ResourceId {
        ResourceId::agent("default", "x")
    }

    fn deployment(head: &str, more: &str) -> Arc<Resource> {
        one(&format!("Deployment {head}"), &format!("{{agentRef: x, environmentRef: prod, {more}}}"))
    }

    fn eval(head: &str, more: &str) -> Arc<Resource> {
        one(&format!("Eval {head}"), &format!("{{target: {{kind: Agent, name: x}}, {more}}}"))
    }

    #[test]
    fn demands_of_several_places_add_up_and_none_takes_another_away() {
        let records = [
            deployment("d", "promotion: {requiresEval: quality, requiresApproval: [rm, security]}"),
            // The same Deployment as the source has it, weakened.
            deployment("d", "promotion: {}"),
            eval("quality", "releaseGate: {enabled: true, blocksPromotionTo: [prod]}"),
            eval("off", "releaseGate: {enabled: false}"),
            eval("elsewhere", "releaseGate: {enabled: true, blocksPromotionTo: [staging]}"),
            one("Eval other-agent", "{target: {kind: Agent, name: y}, releaseGate: {enabled: true}}"),
            one("Deployment other-agent", "{agentRef: y, environmentRef: prod, promotion: {requiresApproval: sue}}"),
            one("Deployment staging", "{agentRef: x, environmentRef: staging, promotion: {requiresApproval: sue}}"),
        ];
        assert_eq!(
            told("['approval:rm', {gate: 'agbom:high'}]", &agent(), &records, &["eval:quality", "budget"]),
            [
                "approval:rm (environment/prod, deployment/d)",
                "agbom:high (environment/prod)",
                "eval:quality (deployment/d, eval/quality, --require)",
                "approval:security (deployment/d)",
                "budget (--require)",
            ]
        );
    }

    #[test]
    fn two_counts_of_one_team_are_two_demands() {
        let records = [deployment("d", "promotion: {requiresApproval: rm}")];
        let told = told("['approval:rm:2']", &agent(), &records, &[]);
        assert_eq!(told, ["approval:rm:2 (environment/prod)", "approval:rm (deployment/d)"]);
    }

    #[test]
    fn the_first_rung_demands_only_what_the_operator_asks_for() {
        let records = [one("Deployment d", "{agentRef: x, environmentRef: local, promotion: {requiresApproval: rm}}")];
        let rules = in_environment("local", "[policy]", &agent(), &records, &[]).expect("readable");
        assert_eq!((rules.demands.len(), rules.gated), (0, false));
        let rules = in_environment("local", "[policy]", &agent(), &records, &["budget"]).expect("readable");
        assert_eq!(rules.demands.iter().map(sentence).collect::<Vec<_>>(), ["budget (--require)"]);
        assert!(!rules.gated, "asking for more does not make an environment gated");
    }

    #[test]
    fn one_gate_may_stand_without_a_list() {
        for gates in ["'approval:rm'", "['approval:rm']", "{gate: 'approval:rm'}"] {
            assert_eq!(told(gates, &agent(), &[], &[]), ["approval:rm (environment/prod)"], "{gates}");
        }
        for none in ["[]", "null"] {
            assert!(!rules(none, &agent(), &[], &[]).gated);
        }
    }

    #[test]
    fn a_gate_that_cannot_be_read_stops_the_change() {
        for (gates, says) in [
            ("['aproval:rm']", "did you mean `approval`?"),
            ("[approval]", "write `approval:TEAM`"),
            ("[{gat: policy}]", "a gate is text or a map with `gate`"),
            ("[5]", "a gate is text"),
            ("true", "a gate is text"),
            ("[policy, {gate: budget, mode: sometimes}]", "neither `enforce` nor `advisory`"),
        ] {
            let why = in_environment("prod", gates, &agent(), &[], &[]).expect_err(gates);
            assert!(why.starts_with("environment/prod: ") && why.contains(says), "{why}");
        }
    }

    #[test]
    fn a_deployment_or_eval_is_judged_by_the_rules_of_its_agent() {
        let guard = deployment("d", "promotion: {requiresApproval: rm}");
        let quality = eval("quality", "releaseGate: {enabled: true}");
        let records = [guard.clone(), quality.clone()];
        for resource in [guard.id(), quality.id()] {
            let told = told("[]", resource, &records, &[]);
            assert_eq!(told, ["approval:rm (deployment/d)", "eval:quality (eval/quality)"], "{resource}");
        }
        let other = ResourceId::new(Kind::Tool, "default", "x");
        assert!(told("[]", &other, &records, &[]).is_empty(), "a tool has no agent of its own");
        // As the candidate would have it, the Deployment is about another agent: it stays the guard of the first.
        let moved = one("Deployment d", "{agentRef: y, environmentRef: prod}");
        assert_eq!(
            told("[]", guard.id(), &[guard.clone(), moved, quality], &[]),
            ["approval:rm (deployment/d)", "eval:quality (eval/quality)"]
        );
    }

    #[test]
    fn a_policy_or_budget_is_gated_where_only_the_guards_of_some_agent_demand_something() {
        let gated = |kind: Kind, records: &[Arc<Resource>]| {
            let rules = rules("[]", &ResourceId::new(kind, "team-z", "p"), records, &[]);
            (rules.demands.len(), rules.gated)
        };
        let guard = deployment("team-a/d", "promotion: {requiresApproval: rm}");
        let quality = eval("team-b/quality", "releaseGate: {enabled: true, blocksPromotionTo: [prod]}");
        for record in [guard, quality] {
            let records = [record];
            // No team is asked for a policy that is about other agents too, but it is not loosened unseen.
            assert_eq!(gated(Kind::Policy, &records), (0, true), "{}", records[0].id());
            assert_eq!(gated(Kind::Budget, &records), (0, true), "{}", records[0].id());
            assert_eq!(gated(Kind::Tool, &records), (0, false), "a tool is judged in the agents that have it");
        }
        for idle in [
            deployment("d", "promotion: {}"),
            one("Deployment staging", "{agentRef: x, environmentRef: staging, promotion: {requiresApproval: sue}}"),
            eval("off", "releaseGate: {enabled: false}"),
            eval("elsewhere", "releaseGate: {enabled: true, blocksPromotionTo: [staging]}"),
        ] {
            assert_eq!(gated(Kind::Policy, std::slice::from_ref(&idle)), (0, false), "{}", idle.id());
        }
        let here = one("Deployment d", "{agentRef: x, environmentRef: local, promotion: {requiresApproval: rm}}");
        let policy = ResourceId::new(Kind::Policy, "default", "p");
        assert!(!in_environment("local", "[]", &policy, &[here], &[]).expect("readable").gated, "the first rung");
    }

    #[test]
    fn a_guard_in_another_namespace_means_its_own_agent_or_that_of_default() {
        let near = ResourceId::agent("team-a", "x");
        let records = [
            deployment("team-a/d", "promotion: {requiresApproval: rm}"),
            one(
                "Deployment team-b/d",
                "{agentRef: {name: x, namespace: team-a}, environmentRef: prod, promotion: {requiresApproval: sue}}",
            ),
        ];
        assert_eq!(
            told("[]", &near, &records, &[]),
            ["approval:rm (deployment/team-a/d)", "approval:sue (deployment/team-b/d)"]
        );
        // `team-a/d` may mean the agent of `default`, should there be none beside it.
        assert_eq!(told("[]", &agent(), &records, &[]), ["approval:rm (deployment/team-a/d)"]);
        assert!(told("[]", &ResourceId::agent("team-c", "x"), &records, &[]).is_empty());
    }

    #[test]
    fn the_digest_is_of_what_is_demanded_and_not_of_who_asks_for_more() {
        let guard = deployment("d", "promotion: {requiresApproval: rm}");
        let quality = eval("quality", "releaseGate: {enabled: true}, thresholds: {task_success: 0.9}");
        let digest = |gates: &str, records: &[Arc<Resource>], required: &[&str]| {
            rules(gates, &agent(), records, required).digest
        };
        let records = [guard.clone(), quality.clone()];
        let base = digest("[policy]", &records, &[]);
        assert_eq!(digest("[policy]", &records, &["approval:rm:2", "budget"]), base);
        assert_eq!(
            digest("[policy]", &[quality.clone(), guard.clone(), guard.clone()], &[]),
            base,
            "order and repeats"
        );
        let looser = eval("quality", "releaseGate: {enabled: true}, thresholds: {task_success: 0.1}");
        for (name, gates, records) in [
            ("a looser threshold", "[policy]", vec![guard.clone(), looser]),
            ("a gate less", "[]", records.to_vec()),
            ("a setting of a gate", "[{gate: policy, mode: advisory}]", records.to_vec()),
            ("a guard less", "[policy]", vec![quality.clone()]),
            ("another team", "[policy]", vec![deployment("d", "promotion: {requiresApproval: sue}"), quality.clone()]),
        ] {
            assert_ne!(digest(gates, &records, &[]), base, "{name}");
        }
    }
}
