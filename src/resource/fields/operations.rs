//! Eval, Deployment, Environment and AgBOM.

use super::{Field, Shape, Tie};
use crate::resource::kind::Kind;

pub(super) static EVAL: &[Field] = &[
    Field { key: "description", shape: Shape::Text, doc: "What is measured." },
    Field { key: "target", shape: Shape::Object(TARGET), doc: "What is measured, and how it is reached." },
    Field { key: "dataset", shape: Shape::Object(DATASET), doc: "The cases." },
    Field { key: "metrics", shape: Shape::List(&Shape::Object(METRIC)), doc: "What is measured of each case." },
    Field { key: "schedule", shape: Shape::Object(SCHEDULE), doc: "When it runs." },
    Field {
        key: "thresholds",
        shape: Shape::Thresholds,
        doc: "Per metric a number, a comparison such as `\"<0.40\"` or `\">=85%\"`, or both ends as `{ min: 1, max: 5 }`. A number alone means at least or at most, as the metric has it.",
    },
    Field { key: "releaseGate", shape: Shape::Object(RELEASE_GATE), doc: "Which promotions it guards." },
    Field { key: "run", shape: Shape::Object(RUN), doc: "How it runs." },
    Field { key: "confidence", shape: Shape::Number, doc: "How sure a verdict must be, from 0 to 1." },
    Field {
        key: "maxRegression",
        shape: Shape::Map(&Shape::Any),
        doc: "Per metric, how much worse than the target environment's it may be.",
    },
];

static TARGET: &[Field] = &[
    Field { key: "kind", shape: Shape::Text, doc: "Kind of what is measured: `Agent`." },
    Field { key: "name", shape: Shape::Text, doc: "Its name." },
    Field { key: "namespace", shape: Shape::Text, doc: "Its namespace." },
    Field { key: "invoke", shape: Shape::Object(INVOKE), doc: "How it is reached where no Deployment says so." },
];

static DATASET: &[Field] = &[
    Field { key: "type", shape: Shape::Text, doc: "Where cases come from: `file`." },
    Field {
        key: "uri",
        shape: Shape::Text,
        doc: "Path, relative to the directory of `joch.yaml`; if nothing is there, to the file of the Eval.",
    },
    Field {
        key: "format",
        shape: Shape::OneOf(&["joch", "csv", "promptfoo", "inspect", "openai-evals", "adk-evalset"]),
        doc: "How the cases are written, where the name of the file does not tell it: `.jsonl` is `joch`, `.csv` is `csv`.",
    },
    Field {
        key: "fields",
        shape: Shape::Map(&Shape::Text),
        doc: "Where records call the fields of a case otherwise: `{ input: question, expected: ideal }`.",
    },
    Field { key: "sha256", shape: Shape::Text, doc: "SHA-256 of the file in hex; another file is refused." },
];

static METRIC: &[Field] = &[
    Field { key: "name", shape: Shape::Text, doc: "Name of the metric, as under `thresholds`." },
    Field {
        key: "type",
        shape: Shape::OneOf(&["llm_judge", "numeric", "deterministic", "exec"]),
        doc: "How it is measured: by a judge, by what the run observes, by a check, or by a program.",
    },
    Field { key: "direction", shape: Shape::OneOf(&["higher", "lower"]), doc: "Which way is better." },
    Field {
        key: "aggregate",
        shape: Shape::Statistic,
        doc: "How the scores of all cases become one: `mean` where nothing else is said.",
    },
    Field { key: "k", shape: Shape::Whole, doc: "Trials of `pass@k` and `pass^k`." },
    Field { key: "judgeModelRef", shape: Shape::Model(Tie::Needed), doc: "The Model that judges." },
    Field { key: "judges", shape: Shape::Models(Tie::Needed), doc: "Models that judge." },
    Field {
        key: "rubric",
        shape: Shape::Any,
        doc: "What the judge looks for: a text whose lines with `-` or a number are points, or a list of points.",
    },
    Field {
        key: "criteria",
        shape: Shape::List(&Shape::Any),
        doc: "What the judge looks for, point by point: texts, or `{ id, text, weight }`.",
    },
    Field { key: "samples", shape: Shape::Whole, doc: "How often each judge is asked about a case: 1 unless said." },
    Field {
        key: "measure",
        shape: Shape::Text,
        doc: "What a `numeric` metric is, where its name does not say it: `cost_per_case`, `latency_p95_ms`.",
    },
    Field {
        key: "check",
        shape: Shape::OneOf(&[
            "exact",
            "contains",
            "regex",
            "json_schema",
            "json_path",
            "tool_trajectory",
            "pii_leakage",
            "secret_leakage",
        ]),
        doc: "What a `deterministic` metric is, where its name does not say it.",
    },
    Field { key: "command", shape: Shape::OneOrMany(&Shape::Text), doc: "Program and arguments of an `exec` metric." },
    Field {
        key: "strict",
        shape: Shape::Bool,
        doc: "`exact`, `contains`: whether upper and lower case count, and white space at the ends; `true` unless said, `false` with `none`.",
    },
    Field {
        key: "texts",
        shape: Shape::OneOrMany(&Shape::Text),
        doc: "`contains`: the texts, all of which must stand in the answer; the expected answer where none is given.",
    },
    Field {
        key: "none",
        shape: Shape::Bool,
        doc: "`contains`, `regex`: whether the answer must hold none of the texts, or not match.",
    },
    Field { key: "pattern", shape: Shape::Text, doc: "`regex`: the pattern." },
    Field { key: "schema", shape: Shape::Any, doc: "`json_schema`: the schema." },
    Field { key: "path", shape: Shape::Text, doc: "`json_path`: the JSONPath." },
    Field { key: "equals", shape: Shape::Any, doc: "`json_path`: what it must find; anything where nothing is given." },
    Field {
        key: "order",
        shape: Shape::OneOf(&["strict", "unordered", "subset", "superset"]),
        doc: "`tool_trajectory`: how calls are compared with those expected; `strict` unless said.",
    },
    Field {
        key: "arguments",
        shape: Shape::Bool,
        doc: "`tool_trajectory`: whether arguments count where the case gives them; `true` unless said.",
    },
    Field {
        key: "allow",
        shape: Shape::OneOrMany(&Shape::Text),
        doc: "`pii_leakage`, `secret_leakage`: texts that never count.",
    },
    Field {
        key: "countEchoed",
        shape: Shape::Bool,
        doc: "`pii_leakage`, `secret_leakage`: whether data counts that the case's own input holds.",
    },
    Field {
        key: "regions",
        shape: Shape::OneOrMany(&Shape::Text),
        doc: "`pii_leakage`: countries whose national phone numbers count, as `DE`.",
    },
];

static SCHEDULE: &[Field] = &[
    Field { key: "onDeployment", shape: Shape::Bool, doc: "After each change of the target." },
    Field { key: "nightly", shape: Shape::Bool, doc: "At 02:00 UTC." },
    Field { key: "manual", shape: Shape::Bool, doc: "When someone asks." },
];

static RELEASE_GATE: &[Field] = &[
    Field { key: "enabled", shape: Shape::Bool, doc: "Whether it guards anything." },
    Field {
        key: "blocksPromotionTo",
        shape: Shape::OneOrMany(&Shape::Text),
        doc: "Environments into which it must have passed.",
    },
];

static RUN: &[Field] = &[
    Field { key: "concurrency", shape: Shape::Whole, doc: "Cases at a time: 8 unless said." },
    Field {
        key: "requestsPerMinute",
        shape: Shape::Whole,
        doc: "Requests a minute to the agent, and as many to each judge; shards divide them.",
    },
    Field { key: "trials", shape: Shape::Whole, doc: "Runs of each case: 1 unless said." },
    Field { key: "timeoutSeconds", shape: Shape::Number, doc: "How long one call may take: 60 unless said." },
    Field { key: "retries", shape: Shape::Whole, doc: "How often a failed call is repeated: 4 times unless said." },
    Field { key: "maxAge", shape: Shape::Duration, doc: "How long a result counts: `7d` unless said." },
    Field {
        key: "maxErrorRate",
        shape: Shape::Number,
        doc: "Share of cases that may stay without an answer, from 0 to 1: 0 unless said.",
    },
    Field {
        key: "maxUnscoredRate",
        shape: Shape::Number,
        doc: "Share of scores of a metric that may be missing, from 0 to 1: 0 unless said.",
    },
];

pub(super) static DEPLOYMENT: &[Field] = &[
    Field { key: "agentRef", shape: Shape::Reference(Kind::Agent, Tie::Needed), doc: "The agent." },
    Field {
        key: "environmentRef",
        shape: Shape::Reference(Kind::Environment, Tie::Needed),
        doc: "The environment it runs in.",
    },
    Field { key: "promotion", shape: Shape::Object(PROMOTION), doc: "What a promotion of it demands." },
    Field { key: "replicas", shape: Shape::Whole, doc: "How many run." },
    Field { key: "rollout", shape: Shape::Any, doc: "How a new version is brought in." },
    Field { key: "runtime", shape: Shape::Any, doc: "Where it runs." },
    Field { key: "invoke", shape: Shape::Object(INVOKE), doc: "How that agent is reached in that environment." },
    Field { key: "expectedRunsPerDay", shape: Shape::Number, doc: "Runs of a day, for projected cost." },
];

static PROMOTION: &[Field] = &[
    Field {
        key: "requiresEval",
        shape: Shape::References(Kind::Eval, Tie::Needed),
        doc: "Evals that must have passed: one name or a list.",
    },
    Field {
        key: "requiresApproval",
        shape: Shape::References(Kind::Team, Tie::Needed),
        doc: "Teams that must approve: one name or a list.",
    },
];

static INVOKE: &[Field] = &[
    Field {
        key: "type",
        shape: Shape::OneOf(&["http", "openai", "anthropic", "command", "a2a", "replay"]),
        doc: "How the agent is spoken to.",
    },
    Field { key: "url", shape: Shape::Text, doc: "Address." },
    Field { key: "baseUrl", shape: Shape::Text, doc: "Address up to the API's own paths." },
    Field { key: "method", shape: Shape::Text, doc: "HTTP method." },
    Field { key: "headers", shape: Shape::Map(&Shape::Any), doc: "Headers; a value may be `{secretRef: {name}}`." },
    Field { key: "body", shape: Shape::Any, doc: "JSON template with `{{input}}`." },
    Field { key: "output", shape: Shape::Text, doc: "JSONPath of the answer." },
    Field { key: "toolCalls", shape: Shape::Text, doc: "JSONPath of the tool calls." },
    Field { key: "usage", shape: Shape::Text, doc: "JSONPath of the counts of tokens." },
    Field { key: "cost", shape: Shape::Text, doc: "JSONPath of what the call cost, in US dollars." },
    Field {
        key: "api",
        shape: Shape::OneOf(&["chat", "responses"]),
        doc: "Which API of `openai`: `chat` unless said.",
    },
    Field { key: "key", shape: Shape::Any, doc: "The API's key: `{secretRef: {name}}`." },
    Field { key: "model", shape: Shape::Text, doc: "Model to ask for." },
    Field { key: "instructions", shape: Shape::Text, doc: "What the model is told before the case." },
    Field {
        key: "parameters",
        shape: Shape::Map(&Shape::Any),
        doc: "Parameters such as `temperature`, passed on as they are.",
    },
    Field { key: "command", shape: Shape::OneOrMany(&Shape::Text), doc: "Program and arguments." },
    Field {
        key: "lines",
        shape: Shape::Bool,
        doc: "Whether one process of `command` answers many cases, one JSON line each.",
    },
    Field {
        key: "variables",
        shape: Shape::Map(&Shape::Any),
        doc: "Variables for `command`; a value may be `{secretRef: {name}}`.",
    },
    Field {
        key: "binding",
        shape: Shape::OneOf(&["jsonrpc", "http"]),
        doc: "How an `a2a` agent is spoken to; its card says so where this does not.",
    },
    Field { key: "file", shape: Shape::Text, doc: "Recorded answers." },
    Field { key: "timeoutSeconds", shape: Shape::Number, doc: "How long one call may take." },
    Field { key: "maxConcurrency", shape: Shape::Whole, doc: "Calls at a time." },
];

pub(super) static ENVIRONMENT: &[Field] = &[
    Field { key: "description", shape: Shape::Text, doc: "What the environment is for." },
    Field { key: "region", shape: Shape::Text, doc: "Where it runs." },
    Field { key: "runtime", shape: Shape::Object(RUNTIME), doc: "What it runs on." },
    Field { key: "defaults", shape: Shape::Map(&Shape::Any), doc: "Values for every `{fromEnvironment: KEY}`." },
    Field { key: "compliance", shape: Shape::Object(COMPLIANCE), doc: "Rules of law it is under." },
    Field {
        key: "policies",
        shape: Shape::References(Kind::Policy, Tie::Needed),
        doc: "Policies imposed on every agent here.",
    },
    Field {
        key: "budgetRefs",
        shape: Shape::References(Kind::Budget, Tie::Needed),
        doc: "Budgets imposed on every agent here.",
    },
    Field { key: "gates", shape: Shape::Gates, doc: "What a promotion into it demands." },
    Field {
        key: "changeClasses",
        shape: Shape::Map(&Shape::Gates),
        doc: "What a promotion into it demands beside, by the class of the change: `{ capability-widened: [approval:security] }`.",
    },
    Field {
        key: "requireLive",
        shape: Shape::Bool,
        doc: "Whether evals must reach the agent itself; on the last rung they must.",
    },
    Field { key: "evalRunners", shape: Shape::Principals, doc: "Who may sign results: principals or `team:NAME`." },
    Field { key: "override", shape: Shape::Principals, doc: "Who may override a gate: principals or `team:NAME`." },
    Field { key: "allowlists", shape: Shape::Object(ALLOWLISTS), doc: "Whose models, servers and images may be used." },
    Field {
        key: "minTrustScore",
        shape: Shape::Number,
        doc: "Least score of trust of every MCP server, from 0 to 1; a server may demand more.",
    },
    Field {
        key: "requireImageDigest",
        shape: Shape::Bool,
        doc: "Whether an image without a `sha256:` digest is a high risk.",
    },
    Field {
        key: "exceptions",
        shape: Shape::List(&Shape::Object(EXCEPTION)),
        doc: "Findings of risk rules that are let through for a while.",
    },
    Field {
        key: "soak",
        shape: Shape::Duration,
        doc: "How long exactly this version must have run in the environment below before it comes here.",
    },
    Field {
        key: "freezes",
        shape: Shape::List(&Shape::Object(FREEZE)),
        doc: "Times in which nothing here moves forward; a rollback does. One that cannot be read is in force.",
    },
];

static FREEZE: &[Field] = &[
    Field {
        key: "from",
        shape: Shape::Text,
        doc: "When a window begins: `2026-12-20T18:00`, a day, or with an offset.",
    },
    Field { key: "to", shape: Shape::Text, doc: "When a window ends; a day alone is all of it." },
    Field { key: "weekly", shape: Shape::Object(WEEKLY), doc: "A window that comes every week." },
    Field { key: "since", shape: Shape::Text, doc: "When a lock begins; from now on unless said." },
    Field { key: "expires", shape: Shape::Text, doc: "When a lock ends by itself; somebody lifts it unless said." },
    Field { key: "timeZone", shape: Shape::Text, doc: "Whose clock shows these times: `Europe/Berlin`." },
    Field { key: "reason", shape: Shape::Text, doc: "Why; a freeze without a reason is refused." },
    Field { key: "owner", shape: Shape::Text, doc: "Who can be asked; a freeze without an owner is refused." },
];

static WEEKLY: &[Field] = &[
    Field { key: "days", shape: Shape::OneOrMany(&Shape::Text), doc: "Days: `friday` or `fri`." },
    Field {
        key: "hours",
        shape: Shape::OneOrMany(&Shape::Text),
        doc: "Hours of those days, as `18:00-24:00`, or `22:00-06:00` into the next day; all of them unless said.",
    },
];

static RUNTIME: &[Field] = &[
    Field { key: "orchestrator", shape: Shape::Text, doc: "What runs it." },
    Field { key: "cluster", shape: Shape::Text, doc: "Which cluster." },
    Field { key: "cloud", shape: Shape::Text, doc: "Which cloud." },
];

static ALLOWLISTS: &[Field] = &[
    Field {
        key: "modelProviders",
        shape: Shape::OneOrMany(&Shape::Text),
        doc: "Providers whose models may be used; any where it is left out.",
    },
    Field {
        key: "publishers",
        shape: Shape::OneOrMany(&Shape::Text),
        doc: "Publishers whose MCP servers may be used; any where it is left out.",
    },
    Field {
        key: "imageRegistries",
        shape: Shape::OneOrMany(&Shape::Text),
        doc: "Registries that images may come from, or parts of one such as `ghcr.io/acme`; any where it is left out.",
    },
];

static EXCEPTION: &[Field] = &[
    Field { key: "rule", shape: Shape::Text, doc: "The rule: `AGB-TOOL-003`." },
    Field { key: "component", shape: Shape::Text, doc: "The one component: `joch:tool/default/NAME`." },
    Field {
        key: "agent",
        shape: Shape::Text,
        doc: "The one agent, by name or `agent/NAMESPACE/NAME`; every agent here where it is left out.",
    },
    Field { key: "reason", shape: Shape::Text, doc: "Why." },
    Field { key: "expires", shape: Shape::Text, doc: "Until when, at most 90 days ahead: `2026-08-01`." },
    Field {
        key: "approver",
        shape: Shape::Text,
        doc: "The person who answers for it, and who signs nothing: who applies it vouches that this person agreed.",
    },
    Field {
        key: "severity",
        shape: Shape::OneOf(&["low", "medium", "high", "critical"]),
        doc: "The gravest finding that it lets through: `high` unless said, so that a critical one is let through only where this says so.",
    },
];

static COMPLIANCE: &[Field] = &[
    Field { key: "dataResidency", shape: Shape::OneOrMany(&Shape::Text), doc: "Where data may be." },
    Field { key: "piiMode", shape: Shape::Text, doc: "What happens to personal data." },
    Field { key: "auditRequired", shape: Shape::Bool, doc: "Whether every run is recorded." },
];

pub(super) static AGBOM: &[Field] = &[
    Field { key: "agentRef", shape: Shape::Reference(Kind::Agent, Tie::Needed), doc: "The agent." },
    Field { key: "formats", shape: Shape::OneOrMany(&Shape::Text), doc: "Formats to write." },
    Field { key: "components", shape: Shape::Any, doc: "What it is made of." },
    Field { key: "signing", shape: Shape::Any, doc: "How it is signed." },
];
