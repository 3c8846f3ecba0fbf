//! Authorization codes: kept with their family, redeemed once.

use crate::accounts;
use crate::cell::{Row, args, unreadable};
use crate::db::Db;
use crate::oauth::{Held, apps, consents, digest, families, held, pushed, read_held, rest, tokens};
use crate::sql::{Sql, both};
use crate::{Error, Store};
use heddle_model::{AppId, FamilyId, Time};
use heddle_oauth::code::Code;
use heddle_oauth::pkce::Method;
use heddle_oauth::request::Request;
use heddle_oauth::token::Pair;
use heddle_oauth::{Challenge, Digest, Family};

const WIDTH: usize = 11;

const INSERT: Sql = both!(
    "INSERT INTO oauth_code (digest, family, app, redirect_uri, redirect_was_given, challenge, challenge_method, nonce, \
    created_at, expires_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)"
);
const FIND: Sql = both!(concat!(
    "SELECT oauth_code.digest, oauth_code.family, oauth_code.app, oauth_code.redirect_uri, \
     oauth_code.redirect_was_given, oauth_code.challenge, oauth_code.challenge_method, oauth_code.nonce, \
     oauth_code.created_at, oauth_code.expires_at, oauth_code.used_at, ",
    rest!(),
    held!("oauth_code")
));
const USE: Sql = both!("UPDATE oauth_code SET used_at = ?2 WHERE digest = ?1 AND used_at IS NULL");

/// What a person allowed: one commit.
#[derive(Clone, Debug)]
pub struct NewGrant {
    /// The new family.
    pub family: Family,
    /// Its code.
    pub code: Code,
    /// What was asked for, when a person allowed it and that is to be remembered. The pushed request it came from is used
    /// up whoever allowed it.
    pub remembered: Option<Request>,
    /// The pushed request it came from.
    pub pushed: Option<Digest>,
}

fn read(row: &Row<'_>) -> Result<Held<Code>, Error> {
    let method = row.str(6)?;
    let method = Method::parse(&method).ok_or_else(|| unreadable(6, &format!("the method {method:?}")))?;
    let code = Code {
        digest: digest(row, 0)?,
        family: FamilyId(row.id(1)?),
        app: AppId(row.id(2)?),
        redirect_uri: row.text(3)?,
        redirect_was_given: row.flag(4)?,
        challenge: Challenge { method, value: row.text(5)? },
        nonce: row.text_option(7)?,
        created_at: row.time(8)?,
        expires_at: row.time(9)?,
        used_at: row.time_option(10)?,
    };
    read_held(row, WIDTH, code)
}

fn insert(db: Db<'_>, new: &Code) -> Result<(), Error> {
    let method = new.challenge.method.as_str();
    let values = args![
        new.digest,
        new.family,
        new.app,
        new.redirect_uri,
        new.redirect_was_given,
        new.challenge.value,
        method,
        new.nonce,
        new.created_at,
        new.expires_at
    ];
    db.execute(INSERT, &values)?;
    Ok(())
}

impl Store {
    /// Keeps what a person allowed; false, and nothing is kept, when the pushed request was used up before, or the
    /// application or the account is gone.
    pub async fn grant(&self, new: NewGrant) -> Result<bool, Error> {
        let kept = self
            .write(move |db| {
                let now = new.family.created_at;
                if let Some(digest) = new.pushed {
                    pushed::use_up(db, digest, now)?;
                }
                families::insert(db, &new.family)?;
                insert(db, &new.code)?;
                match &new.remembered {
                    Some(request) => consents::remember(db, request, new.family.user, now),
                    None => Ok(()),
                }
            })
            .await;
        once(kept)
    }

    /// The code of this digest and all that it is judged by.
    pub async fn code(&self, digest: Digest) -> Result<Option<Held<Code>>, Error> {
        self.read(move |db| db.first(FIND, &args![digest], read)).await
    }

    /// Redeems a code for a pair of tokens; false, and nothing is kept, when it was used before or its family has ended:
    /// then it is to be judged again.
    pub async fn redeem_code(&self, digest: Digest, pair: &Pair, at: Time) -> Result<bool, Error> {
        let pair = tokens::Rows::of(pair);
        let kept = self
            .write(move |db| match db.execute(USE, &args![digest, at])? {
                0 => Err(Error::NotFound),
                _ => pair.insert(db, at),
            })
            .await;
        once(kept)
    }
}

/// Whether it happened: a condition that does not hold is told by [`Error::NotFound`], so that all of it is undone.
pub(super) fn once(outcome: Result<(), Error>) -> Result<bool, Error> {
    match outcome {
        Ok(()) => Ok(true),
        Err(Error::NotFound) => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_found_by_its_digest_alone() {
        let plan = crate::sql::plan(FIND);
        assert!(plan.contains("(digest=?)") && !plan.contains("SCAN"), "{plan}");
    }
}
