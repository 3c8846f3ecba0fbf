//! Passwords are kept as argon2id hashes.
//!
//! Each hash takes 19 MiB and some milliseconds of a core, so no more are made at once than there are cores, and no more
//! may wait than are through in a few seconds: passwords sent by the thousand cost neither memory nor the other work.

use crate::Error;
use argon2::{Argon2, PasswordHasher, PasswordVerifier};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::Semaphore;

/// Fewer are guessed too soon.
const FEWEST: usize = 8;
/// Bytes; nobody types more, and every one of them is hashed.
const MOST: usize = 1_024;
/// How many may wait for their turn.
const WAITING: usize = 128;

static TURNS: LazyLock<Semaphore> =
    LazyLock::new(|| Semaphore::new(std::thread::available_parallelism().map_or(1, usize::from)));
static ASKED: AtomicUsize = AtomicUsize::new(0);

/// Hashes a new password, if it may be one.
pub(crate) async fn hash(password: String) -> Result<String, Error> {
    if password.chars().count() < FEWEST {
        return Err(Error::Refused(format!("a password needs at least {FEWEST} characters")));
    }
    if password.len() > MOST {
        return Err(Error::Refused(format!("a password may have at most {MOST} bytes")));
    }
    work(move || Argon2::default().hash_password(password.as_bytes()).map(|hash| hash.to_string()))
        .await?
        .map_err(|error| Error::Internal(error.to_string()))
}

/// Whether a password is the one that was hashed. Without a hash it is not, and finding that out takes as long.
pub(crate) async fn verify(hash: Option<String>, password: String) -> Result<bool, Error> {
    work(move || {
        let own = hash.is_some();
        let hash = hash.as_deref().unwrap_or_else(|| &NOBODYS);
        // What is too long was never hashed.
        let is_right =
            Argon2::default().verify_password(&password.as_bytes()[..password.len().min(MOST)], hash).is_ok();
        is_right && own && password.len() <= MOST
    })
    .await
}

/// What is compared with where there is no password: the hash of nothing anybody could type.
static NOBODYS: LazyLock<String> = LazyLock::new(|| {
    let hash = Argon2::default().hash_password(&rand::random::<[u8; 32]>());
    hash.map(|hash| hash.to_string()).unwrap_or_default()
});

/// Does it on a thread of its own when its turn comes.
async fn work<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Error> {
    let _asked = Asked::new()?;
    // Never closed.
    let _turn = TURNS.acquire().await.map_err(|error| Error::Internal(error.to_string()))?;
    tokio::task::spawn_blocking(work).await.map_err(|error| Error::Internal(error.to_string()))
}

struct Asked;

impl Asked {
    fn new() -> Result<Self, Error> {
        let asked = Self;
        if ASKED.fetch_add(1, Ordering::Relaxed) < WAITING {
            return Ok(asked);
        }
        Err(Error::Busy("Too many passwords are being checked right now, retry shortly.".to_owned(), 2))
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        ASKED.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_password_that_was_hashed_is_right() {
        let hash = hash("correct horse".to_owned()).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        for (hash, password, is_right) in [
            (Some(hash.clone()), "correct horse", true),
            (Some(hash.clone()), "correct horse ", false),
            (Some(hash.clone()), "", false),
            (Some("nonsense".to_owned()), "correct horse", false),
            (None, "correct horse", false),
            (None, "", false),
        ] {
            assert_eq!(verify(hash.clone(), password.to_owned()).await, Ok(is_right), "{hash:?} {password}");
        }
    }

    #[tokio::test]
    async fn passwords_are_neither_short_nor_endless() {
        for (password, is_fine) in [
            ("1234567".to_owned(), false),
            ("ääääääää".to_owned(), true),
            ("x".repeat(MOST), true),
            ("x".repeat(MOST + 1), false),
        ] {
            assert_eq!(hash(password.clone()).await.is_ok(), is_fine, "{password}");
        }
    }
}
