//! Proof that whoever redeems a code is whoever asked for it (RFC 7636; `auth.md` 6.3 and 12.1).

use crate::secret::base64url;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq;

/// How a challenge follows from its verifier.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Method {
    /// By SHA-256.
    S256,
    /// It is the verifier. For imported applications only: whoever sees the request can redeem the code.
    Plain,
}

impl Method {
    /// The name on the wire and in the table.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::S256 => "S256",
            Self::Plain => "plain",
        }
    }

    /// The method of exactly this name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::S256, Self::Plain].into_iter().find(|method| method.as_str() == name)
    }
}

/// What a request carries.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Challenge {
    /// How it is checked.
    pub method: Method,
    /// What the verifier must lead to.
    pub value: String,
}

impl Challenge {
    /// A challenge that could have come from a verifier.
    pub fn new(method: Method, value: &str) -> Option<Self> {
        let fits = match method {
            // 32 bytes as base64url: any other length fits no verifier.
            Method::S256 => {
                value.len() == 43 && value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
            }
            Method::Plain => is_verifier(value),
        };
        fits.then(|| Self { method, value: value.to_owned() })
    }

    /// Whether this is the verifier, in a time that does not tell where it differs.
    pub fn is_met_by(&self, verifier: &str) -> bool {
        let found = match self.method {
            Method::S256 => base64url(&Sha256::digest(verifier.as_bytes())),
            Method::Plain => verifier.to_owned(),
        };
        is_verifier(verifier) & bool::from(found.as_bytes().ct_eq(self.value.as_bytes()))
    }
}

/// 43 to 128 unreserved characters (RFC 7636, 4.1).
fn is_verifier(text: &str) -> bool {
    (43..=128).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7636, appendix B.
    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    #[test]
    fn only_the_verifier_meets_its_challenge() {
        let challenge = Challenge::new(Method::S256, CHALLENGE).unwrap();
        assert!(challenge.is_met_by(VERIFIER));
        let padded = format!("{VERIFIER}=");
        for wrong in ["", CHALLENGE, &VERIFIER[1..], &VERIFIER.to_lowercase(), &padded, "short"] {
            assert!(!challenge.is_met_by(wrong), "{wrong}");
        }
        let plain = Challenge::new(Method::Plain, VERIFIER).unwrap();
        assert!(plain.is_met_by(VERIFIER) && !plain.is_met_by(CHALLENGE));
    }

    /// `auth.md` 12.1: 43 to 128 unreserved characters, although upstream checked neither.
    #[test]
    fn challenges_and_verifiers_have_their_syntax() {
        let long = "a".repeat(129);
        for (method, value, good) in [
            (Method::S256, CHALLENGE, true),
            (Method::S256, "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM=", false),
            (Method::S256, "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw+cM", false),
            (Method::S256, "", false),
            (Method::S256, &long, false),
            (Method::Plain, VERIFIER, true),
            (Method::Plain, &long[..128], true),
            (Method::Plain, &long, false),
            (Method::Plain, &long[..42], false),
            (Method::Plain, "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjX ", false),
        ] {
            assert_eq!(Challenge::new(method, value).is_some(), good, "{method:?} {value}");
        }
        // A short verifier whose digest is right all the same.
        let short = base64url(&Sha256::digest(b"short"));
        assert!(!Challenge::new(Method::S256, &short).unwrap().is_met_by("short"));
        assert_eq!(Method::parse("s256"), None);
        assert_eq!(Method::parse("plain"), Some(Method::Plain));
    }
}
