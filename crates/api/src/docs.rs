//! The OpenAPI document and the pages that show it, all from inside the binary.

mod assets;
mod document;
mod pages;
mod reference;

pub use document::{base, finish};
pub use pages::pages;
