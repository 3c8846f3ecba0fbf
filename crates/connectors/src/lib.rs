//! Providers: the services that agents work with, and what opens their doors.
//!
//! This crate does not know the `Block` trait, where credentials are kept, or whose they are.

mod credential;
mod hosts;

pub use credential::{Credential, Kind, Material, Reference};
pub use hosts::HostPattern;
