//! The way there: the state, the proof and the address people are sent to.

use super::terms::Terms;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use heddle_vault::Secret;
use sha2::{Digest, Sha256};
use url::Url;

/// What goes along with one person on one way: 256 random bits each.
pub(super) struct Travel {
    /// Comes back with the code.
    pub state: Secret<String>,
    /// Stays here, and is shown when the code is redeemed (RFC 7636).
    pub verifier: Secret<String>,
}

impl Travel {
    /// From random bytes.
    pub fn new(state: [u8; 32], verifier: [u8; 32]) -> Self {
        Self { state: URL_SAFE_NO_PAD.encode(state).into(), verifier: URL_SAFE_NO_PAD.encode(verifier).into() }
    }
}

/// The challenge that only the verifier meets.
pub(super) fn challenge(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()))
}

/// What an ID token must repeat (OpenID Connect Core, 3.1.2.1). It follows from the verifier and does not tell it.
pub(super) fn nonce(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::new().chain_update(b"heddle nonce\0").chain_update(verifier.as_bytes()).finalize())
}

/// Where to send a person.
pub(super) fn login_url(terms: &Terms, callback_url: &str, scopes: &[String], travel: &Travel) -> String {
    let mut url: Url = (*terms.oauth.authorize).clone();
    {
        let mut query = url.query_pairs_mut();
        query.append_pair("response_type", "code");
        query.append_pair("client_id", &terms.client_id);
        query.append_pair("redirect_uri", callback_url);
        if !scopes.is_empty() {
            query.append_pair("scope", &scopes.join(&terms.oauth.separator));
        }
        query.append_pair("state", travel.state.expose());
        if terms.oauth.pkce {
            query.append_pair("code_challenge", &challenge(travel.verifier.expose()));
            query.append_pair("code_challenge_method", "S256");
        }
        if scopes.iter().any(|scope| scope == "openid") {
            query.append_pair("nonce", &nonce(travel.verifier.expose()));
        }
        for (name, value) in &terms.oauth.parameters {
            query.append_pair(name, value);
        }
    }
    url.into()
}

/// `scheme://host[:port]` as it is written: no default port is put in or taken away (`v1.md` 6). `None` for anything but
/// http and https, and for what a browser would read differently than it looks.
pub(super) fn origin(text: &str) -> Option<&str> {
    let (scheme, rest) = text.split_once("://")?;
    let host = rest.split(['/', '?', '#']).next()?;
    let is_plain = !host.is_empty()
        && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-:[]_".contains(&byte))
        && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    let reads_the_same = Url::parse(text).is_ok_and(|url| {
        url.username().is_empty() && url.password().is_none() && url.host_str().is_some() && url.scheme() == scheme
    });
    (matches!(scheme, "http" | "https") && is_plain && reads_the_same).then(|| &text[..scheme.len() + 3 + host.len()])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connect::tests::terms;

    #[test]
    fn the_address_carries_all_that_the_provider_needs() {
        let travel = Travel::new([1; 32], [2; 32]);
        assert_eq!((travel.state.expose().len(), travel.verifier.expose().len()), (43, 43));
        let terms = terms("pkce: true\n  parameters: {access_type: offline}");
        let scopes = ["openid".to_owned(), "a:b".to_owned()];
        let url = Url::parse(&login_url(&terms, "https://app.example/cb?x=y", &scopes, &travel)).unwrap();
        let pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
        let (challenge, nonce) = (challenge(travel.verifier.expose()), nonce(travel.verifier.expose()));
        let expected = [
            ("response_type", "code"),
            ("client_id", "us"),
            ("redirect_uri", "https://app.example/cb?x=y"),
            ("scope", "openid a:b"),
            ("state", travel.state.expose()),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
            ("nonce", &nonce),
            ("access_type", "offline"),
        ];
        assert_eq!(pairs, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
        assert_ne!(challenge, nonce);
        assert!(!url.as_str().contains(travel.verifier.expose().as_str()));
    }

    #[test]
    fn habits_of_providers_are_kept() {
        let travel = Travel::new([1; 32], [2; 32]);
        let terms = terms("separator: \",\"");
        let url = login_url(&terms, "https://a/", &["r".to_owned(), "w".to_owned()], &travel);
        assert!(url.contains("scope=r%2Cw") && !url.contains("code_challenge") && !url.contains("nonce"), "{url}");
        assert!(!login_url(&terms, "https://a/", &[], &travel).contains("scope="));
    }

    #[test]
    fn an_origin_is_taken_as_it_is_written() {
        for (text, read) in [
            ("http://localhost:3000/cb", Some("http://localhost:3000")),
            ("http://localhost:3000", Some("http://localhost:3000")),
            ("https://app.example?x", Some("https://app.example")),
            ("https://app.example:443/", Some("https://app.example:443")),
            ("https://app.example#f", Some("https://app.example")),
            ("http://[::1]:3000/", Some("http://[::1]:3000")),
            ("https://app.example@evil.example/", None),
            ("https://app.example\\@evil.example/", None),
            ("https://app.example\\.evil.example/", None),
            ("https://app.example /", None),
            ("https://app.example\t/", None),
            ("https:///app.example/", None),
            ("HTTPS://app.example/", None),
            ("javascript://app.example/%0aalert(1)", None),
            ("app.example/cb", None),
            ("//app.example/", None),
            ("", None),
            ("https://", None),
        ] {
            assert_eq!(origin(text), read, "{text:?}");
        }
    }
}
