//! Sends scores to a collector of OpenTelemetry.

use anyhow::Result;

use crate::net::otlp::{Collector, export, headers};
use crate::net::{Client, Limits};

use super::super::caller::Caller;
use super::super::failure::Failure;
use super::execute::proxy;

/// What is sent: requests as OTLP writes them in JSON.
#[derive(Debug, Clone, Default)]
pub struct Bodies {
    /// To `/v1/logs`.
    pub logs: Vec<String>,
    /// To `/v1/metrics`.
    pub metrics: Vec<String>,
}

/// Sends, in order. Headers come from `OTEL_EXPORTER_OTLP_HEADERS`, as every exporter takes them.
///
/// # Errors
/// The collector cannot be reached, or refuses.
pub fn run(url: &str, bodies: &Bodies, caller: &Caller<'_>) -> Result<()> {
    let headers = headers(caller.variable("OTEL_EXPORTER_OTLP_HEADERS").unwrap_or_default());
    let headers = headers.map_err(|why| Failure::usage(format!("`OTEL_EXPORTER_OTLP_HEADERS`: {why}")))?;
    let collector = Collector { endpoint: url.to_owned(), headers, limits: Limits::default() };
    export(&Client::new(proxy(caller)), &collector, &bodies.logs, &bodies.metrics)
        .map_err(|why| Failure::could_not("otlp", why.message).into())
}

/// An address without what stands after `?`, which may hold a key.
#[must_use]
pub fn bare(url: &str) -> &str {
    url.split('?').next().unwrap_or(url)
}
