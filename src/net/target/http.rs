//! A request of one's own: a JSON body with the case in it, and the answer where a path says.

use std::time::Duration;

use reqwest::Method;

use crate::eval::{self, Case, Fault, FaultKind, Reply, Template};
use crate::net::attempts::{Callee, Failed};
use crate::net::client::{Answer, Endpoint};
use crate::net::credentials::Credentials;
use crate::net::setting::Setting;

use super::answering::{Caller, headers};
use super::reading::Paths;

#[derive(Debug)]
pub(super) struct Http {
    caller: Caller,
    method: Method,
    /// The pairs of the query, where a case stands in one of them.
    query: Option<Vec<(String, Template)>>,
    body: Option<Template>,
    paths: Paths,
}

impl Http {
    pub(super) fn open(
        http: &eval::Http,
        credentials: &Credentials,
        setting: &Setting,
        time: Duration,
    ) -> Result<Self, Fault> {
        let refuse = |why: String| Fault::new(FaultKind::Malformed, why);
        let mut endpoint = setting.client.endpoint(&http.url)?;
        let method = Method::from_bytes(http.method.as_bytes()).map_err(|_| refuse("no such method".into()))?;
        let body = match (&http.body, method == Method::GET) {
            (_, true) => None,
            (Some(body), false) => Some(body.clone()),
            (None, false) => Some(serde_json::json!({"input": "{{input}}"})),
        };
        let headers = headers(&http.headers, credentials)?;
        Ok(Self {
            query: query(&mut endpoint).map_err(refuse)?,
            caller: Caller { endpoint, headers, callee: Callee::Agent, most: setting.limits.answer, time },
            method,
            body: body.as_ref().map(Template::read).transpose().map_err(refuse)?,
            paths: Paths::open(http).map_err(refuse)?,
        })
    }

    pub(super) async fn attempt(&self, case: &Case, key: &str) -> (Result<Reply, Failed>, Duration) {
        let mut request = self.caller.request(self.method.clone(), &self.caller.endpoint, Some(key));
        if let Err(why) = self.fill(&mut request, case) {
            let fault = Fault::new(FaultKind::Malformed, format!("case `{}`: {why}", case.id));
            return (Err(Failed::finally(fault)), Duration::ZERO);
        }
        let (answer, took) = self.caller.send(request).await;
        let reply = answer.and_then(|answer| self.read(&answer).map_err(Failed::finally));
        (reply, took)
    }

    fn fill(&self, request: &mut reqwest::Request, case: &Case) -> Result<(), String> {
        if let Some(pairs) = &self.query {
            let filled: Vec<_> =
                pairs.iter().map(|(key, text)| Ok((key, text.fill_text(case)?))).collect::<Result<_, String>>()?;
            request.url_mut().query_pairs_mut().clear().extend_pairs(filled);
        }
        if let Some(body) = &self.body {
            *request.body_mut() = Some(body.fill(case)?.to_string().into());
        }
        Ok(())
    }

    fn read(&self, answer: &Answer) -> Result<Reply, Fault> {
        let mut reply = self.paths.read(answer)?;
        let version = ["x-agent-version", "joch-agent-version"].iter().find_map(|name| answer.header(name));
        reply.agent_version = version.map(|version| version.chars().take(200).collect());
        Ok(reply)
    }
}

/// The templates of a query with gaps; the address loses them, so that no message shows it with a case in it.
fn query(endpoint: &mut Endpoint) -> Result<Option<Vec<(String, Template)>>, String> {
    let pairs: Vec<(String, String)> = endpoint.url.query_pairs().into_owned().collect();
    if !pairs.iter().any(|(_, value)| value.contains("{{")) {
        return Ok(None);
    }
    let read = |(key, value): (String, String)| Ok((key, Template::read(&value.into())?));
    pairs.into_iter().map(read).collect::<Result<_, String>>().map(Some)
}
