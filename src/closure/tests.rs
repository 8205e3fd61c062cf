//! How an agent's members are found, told by example. Contents are told apart by `spec.v`.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::*;
use crate::resource::sample::{labelled, one};
use crate::resource::{Digest, Kind, Resource, ResourceId, Value};

pub(super) type Set = BTreeMap<ResourceId, Arc<Resource>>;

pub(super) fn set(resources: impl IntoIterator<Item = Arc<Resource>>) -> Set {
    resources.into_iter().map(|resource| (resource.id().clone(), resource)).collect()
}

impl Shelf for Set {
    fn get(&self, id: &ResourceId) -> Result<Option<Arc<Resource>>, Unreadable> {
        Ok(Self::get(self, id).cloned())
    }

    fn of_kind(&self, kind: &Kind) -> Result<Vec<Arc<Resource>>, Unreadable> {
        Ok(self.values().filter(|resource| resource.id().kind == *kind).cloned().collect())
    }
}

/// Where an apply looks.
#[derive(Default)]
pub(super) struct Places {
    pub(super) set: Set,
    pub(super) held: Option<Closure>,
    pub(super) catalog: Set,
    pub(super) children: BTreeMap<ResourceId, Closure>,
}

impl Places {
    pub(super) fn cut(&self, agent: &Arc<Resource>) -> Result<Closure, Unresolved> {
        let mut layers = vec![Layer::Set(&self.set)];
        layers.extend(self.held.as_ref().map(Layer::Held));
        layers.push(Layer::Catalog(&self.catalog));
        let child = |id: &ResourceId| Ok(self.children.get(id).cloned());
        resolve(agent, &Sources { tiers: vec![layers.clone()], selectable: layers, child: &child })
    }
}

/// The closure of `agent` with members from these.
fn of(agent: &Arc<Resource>, members: impl IntoIterator<Item = Arc<Resource>>) -> Closure {
    Places { set: set(members), ..Places::default() }.cut(agent).expect("all is there")
}

/// An exchange of these, the new content of each.
fn exchange(resources: impl IntoIterator<Item = Arc<Resource>>) -> Exchange {
    let resources = set(resources).into_iter().map(|(id, new)| (id, Some(new))).collect();
    Exchange { resources, ..Exchange::default() }
}

/// `tool/default/a=1 tool/team-a/b=2`
fn told(closure: &Closure) -> String {
    let version = |resource: &Resource| match resource.spec().get("v").and_then(Value::as_number) {
        Some(number) => format!("={number}"),
        None => String::new(),
    };
    let member = |(id, resource): (&ResourceId, &Arc<Resource>)| format!("{}{}", id.full(), version(resource));
    let mut members: Vec<_> = closure.members().iter().map(member).collect();
    members.sort();
    members.join(" ")
}

fn cut(agent: &Arc<Resource>, places: &Places) -> String {
    places.cut(agent).map_or_else(|why| why.to_string(), |closure| told(&closure))
}

#[test]
fn a_member_comes_from_the_set_then_from_what_is_held_then_from_the_catalog() {
    let agent = one("Agent x", "{tools: [a, b, c]}");
    let versions = |v: u8, names: &[&str]| {
        set(names.iter().map(|name| one(&format!("Tool {name}"), &format!("{{v: {v}}}"))).collect::<Vec<_>>())
    };
    let held = of(&agent, versions(2, &["a", "b", "c"]).into_values());
    let mut places = Places { set: versions(1, &["a"]), catalog: versions(3, &["a", "b", "c"]), ..Places::default() };
    assert_eq!(cut(&agent, &places), "tool/default/a=1 tool/default/b=3 tool/default/c=3");
    places.held = Some(held);
    assert_eq!(cut(&agent, &places), "tool/default/a=1 tool/default/b=2 tool/default/c=2");
}

#[test]
fn an_apply_takes_the_nearer_namespace_wherever_it_is_held() {
    let agent = one("Agent team-a/x", "{tools: [t, {name: u, namespace: default}]}");
    let far = [one("Tool t", "{v: 1}"), one("Tool u", "{v: 2}")];
    let near = [one("Tool team-a/t", "{v: 3}"), one("Tool team-a/u", "{v: 4}")];
    let places = Places { set: set(far.clone()), catalog: set(near), ..Places::default() };
    assert_eq!(cut(&agent, &places), "tool/default/u=2 tool/team-a/t=3", "a named namespace is the only one asked");
    let places = Places { set: set(far), ..Places::default() };
    assert_eq!(cut(&agent, &places), "tool/default/t=1 tool/default/u=2");
}

#[test]
fn a_member_looks_from_its_own_namespace() {
    let agent = one("Agent team-a/x", "{tools: [{name: t, namespace: team-b}]}");
    let members = [
        one("Tool team-b/t", "{mcpServerRef: m}"),
        one("MCPServer team-a/m", "{v: 1}"),
        one("MCPServer team-b/m", "{v: 2}"),
    ];
    assert_eq!(told(&of(&agent, members)), "mcp-server/team-b/m=2 tool/team-b/t");
}

#[test]
fn members_bring_their_own_members() {
    let agent = one(
        "Agent x",
        "{framework: {adapterRef: fw}, modelRoute: {routeRef: r}, tools: [t], memories: {short: m}, ragRefs: [k], \
         budgetRefs: [b], handoffs: {allowedAgents: [elsewhere]}}",
    );
    let members = [
        one("FrameworkAdapter fw", "{}"),
        one("ModelRoute r", "{strategy: {primary: 'openai:big', fallback: ['openai:small']}}"),
        one("Model big", "{provider: openai, model: gpt-4o, auth: {secretRef: {name: key}}}"),
        one("Model mini", "{provider: openai, model: small}"),
        one("Tool t", "{type: mcp, mcpServerRef: s}"),
        one("MCPServer s", "{policies: [p]}"),
        one("Policy p", "{}"),
        one("Memory m", "{policies: [q]}"),
        one("Policy q", "{}"),
        one("RAG k", "{sources: [docs], embeddingModelRef: embed}"),
        one("KnowledgeSource docs", "{}"),
        one("Model embed", "{provider: openai, model: e}"),
        one("Budget b", "{}"),
        one("Secret key", "{}"),
        one("Tool unused", "{}"),
    ];
    let closure = of(&agent, members);
    let mut expected = [
        "framework-adapter/default/fw",
        "model-route/default/r",
        "model/default/big",
        "model/default/mini",
        "tool/default/t",
        "mcp-server/default/s",
        "policy/default/p",
        "memory/default/m",
        "policy/default/q",
        "rag/default/k",
        "knowledge-source/default/docs",
        "model/default/embed",
        "budget/default/b",
    ];
    expected.sort_unstable();
    let mut found: Vec<_> = closure.members().keys().map(ResourceId::full).collect();
    found.sort();
    assert_eq!(found, expected, "neither secrets nor agents to hand over to are members");
}

#[test]
fn all_that_is_missing_is_told_at_once_with_the_place_that_names_it() {
    let agent = one("Agent team-a/x", "{tools: [t, u], policies: [p], children: [c], model: 'openai:o1'}");
    let places = Places { set: set([one("Tool t", "{mcpServerRef: {name: m, namespace: far}}")]), ..Places::default() };
    let Err(Unresolved::Missing(missing)) = places.cut(&agent) else { panic!("something is missing") };
    let told: Vec<_> = missing.iter().map(Missing::to_string).collect();
    assert_eq!(
        told,
        [
            "agent/team-a/x names `agent/c` at `spec.children[0]`",
            "agent/team-a/x names `openai:o1` at `spec.model`",
            "agent/team-a/x names `policy/p` at `spec.policies[0]`",
            "agent/team-a/x names `tool/u` at `spec.tools[1]`",
            "tool/t names `mcp-server/far/m` at `spec.mcpServerRef`",
        ]
    );
}

#[test]
fn a_candidate_that_two_models_serve_is_settled_by_name_or_not_at_all() {
    let agent = one("Agent x", "{model: 'openai:gpt-4o'}");
    let model = |name: &str| one(&format!("Model {name}"), "{provider: openai, model: gpt-4o}");
    assert_eq!(told(&of(&agent, [model("big")])), "model/default/big");
    assert_eq!(told(&of(&agent, [model("big"), model("gpt-4o")])), "model/default/gpt-4o");
    let places = Places { set: set([model("big"), model("huge")]), ..Places::default() };
    assert_eq!(
        cut(&agent, &places),
        "agent/x names `openai:gpt-4o` at `spec.model`, and model/big and model/huge match it equally"
    );
    let other = one("Model big", "{provider: azure, model: gpt-4o}");
    let places = Places { set: set([other]), ..Places::default() };
    assert!(cut(&agent, &places).contains("nowhere"), "another provider's model is another model");
}

#[test]
fn the_nearest_content_of_a_model_decides_what_it_serves() {
    let agent = one("Agent x", "{model: 'openai:gpt-4o'}");
    let places = Places {
        set: set([one("Model big", "{provider: openai, model: o1}")]),
        catalog: set([one("Model big", "{provider: openai, model: gpt-4o}")]),
        ..Places::default()
    };
    assert!(cut(&agent, &places).contains("nowhere"), "the catalog's older content is not asked");
}

#[test]
fn policies_that_select_an_agent_are_its_members() {
    let select = |labels: &str| format!("{{appliesTo: {{agents: {{selector: {{matchLabels: {labels}}}}}}}}}");
    let policies = [
        one("Policy all", &select("{}")),
        one("Policy gold", &select("{tier: gold}")),
        one("Policy gold-eu", &select("{tier: gold, region: eu}")),
        one("Policy team-b/far", &select("{tier: gold}")),
        one("Policy silver", &select("{tier: silver}")),
        one("Policy by-name", "{}"),
    ];
    let gold = labelled("Agent team-a/x", "{tier: gold}", "{}");
    assert_eq!(
        told(&of(&gold, policies.clone())),
        "policy/default/all policy/default/gold policy/team-b/far",
        "a selector asks for labels, never for a namespace"
    );
    assert_eq!(told(&of(&one("Agent x", "{}"), policies)), "policy/default/all");
}

#[test]
fn the_nearest_content_of_a_policy_decides_whom_it_selects() {
    let agent = labelled("Agent x", "{tier: gold}", "{}");
    let selecting = one("Policy p", "{appliesTo: {agents: {selector: {matchLabels: {tier: gold}}}}}");
    let places = Places { set: set([one("Policy p", "{}")]), catalog: set([selecting]), ..Places::default() };
    assert_eq!(cut(&agent, &places), "");
}

/// A parent with two children, of its own namespace and of another, one of which has a child itself.
fn family() -> Closure {
    let leaf = of(&one("Agent deep/leaf", "{tools: [t]}"), [one("Tool deep/t", "{v: 1}")]);
    let near = one("Agent team-a/near", "{tools: [t, agent], children: [{name: leaf, namespace: deep}]}");
    let tools = [one("Tool team-a/t", "{v: 2}"), one("Tool agent", "{v: 3}")];
    let near = Places { set: set(tools), children: [(leaf.id().clone(), leaf)].into(), ..Places::default() }
        .cut(&near)
        .expect("whole");
    // Its name is the namespace of the other child.
    let far = of(&one("Agent near/far", "{}"), []);
    let parent = one("Agent team-a/parent", "{tools: [t], children: [near, {name: far, namespace: near}]}");
    let children = [near, far].map(|child| (child.id().clone(), child)).into();
    Places { set: set([one("Tool t", "{v: 4}")]), children, ..Places::default() }.cut(&parent).expect("whole")
}

#[test]
fn a_child_brings_its_whole_closure() {
    let files: Vec<_> = family().files().into_keys().collect();
    assert_eq!(
        files,
        [
            "agent.yaml",
            "agents/near/agent.yaml",
            "agents/near/agents/deep/leaf/agent.yaml",
            "agents/near/agents/deep/leaf/tools/t.yaml",
            "agents/near/far/agent.yaml",
            "agents/near/tools/default/agent.yaml",
            "agents/near/tools/t.yaml",
            "tools/default/t.yaml",
        ]
    );
}

#[test]
fn two_members_that_would_stand_in_one_file_are_refused() {
    let a = Places { set: set([one("Tool agent", "{}")]), ..Places::default() };
    let a = a.cut(&one("Agent a", "{tools: [agent]}")).expect("whole");
    let tools = of(&one("Agent a/tools", "{}"), []);
    let children = [a, tools].map(|child| (child.id().clone(), child)).into();
    let parent = one("Agent p", "{children: [a, {name: tools, namespace: a}]}");
    let refusal = Places { children, ..Places::default() }.cut(&parent).expect_err("one file for two");
    assert_eq!(
        refusal.to_string(),
        "two members of agent/p would both stand at `agents/a/tools/agent.yaml` of its closure; rename one of them"
    );
}

#[test]
fn a_closure_is_read_back_from_its_files() {
    let tool_called_agent = of(&one("Agent kid", "{tools: [agent]}"), [one("Tool agent", "{}")]);
    let parent = one("Agent p", "{children: [kid]}");
    let children = [(tool_called_agent.id().clone(), tool_called_agent)].into();
    let parent = Places { children, ..Places::default() }.cut(&parent).expect("whole");
    for closure in [family(), parent, of(&one("Agent alone", "{}"), [])] {
        assert_eq!(Closure::from_files(&closure.files()), Ok(closure));
    }
}

#[test]
fn files_that_no_closure_has_are_refused() {
    let files = family().files();
    let refusal = |change: &dyn Fn(&mut BTreeMap<String, String>)| {
        let mut files = files.clone();
        change(&mut files);
        Closure::from_files(&files).expect_err("refused")
    };
    let tool = one("Tool t", "{v: 9}").canonical();
    assert!(refusal(&|files| drop(files.remove("agent.yaml"))).contains("`agent.yaml`"));
    assert!(refusal(&|files| drop(files.remove("agents/near/agent.yaml"))).contains("belongs to no child"));
    let misplaced = refusal(&|files| {
        files.remove("tools/default/t.yaml");
        files.insert("tools/t.yaml".into(), tool.clone());
    });
    assert_eq!(misplaced, "`tools/t.yaml` stands where `tools/default/t.yaml` belongs");
    let twice = refusal(&|files| drop(files.insert("zz/other.yaml".into(), tool.clone())));
    assert_eq!(twice, "two of its files hold the same resource", "the last file must not win in silence");
    assert!(
        refusal(&|files| drop(files.insert("tools/default/t.yaml".into(), format!("# note\n{tool}"))))
            .contains("`tools/default/t.yaml`: the record of `tool/t` is not in canonical form")
    );
    assert!(refusal(&|files| drop(files.insert("agents/loose.yaml".into(), tool.clone()))).contains("no child"));
}

#[test]
fn the_digest_is_that_of_what_sha256sum_prints() {
    let closure = of(&one("Agent x", "{tools: [b, a]}"), [one("Tool a", "{}"), one("Tool b", "{}")]);
    let lines: String =
        closure.files().iter().map(|(path, text)| format!("{}  {path}\n", Digest::of(text).hex())).collect();
    assert!(lines.ends_with("  tools/b.yaml\n") && lines.contains("  agent.yaml\n"), "{lines}");
    assert_eq!(closure.digest(), Digest::of(lines));
}

#[test]
fn a_ring_is_told_from_its_first_agent_to_its_first() {
    let ring = ["a", "b", "a"].map(|name| ResourceId::agent("default", name)).to_vec();
    assert_eq!(Unresolved::Ring(ring).to_string(), "agents are children of each other: agent/a → agent/b → agent/a");
}

#[test]
fn a_policy_reaches_a_closure_that_was_rolled_back_and_brings_only_itself() {
    let agent = labelled("Agent x", "{tier: gold}", "{tools: [t], policies: [p]}");
    let held = of(&agent, [one("Tool t", "{v: 1}"), one("Policy p", "{v: 1}")]);
    let catalog = set([one("Tool t", "{v: 7}"), one("Policy p", "{v: 7}")]);
    let selecting = one("Policy new", "{v: 2, appliesTo: {agents: {selector: {matchLabels: {tier: gold}}}}}");
    let exchange = exchange([selecting]);
    assert!(holds(&held, &exchange));
    let after = ripple(&held, &exchange, &catalog).expect("whole");
    assert_eq!(told(&after), "policy/default/new=2 policy/default/p=1 tool/default/t=1");
}

#[test]
fn a_new_resource_does_not_take_the_place_of_one_that_is_held() {
    let agent = one("Agent team-a/x", "{tools: [t], model: 'openai:gpt-4o', policies: [p], children: [c]}");
    let child = |namespace: &str| of(&one(&format!("Agent {namespace}/c"), "{}"), []);
    let members =
        [one("Tool t", "{v: 1}"), one("Model big", "{provider: openai, model: gpt-4o}"), one("Policy p", "{}")];
    let children = [(child("default").id().clone(), child("default"))].into();
    let held = Places { set: set(members), children, ..Places::default() }.cut(&agent).expect("whole");
    let mut exchange = exchange([
        one("Tool team-a/t", "{v: 2}"),
        one("Model gpt-4o", "{provider: openai, model: gpt-4o}"),
        one("Policy p", "{v: 2}"),
    ]);
    exchange.agents.insert(child("team-a").id().clone(), child("team-a"));
    let after = ripple(&held, &exchange, &Set::new()).expect("whole");
    assert_eq!(told(&after), "model/default/big policy/default/p=2 tool/default/t=1");
    assert_eq!(after.children(), held.children());
}

#[test]
fn what_an_exchanged_member_newly_names_comes_along_and_what_it_no_longer_names_leaves() {
    let agent = one("Agent x", "{tools: [t]}");
    let held = of(&agent, [one("Tool t", "{mcpServerRef: old}"), one("MCPServer old", "{}")]);
    let new = one("Tool t", "{mcpServerRef: new}");
    let catalog = set([one("MCPServer new", "{v: 3}")]);
    let after = ripple(&held, &exchange([new.clone()]), &catalog).expect("whole");
    assert_eq!(told(&after), "mcp-server/default/new=3 tool/default/t");
    let both = exchange([new, one("MCPServer new", "{v: 4}")]);
    assert_eq!(
        told(&ripple(&held, &both, &catalog).expect("whole")),
        "mcp-server/default/new=4 tool/default/t",
        "of a set, its own content"
    );
}

#[test]
fn a_selected_policy_that_is_gone_leaves_and_a_named_one_is_missing() {
    let agent = labelled("Agent x", "{tier: gold}", "{policies: [named]}");
    let selecting = one("Policy selected", "{appliesTo: {agents: {selector: {matchLabels: {tier: gold}}}}}");
    let held = of(&agent, [selecting.clone(), one("Policy named", "{}")]);
    let gone = |name: &str| Exchange {
        resources: [(ResourceId::new(Kind::Policy, "default", name), None)].into(),
        ..Exchange::default()
    };
    // The catalog is that before the deletion, so it still has what is to go.
    let catalog = set([selecting, one("Policy named", "{}")]);
    let after = ripple(&held, &gone("selected"), &catalog).expect("whole");
    assert_eq!(told(&after), "policy/default/named");
    let missing = ripple(&held, &gone("named"), &catalog).expect_err("still named").to_string();
    assert_eq!(missing, "agent/x names `policy/named` at `spec.policies[0]`, which is nowhere to be found");
}

#[test]
fn a_policy_that_no_longer_selects_leaves_unless_it_is_named() {
    let selecting = one("Policy p", "{appliesTo: {agents: {selector: {matchLabels: {tier: gold}}}}}");
    let other = one("Policy p", "{appliesTo: {agents: {selector: {matchLabels: {tier: silver}}}}}");
    for (spec, stays) in [("{}", ""), ("{policies: [p]}", "policy/default/p")] {
        let held = of(&labelled("Agent x", "{tier: gold}", spec), [selecting.clone()]);
        let after = ripple(&held, &exchange([other.clone()]), &Set::new()).expect("whole");
        assert_eq!(told(&after), stays);
    }
}

#[test]
fn a_change_in_a_grandchild_reaches_its_ancestors_and_nothing_beside_it() {
    let held = family();
    let exchange = exchange([one("Tool deep/t", "{v: 9}")]);
    assert!(holds(&held, &exchange));
    let after = ripple(&held, &exchange, &Set::new()).expect("whole");
    let (old, new) = (held.files(), after.files());
    let differing: Vec<_> =
        new.iter().filter(|(path, text)| old.get(*path) != Some(*text)).map(|(path, _)| path).collect();
    assert_eq!(differing, ["agents/near/agents/deep/leaf/tools/t.yaml"]);
    assert_eq!(old.len(), new.len());
}
