//! Model and ModelRoute.

use super::{Field, Shape, Tie};
use crate::resource::kind::Kind;

pub(super) static MODEL: &[Field] = &[
    Field { key: "provider", shape: Shape::Text, doc: "Who serves the model, such as `openai`." },
    Field { key: "model", shape: Shape::Text, doc: "The model's name with its provider." },
    Field { key: "endpoint", shape: Shape::Object(ENDPOINT), doc: "Where the model is reached." },
    Field { key: "auth", shape: Shape::Object(AUTH), doc: "How joch and the runtime sign in." },
    Field { key: "capabilities", shape: Shape::Map(&Shape::Any), doc: "What the model can do." },
    Field { key: "limits", shape: Shape::Object(LIMITS), doc: "Limits of the model." },
    Field { key: "pricing", shape: Shape::Object(PRICING), doc: "What the model costs; 0 means unknown, not free." },
    Field { key: "defaultParameters", shape: Shape::Map(&Shape::Any), doc: "Parameters where a caller gives none." },
    Field { key: "routing", shape: Shape::Object(ROUTING), doc: "Where the model may be served." },
];

static ENDPOINT: &[Field] = &[
    Field { key: "type", shape: Shape::OneOf(&["hosted", "local"]), doc: "Served by a provider, or by yourself." },
    Field {
        key: "baseUrl",
        shape: Shape::Text,
        doc: "Address; also used for judges and for `openai` and `anthropic` targets.",
    },
];

static AUTH: &[Field] = &[Field {
    key: "secretRef",
    shape: Shape::Reference(Kind::Secret, Tie::Named),
    doc: "The Secret that holds the key.",
}];

static LIMITS: &[Field] = &[
    Field { key: "contextWindowTokens", shape: Shape::Whole, doc: "Most tokens of input and output." },
    Field { key: "maxOutputTokens", shape: Shape::Whole, doc: "Most tokens of output." },
];

static PRICING: &[Field] = &[
    Field { key: "currency", shape: Shape::Text, doc: "Currency, such as `USD`." },
    Field { key: "inputPerMillionTokens", shape: Shape::Number, doc: "Price of a million tokens in." },
    Field { key: "outputPerMillionTokens", shape: Shape::Number, doc: "Price of a million tokens out." },
];

static ROUTING: &[Field] =
    &[Field { key: "regions", shape: Shape::OneOrMany(&Shape::Text), doc: "Regions that may serve it." }];

pub(super) static MODEL_ROUTE: &[Field] = &[
    Field { key: "requirements", shape: Shape::Map(&Shape::Any), doc: "What a Model must be able to do." },
    Field { key: "strategy", shape: Shape::Object(STRATEGY), doc: "Which Model is asked, and which after it." },
    Field { key: "constraints", shape: Shape::Object(CONSTRAINTS), doc: "Limits of every call." },
];

static STRATEGY: &[Field] = &[
    Field {
        key: "primary",
        shape: Shape::Model(Tie::Member),
        doc: "The Model that is asked first: `provider:model` or the name of a Model.",
    },
    Field { key: "fallback", shape: Shape::Models(Tie::Member), doc: "The Models that are asked after it, in order." },
];

static CONSTRAINTS: &[Field] = &[
    Field { key: "maxCostUsdPerExecution", shape: Shape::Number, doc: "Most US dollars of one run." },
    Field { key: "maxCostUsdPerCall", shape: Shape::Number, doc: "Most US dollars of one call." },
    Field { key: "dataResidency", shape: Shape::OneOrMany(&Shape::Text), doc: "Where data may be processed." },
];
