//! Team: who may do what, and what is imposed on the agents of its namespaces.

use serde::{Deserialize, Serialize};

use super::{references, texts};
use crate::resource::envelope::Resource;
use crate::resource::id::Reference;
use crate::resource::kind::Kind;
use crate::resource::value::Value;

/// What a Team says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Team {
    /// Its name.
    pub name: String,
    /// Who is in it.
    pub members: Vec<Member>,
    /// Namespaces it answers for.
    pub namespaces: Vec<String>,
    /// Policies imposed on every agent of those.
    pub default_policies: Vec<Reference>,
    /// Budgets imposed on every agent of those.
    pub budget_refs: Vec<Reference>,
}

/// One entry under `members`; a person may stand there more than once, with one role each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The principal.
    pub user: String,
    /// What they may do.
    pub role: Role,
    /// Whether this is a machine, which never counts as an approver.
    pub automation: bool,
    /// SSH public keys, each as in an `authorized_keys` line.
    pub keys: Vec<String>,
    /// Where an operator may write, if it is said.
    pub environments: Option<Vec<String>>,
}

/// What a member may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the public catalogue's words; what each may do is for the room of trust")]
pub enum Role {
    Admin,
    Operator,
    Viewer,
    Approver,
    Auditor,
}

impl Role {
    /// The role of this word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Admin, Self::Operator, Self::Viewer, Self::Approver, Self::Auditor]
            .into_iter()
            .find(|role| role.word() == word)
    }

    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Operator => "operator",
            Self::Viewer => "viewer",
            Self::Approver => "approver",
            Self::Auditor => "auditor",
        }
    }
}

impl Team {
    /// The view of a Team; `None` for another kind. A member without a user or a role that joch knows has no
    /// rights and is left out.
    #[must_use]
    pub fn of(resource: &Resource) -> Option<Self> {
        if resource.id().kind != Kind::Team {
            return None;
        }
        let spec = resource.spec();
        let members = spec.get("members").and_then(Value::as_list).unwrap_or_default();
        Some(Self {
            name: resource.id().name.clone(),
            members: members.iter().filter_map(member).collect(),
            namespaces: texts(spec.get("namespaces")),
            default_policies: references(&Kind::Policy, spec.get("defaultPolicies")),
            budget_refs: references(&Kind::Budget, spec.get("budgetRefs")),
        })
    }
}

fn member(value: &Value) -> Option<Member> {
    Some(Member {
        user: value.get("user")?.as_text()?.to_owned(),
        role: Role::from_word(value.get("role")?.as_text()?)?,
        // Whatever is not plainly `false` makes a machine of it: a slip must not make an approver.
        automation: !matches!(value.get("automation"), None | Some(Value::Null | Value::Bool(false))),
        keys: texts(value.get("keys")),
        environments: value.get("environments").filter(|value| **value != Value::Null).map(|value| texts(Some(value))),
    })
}
