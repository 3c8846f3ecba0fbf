//! The hosts that a secret may be sent to.

use url::Url;

/// A host as people write it: `api.example.org`, `*.example.org` for it and everything below it, `[::1]`; with a port
/// where only that port is meant.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HostPattern {
    /// In lower case, punycode, without the star.
    host: String,
    with_subdomains: bool,
    port: Option<u16>,
}

impl HostPattern {
    /// Reads one; `None` when it names no host.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let (with_subdomains, rest) = match text.strip_prefix("*.") {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        if rest.contains(['/', '?', '#', '@', '\\', '*']) || rest.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return None;
        }
        // Read as the client reads a URL, so that one host has one spelling.
        let url = Url::parse(&format!("http://{rest}/")).ok()?;
        let host = url.host_str()?.to_owned();
        if with_subdomains && !matches!(url.host(), Some(url::Host::Domain(_))) {
            return None;
        }
        // `http://a:80` has no port for the parser, but whoever writes one means it.
        let port = match rest.rsplit_once(':') {
            Some((before, digits)) if !digits.contains(']') && !before.is_empty() => Some(digits.parse().ok()?),
            _ => None,
        };
        (port != Some(0)).then_some(Self { host, with_subdomains, port })
    }

    /// Whether a secret for this host may go to where `url` leads. A port that is named must be the URL's; where none
    /// is, only the two usual ones are meant.
    pub fn covers(&self, url: &Url) -> bool {
        let Some(host) = url.host_str() else { return false };
        let fits_port = match self.port {
            Some(port) => url.port_or_known_default() == Some(port),
            None => matches!(url.port(), None | Some(80 | 443)),
        };
        let below = || {
            let end = host.strip_suffix(self.host.as_str()).and_then(|rest| rest.strip_suffix('.'));
            self.with_subdomains && end.is_some_and(|rest| !rest.is_empty())
        };
        fits_port && (host == self.host || below())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_goes_to_its_host_and_nowhere_else() {
        for (pattern, url, want) in [
            ("api.example.org", "https://api.example.org/x", true),
            ("API.example.org", "https://api.EXAMPLE.org/x", true),
            ("api.example.org", "http://api.example.org/", true),
            ("api.example.org", "http://api.example.org:443/", true),
            ("api.example.org", "https://api.example.org:80/", true),
            ("api.example.org", "https://api.example.org:8443/", false),
            ("api.example.org:8443", "https://api.example.org:8443/", true),
            ("api.example.org:8443", "https://api.example.org/", false),
            ("api.example.org:443", "https://api.example.org/", true),
            ("api.example.org:443", "http://api.example.org/", false),
            ("api.example.org:80", "http://api.example.org/", true),
            ("api.example.org", "https://example.org/", false),
            ("api.example.org", "https://x.api.example.org/", false),
            ("api.example.org", "https://api.example.org.evil.example/", false),
            ("api.example.org", "https://evilapi.example.org/", false),
            ("api.example.org", "https://api.example.org@evil.example/", false),
            ("api.example.org", "https://evil.example/api.example.org", false),
            ("api.example.org", "https://api.example.org./", false),
            ("*.example.org", "https://example.org/", true),
            ("*.example.org", "https://a.example.org/", true),
            ("*.example.org", "https://a.b.example.org/", true),
            ("*.example.org", "https://evilexample.org/", false),
            ("*.example.org", "https://.example.org/", false),
            ("*.example.org:81", "https://a.example.org:81/", true),
            ("*.example.org:81", "https://a.example.org/", false),
            ("bücher.example", "https://xn--bcher-kva.example/", true),
            ("127.0.0.1:9000", "http://127.0.0.1:9000/", true),
            ("127.0.0.1:9000", "http://2130706433:9000/", true),
            ("[::1]:9000", "http://[::1]:9000/", true),
            ("[::1]", "http://[::1]/", true),
        ] {
            let read = HostPattern::parse(pattern).unwrap_or_else(|| panic!("{pattern}"));
            // A URL that cannot be read is dialled by nobody.
            let covered = Url::parse(url).is_ok_and(|url| read.covers(&url));
            assert_eq!(covered, want, "{pattern} {url}");
        }
    }

    #[test]
    fn what_names_no_host_is_refused() {
        for text in [
            "",
            " ",
            "*",
            "*.",
            "*.*.org",
            "a/b",
            "https://a.example",
            "a b",
            "u@a.example",
            "a.example:",
            "a.example:x",
            "a.example:0",
            "a.example:70000",
            "*.127.0.0.1",
            "*.[::1]",
            "a.example?x",
            "a\\b",
            "a\nb",
        ] {
            assert_eq!(HostPattern::parse(text), None, "{text:?}");
        }
    }
}
