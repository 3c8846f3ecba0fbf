//! The client against servers of our own on the loopback.

mod bounds;
mod common;
mod policy;
mod requests;
