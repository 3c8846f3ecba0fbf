//! "Sign in with Heddle", by those who want it: the libraries that applications are written with, a client of the JSON
//! dialect, and what the documentation tells people to copy. All against the real binary behind HTTPS.

mod browser;
mod https;
mod libraries;
mod sample;
mod script;
mod snippets;
pub mod stage;
pub mod upstream;
