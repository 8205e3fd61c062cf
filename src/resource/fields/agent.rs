//! Agent and FrameworkAdapter.

use super::{Field, Shape, Tie};
use crate::resource::kind::Kind;

pub(super) static AGENT: &[Field] = &[
    Field { key: "description", shape: Shape::Text, doc: "What the agent is for." },
    Field { key: "framework", shape: Shape::Object(FRAMEWORK), doc: "The framework the agent is written in." },
    Field { key: "model", shape: Shape::Model(Tie::Member), doc: "The Model the agent uses." },
    Field { key: "modelRef", shape: Shape::Model(Tie::Member), doc: "The Model the agent uses." },
    Field { key: "modelRoute", shape: Shape::Object(MODEL_ROUTE), doc: "The route that chooses among Models." },
    Field { key: "modelPolicy", shape: Shape::Object(MODEL_POLICY), doc: "The Models the agent may use." },
    Field { key: "instructions", shape: Shape::Any, doc: "The prompt, or where it comes from." },
    Field { key: "tools", shape: Shape::References(Kind::Tool, Tie::Member), doc: "Tools the agent may call." },
    Field {
        key: "mcpServers",
        shape: Shape::References(Kind::McpServer, Tie::Member),
        doc: "MCP servers the agent may use.",
    },
    Field {
        key: "memories",
        shape: Shape::ReferenceMap(Kind::Memory, Tie::Member),
        doc: "Memories, by the role each plays.",
    },
    Field {
        key: "ragRefs",
        shape: Shape::References(Kind::Rag, Tie::Member),
        doc: "Collections of knowledge the agent searches.",
    },
    Field {
        key: "policies",
        shape: Shape::References(Kind::Policy, Tie::Member),
        doc: "Policies that bind the agent, besides those whose selector matches it.",
    },
    Field {
        key: "children",
        shape: Shape::References(Kind::Agent, Tie::Member),
        doc: "Agents that this one runs; each brings its whole closure.",
    },
    Field { key: "handoffs", shape: Shape::Object(HANDOFFS), doc: "Agents that this one may hand over to." },
    Field { key: "budgets", shape: Shape::Object(BUDGETS), doc: "Limits of the agent itself." },
    Field {
        key: "budgetRefs",
        shape: Shape::References(Kind::Budget, Tie::Member),
        doc: "Budgets the agent draws on.",
    },
];

static FRAMEWORK: &[Field] = &[
    Field {
        key: "adapterRef",
        shape: Shape::Reference(Kind::FrameworkAdapter, Tie::Member),
        doc: "The adapter that runs this framework.",
    },
    Field { key: "entrypoint", shape: Shape::Text, doc: "Where the agent begins, such as `module:function`." },
    Field { key: "pythonModule", shape: Shape::Text, doc: "Module of an agent in Python." },
    Field { key: "typescriptModule", shape: Shape::Text, doc: "Module of an agent in TypeScript." },
    Field { key: "image", shape: Shape::Text, doc: "Container image of the agent." },
    Field { key: "sdkVersion", shape: Shape::Version, doc: "Version of the framework that the agent runs with." },
];

static MODEL_ROUTE: &[Field] =
    &[Field { key: "routeRef", shape: Shape::Reference(Kind::ModelRoute, Tie::Member), doc: "The route." }];

static MODEL_POLICY: &[Field] = &[Field {
    key: "allowed",
    shape: Shape::Models(Tie::Member),
    doc: "Models, each `provider:model` or the name of a Model.",
}];

static HANDOFFS: &[Field] = &[Field {
    key: "allowedAgents",
    shape: Shape::References(Kind::Agent, Tie::Named),
    doc: "Names of agents; they are no part of the closure.",
}];

static BUDGETS: &[Field] = &[
    Field { key: "tokenLimitPerRun", shape: Shape::Whole, doc: "Most tokens of one run." },
    Field { key: "costLimitUsdPerDay", shape: Shape::Number, doc: "Most US dollars of one day." },
    Field { key: "toolCallLimitPerRun", shape: Shape::Whole, doc: "Most tool calls of one run." },
];

pub(super) static FRAMEWORK_ADAPTER: &[Field] = &[
    Field { key: "framework", shape: Shape::Text, doc: "Name of the framework." },
    Field { key: "language", shape: Shape::Text, doc: "Language of the agents it runs." },
    Field {
        key: "adapterImage",
        shape: Shape::Text,
        doc: "Image of the adapter; with the version of the record it is the version of the adapter.",
    },
    Field { key: "sdkMinVersion", shape: Shape::Version, doc: "Oldest version of the framework that it runs." },
    Field { key: "capabilities", shape: Shape::Map(&Shape::Any), doc: "What the adapter can do." },
    Field { key: "conformance", shape: Shape::Object(CONFORMANCE), doc: "How the adapter was tested." },
];

static CONFORMANCE: &[Field] = &[
    Field { key: "suite", shape: Shape::Text, doc: "The suite of tests." },
    Field { key: "lastPassedAt", shape: Shape::Text, doc: "When it passed: `2026-05-08T14:00:00Z`." },
];
