//! Controls around the agent: what the same change loosens, and what is on hold.

use crate::resource::{Kind, Risk};

use super::Terms;
use super::found::{Found, shown};
use super::whole::Whole;

/// Whatever ran before, this is news.
pub(super) fn judge(after: &Whole, terms: &Terms<'_>, found: &mut Found) {
    for loosened in terms.loosened {
        found.raise("AGB-GATE-001", loosened.component.clone(), Risk::Critical, loosened.reason.clone());
    }
    for server in after.of_kind(&Kind::McpServer) {
        if let Some(reason) = terms.held.get(server.id()) {
            let why = format!("this version of it is on hold: {}", shown(reason));
            found.raise("AGB-MCP-010", server.component(), Risk::Critical, why);
        }
    }
}
