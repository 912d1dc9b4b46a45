//! One file over `http` or `https`: bounded, retried, resumed.

use crate::FetchReason;
use reqwest::{
    StatusCode, Url,
    blocking::{Client, ClientBuilder, Response},
    header,
};
use std::{
    error::Error as _,
    io::{self, Read},
    sync::OnceLock,
    thread,
    time::Duration,
};

/// How patient to be with servers.
#[derive(Debug, Clone)]
pub struct HttpSettings {
    /// Until a connection is made.
    pub connect_timeout: Duration,
    /// Without a byte coming in.
    pub read_timeout: Duration,
    /// Requests after the first one that failed.
    pub retries: u32,
    /// Before the first retry; doubled before each further one.
    pub backoff: Duration,
    /// Downloads at the same time.
    pub parallel: usize,
}

impl Default for HttpSettings {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(20),
            read_timeout: Duration::from_secs(60),
            retries: 3,
            backoff: Duration::from_millis(500),
            parallel: 8,
        }
    }
}

/// The longest that a server may ask to wait.
const MAX_WAIT: Duration = Duration::from_secs(30);

/// Takes the bytes of a download.
pub(crate) trait Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()>;
    /// Forgets everything: the download begins again.
    fn restart(&mut self) -> io::Result<()>;
}

impl Sink for Vec<u8> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.extend_from_slice(bytes);
        Ok(())
    }

    fn restart(&mut self) -> io::Result<()> {
        self.clear();
        Ok(())
    }
}

/// Why a download did not succeed.
pub(crate) enum GetError {
    /// The server or the network.
    Reason(FetchReason),
    /// The place it was to be written to.
    Sink(io::Error),
}

/// What is asked for.
pub(crate) struct Get<'a> {
    pub(crate) url: &'a Url,
    /// The size that the repository states.
    pub(crate) size: Option<u64>,
    /// The most that is taken when no size is stated.
    pub(crate) limit: u64,
    /// Told before each retry: the number of the coming attempt, and the reason.
    pub(crate) on_retry: &'a dyn Fn(u32, &FetchReason),
}

enum Failure {
    Final(GetError),
    Again(FetchReason, Option<Duration>),
}

/// What came in so far, and what proves that the rest belongs to it.
#[derive(Default)]
struct Partial {
    received: u64,
    validator: Option<header::HeaderValue>,
}

/// Makes requests. The client is made when it is first needed: it reads the system's certificates.
pub(crate) struct Http {
    settings: HttpSettings,
    client: OnceLock<Result<Client, String>>,
    plain: OnceLock<Result<Client, String>>,
}

impl Http {
    pub(crate) fn new(settings: HttpSettings) -> Self {
        Self { settings, client: OnceLock::new(), plain: OnceLock::new() }
    }

    pub(crate) fn settings(&self) -> &HttpSettings {
        &self.settings
    }

    /// Downloads into `sink`; the length.
    pub(crate) fn get(&self, get: &Get<'_>, sink: &mut dyn Sink) -> Result<u64, GetError> {
        let client = self.client(get.url).map_err(GetError::Reason)?;
        let mut partial = Partial::default();
        let mut wait = self.settings.backoff;
        for attempt in 1.. {
            match attempt_once(client, get, &mut partial, sink) {
                Ok(()) => break,
                Err(Failure::Final(error)) => return Err(error),
                Err(Failure::Again(reason, _)) if attempt > self.settings.retries => {
                    return Err(GetError::Reason(reason));
                }
                Err(Failure::Again(reason, asked)) => {
                    (get.on_retry)(attempt + 1, &reason);
                    thread::sleep(asked.map_or(wait, |asked| asked.min(MAX_WAIT)));
                    wait = wait.saturating_mul(2);
                }
            }
        }
        Ok(partial.received)
    }

    fn client(&self, url: &Url) -> Result<&Client, FetchReason> {
        let client = self.client.get_or_init(|| self.builder().build().map_err(|e| describe(&e)));
        match client {
            Ok(client) => Ok(client),
            // a machine without certificates can still use plain http
            Err(_) if url.scheme() == "http" => self
                .plain
                .get_or_init(|| self.builder().tls_certs_only([]).build().map_err(|e| describe(&e)))
                .as_ref()
                .map_err(|e| FetchReason::Connection(e.clone())),
            Err(e) => Err(FetchReason::Trust(e.clone())),
        }
    }

    fn builder(&self) -> ClientBuilder {
        // fails when the process has one already, which is as good
        let _ = rustls::crypto::ring::default_provider().install_default();
        Client::builder()
            .user_agent(concat!("strata/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(self.settings.connect_timeout)
            // of a blocking client this is the time without progress, not of the whole transfer
            .timeout(self.settings.read_timeout)
    }
}

fn attempt_once(
    client: &Client,
    get: &Get<'_>,
    partial: &mut Partial,
    sink: &mut dyn Sink,
) -> Result<(), Failure> {
    let limit = get.size.unwrap_or(get.limit);
    let mut request = client.get(get.url.clone());
    match &partial.validator {
        Some(validator) if partial.received > 0 => {
            request = request
                .header(header::RANGE, format!("bytes={}-", partial.received))
                .header(header::IF_RANGE, validator);
        }
        _ => restart(partial, sink)?,
    }
    let mut response = request.send().map_err(|e| Failure::Again(connection(&e), None))?;
    if response.status() == StatusCode::PARTIAL_CONTENT {
        if !continues(&response, partial.received) {
            restart(partial, sink)?;
            return Err(Failure::Again(FetchReason::Status(206), None));
        }
    } else {
        check_status(&response)?;
        restart(partial, sink)?;
        partial.validator = validator(&response);
    }
    if let Some(length) = response.content_length() {
        let total = partial.received.saturating_add(length);
        check_length(get.size, total, limit)?;
    }
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let n = match response.read(&mut buffer) {
            Ok(0) => break,
            Ok(n) => n,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
            Err(e) => return Err(Failure::Again(broken(&e), None)),
        };
        partial.received += n as u64;
        if partial.received > limit {
            check_length(get.size, partial.received, limit)?;
        }
        let chunk = buffer.get(..n).unwrap_or_default();
        sink.write(chunk).map_err(|e| Failure::Final(GetError::Sink(e)))?;
    }
    match get.size {
        // no length was announced, so nothing but this tells that the connection was cut
        Some(size) if partial.received < size => {
            let reason = FetchReason::Size { expected: size, found: partial.received };
            Err(Failure::Again(reason, None))
        }
        _ => Ok(()),
    }
}

fn restart(partial: &mut Partial, sink: &mut dyn Sink) -> Result<(), Failure> {
    *partial = Partial::default();
    sink.restart().map_err(|e| Failure::Final(GetError::Sink(e)))
}

fn check_length(size: Option<u64>, found: u64, limit: u64) -> Result<(), Failure> {
    let reason = match size {
        Some(expected) if expected != found => FetchReason::Size { expected, found },
        None if found > limit => FetchReason::TooLarge(limit),
        _ => return Ok(()),
    };
    Err(Failure::Final(GetError::Reason(reason)))
}

fn check_status(response: &Response) -> Result<(), Failure> {
    let status = response.status();
    if status == StatusCode::OK {
        return Ok(());
    }
    let reason = match status {
        StatusCode::NOT_FOUND | StatusCode::GONE => FetchReason::NotFound,
        _ => FetchReason::Status(status.as_u16()),
    };
    let again = status.is_server_error()
        || matches!(
            status,
            StatusCode::REQUEST_TIMEOUT
                | StatusCode::TOO_MANY_REQUESTS
                | StatusCode::RANGE_NOT_SATISFIABLE
        );
    if !again {
        return Err(Failure::Final(GetError::Reason(reason)));
    }
    let seconds = response.headers().get(header::RETRY_AFTER).and_then(|v| v.to_str().ok());
    let wait = seconds.and_then(|text| text.trim().parse().ok()).map(Duration::from_secs);
    Err(Failure::Again(reason, wait))
}

/// Whether a partial answer begins where the part that is here ends.
fn continues(response: &Response, received: u64) -> bool {
    let range = response.headers().get(header::CONTENT_RANGE).and_then(|v| v.to_str().ok());
    range.is_some_and(|range| range.starts_with(&format!("bytes {received}-")))
}

/// What a server recognises this very content by. A weak tag does not promise equal bytes.
fn validator(response: &Response) -> Option<header::HeaderValue> {
    let headers = response.headers();
    let tag = headers.get(header::ETAG).filter(|tag| tag.as_bytes().starts_with(b"\""));
    tag.or_else(|| headers.get(header::LAST_MODIFIED)).cloned()
}

fn connection(error: &reqwest::Error) -> FetchReason {
    FetchReason::Connection(describe(error))
}

/// The innermost reason of an error: the outer ones repeat the URL, credentials included.
fn describe(error: &reqwest::Error) -> String {
    let what = if error.is_timeout() {
        "the server does not answer in time"
    } else if error.is_connect() {
        "no connection"
    } else if error.is_redirect() {
        "too many redirects"
    } else {
        "the request failed"
    };
    match innermost(error.source()) {
        Some(reason) if !error.is_timeout() => format!("{what}: {reason}"),
        _ => what.to_owned(),
    }
}

fn broken(error: &io::Error) -> FetchReason {
    let inner = error.get_ref().map(|e| e as &(dyn std::error::Error + 'static));
    let reason = innermost(inner).unwrap_or_else(|| error.to_string());
    FetchReason::Connection(format!("the connection broke: {reason}"))
}

fn innermost(mut error: Option<&(dyn std::error::Error + 'static)>) -> Option<String> {
    let mut text = None;
    while let Some(current) = error {
        text = Some(current.to_string());
        error = current.source();
    }
    text
}
