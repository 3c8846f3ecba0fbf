//! From names to addresses. What they may be is the policy's business, asked afterwards.

use std::io;
use std::net::IpAddr;

/// Finds the addresses of a host name. Never asked about a literal address.
#[async_trait::async_trait]
pub trait Resolve: Send + Sync {
    /// All addresses of `host`, in the order in which to try them.
    async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>>;
}

/// The system's own resolver.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemResolver;

#[async_trait::async_trait]
impl Resolve for SystemResolver {
    async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        // The system wants a port; ours is put on by the dial.
        Ok(tokio::net::lookup_host((host, 0)).await?.map(|address| address.ip()).collect())
    }
}
