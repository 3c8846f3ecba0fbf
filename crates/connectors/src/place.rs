//! Where in a request a secret goes.

use crate::file::HeaderName;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use std::fmt;

/// The place of a secret.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Place {
    /// In a header.
    Header {
        /// Its name.
        name: String,
        /// What stands before the secret, e.g. `Bearer `.
        prefix: String,
    },
    /// In the query.
    Query(String),
    /// In the first segment of the path, where `{secret}` stands.
    Path(String),
    /// Name and password as RFC 7617 has them.
    Basic,
    /// Not in a request to the provider's own address: a node says where, or another protocol carries it.
    Elsewhere,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    header: Option<HeaderName>,
    prefix: Option<String>,
    query: Option<String>,
    path: Option<String>,
    basic: Option<bool>,
    elsewhere: Option<bool>,
}

impl<'de> Deserialize<'de> for Place {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Members)
    }
}

/// Reads the members where they stand, so that what is wrong with them together is told with their line.
struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Place;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the place of a secret, e.g. {header: X-Api-Key}")
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Place, A::Error> {
        let raw = Raw::deserialize(MapAccessDeserializer::new(members))?;
        Place::try_from(raw).map_err(A::Error::custom)
    }
}

impl TryFrom<Raw> for Place {
    type Error = &'static str;

    fn try_from(raw: Raw) -> Result<Self, Self::Error> {
        let prefix = raw.prefix.unwrap_or_default();
        if !prefix.is_empty() && raw.header.is_none() {
            return Err("prefix goes with header");
        }
        let mut places = Vec::new();
        places.extend(raw.header.map(|name| Self::Header { name: name.0, prefix }));
        places.extend(raw.query.map(Self::Query));
        if let Some(path) = raw.path {
            if path.matches("{secret}").count() != 1 || path.contains(['/', '?', '#']) {
                return Err("path is one segment that holds {secret}");
            }
            places.push(Self::Path(path));
        }
        places.extend(raw.basic.filter(|basic| *basic).map(|_| Self::Basic));
        places.extend(raw.elsewhere.filter(|elsewhere| *elsewhere).map(|_| Self::Elsewhere));
        match (places.pop(), places.is_empty()) {
            (Some(place), true) => Ok(place),
            _ => Err("exactly one of header, query, path, basic: true, elsewhere: true is expected"),
        }
    }
}
