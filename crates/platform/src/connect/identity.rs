//! Who a provider says it is, and whose account it gave: checks against answers that were meant for somebody else.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use sha2::{Digest, Sha256, Sha384, Sha512};

/// Clocks may differ by so many seconds.
const LEEWAY: i64 = 300;

/// More is nobody's name.
const NAME: usize = 320;

/// What an ID token must say.
pub(super) struct Expected<'a> {
    pub issuer: Option<&'a str>,
    pub client_id: &'a str,
    pub nonce: Option<&'a str>,
    pub access_token: &'a str,
    /// Unix seconds.
    pub now: i64,
}

/// Checks an ID token that came straight from the token endpoint, over a connection that proved the server: then the
/// signature may go unchecked (OpenID Connect Core, 3.1.3.7, 6), the claims may not. Gives the claims.
pub(super) fn claims(id_token: &str, expected: &Expected<'_>) -> Result<Value, &'static str> {
    let mut parts = id_token.split('.');
    let (Some(head), Some(claims), Some(_), None) = (parts.next(), parts.next(), parts.next(), parts.next()) else {
        return Err("the ID token is none");
    };
    let decode = |part: &str| -> Option<Value> {
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok().filter(Value::is_object)
    };
    let (Some(head), Some(claims)) = (decode(head), decode(claims)) else { return Err("the ID token is none") };
    if expected.issuer.is_some_and(|issuer| claims["iss"] != issuer) {
        return Err("the ID token comes from another issuer");
    }
    let audience = match &claims["aud"] {
        Value::String(one) => one == expected.client_id,
        Value::Array(several) => {
            let is_named = several.iter().any(|one| one == expected.client_id);
            is_named && (several.len() == 1 || claims["azp"] == expected.client_id)
        }
        _ => false,
    };
    if !audience || claims.get("azp").is_some_and(|party| party != expected.client_id) {
        return Err("the ID token is meant for another application");
    }
    if claims["exp"].as_f64().is_none_or(|end| (end as i64) < expected.now - LEEWAY) {
        return Err("the ID token is over");
    }
    if expected.nonce.is_some_and(|nonce| claims["nonce"] != nonce) {
        return Err("the ID token belongs to another sign-in");
    }
    if let Some(hash) = claims.get("at_hash")
        && half_hash(head["alg"].as_str().unwrap_or_default(), expected.access_token).is_some_and(|own| *hash != own)
    {
        return Err("the access token belongs to another ID token");
    }
    Ok(claims)
}

/// The left half of the access token's hash by the algorithm's own one (OpenID Connect Core, 3.1.3.6).
fn half_hash(algorithm: &str, access_token: &str) -> Option<String> {
    let bytes = access_token.as_bytes();
    let hash = match algorithm.get(2..)? {
        "256" => Sha256::digest(bytes).to_vec(),
        "384" => Sha384::digest(bytes).to_vec(),
        "512" => Sha512::digest(bytes).to_vec(),
        _ => return None,
    };
    Some(URL_SAFE_NO_PAD.encode(&hash[..hash.len() / 2]))
}

/// Whether the issuer that came with a code is the one that was asked (RFC 9207, 2.4). A provider that says who it is but
/// is not known by a name is known by where people were sent.
pub(super) fn is_issuer(said: Option<&str>, issuer: Option<&str>, always: bool, authorize_url: &str) -> bool {
    match (said, issuer) {
        (None, _) => !always,
        (Some(said), Some(issuer)) => said == issuer,
        (Some(said), None) => {
            let origin = |text: &str| url::Url::parse(text).ok().map(|url| url.origin());
            origin(said).is_some_and(|said| Some(said) == origin(authorize_url))
        }
    }
}

/// A name at a place in an answer, if one is there.
pub(super) fn name(answer: &Value, pointer: &str) -> Option<String> {
    let name = match answer.pointer(pointer)? {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    let name: String = name.chars().filter(|letter| !letter.is_control()).take(NAME).collect();
    Some(name).filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn token(head: &Value, claims: &Value) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        format!("{}.{}.c2ln", part(head), part(claims))
    }

    fn good() -> Value {
        json!({"iss": "https://id.example", "aud": "us", "exp": 1000, "nonce": "n", "sub": "7"})
    }

    fn check(claims_: &Value) -> Result<Value, &'static str> {
        let expected = Expected {
            issuer: Some("https://id.example"),
            client_id: "us",
            nonce: Some("n"),
            access_token: "at",
            now: 900,
        };
        claims(&token(&json!({"alg": "RS256"}), claims_), &expected)
    }

    #[test]
    fn an_id_token_of_this_very_sign_in_is_taken() {
        assert_eq!(check(&good()).unwrap()["sub"], "7");
        let mut both = good();
        both["aud"] = json!(["us", "api"]);
        both["azp"] = json!("us");
        both["at_hash"] = json!(half_hash("RS256", "at").unwrap());
        assert!(check(&both).is_ok());
        // Just over, by a clock that is a little late.
        let mut late = good();
        late["exp"] = json!(700);
        assert!(check(&late).is_ok());
    }

    #[test]
    fn an_id_token_of_anything_else_is_refused() {
        for (member, value, said) in [
            ("iss", json!("https://evil.example"), "the ID token comes from another issuer"),
            ("iss", json!("https://id.example/"), "the ID token comes from another issuer"),
            ("iss", json!(null), "the ID token comes from another issuer"),
            ("aud", json!("them"), "the ID token is meant for another application"),
            ("aud", json!(["them"]), "the ID token is meant for another application"),
            ("aud", json!(["us", "them"]), "the ID token is meant for another application"),
            ("aud", json!(null), "the ID token is meant for another application"),
            ("azp", json!("them"), "the ID token is meant for another application"),
            ("exp", json!(599), "the ID token is over"),
            ("exp", json!(null), "the ID token is over"),
            ("nonce", json!("other"), "the ID token belongs to another sign-in"),
            ("nonce", json!(null), "the ID token belongs to another sign-in"),
            ("at_hash", json!("AAAAAAAAAAAAAAAAAAAAAA"), "the access token belongs to another ID token"),
        ] {
            let mut claims = good();
            claims[member] = value.clone();
            assert_eq!(check(&claims), Err(said), "{member} {value}");
        }
        let expected = Expected { issuer: None, client_id: "us", nonce: None, access_token: "at", now: 0 };
        for text in ["", "a", "a.b", "a.b.c", "e30.e30", "e30.e30.e30.e30", "W10.W10.x"] {
            assert!(claims(text, &expected).is_err(), "{text}");
        }
    }

    #[test]
    fn hashes_follow_the_algorithm() {
        // The example of OpenID Connect Core, A.3.
        let token = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y";
        assert_eq!(half_hash("RS256", token).as_deref(), Some("77QmUPtjPfzWtF2AnpK9RQ"));
        assert_eq!(half_hash("ES384", token).map(|hash| hash.len()), Some(32));
        assert_eq!(half_hash("EdDSA", token), None);
        assert_eq!(half_hash("", token), None);
    }

    #[test]
    fn whoever_answers_is_whoever_was_asked() {
        let known = Some("https://id.example/t");
        for (said, issuer, always, good) in [
            (Some("https://id.example/t"), known, true, true),
            (Some("https://id.example/t/"), known, true, false),
            (Some("https://evil.example"), known, false, false),
            (Some(""), known, false, false),
            (None, known, true, false),
            (None, known, false, true),
            (None, None, false, true),
            (Some("https://login.example"), None, false, true),
            (Some("https://evil.example"), None, false, false),
            (Some("nonsense"), None, false, false),
        ] {
            assert_eq!(is_issuer(said, issuer, always, "https://login.example/authorize"), good, "{said:?} {issuer:?}");
        }
    }

    #[test]
    fn names_are_short_texts_without_tricks() {
        let answer = json!({"data": {"username": " ada\u{0}\n "}, "id": 7, "list": [], "long": "x".repeat(1000)});
        assert_eq!(name(&answer, "/data/username").as_deref(), Some("ada"));
        assert_eq!(name(&answer, "/id").as_deref(), Some("7"));
        assert_eq!(name(&answer, "/long").map(|name| name.len()), Some(320));
        assert_eq!((name(&answer, "/list"), name(&answer, "/missing")), (None, None));
    }
}
