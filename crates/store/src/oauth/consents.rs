//! What people allowed applications before.

use crate::cell::{Row, args};
use crate::db::Db;
use crate::oauth::{apps, scopes};
use crate::sql::{Sql, both};
use crate::{Error, Store};
use heddle_model::{AppId, Time, UserId};
use heddle_oauth::Client;
use heddle_oauth::consent::Consent;
use heddle_oauth::request::Request;

const FIND: Sql = both!("SELECT account, app, scopes, granted_at FROM oauth_consent WHERE account = ?1 AND app = ?2");
const OF_ACCOUNT: Sql = both!(concat!(
    "SELECT oauth_consent.account, oauth_consent.app, oauth_consent.scopes, oauth_consent.granted_at, ",
    apps::columns!(),
    " FROM oauth_consent JOIN oauth_app ON oauth_app.id = oauth_consent.app WHERE oauth_consent.account = ?1 \
     ORDER BY oauth_consent.granted_at, oauth_consent.app"
));
const PUT: Sql = both!(
    "INSERT INTO oauth_consent (account, app, scopes, granted_at) VALUES (?1, ?2, ?3, ?4) \
    ON CONFLICT (account, app) DO UPDATE SET scopes = excluded.scopes, granted_at = excluded.granted_at"
);

fn read(row: &Row<'_>) -> Result<Consent, Error> {
    Ok(Consent { user: UserId(row.id(0)?), app: AppId(row.id(1)?), scopes: scopes(row, 2)?, granted_at: row.time(3)? })
}

fn find(db: Db<'_>, account: UserId, app: AppId) -> Result<Option<Consent>, Error> {
    db.first(FIND, &args![account, app], read)
}

/// Remembers that a person allowed a request, beside what was allowed before. Read and written in one commit, so that of
/// two at once none is lost.
pub(super) fn remember(db: Db<'_>, request: &Request, account: UserId, now: Time) -> Result<(), Error> {
    let before = find(db, account, request.app)?;
    let Consent { user, app, scopes, granted_at } = Consent::with(before.as_ref(), request, account, now);
    db.execute(PUT, &args![user, app, scopes.to_string(), granted_at])?;
    Ok(())
}

impl Store {
    /// What a person allowed an application before.
    pub async fn consent(&self, account: UserId, app: AppId) -> Result<Option<Consent>, Error> {
        self.read(move |db| find(db, account, app)).await
    }

    /// What a person allowed applications before and has not taken back, oldest first.
    pub async fn consents(&self, account: UserId) -> Result<Vec<(Consent, Client)>, Error> {
        self.read(move |db| db.all(OF_ACCOUNT, &args![account], |row| Ok((read(row)?, apps::read(row, 4)?)))).await
    }
}
