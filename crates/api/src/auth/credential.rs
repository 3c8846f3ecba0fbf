//! From headers to a principal (`auth.md` 2.3 and 3).

use super::address::client_address;
use crate::app::App;
use crate::error::ApiError;
use heddle_platform::Principal;
use http::header::AUTHORIZATION;
use http::request::Parts;
use http::{HeaderMap, HeaderValue};
use std::time::Instant;

/// Who is asking. `X-API-Key` wins; a bearer token is not tried beside it.
pub async fn authenticate(app: &App, parts: &Parts) -> Result<Principal, ApiError> {
    let credential = Credential::of(&parts.headers).ok_or(ApiError::NoCredential)?;
    let known = match credential.key() {
        Some(key) => app.platform.keys.authenticate(key).await?,
        None => None,
    };
    known.ok_or_else(|| {
        let address = client_address(parts, app.settings.trusted_proxy_count);
        if app.failures.count(address, credential.bytes(), Instant::now()) {
            ApiError::TooManyFailures
        } else {
            ApiError::BadCredential(credential.refusal())
        }
    })
}

enum Credential<'a> {
    Key(&'a HeaderValue),
    Bearer(&'a [u8]),
}

impl<'a> Credential<'a> {
    fn of(headers: &'a HeaderMap) -> Option<Self> {
        if let Some(key) = headers.get("x-api-key").filter(|key| !key.is_empty()) {
            return Some(Self::Key(key));
        }
        let (scheme, token) = split(headers.get(AUTHORIZATION)?.as_bytes())?;
        (scheme.eq_ignore_ascii_case(b"bearer") && !token.is_empty()).then_some(Self::Bearer(token))
    }

    fn bytes(&self) -> &'a [u8] {
        match self {
            Self::Key(key) => key.as_bytes(),
            Self::Bearer(token) => token,
        }
    }

    /// What may be an API key. Tokens share its first letters, and this release issues none.
    fn key(&self) -> Option<&'a str> {
        let text = std::str::from_utf8(self.bytes()).ok()?;
        let token = text.starts_with("agpt_xt_") && matches!(self, Self::Bearer(_));
        (text.starts_with("agpt_") && !token).then_some(text)
    }

    fn refusal(&self) -> &'static str {
        match self {
            Self::Key(_) => "Invalid API key",
            Self::Bearer(_) => "Invalid token: access token not found",
        }
    }
}

fn split(header: &[u8]) -> Option<(&[u8], &[u8])> {
    let space = header.iter().position(|byte| *byte == b' ')?;
    Some((&header[..space], header[space + 1..].trim_ascii()))
}
