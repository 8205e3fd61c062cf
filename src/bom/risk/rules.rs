//! The table of the rules. Code, tests and the reference read it; the ids are stable.

use crate::resource::Risk::{self, Critical, High, Low, Medium};

/// One rule.
#[derive(Debug)]
pub struct Rule {
    /// Its id, such as `AGB-MCP-001`.
    pub id: &'static str,
    /// The severities that its findings may have, rising.
    pub severities: &'static [Risk],
    /// Whether it compares a change with what ran before, and is silent where nothing ran.
    pub compares: bool,
    /// What it finds, in a few words.
    pub title: &'static str,
    /// When it speaks, and with which severity.
    pub when: &'static str,
    /// What to do.
    pub remedy: &'static str,
}

/// A rule about a state: the change brings the finding unless the running version has it too.
const fn state(
    id: &'static str,
    severities: &'static [Risk],
    title: &'static str,
    when: &'static str,
    remedy: &'static str,
) -> Rule {
    Rule { id, severities, compares: false, title, when, remedy }
}

/// A rule about a change.
const fn change(
    id: &'static str,
    severities: &'static [Risk],
    title: &'static str,
    when: &'static str,
    remedy: &'static str,
) -> Rule {
    Rule { compares: true, ..state(id, severities, title, when, remedy) }
}

/// The rule of this id.
pub(super) fn rule(id: &str) -> &'static Rule {
    RULES.iter().find(|rule| rule.id == id).expect("findings name rules of the table")
}

/// All rules, by family.
pub static RULES: [Rule; 39] = [
    state(
        "AGB-MCP-001",
        &[High],
        "an MCP server is not pinned",
        "`security.pinServerVersion` is not `true`, or `security.pinnedVersion` is missing or no single version",
        "write `security.pinServerVersion: true` and the exact `security.pinnedVersion`",
    ),
    state(
        "AGB-MCP-002",
        &[High, Critical],
        "the tools of an MCP server changed under a version that did not",
        "critical: its observed tools or instructions changed while the pinned version stayed; high: nobody recorded its tools in the last 7 days",
        "look at what the server offers with `joch mcp record`, review the difference, and pin the version that offers it",
    ),
    state(
        "AGB-MCP-003",
        &[High],
        "an MCP server is trusted less than demanded",
        "the observed trust score is below the highest that the server or the environment demands, or there is none for this record of the server from the last 7 days; silent where nobody demands one",
        "record a score with `joch mcp record NAME --trust-score N --trust-source TEXT`, use another server, or except it with a reason",
    ),
    state(
        "AGB-MCP-004",
        &[High, Critical],
        "an MCP server runs as a local process",
        "the transport is `stdio` or not said, or `security.allowStdio` is on: critical, high inside a sandbox",
        "use `streamable_http`, or set `security.sandbox`",
    ),
    state(
        "AGB-MCP-005",
        &[High],
        "an MCP server's publisher is not known",
        "`security.trustedPublisher` names nobody, names another than before, or names one that `allowlists.publishers` of the environment does not list",
        "name the publisher, and have an admin list it in the environment",
    ),
    state(
        "AGB-MCP-006",
        &[Critical],
        "an MCP server is reached without encryption",
        "the endpoint is not `https`, or not known; loopback is let through below the last rung",
        "use an `https` endpoint",
    ),
    change(
        "AGB-MCP-008",
        &[High],
        "a safeguard of an MCP server is weaker",
        "sandbox, scanning or pinning goes off, `minTrustScore` or `onSchemaDrift` is lowered, or a list of redactions or policies shrinks",
        "restore what was there",
    ),
    change(
        "AGB-MCP-009",
        &[Medium, High],
        "an MCP server's pinned version moved",
        "medium; high for a first number that changes, a step back, or versions that cannot be compared",
        "read what changed in the server between the two versions",
    ),
    state(
        "AGB-MCP-010",
        &[Critical],
        "an MCP server is on hold or has drifted",
        "its record is on hold, the server says another version of itself than the pinned one, or what it offers changed since this record of it was first seen",
        "find out why, then move the pin to what was reviewed or lift the hold",
    ),
    change(
        "AGB-MCP-011",
        &[Medium],
        "an MCP server exposes more",
        "`exposes` takes in what it did not",
        "review what was added, or take it out of `exposes`",
    ),
    change(
        "AGB-NET-001",
        &[Medium, High],
        "something is reached at another place",
        "the host or command of an MCP server, tool or model changed, or a new one is reached where the running version \
         reaches nothing; medium for a new one that is handed no secret of the running version",
        "confirm who owns the new place",
    ),
    state(
        "AGB-NET-002",
        &[High],
        "a tool or hosted model is reached without encryption",
        "its address is not `https`; loopback is let through below the last rung",
        "use an `https` address",
    ),
    change(
        "AGB-TOOL-001",
        &[Low, High, Critical],
        "a tool's side effects grew",
        "`sideEffects.level` rose: low up to `local_write`, high from `external_write` on, critical from `financial` on; a missing or unknown level is `privileged`",
        "make it a new tool of its own, or lower the level",
    ),
    state(
        "AGB-TOOL-002",
        &[Medium, High],
        "a tool moves money, runs code or is privileged",
        "a tool of level `financial`, `code_execution` or `privileged`; medium for money that a person releases call by call",
        "have the release approved, or use a tool that reaches less far",
    ),
    state(
        "AGB-TOOL-003",
        &[High, Critical],
        "a tool writes outside and asks nobody",
        "a level from `external_write` on (critical from `financial` on) without `requiresApproval`, and no policy that denies it or, where the tool says nothing, demands an approval",
        "write `sideEffects.requiresApproval: true`, or bind a policy that demands it",
    ),
    change(
        "AGB-TOOL-004",
        &[Critical],
        "a tool no longer asks",
        "`sideEffects.requiresApproval` was `true` and is not; or a tool that has it stays, and the adapter's `capabilities.toolApproval` was `true` and is not",
        "restore `sideEffects.requiresApproval: true`",
    ),
    change(
        "AGB-TOOL-005",
        &[High],
        "a tool is limited less",
        "`safety.allowedAgents` or `safety.rateLimit` went, a rate rose, or `safety.deniedNamespaces` shrank",
        "restore the limit",
    ),
    state(
        "AGB-TOOL-006",
        &[Medium, Critical],
        "what a model is told changed, or hides something",
        "medium: a tool's description or schemas changed, or the description of a child agent; critical: hidden characters stand in a prompt, a tool's record or its observed definition",
        "read the difference, letter by letter",
    ),
    change(
        "AGB-TOOL-007",
        &[Medium],
        "a tool promises or records less",
        "`idempotent` went, or what is redacted or logged shrank",
        "restore what was there",
    ),
    state(
        "AGB-MODEL-001",
        &[Medium, High, Critical],
        "a model comes from a provider that is new or not allowed",
        "critical: `allowlists.modelProviders` of the environment does not list it; else new to this agent: high, medium where the environment lists it",
        "settle with whoever answers for data that this provider may have it",
    ),
    state(
        "AGB-MODEL-002",
        &[Critical],
        "a model may be served where data must not be",
        "a region of a model lies outside the `dataResidency` of the environment or of the route, or its regions are not said",
        "drop the model, or say the regions that serve it",
    ),
    state(
        "AGB-MODEL-003",
        &[Medium],
        "a model changed or may change by itself",
        "the model's name changed, or names no dated or numbered version",
        "name a version, and run the evals again",
    ),
    change(
        "AGB-ROUTE-001",
        &[High],
        "a route is limited less",
        "`dataResidency` went or widened, a cost cap went or rose, or a route that had them is not used any more",
        "restore the constraint",
    ),
    change(
        "AGB-ROUTE-002",
        &[Medium],
        "a route asks other models, or in another order",
        "the primary changed, or a fallback was added or moved",
        "run the evals on each of its models",
    ),
    state(
        "AGB-BOM-001",
        &[Medium],
        "something is named where joch does not read",
        "a field of a route that joch does not know; or one of an agent, whose key or value names models, agents, routes, tools or servers",
        "name it in a field that joch reads, so that it is in the bill, or take it out",
    ),
    state(
        "AGB-KNOW-001",
        &[High],
        "knowledge is confidential, or nobody said",
        "`classification` is none of `public` and `internal`, or missing",
        "classify it, and have the release approved",
    ),
    change(
        "AGB-KNOW-002",
        &[High],
        "knowledge is guarded less",
        "a classification was lowered, or permissions are no longer those of the source or not enforced at query time",
        "show why, or restore it",
    ),
    change(
        "AGB-MEM-001",
        &[Medium, High],
        "a memory is guarded less",
        "high: encryption or the handling of personal data went off; medium: more agents may read or write it",
        "restore what was there",
    ),
    state(
        "AGB-IMG-001",
        &[Medium, High],
        "an image is not pinned",
        "no `@sha256:` digest; high without a tag, with `latest`, or where the environment says `requireImageDigest: true`",
        "write the digest: `name:tag@sha256:…`",
    ),
    state(
        "AGB-IMG-002",
        &[High],
        "an image comes from elsewhere",
        "registry or repository changed, or `allowlists.imageRegistries` of the environment does not list the registry",
        "confirm who builds it",
    ),
    state(
        "AGB-FWK-001",
        &[Low, High],
        "the framework is older than its adapter wants",
        "`framework.sdkVersion` is below the adapter's `sdkMinVersion` or cannot be compared; low where it is not said",
        "upgrade the framework, and say its version as `framework.sdkVersion`",
    ),
    state(
        "AGB-FWK-002",
        &[Medium],
        "the adapter changed, or was not tested lately",
        "another adapter, image or record of it; or `conformance.lastPassedAt` missing or older than 90 days",
        "run the adapter's conformance suite",
    ),
    state(
        "AGB-SEC-001",
        &[Critical],
        "a secret stands in a record",
        "a text is shaped like a credential, or a field that holds one has a value instead of a `secretRef`",
        "move it to a Secret, and replace it: the ledger forgets nothing",
    ),
    change(
        "AGB-SEC-002",
        &[Medium],
        "the agent reaches another secret",
        "a `secretRef` that the running version has not",
        "confirm that it needs it",
    ),
    change(
        "AGB-POL-001",
        &[Critical],
        "a policy no longer binds the agent",
        "it is gone, not named any more, its selector was narrowed, or the agent's labels changed so that it stops matching; or it bound a child agent that is gone, and not the one that comes in the same change",
        "restore the policy, its selector or the label; drop a child in a release of its own",
    ),
    change(
        "AGB-POL-002",
        &[High],
        "a policy is weaker",
        "no rule does as much any more as one did before: deleted, narrowed, another effect, other approvers, another `onTimeout`",
        "restore the rule, or change the policy in a release of its own",
    ),
    change(
        "AGB-GATE-001",
        &[Critical],
        "a control is weaker in the same change",
        "a gate, a threshold, an Eval or a dataset that judges the change is weaker after it",
        "bring the change of the control first, alone",
    ),
    state(
        "AGB-FLOW-001",
        &[High],
        "outside text, confidential data and a way out come together",
        "the agent and its children reach all three: what strangers write, what must not get out, and a way to send that asks nobody",
        "break one of the three: let a person release what is sent, or take a source or a tool away",
    ),
    change(
        "AGB-HAND-001",
        &[Medium, High],
        "the agent may hand over to another agent",
        "a new target; high where its tools reach further than this agent's, or where nobody knows",
        "review what that agent may do",
    ),
];
