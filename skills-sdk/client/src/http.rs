//! The HTTP core: addresses, authentication, time limits, retries, and decoding of answers and problem+json.
//!
//! A request is retried only when that is safe: the connection was never made, or the server said
//! `retryable`, and the request is a read or carries an `Idempotency-Key` that the server honours. While the server says
//! that it is still processing that key, it is asked again until the request's time is over.

use std::time::{Duration, Instant};

use bytes::Bytes;
use clawos_api::Problem;
use reqwest::{Method, StatusCode, header};
use serde::Serialize;
use serde::de::DeserializeOwned;
use url::Url;

use crate::error::{ClientError, Result, root_cause};

/// How long making a connection may take.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a request may take, its answer included: each is a few reads of a database or of the chain.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(20);
/// How long a call of a skill may take: it runs for at most 30 s, and may wait for its turn and for its module before.
pub const EXECUTE_TIMEOUT: Duration = Duration::from_secs(60);
/// How long the download of an artifact may take.
pub const DOWNLOAD_TIMEOUT: Duration = Duration::from_secs(120);
/// How long publishing may take: the server compiles (120 s), runs the examples (60 s), and may have a queue before both.
pub const PUBLISH_TIMEOUT: Duration = Duration::from_secs(300);
/// The most attempts of one request.
pub const MAX_ATTEMPTS: u32 = 4;
/// The pause before the second attempt; each further pause is twice as long.
pub const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// The longest `Retry-After` that is waited for; a longer one is the caller's decision.
pub const MAX_PAUSE: Duration = Duration::from_secs(5);
/// The largest answer that is read, in bytes.
pub const MAX_ANSWER_BYTES: usize = 80 << 20;

/// A connection to one server, perhaps signed in.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    base: Url,
    token: Option<String>,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Client({}, signed in: {})", self.base, self.token.is_some())
    }
}

/// The body of a request. A multipart form is built again for each attempt.
pub(crate) enum Body<'a> {
    None,
    Json(Vec<u8>),
    Form(&'a (dyn Fn() -> reqwest::multipart::Form + Sync)),
}

/// When a request may be tried again.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Retry {
    /// Reads, and POSTs whose `Idempotency-Key` the server honours.
    Safe,
    /// Only when the connection was never made.
    Unsent,
}

/// One request, before it has a base address and a token.
pub(crate) struct Call<'a> {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) query: Vec<(&'static str, String)>,
    pub(crate) body: Body<'a>,
    pub(crate) retry: Retry,
    pub(crate) idempotency_key: Option<String>,
    /// How long one try may take; and for how long the server is asked about a request it is still processing.
    pub(crate) timeout: Duration,
}

impl<'a> Call<'a> {
    pub(crate) fn get(path: impl Into<String>) -> Self {
        Self {
            method: Method::GET,
            path: path.into(),
            query: Vec::new(),
            body: Body::None,
            retry: Retry::Safe,
            idempotency_key: None,
            timeout: REQUEST_TIMEOUT,
        }
    }

    pub(crate) fn post(path: impl Into<String>, body: Body<'a>, retry: Retry) -> Self {
        Self {
            method: Method::POST,
            path: path.into(),
            query: Vec::new(),
            body,
            retry,
            idempotency_key: Some(new_idempotency_key()),
            timeout: REQUEST_TIMEOUT,
        }
    }

    /// Setting the same again changes nothing, so it may be repeated.
    pub(crate) fn patch(path: impl Into<String>, body: Body<'a>) -> Self {
        Self { method: Method::PATCH, body, ..Self::get(path) }
    }

    /// A repeated deletion could be answered "not found" though the first one worked, so it is not repeated.
    pub(crate) fn delete(path: impl Into<String>) -> Self {
        Self { method: Method::DELETE, retry: Retry::Unsent, ..Self::get(path) }
    }

    pub(crate) fn query(mut self, name: &'static str, value: Option<impl ToString>) -> Self {
        self.query.extend(value.map(|value| (name, value.to_string())));
        self
    }

    pub(crate) fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    pub(crate) fn key(mut self, key: Option<&str>) -> Self {
        if let Some(key) = key {
            self.idempotency_key = Some(key.to_owned());
        }
        self
    }
}

/// A fresh `Idempotency-Key`: 128 random bits in hex.
pub fn new_idempotency_key() -> String {
    let mut bytes = [0u8; 16];
    getrandom::fill(&mut bytes).expect("the operating system has randomness");
    hex::encode(bytes)
}

/// JSON of a value that is known to have it.
pub(crate) fn json(value: &impl Serialize) -> Body<'static> {
    Body::Json(serde_json::to_vec(value).expect("request bodies have string keys only"))
}

impl Client {
    /// A client of the server at `server`, such as `http://127.0.0.1:8080`.
    ///
    /// # Errors
    /// [`ClientError::Invalid`] when that is not an http(s) address, or carries a user or password.
    pub fn new(server: &str) -> Result<Self> {
        let invalid = |what: &str| {
            ClientError::Invalid(format!(
                "`{server}` is not a server address: {what}; write it like http://127.0.0.1:8080"
            ))
        };
        let base = Url::parse(server).map_err(|error| invalid(&error.to_string()))?;
        if !matches!(base.scheme(), "http" | "https") || base.host().is_none() {
            return Err(invalid("http:// or https:// and a host are needed"));
        }
        if !base.username().is_empty() || base.password().is_some() {
            return Err(invalid("it must not carry a user or password"));
        }
        let http = reqwest::Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("clawos-client/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| ClientError::Invalid(format!("no HTTP client: {}", root_cause(&error))))?;
        Ok(Self { http, base, token: None })
    }

    /// The same client with an access token or an API key.
    #[must_use]
    pub fn with_token(mut self, token: impl Into<String>) -> Self {
        self.token = Some(token.into());
        self
    }

    /// The server's origin (`scheme://host[:port]`), as it stands in challenges.
    pub fn origin(&self) -> String {
        self.base.origin().ascii_serialization()
    }

    /// The full address of `path`.
    pub(crate) fn url(&self, path: &str, query: &[(&'static str, String)]) -> Url {
        let mut url = self.base.clone();
        let prefix = url.path().trim_end_matches('/').to_owned();
        url.set_path(&format!("{prefix}{path}"));
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query.iter().map(|(name, value)| (*name, value.as_str())));
        }
        url
    }

    pub(crate) async fn json<T: DeserializeOwned>(&self, call: Call<'_>) -> Result<T> {
        let url = self.url(&call.path, &[]).to_string();
        let bytes = self.bytes(call).await?;
        serde_json::from_slice(&bytes).map_err(|error| ClientError::Unreadable { url, reason: error.to_string() })
    }

    /// Sends a call, again where that is safe, and reads a successful answer's body.
    pub(crate) async fn bytes(&self, call: Call<'_>) -> Result<Bytes> {
        let started = Instant::now();
        let mut attempt = 1;
        loop {
            let Failure { error, unsent, retry_after } = match self.try_once(&call).await {
                Ok(bytes) => return Ok(bytes),
                Err(failure) => failure,
            };
            // A server that is silent for so long will be so again.
            let silent = matches!(error, ClientError::Silent { .. });
            let may_retry = unsent || (call.retry == Retry::Safe && error.retryable() && !silent);
            let pause = pause_before(attempt + 1, retry_after);
            // A request that the server is still processing is no failed try; only time bounds it.
            let running = error.is_running() && started.elapsed() < call.timeout;
            match pause {
                Some(pause) if may_retry && (running || attempt < MAX_ATTEMPTS) => tokio::time::sleep(pause).await,
                _ => return Err(error),
            }
            attempt += u32::from(!running);
        }
    }

    async fn try_once(&self, call: &Call<'_>) -> Result<Bytes, Failure> {
        let url = self.url(&call.path, &call.query);
        let request = self.http.request(call.method.clone(), url.clone()).timeout(call.timeout);
        let mut request = request.header(header::ACCEPT, "application/json");
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        if let Some(key) = &call.idempotency_key {
            request = request.header("Idempotency-Key", key);
        }
        request = match &call.body {
            Body::None => request,
            Body::Json(bytes) => request.header(header::CONTENT_TYPE, "application/json").body(bytes.clone()),
            Body::Form(form) => request.multipart(form()),
        };
        let response = request.send().await.map_err(|error| {
            let server = url.origin().ascii_serialization();
            Failure { error: broken(&error, server, call.timeout), unsent: error.is_connect(), retry_after: None }
        })?;
        let status = response.status();
        let retry_after = header_number(&response, "retry-after");
        let answer = read_bounded(response, url.as_str(), call.timeout).await;
        let error = match answer {
            Ok(bytes) if status.is_success() => return Ok(bytes),
            Ok(bytes) => {
                ClientError::Problem(Box::new(Problem { retry_after_secs: retry_after, ..problem_of(status, &bytes) }))
            }
            Err(error) => error,
        };
        Err(Failure { error, unsent: false, retry_after })
    }
}

/// Why one attempt failed.
struct Failure {
    error: ClientError,
    /// The request was never sent.
    unsent: bool,
    /// Seconds that the server asked to wait (`Retry-After`).
    retry_after: Option<u64>,
}

/// A connection that was not made, broke, or brought no answer in time.
fn broken(error: &reqwest::Error, url: String, timeout: Duration) -> ClientError {
    if error.is_timeout() && !error.is_connect() {
        return ClientError::Silent { url, secs: timeout.as_secs() };
    }
    ClientError::Unreachable { url, reason: root_cause(error) }
}

/// Reads a body of at most [`MAX_ANSWER_BYTES`].
async fn read_bounded(mut response: reqwest::Response, url: &str, timeout: Duration) -> Result<Bytes> {
    let mut body = Vec::new();
    loop {
        let chunk = response.chunk().await.map_err(|error| broken(&error, url.to_owned(), timeout))?;
        let Some(chunk) = chunk else { return Ok(body.into()) };
        if body.len() + chunk.len() > MAX_ANSWER_BYTES {
            return Err(ClientError::Unreadable {
                url: url.to_owned(),
                reason: format!("it is longer than {MAX_ANSWER_BYTES} bytes"),
            });
        }
        body.extend_from_slice(&chunk);
    }
}

/// The server's problem, or one made from the bare status when something else answered (a proxy, say).
fn problem_of(status: StatusCode, body: &[u8]) -> Problem {
    let mut problem = serde_json::from_slice::<Problem>(body).unwrap_or_else(|_| Problem {
        r#type: "about:blank".to_owned(),
        title: status.canonical_reason().unwrap_or("Error").to_owned(),
        status: status.as_u16(),
        detail: format!("the server answered with status {status} and no explanation"),
        code: format!("http_{}", status.as_u16()),
        retryable: matches!(status.as_u16(), 429 | 502 | 503 | 504),
        request_id: String::new(),
        errors: Vec::new(),
        receipt: None,
        retry_after_secs: None,
    });
    problem.status = status.as_u16();
    problem
}

/// How long to wait before try number `attempt` (2 = the first repetition); none when the server asks for too long.
fn pause_before(attempt: u32, retry_after: Option<u64>) -> Option<Duration> {
    if let Some(seconds) = retry_after {
        let asked = Duration::from_secs(seconds);
        return (asked <= MAX_PAUSE).then_some(asked);
    }
    let pause = FIRST_PAUSE * 2u32.pow(attempt.saturating_sub(2).min(8));
    // Half of the pause is random, so that many clients do not retry at the same moment.
    let mut random = [0u8; 1];
    getrandom::fill(&mut random).expect("the operating system has randomness");
    Some(pause / 2 + pause / 2 * u32::from(random[0]) / 255)
}

fn header_number(response: &reqwest::Response, name: &str) -> Option<u64> {
    response.headers().get(name)?.to_str().ok()?.parse().ok()
}

#[cfg(test)]
#[path = "http_tests.rs"]
mod tests;
