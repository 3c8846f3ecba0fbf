//! Where a callback may go.

use heddle_outbound::{Policy, is_public};
use std::net::IpAddr;
use url::{Host, Url};

/// Longer than any address somebody means.
const LONGEST: usize = 2048;

/// An address that was found good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallbackUrl(String);

impl CallbackUrl {
    pub(super) fn parse(text: &str, policy: &Policy) -> Result<Self, String> {
        let refuse = |why: &str| Err(why.to_owned());
        if text.len() > LONGEST {
            return refuse("callback_url should have at most 2048 characters");
        }
        if text.chars().any(|letter| letter.is_whitespace() || letter.is_control()) {
            return refuse("callback_url should not hold white space");
        }
        let Ok(mut url) = Url::parse(text) else { return refuse("callback_url should be a URL") };
        if !matches!(url.scheme(), "https" | "http") {
            return refuse("callback_url should be an https URL");
        }
        // It would stand in the journal and the database in clear; whoever receives checks the signature instead.
        if !url.username().is_empty() || url.password().is_some() {
            return refuse("callback_url should not hold a user name or password");
        }
        let (Some(host), Some(port)) = (url.host(), url.port_or_known_default().filter(|port| *port > 0)) else {
            return refuse("callback_url should be a URL with a host and a port that can be reached");
        };
        let is_allowed = policy.names(url.host_str().unwrap_or_default(), port);
        let ip: Option<IpAddr> = match host {
            Host::Ipv4(ip) => Some(ip.into()),
            Host::Ipv6(ip) => Some(ip.into()),
            Host::Domain(_) => None,
        };
        if url.scheme() == "http" && !is_allowed {
            return refuse("callback_url should be an https URL, or a place that outbound.allow names");
        }
        if ip.is_some_and(|ip| !is_public(ip)) && !is_allowed {
            return refuse("callback_url should not be a private or reserved address");
        }
        url.set_fragment(None);
        Ok(Self(url.into()))
    }

    /// As it is kept and called.
    pub(crate) fn into_text(self) -> String {
        self.0
    }
}

/// The server that an address stands for: what is bounded in how much it is asked at once.
pub(super) fn server(url: &str) -> String {
    let parsed = Url::parse(url).ok();
    let server = parsed.as_ref().and_then(|url| {
        Some(format!("{}:{}", url.host_str()?.trim_end_matches('.'), url.port_or_known_default().unwrap_or_default()))
    });
    server.unwrap_or_else(|| url.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_https_and_allowed_places_are_called() {
        let allow = ["hooks.internal:8080", "127.0.0.1:9000", "10.0.0.0/8:443", "[fd00::/8]:80"];
        let policy = Policy::new(allow.iter().map(|entry| entry.parse().unwrap()).collect());
        let https = "callback_url should be an https URL";
        let scheme = "callback_url should be an https URL, or a place that outbound.allow names";
        let url = "callback_url should be a URL";
        let space = "callback_url should not hold white space";
        let user = "callback_url should not hold a user name or password";
        let private = "callback_url should not be a private or reserved address";
        let port = "callback_url should be a URL with a host and a port that can be reached";
        for (text, expected) in [
            ("https://example.org", Ok("https://example.org/")),
            ("https://example.org:8443/a?b=c#d", Ok("https://example.org:8443/a?b=c")),
            ("HTTPS://EXAMPLE.org/A", Ok("https://example.org/A")),
            ("https://localhost/", Ok("https://localhost/")),
            ("https://8.8.8.8/", Ok("https://8.8.8.8/")),
            ("http://hooks.internal:8080/x", Ok("http://hooks.internal:8080/x")),
            ("http://127.0.0.1:9000/", Ok("http://127.0.0.1:9000/")),
            ("http://[fd00::1]/", Ok("http://[fd00::1]/")),
            ("https://10.1.2.3/", Ok("https://10.1.2.3/")),
            ("http://example.org/", Err(scheme)),
            ("http://hooks.internal/", Err(scheme)),
            ("http://localhost:9000/", Err(scheme)),
            ("http://127.0.0.1:9001/", Err(scheme)),
            ("http://8.8.8.8/", Err(scheme)),
            ("https://127.0.0.1:9001/", Err(private)),
            ("https://2130706433/", Err(private)),
            ("https://0x7f.1/", Err(private)),
            ("https://169.254.169.254/latest", Err(private)),
            ("https://10.1.2.3:444/", Err(private)),
            ("https://[::1]/", Err(private)),
            ("https://[::ffff:127.0.0.1]/", Err(private)),
            ("https://ada@example.org/", Err(user)),
            ("https://ada:pw@example.org/", Err(user)),
            ("https://example.org:0/", Err(port)),
            ("ftp://example.org/", Err(https)),
            ("file:///etc/passwd", Err(https)),
            ("javascript:alert(1)", Err(https)),
            ("example.org/x", Err(url)),
            ("//example.org/x", Err(url)),
            ("https://", Err(url)),
            ("https://example.org:99999/", Err(url)),
            ("", Err(url)),
            (" https://example.org/", Err(space)),
            ("https://example.org/a\nb", Err(space)),
            ("https://exam\tple.org/", Err(space)),
        ] {
            let found = CallbackUrl::parse(text, &policy);
            assert_eq!(found.as_ref().map(|url| &*url.0).map_err(|why| &**why), expected, "{text:?}");
        }
        let long = format!("https://example.org/{}", "a".repeat(LONGEST));
        assert!(CallbackUrl::parse(&long, &policy).is_err());
    }

    #[test]
    fn a_server_is_a_host_and_a_port() {
        for (url, expected) in [
            ("https://example.org/a", "example.org:443"),
            ("https://example.org.:443/b?c", "example.org:443"),
            ("http://example.org/a", "example.org:80"),
            ("http://[fd00::1]:8080/", "[fd00::1]:8080"),
        ] {
            assert_eq!(server(url), expected);
        }
    }
}
