//! Keys that sign: made here, kept sealed like any secret, and never read again but to sign.
//!
//! Signatures are made by the library that TLS uses, in constant time. It cannot make RSA keys, so those come from
//! another one, which does nothing else here. What is signed, and for whom, is not known.

use crate::{Error, Secret};
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair, RsaPublicKeyComponents,
};
use rsa::pkcs8::EncodePrivateKey;
use std::fmt;

const RSA_BITS: usize = 2_048;

/// What a key signs with.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum SigningKind {
    /// RSASSA-PKCS1-v1_5 with SHA-256, 2,048 bits.
    Rs256,
    /// ECDSA on P-256 with SHA-256; a signature is its two numbers after each other.
    Es256,
}

/// The half that everybody may know; numbers are big-endian without leading zeros.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PublicHalf {
    /// Of an RSA key.
    Rsa {
        /// The modulus.
        n: Vec<u8>,
        /// The exponent.
        e: Vec<u8>,
    },
    /// Of a key on P-256.
    P256 {
        /// The point's first coordinate.
        x: [u8; 32],
        /// Its second.
        y: [u8; 32],
    },
}

/// A key that can sign.
pub struct SigningKey(Pair);

enum Pair {
    Rsa(Box<RsaKeyPair>),
    P256(Box<EcdsaKeyPair>),
}

impl SigningKey {
    /// A new key as PKCS #8, to be sealed. RSA takes a fifth of a second or more: not a thing to do on a thread that
    /// answers requests.
    pub fn generate(kind: SigningKind) -> Result<Secret<Vec<u8>>, Error> {
        // Whoever cannot give a byte now is told so; the generators below would panic.
        getrandom::fill(&mut [0]).map_err(|_| Error::Random)?;
        let document = match kind {
            SigningKind::Rs256 => {
                let mut random = rsa::rand_core::UnwrapErr(getrandom::SysRng);
                let key = rsa::PrivateKey::new(&mut random, RSA_BITS).map_err(|_| Error::SigningKey)?;
                key.to_pkcs8_der().map_err(|_| Error::SigningKey)?.as_bytes().to_vec()
            }
            SigningKind::Es256 => {
                let made = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new());
                made.map_err(|_| Error::Random)?.as_ref().to_vec()
            }
        };
        Ok(Secret::new(document))
    }

    /// The key in what [`generate`](Self::generate) made.
    pub fn open(kind: SigningKind, document: &Secret<Vec<u8>>) -> Result<Self, Error> {
        let document = document.expose();
        let pair = match kind {
            SigningKind::Rs256 => RsaKeyPair::from_pkcs8(document).map(|pair| Pair::Rsa(Box::new(pair))),
            SigningKind::Es256 => {
                EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, document, &SystemRandom::new())
                    .map(|pair| Pair::P256(Box::new(pair)))
            }
        };
        pair.map(Self).map_err(|_| Error::SigningKey)
    }

    /// What it signs with.
    pub fn kind(&self) -> SigningKind {
        match &self.0 {
            Pair::Rsa(_) => SigningKind::Rs256,
            Pair::P256(_) => SigningKind::Es256,
        }
    }

    /// The half that everybody may know.
    pub fn public(&self) -> PublicHalf {
        match &self.0 {
            Pair::Rsa(pair) => {
                let RsaPublicKeyComponents { n, e } = RsaPublicKeyComponents::<Vec<u8>>::from(pair.public_key());
                PublicHalf::Rsa { n, e }
            }
            Pair::P256(pair) => {
                // SEC 1, 2.3.3: 4 for "uncompressed", then both coordinates.
                let (x, y) = pair.public_key().as_ref()[1..].split_at(32);
                let whole = |half: &[u8]| half.try_into().expect("a coordinate on P-256 has 32 bytes");
                PublicHalf::P256 { x: whole(x), y: whole(y) }
            }
        }
    }

    /// The signature of these bytes.
    pub fn sign(&self, bytes: &[u8]) -> Result<Vec<u8>, Error> {
        let random = SystemRandom::new();
        match &self.0 {
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public().modulus_len()];
                let signed = pair.sign(&RSA_PKCS1_SHA256, &random, bytes, &mut signature);
                signed.map(|()| signature).map_err(|_| Error::SigningKey)
            }
            Pair::P256(pair) => {
                let signed = pair.sign(&random, bytes);
                signed.map(|signature| signature.as_ref().to_vec()).map_err(|_| Error::SigningKey)
            }
        }
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({:?}, *)", self.kind())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ring::signature::{ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};

    fn verifies(public: &PublicHalf, bytes: &[u8], signature: &[u8]) -> bool {
        match public {
            PublicHalf::Rsa { n, e } => {
                RsaPublicKeyComponents { n, e }.verify(&RSA_PKCS1_2048_8192_SHA256, bytes, signature).is_ok()
            }
            PublicHalf::P256 { x, y } => {
                let point = [&[4][..], x, y].concat();
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(bytes, signature).is_ok()
            }
        }
    }

    #[test]
    fn what_a_key_signs_its_public_half_confirms() {
        for (kind, length) in [(SigningKind::Rs256, 256), (SigningKind::Es256, 64)] {
            let document = SigningKey::generate(kind).unwrap();
            let key = SigningKey::open(kind, &document).unwrap();
            let (public, signature) = (key.public(), key.sign(b"warp and weft").unwrap());
            assert_eq!((key.kind(), signature.len()), (kind, length));
            assert!(verifies(&public, b"warp and weft", &signature), "{kind:?}");
            assert!(!verifies(&public, b"warp and wefu", &signature), "{kind:?}");
            let again = SigningKey::open(kind, &document).unwrap();
            assert_eq!(again.public(), public);
            let other = SigningKey::open(kind, &SigningKey::generate(kind).unwrap()).unwrap();
            assert!(!verifies(&other.public(), b"warp and weft", &signature), "{kind:?}");
            if let PublicHalf::Rsa { n, e } = public {
                assert_eq!((n.len(), e), (256, vec![1, 0, 1]));
            }
            assert!(format!("{key:?}").ends_with(", *)"));
        }
    }

    #[test]
    fn what_is_no_key_does_not_open() {
        let document = SigningKey::generate(SigningKind::Es256).unwrap();
        assert!(SigningKey::open(SigningKind::Rs256, &document).is_err());
        let half = Secret::new(document.expose()[..20].to_vec());
        assert!(SigningKey::open(SigningKind::Es256, &half).is_err());
    }
}
