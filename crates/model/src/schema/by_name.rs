//! Things by name, few and never changed: looked up without hashing.

use std::cmp::Ordering;

/// In an order in which most names are told apart by their length alone.
pub(super) struct ByName<T>(Vec<(String, T)>);

impl<T> ByName<T> {
    /// The thing of exactly this name.
    pub fn get(&self, name: &str) -> Option<&T> {
        let at = self.0.binary_search_by(|(known, _)| by_length(known, name)).ok()?;
        Some(&self.0[at].1)
    }
}

impl<T> FromIterator<(String, T)> for ByName<T> {
    fn from_iter<I: IntoIterator<Item = (String, T)>>(things: I) -> Self {
        let mut things: Vec<_> = things.into_iter().collect();
        things.sort_by(|(one, _), (other, _)| by_length(one, other));
        Self(things)
    }
}

fn by_length(one: &str, other: &str) -> Ordering {
    one.len().cmp(&other.len()).then_with(|| one.cmp(other))
}
