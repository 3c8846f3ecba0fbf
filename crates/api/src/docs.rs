//! The OpenAPI document and the pages that show it.
//!
//! What a route says itself stands beside its handler; what follows from the handler's type is added by [`complete`], and what
//! is told about all of them (examples, headers, which answer leads where) by [`finish`].

mod assets;
mod document;
mod examples;
mod links;
mod operation;
mod pages;
mod words;

pub use document::{base, finish};
pub use operation::{Needs, complete, methods, operations};
pub use pages::pages;
