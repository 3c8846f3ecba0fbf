//! From names to addresses. What they may be is the policy's business, asked afterwards.

use std::io;
use std::net::{IpAddr, ToSocketAddrs as _};

use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

/// Look-ups at once. The system's takes a thread for as long as a name's servers are silent; others need threads too.
const LOOKUPS: usize = 256;

static PLACES: Semaphore = Semaphore::const_new(LOOKUPS);

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
        let place = PLACES.acquire().await.map_err(io::Error::other)?;
        let host = host.to_owned();
        let look_up = move || {
            // Kept by the thread: whoever asked may have gone.
            let _place = place;
            // The system wants a port; ours is put on by the dial.
            Ok((host.as_str(), 0).to_socket_addrs()?.map(|address| address.ip()).collect())
        };
        spawn_blocking(look_up).await.map_err(io::Error::other)?
    }
}
