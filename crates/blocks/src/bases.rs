//! Where providers are reached.

use std::collections::HashMap;
use std::sync::Arc;

/// The addresses of providers that an operator has put somewhere else: behind a gateway, or on a server of a test.
/// The address policy holds for them as for any other.
#[derive(Clone, Debug, Default)]
pub struct Bases(Arc<HashMap<String, String>>);

impl Bases {
    /// The provider's base URL: the operator's, else its own. Without a slash at its end.
    pub(crate) fn of<'a>(&'a self, provider: &str, own: &'a str) -> &'a str {
        self.0.get(provider).map_or(own, String::as_str).trim_end_matches('/')
    }
}

/// Names of providers with their base URLs.
impl FromIterator<(String, String)> for Bases {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(pairs: I) -> Self {
        Self(Arc::new(pairs.into_iter().collect()))
    }
}
