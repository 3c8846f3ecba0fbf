//! Who is asking: reading credentials, checking them, and counting the bad ones.

mod address;
mod credential;
mod operator;

pub use address::{client_address, counted};
pub use credential::{authenticate, presented};
pub use operator::may_watch;
