//! Memory, RAG and KnowledgeSource.

use super::{Field, Shape, Tie};
use crate::resource::kind::Kind;

pub(super) static MEMORY: &[Field] = &[
    Field { key: "type", shape: Shape::Text, doc: "What is remembered, such as `conversation`." },
    Field { key: "scope", shape: Shape::Any, doc: "Whom a memory belongs to." },
    Field { key: "backend", shape: Shape::Object(BACKEND), doc: "Where it is kept." },
    Field { key: "retention", shape: Shape::Any, doc: "How long it is kept." },
    Field { key: "privacy", shape: Shape::Any, doc: "What may be kept." },
    Field {
        key: "policies",
        shape: Shape::References(Kind::Policy, Tie::Member),
        doc: "Policies that bind every agent that uses it.",
    },
];

static BACKEND: &[Field] = &[Field { key: "type", shape: Shape::Text, doc: "Sort of store." }];

pub(super) static RAG: &[Field] = &[
    Field {
        key: "sources",
        shape: Shape::References(Kind::KnowledgeSource, Tie::Member),
        doc: "Where the knowledge comes from.",
    },
    Field {
        key: "knowledgeSources",
        shape: Shape::References(Kind::KnowledgeSource, Tie::Member),
        doc: "Where the knowledge comes from.",
    },
    Field { key: "vectorStore", shape: Shape::Any, doc: "Where vectors are kept." },
    Field { key: "embeddingModelRef", shape: Shape::Model(Tie::Member), doc: "The Model that makes vectors." },
];

pub(super) static KNOWLEDGE_SOURCE: &[Field] = &[
    Field { key: "type", shape: Shape::Text, doc: "Sort of source." },
    Field { key: "uri", shape: Shape::Text, doc: "Address." },
    Field { key: "classification", shape: Shape::Text, doc: "How confidential it is." },
];
