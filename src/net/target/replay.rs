//! Recorded answers: one JSON line a case, asked of nobody.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use crate::eval::{Decimal, Fault, FaultKind, Reply, Unit, Usage};
use crate::net::attempts::Called;
use crate::net::setting::Setting;

use super::reading;

#[derive(Debug)]
pub(super) struct Replay {
    file: String,
    /// By case, and by trial where the recording has several of a case.
    recorded: BTreeMap<(String, Option<u32>), Recorded>,
}

#[derive(Debug)]
struct Recorded {
    reply: Result<Reply, Fault>,
    latency: Duration,
}

/// One line.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    id: String,
    trial: Option<u32>,
    output: Option<Value>,
    error: Option<String>,
    #[serde(alias = "toolCalls")]
    tool_calls: Option<Value>,
    #[serde(alias = "latencyMs")]
    latency_ms: Option<f64>,
    usage: Option<Value>,
    #[serde(alias = "costUsd")]
    cost_usd: Option<f64>,
    model: Option<String>,
    #[serde(alias = "agentVersion")]
    agent_version: Option<String>,
}

impl Replay {
    pub(super) fn open(file: &str, setting: &Setting) -> Result<Self, Fault> {
        let malformed = |why: String| Fault::new(FaultKind::Malformed, format!("`{file}`{why}"));
        let Some(bytes) = &setting.recording else {
            return Err(Fault::new(FaultKind::NotRecorded, format!("`{file}` was not read: check that it is there")));
        };
        let text = str::from_utf8(bytes).map_err(|why| malformed(format!(" is not UTF-8: {why}")))?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut recorded = BTreeMap::new();
        for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            let number = index + 1;
            let line: Line = serde_json::from_str(line).map_err(|why| malformed(format!(":{number}: {why}")))?;
            let key = (line.id.clone(), line.trial);
            let read = read(line).map_err(|why| malformed(format!(":{number}: {why}")))?;
            if recorded.insert(key, read).is_some() {
                return Err(malformed(format!(":{number}: an earlier line has the same `id`, and the same `trial`")));
            }
        }
        if recorded.is_empty() {
            return Err(malformed(" records nothing".into()));
        }
        Ok(Self { file: file.to_owned(), recorded })
    }

    pub(super) fn call(&self, unit: &Unit) -> Called<Reply> {
        let of = |trial| self.recorded.get(&(unit.case.clone(), trial));
        match of(Some(unit.trial)).or_else(|| of(None)) {
            Some(recorded) => Called {
                result: recorded.reply.clone(),
                latency: recorded.latency,
                total: recorded.latency,
                attempts: 1,
            },
            None => {
                let why = format!("`{}` has no line for case `{}`", self.file, unit.case);
                let result = Err(Fault::new(FaultKind::NotRecorded, why));
                Called { result, latency: Duration::ZERO, total: Duration::ZERO, attempts: 0 }
            }
        }
    }
}

fn read(line: Line) -> Result<Recorded, String> {
    // A recording without a time is one of unknown latency, which 0 stands for.
    let latency = match line.latency_ms {
        None => Duration::ZERO,
        Some(time) if (0.0..=86_400_000.0).contains(&time) => Duration::from_secs_f64(time / 1000.0),
        Some(_) => return Err("`latency_ms` must be a number of milliseconds from 0".into()),
    };
    let reply = match (line.output, line.error) {
        (Some(_), Some(_)) => return Err("it has an `output` and an `error`; one of them is wrong".into()),
        (None, None) => return Err("it has no `output`: write it, or what went wrong as `error`".into()),
        (None, Some(error)) => Err(Fault::new(FaultKind::Refused, error)),
        (Some(output), None) => Ok(Reply {
            text: match output {
                Value::String(text) => text,
                Value::Null => return Err("`output` is null; write \"\" where the agent said nothing".into()),
                other => other.to_string(),
            },
            tool_calls: line.tool_calls.as_ref().map(reading::calls).transpose()?.unwrap_or_default(),
            usage: match &line.usage {
                None | Some(Value::Null) => None,
                Some(usage) => Some(usage_of(usage)?),
            },
            cost: match line.cost_usd {
                None => None,
                Some(cost) => {
                    Some(Decimal::from_f64(cost).filter(|cost| *cost >= Decimal::ZERO).ok_or("`cost_usd` is no cost")?)
                }
            },
            model: line.model,
            agent_version: line.agent_version,
            cut_short: None,
        }),
    };
    Ok(Recorded { reply, latency })
}

fn usage_of(usage: &Value) -> Result<Usage, String> {
    reading::usage(usage).ok_or_else(|| "`usage` must have `input_tokens` and `output_tokens`".into())
}
