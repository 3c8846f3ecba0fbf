use super::*;
use crate::testing::{NOW, ada, issuer, scopes};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, UnparsedPublicKey,
};

struct Real {
    pair: EcdsaKeyPair,
    kid: String,
}

impl Real {
    fn new() -> Self {
        let random = SystemRandom::new();
        let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, document.as_ref(), &random).unwrap();
        let point = pair.public_key().as_ref();
        let public = Jwk::P256 { x: point[1..33].try_into().unwrap(), y: point[33..].try_into().unwrap() };
        Self { pair, kid: public.thumbprint() }
    }
}

impl Signer for Real {
    fn algorithm(&self) -> Algorithm {
        Algorithm::Es256
    }

    fn kid(&self) -> &str {
        &self.kid
    }

    fn sign(&self, bytes: &[u8]) -> Result<Vec<u8>, Unsigned> {
        let signature = self.pair.sign(&SystemRandom::new(), bytes);
        signature.map(|signature| signature.as_ref().to_vec()).map_err(|error| Unsigned(error.to_string()))
    }
}

fn person() -> Person {
    Person {
        id: ada(),
        name: Some("Ada".to_owned()),
        email: "ada@example.org".to_owned(),
        email_verified: true,
        zoneinfo: None,
        updated_at: NOW,
    }
}

fn decode(part: &str) -> Value {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

/// OpenID Connect Core, 2 and 3.1.3.6; RFC 7515, 3; `auth.md` 12.7.
#[test]
fn an_id_token_tells_of_one_sign_in() {
    let signer = Real::new();
    // The address is not asked for by its own scope; `IDENTITY` allows to ask for it elsewhere.
    let granted = scopes("openid profile IDENTITY");
    let access = Plain::new("jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y");
    let (person, issuer) = (person(), issuer());
    let sign_in = SignIn {
        issuer: &issuer,
        client_id: "agpt_client_looms",
        person: &person,
        scopes: &granted,
        nonce: Some("n-1"),
        auth_time: NOW.plus_seconds(-60),
        access_token: &access,
    };
    let token = sign_in.id_token(&signer, NOW).unwrap().unwrap();
    let [header, claims, signature] = token.split('.').collect::<Vec<_>>()[..] else { panic!("three parts") };
    assert_eq!(decode(header), json!({"alg": "ES256", "typ": "JWT", "kid": signer.kid}));
    assert_eq!(
        decode(claims),
        json!({
            "iss": "https://agents.example.org", "sub": "02020202-0202-4202-8202-020202020202",
            "name": "Ada", "updated_at": 1_770_112_800, "aud": "agpt_client_looms", "exp": 1_770_113_400,
            "iat": 1_770_112_800, "auth_time": 1_770_112_740, "nonce": "n-1",
            // The value of the specification's own example (OpenID Connect Core, A.3).
            "at_hash": "77QmUPtjPfzWtF2AnpK9RQ",
        })
    );
    let signed = token.rsplit_once('.').unwrap().0;
    let public = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, signer.pair.public_key().as_ref());
    public.verify(signed.as_bytes(), &URL_SAFE_NO_PAD.decode(signature).unwrap()).unwrap();

    let without = SignIn { nonce: None, ..sign_in };
    assert!(without.claims(NOW).get("nonce").is_none(), "auth.md 12.7: only if sent");
    let identity = scopes("IDENTITY");
    assert_eq!(SignIn { scopes: &identity, ..sign_in }.id_token(&signer, NOW).unwrap(), None);
}

/// OpenID Connect Core, 5.3 and 5.4; `auth.md` 12.7.
#[test]
fn a_person_is_told_of_as_far_as_was_allowed() {
    let all = json!({"sub": ada(), "name": "Ada", "updated_at": 1_770_112_800, "email": "ada@example.org", "email_verified": true});
    for (granted, told) in [
        ("openid", Some(json!({"sub": ada()}))),
        ("openid profile", Some(json!({"sub": ada(), "name": "Ada", "updated_at": 1_770_112_800}))),
        ("openid email", Some(json!({"sub": ada(), "email": "ada@example.org", "email_verified": true}))),
        ("IDENTITY", Some(all.clone())),
        ("openid IDENTITY", Some(all)),
        ("profile email", None),
        ("RUN_AGENT", None),
    ] {
        assert_eq!(userinfo(&person(), &scopes(granted)), told, "{granted}");
    }
}

/// RFC 7638, 3.1: its example.
#[test]
fn keys_are_named_by_their_thumbprints() {
    let n = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknj\
             hMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5ha\
             jrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";
    let public = Jwk::Rsa { n: URL_SAFE_NO_PAD.decode(n).unwrap(), e: vec![1, 0, 1] };
    assert_eq!(public.thumbprint(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    let key = SigningKey {
        kid: public.thumbprint(),
        algorithm: Algorithm::Rs256,
        public,
        created_at: NOW,
        signs_from: NOW,
        signs_until: None,
    };
    assert_eq!(
        jwks([&key]),
        json!({"keys": [{
            "kty": "RSA", "n": n, "e": "AQAB", "use": "sig", "alg": "RS256",
            "kid": "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs",
        }]})
    );
}
