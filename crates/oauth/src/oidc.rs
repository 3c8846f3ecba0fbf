//! OpenID Connect: ID tokens, the keys that sign them as others see them, and what is told of a person (`auth.md` 12.7;
//! OpenID Connect Core 2, 3.1.3.6, 5.3 and 5.4; RFC 7515, 7517, 7518, 7638).

use crate::secret::base64url;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// How long an ID token is good: it tells of a sign-in, and is read at once.
pub const ID_TOKEN_SECONDS: i64 = 600;

/// What ID tokens are signed with.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256: what libraries take for granted.
    Rs256,
    /// ECDSA on P-256 with SHA-256.
    Es256,
}

impl Algorithm {
    /// The name on the wire and in the table (RFC 7518, 3.1).
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Es256 => "ES256",
        }
    }

    /// The algorithm of exactly this name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Rs256, Self::Es256].into_iter().find(|algorithm| algorithm.as_str() == name)
    }
}

/// The public half of a key; numbers are big-endian without leading zeros, coordinates have 32 bytes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Jwk {
    /// For [`Algorithm::Rs256`].
    Rsa {
        /// The modulus.
        n: Vec<u8>,
        /// The exponent.
        e: Vec<u8>,
    },
    /// For [`Algorithm::Es256`].
    P256 {
        /// The point's first coordinate.
        x: [u8; 32],
        /// Its second.
        y: [u8; 32],
    },
}

impl Jwk {
    /// Its members beside those that say what it is for, in the order in which a thumbprint is made of them.
    fn members(&self) -> Value {
        match self {
            Self::Rsa { n, e } => json!({"e": base64url(e), "kty": "RSA", "n": base64url(n)}),
            Self::P256 { x, y } => json!({"crv": "P-256", "kty": "EC", "x": base64url(x), "y": base64url(y)}),
        }
    }

    /// Its name (RFC 7638).
    pub fn thumbprint(&self) -> String {
        base64url(&Sha256::digest(self.members().to_string()))
    }
}
