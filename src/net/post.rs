//! One request with JSON, for a collector that only takes.

use std::time::Duration;

use crate::eval::{Fault, FaultKind};

use super::client::Client;
use super::setting::Proxy;

/// How long a collector may take.
const TIME: Duration = Duration::from_secs(30);

/// Posts JSON, and takes any success for an answer.
///
/// # Errors
/// The address cannot be reached, or it refuses. No header stands in the message.
pub fn post_json(url: &str, headers: &[(String, String)], body: &str) -> Result<(), Fault> {
    let endpoint = Client::new(Proxy::default()).endpoint(url)?;
    super::block_on(async {
        let mut request = endpoint.http.post(endpoint.url).header("content-type", "application/json").timeout(TIME);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let answer = request.body(body.to_owned()).send().await;
        let answer = answer.map_err(|why| Fault::new(FaultKind::Connection, why.without_url().to_string()))?;
        let status = answer.status();
        if status.is_success() {
            return Ok(());
        }
        Err(Fault::new(FaultKind::Refused, format!("it answers {status}")))
    })
}
