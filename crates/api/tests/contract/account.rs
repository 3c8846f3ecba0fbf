//! What a signed-in person's browser may see and do.

mod api;
mod applications;
mod authorize;
pub mod browser;
mod forms;
mod headers;
mod library;
mod mail;
mod market;
mod pages;
mod passkeys;
mod sign_in;
