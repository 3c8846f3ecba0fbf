//! The server, as browsers and authenticators know it.

use sha2::{Digest, Sha256};
use url::{Host, Url};

/// A relying party: the name that passkeys are made for, and the one origin from which they are used.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Party {
    id: String,
    origin: String,
}

impl Party {
    /// The server at this origin, which may be followed by a path. `None` where browsers have no passkeys: at an address
    /// that is a number and no name, and over plain HTTP from another machine.
    pub fn of(origin: &str) -> Option<Self> {
        let url = Url::parse(origin).ok()?;
        let Some(Host::Domain(name)) = url.host() else { return None };
        let is_here = name == "localhost" || name.ends_with(".localhost");
        let is_safe = url.scheme() == "https" || (url.scheme() == "http" && is_here);
        is_safe.then(|| Self { id: name.to_owned(), origin: url.origin().ascii_serialization() })
    }

    /// The name (RP ID).
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The origin, as browsers write it.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    pub(crate) fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.id.as_bytes()).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passkeys_are_for_names_that_are_reached_safely() {
        for (address, expected) in [
            ("https://agents.example.org", Some(("agents.example.org", "https://agents.example.org"))),
            ("https://Agents.Example.org:443/x", Some(("agents.example.org", "https://agents.example.org"))),
            ("https://agents.example.org:8443", Some(("agents.example.org", "https://agents.example.org:8443"))),
            ("http://localhost:8006", Some(("localhost", "http://localhost:8006"))),
            ("http://heddle.localhost", Some(("heddle.localhost", "http://heddle.localhost"))),
            ("https://b\u{fc}cher.example", Some(("xn--bcher-kva.example", "https://xn--bcher-kva.example"))),
            ("http://agents.example.org", None),
            ("http://localhost.example.org", None),
            ("http://127.0.0.1:8006", None),
            ("https://192.168.1.5", None),
            ("https://[::1]", None),
            ("ftp://localhost", None),
            ("", None),
        ] {
            let party = Party::of(address);
            assert_eq!(party.as_ref().map(|party| (party.id(), party.origin())), expected, "{address}");
        }
    }
}
