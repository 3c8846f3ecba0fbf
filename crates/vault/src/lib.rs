//! Secrets at rest: sealing and opening them, and changing the master key.
//!
//! A sealed secret is bound to the place it was sealed for, so a row copied over another one does not open. This crate
//! deliberately does not know where sealed bytes are kept, what a credential looks like, or who may ask for it.

mod error;
mod file;
mod key;
mod seal;
mod secret;
mod signing;

pub use error::Error;
pub use file::{create, load, load_or_create, retire, rotate};
pub use key::{Key, KeyId};
pub use seal::{Place, Vault};
pub use secret::Secret;
pub use signing::{PublicHalf, SigningKey, SigningKind};
