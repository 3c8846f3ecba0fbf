//! The text of a provider's file. What is not understood is refused with its line.

use crate::{HostPattern, Kind, OAuth, Place};
use serde::de::Visitor;
use serde::{Deserialize, Deserializer};
use std::collections::BTreeMap;
use std::fmt;
use std::ops::Deref;
use url::{Host, Url};

/// What is wrong with a file, and where; lines and columns are counted from 1.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{line}:{column}: {what}")]
pub struct Mistake {
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
    /// What is wrong.
    pub what: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct File {
    pub(crate) title: String,
    pub(crate) base_url: Option<HttpUrl>,
    #[serde(default)]
    pub(crate) asks_base_url: bool,
    #[serde(default)]
    pub(crate) hosts: Vec<Hostname>,
    #[serde(default)]
    pub(crate) credentials: BTreeMap<Kind, Place>,
    pub(crate) listed: Option<Vec<Kind>>,
    pub(crate) oauth: Option<OAuth>,
}

/// Longer ones are no provider's file.
const LONGEST: usize = 1 << 20;

pub(crate) fn read(text: &str) -> Result<File, Mistake> {
    let at_start = |what: &str| Mistake { line: 1, column: 1, what: what.to_owned() };
    if text.len() > LONGEST {
        return Err(at_start("the file is longer than 1 MiB"));
    }
    let file: File = yaml_serde::from_str(text).map_err(|error| {
        let (line, column) = error.location().map_or((1, 1), |place| (place.line(), place.column()));
        // The place is told beside the words, so it does not have to stand in them too.
        let words = error.to_string();
        let what = words.rsplit_once(" at line ").map_or(words.as_str(), |(what, _)| what);
        Mistake { line, column, what: what.to_owned() }
    })?;
    if file.title.trim().is_empty() {
        return Err(at_start("title is empty"));
    }
    if file.credentials.contains_key(&Kind::OAuth2) && file.oauth.is_none() && file.base_url.is_some() {
        let is_stated = file.listed.as_ref().is_some_and(|listed| !listed.contains(&Kind::OAuth2));
        if !is_stated {
            return Err(at_start("credentials.oauth2 needs the section oauth, or a list `listed` without oauth2"));
        }
    }
    let needs_address = |place: &Place| !matches!(place, Place::Elsewhere);
    if file.base_url.is_none() && file.hosts.is_empty() && file.credentials.values().any(needs_address) {
        return Err(at_start("base_url or hosts is missing: a secret would have nowhere to go"));
    }
    Ok(file)
}

/// An address of a provider: https, or http to a host that is said to be spoken to in clear.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HttpUrl(pub(crate) Url);

impl Deref for HttpUrl {
    type Target = Url;

    fn deref(&self) -> &Url {
        &self.0
    }
}

impl HttpUrl {
    /// Whether what is said there stays between the two who say it.
    pub fn is_private(&self) -> bool {
        let is_here = match self.0.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(ip)) => ip.is_loopback(),
            Some(Host::Ipv6(ip)) => ip.is_loopback(),
            None => false,
        };
        self.0.scheme() == "https" || is_here
    }
}

impl<'de> Deserialize<'de> for HttpUrl {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Text("an http or https URL without query", |text: &str| base_url(text).map(Self)))
    }
}

/// A URL that requests can be built on: http or https, without user name, query and fragment. Ends without a slash.
pub fn base_url(text: &str) -> Option<Url> {
    let mut url = Url::parse(text.trim()).ok()?;
    let is_plain = url.username().is_empty() && url.password().is_none() && url.query().is_none();
    if !matches!(url.scheme(), "http" | "https") || !is_plain || url.fragment().is_some() || url.port() == Some(0) {
        return None;
    }
    let path = url.path().trim_end_matches('/').to_owned();
    url.set_path(&path);
    Some(url)
}

pub(crate) struct Hostname(pub(crate) HostPattern);

impl<'de> Deserialize<'de> for Hostname {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Text("a host", |text: &str| HostPattern::parse(text).map(Self)))
    }
}

pub(crate) struct HeaderName(pub(crate) String);

impl<'de> Deserialize<'de> for HeaderName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let read = |text: &str| heddle_outbound::HeaderName::try_from(text).ok().map(|_| Self(text.to_owned()));
        deserializer.deserialize_str(Text("the name of a header", read))
    }
}

/// Reads a text where it stands, so that a mistake in it is told with its own line.
struct Text<F>(&'static str, F);

impl<T, F: FnOnce(&str) -> Option<T>> Visitor<'_> for Text<F> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<T, E> {
        (self.1)(text).ok_or_else(|| E::custom(format!("{text:?} is not {}", self.0)))
    }
}
