//! The one HTTP client of a run: what goes out, what comes back, and how much of it joch reads.

use std::error::Error as _;
use std::io::ErrorKind;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use reqwest::header::HeaderMap;
use reqwest::{Method, Request, Response, Url, redirect};
use rustls::crypto::ring;

use crate::eval::{Fault, FaultKind};

use super::setting::Proxy;

/// The HTTP client of a run. Cheap to clone; connections are shared and kept.
#[derive(Debug, Clone)]
pub struct Client(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    proxy: Proxy,
    plain: OnceLock<reqwest::Client>,
    secure: OnceLock<reqwest::Client>,
}

/// An answer, whatever its status.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

/// Why there is no answer at all.
#[derive(Debug)]
pub(super) struct Broken {
    pub(super) fault: Fault,
    /// Whether nothing of an answer had come yet.
    pub(super) before_answer: bool,
}

/// An address with the client for it.
#[derive(Debug, Clone)]
pub(super) struct Endpoint {
    pub(super) http: reqwest::Client,
    pub(super) url: Url,
}

/// What joch reads of an answer that is an error.
const ERROR_BODY: usize = 64 << 10;
/// How often a GET follows a redirect.
const REDIRECTS: usize = 3;
const HEADERS: usize = 100;
const LOOPBACK: &str = "localhost,127.0.0.0/8,::1";

impl Client {
    /// A client that reaches https through this proxy. Nothing is read or sent yet.
    #[must_use]
    pub fn new(proxy: Proxy) -> Self {
        Self(Arc::new(Inner { proxy, plain: OnceLock::new(), secure: OnceLock::new() }))
    }

    /// The client for an address. The system's certificates are read for the first https address.
    ///
    /// # Errors
    /// An address that is none; a machine without certificates.
    pub(super) fn endpoint(&self, address: &str) -> Result<Endpoint, Fault> {
        let fault = |why: String| Fault::new(FaultKind::Connection, why);
        let url = Url::parse(address).map_err(|why| fault(format!("the address is none: {why}")))?;
        if url.host_str().is_none() || !url.username().is_empty() || url.password().is_some() {
            return Err(fault("the address names no host, or holds credentials".into()));
        }
        let (place, https) = match url.scheme() {
            "http" => (&self.0.plain, false),
            "https" => (&self.0.secure, true),
            other => return Err(fault(format!("`{other}` is not spoken; write `https`"))),
        };
        let http = match place.get() {
            Some(client) => client.clone(),
            None => {
                let built = self.build(https)?;
                place.get_or_init(|| built).clone()
            }
        };
        Ok(Endpoint { http, url })
    }

    fn build(&self, https: bool) -> Result<reqwest::Client, Fault> {
        // Whoever was first has installed the same one.
        drop(ring::default_provider().install_default());
        let mut builder = reqwest::Client::builder()
            .redirect(redirect::Policy::none())
            .retry(reqwest::retry::never())
            .no_proxy()
            .referer(false)
            .user_agent(concat!("joch/", env!("CARGO_PKG_VERSION")))
            .http1_max_headers(HEADERS)
            .http2_max_header_list_size(64 << 10)
            .tcp_nodelay(true)
            .pool_max_idle_per_host(256)
            .pool_idle_timeout(Duration::from_secs(30));
        builder = builder.tls_certs_only(if https { certificates()? } else { Vec::new() });
        if let (true, Some(address)) = (https, &self.0.proxy.https) {
            let except =
                self.0.proxy.except.as_deref().map_or(LOOPBACK.to_owned(), |more| format!("{LOOPBACK},{more}"));
            // The address of a proxy may hold a password.
            let refuse = |_| Fault::new(FaultKind::Connection, "`HTTPS_PROXY` is no address of a proxy");
            let proxy = reqwest::Proxy::https(address.as_str()).map_err(refuse)?;
            builder = builder.proxy(proxy.no_proxy(reqwest::NoProxy::from_string(&except)));
        }
        let refuse =
            |why: reqwest::Error| Fault::new(FaultKind::Connection, format!("no HTTP client: {}", causes(&why)));
        builder.build().map_err(refuse)
    }
}

impl Endpoint {
    /// The same client, one path further.
    pub(super) fn at(&self, path: &str) -> Self {
        let mut url = self.url.clone();
        let joined = format!("{}/{path}", url.path().trim_end_matches('/'));
        url.set_path(&joined);
        Self { http: self.http.clone(), url }
    }

    /// The address as messages show it: without what a query may hold.
    pub(super) fn shown(&self) -> String {
        shown(&self.url)
    }

    /// Sends a request and reads its answer, at most `most` bytes of it, within `time`.
    pub(super) async fn send(
        &self,
        request: Request,
        most: usize,
        time: Duration,
    ) -> (Result<Answer, Broken>, Duration) {
        let began = Instant::now();
        match tokio::time::timeout(time, self.exchange(request, most)).await {
            Ok(answer) => (answer, began.elapsed()),
            Err(_) => (Err(self.timed_out(time)), time),
        }
    }

    /// What is said where `time` was not enough.
    pub(super) fn timed_out(&self, time: Duration) -> Broken {
        let fault = Fault::new(FaultKind::Timeout, format!("`{}` did not answer within {time:?}", self.shown()));
        Broken { fault, before_answer: false }
    }

    /// Sends a request and reads its answer, however long it takes.
    pub(super) async fn exchange(&self, request: Request, most: usize) -> Result<Answer, Broken> {
        let mut next = (request.method() == Method::GET).then(|| request.try_clone()).flatten();
        let mut request = request;
        for _ in 0..=REDIRECTS {
            let answer = self.once(request, most).await?;
            if !matches!(answer.status, 301 | 302 | 303 | 307 | 308) {
                return Ok(answer);
            }
            let target = answer.headers.get("location").and_then(|location| location.to_str().ok());
            let target = target.and_then(|location| self.url.join(location).ok());
            let Some(target) = target else {
                return Err(self.refused(format!("answered {} and named no address", answer.status)));
            };
            let Some(again) = next.as_ref().and_then(Request::try_clone) else {
                let why = format!(
                    "redirects to `{}`, and a request with a body is not sent on: write that address if it is the right one",
                    shown(&target)
                );
                return Err(self.refused(why));
            };
            if target.origin() != self.url.origin() {
                return Err(self
                    .refused(format!("redirects to another host, `{}`, which joch does not follow", shown(&target))));
            }
            request = again;
            *request.url_mut() = target;
            next = request.try_clone();
        }
        Err(self.refused(format!("redirects more than {REDIRECTS} times")))
    }

    /// Sends a request, and gives its answer as soon as its head is there. A redirect is an answer like any other.
    pub(super) async fn begin(&self, request: Request) -> Result<Response, Broken> {
        self.http.execute(request).await.map_err(|why| self.broken(&why, true))
    }

    /// The next part of an answer, unpacked; nothing at its end.
    pub(super) async fn next(&self, response: &mut Response) -> Result<Option<Vec<u8>>, Broken> {
        let chunk = response.chunk().await.map_err(|why| self.broken(&why, false))?;
        Ok(chunk.map(|chunk| chunk.to_vec()))
    }

    async fn once(&self, request: Request, most: usize) -> Result<Answer, Broken> {
        let mut response = self.begin(request).await?;
        let status = response.status().as_u16();
        let most = if response.status().is_success() { most } else { ERROR_BODY.min(most) };
        let mut body = Vec::new();
        loop {
            match response.chunk().await {
                Ok(Some(chunk)) if body.len() + chunk.len() <= most => body.extend_from_slice(&chunk),
                Ok(Some(chunk)) if response.status().is_success() => {
                    drop(chunk);
                    let why = format!("`{}` answers with more than {most} bytes", self.shown());
                    return Err(Broken { fault: Fault::new(FaultKind::TooLarge, why), before_answer: false });
                }
                // Of an error its beginning says enough; so does what came of it before it broke off.
                Ok(Some(_)) => break,
                Err(_) if !response.status().is_success() => break,
                Ok(None) => break,
                Err(why) => return Err(self.broken(&why, false)),
            }
        }
        Ok(Answer { status, headers: std::mem::take(response.headers_mut()), body })
    }

    fn refused(&self, why: String) -> Broken {
        let fault = Fault::new(FaultKind::Refused, format!("`{}` {why}", self.shown()));
        Broken { fault, before_answer: false }
    }

    fn broken(&self, why: &reqwest::Error, before_answer: bool) -> Broken {
        let causes = causes(why);
        // Most causes are of types that are not ours to name; what they say is all there is to tell them apart.
        let malformed =
            unpacked_wrongly(why) || causes.contains("invalid HTTP") || causes.contains("invalid content-length");
        let kind = if causes.contains("message head is too large") {
            FaultKind::TooLarge
        } else if malformed {
            FaultKind::Malformed
        } else {
            FaultKind::Connection
        };
        let what = if why.is_connect() { "cannot be reached" } else { "broke off" };
        let fault = Fault::new(kind, format!("`{}` {what}: {causes}", self.shown()));
        Broken { fault, before_answer: before_answer && kind == FaultKind::Connection }
    }
}

impl Answer {
    pub(super) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// A header as text; none where it is missing or no text.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// An address as messages show it.
pub(super) fn shown(url: &Url) -> String {
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    format!("{}://{}{port}{}", url.scheme(), url.host_str().unwrap_or_default(), url.path())
}

/// What went wrong, without the address, which the error itself would repeat with its query.
fn causes(error: &reqwest::Error) -> String {
    let mut causes = Vec::new();
    let mut next = error.source();
    while let Some(cause) = next {
        // One cause often repeats the next one in full.
        let text = cause.to_string();
        if !cause.is::<reqwest::Error>() && !causes.iter().any(|known: &String| known.contains(&text)) {
            causes.push(text);
        }
        next = cause.source();
    }
    if causes.is_empty() { "it gave no reason".to_owned() } else { causes.join(": ") }
}

/// Whether what came was not packed as it said.
fn unpacked_wrongly(error: &reqwest::Error) -> bool {
    let mut next = error.source();
    while let Some(cause) = next {
        let kind = cause.downcast_ref::<std::io::Error>().map(std::io::Error::kind);
        if matches!(kind, Some(ErrorKind::InvalidData | ErrorKind::InvalidInput)) {
            return true;
        }
        next = cause.source();
    }
    false
}

fn certificates() -> Result<Vec<reqwest::Certificate>, Fault> {
    let found = rustls_native_certs::load_native_certs();
    let certificates: Vec<_> =
        found.certs.iter().filter_map(|certificate| reqwest::Certificate::from_der(certificate).ok()).collect();
    if certificates.is_empty() {
        let why = found.errors.first().map(|error| format!(" ({error})")).unwrap_or_default();
        let what = "this machine has no certificates of authorities, which https needs";
        return Err(Fault::new(
            FaultKind::Connection,
            format!("{what}{why}: install `ca-certificates`, or name a file in `SSL_CERT_FILE`"),
        ));
    }
    Ok(certificates)
}
