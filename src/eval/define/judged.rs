//! What a judge is asked: the Models, and the criteria, from a list of them or from the points of a rubric.

use std::collections::BTreeSet;

use crate::eval::definition::{Criterion, Judged};
use crate::resource::fields::mention::{candidate, reference};
use crate::resource::{Kind, Reference, Value, path};

use super::flaws::Flaws;

/// The most criteria of one metric.
const CRITERIA: usize = 100;

/// The points of a rubric: its lines that begin with `-`, `*`, `•`, `1.` or `1)`, with the lines that go on below them;
/// of a text without such lines, the text itself.
///
/// What stands before the first point belongs to none, and is put before each.
#[must_use]
pub fn points(text: &str) -> Vec<String> {
    let (mut lead, mut points) = (Vec::new(), Vec::<String>::new());
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        match (point(line), points.last_mut()) {
            (Some(point), _) => points.push(point.to_owned()),
            (None, Some(last)) => {
                last.push(' ');
                last.push_str(line);
            }
            (None, None) => lead.push(line),
        }
    }
    let lead = lead.join(" ");
    if points.is_empty() {
        return (!lead.is_empty()).then(|| text.trim().to_owned()).into_iter().collect();
    }
    if lead.is_empty() { points } else { points.iter().map(|point| format!("{lead} {point}")).collect() }
}

/// What follows the mark of a point.
fn point(line: &str) -> Option<&str> {
    let unnumbered = line.trim_start_matches(|c: char| c.is_ascii_digit());
    let rest = if unnumbered.len() < line.len() {
        unnumbered.strip_prefix(['.', ')'])?
    } else {
        line.strip_prefix(['-', '*', '•'])?
    };
    rest.starts_with(char::is_whitespace).then(|| rest.trim()).filter(|rest| !rest.is_empty())
}

pub(super) fn judged(metric: &Value, at: &str, flaws: &mut Flaws) -> Judged {
    if said(metric, "scale").is_some() {
        let message = "a judge says of each criterion whether it is met, and the score is the share that is";
        flaws.add(&path::entry(at, "scale"), message, "remove `scale`, and write thresholds from 0 to 1");
    }
    Judged {
        judges: judges(metric, at, flaws),
        criteria: criteria(metric, at, flaws),
        samples: flaws.whole(metric.get("samples"), &path::entry(at, "samples"), 1, 25).unwrap_or(1),
    }
}

/// The Models. One that is written `provider:model` keeps that as its name, which no Model can have.
fn judges(metric: &Value, at: &str, flaws: &mut Flaws) -> Vec<Reference> {
    let (one, many) = (said(metric, "judgeModelRef"), said(metric, "judges"));
    if one.is_some() && many.is_some() {
        flaws.add(&path::entry(at, "judges"), "`judgeModelRef` and `judges` both name judges", "remove one of the two");
    }
    let (at, items) = match (one, many) {
        (Some(one), _) => (path::entry(at, "judgeModelRef"), std::slice::from_ref(one)),
        (None, Some(Value::List(items))) => (path::entry(at, "judges"), items.as_slice()),
        (None, Some(one)) => (path::entry(at, "judges"), std::slice::from_ref(one)),
        (None, None) => return Vec::new(),
    };
    let mut judges = Vec::new();
    for item in items {
        let judge = match candidate(item) {
            Some(candidate) => Some(Reference { kind: Kind::Model, namespace: None, name: candidate.to_string() }),
            None => reference(&Kind::Model, item),
        };
        match judge {
            Some(judge) if judges.contains(&judge) => {
                flaws.add(&at, format!("the judge `{}` stands twice", judge.name), "remove one of the two");
            }
            Some(judge) => judges.push(judge),
            None => flaws.add(&at, "this names no Model", "write `{ name: … }`"),
        }
    }
    if items.is_empty() {
        flaws.add(&at, "no judge is named", "name one, or remove the field");
    }
    judges
}

fn criteria(metric: &Value, at: &str, flaws: &mut Flaws) -> Vec<Criterion> {
    let (at, criteria) = match (said(metric, "criteria"), said(metric, "rubric")) {
        (Some(listed), _) => {
            (path::entry(at, "criteria"), listed_criteria(listed, &path::entry(at, "criteria"), flaws))
        }
        (None, Some(rubric)) => {
            let at = path::entry(at, "rubric");
            let texts = flaws.texts(Some(rubric), &at);
            let texts =
                if rubric.as_text().is_some() { texts.iter().flat_map(|text| points(text)).collect() } else { texts };
            let numbered = texts.into_iter().enumerate();
            let criterion = |(index, text): (usize, String)| Criterion { id: (index + 1).to_string(), text, weight: 1 };
            (at, numbered.map(criterion).collect())
        }
        (None, None) => return Vec::new(),
    };
    let mut ids = BTreeSet::new();
    for criterion in &criteria {
        if !ids.insert(&criterion.id) {
            flaws.add(&at, format!("two criteria are called `{}`", criterion.id), "give one another `id`");
        }
        if criterion.text.trim().is_empty() {
            flaws.add(
                &at,
                format!("the criterion `{}` says nothing", criterion.id),
                "write what must hold, or remove it",
            );
        }
    }
    if criteria.is_empty() || criteria.len() > CRITERIA {
        let message = format!("a judge is asked for 1 to {CRITERIA} criteria, not {}", criteria.len());
        flaws.add(&at, message, "write one, as `- The answer names the next step.`");
    }
    criteria
}

fn listed_criteria(listed: &Value, at: &str, flaws: &mut Flaws) -> Vec<Criterion> {
    let items = match listed {
        Value::List(items) => items.as_slice(),
        one => std::slice::from_ref(one),
    };
    let mut criteria = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let at = path::item(at, index);
        let number = (index + 1).to_string();
        if let Value::Map(map) = item {
            for key in map.keys().filter(|key| !["id", "text", "weight"].contains(&key.as_str())) {
                flaws.add(&path::entry(&at, key), "a criterion has no such field", "it has `id`, `text` and `weight`");
            }
            let id = flaws.text(item.get("id"), &path::entry(&at, "id")).map_or(number, str::to_owned);
            if !is_id(&id) {
                flaws.add(&path::entry(&at, "id"), format!("`{}` is no id", id.escape_debug()), "write a short word");
            }
            let text = flaws.text(item.get("text"), &path::entry(&at, "text")).unwrap_or_default().to_owned();
            let weight = flaws.whole(item.get("weight"), &path::entry(&at, "weight"), 1, 1000).unwrap_or(1);
            criteria.push(Criterion { id, text, weight });
        } else {
            let text = flaws.texts(Some(item), &at).into_iter().next().unwrap_or_default();
            criteria.push(Criterion { id: number, text, weight: 1 });
        }
    }
    criteria
}

/// Whether an id can stand in reports and in the answers of a judge.
fn is_id(id: &str) -> bool {
    id.len() <= 40 && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
}

fn said<'v>(metric: &'v Value, key: &str) -> Option<&'v Value> {
    metric.get(key).filter(|value| **value != Value::Null)
}
