//! Kinds of secrets: how each looks, how it is made, and what is kept of it (`auth.md` 1 and 2.1).
//!
//! Random bytes are handed in. Nothing here keeps a secret: the holder gets a [`Plain`], the table gets its [`Digest`].

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};
use std::fmt;
use subtle::ConstantTimeEq;
use zeroize::Zeroize;

/// What every secret of this platform starts with; a client secret without it is never right.
pub const COMMON: &str = "agpt_";

/// How many characters of either end may be shown.
const SHOWN: usize = 8;

/// What a text claims to be.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Kind {
    /// Speaks for an account until it is revoked.
    ApiKey,
    /// Speaks for an account for an hour.
    AccessToken,
    /// Makes new access tokens, at the token endpoint only.
    RefreshToken,
    /// Names an application; no secret.
    ClientId,
    /// Proves to be an application.
    ClientSecret,
    /// Allows one to register applications (RFC 7591, 3).
    RegistrationToken,
    /// What the authorization endpoint hands out. No prefix.
    Code,
    /// Names a pushed authorization request (RFC 9126, 2.2). A URN.
    RequestUri,
}

impl Kind {
    /// Longer prefixes first: all but the last two share the first letters.
    const PREFIXED: [Self; 7] = [
        Self::RegistrationToken,
        Self::ClientSecret,
        Self::ClientId,
        Self::AccessToken,
        Self::RefreshToken,
        Self::ApiKey,
        Self::RequestUri,
    ];

    /// What stands in front.
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::ApiKey => COMMON,
            Self::AccessToken => "agpt_xt_",
            Self::RefreshToken => "agpt_rt_",
            Self::ClientId => "agpt_client_",
            Self::ClientSecret => "agpt_secret_",
            Self::RegistrationToken => "agpt_registration_",
            Self::Code => "",
            Self::RequestUri => "urn:ietf:params:oauth:request_uri:",
        }
    }

    /// How many random bytes it carries.
    const fn entropy(self) -> usize {
        match self {
            Self::ClientId => 16,
            _ => 32,
        }
    }

    /// A new one from 32 random bytes, of which a client id takes the first 16.
    pub fn make(self, random: [u8; 32]) -> Plain {
        let mut text = self.prefix().to_owned();
        URL_SAFE_NO_PAD.encode_string(&random[..self.entropy()], &mut text);
        Plain(text)
    }

    /// What a text looks like by its prefix; a code when it has none of them.
    pub fn of(text: &str) -> Self {
        Self::PREFIXED.into_iter().find(|kind| text.starts_with(kind.prefix())).unwrap_or(Self::Code)
    }
}

/// A secret as its holder has it: shown as a star, wiped when dropped, read only through [`Plain::expose`].
#[derive(Clone, PartialEq, Eq)]
pub struct Plain(String);

impl Plain {
    /// Takes a text in.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself. The name is long so that each use is seen in review.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What may be kept of it.
    pub fn digest(&self) -> Digest {
        Digest::of(&self.0)
    }

    /// Its first characters, for display.
    pub fn head(&self) -> &str {
        self.0.get(..SHOWN).unwrap_or_default()
    }

    /// Its last characters, for display. Nothing of a secret too short to keep any of it secret.
    pub fn tail(&self) -> &str {
        let from = self.0.len().checked_sub(SHOWN).filter(|from| *from >= 2 * SHOWN);
        from.and_then(|from| self.0.get(from..)).unwrap_or_default()
    }
}

impl Drop for Plain {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for Plain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("*")
    }
}

/// SHA-256 of a secret: what is kept, and what it is found by. Enough for 256 random bits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// Of a text.
    pub fn of(text: &str) -> Self {
        Self(Sha256::digest(text.as_bytes()).into())
    }

    /// As 64 hexadecimal digits, the form of imported rows.
    pub fn hex(&self) -> String {
        self.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Reads what [`hex`](Self::hex) wrote.
    pub fn from_hex(text: &str) -> Option<Self> {
        from_hex(text)?.try_into().ok().map(Self)
    }

    /// Whether both are the same, in a time that does not tell where they differ.
    pub fn matches(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Digest(*)")
    }
}

/// What is kept of a client secret or an imported key, with the way to check it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Kept {
    /// A digest of ours, or of a legacy row without salt.
    Sha256(Digest),
    /// An imported row: N = 2^14, r = 8, p = 1. Some 30 ms of work and 16 MiB each time.
    Scrypt {
        /// The result.
        hash: [u8; 32],
        /// What went in beside the secret.
        salt: Vec<u8>,
    },
}

impl Kept {
    /// What is to be kept of a new secret.
    pub fn of(secret: &Plain) -> Self {
        Self::Sha256(secret.digest())
    }

    /// Reads an imported row: hash and, unless it is a legacy one, salt, both hexadecimal.
    pub fn imported(hash: &str, salt: Option<&str>) -> Option<Self> {
        let hash = Digest::from_hex(hash)?;
        match salt {
            None => Some(Self::Sha256(hash)),
            Some(salt) => Some(Self::Scrypt { hash: hash.0, salt: from_hex(salt)? }),
        }
    }

    /// Whether a secret is the one. Takes the same time however much of it is right. A right secret of a row that
    /// [`is_slow`](Self::is_slow) should be kept by its digest from now on.
    pub fn is(&self, secret: &str) -> bool {
        if !secret.starts_with(COMMON) {
            return false;
        }
        match self {
            Self::Sha256(digest) => digest.matches(&Digest::of(secret)),
            Self::Scrypt { hash, salt } => {
                let params = scrypt::Params::new(14, 8, 1).expect("the parameters are within scrypt's bounds");
                let mut found = [0; 32];
                let done = scrypt::scrypt(secret.as_bytes(), salt, &params, &mut found).is_ok();
                done & bool::from(found.ct_eq(hash))
            }
        }
    }

    /// Whether a check costs so much that it belongs on a thread of its own.
    pub fn is_slow(&self) -> bool {
        matches!(self, Self::Scrypt { .. })
    }

    /// One that no secret fits: for the same work when there is no client to check against.
    pub fn nobody() -> Self {
        Self::Sha256(Digest([0; 32]))
    }
}

/// URL-safe base64 without padding.
pub(crate) fn base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits = text.bytes().map(|digit| char::from(digit).to_digit(16));
    let digits = digits.collect::<Option<Vec<_>>>().filter(|digits| digits.len() % 2 == 0)?;
    Some(digits.chunks(2).map(|pair| (pair[0] << 4 | pair[1]) as u8).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `auth.md` 1.
    #[test]
    fn each_kind_has_its_prefix_and_length() {
        for (kind, prefix, length) in [
            (Kind::ApiKey, "agpt_", 48),
            (Kind::AccessToken, "agpt_xt_", 51),
            (Kind::RefreshToken, "agpt_rt_", 51),
            (Kind::ClientId, "agpt_client_", 34),
            (Kind::ClientSecret, "agpt_secret_", 55),
            (Kind::RegistrationToken, "agpt_registration_", 61),
            (Kind::Code, "", 43),
            (Kind::RequestUri, "urn:ietf:params:oauth:request_uri:", 77),
        ] {
            let made = kind.make([0xfb; 32]);
            assert!(made.expose().starts_with(prefix), "{kind:?}");
            assert_eq!(made.expose().len(), length, "{kind:?}");
            assert_eq!(Kind::of(made.expose()), kind);
            assert!(
                made.expose()[prefix.len()..].bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
            );
        }
    }

    /// `auth.md` 2.1: eight characters of either end.
    #[test]
    fn only_the_ends_are_shown() {
        let key = Plain::new("agpt_Zk3aaaaaaaaaaaaaaaaaaaaax9Lm2QaB");
        assert_eq!((key.head(), key.tail()), ("agpt_Zk3", "x9Lm2QaB"));
        assert_eq!(Plain::new("agpt_short").tail(), "");
        assert_eq!(format!("{key:?} {:?}", key.digest()), "* Digest(*)");
    }

    /// RFC 6234's vector for `abc`.
    #[test]
    fn digests_are_sha256_and_survive_hexadecimal() {
        let digest = Digest::of("abc");
        assert_eq!(digest.hex(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!(Digest::from_hex(&digest.hex()), Some(digest));
        for bad in ["", "ba", "zz7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", "é"] {
            assert_eq!(Digest::from_hex(bad), None, "{bad}");
        }
    }

    /// Hash made with Python's `hashlib.scrypt(b"agpt_secret_test", salt=bytes(range(32)), n=16384, r=8, p=1, dklen=32)`.
    #[test]
    fn imported_secrets_are_checked_with_scrypt() {
        let salt = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
        let kept =
            Kept::imported("c82701254879f99fb222f1fb073d2e0d4e2674ff6736e48ba08e01cf46a4936b", Some(salt)).unwrap();
        assert!(kept.is_slow());
        assert!(kept.is("agpt_secret_test"));
        assert!(!kept.is("agpt_secret_tesu"));
        let odd = Kept::imported(&Digest::of("secret_test").hex(), None).unwrap();
        assert!(!odd.is("secret_test"), "without the common prefix nothing is right (auth.md 1)");
        assert_eq!(Kept::imported("xyz", Some(salt)), None);
    }

    /// `auth.md` 2.1: legacy rows have no salt.
    #[test]
    fn rows_without_salt_are_plain_digests() {
        let kept = Kept::imported(&Digest::of("agpt_old").hex(), None).unwrap();
        assert!(kept.is("agpt_old") && !kept.is("agpt_new") && !kept.is_slow());
        assert!(!Kept::nobody().is("agpt_old"));
        let secret = Kind::ClientSecret.make([7; 32]);
        assert!(Kept::of(&secret).is(secret.expose()));
    }
}
