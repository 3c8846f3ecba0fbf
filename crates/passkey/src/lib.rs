//! Passkeys (Web Authentication, Level 3): what a server asks of a browser, and whether the answer proves anything.
//!
//! Pure: who asks, what the challenge was and which credential is kept are handed in; nothing is stored, and the time is
//! somebody else's business. Only passkeys that find their account by themselves are asked for, and only answers count
//! for which the person was verified (a finger, a face, a code): such an answer stands for a password. No attestation
//! is asked for, so nothing is known of the maker of an authenticator.

mod answer;
mod assertion;
mod authenticator;
mod cbor;
mod client_data;
mod error;
mod key;
mod options;
mod party;
mod registration;
#[cfg(feature = "testing")]
pub mod testing;

pub use assertion::{Assertion, Kept, Seen};
pub use error::Error;
pub use key::PublicKey;
pub use options::{User, creation, request};
pub use party::Party;
pub use registration::{Credential, Registration};

/// Bytes of the longest credential id (Web Authentication, 4).
pub const LONGEST_ID: usize = 1023;
