//! People on their way to a provider and back. The state itself never comes here, only its digest.

use crate::cell::{Row, args, unreadable};
use crate::sql::{Sql, both};
use crate::{Error, Store};
use heddle_model::{KeyId, SessionId, Time, UserId};
use heddle_oauth::Digest;

macro_rules! columns {
    () => {
        "digest, owner, session, provider, way, callback_url, scopes, metadata, back, key_id, sealed, created_at, \
         expires_at"
    };
}

const INSERT: Sql = both!(concat!(
    "INSERT INTO connect_attempt (",
    columns!(),
    ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)"
));
/// Nobody is on more ways at once; the oldest ones give way.
const CROWD_OUT: Sql = both!(
    "DELETE FROM connect_attempt WHERE digest IN \
     (SELECT digest FROM connect_attempt WHERE owner = ?1 ORDER BY created_at DESC, digest LIMIT 1000 OFFSET 100)"
);
const FIND: Sql = both!(concat!("SELECT ", columns!(), " FROM connect_attempt WHERE owner = ?1 AND digest = ?2"));
const TAKE: Sql = both!(concat!(
    "DELETE FROM connect_attempt WHERE owner = ?1 AND digest = ?2 AND provider = ?3 RETURNING ",
    columns!()
));
const HAS_EXPIRED: Sql = both!("SELECT digest FROM connect_attempt WHERE expires_at <= ?1 LIMIT 1");
const REMOVE_EXPIRED: Sql = both!(
    "DELETE FROM connect_attempt WHERE digest IN \
     (SELECT digest FROM connect_attempt WHERE expires_at <= ?1 ORDER BY expires_at LIMIT 64)"
);

/// Who handles the way back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Way {
    /// An application, by the API.
    External,
    /// A page's script, which opened a window.
    Window,
    /// A page of ours, which sent the browser itself.
    Page,
}

impl Way {
    const ALL: [Self; 3] = [Self::External, Self::Window, Self::Page];

    fn as_str(self) -> &'static str {
        match self {
            Self::External => "external",
            Self::Window => "window",
            Self::Page => "page",
        }
    }
}

/// Somebody on the way.
#[derive(Clone, PartialEq, Eq)]
pub struct ConnectAttempt {
    /// SHA-256 of the state that travels along.
    pub digest: Digest,
    /// Who began it.
    pub owner: UserId,
    /// With which browser, if with one.
    pub session: Option<SessionId>,
    /// Which provider it leads to.
    pub provider: String,
    /// Who handles the way back.
    pub way: Way,
    /// Where the provider is to send the browser.
    pub callback_url: String,
    /// What is asked for.
    pub scopes: Vec<String>,
    /// A JSON text that is handed back at the end.
    pub metadata: String,
    /// Which of our pages to go on to.
    pub back: Option<String>,
    /// The API key that began it, if one did.
    pub key_id: Option<KeyId>,
    /// The proof, sealed.
    pub sealed: Vec<u8>,
    /// When it began.
    pub created_at: Time,
    /// Until when it can be completed.
    pub expires_at: Time,
}

fn read(row: &Row<'_>) -> Result<ConnectAttempt, Error> {
    let way = row.text(4)?;
    let way = Way::ALL.into_iter().find(|known| known.as_str() == way);
    Ok(ConnectAttempt {
        digest: Digest(row.bytes(0)?.try_into().map_err(|_| unreadable(0, "no digest"))?),
        owner: UserId(row.id(1)?),
        session: row.id_option(2)?.map(SessionId),
        provider: row.text(3)?,
        way: way.ok_or_else(|| unreadable(4, "no way"))?,
        callback_url: row.text(5)?,
        scopes: row.text(6)?.split(' ').filter(|scope| !scope.is_empty()).map(str::to_owned).collect(),
        metadata: row.text(7)?,
        back: row.text_option(8)?,
        key_id: row.id_option(9)?.map(KeyId),
        sealed: row.bytes(10)?.to_vec(),
        created_at: row.time(11)?,
        expires_at: row.time(12)?,
    })
}

impl Store {
    /// Keeps a new attempt.
    pub async fn insert_connect_attempt(&self, new: ConnectAttempt) -> Result<(), Error> {
        self.write(move |db| {
            let ConnectAttempt { digest, owner, session, provider, way, callback_url, scopes, .. } = &new;
            let ConnectAttempt { metadata, back, key_id, sealed, created_at, expires_at, .. } = &new;
            let (way, scopes) = (way.as_str(), scopes.join(" "));
            db.execute(
                INSERT,
                &args![
                    digest,
                    owner,
                    session,
                    provider,
                    way,
                    callback_url,
                    scopes,
                    metadata,
                    back,
                    key_id,
                    sealed,
                    created_at,
                    expires_at
                ],
            )?;
            db.execute(CROWD_OUT, &args![owner])?;
            Ok(())
        })
        .await
    }

    /// The owner's attempt with this state; it stays.
    pub async fn connect_attempt(&self, owner: UserId, digest: Digest) -> Result<Option<ConnectAttempt>, Error> {
        self.read(move |db| db.first(FIND, &args![owner, digest], read)).await
    }

    /// Takes the owner's attempt at this provider away: of several who come with one state, one gets it.
    pub async fn take_connect_attempt(
        &self,
        owner: UserId,
        digest: Digest,
        provider: String,
    ) -> Result<Option<ConnectAttempt>, Error> {
        self.write(move |db| db.first(TAKE, &args![owner, digest, provider], read)).await
    }

    /// Removes some of everybody's attempts that are over; says how many. It only writes when there are some.
    pub async fn remove_expired_connect_attempts(&self, now: Time) -> Result<u64, Error> {
        if self.read(move |db| db.first(HAS_EXPIRED, &args![now], |_| Ok(()))).await?.is_none() {
            return Ok(0);
        }
        self.write(move |db| db.execute(REMOVE_EXPIRED, &args![now])).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempts_are_found_by_an_index() {
        for (sql, index) in [
            (FIND, "(digest=?)"),
            (TAKE, "(digest=?)"),
            (CROWD_OUT, "connect_attempt_by_owner (owner=?)"),
            (HAS_EXPIRED, "connect_attempt_by_end (expires_at<?)"),
            (REMOVE_EXPIRED, "connect_attempt_by_end (expires_at<?)"),
        ] {
            let plan = crate::sql::plan(sql);
            assert!(plan.contains(index) && !plan.contains("SCAN connect_attempt"), "{sql:?}: {plan}");
        }
    }
}
