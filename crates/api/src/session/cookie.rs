//! The cookies of a browser: one that is a session, and one that ties a visitor's forms to his browser.
//!
//! Over https, and on this machine, their names begin with `__Host-`: then browsers take them from nobody but this very
//! host, over nothing but a safe connection. Over plain http from elsewhere browsers refuse such names, so plain ones
//! are used there, and nowhere else; the operator is told. They are `SameSite=Lax`, so that a link from elsewhere finds
//! somebody signed in, and a form from elsewhere does not.

use crate::app::App;
use crate::unrouted::origin;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::header::COOKIE;
use http::request::Parts;
use http::{HeaderMap, HeaderValue};
use std::net::IpAddr;

/// How cookies are named and kept for one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cookies {
    is_safe: bool,
}

impl Cookies {
    /// As the way allows on which the request came.
    pub fn of(app: &App, parts: &Parts) -> Self {
        Self { is_safe: is_safe(&origin(app, &parts.uri, &parts.headers)) }
    }

    fn name(self, safe: &'static str) -> &'static str {
        if self.is_safe { safe } else { safe.trim_start_matches("__Host-") }
    }

    fn session_name(self) -> &'static str {
        self.name("__Host-heddle_session")
    }

    fn form_name(self) -> &'static str {
        self.name("__Host-heddle_form")
    }

    /// The session's token.
    pub fn session(self, headers: &HeaderMap) -> Option<&str> {
        find(headers, self.session_name())
    }

    /// What ties a visitor's forms to his browser.
    pub fn form(self, headers: &HeaderMap) -> Option<&str> {
        find(headers, self.form_name())
    }

    /// Has the browser keep a session's token for so long.
    pub fn keep_session(self, token: &str, seconds: i64) -> HeaderValue {
        self.set(self.session_name(), token, &format!("; Max-Age={seconds}"))
    }

    /// Has the browser forget it.
    pub fn forget_session(self) -> HeaderValue {
        self.set(self.session_name(), "", "; Max-Age=0")
    }

    /// A new form cookie, and how the browser is told to keep it until it is closed.
    pub fn new_form(self) -> (String, HeaderValue) {
        let secret = URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>());
        let header = self.set(self.form_name(), &secret, "");
        (secret, header)
    }

    fn set(self, name: &str, value: &str, age: &str) -> HeaderValue {
        let secure = if self.is_safe { "; Secure" } else { "" };
        HeaderValue::try_from(format!("{name}={value}; Path=/{age}; HttpOnly; SameSite=Lax{secure}"))
            .expect("tokens are letters of base64")
    }
}

/// Whether browsers keep what they send to this origin private: by TLS, or because it does not leave the machine.
pub fn is_safe(origin: &str) -> bool {
    origin.starts_with("https://") || origin.strip_prefix("http://").is_some_and(is_loopback)
}

fn is_loopback(authority: &str) -> bool {
    let authority = authority.split('/').next().unwrap_or_default();
    let host = match authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((six, _)) => six,
        None => authority.rsplit_once(':').map_or(authority, |(host, _)| host),
    };
    let name = host.to_ascii_lowercase();
    name == "localhost" || name.ends_with(".localhost") || name.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
}

/// The value of the first cookie of a name; browsers put what was set for the longest path first.
fn find<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let lines = headers.get_all(COOKIE).into_iter().filter_map(|line| line.to_str().ok());
    let pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.into_iter().find(|(key, value)| *key == name && !value.is_empty()).map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_tls_and_this_machine_are_safe() {
        for (origin, expected) in [
            ("https://agents.example.org", true),
            ("http://localhost:8006", true),
            ("http://LOCALHOST", true),
            ("http://heddle.localhost:1", true),
            ("http://127.0.0.1:8006", true),
            ("http://127.9.9.9", true),
            ("http://[::1]:8006", true),
            ("http://[::2]:8006", false),
            ("http://192.168.1.5:8006", false),
            ("http://localhost.example.org", false),
            ("http://127.0.0.1.example.org", false),
            ("", false),
        ] {
            assert_eq!(is_safe(origin), expected, "{origin}");
        }
    }

    #[test]
    fn a_cookie_is_found_by_its_whole_name_among_others() {
        let mut headers = HeaderMap::new();
        headers.append(COOKIE, HeaderValue::from_static("a=1; __Host-heddle_session=x=y; heddle_session=z"));
        headers.append(COOKIE, HeaderValue::from_static("heddle_form=; b"));
        let (safe, plain) = (Cookies { is_safe: true }, Cookies { is_safe: false });
        assert_eq!((safe.session(&headers), plain.session(&headers)), (Some("x=y"), Some("z")));
        assert_eq!((safe.form(&headers), plain.form(&headers)), (None, None));
    }

    #[test]
    fn a_safe_cookie_says_all_that_its_name_demands() {
        let (safe, plain) = (Cookies { is_safe: true }, Cookies { is_safe: false });
        assert_eq!(
            safe.keep_session("t", 60),
            "__Host-heddle_session=t; Path=/; Max-Age=60; HttpOnly; SameSite=Lax; Secure"
        );
        assert_eq!(plain.forget_session(), "heddle_session=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax");
    }
}
