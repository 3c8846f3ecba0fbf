//! Answers whose bytes never change while the server runs: compressed once, told apart by a tag.

use crate::call::{Input, Reading};
use axum::body::Body;
use axum::response::Response;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use bytes::Bytes;
use flate2::Compression;
use flate2::bufread::{GzDecoder, GzEncoder};
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, ETAG, IF_NONE_MATCH, VARY};
use http::{HeaderMap, HeaderValue, StatusCode};
use sha2::{Digest, Sha256};
use std::io::Read;

/// Bytes as they are and compressed, with their type and tag.
#[derive(Clone)]
pub struct Prepared {
    content_type: HeaderValue,
    plain: Bytes,
    gzip: Bytes,
    /// Weak: it stands for both encodings (RFC 9110, 8.8.3.3).
    tag: HeaderValue,
}

impl Prepared {
    /// Compresses them as far as it goes; a tenth of a second for a megabyte.
    pub fn new(content_type: HeaderValue, plain: Bytes) -> Self {
        let mut gzip = Vec::new();
        let read = GzEncoder::new(&*plain, Compression::best()).read_to_end(&mut gzip);
        read.expect("memory can always be read");
        let tag = tag(&plain);
        Self { content_type, plain, gzip: gzip.into(), tag }
    }

    /// Of bytes that are compressed already. `None` when they are not.
    pub fn of_gzip(content_type: HeaderValue, gzip: Bytes) -> Option<Self> {
        let mut plain = Vec::new();
        GzDecoder::new(&*gzip).read_to_end(&mut plain).ok()?;
        let tag = tag(&plain);
        Some(Self { content_type, plain: plain.into(), gzip, tag })
    }

    /// The answer: the bytes in an encoding that is wanted, or that they are still the same.
    pub fn answer(&self, wanted: &Wanted) -> Response {
        let mut response = Response::new(Body::empty());
        let is_known = wanted.knows(self.tag.as_bytes());
        if is_known {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
        } else {
            *response.body_mut() = if wanted.takes_gzip { self.gzip.clone() } else { self.plain.clone() }.into();
        }
        let headers = response.headers_mut();
        headers.insert(ETAG, self.tag.clone());
        headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
        if !is_known {
            headers.insert(CONTENT_TYPE, self.content_type.clone());
            if wanted.takes_gzip {
                headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            }
        }
        response
    }
}

fn tag(bytes: &[u8]) -> HeaderValue {
    let digest = BASE64_URL_SAFE_NO_PAD.encode(&Sha256::digest(bytes)[..12]);
    HeaderValue::try_from(format!("W/\"{digest}\"")).expect("base64 makes a header value")
}

/// What a request says about the bytes it wants.
#[derive(Debug, Default)]
pub struct Wanted {
    takes_gzip: bool,
    known: Option<HeaderValue>,
}

impl Wanted {
    /// What these headers say.
    pub fn of(headers: &HeaderMap) -> Self {
        let encodings = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|line| line.to_str().ok());
        let takes_gzip = encodings.flat_map(|line| line.split(',')).any(takes_gzip);
        Self { takes_gzip, known: headers.get(IF_NONE_MATCH).cloned() }
    }

    /// RFC 9110, 13.1.2, with the weak comparison.
    fn knows(&self, tag: &[u8]) -> bool {
        let strong = |tag: &[u8]| tag.strip_prefix(b"W/").unwrap_or(tag).to_owned();
        let listed = |known: &HeaderValue| {
            let mut tags = known.as_bytes().split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
            tags.any(|known| known == b"*" || strong(known) == strong(tag))
        };
        self.known.as_ref().is_some_and(listed)
    }
}

impl Input for Wanted {
    fn read(request: &mut Reading) -> Option<Self> {
        Some(Self::of(&request.parts.headers))
    }
}

/// Whether one member of `Accept-Encoding` asks for gzip.
fn takes_gzip(member: &str) -> bool {
    let (name, parameters) = member.split_once(';').unwrap_or((member, ""));
    let weight = parameters.split(';').find_map(|parameter| parameter.trim().strip_prefix("q="));
    let is_refused = weight.is_some_and(|weight| weight.trim().parse() == Ok(0.0));
    ["gzip", "x-gzip"].iter().any(|known| name.trim().eq_ignore_ascii_case(known)) && !is_refused
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(name: http::HeaderName, value: &'static str) -> Wanted {
        Wanted::of(&HeaderMap::from_iter([(name, HeaderValue::from_static(value))]))
    }

    #[test]
    fn gzip_is_for_those_who_name_it() {
        for (value, expected) in [
            ("gzip", true),
            ("br, GZIP;q=0.5", true),
            ("x-gzip", true),
            ("gzip;q=0", false),
            ("gzip; q=0.000", false),
            ("identity", false),
            ("*", false),
            ("", false),
        ] {
            assert_eq!(wanted(ACCEPT_ENCODING, value).takes_gzip, expected, "{value}");
        }
    }

    #[test]
    fn known_bytes_are_not_sent_again() {
        for (value, expected) in [
            ("W/\"a\"", true),
            ("\"a\"", true),
            ("\"b\", W/\"a\"", true),
            ("*", true),
            ("\"b\"", false),
            ("a", false),
            ("", false),
        ] {
            assert_eq!(wanted(IF_NONE_MATCH, value).knows(b"W/\"a\""), expected, "{value}");
        }
    }

    #[test]
    fn what_was_compressed_elsewhere_is_the_same_here() {
        let kind = HeaderValue::from_static("text/plain");
        let here = Prepared::new(kind.clone(), Bytes::from_static(b"looms"));
        let elsewhere = Prepared::of_gzip(kind.clone(), here.gzip.clone()).unwrap();
        assert_eq!((&elsewhere.plain, &elsewhere.tag), (&here.plain, &here.tag));
        assert!(Prepared::of_gzip(kind, Bytes::from_static(b"looms")).is_none());
    }
}
