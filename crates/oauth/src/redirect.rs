//! Where an application wants people sent back to: which addresses may be registered, which of those a request means,
//! and how an answer is put into one (`auth.md` 5.1, 11.7, 12.5, 12.8; RFC 8252, 7 and 8; RFC 9700, 2.1).
//!
//! A registered address is never parsed and written again: what was registered goes out byte for byte, with the
//! answer appended.

use url::{Host, Url, form_urlencoded};

/// The longest address that is registered.
pub const LONGEST: usize = 2_000;

/// Schemes that run something, show something local or leave the browser by a door that nobody expects.
const REFUSED: [&str; 22] = [
    "about",
    "android-app",
    "blob",
    "chrome",
    "chrome-extension",
    "content",
    "data",
    "file",
    "filesystem",
    "ftp",
    "intent",
    "jar",
    "javascript",
    "mailto",
    "resource",
    "sms",
    "tel",
    "urn",
    "vbscript",
    "view-source",
    "ws",
    "wss",
];

/// Members of an answer: an address that has one already would leave two, and readers disagree on which counts.
const ANSWERS: [&str; 6] = ["code", "state", "error", "error_description", "error_uri", "iss"];

/// What may follow a portless loopback address (RFC 8252, 7.3). By address, not by name: `localhost` may lead elsewhere.
const LOOPBACK: [&str; 2] = ["http://127.0.0.1", "http://[::1]"];

/// Why an address is not registered.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Unfit {
    /// Empty, or longer than [`LONGEST`].
    #[error("must have between 1 and {LONGEST} characters")]
    Length,
    /// Spaces, quotes, backslashes, controls or anything that is not ASCII.
    #[error("contains characters that a URI cannot have")]
    Characters,
    /// Cannot be read as an absolute URI.
    #[error("is not an absolute URI")]
    Relative,
    /// RFC 6749, 3.1.2.
    #[error("must not have a fragment")]
    Fragment,
    /// A scheme that is dangerous to send people to.
    #[error("uses a scheme that is not allowed")]
    Scheme,
    /// Plain HTTP across a network.
    #[error("must use https, except for loopback addresses")]
    Plain,
    /// A name or password in the address.
    #[error("must not contain a user name or password")]
    UserInfo,
    /// No host, or a wildcard in it.
    #[error("must name one host")]
    Host,
    /// A query that names a member of the answer.
    #[error("must not have a query parameter that the answer uses")]
    Answer,
}

/// Whether an address may be registered.
pub fn check(uri: &str) -> Result<(), Unfit> {
    if uri.is_empty() || uri.len() > LONGEST {
        return Err(Unfit::Length);
    }
    if uri.bytes().any(|byte| !byte.is_ascii_graphic() || b"\"'<>\\^`{|}".contains(&byte)) {
        return Err(Unfit::Characters);
    }
    if uri.contains('#') {
        return Err(Unfit::Fragment);
    }
    let url = Url::parse(uri).map_err(|_| Unfit::Relative)?;
    // The parser forgives `https:host` and `HTTPS:\\host`; what is compared byte for byte must not need forgiveness.
    let (scheme, rest) = uri.split_once(':').ok_or(Unfit::Relative)?;
    if REFUSED.contains(&url.scheme()) {
        return Err(Unfit::Scheme);
    }
    if scheme != url.scheme() {
        return Err(Unfit::Relative);
    }
    if url.query_pairs().any(|(name, _)| ANSWERS.contains(&&*name)) {
        return Err(Unfit::Answer);
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Unfit::UserInfo);
    }
    match scheme {
        "https" | "http" => check_host(&url, rest)?,
        _ if rest.trim_start_matches('/').is_empty() && !rest.starts_with("//") => return Err(Unfit::Relative),
        _ => {}
    }
    Ok(())
}

fn check_host(url: &Url, rest: &str) -> Result<(), Unfit> {
    if !rest.starts_with("//") || rest.starts_with("///") {
        return Err(Unfit::Relative);
    }
    let host = url.host().ok_or(Unfit::Host)?;
    if !is_plain(&host) {
        return Err(Unfit::Host);
    }
    match url.scheme() {
        "http" if !is_loopback(&host) => Err(Unfit::Plain),
        _ => Ok(()),
    }
}

/// A name as DNS has them, or an address. The parser lets more through, such as `;`, which means something in the
/// policy that the consent page sends along.
fn is_plain(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte)),
        Host::Ipv4(_) | Host::Ipv6(_) => true,
    }
}

fn is_loopback(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => *name == "localhost" || name.ends_with(".localhost"),
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    }
}

/// Whether a request's address is the registered one: byte for byte, but for the port where a loopback address was
/// registered without one, because a native application gets whatever port is free.
pub fn is_same(registered: &str, presented: &str) -> bool {
    registered == presented || is_same_but_for_port(registered, presented)
}

fn is_same_but_for_port(registered: &str, presented: &str) -> bool {
    LOOPBACK.iter().any(|host| {
        let Some(rest) = registered.strip_prefix(host).filter(|rest| rest.is_empty() || rest.starts_with(['/', '?']))
        else {
            return false;
        };
        let Some(with_port) = presented.strip_prefix(host).and_then(|after| after.strip_prefix(':')) else {
            return false;
        };
        let port = &with_port[..with_port.bytes().take_while(u8::is_ascii_digit).count()];
        let is_port = !port.starts_with('0') && port.parse::<u16>().is_ok();
        is_port && with_port[port.len()..] == *rest
    })
}

/// An address that was found to be registered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Redirect {
    /// Byte for byte as the request or, where it said nothing, the registration has it.
    uri: String,
    /// Whether the request named it: then the token request must too (RFC 6749, 4.1.3).
    was_given: bool,
}

impl Redirect {
    /// The registered address that a request means. One that says nothing means the only one there is. `None` where
    /// nothing fits, and for a scheme that would run something, whoever registered it.
    pub fn find(registered: &[String], given: Option<&str>) -> Option<Self> {
        let (uri, was_given) = match (given, registered) {
            (Some(uri), _) => (uri, true),
            (None, [only]) => (only.as_str(), false),
            (None, _) => return None,
        };
        let is_registered = registered.iter().any(|registered| is_same(registered, uri));
        (is_registered && is_safe(uri)).then(|| Self { uri: uri.to_owned(), was_given })
    }

    /// Byte for byte.
    pub fn uri(&self) -> &str {
        &self.uri
    }

    /// Whether the request named it.
    pub fn was_given(&self) -> bool {
        self.was_given
    }

    /// The address with these parameters after whatever query it has, in this order (`auth.md` 12.10, 8).
    pub fn with<'a>(&self, parameters: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
        // Imported rows may have a fragment; what is appended to one never reaches the application's server.
        let (uri, fragment) = match self.uri.find('#') {
            Some(at) => self.uri.split_at(at),
            None => (self.uri.as_str(), ""),
        };
        let joint = match uri {
            uri if uri.ends_with(['?', '&']) => "",
            uri if uri.contains('?') => "&",
            _ => "?",
        };
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
        format!("{uri}{joint}{query}{fragment}")
    }

    /// Whom the person is being sent to, for the consent page: the host, or the scheme of a native application.
    pub fn shown(&self) -> String {
        match Url::parse(&self.uri) {
            Ok(url) if matches!(url.scheme(), "https" | "http") => match (url.host_str(), url.port()) {
                (Some(host), Some(port)) => format!("{host}:{port}"),
                (Some(host), None) => host.to_owned(),
                (None, _) => String::new(),
            },
            Ok(url) => format!("{}:", url.scheme()),
            Err(_) => String::new(),
        }
    }

    /// The source that the consent page's `form-action` must list beside `'self'`, or the browser stops the redirect.
    /// Its scheme where a policy cannot spell the host: there is no form for an IPv6 address (CSP 3, 2.3.1).
    pub fn form_action(&self) -> String {
        let Ok(url) = Url::parse(&self.uri) else { return String::new() };
        let is_named = url.host().is_some_and(|host| is_plain(&host) && !matches!(host, Host::Ipv6(_)));
        match url.scheme() {
            "https" | "http" if is_named => url.origin().ascii_serialization(),
            scheme => format!("{scheme}:"),
        }
    }

    /// Whether only its owner can receive what is sent there. A loopback port and a private scheme belong to whichever
    /// program takes them first, so nobody is sent there unasked (RFC 8252, 8.6).
    pub fn is_claimed(&self) -> bool {
        self.uri.starts_with("https://")
    }
}

/// Whether a browser can be sent there without running anything. Imported rows were never checked.
fn is_safe(uri: &str) -> bool {
    uri.bytes().all(|byte| byte.is_ascii_graphic()) && Url::parse(uri).is_ok_and(|url| !REFUSED.contains(&url.scheme()))
}

#[cfg(test)]
mod tests;
