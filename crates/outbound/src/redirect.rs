//! Where a redirect leads and what goes along.
//!
//! Followed here rather than by the HTTP library because credentials are dropped by our rule. The address behind a
//! redirect needs no check of its own: it is dialled like any other.

use bytes::Bytes;
use http::header::{self, HeaderName};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use url::Url;

use crate::{Error, target};

/// One request of a chain.
#[derive(Clone, Debug)]
pub(crate) struct Hop {
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

const CREDENTIALS: [HeaderName; 3] = [header::AUTHORIZATION, header::PROXY_AUTHORIZATION, header::COOKIE];

const OF_THE_BODY: [HeaderName; 4] =
    [header::CONTENT_TYPE, header::CONTENT_ENCODING, header::CONTENT_LANGUAGE, header::CONTENT_LOCATION];

/// Where an answer with these headers sends the client, if anywhere.
pub(crate) fn location(status: StatusCode, headers: &HeaderMap) -> Option<&HeaderValue> {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308).then(|| headers.get(header::LOCATION)).flatten()
}

impl Hop {
    pub(crate) fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }

    /// Turns this hop into the next one.
    pub(crate) fn follow(&mut self, status: StatusCode, location: &HeaderValue) -> Result<(), Error> {
        let invalid = || Error::Location { host: self.host().to_owned() };
        let location = std::str::from_utf8(location.as_bytes()).map_err(|_| invalid())?;
        let next = target::join(&self.url, location)?;
        // The default ports count as written, so http://a and http://a:80 are one origin.
        if next.origin() != self.url.origin() {
            let secret: Vec<_> =
                self.headers.iter().filter(|(_, value)| value.is_sensitive()).map(|(name, _)| name.clone()).collect();
            for name in secret.into_iter().chain(CREDENTIALS) {
                self.headers.remove(name);
            }
        }
        let to_get = match status.as_u16() {
            303 => !matches!(self.method, Method::GET | Method::HEAD),
            // What every browser does, against the letter of the first standard.
            301 | 302 => self.method == Method::POST,
            _ => false,
        };
        if to_get {
            self.method = Method::GET;
            self.body = Bytes::new();
            for name in OF_THE_BODY {
                self.headers.remove(name);
            }
        }
        self.url = next;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hop(method: &str, url: &str) -> Hop {
        let mut headers = HeaderMap::new();
        for name in ["authorization", "proxy-authorization", "cookie", "content-type", "x-plain"] {
            headers.insert(name, HeaderValue::from_static("v"));
        }
        let mut secret = HeaderValue::from_static("v");
        secret.set_sensitive(true);
        headers.insert("x-api-key", secret);
        Hop {
            method: method.parse().expect("a method"),
            url: Url::parse(url).expect("a url"),
            headers,
            body: Bytes::from_static(b"body"),
        }
    }

    fn follow(hop: &mut Hop, status: u16, location: &'static str) -> Result<(), Error> {
        hop.follow(StatusCode::from_u16(status).expect("a status"), &HeaderValue::from_static(location))
    }

    #[test]
    fn credentials_stay_with_their_origin() {
        for (from, to, kept) in [
            ("https://a.example/x", "/y", true),
            ("https://a.example/x", "https://A.example:443/y", true),
            ("http://a.example:80/x", "http://a.example/y", true),
            ("https://a.example/x", "http://a.example/x", false),
            ("http://a.example/x", "https://a.example/x", false),
            ("https://a.example/x", "https://a.example:444/x", false),
            ("https://a.example/x", "https://b.a.example/x", false),
            ("https://b.a.example/x", "https://a.example/x", false),
            ("https://a.example/x", "//a.example./x", false),
        ] {
            let mut hop = hop("GET", from);
            follow(&mut hop, 302, to).expect(to);
            for name in ["authorization", "proxy-authorization", "cookie", "x-api-key"] {
                assert_eq!(hop.headers.contains_key(name), kept, "{from} to {to}: {name}");
            }
            assert!(hop.headers.contains_key("x-plain"));
        }
    }

    #[test]
    fn dropped_credentials_do_not_come_back() {
        let mut hop = hop("GET", "https://a.example/");
        follow(&mut hop, 302, "https://b.example/").expect("away");
        follow(&mut hop, 302, "https://a.example/").expect("and back");
        assert!(!hop.headers.contains_key("authorization"));
    }

    #[test]
    fn methods_follow_the_status() {
        for (status, method, next) in [
            (301, "POST", "GET"),
            (302, "POST", "GET"),
            (303, "POST", "GET"),
            (307, "POST", "POST"),
            (308, "POST", "POST"),
            (301, "PUT", "PUT"),
            (302, "DELETE", "DELETE"),
            (303, "PUT", "GET"),
            (303, "HEAD", "HEAD"),
            (301, "HEAD", "HEAD"),
            (308, "PATCH", "PATCH"),
            (303, "GET", "GET"),
        ] {
            let mut hop = hop(method, "https://a.example/");
            follow(&mut hop, status, "/next").expect("a path");
            assert_eq!(hop.method.as_str(), next, "{status} after {method}");
            let dropped = method != "GET" && next == "GET";
            assert_eq!(hop.body.is_empty(), dropped, "{status} after {method}");
            assert_eq!(!hop.headers.contains_key("content-type"), dropped, "{status} after {method}");
        }
    }

    #[test]
    fn only_redirects_with_a_location_lead_on() {
        let mut headers = HeaderMap::new();
        for status in [301, 302, 303, 307, 308] {
            assert_eq!(location(StatusCode::from_u16(status).expect("a status"), &headers), None);
        }
        headers.insert("location", HeaderValue::from_static("/"));
        for (status, leads) in [(200, false), (201, false), (300, false), (301, true), (304, false), (305, false)] {
            let status = StatusCode::from_u16(status).expect("a status");
            assert_eq!(location(status, &headers).is_some(), leads, "{status}");
        }
    }
}
