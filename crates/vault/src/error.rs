//! What can go wrong. No variant carries key or secret text.

use std::path::PathBuf;

use crate::KeyId;

/// Why keys could not be had, or a secret not be opened.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The key file cannot be read or written.
    #[error("key file {} cannot be used", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// Others than the owner may read the key file.
    #[error("key file {} has mode {mode:04o}, others may read it; set it to 0600", path.display())]
    Mode {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// A line of the key text is not a key.
    #[error("key {number} is not 32 bytes in base64")]
    Key {
        /// Which key, counted from 1.
        number: usize,
    },
    /// The key text holds no key.
    #[error("there is no master key")]
    NoKey,
    /// The sealed bytes are too short, or of a version this build does not know.
    #[error("this is not a sealed secret of a known version")]
    Format,
    /// Sealed with a key that is not among ours.
    #[error("sealed with master key {id}, which this server does not have")]
    UnknownKey {
        /// The key's id.
        id: KeyId,
    },
    /// The bytes were changed, or belong to another place.
    #[error("the sealed secret was altered or belongs somewhere else")]
    Altered,
    /// This is no key that signs, or it cannot.
    #[error("the signing key cannot be used")]
    SigningKey,
    /// The system gives no random bytes.
    #[error("the system gives no random bytes")]
    Random,
}
