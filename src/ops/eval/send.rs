//! Sends scores to a collector of OpenTelemetry.

use anyhow::Result;

use crate::net;

use super::super::caller::Caller;
use super::super::failure::Failure;

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
/// The collector cannot be reached, or refuses.
pub fn run(url: &str, bodies: &Bodies, caller: &Caller<'_>) -> Result<()> {
    let headers = caller.variable("OTEL_EXPORTER_OTLP_HEADERS").unwrap_or_default();
    let headers: Vec<(String, String)> = headers
        .split(',')
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned()))
        .collect();
    let base = url.trim_end_matches('/');
    let logs = bodies.logs.iter().map(|body| (format!("{base}/v1/logs"), body));
    let metrics = bodies.metrics.iter().map(|body| (format!("{base}/v1/metrics"), body));
    for (url, body) in logs.chain(metrics) {
        net::post_json(&url, &headers, body).map_err(|why| Failure::could_not("otlp", why.message))?;
    }
    Ok(())
}

/// An address without what stands after `?`, which may hold a key.
#[must_use]
pub fn bare(url: &str) -> &str {
    url.split('?').next().unwrap_or(url)
}
