//! What a bill tells, by example.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::DateTime;

use super::cyclonedx::{Bill, Issue, agrees, bill};
use super::*;
use crate::closure::Closure;
use crate::resource::sample::{labelled, one};
use crate::resource::{Digest, Resource, ResourceId};

fn closure(agent: Arc<Resource>, members: &[Arc<Resource>], children: &[Closure]) -> Closure {
    let members = members.iter().map(|member| (member.id().clone(), member.clone())).collect();
    Closure::new(agent, members, children.iter().map(|child| (child.id().clone(), child.clone())).collect())
}

/// A graph in which every content has the number 3.
fn graph(closure: &Closure) -> Graph {
    let number = &mut |_: &ResourceId, _: Digest| Ok::<_, String>(Some(3));
    Graph::of(closure, number).expect("numbers")
}

fn issued(graph: &Graph) -> Bill {
    bill(graph, &Issue { ledger: "0", version: 7, time: DateTime::UNIX_EPOCH, joch: "0.1.0" })
}

/// `a -> b c` for every component.
fn edges(graph: &Graph) -> Vec<String> {
    let short = |reference: &str| reference.replace("joch:", "").replace("default/", "");
    let line = |component: &Component| {
        let used: Vec<_> = component.depends_on.iter().map(|used| short(used)).collect();
        format!("{} -> {}", short(&component.reference), used.join(" ")).trim_end_matches(" -> ").to_owned()
    };
    graph.components().map(line).collect()
}

const PIN: &str = "sha256:5e0f3a1c9b7d42868f1e6c0a4d9b3572e8c1f06a7d5b4932810fe6c7a9d4b351";

fn whole() -> Closure {
    closure(
        labelled(
            "Agent x",
            "{tier: gold}",
            "{framework: {adapterRef: fw, image: 'reg.example/x:7'}, modelRoute: {routeRef: r}, tools: [t, u], \
             memories: {short: m}, ragRefs: [k], budgetRefs: [b], instructions: Be kind., \
             handoffs: {allowedAgents: [far, {name: y, namespace: team-b}]}}",
        ),
        &[
            one("FrameworkAdapter fw", &format!("{{adapterImage: 'reg.example/fw:1.6@{PIN}', sdkMinVersion: '0.2'}}")),
            one("ModelRoute r", "{strategy: {primary: 'openai:big', fallback: [small]}}"),
            one(
                "Model big",
                "{provider: openai, model: gpt-4.1, auth: {secretRef: {name: key}}, \
                 endpoint: {type: hosted, baseUrl: 'https://user:pw@api.example/v1?key=abc'}}",
            ),
            one("Model small", "{provider: mistral, model: m-1}"),
            one("Tool t", "{type: mcp, mcpServerRef: s, description: Finds things., inputSchema: {type: object}}"),
            one("Tool u", "{type: rest, endpoint: {url: {fromEnvironment: BILLING}}, sideEffects: {level: financial}}"),
            one("MCPServer s", "{endpoint: {url: 'https://mcp.example'}, security: {pinnedVersion: 2.3.1}}"),
            one("Memory m", "{type: conversation, policies: [p]}"),
            one("RAG k", "{sources: [docs]}"),
            one("KnowledgeSource docs", "{type: bucket, uri: 's3://docs/all', classification: internal}"),
            one("Budget b", "{limits: {monthlyUsd: 10}}"),
            one("Policy p", "{rules: [{when: {data.contains: x}, action: {redact: true}}]}"),
            one("Policy q", "{appliesTo: {agents: {selector: {matchLabels: {tier: gold}}}}, rules: []}"),
        ],
        &[],
    )
}

#[test]
fn a_graph_holds_every_member_and_what_is_none() {
    assert_eq!(
        edges(&graph(&whole())),
        [
            "a2a-peer/_/far",
            "a2a-peer/team-b/y",
            "agent/x -> a2a-peer/_/far a2a-peer/team-b/y budget/b framework-adapter/fw image/_/reg.example/x memory/m \
             model-route/r policy/q rag/k tool/t tool/u",
            "budget/b",
            "framework-adapter/fw -> image/_/reg.example/fw",
            "image/_/reg.example/fw",
            "image/_/reg.example/x",
            "knowledge-source/docs",
            "mcp-server/s",
            "memory/m -> policy/p",
            "model-route/r -> model/big model/small",
            "model/big",
            "model/small",
            "policy/p",
            "policy/q",
            "rag/k -> knowledge-source/docs",
            "tool/t -> mcp-server/s",
            "tool/u",
        ]
    );
}

#[test]
fn a_child_that_hands_back_or_on_to_another_child_hands_over_to_nobody_outside() {
    let child = |name: &str, to: &str| {
        let spec = format!("{{handoffs: {{allowedAgents: [{to}]}}}}");
        closure(one(&format!("Agent {name}"), &spec), &[], &[])
    };
    let parent = one("Agent x", "{children: [a, b]}");
    let whole = closure(parent, &[], &[child("a", "x, b, far"), child("b", "b")]);
    assert_eq!(
        edges(&graph(&whole)),
        ["a2a-peer/_/far", "agent/a -> a2a-peer/_/far agent/b agent/x", "agent/b", "agent/x -> agent/a agent/b",]
    );
    assert_eq!(check(&issued(&graph(&whole))), Vec::<String>::new());
}

#[test]
fn a_bill_hangs_together_and_says_so_where_it_does_not() {
    let good = issued(&graph(&whole()));
    assert_eq!(check(&good), Vec::<String>::new());
    let broken = |change: &dyn Fn(&mut Bill)| {
        let mut bill = good.clone();
        change(&mut bill);
        check(&bill).join("; ")
    };
    let doubled = broken(&|bill| bill.services[0].reference = "joch:tool/default/t".into());
    assert!(doubled.contains("two of its components are called `joch:tool/default/t`"), "{doubled}");
    let dangling = broken(&|bill| bill.dependencies[0].depends_on.push("joch:tool/default/nowhere".into()));
    assert!(dangling.contains("`joch:tool/default/nowhere` is named by"), "{dangling}");
    let lost = broken(&|bill| bill.dependencies.retain(|dependency| dependency.reference != "joch:tool/default/t"));
    assert_eq!(lost, "nothing leads from the agent to `joch:mcp-server/default/s`");
    let outside = broken(&|bill| bill.compositions[0].assemblies.push("joch:x".into()));
    assert!(outside.contains("named by a composition"), "{outside}");
}

#[test]
fn secrets_are_told_by_name_and_open_values_stay_open() {
    let text = String::from_utf8(issued(&graph(&whole())).to_json()).expect("text");
    assert!(text.contains("\"joch:secret_ref\"") && text.contains("\"key\""));
    assert!(text.contains("spec.endpoint.url=BILLING"));
    assert!(text.contains("https://api.example/v1\""));
    for secret in ["user:pw", "key=abc", "Be kind", "redact"] {
        assert!(!text.contains(secret), "{secret}");
    }
}

#[test]
fn one_closure_makes_one_document_to_the_byte() {
    let bytes = issued(&graph(&whole())).to_json();
    assert_eq!(bytes, issued(&graph(&whole())).to_json());
    assert_eq!(Bill::from_json(&bytes).expect("its own form").to_json(), bytes);
}

#[test]
fn the_digest_of_a_graph_is_of_content_and_not_of_names_for_it() {
    assert_eq!(graph(&whole()).digest(), Graph::bare(&whole()).digest());
    assert_ne!(graph(&whole()).digest(), Graph::bare(&closure(one("Agent x", "{}"), &[], &[])).digest());
    // Frozen: another digest for the same closure is another form.
    let small = closure(one("Agent x", "{tools: [t]}"), &[one("Tool t", "{type: rest}")], &[]);
    assert_eq!(Graph::FORM, 1);
    assert_eq!(
        Graph::bare(&small).digest().to_string(),
        "sha256:6b3bc1fbbe45a0c08e822b91b18e9086fdb175b1808c16e6e948852a59f17bf3"
    );
}

#[test]
fn a_child_shares_what_is_the_same_and_has_names_of_its_own_for_the_rest() {
    let tool = |version: u8| one("Tool t", &format!("{{type: mcp, mcpServerRef: s, v: {version}}}"));
    let server = |version: u8| one("MCPServer s", &format!("{{v: {version}}}"));
    let child =
        |name: &str, members: &[Arc<Resource>]| closure(one(&format!("Agent {name}"), "{tools: [t]}"), members, &[]);
    let parent = |own: &[Arc<Resource>], children: &[Closure]| {
        let names: Vec<_> = children.iter().map(|child| child.id().name.clone()).collect();
        let spec = format!("{{tools: [t], children: [{}]}}", names.join(", "));
        edges(&graph(&closure(one("Agent x", &spec), own, children)))
    };
    assert_eq!(
        parent(&[tool(1), server(1)], &[child("same", &[tool(1), server(1)])]),
        ["agent/same -> tool/t", "agent/x -> agent/same tool/t", "mcp-server/s", "tool/t -> mcp-server/s"]
    );
    assert_eq!(
        parent(&[tool(2), server(1)], &[child("old", &[tool(1), server(1)])]),
        [
            "agent/old -> tool/t@agent/old",
            "agent/x -> agent/old tool/t",
            "mcp-server/s",
            "tool/t -> mcp-server/s",
            "tool/t@agent/old -> mcp-server/s",
        ]
    );
    // The same tool that leads to another server is another component.
    assert_eq!(
        parent(&[tool(1), server(2)], &[child("old", &[tool(1), server(1)])]),
        [
            "agent/old -> tool/t@agent/old",
            "agent/x -> agent/old tool/t",
            "mcp-server/s",
            "mcp-server/s@agent/old",
            "tool/t -> mcp-server/s",
            "tool/t@agent/old -> mcp-server/s@agent/old",
        ]
    );
    let bill = issued(&graph(&closure(
        one("Agent x", "{tools: [t], children: [a, b]}"),
        &[tool(1), server(2)],
        &[child("a", &[tool(1), server(1)]), child("b", &[tool(2), server(3)])],
    )));
    assert_eq!(check(&bill), Vec::<String>::new());
    let references: Vec<_> = bill.references().collect();
    assert_eq!(references.len(), references.iter().collect::<BTreeSet<_>>().len());
}

#[test]
fn a_child_to_which_an_agent_hands_over_is_no_peer() {
    let child = closure(one("Agent y", "{}"), &[], &[]);
    let parent = closure(one("Agent x", "{children: [y], handoffs: {allowedAgents: [y, z]}}"), &[], &[child]);
    assert_eq!(edges(&graph(&parent)), ["a2a-peer/_/z", "agent/x -> a2a-peer/_/z agent/y", "agent/y"]);
}

#[test]
fn two_images_of_one_repository_are_two_components() {
    let agent = one("Agent x", "{framework: {adapterRef: fw, image: 'r/i:1'}}");
    let whole = closure(agent, &[one("FrameworkAdapter fw", "{adapterImage: 'r/i:2'}")], &[]);
    assert_eq!(
        edges(&graph(&whole)),
        [
            "agent/x -> framework-adapter/fw image/_/r/i",
            "framework-adapter/fw -> image/_/r/i@framework-adapter/fw",
            "image/_/r/i",
            "image/_/r/i@framework-adapter/fw",
        ]
    );
}

#[test]
fn what_a_writer_makes_up_cannot_pass_for_another_component() {
    let agent = one("Agent x", "{framework: {image: '../../tool/default/t@x y'}, tools: [t]}");
    let graph = graph(&closure(agent, &[one("Tool t", "{}")], &[]));
    assert_eq!(edges(&graph), ["agent/x -> image/_/../../tool/t tool/t", "image/_/../../tool/t", "tool/t"]);
    assert_eq!(check(&issued(&graph)), Vec::<String>::new());
}

#[test]
fn a_bill_agrees_with_itself_and_with_a_child_that_had_no_number_yet() {
    let child = closure(one("Agent y", "{}"), &[], &[]);
    let parent = closure(one("Agent x", "{children: [y], tools: [t]}"), &[one("Tool t", "{}")], &[child]);
    let numbered = issued(&graph(&parent)).to_json();
    let none_for = |kind: &'static str| {
        let number = &mut |id: &ResourceId, _: Digest| Ok::<_, String>((id.full() != kind).then_some(3));
        issued(&Graph::of(&parent, number).expect("numbers")).to_json()
    };
    assert!(agrees(&numbered, &numbered));
    assert!(agrees(&none_for("agent/default/y"), &numbered), "the child got its number later");
    assert!(!agrees(&numbered, &none_for("agent/default/y")), "a number that nobody gave");
    assert!(!agrees(&none_for("tool/default/t"), &numbered), "a tool has its number from the start");
    let changed = String::from_utf8(numbered.clone()).expect("text").replace("\"incomplete\"", "\"complete\"");
    assert!(!agrees(changed.as_bytes(), &numbered) && !agrees(b"{}", &numbered));
}

#[test]
fn a_delta_tells_what_moved_outside_of_the_ledger() {
    let of = |image: &str, pin: &str, peers: &str| {
        closure(
            one(
                "Agent x",
                &format!(
                    "{{framework: {{image: '{image}'}}, mcpServers: [s], handoffs: {{allowedAgents: [{peers}]}}}}"
                ),
            ),
            &[one("MCPServer s", &format!("{{security: {{pinnedVersion: '{pin}'}}}}"))],
            &[],
        )
    };
    let (old, new) = (of("reg/x:1", "2.3.1", "a, b"), of("reg/x:2", "2.4.0", "b, c"));
    let pins = |closure: &Closure, number: u64| {
        let pin = |member: &Arc<Resource>| crate::resource::Pinned::new(member.id(), Some(number), member.digest());
        closure.members().values().map(pin).collect::<Vec<_>>()
    };
    let found = delta(&pins(&old, 1), &pins(&new, 2)).with(Some(&old), Some(&new));
    assert_eq!(found.changed[0].moved.as_deref(), Some("pinnedVersion 2.3.1 -> 2.4.0"));
    let others: BTreeMap<_, _> = found
        .others
        .iter()
        .map(|o| (format!("{}/{}", o.what, o.name), (o.change, o.from.as_deref(), o.to.as_deref())))
        .collect();
    assert_eq!(others["image/reg/x"], (Became::Changed, Some("1"), Some("2")));
    assert_eq!(others["a2a-peer/a"], (Became::Removed, None, None));
    assert_eq!(others["a2a-peer/c"], (Became::Added, None, None));
    assert_eq!(others.len(), 3);
    assert!(found.bare().others.is_empty() && found.bare().changed[0].moved.is_none());
    assert!(delta(&pins(&old, 1), &pins(&old, 1)).with(Some(&old), Some(&old)).is_empty());
}
