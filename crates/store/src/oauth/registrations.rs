//! Tokens that allow one to register applications.

use crate::cell::args;
use crate::sql::{Sql, both};
use crate::{Error, Store};
use heddle_model::Time;
use heddle_oauth::Digest;

const INSERT: Sql = both!("INSERT INTO oauth_registration_token (digest, created_at, expires_at) VALUES (?1, ?2, ?3)");
const IS_LIVE: Sql = both!(
    "SELECT count(*) FROM oauth_registration_token WHERE digest = ?1 AND revoked_at IS NULL \
    AND (expires_at IS NULL OR expires_at > ?2)"
);
const REVOKE: Sql =
    both!("UPDATE oauth_registration_token SET revoked_at = ?2 WHERE digest = ?1 AND revoked_at IS NULL");

impl Store {
    /// Keeps a new token.
    pub async fn insert_registration_token(
        &self,
        digest: Digest,
        created_at: Time,
        expires_at: Option<Time>,
    ) -> Result<(), Error> {
        self.write(move |db| db.execute(INSERT, &args![digest, created_at, expires_at]).map(|_| ())).await
    }

    /// Whether a token is good at this moment.
    pub async fn is_registration_token(&self, digest: Digest, now: Time) -> Result<bool, Error> {
        self.read(move |db| db.one(IS_LIVE, &args![digest, now], |row| Ok(row.count(0)? > 0))).await
    }

    /// Revokes a token; false when it is not there, or was revoked before.
    pub async fn revoke_registration_token(&self, digest: Digest, at: Time) -> Result<bool, Error> {
        self.write(move |db| Ok(db.execute(REVOKE, &args![digest, at])? > 0)).await
    }
}
