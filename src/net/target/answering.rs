//! What every target over HTTP shares: headers with their credentials, one request with JSON, and its answer.

use std::collections::BTreeMap;
use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Request};

use crate::eval::{Fault, FaultKind, Text};
use crate::net::attempts::{Callee, Failed};
use crate::net::client::{Answer, Endpoint};
use crate::net::credentials::Credentials;

/// How requests to one place are made.
#[derive(Debug)]
pub(crate) struct Caller {
    pub(crate) endpoint: Endpoint,
    pub(crate) headers: HeaderMap,
    pub(crate) callee: Callee,
    /// Most bytes of an answer.
    pub(crate) most: usize,
    /// How long one attempt may take.
    pub(crate) time: Duration,
}

impl Caller {
    /// Sends JSON and reads an answer that is a success.
    pub(crate) async fn post(&self, body: Vec<u8>, key: Option<&str>) -> (Result<Answer, Failed>, Duration) {
        let mut request = self.request(Method::POST, &self.endpoint, key);
        *request.body_mut() = Some(body.into());
        self.send(request).await
    }

    /// A request with the headers, and the unit's key.
    pub(crate) fn request(&self, method: Method, endpoint: &Endpoint, key: Option<&str>) -> Request {
        let mut request = Request::new(method, endpoint.url.clone());
        request.headers_mut().clone_from(&self.headers);
        if let Some(key) = key.and_then(|key| HeaderValue::from_str(key).ok()) {
            request.headers_mut().insert("idempotency-key", key);
        }
        request
    }

    /// Sends a request and reads an answer that is a success.
    pub(crate) async fn send(&self, request: Request) -> (Result<Answer, Failed>, Duration) {
        let (result, took) = self.endpoint.send(request, self.most, self.time).await;
        (self.success(result), took)
    }

    pub(crate) fn success(&self, result: Result<Answer, crate::net::client::Broken>) -> Result<Answer, Failed> {
        match result {
            Ok(answer) if answer.is_success() => Ok(answer),
            Ok(answer) => Err(Failed::refused(&answer, &self.endpoint.shown(), self.callee)),
            Err(broken) => Err(Failed::broken(broken, self.callee)),
        }
    }
}

/// Headers with the values of their Secrets.
pub(crate) fn headers(texts: &BTreeMap<String, Text>, credentials: &Credentials) -> Result<HeaderMap, Fault> {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert("accept", HeaderValue::from_static("application/json, text/plain;q=0.9, */*;q=0.1"));
    for (name, text) in texts {
        let header = HeaderName::from_bytes(name.as_bytes());
        let header = header.map_err(|_| Fault::new(FaultKind::Refused, format!("no header can be called `{name}`")))?;
        headers.insert(header, value(name, &credentials.resolve(text)?)?);
    }
    Ok(headers)
}

/// The value of a header. What is wrong with it is told without it.
pub(crate) fn value(name: &str, text: &str) -> Result<HeaderValue, Fault> {
    // Files of secrets end with a line break more often than not.
    let mut value = HeaderValue::from_str(text.trim()).map_err(|_| {
        let why = format!("the value for the header `{name}` has a line break or a control character in it");
        Fault::new(FaultKind::Credentials, why)
    })?;
    value.set_sensitive(true);
    Ok(value)
}
