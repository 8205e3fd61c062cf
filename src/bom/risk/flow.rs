//! What an agent could be talked into: text from outside, data that must not get out, and a way out.

use crate::resource::{Kind, Risk};

use super::Terms;
use super::found::{Found, listed};
use super::knowledge::is_confidential;
use super::reach::{Reach, offers_more};
use super::tool::asks;
use super::whole::{Part, Whole};

pub(super) fn judge(whole: &Whole, terms: &Terms<'_>, found: &mut Found) {
    let [mut outside, mut confidential, mut way_out] = [const { Vec::<String>::new() }; 3];
    for level in &whole.levels {
        for part in level.parts() {
            let name = part.id().to_string();
            match part.id().kind {
                Kind::McpServer => {
                    outside.push(name.clone());
                    if signs_in(part) && offers_more(level, part) {
                        confidential.push(name.clone());
                    }
                    if offers_more(level, part) {
                        way_out.push(name);
                    }
                }
                Kind::Tool => {
                    if reads(part) {
                        outside.push(name.clone());
                    }
                    if reads(part) && signs_in(part) {
                        confidential.push(name.clone());
                    }
                    if Reach::of(part) >= Reach::ExternalWrite && !asks(part, level, terms.imposed) {
                        way_out.push(name);
                    }
                }
                Kind::KnowledgeSource => {
                    if is_confidential(part) {
                        confidential.push(name);
                    } else if part.text(&["uri"]).is_some_and(|uri| uri.contains("://")) {
                        outside.push(name);
                    }
                }
                Kind::Memory if !part.is_on(&["privacy", "piiHandling"]) && !part.is_on(&["privacy", "piiMode"]) => {
                    confidential.push(name);
                }
                _ => {}
            }
        }
    }
    if outside.is_empty() || confidential.is_empty() || way_out.is_empty() {
        return;
    }
    let list = |names: &[String]| listed(names.iter().map(String::as_str));
    let why = format!(
        "it reads what others write ({}), reaches confidential data ({}), and can send without asking ({})",
        list(&outside),
        list(&confidential),
        list(&way_out)
    );
    let agent = whole.levels.first().map(|level| level.agent.component()).unwrap_or_default();
    found.raise("AGB-FLOW-001", agent, Risk::High, why).key("all three");
}

/// Whether it brings text from elsewhere into the conversation.
fn reads(tool: &Part) -> bool {
    let calls_out = matches!(tool.text(&["type"]), Some("rest" | "mcp")) || tool.at(&["endpoint"]).is_some();
    let gets = tool.text(&["endpoint", "method"]).is_some_and(|method| method.eq_ignore_ascii_case("get"));
    calls_out && (gets || Reach::of(tool) == Reach::ReadOnly || tool.at(&["outputSchema"]).is_some())
}

/// Whether it signs in, and so reads what not everybody may.
fn signs_in(part: &Part) -> bool {
    part.is_on(&["auth"]) || part.is_on(&["endpoint", "auth"])
}
