//! Master keys and their ids.
//!
//! A key's id is taken from the key itself, so two servers that hold the same key agree on its id without a registry,
//! and the order of a key file can change without breaking what was sealed.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};
use zeroize::{Zeroize, Zeroizing};

use crate::Error;

/// Bytes of a master key.
pub(crate) const LENGTH: usize = 32;

/// Names a master key without telling anything about it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyId(pub(crate) [u8; KeyId::LENGTH]);

impl KeyId {
    /// Bytes of an id inside a sealed secret.
    pub(crate) const LENGTH: usize = 8;
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// One master key: 32 random bytes.
#[derive(Clone)]
pub struct Key {
    id: KeyId,
    // Boxed, so that moving the key copies a pointer and leaves no second copy of the bytes on the stack.
    bytes: Box<Zeroizing<[u8; LENGTH]>>,
}

impl Key {
    /// A new key from the system's randomness.
    pub fn random() -> Result<Self, Error> {
        let mut bytes = Box::new(Zeroizing::new([0; LENGTH]));
        getrandom::fill(&mut bytes[..]).map_err(|_| Error::Random)?;
        Ok(Self::of(bytes))
    }

    /// The keys of a text: one in base64 a line (or parted by commas), oldest first; `#` starts a comment.
    pub fn parse(text: &str) -> Result<Vec<Self>, Error> {
        let words =
            text.lines().flat_map(|line| line.split('#').next().unwrap_or_default().split([',', ' ', '\t', '\r']));
        let keys = words.filter(|word| !word.is_empty()).enumerate().map(|(at, word)| {
            let mut decoded = STANDARD.decode(word).map_err(|_| Error::Key { number: at + 1 })?;
            let mut bytes = Box::new(Zeroizing::new([0; LENGTH]));
            let fits = decoded.len() == LENGTH;
            if fits {
                bytes.copy_from_slice(&decoded);
            }
            decoded.zeroize();
            if fits { Ok(Self::of(bytes)) } else { Err(Error::Key { number: at + 1 }) }
        });
        let keys: Vec<_> = keys.collect::<Result<_, _>>()?;
        if keys.is_empty() { Err(Error::NoKey) } else { Ok(keys) }
    }

    /// The key in base64, as it stands in a key file.
    pub(crate) fn text(&self) -> Zeroizing<String> {
        Zeroizing::new(STANDARD.encode(self.bytes()))
    }

    /// What the key is called in sealed secrets and messages.
    pub fn id(&self) -> KeyId {
        self.id
    }

    pub(crate) fn bytes(&self) -> &[u8; LENGTH] {
        &self.bytes
    }

    fn of(bytes: Box<Zeroizing<[u8; LENGTH]>>) -> Self {
        // The prefix keeps this digest from meaning anything elsewhere; a digest of 256 random bits gives none of them
        // away.
        let digest = Sha256::new().chain_update(b"heddle master key id\0").chain_update(&bytes[..]).finalize();
        let mut id = [0; KeyId::LENGTH];
        id.copy_from_slice(&digest[..KeyId::LENGTH]);
        Self { id: KeyId(id), bytes }
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({}, *)", self.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ZEROS: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    const ONES: &str = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";

    #[test]
    fn texts_of_keys() {
        let both =
            [format!("{ZEROS}\n{ONES}\n"), format!("{ZEROS},{ONES}"), format!("# old\r\n{ZEROS} # x\r\n\r\n {ONES}")];
        for text in both {
            let keys = Key::parse(&text).expect(&text);
            assert_eq!(keys.iter().map(|key| key.bytes()[0]).collect::<Vec<_>>(), [0, 1], "{text}");
        }
    }

    #[test]
    fn texts_that_are_no_keys_are_named_by_number_only() {
        for (text, message) in [
            (String::new(), "there is no master key"),
            ("# nothing\n".to_owned(), "there is no master key"),
            (format!("{ZEROS}\nsecret!"), "key 2 is not 32 bytes in base64"),
            ("AAAA".to_owned(), "key 1 is not 32 bytes in base64"),
        ] {
            assert_eq!(Key::parse(&text).expect_err(&text).to_string(), message);
        }
    }

    #[test]
    fn ids_follow_from_the_key_and_debug_shows_nothing_else() {
        let keys = Key::parse(&format!("{ZEROS} {ONES} {ZEROS}")).expect("good keys");
        assert_eq!(keys[0].id(), keys[2].id());
        assert_ne!(keys[0].id(), keys[1].id());
        assert_eq!(format!("{:?}", keys[0]), format!("Key({}, *)", keys[0].id()));
    }

    #[test]
    fn a_key_survives_its_own_text() {
        let key = Key::random().expect("randomness");
        let again = Key::parse(&key.text()).expect("its own text");
        assert_eq!(again[0].bytes(), key.bytes());
    }
}
