//! Types, words and near misses, all from the tables of fields.

use super::Report;
use crate::resource::duration;
use crate::resource::envelope::environment_key;
use crate::resource::fields::{self, Field, METADATA, Shape};
use crate::resource::metric::Statistic;
use crate::resource::name::nearest;
use crate::resource::path;
use crate::resource::requirement::Requirement;
use crate::resource::value::{Map, Number, Value};

/// The fields of a document itself.
static ENVELOPE: [&str; 5] = ["apiVersion", "kind", "metadata", "spec", "status"];

pub(super) fn check(report: &mut Report<'_>) {
    let resource = &report.document.resource;
    let fields = fields::of(&resource.id().kind);
    if let Some(body) = resource.body().as_map() {
        check_keys(body, &ENVELOPE, "", report);
    }
    if let Some(metadata) = resource.body().get("metadata") {
        check_object(METADATA, metadata, "metadata", report);
    }
    check_object(fields, resource.spec(), "spec", report);
}

fn check_object(fields: &[Field], value: &Value, at: &str, report: &mut Report<'_>) {
    let Value::Map(map) = value else {
        if *value != Value::Null {
            mismatch("a map", value, at, report);
        }
        return;
    };
    let known: Vec<&str> = fields.iter().map(|field| field.key).collect();
    check_keys(map, &known, at, report);
    for field in fields {
        if let Some(value) = map.get(field.key) {
            check_shape(&field.shape, value, &path::entry(at, field.key), report);
        }
    }
}

/// Warns of keys that are nearly one of the known.
fn check_keys(map: &Map, known: &[&str], at: &str, report: &mut Report<'_>) {
    for key in map.keys().filter(|key| !known.contains(&key.as_str())) {
        let Some(meant) = nearest(key, known.iter().copied().filter(|known| !map.contains_key(*known))) else {
            continue;
        };
        let path = path::entry(at, key);
        let place = report.document.key_position(&path);
        let finding = report.warning("unknown-field", &path, format!("joch does not know the field `{key}`"));
        (finding.line, finding.column) = (place.line, place.column);
        finding.help = Some(format!("did you mean `{meant}`? As it stands it is kept as data"));
    }
}

fn check_shape(shape: &Shape, value: &Value, at: &str, report: &mut Report<'_>) {
    // Nothing at all is as good as no field, and an environment may fill in whatever it likes.
    if *value == Value::Null || environment_key(value).is_some() {
        return;
    }
    match (shape, value) {
        (Shape::Any, _)
        | (Shape::Text | Shape::Version, Value::Text(_))
        | (Shape::Bool, Value::Bool(_))
        | (Shape::Number, Value::Number(_))
        | (Shape::Scalar, Value::Text(_) | Value::Number(_) | Value::Bool(_)) => {}
        (Shape::Text, other) => mismatch("text", other, at, report),
        (Shape::Version, Value::Number(number)) => {
            let message =
                format!("`{at}` is the text of a version, and a number here loses digits: `1.10` is read as 1.1");
            let help = format!("quote it, with every digit: `\"{number}\"`");
            report.error("version-not-text", at, message).help = Some(help);
        }
        (Shape::Version, other) => mismatch("text", other, at, report),
        (Shape::Bool, other) => mismatch("`true` or `false`", other, at, report),
        (Shape::Number, other) => mismatch("a number", other, at, report),
        (Shape::Scalar, other) => mismatch("text, a number or a truth value", other, at, report),
        (Shape::Whole, Value::Number(Number::Whole(whole))) if *whole >= 0 => {}
        (Shape::Whole, Value::Number(number)) => {
            report.error("field-range", at, format!("`{at}` takes a whole number from 0, not `{number}`"));
        }
        (Shape::Whole, other) => mismatch("a whole number", other, at, report),
        (Shape::OneOf(words), value) => check_word(words, value, at, report),
        (Shape::Duration, Value::Text(text)) if duration::seconds(text).is_some() => {}
        (Shape::Duration, other) => mismatch("a length of time such as `90s`, `36h` or `7d`", other, at, report),
        (Shape::Reference(..), value) => check_reference(value, at, report),
        (Shape::Model(_), value) => check_model(value, at, report),
        (Shape::References(..), value) => each(value, at, |item, at| check_reference(item, at, report)),
        (Shape::Models(_), value) => each(value, at, |item, at| check_model(item, at, report)),
        (Shape::ReferenceMap(..), value) => entries(value, at, report, check_reference),
        // Which of them make sense is for the check of the Eval to say.
        (Shape::Thresholds, value) => entries(value, at, report, |_, _, _| {}),
        (Shape::Statistic, value) => check_statistic(value, at, report),
        (Shape::Gates, value) => each(value, at, |item, at| check_gate(item, at, report)),
        (Shape::Principals, value) => each(value, at, |item, at| check_shape(&Shape::Text, item, at, report)),
        (Shape::List(shape), Value::List(_)) | (Shape::OneOrMany(shape), _) => {
            each(value, at, |item, at| check_shape(shape, item, at, report));
        }
        (Shape::List(_), other) => mismatch("a list", other, at, report),
        (Shape::Map(shape), value) => {
            entries(value, at, report, |item, at, report| check_shape(shape, item, at, report));
        }
        (Shape::Object(fields), value) => check_object(fields, value, at, report),
    }
}

fn check_word(words: &[&str], value: &Value, at: &str, report: &mut Report<'_>) {
    let Value::Text(word) = value else { return mismatch(&listed(words), value, at, report) };
    if words.contains(&word.as_str()) {
        return;
    }
    let help = nearest(word, words.iter().copied()).map(|meant| format!("did you mean `{meant}`?"));
    report.error("field-word", at, format!("`{at}` takes {}, not `{word}`", listed(words))).help = help;
}

fn check_statistic(value: &Value, at: &str, report: &mut Report<'_>) {
    let Value::Text(word) = value else { return mismatch(Statistic::WORDS, value, at, report) };
    if Statistic::read(word).is_none() {
        let help =
            nearest(word, ["mean", "median", "pass@k", "pass^k"]).map(|meant| format!("did you mean `{meant}`?"));
        report.error("field-word", at, format!("`{at}` takes {}, not `{word}`", Statistic::WORDS)).help = help;
    }
}

fn check_reference(value: &Value, at: &str, report: &mut Report<'_>) {
    match value {
        Value::Text(_) => {}
        Value::Map(map) if matches!(map.get("name"), Some(Value::Text(_))) => {
            check_keys(map, &["name", "namespace"], at, report);
            if let Some(other) = map.get("namespace").filter(|value| !matches!(value, Value::Text(_) | Value::Null)) {
                mismatch("text", other, &path::entry(at, "namespace"), report);
            }
        }
        Value::Map(_) => {
            report.error("field-type", at, format!("`{at}` is a reference without a name")).help =
                Some("write `{ name: … }`, or `{ name: …, namespace: … }`".into());
        }
        other => mismatch("a reference `{ name: … }`", other, at, report),
    }
}

fn check_model(value: &Value, at: &str, report: &mut Report<'_>) {
    if fields::mention::candidate(value).is_none() {
        check_reference(value, at, report);
    }
}

fn check_gate(value: &Value, at: &str, report: &mut Report<'_>) {
    let (text, text_at) = match (value, value.get("gate")) {
        (Value::Text(text), _) => (text, at.to_owned()),
        (_, Some(Value::Text(text))) => (text, path::entry(at, "gate")),
        _ => {
            report.error("gate-syntax", at, format!("`{at}` is no gate")).help =
                Some("write a gate such as `policy`, or `{ gate: agbom, failOn: high }`".into());
            return;
        }
    };
    match (text.parse::<Requirement>(), value) {
        (Err(reason), _) => {
            report.error("gate-syntax", &text_at, reason);
        }
        (Ok(gate), Value::Map(map)) => check_gate_settings(&gate, map, at, report),
        (Ok(_), _) => {}
    }
    if let Some(mode) = value.get("mode") {
        check_word(&["enforce", "advisory"], mode, &path::entry(at, "mode"), report);
    }
}

/// Refuses a setting that the gate does not read: whoever wrote it believes that the gate is stricter, or milder.
fn check_gate_settings(gate: &Requirement, map: &Map, at: &str, report: &mut Report<'_>) {
    let known: Vec<&str> = ["gate", "mode"].into_iter().chain(gate.settings().iter().copied()).collect();
    for (key, value) in map {
        let path = path::entry(at, key);
        match key.as_str() {
            "failOn" if known.contains(&"failOn") => {
                check_shape(&Shape::OneOf(&["low", "medium", "high", "critical"]), value, &path, report);
            }
            "worstCase" if known.contains(&"worstCase") => check_shape(&Shape::Bool, value, &path, report),
            key if known.contains(&key) => {}
            key => {
                let place = report.document.key_position(&path);
                let finding = report.error("gate-setting", &path, format!("the gate `{gate}` does not read `{key}`"));
                (finding.line, finding.column) = (place.line, place.column);
                finding.help = Some(match (key, nearest(key, known.iter().copied())) {
                    ("advisory" | "enforce", _) => format!("write `mode: {key}`"),
                    (_, Some(meant)) => format!("did you mean `{meant}`?"),
                    (_, None) => format!("it reads {}", known.join(", ")),
                });
            }
        }
    }
}

/// Visits the items of a list, or the one value that stands without a list.
fn each(value: &Value, at: &str, mut visit: impl FnMut(&Value, &str)) {
    match value {
        Value::List(items) => {
            items.iter().enumerate().for_each(|(index, item)| visit(item, &path::item(at, index)));
        }
        one => visit(one, at),
    }
}

fn entries(value: &Value, at: &str, report: &mut Report<'_>, visit: impl Fn(&Value, &str, &mut Report<'_>)) {
    let Value::Map(map) = value else { return mismatch("a map", value, at, report) };
    for (key, value) in map {
        visit(value, &path::entry(at, key), report);
    }
}

fn mismatch(takes: &str, value: &Value, at: &str, report: &mut Report<'_>) {
    let help = match (takes, value) {
        ("text", Value::Number(_) | Value::Bool(_)) => Some("quote it".to_owned()),
        ("a number" | "a whole number", Value::Text(text)) if text.trim().parse::<f64>().is_ok() => {
            Some("write it without quotes".to_owned())
        }
        ("`true` or `false`", Value::Text(text)) => match text.to_ascii_lowercase().as_str() {
            "yes" | "on" | "y" | "true" => Some("write `true`".to_owned()),
            "no" | "off" | "n" | "false" => Some("write `false`".to_owned()),
            _ => None,
        },
        ("a list", Value::Map(_) | Value::Text(_)) => Some("begin each item with `- `".to_owned()),
        _ => None,
    };
    report.error("field-type", at, format!("`{at}` takes {takes}, not {}", value.type_name())).help = help;
}

fn listed(words: &[&str]) -> String {
    format!("one of {}", words.join(", "))
}
