//! Rules about models, routes, images, frameworks, secrets and policies.

const GPT: &str = "Model gpt";
const ROUTE: &str = "ModelRoute route";
const ADAPTER: &str = "FrameworkAdapter sdk";
const AGENT: &str = "Agent helper";
const GUARD: &str = "Policy guard";

super::cases! {
    a_provider_that_is_new: "AGB-MODEL-001" High "joch:model/default/gpt" "its provider `acme` is new",
        |w| { w.edit(GPT, "provider: openai", "provider: acme"); },
        |w| { w.edit(GPT, "provider: openai", "provider: OpenAI"); };
    a_provider_that_is_new_and_listed: "AGB-MODEL-001" Medium "joch:model/default/gpt" "its provider `acme` is new",
        |w| {
            w.edit(GPT, "provider: openai", "provider: acme");
            w.model_providers = Some(vec!["openai".into(), "Acme".into()]);
        },
        |w| w.model_providers = Some(vec!["openai".into(), "Acme".into()]);
    a_provider_that_is_not_listed: "AGB-MODEL-001" Critical "joch:model/default/gpt" "`prod` does not list its provider `openai`",
        |w| {
            w.first();
            w.model_providers = Some(vec!["acme".into()]);
        },
        |w| {
            w.first();
            w.model_providers = Some(vec!["OpenAI".into()]);
        };
    a_model_served_elsewhere: "AGB-MODEL-002" Critical "joch:model/default/gpt" "served in `us-east-1`, not only within `eu`",
        |w| { w.edit(GPT, "regions: [eu]", "regions: [eu, us-east-1]"); },
        |w| { w.edit(GPT, "regions: [eu]", "regions: [eu, EU-West-3]"); };
    a_model_that_does_not_say_where: "AGB-MODEL-002" Critical "joch:model/default/gpt" "does not say",
        |w| { w.edit(GPT, "regions: [eu]", "regions: []"); },
        |w| {
            w.edit(GPT, "regions: [eu]", "regions: []");
            w.edit_both(ROUTE, ", dataResidency: eu", "");
            w.data_residency.clear();
        };
    a_model_outside_of_its_route: "AGB-MODEL-002" Critical "joch:model/default/large" "which model-route/route demands",
        |w| {
            w.data_residency.clear();
            w.edit(ROUTE, "dataResidency: eu", "dataResidency: [eu-west-1]");
        },
        |w| {
            w.data_residency.clear();
            w.edit(ROUTE, "dataResidency: eu", "dataResidency: [eu, eu-central]");
        };
    a_model_that_changed: "AGB-MODEL-003" Medium "joch:model/default/gpt" "was `gpt-4.1-2025-04-14` and is `gpt-5-2026-02-02`",
        |w| { w.edit(GPT, "gpt-4.1-2025-04-14", "gpt-5-2026-02-02"); },
        |w| { w.edit_both(GPT, "gpt-4.1-2025-04-14", "gpt-5-2026-02-02"); };
    a_model_that_floats: "AGB-MODEL-003" Medium "joch:model/default/gpt" "`gpt-4.1` names no dated or numbered version",
        |w| { w.first().edit(GPT, "gpt-4.1-2025-04-14", "gpt-4.1"); },
        |w| { w.first(); };
    a_route_without_residency: "AGB-ROUTE-001" High "joch:model-route/default/route" "`constraints.dataResidency` was `eu` and is not said",
        |w| { w.edit(ROUTE, ", dataResidency: eu", ""); },
        |w| { w.edit(ROUTE, "dataResidency: eu", "dataResidency: eu-central-1"); };
    a_route_that_may_cost_more: "AGB-ROUTE-001" High "joch:model-route/default/route" "was 0.1 and is 0.5",
        |w| { w.edit(ROUTE, "0.1", "0.5"); },
        |w| { w.edit(ROUTE, "0.1", "0.05"); };
    a_route_that_is_bypassed: "AGB-ROUTE-001" High "joch:model-route/default/route" "not used any more",
        |w| { w.remove(ROUTE); },
        |w| {
            let route = w.to[ROUTE].1.clone();
            w.remove(ROUTE).add("ModelRoute other", &route);
        };
    a_route_that_asks_others: "AGB-ROUTE-002" Medium "joch:model-route/default/route" "asks `openai:large`, `openai:gpt`",
        |w| {
            w.edit(ROUTE, "primary: 'openai:gpt', fallback: ['openai:large']", "primary: 'openai:large', fallback: ['openai:gpt']");
        },
        |w| { w.edit(ROUTE, ", fallback: ['openai:large']", ""); };
    an_image_that_is_latest: "AGB-IMG-001" High "joch:framework-adapter/default/sdk" "is whatever is latest",
        |w| { w.edit(ADAPTER, &format!(":1.6@{}", digest()), ":latest"); },
        |w| { w.edit(ADAPTER, ":1.6@", "@"); };
    an_image_with_a_tag_alone: "AGB-IMG-001" Medium "joch:framework-adapter/default/sdk" "a tag and no digest",
        |w| { w.edit(ADAPTER, &format!("@{}", digest()), ""); },
        |w| { w.edit_both(ADAPTER, &format!("@{}", digest()), ""); };
    an_image_with_a_tag_where_digests_are_demanded: "AGB-IMG-001" High "joch:framework-adapter/default/sdk" "a tag and no digest",
        |w| {
            w.require_image_digest = true;
            w.edit(ADAPTER, &format!("@{}", digest()), "");
        },
        |w| w.require_image_digest = true;
    an_image_from_elsewhere: "AGB-IMG-002" High "joch:framework-adapter/default/sdk" "is `evil.example/joch/adapter:1.6@",
        |w| { w.edit(ADAPTER, "registry.example", "evil.example"); },
        |w| { w.edit(ADAPTER, ":1.6@", ":1.7@"); };
    an_image_from_a_registry_not_listed: "AGB-IMG-002" High "joch:framework-adapter/default/sdk" "does not list the registry",
        |w| {
            w.first();
            w.image_registries = Some(vec!["ghcr.io".into()]);
        },
        |w| {
            w.first();
            w.image_registries = Some(vec!["registry.example/joch".into()]);
        };
    a_route_with_a_field_that_nobody_reads: "AGB-BOM-001" Medium "joch:model-route/default/route" "`spec.strategy.fallbacks` (`deepseek:r1`) is nothing that joch reads",
        |w| { w.edit("ModelRoute route", "strategy: {", "strategy: {fallbacks: ['deepseek:r1'], "); },
        |w| { w.edit("ModelRoute route", "strategy: {", "description: a route, annotations: {a: b}, x-owner: me, strategy: {"); };
    a_route_that_hedges: "AGB-BOM-001" Medium "joch:model-route/default/route" "`spec.hedge` (`mistral:large`)",
        |w| { w.edit("ModelRoute route", "strategy: {", "hedge: ['mistral:large'], strategy: {"); },
        |w| { w.edit_both("ModelRoute route", "strategy: {", "hedge: ['mistral:large'], strategy: {"); };
    an_agent_with_models_that_nobody_reads: "AGB-BOM-001" Medium "joch:agent/default/helper" "`spec.fallbackModels` (`deepseek:r1`)",
        |w| { w.edit(AGENT, "instructions: Help.", "instructions: Help., fallbackModels: ['deepseek:r1']"); },
        |w| { w.edit(AGENT, "instructions: Help.", "instructions: Help., modelParameters: {temperature: 0.2}, ui: {theme: dark}"); };
    a_model_under_any_key: "AGB-BOM-001" Medium "joch:agent/default/helper" "`spec.handoffs.last` (`openai:gpt`)",
        |w| { w.edit(AGENT, "handoffs: {", "handoffs: {last: 'openai:gpt', "); },
        |w| { w.edit(AGENT, "handoffs: {", "handoffs: {last: 'no model at all', "); };
    a_framework_that_is_too_old: "AGB-FWK-001" High "joch:agent/default/helper" "`0.2.8` is older than `0.2.9`",
        |w| { w.edit(AGENT, "sdkVersion: '0.3.0'", "sdkVersion: '0.2.8'"); },
        |w| { w.edit(AGENT, "sdkVersion: '0.3.0'", "sdkVersion: '0.2.10'"); };
    a_framework_that_is_not_said: "AGB-FWK-001" Low "joch:agent/default/helper" "is not said",
        |w| { w.edit(AGENT, ", sdkVersion: '0.3.0'", ""); },
        |w| { w.edit_both(AGENT, ", sdkVersion: '0.3.0'", ""); };
    an_adapter_that_changed: "AGB-FWK-002" Medium "joch:framework-adapter/default/sdk" "`sdkMinVersion` was `0.2.9` and is `0.1.0`",
        |w| { w.edit(ADAPTER, "0.2.9", "0.1.0"); },
        |w| { w.edit(ADAPTER, "framework: sdk", "framework: sdk, description: new words"); };
    an_adapter_nobody_tested: "AGB-FWK-002" Medium "joch:framework-adapter/default/sdk" "on 2026-03-01, not within 90 days",
        |w| { w.edit(ADAPTER, "2026-05-08", "2026-03-01"); },
        |w| { w.edit(ADAPTER, "2026-05-08", "2026-03-04T00:00:00Z"); };
    a_secret_in_a_record: "AGB-SEC-001" Critical "joch:tool/default/mail" "(aws-access-key) stands at `spec.description`",
        |w| { w.edit("Tool mail", "Sends a mail.", "Sends with AKIAQ3EGTZ7WUPNLXKBV."); },
        |w| { w.edit("Tool mail", "Sends a mail.", "Sends with AKIAIOSFODNN7EXAMPLE."); };
    a_value_where_a_reference_belongs: "AGB-SEC-001" Critical "joch:tool/default/mail" "`spec.endpoint.auth.value` holds a value",
        |w| { w.edit("Tool mail", "secretRef: {name: mail-key}", "value: hunter2"); },
        |w| { w.edit("Tool mail", "secretRef: {name: mail-key}", "value: '${MAIL_KEY}'"); };
    a_password_in_a_record: "AGB-SEC-001" Critical "joch:memory/default/notes" "`spec.backend.password` holds a value",
        |w| { w.edit("Memory notes", "type: conversation", "type: conversation, backend: {type: sql, password: hunter2}"); },
        |w| { w.edit("Memory notes", "type: conversation", "type: conversation, backend: {type: sql, connectionSecretRef: db}"); };
    a_secret_that_is_new: "AGB-SEC-002" Medium "joch:tool/default/look" "names the secret `crm-key` at `spec.endpoint.auth.secretRef`",
        |w| { w.edit("Tool look", "'https://shop.example/find'", "'https://shop.example/find', auth: {secretRef: crm-key}"); },
        |w| { w.edit("Tool look", "'https://shop.example/find'", "'https://shop.example/find', auth: {secretRef: mail-key}"); };
    a_label_that_stops_matching: "AGB-POL-001" Critical "joch:policy/default/guard" "the label `tier` was `gold` and is `silver`",
        |w| { w.label(AGENT, "{tier: silver}").remove(GUARD); },
        |w| { w.label(AGENT, "{tier: gold, team: support}"); };
    a_policy_that_is_not_named_any_more: "AGB-POL-001" Critical "joch:policy/default/extra" "agent/helper does not name it any more",
        |w| { w.edit(AGENT, "policies: [extra]", "policies: []").remove("Policy extra"); },
        |w| { w.edit(AGENT, "policies: [extra]", "policies: [{name: extra}]"); };
    a_policy_that_a_server_names_no_more: "AGB-POL-001" Critical "joch:policy/default/calls" "`mcp-server/docs` names it no more",
        |w| { w.edit("MCPServer docs", "policies: [calls]", "policies: []").remove("Policy calls"); },
        |w| { w.remove("MCPServer docs").remove("Policy calls"); };
    a_selector_that_was_narrowed: "AGB-POL-001" Critical "joch:policy/default/guard" "its selector was narrowed, or it is gone",
        |w| { w.remove(GUARD); },
        |w| { w.edit(GUARD, "rules: [", "description: the same rules, rules: ["); };
    a_rule_that_is_gone: "AGB-POL-002" High "joch:policy/default/guard" "the rule `no-code` (deny) is gone",
        |w| { w.edit(GUARD, "{name: no-code, when: {tool.sideEffect: [code_execution, privileged]}, action: {deny: true}}, ", ""); },
        |w| { w.edit(GUARD, "{name: no-code, ", "{when: {tool.name: x}, action: {deny: true}}, {name: no-code-at-all, "); };
    a_rule_that_denies_no_more: "AGB-POL-002" High "joch:policy/default/guard" "`no-code` did deny and does change what passes",
        |w| { w.edit(GUARD, "privileged]}, action: {deny: true}", "privileged]}, action: {modify: x}"); },
        |w| { w.edit(GUARD, "[code_execution, privileged]", "[code_execution, privileged, financial]"); };
    a_rule_that_holds_later: "AGB-POL-002" High "joch:policy/default/guard" "rule 3 (deny) is gone, or holds in fewer cases",
        |w| { w.edit(GUARD, "> 5", "> 50"); },
        |w| { w.edit(GUARD, "> 5", "> 4"); };
    silence_that_is_a_yes: "AGB-POL-002" High "joch:policy/default/guard" "`onTimeout` was `deny` and is `allow`",
        |w| { w.edit(GUARD, "onTimeout: deny", "onTimeout: allow"); },
        |w| { w.edit(GUARD, "onTimeout: deny", "onTimeout: deny, timeoutMinutes: 10"); };
    an_approver_that_is_gone: "AGB-POL-002" High "joch:policy/default/guard" "`approvers` were `team:leads` and are ``",
        |w| { w.edit(GUARD, "approvers: ['team:leads']", "approvers: []"); },
        |w| { w.edit_both(GUARD, "approvers: ['team:leads']", "approvers: []"); };
}

fn digest() -> &'static str {
    "sha256:5e0f3a1c9b7d42868f1e6c0a4d9b3572e8c1f06a7d5b4932810fe6c7a9d4b351"
}
