//! From headers to a principal (`auth.md` 2.3 and 3).

use super::address::{client_address, counted};
use crate::app::App;
use crate::error::ApiError;
use heddle_platform::Principal;
use heddle_platform::authorization::rules::token::{Invalid, could_be_access_token};
use http::header::AUTHORIZATION;
use http::request::Parts;
use http::{HeaderMap, HeaderValue};
use std::borrow::Cow;

/// What access tokens must be for, if they are not for everything here.
const RESOURCE: &str = "/external-api/v1";

/// Who is asking. `X-API-Key` wins; a bearer token is not tried beside it. A bearer token may be an API key too, unless it
/// looks like an access token.
pub async fn authenticate(app: &App, parts: &Parts) -> Result<Principal, ApiError> {
    let credential = Credential::of(&parts.headers).ok_or(ApiError::NoCredential)?;
    let refusal: Cow<'static, str> = match credential.check(app).await? {
        Ok(principal) => return Ok(principal),
        Err(refusal) => refusal,
    };
    let address = counted(client_address(parts, app.settings.trusted_proxy_count));
    match app.platform.limiter.is_too_often(address, credential.bytes()) {
        true => Err(ApiError::TooManyFailures),
        false => Err(ApiError::BadCredential(refusal)),
    }
}

/// The bearer token of a request, where there is one.
pub fn presented(headers: &HeaderMap) -> Option<&[u8]> {
    let (scheme, token) = split(headers.get(AUTHORIZATION)?.as_bytes())?;
    (scheme.eq_ignore_ascii_case(b"bearer") && !token.is_empty()).then_some(token)
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
        presented(headers).map(Self::Bearer)
    }

    fn bytes(&self) -> &'a [u8] {
        match self {
            Self::Key(key) => key.as_bytes(),
            Self::Bearer(token) => token,
        }
    }

    /// Whom it speaks for, or what is wrong with it.
    async fn check(&self, app: &App) -> Result<Result<Principal, Cow<'static, str>>, ApiError> {
        // What is no text is neither.
        let text = std::str::from_utf8(self.bytes()).unwrap_or_default();
        let is_token = matches!(self, Self::Bearer(_)) && could_be_access_token(text);
        if !is_token && let Some(principal) = app.platform.keys.authenticate(text).await? {
            return Ok(Ok(principal));
        }
        if matches!(self, Self::Key(_)) {
            return Ok(Err("Invalid API key".into()));
        }
        let server = &app.platform.authorization;
        Ok(match server.bearer(text).await? {
            Ok(bearer) if bearer.access.resources.is_empty() => Ok(bearer.principal.clone()),
            Ok(bearer) if bearer.access.is_for(&server.issuer().at(RESOURCE)) => Ok(bearer.principal.clone()),
            // It opens something else: here it is as good as none.
            Ok(_) => Err(Invalid::NotFound.to_string().into()),
            Err(invalid) => Err(invalid.to_string().into()),
        })
    }
}

fn split(header: &[u8]) -> Option<(&[u8], &[u8])> {
    let space = header.iter().position(|byte| *byte == b' ')?;
    Some((&header[..space], header[space + 1..].trim_ascii()))
}
