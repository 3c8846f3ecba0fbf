//! One provider, as its file describes it.

use crate::file::{self, Mistake};
use crate::{HostPattern, Kind, OAuth, Place};
use std::collections::BTreeMap;
use url::Url;

/// A service that agents work with.
#[derive(Clone, Debug)]
pub struct Provider {
    /// The file's name without its ending, e.g. `open_router`.
    pub name: String,
    /// What people call it.
    pub title: String,
    /// Where its API begins; `None` where that depends on the node, as for web requests and mail.
    pub base_url: Option<Url>,
    /// Whether each API key has to say where its server is, unless the operator has said it for all.
    pub asks_base_url: bool,
    /// The kinds that can be used with it, and where the secret of each goes.
    pub places: BTreeMap<Kind, Place>,
    /// The kinds that the list of providers names. Clients of the platform that this one follows expect some that
    /// nothing uses.
    pub listed: Vec<Kind>,
    /// Whether the list of providers has it.
    pub is_listed: bool,
    /// How an account is connected.
    pub oauth: Option<OAuth>,
    hosts: Vec<HostPattern>,
}

impl Provider {
    /// Reads a provider's file.
    pub fn read(name: &str, text: &str) -> Result<Self, Mistake> {
        let is_word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        if name.is_empty() || !name.bytes().all(is_word) {
            let what = format!("{name:?} cannot name a provider: small letters, digits and _ can");
            return Err(Mistake { line: 1, column: 1, what });
        }
        let file = file::read(text)?;
        let places: BTreeMap<Kind, Place> = file.credentials;
        let listed = file.listed.unwrap_or_else(|| places.keys().copied().collect());
        Ok(Self {
            name: name.to_owned(),
            title: file.title,
            base_url: file.base_url.map(|url| url.0),
            asks_base_url: file.asks_base_url,
            is_listed: name != CODEX && !(places.is_empty() && listed.is_empty()),
            listed,
            oauth: file.oauth,
            hosts: file.hosts.into_iter().map(|host| host.0).collect(),
            places,
        })
    }

    /// Whether the list of providers names this kind.
    pub fn lists(&self, kind: Kind) -> bool {
        self.is_listed && self.listed.contains(&kind)
    }

    /// Whether a secret for this provider may be sent where `url` leads: to its own hosts, and in clear only to a
    /// provider whose own address is in clear.
    pub fn admits(&self, url: &Url) -> bool {
        let base = self.base_url.as_ref();
        let is_private = url.scheme() == "https" || base.is_some_and(|base| base.scheme() == url.scheme());
        let is_own = base.is_some_and(|base| base.origin() == url.origin());
        is_private && (is_own || self.hosts.iter().any(|host| host.covers(url)))
    }
}

/// Reached by a sign-in of its own; it is listed for nobody who has not got that.
pub const CODEX: &str = "codex";
