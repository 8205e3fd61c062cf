//! What is kept beside the ledger to answer fast: that it says what the ledger says, that nobody can make it say
//! less, and who uses what.

mod index;
mod lists;

use std::fs;

use serde_json::Value;

use crate::support::world::{Outcome, World};

/// A project with an initialised ledger of two rungs, where `prod` has a guard for every agent that says so itself.
fn project(name: &str) -> World {
    let world = World::new(name);
    done(&world, "joch init --ladder staging,prod --operator alice@example.com");
    let bob = fs::read_to_string(world.home("bob").join(".ssh/id_ed25519.pub")).expect("a key");
    write(&world, "shared.yaml", &SHARED.replace("BOB", bob.trim()));
    done(&world, "joch apply -f shared.yaml");
    world
}

/// An agent with a tool of its own that uses one of the servers, and a Deployment to `prod` that asks for approval.
fn agent(number: usize, version: usize) -> String {
    let (server, n) = (number % 3, number.to_string());
    OWN.replace("NUMBER", &n).replace("SERVER", &server.to_string()).replace("VERSION", &version.to_string())
}

fn write(world: &World, file: &str, text: &str) {
    fs::write(world.project().join(file), text).expect("own file");
}

fn done(world: &World, line: &str) -> Outcome {
    let outcome = world.sh("alice", line);
    assert_eq!(outcome.code, 0, "{line}\n{}{}", outcome.stdout, outcome.stderr);
    outcome
}

fn json(world: &World, line: &str) -> Value {
    serde_json::from_str(&done(world, line).stdout).expect("JSON")
}

const SHARED: &str = r#"apiVersion: ops.joch.dev/v1alpha1
kind: Team
metadata: { name: rm }
spec: { members: [{ user: bob@example.com, role: approver, keys: ["BOB"] }] }
---
apiVersion: model.joch.dev/v1alpha1
kind: Model
metadata: { name: answers }
spec: { provider: openai, model: answers-1 }
---
apiVersion: runtime.joch.dev/v1alpha1
kind: FrameworkAdapter
metadata: { name: adapter }
spec: { framework: openai-agents, language: python, adapterImage: "registry.example.com/adapter:1.6.0" }
---
apiVersion: tools.joch.dev/v1alpha1
kind: MCPServer
metadata: { name: server-0 }
spec: { transport: streamable_http, endpoint: { url: "https://mcp.example/0" }, security: { pinServerVersion: true, pinnedVersion: "1.0.0" } }
---
apiVersion: tools.joch.dev/v1alpha1
kind: MCPServer
metadata: { name: server-1 }
spec: { transport: streamable_http, endpoint: { url: "https://mcp.example/1" }, security: { pinServerVersion: true, pinnedVersion: "1.0.0" } }
---
apiVersion: tools.joch.dev/v1alpha1
kind: MCPServer
metadata: { name: server-2 }
spec: { transport: streamable_http, endpoint: { url: "https://mcp.example/2" }, security: { pinServerVersion: true, pinnedVersion: "1.0.0" } }
"#;

const OWN: &str = r#"apiVersion: joch.dev/v1alpha1
kind: Agent
metadata: { name: aNUMBER }
spec:
  framework: { adapterRef: { name: adapter } }
  instructions: Answer as NUMBER does, in version VERSION.
  modelRef: { name: answers }
  tools: [{ name: tool-NUMBER }]
  mcpServers: [{ name: server-SERVER }]
---
apiVersion: tools.joch.dev/v1alpha1
kind: Tool
metadata: { name: tool-NUMBER }
spec: { type: rest, endpoint: { method: GET, url: "https://api.example/NUMBER" }, sideEffects: { level: read_only } }
---
apiVersion: ops.joch.dev/v1alpha1
kind: Deployment
metadata: { name: aNUMBER-prod }
spec: { agentRef: { name: aNUMBER }, environmentRef: { name: prod }, promotion: { requiresApproval: rm } }
"#;
