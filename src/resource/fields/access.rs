//! Policy, Budget, Team, Approval and Secret.

use super::{Field, Shape, Tie};
use crate::resource::kind::Kind;

pub(super) static POLICY: &[Field] = &[
    Field { key: "description", shape: Shape::Text, doc: "What the policy is for." },
    Field { key: "appliesTo", shape: Shape::Object(APPLIES_TO), doc: "Which agents it binds without being named." },
    Field { key: "rules", shape: Shape::List(&Shape::Object(RULE)), doc: "Rules; every one is judged, deny wins." },
    Field {
        key: "rego",
        shape: Shape::Text,
        doc: "Rules in Rego: package `joch.release`, sets `deny`, `violation`, `warn`.",
    },
    Field { key: "params", shape: Shape::Map(&Shape::Any), doc: "What its Rego finds under `input.params`." },
    Field { key: "audit", shape: Shape::Any, doc: "What is recorded when it acts." },
];

static APPLIES_TO: &[Field] = &[Field { key: "agents", shape: Shape::Object(APPLIES_TO_AGENTS), doc: "Agents." }];

static APPLIES_TO_AGENTS: &[Field] = &[Field { key: "selector", shape: Shape::Object(SELECTOR), doc: "Which agents." }];

static SELECTOR: &[Field] = &[Field {
    key: "matchLabels",
    shape: Shape::Map(&Shape::Scalar),
    doc: "Labels that an agent must have, all of them; none at all selects every agent.",
}];

static RULE: &[Field] = &[
    Field { key: "name", shape: Shape::Text, doc: "Name of the rule, for messages." },
    Field { key: "when", shape: Shape::Map(&Shape::Any), doc: "Dotted keys, each with a value or a comparison." },
    Field { key: "action", shape: Shape::Object(ACTION), doc: "What happens." },
    Field { key: "require", shape: Shape::Object(REQUIRE), doc: "What must be there first." },
];

static ACTION: &[Field] = &[
    Field { key: "deny", shape: Shape::Bool, doc: "Whether it is refused." },
    Field { key: "reason", shape: Shape::Text, doc: "Why, for whoever is refused." },
    Field { key: "redact", shape: Shape::Any, doc: "What is blacked out." },
    Field { key: "modify", shape: Shape::Any, doc: "What is changed." },
];

static REQUIRE: &[Field] = &[
    Field { key: "approval", shape: Shape::Text, doc: "Who must allow it: `human`." },
    Field { key: "approvalRouting", shape: Shape::Object(ROUTING), doc: "Who is asked." },
];

static ROUTING: &[Field] = &[
    Field { key: "approvers", shape: Shape::Principals, doc: "People, or `team:NAME`." },
    Field { key: "timeoutMinutes", shape: Shape::Number, doc: "How long they have." },
    Field { key: "onTimeout", shape: Shape::Text, doc: "What happens then." },
];

pub(super) static BUDGET: &[Field] = &[
    Field { key: "scope", shape: Shape::Object(SCOPE), doc: "Who draws on it." },
    Field { key: "limits", shape: Shape::Object(LIMITS), doc: "What may be spent." },
    Field { key: "enforcement", shape: Shape::Object(ENFORCEMENT), doc: "What happens at a limit." },
    Field { key: "allocation", shape: Shape::Object(ALLOCATION), doc: "How it is shared out." },
    Field {
        key: "currency",
        shape: Shape::OneOf(&["USD"]),
        doc: "The currency of its limits: US dollars, as their names say.",
    },
];

static SCOPE: &[Field] = &[
    Field { key: "teams", shape: Shape::References(Kind::Team, Tie::Named), doc: "Teams." },
    Field { key: "agents", shape: Shape::References(Kind::Agent, Tie::Named), doc: "Agents." },
];

static LIMITS: &[Field] = &[
    Field { key: "monthlyUsd", shape: Shape::Number, doc: "US dollars of a month." },
    Field { key: "dailyUsd", shape: Shape::Number, doc: "US dollars of a day." },
    Field { key: "perRunUsd", shape: Shape::Number, doc: "US dollars of a run." },
    Field { key: "tokenLimitDaily", shape: Shape::Whole, doc: "Tokens of a day." },
];

static ENFORCEMENT: &[Field] = &[
    Field { key: "onSoftLimit", shape: Shape::Text, doc: "What happens at the soft limit." },
    Field {
        key: "onHardLimit",
        shape: Shape::Text,
        doc: "What happens at the limit: `alert` only tells, anything else stops.",
    },
    Field { key: "softLimitPct", shape: Shape::Number, doc: "Share of a limit that is the soft one; 0.8." },
];

static ALLOCATION: &[Field] = &[Field {
    key: "byAgent",
    shape: Shape::Map(&Shape::Number),
    doc: "Share of each agent, from 0 to 1; an agent without one has what they leave.",
}];

/// What a member of a team may be.
pub(in crate::resource) static ROLES: &[&str] = &["admin", "operator", "viewer", "approver", "auditor"];

pub(super) static TEAM: &[Field] = &[
    Field { key: "description", shape: Shape::Text, doc: "What the team is for." },
    Field { key: "members", shape: Shape::List(&Shape::Object(MEMBER)), doc: "Who is in it." },
    Field { key: "namespaces", shape: Shape::OneOrMany(&Shape::Text), doc: "Namespaces it answers for." },
    Field {
        key: "defaultPolicies",
        shape: Shape::References(Kind::Policy, Tie::Needed),
        doc: "Policies imposed on every agent of its namespaces.",
    },
    Field {
        key: "budgetRefs",
        shape: Shape::References(Kind::Budget, Tie::Needed),
        doc: "Budgets imposed on every agent of its namespaces.",
    },
];

static MEMBER: &[Field] = &[
    Field { key: "user", shape: Shape::Text, doc: "Principal, such as an address of mail." },
    Field { key: "role", shape: Shape::OneOf(ROLES), doc: "What they may do." },
    Field { key: "automation", shape: Shape::Bool, doc: "Whether this is a machine: it never counts as an approver." },
    Field {
        key: "keys",
        shape: Shape::OneOrMany(&Shape::Text),
        doc: "SSH public keys, each as in an `authorized_keys` line.",
    },
    Field {
        key: "environments",
        shape: Shape::OneOrMany(&Shape::Text),
        doc: "Where an operator may write; every rung but the last where it is left out.",
    },
];

pub(super) static APPROVAL: &[Field] = &[
    Field { key: "action", shape: Shape::Object(APPROVAL_ACTION), doc: "What is asked for." },
    Field { key: "routing", shape: Shape::Object(ROUTING), doc: "Who is asked." },
];

static APPROVAL_ACTION: &[Field] =
    &[Field { key: "type", shape: Shape::OneOf(&["promotion", "override", "tool_call"]), doc: "Sort of action." }];

pub(super) static SECRET: &[Field] =
    &[Field { key: "source", shape: Shape::Object(SOURCE), doc: "Where the value is; never the value." }];

static SOURCE: &[Field] = &[
    Field { key: "type", shape: Shape::Text, doc: "Sort of source: `env`, `kubernetes`, `vault` and others." },
    Field { key: "name", shape: Shape::Text, doc: "Name there." },
    Field { key: "key", shape: Shape::Text, doc: "Key within it." },
];
