//! Providers: the services that agents work with, and what opens their doors.
//!
//! A provider is a file (`connectors/<name>.yaml`): what people call it, where it is, which kinds of credentials it
//! takes and where in a request their secret goes, how an account is connected. A secret is put into a request here and
//! nowhere else, after a look at where the request leads.
//!
//! This crate does not know the `Block` trait, where credentials are kept, or whose they are.

mod credential;
mod file;
mod hosts;
mod oauth;
mod place;
mod provider;
mod providers;
mod shipped;

pub use credential::{Credential, Kind, Material, Reference};
pub use file::{HttpUrl, Mistake, base_url};
pub use hosts::HostPattern;
pub use oauth::{Account, ClientProof, OAuth, Revocation, RevocationBody, RevocationMethod, TokenPlace};
pub use place::Place;
pub use provider::{CODEX, Provider};
pub use providers::{Error, Misplaced, Overrides, Providers, of_file};
