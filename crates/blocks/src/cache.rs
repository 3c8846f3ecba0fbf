//! A small cache of things made from texts: compiled templates and patterns.
//!
//! Two generations: what is asked for moves to the young one; when that is full it becomes the old one and the old
//! one is dropped. So memory is bounded, and what is used often stays without any bookkeeping per hit.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Texts above this are made anew each time rather than kept.
const MAX_KEY_BYTES: usize = 64 * 1024;
/// Entries of one generation.
const GENERATION: usize = 512;

/// Values by the text they were made from.
pub(crate) struct Cache<V>(Mutex<Generations<V>>);

struct Generations<V> {
    young: HashMap<Box<str>, Arc<V>>,
    old: HashMap<Box<str>, Arc<V>>,
}

impl<V> Cache<V> {
    /// An empty cache.
    pub fn new() -> Self {
        Self(Mutex::new(Generations { young: HashMap::new(), old: HashMap::new() }))
    }

    /// The value of this text, made now if it is not there. Failures are not kept.
    pub fn get<E>(&self, text: &str, make: impl FnOnce() -> Result<V, E>) -> Result<Arc<V>, E> {
        if text.len() > MAX_KEY_BYTES {
            return make().map(Arc::new);
        }
        if let Some(value) = self.lock().find(text) {
            return Ok(value);
        }
        // Made outside the lock: two threads may make the same value, which costs less than waiting.
        let value = Arc::new(make()?);
        self.lock().put(text.into(), value.clone());
        Ok(value)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Generations<V>> {
        // A panic elsewhere cannot leave the maps half-changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<V> Generations<V> {
    fn find(&mut self, text: &str) -> Option<Arc<V>> {
        if let Some(value) = self.young.get(text) {
            return Some(value.clone());
        }
        let (key, value) = self.old.remove_entry(text)?;
        self.put(key, value.clone());
        Some(value)
    }

    fn put(&mut self, key: Box<str>, value: Arc<V>) {
        if self.young.len() >= GENERATION {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn len(cache: &Cache<usize>) -> usize {
        let generations = cache.lock();
        generations.young.len() + generations.old.len()
    }

    #[test]
    fn what_is_used_stays_and_the_rest_is_bounded() {
        let cache = Cache::new();
        for number in 0..5000 {
            let _ = cache.get(&number.to_string(), || Ok::<_, ()>(number));
            assert_eq!(cache.get("kept", || Ok::<_, ()>(number)).map(|kept| *kept), Ok(0));
        }
        assert!(len(&cache) <= 2 * GENERATION);
    }

    #[test]
    fn failures_are_not_kept() {
        let cache = Cache::new();
        assert!(cache.get("a", || Err(())).is_err());
        assert_eq!(cache.get("a", || Ok::<_, ()>(1)).map(|value| *value), Ok(1));
    }
}
