//! Whether a request that can change something was made by a page of ours.
//!
//! `Sec-Fetch-Site` says so in every browser of today, but only over https and on this machine, and no page can forge it.
//! Where it is missing, or somebody typed the address, `Origin` decides when it is our own; else a token must be there that
//! only a page of ours could read. `Origin: null` says nothing: browsers send it for our own pages too under a strict
//! referrer policy.

use crate::app::App;
use crate::error::ApiError;
use crate::unrouted::origin;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use http::header::ORIGIN;
use http::request::Parts;
use sha2::Sha256;
use subtle::ConstantTimeEq;

/// What forms of one session, or of one visitor's browser, carry: it follows from the cookie and does not tell it.
#[derive(Clone, PartialEq, Eq)]
pub struct FormToken(String);

impl FormToken {
    /// The token that belongs to a cookie's value.
    pub fn of(cookie: &str) -> Self {
        let mut mac = Hmac::<Sha256>::new_from_slice(cookie.as_bytes()).expect("any key will do");
        mac.update(b"heddle form");
        Self(URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
    }

    /// For the field `csrf` of a form, or the header `X-CSRF-Token`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn is(&self, given: &str) -> bool {
        self.0.as_bytes().ct_eq(given.as_bytes()).into()
    }
}

impl std::fmt::Debug for FormToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FormToken(…)")
    }
}

/// Refuses what a page of another site made. `field` is what a form carried.
pub fn check(app: &App, parts: &Parts, expected: &FormToken, field: Option<&str>) -> Result<(), ApiError> {
    if parts.method.is_safe() {
        return Ok(());
    }
    let header = |name: &str| parts.headers.get(name).map(|value| value.as_bytes());
    match header("sec-fetch-site") {
        Some(b"same-origin") => return Ok(()),
        None | Some(b"none") => {}
        Some(_) => return Err(ApiError::ForeignPage),
    }
    let own = origin(app, &parts.uri, &parts.headers);
    let is_ours = |origin: &[u8]| !own.is_empty() && origin.eq_ignore_ascii_case(own.as_bytes());
    match header(ORIGIN.as_str()) {
        Some(origin) if is_ours(origin) => return Ok(()),
        None | Some(b"null") => {}
        Some(_) => return Err(ApiError::ForeignPage),
    }
    let given = header("x-csrf-token").and_then(|token| std::str::from_utf8(token).ok()).or(field);
    if given.is_some_and(|token| expected.is(token)) { Ok(()) } else { Err(ApiError::ForeignPage) }
}
