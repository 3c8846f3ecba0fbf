//! The client: redirects, retries and bounds around connections that the dialer makes.

use std::error::Error as StdError;
use std::io;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use heddle_fault as fault;
use http::{HeaderValue, StatusCode, header};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper_util::client::legacy;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::pki_types::CertificateDer;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};
use tracing::field::Empty;
use tracing::{Instrument, Span, debug, info_span};

use crate::body::late;
use crate::dial::Dialer;
use crate::redirect::{self, Hop};
use crate::retry::retry_after;
use crate::unpack::Coding;
use crate::{
    Body, Connect, Error, Limits, Policy, Request, Resolve, Response, Streaming, SystemConnector, SystemResolver, tls,
};

/// How long an unused connection is kept, and how many to one host: as many as slow calls to a model go on at once.
const IDLE: Duration = Duration::from_secs(60);
const IDLE_PER_HOST: usize = 256;

/// Bytes of an answer's head.
const HEAD: u32 = 256 * 1024;

/// What a client is made of.
pub struct Options {
    /// Which addresses may be dialled.
    pub policy: Policy,
    /// Who knows the addresses of a name.
    pub resolver: Arc<dyn Resolve>,
    /// Who makes the connection to an address that was found good.
    pub connector: Arc<dyn Connect>,
    /// How long a connection may take, name and handshake included.
    pub connect: Duration,
    /// Bounds of requests that bring none.
    pub limits: Limits,
    /// What the client calls itself unless a request does.
    pub user_agent: HeaderValue,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            policy: Policy::default(),
            resolver: Arc::new(SystemResolver),
            connector: Arc::new(SystemConnector),
            connect: Duration::from_secs(10),
            limits: Limits::default(),
            user_agent: HeaderValue::from_static(concat!("heddle/", env!("CARGO_PKG_VERSION"))),
        }
    }
}

/// Sends requests. Clones share connections.
#[derive(Clone)]
pub struct Client(Arc<Inner>);

struct Inner {
    http: legacy::Client<Dialer, Full<Bytes>>,
    dialer: Dialer,
    limits: Limits,
    user_agent: HeaderValue,
    /// Roots to trust beside those that browsers trust; none outside of tests.
    extra: Vec<CertificateDer<'static>>,
}

impl Client {
    /// A client that trusts the roots browsers trust.
    pub fn new(options: Options) -> Self {
        Self::trusting(options, Vec::new())
    }

    /// A client that trusts `extra` roots too; public only to this crate, whose tests have certificates of their own.
    pub(crate) fn trusting(options: Options, extra: Vec<CertificateDer<'static>>) -> Self {
        let dialer = Dialer::new(
            options.policy,
            options.resolver,
            options.connector,
            options.connect,
            tls::config(extra.clone()),
        );
        let http = legacy::Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .pool_max_idle_per_host(IDLE_PER_HOST)
            .http1_max_buf_size(HEAD as usize)
            .http2_max_header_list_size(HEAD)
            .build(dialer.clone());
        Self(Arc::new(Inner { http, dialer, limits: options.limits, user_agent: options.user_agent, extra }))
    }

    /// Sends a request and reads the whole answer. Any status is an answer.
    pub async fn send(&self, request: &Request) -> Result<Response, Error> {
        let span = span(request);
        let whole = async { self.ask(request).await?.whole().await };
        let answer = whole.instrument(span.clone()).await;
        note(&span, answer.as_ref().map(|answer| answer.status));
        answer
    }

    /// Sends a request and hands over the answer once its head is here.
    pub async fn open(&self, request: &Request) -> Result<Streaming, Error> {
        let span = span(request);
        let answer = self.ask(request).instrument(span.clone()).await;
        note(&span, answer.as_ref().map(|answer| answer.status));
        answer
    }

    async fn ask(&self, request: &Request) -> Result<Streaming, Error> {
        let (hop, unpack) = request.first_hop(&self.0.user_agent)?;
        let until = request.within.map(|within| Instant::now() + within);
        let ask = || self.0.attempt(hop.clone(), unpack, request, until);
        let outcome = |answer: &Streaming| (answer.status, retry_after(&answer.headers, SystemTime::now()));
        request.retry.run(until, ask, outcome).await
    }

    /// A plain connection to speak something else than HTTP over, under the same policy.
    pub async fn dial(&self, host: &str, port: u16) -> Result<TcpStream, Error> {
        self.0.dialer.tcp(host, port).await
    }

    /// The same connection, secured; `host` has to prove its name. For protocols that begin in clear.
    pub async fn secure(
        &self,
        host: &str,
        stream: TcpStream,
    ) -> Result<impl AsyncRead + AsyncWrite + Send + Unpin + use<>, Error> {
        self.0.dialer.secure(host, stream).await
    }

    pub(crate) fn dialer(&self) -> &Dialer {
        &self.0.dialer
    }

    pub(crate) fn extra_roots(&self) -> &[CertificateDer<'static>] {
        &self.0.extra
    }

    /// The policy, for those who must say no before there is a request.
    pub fn policy(&self) -> &Policy {
        self.0.dialer.policy()
    }
}

impl Inner {
    /// One attempt with all its redirects.
    async fn attempt(
        &self,
        mut hop: Hop,
        unpack: bool,
        request: &Request,
        until: Option<Instant>,
    ) -> Result<Streaming, Error> {
        let begun = Instant::now();
        let mut limits = request.limits.unwrap_or(self.limits);
        if let Some(until) = until {
            limits.whole = limits.whole.min(until.saturating_duration_since(begun));
        }
        let deadline = begun + limits.whole;
        let mut followed = 0;
        loop {
            let (parts, body) = self.exchange(&hop, limits, deadline).await?.into_parts();
            debug!(
                outbound.host = hop.host(),
                outbound.status = parts.status.as_u16(),
                outbound.ms = begun.elapsed().as_millis() as u64,
                "{} answered {}",
                hop.host(),
                parts.status.as_u16()
            );
            let location = redirect::location(parts.status, &parts.headers).filter(|_| request.redirects > 0);
            let Some(location) = location else { return Ok(streaming(&hop, parts, body, limits, deadline, unpack)) };
            if followed == request.redirects {
                return Err(Error::Redirects { host: hop.host().to_owned(), limit: request.redirects });
            }
            hop.follow(parts.status, location)?;
            followed += 1;
        }
    }

    /// One request and the head of its answer.
    async fn exchange(&self, hop: &Hop, limits: Limits, deadline: Instant) -> Result<http::Response<Incoming>, Error> {
        let mut message = http::Request::new(Full::new(hop.body.clone()));
        *message.method_mut() = hop.method.clone();
        *message.uri_mut() =
            hop.url.as_str().parse().map_err(|_| Error::Url { reason: "it holds forbidden characters".to_owned() })?;
        *message.headers_mut() = hop.headers.clone();

        let failed = |fault: fault::Fault| Error::Broken { host: hop.host().to_owned(), reason: fault.to_string() };
        fault::point!("outbound.send.before").map_err(failed)?;
        // The dialer bounds the connection itself; whoever waits here waits for it and then for the peer.
        let silence = Instant::now() + self.dialer.patience() + limits.read;
        let answer = timeout_at(silence.min(deadline), self.http.request(message)).await;
        fault::point!("outbound.send.after").map_err(failed)?;
        match answer {
            Ok(answer) => answer.map_err(|error| broken(hop.host(), &error)),
            Err(_) => Err(late(hop.host(), &limits, deadline <= silence)),
        }
    }
}

/// What traces tell of a request: where to, never what.
fn span(request: &Request) -> Span {
    if !request.is_traced {
        return Span::none();
    }
    let span = info_span!(
        "outbound",
        otel.kind = "client",
        otel.status_code = Empty,
        http.request.method = %request.method,
        server.address = Empty,
        http.response.status_code = Empty,
    );
    if !span.is_disabled()
        && let Ok(url) = url::Url::parse(&request.url)
    {
        span.record("server.address", url.host_str());
    }
    span
}

fn note(span: &Span, answer: Result<StatusCode, &Error>) {
    match answer {
        Ok(status) => span.record("http.response.status_code", status.as_u16()),
        Err(_) => span.record("otel.status_code", "ERROR"),
    };
}

fn streaming(
    hop: &Hop,
    mut parts: http::response::Parts,
    body: Incoming,
    limits: Limits,
    deadline: Instant,
    unpack: bool,
) -> Streaming {
    let mut named = parts.headers.get_all(header::CONTENT_ENCODING).iter();
    let coding = match (named.next(), named.next()) {
        (Some(only), None) if unpack => Coding::named(only.as_bytes()),
        _ => None,
    };
    if coding.is_some() {
        parts.headers.remove(header::CONTENT_ENCODING);
        parts.headers.remove(header::CONTENT_LENGTH);
    }
    let body = Body::new(body, hop.host().into(), limits, deadline, coding);
    Streaming { status: parts.status, headers: parts.headers, url: hop.url.as_str().to_owned(), body }
}

/// What broke: our own error when the dialer made one, else the innermost description that names no address.
pub(crate) fn broken<'a>(host: &str, error: &'a (dyn StdError + 'static)) -> Error {
    let chain = || std::iter::successors(Some(error), |error: &&'a (dyn StdError + 'static)| (**error).source());
    if let Some(own) = chain().find_map(|error| error.downcast_ref::<Error>()) {
        return own.clone();
    }
    let by_system = chain().find_map(|error| error.downcast_ref::<io::Error>()).map(|error| error.kind().to_string());
    let by_http = chain().find_map(|error| error.downcast_ref::<hyper::Error>()).map(ToString::to_string);
    let reason = by_system.or(by_http).unwrap_or_else(|| "it was closed".to_owned());
    Error::Broken { host: host.to_owned(), reason }
}
