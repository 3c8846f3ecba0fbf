//! What can go wrong on the way out.
//!
//! Each message names the host as the request or a redirect wrote it. None carries the address it resolved to, nor a
//! path or query, which may hold a key.

use std::fmt;
use std::time::Duration;

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The URL cannot be read.
    #[error("the url is not valid: {reason}")]
    Url {
        /// What is wrong about it.
        reason: String,
    },
    /// Neither http nor https.
    #[error("scheme {scheme:?} is not allowed, only http and https are")]
    Scheme {
        /// The scheme.
        scheme: String,
    },
    /// A method that is not for requests to a server.
    #[error("method {method} is not allowed")]
    Method {
        /// The method.
        method: String,
    },
    /// A header's name or value holds forbidden characters.
    #[error("header {name:?} is not valid")]
    Header {
        /// The header.
        name: String,
    },
    /// Every address of the host is private or reserved.
    #[error("host {host} is not allowed: its address is private or reserved")]
    Blocked {
        /// The host.
        host: String,
    },
    /// The name has no address.
    #[error("host {host} was not found")]
    NotFound {
        /// The host.
        host: String,
    },
    /// No connection.
    #[error("cannot connect to {host}: {reason}")]
    Connect {
        /// The host.
        host: String,
        /// What the system said.
        reason: String,
    },
    /// No secure connection.
    #[error("no secure connection to {host}: {reason}")]
    Tls {
        /// The host.
        host: String,
        /// What is wrong.
        reason: String,
    },
    /// Too slow.
    #[error("{host} {phase} within {} s", after.as_secs_f32())]
    Timeout {
        /// The host.
        host: String,
        /// What was waited for.
        phase: Phase,
        /// How long.
        after: Duration,
    },
    /// Sent from one place to the next too often.
    #[error("more than {limit} redirects, the last one from {host}")]
    Redirects {
        /// The host of the last redirect.
        host: String,
        /// How many are followed.
        limit: u8,
    },
    /// A redirect to what is not a URL.
    #[error("{host} redirected to an address that is not valid")]
    Location {
        /// The host that redirected.
        host: String,
    },
    /// The answer is larger than the caller takes.
    #[error("the answer of {host} is larger than {limit} bytes")]
    TooLarge {
        /// The host.
        host: String,
        /// The bound.
        limit: u64,
    },
    /// The compressed answer is damaged.
    #[error("the answer of {host} cannot be decompressed")]
    Compression {
        /// The host.
        host: String,
    },
    /// The connection broke, or the peer does not speak HTTP.
    #[error("the connection to {host} failed: {reason}")]
    Broken {
        /// The host.
        host: String,
        /// What is wrong.
        reason: String,
    },
    /// The answer's body is not JSON.
    #[error("the answer of {host} is not valid JSON")]
    Json {
        /// The host.
        host: String,
    },
}

impl Error {
    /// Whether it is certain that nothing was sent, and another try may find the host there.
    pub fn is_unreachable(&self) -> bool {
        matches!(self, Self::Connect { .. } | Self::Timeout { phase: Phase::Connect, .. })
    }
}

/// What was waited for in vain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// A connection.
    Connect,
    /// The next bytes.
    Read,
    /// The whole answer.
    Whole,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connect => "did not accept a connection",
            Self::Read => "sent nothing",
            Self::Whole => "did not finish its answer",
        })
    }
}
