//! From what a person wrote to a URL that can be requested.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;
use percent_encoding::percent_decode_str;
use url::Url;

use crate::Error;

/// A URL with a host, without user-info and fragment.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) url: Url,
    /// The user-info as a header. Kept apart so that no log or error of the URL shows a password.
    pub(crate) basic: Option<HeaderValue>,
}

/// Reads a URL: spaces and slashes around it are dropped, and without a scheme it is http.
pub(crate) fn parse(text: &str) -> Result<Target, Error> {
    let text = text.trim_matches(|c: char| c.is_whitespace() || c == '/');
    match scheme(text) {
        Some(scheme) if !is_http(&scheme.to_ascii_lowercase()) => Err(Error::Scheme { scheme: scheme.to_owned() }),
        Some(_) => finish(Url::parse(text)),
        None => finish(Url::parse(&format!("http://{text}"))),
    }
}

/// The URL a redirect from `base` leads to.
pub(crate) fn join(base: &Url, location: &str) -> Result<Url, Error> {
    let invalid = || Error::Location { host: base.host_str().unwrap_or_default().to_owned() };
    let url = base.join(location).map_err(|_| invalid())?;
    if !is_http(url.scheme()) {
        return Err(Error::Scheme { scheme: url.scheme().to_owned() });
    }
    // A server must not be able to make us send credentials of its choice elsewhere.
    finish(Ok(url)).map(|target| target.url).map_err(|_| invalid())
}

fn finish(url: Result<Url, url::ParseError>) -> Result<Target, Error> {
    let invalid = |reason: &str| Error::Url { reason: reason.to_owned() };
    let mut url = url.map_err(|error| invalid(&error.to_string()))?;
    if !is_http(url.scheme()) {
        return Err(Error::Scheme { scheme: url.scheme().to_owned() });
    }
    if url.port() == Some(0) {
        return Err(invalid("port 0 cannot be reached"));
    }
    // Names end there (RFC 1035), and errors show them.
    if url.host_str().is_some_and(|host| host.len() > 255) {
        return Err(invalid("its host is too long"));
    }
    let basic = user_info(&url);
    // Neither can fail: the URL has a host.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.set_fragment(None);
    Ok(Target { url, basic })
}

fn is_http(scheme: &str) -> bool {
    matches!(scheme, "http" | "https")
}

/// What stands before the colon, unless that is a host followed by a port.
fn scheme(text: &str) -> Option<&str> {
    let (head, rest) = text.split_once(':')?;
    let mut letters = head.bytes();
    let well_formed = letters.next()?.is_ascii_alphabetic()
        && letters.all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, b'+' | b'-' | b'.'));
    let port = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let is_port = !port.is_empty() && port.bytes().all(|digit| digit.is_ascii_digit());
    (well_formed && !is_port).then_some(head)
}

fn user_info(url: &Url) -> Option<HeaderValue> {
    let (user, password) = (url.username(), url.password());
    if user.is_empty() && password.is_none() {
        return None;
    }
    let mut pair: Vec<u8> = percent_decode_str(user).collect();
    pair.push(b':');
    pair.extend(percent_decode_str(password.unwrap_or_default()));
    let mut value = HeaderValue::try_from(format!("Basic {}", STANDARD.encode(pair))).expect("base64 is plain ASCII");
    value.set_sensitive(true);
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_become_urls() {
        for (text, url) in [
            ("http://example.com", "http://example.com/"),
            ("HTTPS://Example.COM/A", "https://example.com/A"),
            ("example.com", "http://example.com/"),
            ("example.com/a?b=c", "http://example.com/a?b=c"),
            ("example.com:8080/a", "http://example.com:8080/a"),
            ("localhost:1", "http://localhost:1/"),
            ("example.com/?u=http://x", "http://example.com/?u=http://x"),
            ("  //example.com/a/ ", "http://example.com/a"),
            ("https://example.com/a//", "https://example.com/a"),
            ("https://example.com/?a=b/", "https://example.com/?a=b"),
            ("http://example.com:80/", "http://example.com/"),
            ("https://example.com:443", "https://example.com/"),
            ("https://example.com:80", "https://example.com:80/"),
            ("http://example.com:65535", "http://example.com:65535/"),
            ("https://bücher.example/ä?ö#ü", "https://xn--bcher-kva.example/%C3%A4?%C3%B6"),
            ("https://EXAMPLE。com", "https://example.com/"),
            ("[::1]:80/x", "http://[::1]/x"),
            ("http://2130706433/", "http://127.0.0.1/"),
            ("http://0x7f.1/", "http://127.0.0.1/"),
            ("http://0177.0.0.1/", "http://127.0.0.1/"),
            ("http://127.1", "http://127.0.0.1/"),
            ("http://①②⑦.0.0.1", "http://127.0.0.1/"),
            ("http://[::ffff:127.0.0.1]/", "http://[::ffff:7f00:1]/"),
            ("http://ada:s%20p@example.com/a", "http://example.com/a"),
            ("http://good.example\\@evil.example/", "http://good.example/@evil.example"),
        ] {
            assert_eq!(parse(text).unwrap_or_else(|error| panic!("{text}: {error}")).url.as_str(), url, "{text}");
        }
    }

    #[test]
    fn texts_that_are_refused() {
        for (text, message) in [
            ("", "the url is not valid: empty host"),
            ("  // ", "the url is not valid: empty host"),
            ("http://", "the url is not valid: empty host"),
            ("http://a b/", "the url is not valid: invalid international domain name"),
            ("http://example.com:0/", "the url is not valid: port 0 cannot be reached"),
            ("http://example.com:65536/", "the url is not valid: invalid port number"),
            ("http://example.com:-1/", "the url is not valid: invalid port number"),
            ("http://1.2.3.256/", "the url is not valid: invalid IPv4 address"),
            ("http://[::1/", "the url is not valid: invalid IPv6 address"),
            ("http://[fe80::1%25eth0]/", "the url is not valid: invalid IPv6 address"),
            ("file:///etc/passwd", r#"scheme "file" is not allowed, only http and https are"#),
            ("FTP://example.com/", r#"scheme "FTP" is not allowed, only http and https are"#),
            ("gopher://127.0.0.1:70/_x", r#"scheme "gopher" is not allowed, only http and https are"#),
            ("javascript:alert(1)", r#"scheme "javascript" is not allowed, only http and https are"#),
            ("data:text/plain,x", r#"scheme "data" is not allowed, only http and https are"#),
            ("mailto:ada@example.com", r#"scheme "mailto" is not allowed, only http and https are"#),
            ("ws://example.com", r#"scheme "ws" is not allowed, only http and https are"#),
            ("unix:/run/x.sock", r#"scheme "unix" is not allowed, only http and https are"#),
        ] {
            assert_eq!(parse(text).expect_err(text).to_string(), message, "{text}");
        }
    }

    #[test]
    fn user_info_becomes_a_header_that_is_not_shown() {
        for (text, expected) in [
            ("https://ada:pw@example.com", Some("Basic YWRhOnB3")),
            ("https://ada@example.com", Some("Basic YWRhOg==")),
            ("https://:pw@example.com", Some("Basic OnB3")),
            ("https://a%40b:p%3Aw@example.com", Some("Basic YUBiOnA6dw==")),
            ("https://example.com", None),
        ] {
            let target = parse(text).expect(text);
            assert_eq!(target.basic.as_ref().map(|value| value.to_str().expect("ascii")), expected);
            assert!(!format!("{target:?}").contains("pw"));
        }
    }

    #[test]
    fn redirects_are_joined_to_their_base() {
        let base = Url::parse("https://a.example/x/y?z").expect("a url");
        for (location, url) in [
            ("/b", "https://a.example/b"),
            ("b", "https://a.example/x/b"),
            ("?q", "https://a.example/x/y?q"),
            ("//b.example/c", "https://b.example/c"),
            ("http://ada:pw@b.example/#f", "http://b.example/"),
        ] {
            assert_eq!(join(&base, location).expect(location).as_str(), url);
        }
        assert!(matches!(join(&base, "file:///etc/passwd"), Err(Error::Scheme { .. })));
        assert!(matches!(join(&base, "http://"), Err(Error::Location { .. })));
        assert!(matches!(join(&base, "http://b.example:0/"), Err(Error::Location { .. })));
        let far = format!("http://{}.example/", "a".repeat(250));
        assert!(matches!(join(&base, &far), Err(Error::Location { .. })));
        assert_eq!(parse(&far).expect_err("too long").to_string(), "the url is not valid: its host is too long");
    }
}
