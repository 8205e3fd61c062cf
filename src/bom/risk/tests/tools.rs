//! Rules about tools, knowledge and memory, and what they come to together.

use crate::bom::risk::Reach;
use crate::resource::ResourceId;

use super::world::imposed;

const LOOK: &str = "Tool look";
const MAIL: &str = "Tool mail";
const PAY: &str = "{type: rest, endpoint: {method: POST, url: 'https://pay.example/x'}, \
                   sideEffects: {level: financial, requiresApproval: true}}";

super::cases! {
    effects_that_grow_a_little: "AGB-TOOL-001" Low "joch:tool/default/look" "`read_only` and are `local_write`",
        |w| { w.edit(LOOK, "read_only", "local_write"); },
        |w| { w.edit_from(LOOK, "read_only", "local_write"); };
    effects_that_reach_outside: "AGB-TOOL-001" High "joch:tool/default/look" "are `communication`",
        |w| { w.edit(LOOK, "read_only", "communication"); },
        |w| { w.edit_both(LOOK, "read_only", "communication"); };
    effects_that_nobody_says: "AGB-TOOL-001" Critical "joch:tool/default/look" "not said, which counts as `privileged`",
        |w| { w.edit(LOOK, "level: read_only, ", ""); },
        |w| { w.edit_from(LOOK, "level: read_only, ", ""); };
    a_new_tool_that_runs_code: "AGB-TOOL-002" High "joch:tool/default/shell" "`code_execution`",
        |w| { w.add("Tool shell", "{type: os, sideEffects: {level: code_execution, requiresApproval: true}}"); },
        |w| { w.add("Tool shell", "{type: os, sideEffects: {level: local_write}}"); };
    a_new_tool_that_moves_money_when_asked: "AGB-TOOL-002" Medium "joch:tool/default/pay" "`financial`",
        |w| { w.add("Tool pay", PAY); },
        |w| { w.add("Tool pay", &PAY.replace("financial", "communication")); };
    a_tool_that_writes_unasked: "AGB-TOOL-003" High "joch:tool/default/post" "`external_write`",
        |w| { w.add("Tool post", "{type: rest, sideEffects: {level: external_write}}"); },
        |w| {
            w.add("Tool post", "{type: rest, sideEffects: {level: external_write}}");
            w.imposed = imposed("{rules: [{when: {tool.sideEffect: [external_write, financial]}, require: {approval: human}}]}");
        };
    a_policy_that_asks_only_sometimes: "AGB-TOOL-003" High "joch:tool/default/post" "`external_write`",
        |w| {
            w.add("Tool post", "{type: rest, sideEffects: {level: external_write}}");
            w.imposed = imposed("{rules: [{when: {tool.sideEffect: external_write, env: dev}, require: {approval: human}}]}");
        },
        |w| {
            w.add("Tool post", "{type: rest, sideEffects: {level: external_write}}");
            w.imposed = imposed("{rules: [{when: {tool.name: post}, action: {deny: true}}]}");
        };
    a_tool_that_says_no_where_a_policy_asks: "AGB-TOOL-003" Critical "joch:tool/default/pay" "`financial`",
        |w| {
            w.add("Tool pay", &PAY.replace("requiresApproval: true", "requiresApproval: false"));
            w.imposed = imposed("{rules: [{when: {tool.sideEffect: financial}, require: {approval: human}}]}");
        },
        |w| {
            w.add("Tool pay", &PAY.replace("requiresApproval: true", "requiresApproval: false"));
            w.imposed = imposed("{rules: [{when: {tool.sideEffect: financial}, action: {deny: true}}]}");
        };
    a_tool_that_moves_money_unasked: "AGB-TOOL-003" Critical "joch:tool/default/pay" "`financial`",
        |w| { w.add("Tool pay", &PAY.replace(", requiresApproval: true", "")); },
        |w| { w.add("Tool pay", PAY); };
    a_tool_that_asks_no_more: "AGB-TOOL-004" Critical "joch:tool/default/mail" "was `true` and is not",
        |w| { w.edit(MAIL, ", requiresApproval: true", ""); },
        |w| { w.edit_from(MAIL, ", requiresApproval: true", ""); };
    an_adapter_that_asks_no_more: "AGB-TOOL-004" Critical "joch:framework-adapter/default/sdk" "was `true` and is not, and tool/mail waits",
        |w| { w.edit_from("FrameworkAdapter sdk", "framework: sdk", "framework: sdk, capabilities: {toolApproval: true}"); },
        |w| { w.edit_both("FrameworkAdapter sdk", "framework: sdk", "framework: sdk, capabilities: {toolApproval: true}"); };
    a_tool_that_any_agent_may_call: "AGB-TOOL-005" High "joch:tool/default/look" "named `helper` and names nobody",
        |w| { w.edit(LOOK, "allowedAgents: [helper]", "allowedAgents: []"); },
        |w| { w.edit(LOOK, "allowedAgents: [helper]", "allowedAgents: [{name: helper}]"); };
    a_tool_that_may_be_called_more_often: "AGB-TOOL-005" High "joch:tool/default/look" "was 10 and is 1000",
        |w| { w.edit(LOOK, "callsPerMinute: 10", "callsPerMinute: 1000"); },
        |w| { w.edit(LOOK, "callsPerMinute: 10", "callsPerMinute: 5"); };
    a_tool_open_to_more_namespaces: "AGB-TOOL-005" High "joch:tool/default/look" "lost `sandbox`",
        |w| { w.edit(LOOK, "deniedNamespaces: [sandbox]", "deniedNamespaces: []"); },
        |w| { w.edit(LOOK, "deniedNamespaces: [sandbox]", "deniedNamespaces: [sandbox, lab]"); };
    a_tool_that_says_something_else: "AGB-TOOL-006" Medium "joch:tool/default/look" "is `Looks anything up.`",
        |w| { w.edit(LOOK, "Looks something up.", "Looks anything up."); },
        |w| { w.edit(LOOK, "logArgs: true", "logArgs: true, logResult: true"); };
    a_prompt_that_hides_something: "AGB-TOOL-006" Critical "joch:agent/default/helper" "U+202E (direction override) at `spec.instructions`, character 6",
        |w| { w.edit("Agent helper", "Help.", "\"Help.\\u202E.ylteikcuq\""); },
        |w| { w.edit("Agent helper", "Help.", "\"Hilf freundlich \\U0001F468\\u200D\\U0001F469 – “gern”.\""); };
    an_observed_tool_that_hides_something: "AGB-TOOL-006" Critical "joch:mcp-server/default/docs" "the observed tool `search`, description",
        |w| w.seen[1][0].tools[0].1 = "Searches.\u{E0069}\u{E0067}\u{E006E}",
        |w| w.seen[1][0].tools[0].1 = "Durchsucht die Übersicht.";
    a_tool_that_promises_less: "AGB-TOOL-007" Medium "joch:tool/default/look" "`sideEffects.idempotent` was `true`",
        |w| { w.edit(LOOK, ", idempotent: true", ""); },
        |w| { w.edit_from(LOOK, ", idempotent: true", ""); };
    a_tool_that_logs_less: "AGB-TOOL-007" Medium "joch:tool/default/look" "`observability.redactFields` lost `token`",
        |w| { w.edit(LOOK, "redactFields: [token]", "redactFields: []"); },
        |w| { w.edit(LOOK, "redactFields: [token]", "redactFields: [token, password]"); };
    knowledge_that_is_confidential: "AGB-KNOW-001" High "joch:knowledge-source/default/customers" "classified as `pii`",
        |w| { w.add("KnowledgeSource customers", "{classification: pii}"); },
        |w| { w.add("KnowledgeSource customers", "{classification: public}"); };
    knowledge_that_nobody_classified: "AGB-KNOW-001" High "joch:knowledge-source/default/customers" "is not said",
        |w| { w.add("KnowledgeSource customers", "{type: drive}"); },
        |w| {
            w.add("KnowledgeSource customers", "{type: drive}");
            w.label("KnowledgeSource customers", "{sensitivity: internal}");
        };
    knowledge_that_is_declared_harmless: "AGB-KNOW-002" High "joch:knowledge-source/default/handbook" "was `internal` and is `public`",
        |w| { w.edit("KnowledgeSource handbook", "internal", "public"); },
        |w| { w.edit("KnowledgeSource handbook", "internal", "confidential"); };
    permissions_that_are_not_enforced: "AGB-KNOW-002" High "joch:rag/default/shelf" "`permissions.enforceAtQueryTime`",
        |w| { w.edit("RAG shelf", "enforceAtQueryTime: true", "enforceAtQueryTime: false"); },
        |w| { w.edit_from("RAG shelf", "enforceAtQueryTime: true", "enforceAtQueryTime: false"); };
    permissions_that_are_not_the_sources: "AGB-KNOW-002" High "joch:knowledge-source/default/handbook" "is `open`",
        |w| { w.edit("KnowledgeSource handbook", "source_inherited", "open"); },
        |w| { w.edit_from("KnowledgeSource handbook", "source_inherited", "open"); };
    a_memory_in_plain_text: "AGB-MEM-001" High "joch:memory/default/notes" "`privacy.encryption` was on",
        |w| { w.edit("Memory notes", "encryption: required", "encryption: none"); },
        |w| { w.edit("Memory notes", "encryption: required", "encryption: customer-key"); };
    a_memory_that_more_agents_read: "AGB-MEM-001" Medium "joch:memory/default/notes" "`access.readableBy` gained `desk`",
        |w| { w.edit("Memory notes", "readableBy: [helper]", "readableBy: [helper, desk]"); },
        |w| { w.edit("Memory notes", "readableBy: [helper]", "readableBy: []"); };
    all_three_come_together: "AGB-FLOW-001" High "joch:agent/default/helper" "can send without asking (`tool/post`)",
        |w| {
            w.add("KnowledgeSource customers", "{classification: pii}");
            w.add("Tool post", "{type: rest, sideEffects: {level: external_write}}");
        },
        |w| {
            w.add("KnowledgeSource customers", "{classification: pii}");
            w.add("Tool post", "{type: rest, sideEffects: {level: external_write, requiresApproval: true}}");
        };
    a_handover_to_one_nobody_knows: "AGB-HAND-001" High "joch:agent/default/helper" "what it may do is not known in `prod`",
        |w| { w.edit("Agent helper", "allowedAgents: [desk]", "allowedAgents: [desk, clerk]"); },
        |w| { w.edit("Agent helper", "allowedAgents: [desk]", "allowedAgents: []"); };
    a_handover_to_one_that_may_more: "AGB-HAND-001" High "joch:agent/default/helper" "reach as far as `financial`, this agent's as far as `external_write`",
        |w| {
            w.edit("Agent helper", "allowedAgents: [desk]", "allowedAgents: [desk, clerk]");
            w.handoffs.insert(ResourceId::agent("default", "clerk"), Reach::Financial);
        },
        |w| {
            w.edit_both("Agent helper", "allowedAgents: [desk]", "allowedAgents: [desk, clerk]");
            w.handoffs.insert(ResourceId::agent("default", "clerk"), Reach::Financial);
        };
    a_handover_to_one_that_may_less: "AGB-HAND-001" Medium "joch:agent/default/helper" "reach as far as `read_only`",
        |w| {
            w.edit("Agent helper", "allowedAgents: [desk]", "allowedAgents: [desk, clerk]");
            w.handoffs.insert(ResourceId::agent("default", "clerk"), Reach::ReadOnly);
        },
        |_| {};
}
