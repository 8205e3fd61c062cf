//! What a risk rule found: one component, one reason, one remedy.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::resource::Risk;

/// One finding about one component of an agent.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "RiskFinding")]
pub struct Finding {
    /// The rule, such as `AGB-MCP-001`.
    pub rule: String,
    /// The component's reference in the bill, such as `joch:mcp-server/default/help-center`.
    pub component: String,
    /// How risky it is.
    #[schemars(with = "String")]
    pub severity: Risk,
    /// What was found, with the value in it: the same debt grown worse has another reason.
    pub reason: String,
    /// What to do.
    pub remedy: String,
    /// Whether the change brings it; what the target has already is older debt.
    pub introduced: bool,
    /// The exception that lets it through, in words, if one does.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub exception: Option<String>,
}
