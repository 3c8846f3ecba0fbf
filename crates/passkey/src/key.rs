//! Public keys of passkeys (COSE, RFC 9052; algorithms of RFC 9053 and RFC 8812), and their signatures.

use crate::cbor;
use crate::error::Error;
use ciborium::Value;
use ring::signature::{
    ECDSA_P256_SHA256_ASN1, ED25519, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey,
};

/// Bytes of an RSA modulus: 2,048 to 4,096 bits.
const MODULUS: std::ops::RangeInclusive<usize> = 256..=512;

/// A key and the one algorithm that it is good for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PublicKey {
    /// ES256: a point on P-256, uncompressed (SEC 1, 2.3.3).
    P256([u8; 65]),
    /// EdDSA on Ed25519.
    Ed25519([u8; 32]),
    /// RS256: numbers without leading zeros.
    Rsa {
        /// The modulus.
        n: Vec<u8>,
        /// The exponent.
        e: Vec<u8>,
    },
}

impl PublicKey {
    /// The algorithms that are asked for, by their COSE numbers, best first.
    pub const ALGORITHMS: [i64; 3] = [-7, -8, -257];

    /// Reads a COSE key. Its kind, algorithm and curve must agree, whichever of them is looked at later.
    pub fn read(cose: &[u8]) -> Result<Self, Error> {
        let members = cbor::whole(cose).and_then(cbor::members).ok_or(Error::Malformed("the key"))?;
        let number = |name: i64| cbor::get(&members, &name.into())?.as_integer().and_then(|n| i64::try_from(n).ok());
        let bytes = |name: i64| cbor::get(&members, &name.into()).and_then(Value::as_bytes).map(Vec::as_slice);
        match (number(1), number(3), number(-1)) {
            (Some(2), Some(-7), Some(1)) => {
                let (x, y) = (bytes(-2).ok_or(Error::Key)?, bytes(-3).ok_or(Error::Key)?);
                let both_fit = x.len() == 32 && y.len() == 32;
                let point = [&[4], x, y].concat();
                point.try_into().ok().filter(|_| both_fit).map(Self::P256).ok_or(Error::Key)
            }
            (Some(1), Some(-8), Some(6)) => {
                bytes(-2).and_then(|x| x.try_into().ok()).map(Self::Ed25519).ok_or(Error::Key)
            }
            (Some(3), Some(-257), _) => {
                let (n, e) = (bytes(-1).ok_or(Error::Key)?, bytes(-2).ok_or(Error::Key)?);
                let is_fit = MODULUS.contains(&n.len()) && n[0] != 0 && (1..=4).contains(&e.len()) && e[0] != 0;
                is_fit.then(|| Self::Rsa { n: n.to_vec(), e: e.to_vec() }).ok_or(Error::Key)
            }
            _ => Err(Error::Key),
        }
    }

    /// Its algorithm's COSE number.
    pub fn algorithm(&self) -> i64 {
        match self {
            Self::P256(_) => -7,
            Self::Ed25519(_) => -8,
            Self::Rsa { .. } => -257,
        }
    }

    /// Whether the signature of these bytes is this key's.
    pub fn confirms(&self, bytes: &[u8], signature: &[u8]) -> bool {
        let checked = match self {
            Self::P256(point) => UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, point).verify(bytes, signature),
            Self::Ed25519(key) => UnparsedPublicKey::new(&ED25519, key).verify(bytes, signature),
            Self::Rsa { n, e } => RsaPublicKeyComponents { n, e }.verify(&RSA_PKCS1_2048_8192_SHA256, bytes, signature),
        };
        checked.is_ok()
    }
}
