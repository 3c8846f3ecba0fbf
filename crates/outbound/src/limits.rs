//! How much a peer may take up.

use std::time::Duration;

/// Bounds of one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the body, on the wire and again after decompression.
    pub body: u64,
    /// How long the peer may stay silent, before and within its answer. Sending the request's body counts, so a large
    /// upload wants more.
    pub read: Duration,
    /// How long everything may take, redirects included. A retry starts anew.
    pub whole: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { body: 10 * 1024 * 1024, read: Duration::from_secs(60), whole: Duration::from_secs(300) }
    }
}
