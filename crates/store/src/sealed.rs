//! Everything that is sealed, wherever it is kept: for whoever changes the master key.

use crate::cell::args;
use crate::sql::{Sql, both};
use crate::{Error, Store};
use heddle_model::{CredentialId, UserId};
use uuid::Uuid;

/// Rows that are read at once.
const PAGE: usize = 64;

const SECRETS: Sql =
    both!("SELECT owner, name, sealed FROM secret WHERE (owner, name) > (?1, ?2) ORDER BY owner, name LIMIT 64");
const SIGNING: Sql = both!("SELECT kid, sealed FROM oauth_signing_key WHERE kid > ?1 ORDER BY kid LIMIT 64");
const CREDENTIALS: Sql = both!("SELECT owner, id, sealed FROM credential WHERE id > ?1 ORDER BY id LIMIT 64");

const RESEAL_SECRET: Sql = both!("UPDATE secret SET sealed = ?4 WHERE owner = ?1 AND name = ?2 AND sealed = ?3");
const RESEAL_SIGNING: Sql = both!("UPDATE oauth_signing_key SET sealed = ?3 WHERE kid = ?1 AND sealed = ?2");
const RESEAL_CREDENTIAL: Sql = both!("UPDATE credential SET sealed = ?4 WHERE owner = ?1 AND id = ?2 AND sealed = ?3");

/// Where something sealed is kept.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SealedPlace {
    /// A secret of an account.
    Secret {
        /// Whose.
        owner: UserId,
        /// Its name.
        name: String,
    },
    /// A key that signs.
    SigningKey {
        /// Its name.
        kid: String,
    },
    /// A credential.
    Credential {
        /// Whose.
        owner: UserId,
        /// Which.
        id: CredentialId,
    },
}

/// A walk over all of it.
#[derive(Clone, Debug, Default)]
pub struct SealedWalk(Step);

#[derive(Clone, Debug)]
enum Step {
    Secrets(Vec<u8>, String),
    Signing(String),
    Credentials(Vec<u8>),
    Over,
}

impl Default for Step {
    fn default() -> Self {
        Self::Secrets(Uuid::nil().into_bytes().to_vec(), String::new())
    }
}

impl Store {
    /// The next rows of a walk; `None` when it is over. What comes after it began may be left out.
    pub async fn next_sealed(&self, walk: &mut SealedWalk) -> Result<Option<Vec<(SealedPlace, Vec<u8>)>>, Error> {
        let step = walk.0.clone();
        let answered = self
            .read(move |db| match &step {
                Step::Secrets(owner, name) => db.all(SECRETS, &args![owner, name], |row| {
                    let place = SealedPlace::Secret { owner: UserId(row.id(0)?), name: row.text(1)? };
                    Ok((place, row.bytes(2)?.to_vec()))
                }),
                Step::Signing(kid) => db.all(SIGNING, &args![kid], |row| {
                    Ok((SealedPlace::SigningKey { kid: row.text(0)? }, row.bytes(1)?.to_vec()))
                }),
                Step::Credentials(id) => db.all(CREDENTIALS, &args![id], |row| {
                    let place = SealedPlace::Credential { owner: UserId(row.id(0)?), id: CredentialId(row.id(1)?) };
                    Ok((place, row.bytes(2)?.to_vec()))
                }),
                Step::Over => Ok(Vec::new()),
            })
            .await?;
        if matches!(walk.0, Step::Over) {
            return Ok(None);
        }
        let last = answered.last().filter(|_| answered.len() == PAGE).map(|(place, _)| place.clone());
        walk.0 = match (last, &walk.0) {
            (Some(SealedPlace::Secret { owner, name }), _) => Step::Secrets(owner.0.into_bytes().to_vec(), name),
            (Some(SealedPlace::SigningKey { kid }), _) => Step::Signing(kid),
            (Some(SealedPlace::Credential { id, .. }), _) => Step::Credentials(id.0.into_bytes().to_vec()),
            (None, Step::Secrets(..)) => Step::Signing(String::new()),
            (None, Step::Signing(_)) => Step::Credentials(Uuid::nil().into_bytes().to_vec()),
            (None, _) => Step::Over,
        };
        Ok(Some(answered))
    }

    /// Puts a newly sealed secret in the place of the one that was read; false when another has come there since.
    pub async fn reseal(&self, place: SealedPlace, old: Vec<u8>, new: Vec<u8>) -> Result<bool, Error> {
        self.write(move |db| {
            let changed = match &place {
                SealedPlace::Secret { owner, name } => db.execute(RESEAL_SECRET, &args![owner, name, old, new])?,
                SealedPlace::SigningKey { kid } => db.execute(RESEAL_SIGNING, &args![kid, old, new])?,
                SealedPlace::Credential { owner, id } => db.execute(RESEAL_CREDENTIAL, &args![owner, id, old, new])?,
            };
            Ok(changed > 0)
        })
        .await
    }
}
