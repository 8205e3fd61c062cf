//! The project that the demo plays on: `fixtures/support-triage`, carried in the binary.

/// Every file of the project, with its text.
pub(super) const FILES: [(&str, &str); 22] = [
    ("adapters/openai-agents.yaml", include_str!("../../../fixtures/support-triage/adapters/openai-agents.yaml")),
    ("agents/support-triage.yaml", include_str!("../../../fixtures/support-triage/agents/support-triage.yaml")),
    ("budgets/support-monthly.yaml", include_str!("../../../fixtures/support-triage/budgets/support-monthly.yaml")),
    (
        "deployments/support-triage-prod.yaml",
        include_str!("../../../fixtures/support-triage/deployments/support-triage-prod.yaml"),
    ),
    ("environments/dev.yaml", include_str!("../../../fixtures/support-triage/environments/dev.yaml")),
    ("environments/prod.yaml", include_str!("../../../fixtures/support-triage/environments/prod.yaml")),
    ("environments/staging.yaml", include_str!("../../../fixtures/support-triage/environments/staging.yaml")),
    ("evals/support-cases.jsonl", include_str!("../../../fixtures/support-triage/evals/support-cases.jsonl")),
    (
        "evals/support-triage-quality.yaml",
        include_str!("../../../fixtures/support-triage/evals/support-triage-quality.yaml"),
    ),
    ("mcp-servers/help-center.yaml", include_str!("../../../fixtures/support-triage/mcp-servers/help-center.yaml")),
    (
        "memories/support-conversations.yaml",
        include_str!("../../../fixtures/support-triage/memories/support-conversations.yaml"),
    ),
    (
        "model-routes/support-balanced.yaml",
        include_str!("../../../fixtures/support-triage/model-routes/support-balanced.yaml"),
    ),
    ("models/gpt-4.1.yaml", include_str!("../../../fixtures/support-triage/models/gpt-4.1.yaml")),
    ("models/mistral-large.yaml", include_str!("../../../fixtures/support-triage/models/mistral-large.yaml")),
    (
        "policies/customer-facing-side-effects.yaml",
        include_str!("../../../fixtures/support-triage/policies/customer-facing-side-effects.yaml"),
    ),
    ("policies/pii-redaction.yaml", include_str!("../../../fixtures/support-triage/policies/pii-redaction.yaml")),
    ("secrets/support.yaml", include_str!("../../../fixtures/support-triage/secrets/support.yaml")),
    ("teams/release-manager.yaml", include_str!("../../../fixtures/support-triage/teams/release-manager.yaml")),
    ("teams/support.yaml", include_str!("../../../fixtures/support-triage/teams/support.yaml")),
    ("tools/billing.yaml", include_str!("../../../fixtures/support-triage/tools/billing.yaml")),
    ("tools/help-center.yaml", include_str!("../../../fixtures/support-triage/tools/help-center.yaml")),
    ("tools/zendesk.yaml", include_str!("../../../fixtures/support-triage/tools/zendesk.yaml")),
];

/// What the project has in the demo alone: where the agent of `staging` answers, and a judge. `AGENT-URL` and `JUDGE-URL`
/// stand for the addresses of the demo's own server.
pub(super) const SERVED: [(&str, &str); 2] = [
    (
        "deployments/support-triage-staging.yaml",
        include_str!("../../../fixtures/demo/deployments/support-triage-staging.yaml"),
    ),
    ("models/judge.yaml", include_str!("../../../fixtures/demo/models/judge.yaml")),
];
