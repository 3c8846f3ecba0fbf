//! Passwords are kept as argon2id hashes.

use crate::Error;
use argon2::{Argon2, PasswordHasher};

/// Hashes on a thread of its own: it takes 19 MiB and some milliseconds.
pub(crate) async fn hash(password: String) -> Result<String, Error> {
    if password.chars().count() < 8 {
        return Err(Error::Refused("a password needs at least 8 characters".to_owned()));
    }
    let work = tokio::task::spawn_blocking(move || {
        Argon2::default().hash_password(password.as_bytes()).map(|hash| hash.to_string())
    });
    match work.await {
        Ok(Ok(hash)) => Ok(hash),
        Ok(Err(error)) => Err(Error::Internal(error.to_string())),
        Err(error) => Err(Error::Internal(error.to_string())),
    }
}
