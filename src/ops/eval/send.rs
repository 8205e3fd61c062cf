//! Sends scores to a collector of OpenTelemetry.

use anyhow::Result;

use crate::net;

use super::super::caller::Caller;
use super::super::failure::Failure;
use super::execute::proxy;

/// What is sent: requests as OTLP writes them in JSON.
#[derive(Debug, Clone, Default)]
pub struct Bodies {
    /// To `/v1/logs`.
    pub logs: Vec<String>,
    /// To `/v1/metrics`.
    pub metrics: Option<String>,
}

/// Sends, in order. Headers come from `OTEL_EXPORTER_OTLP_HEADERS`, as every exporter takes them.
///
/// # Errors
/// The collector cannot be reached, or refuses; the headers are none.
pub fn run(url: &str, bodies: &Bodies, caller: &Caller<'_>) -> Result<()> {
    let variable = caller.variable("OTEL_EXPORTER_OTLP_HEADERS").unwrap_or_default();
    let headers = net::headers(variable).map_err(|why| {
        let message = format!("`OTEL_EXPORTER_OTLP_HEADERS` cannot be read: {why}");
        Failure::usage(message).next("write it as `key=value,key=value`, the values percent-encoded")
    })?;
    let collector = net::Collector { endpoint: url.to_owned(), headers, limits: net::Limits::default() };
    let client = net::Client::new(proxy(caller));
    let metrics: Vec<String> = bodies.metrics.clone().into_iter().collect();
    net::export(&client, &collector, &bodies.logs, &metrics)
        .map_err(|why| Failure::could_not("otlp", why.message).next("the result is on record; send it with `joch eval show`"))?;
    Ok(())
}

/// An address without what stands after `?`, which may hold a key.
#[must_use]
pub fn bare(url: &str) -> &str {
    url.split('?').next().unwrap_or(url)
}
