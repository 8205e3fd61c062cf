//! Tool and MCPServer.

use super::{Field, Shape, Tie};
use crate::resource::kind::Kind;

pub(super) static TOOL: &[Field] = &[
    Field { key: "description", shape: Shape::Text, doc: "What the tool does, as the agent is told." },
    Field { key: "type", shape: Shape::OneOf(&["function", "rest", "mcp", "os"]), doc: "How the tool is called." },
    Field { key: "endpoint", shape: Shape::Object(ENDPOINT), doc: "Where a `rest` tool is reached." },
    Field {
        key: "mcpServerRef",
        shape: Shape::Reference(Kind::McpServer, Tie::Member),
        doc: "The MCP server that offers an `mcp` tool.",
    },
    Field { key: "inputSchema", shape: Shape::Any, doc: "JSON Schema of what the tool takes." },
    Field { key: "outputSchema", shape: Shape::Any, doc: "JSON Schema of what the tool gives back." },
    Field { key: "sideEffects", shape: Shape::Object(SIDE_EFFECTS), doc: "What a call changes in the world." },
    Field { key: "safety", shape: Shape::Object(SAFETY), doc: "Who may call it, and how often." },
];

static ENDPOINT: &[Field] = &[
    Field { key: "method", shape: Shape::Text, doc: "HTTP method." },
    Field { key: "url", shape: Shape::Text, doc: "Address." },
    Field { key: "auth", shape: Shape::Any, doc: "How to sign in." },
];

/// How far a tool's effects reach, the least first.
pub static LEVELS: &[&str] =
    &["read_only", "local_write", "external_write", "financial", "communication", "code_execution", "privileged"];

static SIDE_EFFECTS: &[Field] = &[
    Field { key: "level", shape: Shape::OneOf(LEVELS), doc: "How far the effects reach." },
    Field { key: "idempotent", shape: Shape::Bool, doc: "Whether a second equal call changes nothing more." },
    Field { key: "requiresApproval", shape: Shape::Bool, doc: "Whether a person must allow each call." },
];

static SAFETY: &[Field] = &[
    Field { key: "allowedAgents", shape: Shape::References(Kind::Agent, Tie::Named), doc: "Agents that may call it." },
    Field { key: "deniedNamespaces", shape: Shape::OneOrMany(&Shape::Text), doc: "Namespaces that may not." },
    Field { key: "rateLimit", shape: Shape::Any, doc: "How often it may be called." },
];

pub(super) static MCP_SERVER: &[Field] = &[
    Field { key: "transport", shape: Shape::Any, doc: "How it is spoken to: `streamable_http` or `stdio`." },
    Field { key: "endpoint", shape: Shape::Object(MCP_ENDPOINT), doc: "Where it is reached." },
    Field { key: "auth", shape: Shape::Any, doc: "How to sign in." },
    Field { key: "exposes", shape: Shape::Any, doc: "The tools, resources and prompts it offers." },
    Field { key: "discovery", shape: Shape::Object(DISCOVERY), doc: "How its offer is learnt." },
    Field { key: "security", shape: Shape::Object(SECURITY), doc: "What it may do, and whom it is trusted from." },
    Field {
        key: "policies",
        shape: Shape::References(Kind::Policy, Tie::Member),
        doc: "Policies that bind every agent that uses it.",
    },
    Field { key: "scanning", shape: Shape::Map(&Shape::Any), doc: "How it is scanned." },
];

static MCP_ENDPOINT: &[Field] = &[
    Field { key: "url", shape: Shape::Text, doc: "Address." },
    Field {
        key: "command",
        shape: Shape::OneOrMany(&Shape::Text),
        doc: "Program and arguments of a server over `stdio`; a program with a `/` is looked for in the project.",
    },
    Field {
        key: "variables",
        shape: Shape::Map(&Shape::Any),
        doc: "Variables for it beside `PATH` and `HOME`: text, or `{ secretRef: { name: … } }`.",
    },
];

static DISCOVERY: &[Field] =
    &[Field { key: "onSchemaDrift", shape: Shape::Text, doc: "What happens when its tools change." }];

static SECURITY: &[Field] = &[
    Field { key: "sandbox", shape: Shape::Any, doc: "What confines it." },
    Field { key: "allowStdio", shape: Shape::Bool, doc: "Whether it may run as a local process." },
    Field { key: "pinServerVersion", shape: Shape::Bool, doc: "Whether only one version is accepted." },
    Field { key: "pinnedVersion", shape: Shape::Version, doc: "The version that is accepted." },
    Field { key: "trustedPublisher", shape: Shape::Any, doc: "Who must have published it." },
    Field { key: "minTrustScore", shape: Shape::Number, doc: "Least score of trust." },
];
