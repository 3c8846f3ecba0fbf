//! Access and refresh tokens.

use crate::accounts;
use crate::cell::{Row, args};
use crate::db::Db;
use crate::oauth::codes::once;
use crate::oauth::{Held, apps, digest, families, held, json, list, read_held, rest, scopes};
use crate::sql::{Sql, both};
use crate::{Error, Store};
use heddle_model::{AppId, FamilyId, Time};
use heddle_oauth::Digest;
use heddle_oauth::token::{AccessToken, Pair, RefreshToken};

const ACCESS_WIDTH: usize = 8;
const REFRESH_WIDTH: usize = 6;

const INSERT_ACCESS: Sql = both!(
    "INSERT INTO oauth_access_token (digest, family, app, scopes, resources, created_at, expires_at) \
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)"
);
const INSERT_REFRESH: Sql =
    both!("INSERT INTO oauth_refresh_token (digest, family, app, created_at, expires_at) VALUES (?1, ?2, ?3, ?4, ?5)");
const FIND_ACCESS: Sql = both!(concat!(
    "SELECT oauth_access_token.digest, oauth_access_token.family, oauth_access_token.app, oauth_access_token.scopes, \
     oauth_access_token.resources, oauth_access_token.created_at, oauth_access_token.expires_at, \
     oauth_access_token.revoked_at, ",
    rest!(),
    held!("oauth_access_token")
));
const FIND_REFRESH: Sql = both!(concat!(
    "SELECT oauth_refresh_token.digest, oauth_refresh_token.family, oauth_refresh_token.app, \
     oauth_refresh_token.created_at, oauth_refresh_token.expires_at, oauth_refresh_token.rotated_at, ",
    rest!(),
    held!("oauth_refresh_token")
));
const ROTATE: Sql = both!("UPDATE oauth_refresh_token SET rotated_at = ?2 WHERE digest = ?1 AND rotated_at IS NULL");
const REVOKE: Sql =
    both!("UPDATE oauth_access_token SET revoked_at = ?3 WHERE digest = ?1 AND app = ?2 AND revoked_at IS NULL");

fn read_access(row: &Row<'_>) -> Result<Held<AccessToken>, Error> {
    let token = AccessToken {
        digest: digest(row, 0)?,
        family: FamilyId(row.id(1)?),
        app: AppId(row.id(2)?),
        scopes: scopes(row, 3)?,
        resources: list(row, 4)?,
        created_at: row.time(5)?,
        expires_at: row.time(6)?,
        revoked_at: row.time_option(7)?,
    };
    read_held(row, ACCESS_WIDTH, token)
}

fn read_refresh(row: &Row<'_>) -> Result<Held<RefreshToken>, Error> {
    let token = RefreshToken {
        digest: digest(row, 0)?,
        family: FamilyId(row.id(1)?),
        app: AppId(row.id(2)?),
        created_at: row.time(3)?,
        expires_at: row.time(4)?,
        rotated_at: row.time_option(5)?,
    };
    read_held(row, REFRESH_WIDTH, token)
}

/// The rows of a new pair, without the tokens themselves.
pub(super) struct Rows {
    access: AccessToken,
    refresh: Option<RefreshToken>,
    family_expires_at: Time,
}

impl Rows {
    /// What is kept of a pair.
    pub(super) fn of(pair: &Pair) -> Self {
        let refresh = pair.refresh.as_ref().map(|(token, _)| token.clone());
        Self { access: pair.access.clone(), refresh, family_expires_at: pair.family_expires_at }
    }

    /// Keeps it; [`Error::NotFound`] when its family has ended.
    pub(super) fn insert(&self, db: Db<'_>, at: Time) -> Result<(), Error> {
        let Self { access, refresh, family_expires_at } = self;
        families::note_use(db, access.family, at, *family_expires_at)?;
        let (scopes, resources) = (access.scopes.to_string(), json(&access.resources));
        let values =
            args![access.digest, access.family, access.app, scopes, resources, access.created_at, access.expires_at];
        db.execute(INSERT_ACCESS, &values)?;
        if let Some(RefreshToken { digest, family, app, created_at, expires_at, rotated_at: _ }) = refresh {
            db.execute(INSERT_REFRESH, &args![digest, family, app, created_at, expires_at])?;
        }
        Ok(())
    }
}

impl Store {
    /// The access token of this digest and all that it is judged by.
    pub async fn access_token(&self, digest: Digest) -> Result<Option<Held<AccessToken>>, Error> {
        self.read(move |db| db.first(FIND_ACCESS, &args![digest], read_access)).await
    }

    /// The refresh token of this digest and all that it is judged by.
    pub async fn refresh_token(&self, digest: Digest) -> Result<Option<Held<RefreshToken>>, Error> {
        self.read(move |db| db.first(FIND_REFRESH, &args![digest], read_refresh)).await
    }

    /// Puts a new pair in place of a refresh token; false, and nothing is kept, when it was replaced before or its family
    /// has ended: then it is to be judged again.
    pub async fn rotate_refresh_token(&self, digest: Digest, pair: &Pair, at: Time) -> Result<bool, Error> {
        let pair = Rows::of(pair);
        let kept = self
            .write(move |db| match db.execute(ROTATE, &args![digest, at])? {
                0 => Err(Error::NotFound),
                _ => pair.insert(db, at),
            })
            .await;
        once(kept)
    }

    /// Revokes one access token of an application; false when there was nothing to revoke.
    pub async fn revoke_access_token(&self, digest: Digest, app: AppId, at: Time) -> Result<bool, Error> {
        self.write(move |db| Ok(db.execute(REVOKE, &args![digest, app, at])? > 0)).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_found_by_its_digest_alone() {
        for sql in [FIND_ACCESS, FIND_REFRESH, ROTATE, REVOKE] {
            let plan = crate::sql::plan(sql);
            assert!(plan.contains("(digest=?)") && !plan.contains("SCAN"), "{plan}");
        }
    }
}
