//! The rules of the authorization server: who an application is, what it may ask for, what a person allows it, and
//! what becomes of the codes and tokens that follow (`auth.md`; RFC 6749, 6750, 7009, 7591, 7636, 7662, 8252, 8414,
//! 8707, 9126, 9207, 9700, 9728; OpenID Connect Core).
//!
//! Pure: no clock, no randomness, no database, no HTTP. Time and random bytes are arguments, rows are handed in, and
//! what must happen to them is handed back, so every rule is a line of a table test.
//!
//! A code's way: [`request::names`] says what to look up, [`request::read`] judges, [`consent::next`] says whether the
//! person is asked, [`code::issue`] makes the code, [`code::redeem`] and [`token::issue`] turn it into tokens,
//! [`token::check`] judges those, [`token::redeem`] renews them, and the end of a [`Family`] ends them all.

pub mod answer;
pub mod bearer;
pub mod body;
pub mod client;
pub mod code;
pub mod consent;
pub mod credentials;
pub mod draft;
mod error;
pub mod family;
pub mod fields;
pub mod grant;
pub mod inspect;
mod issuer;
pub mod keys;
pub mod limit;
pub mod metadata;
pub mod oidc;
mod parameters;
pub mod pkce;
pub mod pushed;
pub mod redirect;
pub mod registration;
pub mod request;
pub mod resource;
pub mod scope;
pub mod secret;
#[cfg(test)]
mod testing;
pub mod token;

pub use client::Client;
pub use error::ErrorCode;
pub use family::{Family, Standing};
pub use issuer::Issuer;
pub use parameters::Parameters;
pub use pkce::Challenge;
pub use pushed::Pushed;
pub use redirect::Redirect;
pub use scope::{Scope, Scopes};
pub use secret::{Digest, Kept, Kind, Plain};
