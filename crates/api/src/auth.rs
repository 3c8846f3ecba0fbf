//! Who is asking: reading credentials, checking them, and counting the bad ones.

mod address;
mod credential;
mod failures;

pub use credential::authenticate;
pub use failures::Failures;
