//! The fields that joch knows, kind by kind, as tables. One table says which types a field takes, which
//! resources it names, and what its JSON Schema is. Fields that no table has are kept as data.

mod access;
mod agent;
mod knowledge;
pub mod mention;
mod model;
mod operations;
mod tool;

use super::kind::Kind;

pub use mention::{Candidate, Mention, Target, mentions};
pub use tool::LEVELS;

/// One field of a map.
#[derive(Debug)]
pub struct Field {
    /// Its key.
    pub key: &'static str,
    /// What it takes.
    pub shape: Shape,
    /// What it means, in one sentence: the description in the JSON Schema.
    pub doc: &'static str,
}

/// What a field takes. Any value may also be `{fromEnvironment: KEY}`.
#[derive(Debug)]
pub enum Shape {
    /// Anything.
    Any,
    /// Text.
    Text,
    /// `true` or `false`.
    Bool,
    /// A whole number, not below zero.
    Whole,
    /// A number.
    Number,
    /// Text, a number or a truth value.
    Scalar,
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// The text of a version. A number is refused: `1.10` is read as 1.1.
    Version,
    /// A length of time: `90s`, `15m`, `36h`, `7d`.
    Duration,
    /// `{name, namespace?}` or a bare name.
    Reference(Kind, Tie),
    /// A list of references, each `{name, namespace?}` or a bare name; a single one may stand without a list.
    References(Kind, Tie),
    /// A map from a role to a reference.
    ReferenceMap(Kind, Tie),
    /// A reference to a Model, or `provider:model`.
    Model(Tie),
    /// A list of such; a single one may stand without a list.
    Models(Tie),
    /// A map from a metric's name to a number or a comparison.
    Thresholds,
    /// How the scores of all cases become one: `mean`, `p95`, `pass@3`.
    Statistic,
    /// A list of gates: each a `GATE` or an object with `gate`.
    Gates,
    /// A list of people, each a principal or `team:NAME`.
    Principals,
    /// A list.
    List(&'static Self),
    /// One of these, or a list of them.
    OneOrMany(&'static Self),
    /// A map with keys of the writer's own.
    Map(&'static Self),
    /// A map with the fields of a table.
    Object(&'static [Field]),
}

/// What a mention of another resource means for the one that makes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tie {
    /// It is part of the closure, and must exist.
    Member,
    /// It must exist, and is no part of the closure.
    Needed,
    /// Only its name counts; it may be elsewhere, or nowhere yet.
    Named,
}

/// The fields of `spec`, for a kind that joch knows.
#[must_use]
pub fn of(kind: &Kind) -> &'static [Field] {
    match kind {
        Kind::Agent => agent::AGENT,
        Kind::FrameworkAdapter => agent::FRAMEWORK_ADAPTER,
        Kind::Model => model::MODEL,
        Kind::ModelRoute => model::MODEL_ROUTE,
        Kind::Tool => tool::TOOL,
        Kind::McpServer => tool::MCP_SERVER,
        Kind::Memory => knowledge::MEMORY,
        Kind::Rag => knowledge::RAG,
        Kind::KnowledgeSource => knowledge::KNOWLEDGE_SOURCE,
        Kind::Policy => access::POLICY,
        Kind::Budget => access::BUDGET,
        Kind::Team => access::TEAM,
        Kind::Approval => access::APPROVAL,
        Kind::Secret => access::SECRET,
        Kind::Eval => operations::EVAL,
        Kind::Deployment => operations::DEPLOYMENT,
        Kind::Environment => operations::ENVIRONMENT,
        Kind::AgBom => operations::AGBOM,
        Kind::Other(_) => &[],
    }
}

/// The fields of the envelope's `metadata`.
pub static METADATA: &[Field] = &[
    Field { key: "name", shape: Shape::Text, doc: "Name of the resource, unique for its kind and namespace." },
    Field { key: "namespace", shape: Shape::Text, doc: "Namespace; `default` where it is left out." },
    Field { key: "labels", shape: Shape::Map(&Shape::Scalar), doc: "Labels that selectors match." },
    Field { key: "annotations", shape: Shape::Map(&Shape::Any), doc: "Notes that nothing matches." },
];
