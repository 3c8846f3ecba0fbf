//! The only way to a socket.
//!
//! Whatever leaves the process goes through a [`Client`]: it decides about the address it dials *after* the name was
//! resolved and then dials that very address, so neither a name that points inside, nor a redirect, nor a resolver that
//! changes its mind gets past the policy. Everything a peer sends is bounded in bytes and seconds.
//!
//! This crate deliberately does not know what it is used for: no provider, no block, no credential store. It reads no
//! environment, so no proxy variable reroutes a request.

mod address;
mod allow;
mod body;
mod client;
mod dial;
mod error;
mod letter;
mod limits;
mod mail;
mod policy;
mod redirect;
mod request;
mod resolve;
mod response;
mod retry;
mod target;
mod tls;
mod unpack;

pub use address::is_public;
pub use allow::{Allow, AllowError};
pub use body::Body;
pub use client::{Client, Options};
pub use dial::{Connect, SystemConnector};
pub use error::{Error, Phase};
pub use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
pub use letter::{Letter, LetterError};
pub use limits::Limits;
pub use mail::{Mailer, MailerError};
pub use policy::Policy;
pub use request::Request;
pub use resolve::{Resolve, SystemResolver};
pub use response::{Response, Streaming};
pub use retry::Retry;
