//! What to ask, and how much patience to have with the answer.

use std::time::Duration;

use bytes::Bytes;
use http::header::{self, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, Method};

use crate::redirect::Hop;
use crate::unpack::ACCEPTED;
use crate::{Error, Limits, Retry, target};

/// Headers that belong to the connection, or that follow from URL and body. Left to a caller they could split one
/// request into two (`Content-Length`, `Transfer-Encoding`) or ask a server for another site than the policy saw (`Host`).
const OURS: [HeaderName; 9] = [
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::EXPECT,
    header::HOST,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    HeaderName::from_static("keep-alive"),
];

/// Redirects followed unless the request says otherwise.
const REDIRECTS: u8 = 10;

/// A request to be sent by a [`Client`](crate::Client).
#[derive(Clone, Debug)]
pub struct Request {
    pub(crate) method: Method,
    pub(crate) url: String,
    headers: HeaderMap,
    body: Bytes,
    pub(crate) limits: Option<Limits>,
    pub(crate) redirects: u8,
    pub(crate) retry: Retry,
    pub(crate) within: Option<Duration>,
    pub(crate) is_traced: bool,
}

impl Request {
    /// A request without body, tried once, with up to 10 redirects.
    pub fn new(method: Method, url: impl Into<String>) -> Self {
        Self {
            method,
            url: url.into(),
            headers: HeaderMap::new(),
            body: Bytes::new(),
            limits: None,
            redirects: REDIRECTS,
            retry: Retry::never(),
            within: None,
            is_traced: true,
        }
    }

    /// Leaves it out of the traces: for what carries them away.
    #[must_use]
    pub fn untraced(self) -> Self {
        Self { is_traced: false, ..self }
    }

    /// A GET request.
    pub fn get(url: impl Into<String>) -> Self {
        Self::new(Method::GET, url)
    }

    /// A POST request.
    pub fn post(url: impl Into<String>) -> Self {
        Self::new(Method::POST, url)
    }

    /// Sets a header, in place of one of the same name. Headers of the connection itself are ignored.
    pub fn header(mut self, name: &str, value: &str) -> Result<Self, Error> {
        let (name, value) = header(name, value)?;
        self.headers.insert(name, value);
        Ok(self)
    }

    /// Sets a header that carries a secret: not shown, and dropped when a redirect leads to another origin.
    pub fn secret_header(mut self, name: &str, value: &str) -> Result<Self, Error> {
        let (name, mut value) = header(name, value)?;
        value.set_sensitive(true);
        self.headers.insert(name, value);
        Ok(self)
    }

    /// Names the effect, so that a server that has seen the name does not repeat it. Every retry carries it.
    pub fn idempotency_key(self, key: &str) -> Result<Self, Error> {
        self.header("idempotency-key", key)
    }

    /// Sets the body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }

    /// Sets the body to a JSON text, and its type unless one is set already.
    #[must_use]
    pub fn json(mut self, value: &serde_json::Value) -> Self {
        self.headers.entry(CONTENT_TYPE).or_insert(HeaderValue::from_static("application/json"));
        self.body(value.to_string())
    }

    /// Bounds other than the client's own.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = Some(limits);
        self
    }

    /// How many redirects to follow; with 0 the redirect itself is the answer.
    #[must_use]
    pub fn redirects(mut self, redirects: u8) -> Self {
        self.redirects = redirects;
        self
    }

    /// When to try again.
    #[must_use]
    pub fn retry(mut self, retry: Retry) -> Self {
        self.retry = retry;
        self
    }

    /// Its method.
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// The URL that will be asked, as the client reads what was written. It holds no user name and no password.
    pub fn target(&self) -> Result<url::Url, Error> {
        target::parse(&self.url).map(|target| target.url)
    }

    /// How long it may take in all, retries and the waits before them included. A wait that would go past it is not
    /// begun: the answer that asked for it stands.
    #[must_use]
    pub fn within(mut self, within: Duration) -> Self {
        self.within = Some(within);
        self
    }

    /// The request with another URL: for a secret that goes into it.
    #[must_use]
    pub fn at(self, url: url::Url) -> Self {
        Self { url: url.into(), ..self }
    }

    /// The headers that were set.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The first hop, and whether a compressed answer is ours to unpack (it is not when the caller asked for one).
    pub(crate) fn first_hop(&self, agent: &HeaderValue) -> Result<(Hop, bool), Error> {
        // A tunnel would reach past the policy; an echo of our own headers would show what they hold.
        if matches!(self.method, Method::CONNECT | Method::TRACE) {
            return Err(Error::Method { method: self.method.to_string() });
        }
        let target = target::parse(&self.url)?;
        let mut headers = self.headers.clone();
        for name in OURS {
            headers.remove(name);
        }
        headers.remove("proxy-connection");
        if let Some(basic) = target.basic {
            headers.entry(header::AUTHORIZATION).or_insert(basic);
        }
        headers.entry(header::USER_AGENT).or_insert_with(|| agent.clone());
        headers.entry(header::ACCEPT).or_insert(HeaderValue::from_static("*/*"));
        // A range counts bytes as sent, so it does not go with compression.
        let unpack = !headers.contains_key(header::ACCEPT_ENCODING) && !headers.contains_key(header::RANGE);
        if unpack {
            headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static(ACCEPTED));
        }
        Ok((Hop { method: self.method.clone(), url: target.url, headers, body: self.body.clone() }, unpack))
    }
}

fn header(name: &str, value: &str) -> Result<(HeaderName, HeaderValue), Error> {
    let invalid = || Error::Header { name: name.to_owned() };
    let parsed = HeaderName::from_bytes(name.as_bytes()).map_err(|_| invalid())?;
    Ok((parsed, HeaderValue::from_bytes(value.as_bytes()).map_err(|_| invalid())?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const AGENT: HeaderValue = HeaderValue::from_static("test/1");

    #[test]
    fn headers_of_the_connection_are_not_the_callers() {
        let mut request = Request::get("a.example");
        for name in OURS.iter().map(HeaderName::as_str).chain(["proxy-connection"]) {
            request = request.header(name, "1").expect(name);
        }
        let (hop, _) = request.header("X-Mine", "1").expect("a header").first_hop(&AGENT).expect("a hop");
        let mut names: Vec<_> = hop.headers.keys().map(HeaderName::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["accept", "accept-encoding", "user-agent", "x-mine"]);
    }

    #[test]
    fn the_callers_headers_win() {
        let request = Request::get("http://ada:pw@a.example")
            .header("User-Agent", "mine")
            .and_then(|request| request.header("Accept-Encoding", "br"))
            .and_then(|request| request.secret_header("Authorization", "Bearer x"))
            .expect("headers");
        let (hop, unpack) = request.first_hop(&AGENT).expect("a hop");
        assert!(!unpack);
        assert_eq!(hop.headers["user-agent"], "mine");
        assert_eq!(hop.headers["authorization"], "Bearer x");
        assert!(!format!("{request:?}").contains("Bearer"));
    }

    #[test]
    fn headers_that_would_end_the_line_are_refused() {
        for (name, value) in [("a b", "x"), ("", "x"), ("a:", "x"), ("a\r\nb", "x"), ("a", "x\r\nb: y"), ("a", "x\0")] {
            let error = Request::get("a.example").header(name, value).expect_err("refused");
            assert_eq!(error, Error::Header { name: name.to_owned() });
        }
    }

    #[test]
    fn tunnels_and_echoes_are_refused() {
        for method in [Method::CONNECT, Method::TRACE] {
            let error = Request::new(method.clone(), "a.example").first_hop(&AGENT).expect_err("refused");
            assert_eq!(error, Error::Method { method: method.to_string() });
        }
    }
}
