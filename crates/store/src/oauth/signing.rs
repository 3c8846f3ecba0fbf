//! Keys that sign ID tokens. The private halves are sealed; with what is not known here.

use crate::cell::{Row, args, unreadable};
use crate::sql::{Sql, both};
use crate::{Error, Store};
use heddle_oauth::keys::SigningKey;
use heddle_oauth::oidc::{Algorithm, Jwk};

const ALL: Sql = both!(
    "SELECT kid, algorithm, modulus_or_x, exponent_or_y, created_at, signs_from, signs_until, sealed \
    FROM oauth_signing_key ORDER BY signs_from, kid"
);
const LAST: Sql =
    both!("SELECT kid FROM oauth_signing_key WHERE algorithm = ?1 ORDER BY signs_from DESC, kid DESC LIMIT 1");
const FOLLOW: Sql = both!("UPDATE oauth_signing_key SET signs_until = ?2 WHERE kid = ?1");
const INSERT: Sql = both!(
    "INSERT INTO oauth_signing_key (kid, algorithm, modulus_or_x, exponent_or_y, sealed, created_at, signs_from) \
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)"
);
const REMOVE: Sql = both!("DELETE FROM oauth_signing_key WHERE kid = ?1");

fn read(row: &Row<'_>) -> Result<(SigningKey, Vec<u8>), Error> {
    let name = row.str(1)?;
    let algorithm = Algorithm::parse(&name).ok_or_else(|| unreadable(1, &format!("the algorithm {name:?}")))?;
    let public = match algorithm {
        Algorithm::Rs256 => Jwk::Rsa { n: row.bytes(2)?.to_vec(), e: row.bytes(3)?.to_vec() },
        Algorithm::Es256 => Jwk::P256 { x: row.array(2)?, y: row.array(3)? },
    };
    let key = SigningKey {
        kid: row.text(0)?,
        algorithm,
        public,
        created_at: row.time(4)?,
        signs_from: row.time(5)?,
        signs_until: row.time_option(6)?,
    };
    Ok((key, row.bytes(7)?.to_vec()))
}

impl Store {
    /// All signing keys with their sealed private halves, in the order of their turns.
    pub async fn signing_keys(&self) -> Result<Vec<(SigningKey, Vec<u8>)>, Error> {
        self.read(|db| db.all(ALL, &[], read)).await
    }

    /// Keeps a new key that follows the one of the name `after`, or none; false when that is not the last one of its
    /// algorithm: somebody else has made one.
    pub async fn insert_signing_key(
        &self,
        new: SigningKey,
        sealed: Vec<u8>,
        after: Option<String>,
    ) -> Result<bool, Error> {
        self.write(move |db| {
            let SigningKey { kid, algorithm, public, created_at, signs_from, signs_until: _ } = &new;
            let last = db.first(LAST, &args![algorithm.as_str()], |row| row.text(0))?;
            if last != after {
                return Ok(false);
            }
            if let Some(last) = last {
                db.execute(FOLLOW, &args![last, signs_from])?;
            }
            let (first, second): (&[u8], &[u8]) = match public {
                Jwk::Rsa { n, e } => (n, e),
                Jwk::P256 { x, y } => (x, y),
            };
            let (first, second) = (first.to_vec(), second.to_vec());
            db.execute(INSERT, &args![kid, algorithm.as_str(), first, second, sealed, created_at, signs_from])?;
            Ok(true)
        })
        .await
    }

    /// Removes a key that is published no longer.
    pub async fn remove_signing_key(&self, kid: &str) -> Result<(), Error> {
        let kid = kid.to_owned();
        self.write(move |db| db.execute(REMOVE, &args![kid]).map(|_| ())).await
    }
}
