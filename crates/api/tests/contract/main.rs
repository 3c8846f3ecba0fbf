//! The HTTP door against the contract: a whole platform in a throw-away folder, driven through the router.

mod access;
mod bad_input;
mod document;
mod frame;
mod graphs;
mod pages;
mod runs;
mod tenancy;
mod testbed;
mod transcripts;
mod validation;
