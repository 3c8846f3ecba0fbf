//! Providers' interfaces as they are spoken, against a server of our own.
#![expect(clippy::unwrap_used, reason = "everything here is a test or helps one")]

mod asking;
mod dialects;
#[path = "../support/mock.rs"]
mod mock;
