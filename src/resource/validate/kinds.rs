//! What only one kind has to say, and contradictions that show in one resource.

use super::{Report, environment, keys};
use crate::resource::envelope::{Resource, environment_key};
use crate::resource::kind::Kind;
use crate::resource::metric::{self, Measured};
use crate::resource::name::{check_environment, nearest};
use crate::resource::path;
use crate::resource::threshold::{Direction, Range, Threshold, Unclear, Unit};
use crate::resource::value::{Number, Value};
use crate::resource::view;

pub(super) fn check(report: &mut Report<'_>) {
    let resource = &report.document.resource;
    match &resource.id().kind {
        Kind::Agent => check_agent(resource, report),
        Kind::Model => check_model(resource, report),
        Kind::McpServer => check_mcp_server(resource, report),
        Kind::Policy => check_policy(resource, report),
        Kind::Budget => check_budget(resource, report),
        Kind::Eval => check_eval(resource, report),
        Kind::Deployment => {
            require(&["agentRef"], resource, report);
            require(&["environmentRef"], resource, report);
            check_volume(resource, report);
        }
        Kind::Environment => environment::check(resource, report),
        Kind::Team => check_team(resource, report),
        _ => {}
    }
}

/// Refuses a resource that lacks a field without which it means nothing.
fn require(keys: &[&str], resource: &Resource, report: &mut Report<'_>) {
    if matches!(resource.spec().at(keys), None | Some(Value::Null)) {
        let at = format!("spec.{}", keys.join("."));
        let kind = &resource.id().kind;
        report.error("field-required", &at, format!("`{at}` is missing, without which this {kind} means nothing"));
    }
}

fn check_agent(agent: &Resource, report: &mut Report<'_>) {
    let spec = agent.spec();
    if let (Some(one), Some(other)) = (spec.get("model"), spec.get("modelRef"))
        && one != other
    {
        let message = "`model` and `modelRef` name two models, and an agent has one".to_owned();
        report.error("contradiction", "spec.modelRef", message).help = Some("remove one of the two".into());
    }
    for key in ["tokenLimitPerRun", "costLimitUsdPerDay", "toolCallLimitPerRun"] {
        check_range(&["budgets", key], 0.0, f64::INFINITY, agent, report);
    }
}

fn check_model(model: &Resource, report: &mut Report<'_>) {
    let spec = model.spec();
    let is_local = spec.at(&["endpoint", "type"]).and_then(Value::as_text) == Some("local");
    for key in ["inputPerMillionTokens", "outputPerMillionTokens"] {
        check_range(&["pricing", key], 0.0, f64::INFINITY, model, report);
        if !is_local && spec.at(&["pricing", key]).and_then(Value::as_number) == Some(Number::Whole(0)) {
            let at = format!("spec.pricing.{key}");
            let message = "a price of 0 for a hosted model means unknown, not free: its cost cannot be projected";
            report.warning("unknown-price", &at, message.into()).help =
                Some("write the price, or `endpoint: { type: local }`".into());
        }
    }
    let limit = |key| spec.at(&["limits", key]).and_then(Value::as_number).map(Number::as_f64);
    if let (Some(window), Some(output)) = (limit("contextWindowTokens"), limit("maxOutputTokens"))
        && output > window
    {
        let message = format!("`maxOutputTokens` is more than the {window} tokens of `contextWindowTokens`");
        report.warning("contradiction", "spec.limits.maxOutputTokens", message);
    }
}

fn check_mcp_server(server: &Resource, report: &mut Report<'_>) {
    let spec = server.spec();
    let transport = spec.get("transport");
    let transport = transport.and_then(|t| t.as_text().or_else(|| t.get("type")?.as_text()));
    let security = |key| spec.at(&["security", key]);
    if transport == Some("stdio") && security("allowStdio") == Some(&Value::Bool(false)) {
        let message = "the transport is `stdio`, and `allowStdio` forbids it".to_owned();
        report.error("contradiction", "spec.security.allowStdio", message);
    }
    if security("pinServerVersion") == Some(&Value::Bool(true)) && security("pinnedVersion").is_none() {
        let message = "`pinServerVersion` is set, and no version is pinned".to_owned();
        report.warning("contradiction", "spec.security.pinServerVersion", message).help =
            Some("add `pinnedVersion: \"…\"`".into());
    }
}

fn check_policy(policy: &Resource, report: &mut Report<'_>) {
    let rules = policy.spec().get("rules").and_then(Value::as_list).unwrap_or_default();
    for (index, rule) in rules.iter().enumerate() {
        let says = |key: &str| !matches!(rule.get(key), None | Some(Value::Null));
        if rule.as_map().is_some() && !says("action") && !says("require") {
            let at = path::item("spec.rules", index);
            report.warning("policy-without-effect", &at, "the rule neither acts nor requires anything".into()).help =
                Some("add `action: { deny: true, reason: … }`, or `require: …`".into());
        }
    }
}

fn check_budget(budget: &Resource, report: &mut Report<'_>) {
    for key in ["monthlyUsd", "dailyUsd", "perRunUsd"] {
        check_range(&["limits", key], 0.0, f64::INFINITY, budget, report);
    }
    check_range(&["enforcement", "softLimitPct"], 0.0, 1.0, budget, report);
    let limit = |key| budget.spec().at(&["limits", key]).and_then(Value::as_number).map(Number::as_f64);
    for (small, large) in [("dailyUsd", "monthlyUsd"), ("perRunUsd", "dailyUsd"), ("perRunUsd", "monthlyUsd")] {
        if let (Some(part), Some(whole)) = (limit(small), limit(large))
            && part > whole
        {
            let message = format!("`{small}` is more than `{large}`, so it never counts");
            report.warning("contradiction", &format!("spec.limits.{small}"), message);
        }
    }
    let shares = budget.spec().at(&["allocation", "byAgent"]).and_then(Value::as_map);
    for agent in shares.into_iter().flat_map(|shares| shares.keys()) {
        check_range(&["allocation", "byAgent", agent], 0.0, 1.0, budget, report);
    }
    for (under, known) in view::READ_OF_BUDGETS {
        check_read(&[under], known, budget, report);
    }
    let sum: f64 = shares.into_iter().flatten().filter_map(|(_, share)| share.as_number()).map(Number::as_f64).sum();
    // Ten shares of 0.1 may be a hair more than 1.
    if sum > 1.000_001 {
        let message = "the shares of `byAgent` come to more than 1".to_owned();
        report.error("contradiction", "spec.allocation.byAgent", message);
    }
}

/// Refuses what a control would have to read and does not: whoever wrote it believes that it binds more, or less.
fn check_read(keys: &[&str], known: &[&str], resource: &Resource, report: &mut Report<'_>) {
    let map = resource.spec().at(keys).and_then(Value::as_map);
    for key in map.into_iter().flat_map(|map| map.keys()).filter(|key| !known.contains(&key.as_str())) {
        let at = path::entry(&format!("spec.{}", keys.join(".")), key);
        let place = report.document.key_position(&at);
        let finding = report.error("field-unread", &at, format!("`{key}` is nothing that joch reads here"));
        (finding.line, finding.column) = (place.line, place.column);
        finding.help = Some(match nearest(key, known.iter().copied()) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => format!("it reads {}", known.join(", ")),
        });
    }
}

/// Refuses names that are blank: they mean nobody, and whoever reads the list believes that somebody is meant.
pub(super) fn check_blank(keys: &[&str], resource: &Resource, report: &mut Report<'_>) {
    let Some(value) = resource.spec().at(keys) else { return };
    blank_in(value, &format!("spec.{}", keys.join(".")), report);
}

fn blank_in(value: &Value, at: &str, report: &mut Report<'_>) {
    match value {
        Value::List(items) => {
            items.iter().enumerate().for_each(|(index, item)| blank_in(item, &path::item(at, index), report));
        }
        Value::Text(text) if text.strip_prefix("team:").unwrap_or(text).trim().is_empty() => {
            report.error("name-blank", at, format!("`{at}` is a blank name, which means nobody")).help =
                Some("write the name, or remove it".into());
        }
        _ => {}
    }
}

fn check_volume(deployment: &Resource, report: &mut Report<'_>) {
    let volume = deployment.spec().get("expectedRunsPerDay").and_then(Value::as_number);
    if let Some(number) = volume.filter(|number| number.as_f64() <= 0.0) {
        let at = "spec.expectedRunsPerDay";
        let message = format!("`{at}` takes a number above 0, not `{number}`: nothing that runs is free");
        report.error("field-range", at, message);
    }
}

fn check_eval(eval: &Resource, report: &mut Report<'_>) {
    require(&["target", "name"], eval, report);
    check_range(&["confidence"], 0.0, 1.0, eval, report);
    let metrics = eval.spec().get("metrics").and_then(Value::as_list).unwrap_or_default();
    let mut names: Vec<&str> = Vec::new();
    for (index, metric) in metrics.iter().enumerate() {
        let at = path::item("spec.metrics", index);
        match metric.get("name").and_then(Value::as_text) {
            Some(name) if names.contains(&name) => {
                report.error(
                    "duplicate-metric",
                    &path::entry(&at, "name"),
                    format!("the metric `{name}` stands twice"),
                );
            }
            Some(name) => names.push(name),
            None if metric.as_map().is_some() => {
                report.error("field-required", &at, format!("`{at}.name` is missing"));
            }
            None => {}
        }
        if let Err(unknown) = Measured::of(metric)
            && metric.get("name").and_then(Value::as_text).is_some()
            // Of these the check of words has told.
            && !["type", "check"].contains(&unknown.key)
        {
            let at = path::entry(&at, unknown.key);
            report.warning("metric-unknown", &at, unknown.message).help = Some(unknown.help);
        }
    }
    let thresholds = eval.spec().get("thresholds").and_then(Value::as_map);
    for (name, value) in thresholds.into_iter().flatten() {
        check_threshold(name, value, metrics, &names, report);
    }
    if view::Eval::of(eval).is_some_and(|eval| eval.guards != view::Guards::Nothing)
        && thresholds.is_none_or(|map| map.is_empty())
    {
        let message = "this Eval guards promotions and has no threshold, so it always passes".to_owned();
        report.warning("threshold-missing", "spec.releaseGate", message).help =
            Some("add, say, `thresholds: { task_success: 0.85 }`".into());
    }
}

fn check_threshold(name: &str, value: &Value, metrics: &[Value], names: &[&str], report: &mut Report<'_>) {
    let at = path::entry("spec.thresholds", name);
    if !names.contains(&name) {
        let help = match nearest(name, names.iter().copied()) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => format!("add `- name: {name}` under `metrics`, or remove the threshold"),
        };
        let place = report.document.key_position(&at);
        let finding = report.error("threshold-metric", &at, format!("no metric of this Eval is called `{name}`"));
        (finding.line, finding.column) = (place.line, place.column);
        finding.help = Some(help);
        return;
    }
    if environment_key(value).is_some() {
        return;
    }
    if *value == Value::Null {
        // The place to mend is the key's: behind it there is nothing.
        let place = report.document.key_position(&at);
        let finding = report.error("threshold", &at, format!("it is not said what `{name}` must reach"));
        (finding.line, finding.column) = (place.line, place.column);
        finding.help =
            Some("write a number, or remove the line: then the metric is measured and decides nothing".into());
        return;
    }
    let scale = metric::scale(name, metrics);
    let direction = scale.direction;
    match Threshold::read_all(value, &scale) {
        Err(Unclear::Form) if value.as_text() == Some("") => {
            // An empty block of text ends lines below: the place to mend is the key's.
            let place = report.document.key_position(&at);
            let finding = report.error("threshold", &at, format!("the threshold of `{name}` is empty"));
            (finding.line, finding.column) = (place.line, place.column);
            finding.help = Some("quote a comparison, as `\">0.9\"`: without quotes `>` begins a block of text".into());
        }
        Err(Unclear::Form) => {
            report
                .error("threshold", &at, format!("the threshold of `{name}` is neither a number nor a comparison"))
                .help = Some("write a number such as `0.85`, or a comparison in quotes such as `\"<0.40\"`".into());
        }
        Err(Unclear::Unit(unit)) => {
            let message = format!("`{name}` is not measured in `{unit}`");
            report.error("threshold", &at, message).help = Some(unit_help(unit, scale.units));
        }
        Err(Unclear::Range(range)) => {
            let message = format!("`{name}` is {range}, so this threshold says nothing");
            report.error("threshold-range", &at, message).help =
                (range == Range::Share).then(|| "write, say, `0.85`, or `\"85%\"`".into());
        }
        Err(Unclear::Crossed) => {
            report.error("threshold-range", &at, format!("`min` of `{name}` is more than `max`")).help =
                Some("turn them around".into());
        }
        Err(Unclear::Direction) => {
            let number =
                value.as_number().map_or_else(|| value.as_text().unwrap_or_default().to_owned(), |n| n.to_string());
            let message =
                format!("nobody knows whether `{name}` is better higher or lower, so {number} alone says nothing");
            report.error("threshold-direction", &at, message).help = Some(format!(
                "write `{name}: \">={number}\"` or `{name}: \"<={number}\"`, or give the metric `direction: higher` or `lower`"
            ));
        }
        Ok(bounds) => {
            if let ([threshold], Some(better)) = (bounds.as_slice(), direction)
                && let Some(taken) = threshold.direction()
                && better != taken
            {
                let better = if better == Direction::Higher { "higher" } else { "lower" };
                let message = format!("`{name} {threshold}` stops good scores: `{name}` is better {better}");
                report.warning("threshold-backwards", &at, message).help =
                    Some("turn the comparison around, or give the metric its `direction`".into());
            }
        }
    }
}

fn unit_help(unit: Unit, units: &[Unit]) -> String {
    match (unit, units) {
        (Unit::Seconds, [Unit::Milliseconds]) => "write it in milliseconds: 3 s are `\"<3000\"`".into(),
        (_, [suits]) => format!("leave the unit out, or write `{suits}`"),
        _ => "leave the unit out".into(),
    }
}

fn check_team(team: &Resource, report: &mut Report<'_>) {
    let members = team.spec().get("members").and_then(Value::as_list).unwrap_or_default();
    for (index, member) in members.iter().enumerate() {
        let at = path::item("spec.members", index);
        for key in ["user", "role"] {
            if member.as_map().is_some() && matches!(member.get(key), None | Some(Value::Null)) {
                report.error("field-required", &at, format!("`{at}.{key}` is missing"));
            }
        }
        if member.get("automation") == Some(&Value::Bool(true))
            && member.get("role").and_then(Value::as_text) == Some("approver")
        {
            let message = "an automation never counts as an approver".to_owned();
            report.warning("contradiction", &path::entry(&at, "role"), message).help =
                Some("give it the role `operator`, or remove `automation: true`".into());
        }
        if let Some(user) = member.get("user") {
            blank_in(user, &path::entry(&at, "user"), report);
        }
        if let Some(environments) = member.get("environments") {
            check_environments(environments, &path::entry(&at, "environments"), report);
        }
    }
    check_blank(&["namespaces"], team, report);
    keys::check(members, report);
}

fn check_environments(value: &Value, at: &str, report: &mut Report<'_>) {
    for name in value.texts() {
        if let Err(rule) = check_environment(name) {
            report.error("name-environment", at, format!("`{name}`: {rule}"));
        }
    }
}

pub(super) fn check_range(keys: &[&str], least: f64, most: f64, resource: &Resource, report: &mut Report<'_>) {
    let Some(number) = resource.spec().at(keys).and_then(Value::as_number) else { return };
    let value = number.as_f64();
    if value < least || value > most {
        let at = format!("spec.{}", keys.join("."));
        let range = if most.is_finite() { format!("from {least} to {most}") } else { format!("from {least}") };
        report.error("field-range", &at, format!("`{at}` takes a number {range}, not `{number}`"));
    }
}
