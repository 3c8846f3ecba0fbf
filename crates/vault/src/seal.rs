//! Sealing and opening.
//!
//! Sealed bytes are: version (1 byte), key id (8), nonce (24), then the XChaCha20-Poly1305 text with its tag (16). The
//! 24-byte nonce is drawn at random, which is safe for any number of secrets under one key; that is also why there is
//! no data key per row: a credential is so small that sealing it again costs what wrapping a data key again would.

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};

use crate::{Error, Key, KeyId, Secret};

const VERSION: u8 = 1;
const NONCE: usize = 24;
const HEAD: usize = 1 + KeyId::LENGTH;
const TAG: usize = 16;

/// Where a secret lives. A secret sealed for one place opens at no other, so rows cannot be swapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place<'a> {
    /// The table.
    pub table: &'a str,
    /// The row's id, with the owner's when ids are not unique without it.
    pub row: &'a str,
}

/// The master keys: the newest seals, any of them opens.
#[derive(Clone, Debug)]
pub struct Vault {
    newest: Key,
    older: Vec<Key>,
}

impl Vault {
    /// A vault over these keys, oldest first.
    pub fn new(mut keys: Vec<Key>) -> Result<Self, Error> {
        let newest = keys.pop().ok_or(Error::NoKey)?;
        Ok(Self { newest, older: keys })
    }

    /// A vault over the keys of a setting or variable: base64, oldest first, parted by commas or lines.
    pub fn parse(text: &str) -> Result<Self, Error> {
        Self::new(Key::parse(text)?)
    }

    /// The key that seals.
    pub fn newest(&self) -> KeyId {
        self.newest.id()
    }

    /// Whether there are keys that only open.
    pub fn has_older(&self) -> bool {
        !self.older.is_empty()
    }

    /// Seals `secret` for `place`.
    pub fn seal(&self, place: Place<'_>, secret: &[u8]) -> Result<Vec<u8>, Error> {
        let mut nonce = [0; NONCE];
        getrandom::fill(&mut nonce).map_err(|_| Error::Random)?;
        let mut sealed = Vec::with_capacity(HEAD + NONCE + secret.len() + TAG);
        sealed.push(VERSION);
        sealed.extend_from_slice(&self.newest.id().0);
        let aad = bound(&sealed, place);
        sealed.extend_from_slice(&nonce);
        let text = cipher(&self.newest)
            .encrypt(&XNonce::from(nonce), Payload { msg: secret, aad: &aad })
            .expect("a secret is far below the cipher's limit of 256 GiB");
        sealed.extend_from_slice(&text);
        Ok(sealed)
    }

    /// Opens what was sealed for `place`.
    pub fn open(&self, place: Place<'_>, sealed: &[u8]) -> Result<Secret<Vec<u8>>, Error> {
        let id = key_of(sealed)?;
        let key = self.keys().find(|key| key.id() == id).ok_or(Error::UnknownKey { id })?;
        let (head, rest) = sealed.split_at(HEAD);
        let (nonce, text) = rest.split_first_chunk::<NONCE>().ok_or(Error::Format)?;
        let payload = Payload { msg: text, aad: &bound(head, place) };
        cipher(key).decrypt(&XNonce::from(*nonce), payload).map(Secret::new).map_err(|_| Error::Altered)
    }

    /// Whether the newest key should seal this again: it is sealed with an older one.
    pub fn is_stale(&self, sealed: &[u8]) -> Result<bool, Error> {
        Ok(key_of(sealed)? != self.newest.id())
    }

    /// Opens and seals again with the newest key, at the same place. `None` when nothing needs to change.
    pub fn renew(&self, place: Place<'_>, sealed: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        if !self.is_stale(sealed)? {
            return Ok(None);
        }
        let secret = self.open(place, sealed)?;
        self.seal(place, secret.expose()).map(Some)
    }

    fn keys(&self) -> impl Iterator<Item = &Key> {
        std::iter::once(&self.newest).chain(&self.older)
    }
}

fn cipher(key: &Key) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new(key.bytes().into())
}

fn key_of(sealed: &[u8]) -> Result<KeyId, Error> {
    if sealed.len() < HEAD + NONCE + TAG || sealed[0] != VERSION {
        return Err(Error::Format);
    }
    let id = sealed[1..].first_chunk().ok_or(Error::Format)?;
    Ok(KeyId(*id))
}

/// The data the tag covers beside the secret. The length of the table's name keeps `("ab", "c")` and `("a", "bc")`
/// apart.
fn bound(head: &[u8], place: Place<'_>) -> Vec<u8> {
    let length = place.table.len() as u64;
    [head, &length.to_be_bytes(), place.table.as_bytes(), place.row.as_bytes()].concat()
}

#[cfg(test)]
mod tests;
