//! What came back.

use std::borrow::Cow;

use bytes::Bytes;
use http::{HeaderMap, StatusCode, header};
use serde::de::DeserializeOwned;

use crate::{Body, Error};

/// An answer whose body is still to be read.
#[derive(Debug)]
#[non_exhaustive]
pub struct Streaming {
    /// The status.
    pub status: StatusCode,
    /// The headers, without those of a compression that was undone.
    pub headers: HeaderMap,
    /// Where the answer came from, after all redirects.
    pub url: String,
    /// The body.
    pub body: Body,
}

/// A whole answer.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Response {
    /// The status.
    pub status: StatusCode,
    /// The headers, without those of a compression that was undone.
    pub headers: HeaderMap,
    /// Where the answer came from, after all redirects.
    pub url: String,
    /// The body.
    pub body: Bytes,
}

impl Streaming {
    /// Reads the body.
    pub async fn whole(self) -> Result<Response, Error> {
        Ok(Response { status: self.status, headers: self.headers, url: self.url, body: self.body.bytes().await? })
    }
}

impl Response {
    /// The media type in lower case, without parameters; empty when none is given.
    pub fn content_type(&self) -> String {
        let value = self.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
    }

    /// The body as text; bytes that are not UTF-8 are replaced.
    pub fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.body)
    }

    /// The body as JSON.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Error> {
        serde_json::from_slice(&self.body).map_err(|_| Error::Json { host: host_of(&self.url).to_owned() })
    }
}

fn host_of(url: &str) -> &str {
    url.split_once("://").map_or(url, |(_, rest)| rest).split(['/', '?']).next().unwrap_or_default()
}
