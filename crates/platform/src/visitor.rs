//! Somebody at the door: where from, and with what.

use std::net::IpAddr;

/// Longer ones are cut; they are for people to recognize a browser by.
const AGENT: usize = 256;

/// Where a request for signing in came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Visitor {
    /// The client's address.
    pub address: IpAddr,
    /// What counts as one client: the address, or for IPv6 its /64.
    pub network: IpAddr,
    /// What the browser says it is.
    pub user_agent: Option<String>,
}

impl Visitor {
    /// The browser's name within bounds.
    pub(crate) fn agent(&self) -> Option<String> {
        let shown = |letter: &char| !letter.is_control();
        let name: String = self.user_agent.as_deref()?.chars().filter(shown).take(AGENT).collect();
        (!name.is_empty()).then_some(name)
    }
}
