//! Bills of materials, from the version that cuts them to what an auditor finds.

mod stored;
mod valid;

use std::fs;

use crate::support::world::{Outcome, World};

/// Beside the fixture's own agent a parent with two children that hold other contents than it, images, peers, and
/// what nobody should write into an address.
const FAMILY: &str = r#"
apiVersion: joch.dev/v1alpha1
kind: Agent
metadata: { name: parent }
spec:
  framework: { image: "registry.example.com:5000/team/parent:7" }
  model: openai:gpt-4.1
  tools: [ { name: zendesk.create_ticket }, { name: odd } ]
  ragRefs: [ { name: handbook } ]
  children: [ { name: near }, { name: far, namespace: team-a } ]
  handoffs: { allowedAgents: [ near, elsewhere, { name: billing, namespace: team-b } ] }
---
apiVersion: joch.dev/v1alpha1
kind: Agent
metadata: { name: near }
spec:
  framework: { adapterRef: { name: openai-agents }, image: "registry.example.com:5000/team/parent:6" }
  model: openai:gpt-4.1
  tools: [ { name: zendesk.create_ticket } ]
---
apiVersion: joch.dev/v1alpha1
kind: Agent
metadata: { name: far, namespace: team-a }
spec:
  model: openai:gpt-4.1
  tools: [ { name: zendesk.create_ticket } ]
---
apiVersion: tools.joch.dev/v1alpha1
kind: Tool
metadata: { name: odd }
spec:
  type: rest
  description: "Größe \u202e <script> 🚀"
  endpoint: { method: GET, url: "https://user:hunter2@odd.example/{id} x?key=hunter2" }
---
apiVersion: memory.joch.dev/v1alpha1
kind: RAG
metadata: { name: handbook }
spec:
  sources: [ { name: bucket } ]
  embeddingModelRef: { name: mistral-large }
---
apiVersion: memory.joch.dev/v1alpha1
kind: KnowledgeSource
metadata: { name: bucket }
spec: { type: bucket, uri: "s3://handbook/all", classification: internal }
"#;

/// A project of the fixture's files and the family, applied to `local`.
fn family(name: &str) -> World {
    let world = World::new(name);
    sh(&world, "cp -r $FIXTURES/support-triage/. . && joch init --operator alice@example.com");
    fs::write(world.project().join("family.yaml"), FAMILY).expect("own file");
    sh(&world, "joch apply -f .");
    world
}

/// The same, where the child in another namespace holds an older tool than its parent.
fn parted(name: &str) -> World {
    let world = family(name);
    sh(&world, "joch promote parent --from local --to dev");
    // Only the parent and the near child are applied with it: the far one keeps what it has.
    sh(&world, "sed -i 's/one of the support queues/a support queue/' tools/zendesk.yaml");
    world
}

fn sh(world: &World, line: &str) -> String {
    let outcome = world.sh("alice", line);
    assert_eq!(outcome.code, 0, "{line}\n{}{}", outcome.stdout, outcome.stderr);
    outcome.stdout
}

fn fails(world: &World, line: &str, code: i32) -> Outcome {
    let outcome = world.sh("alice", line);
    assert_eq!(outcome.code, code, "{line}\n{}{}", outcome.stdout, outcome.stderr);
    outcome
}
