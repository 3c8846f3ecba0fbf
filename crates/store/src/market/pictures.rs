//! Pictures, named by the SHA-256 of their bytes. What they may be is decided before they get here.

use crate::cell::args;
use crate::sql::{Sql, both};
use crate::{Error, Store};
use heddle_model::{Time, UserId};

const PUT: Sql = both!(
    "INSERT INTO picture (digest, owner, kind, width, height, body, created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) \
    ON CONFLICT (digest, owner) DO UPDATE SET created_at = excluded.created_at"
);
const GET: Sql = both!("SELECT kind, width, height, body FROM picture WHERE digest = ?1 LIMIT 1");
const OF_OWNER: Sql = both!("SELECT digest, created_at FROM picture WHERE owner = ?1");
const DELETE: Sql = both!("DELETE FROM picture WHERE owner = ?1 AND digest = ?2");

/// A picture.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Picture {
    /// `png`, `jpeg`, `webp` or `gif`.
    pub kind: String,
    /// In pixels.
    pub width: i64,
    /// In pixels.
    pub height: i64,
    /// The file.
    pub body: Vec<u8>,
}

impl Store {
    /// Keeps a picture of the owner's; one that is there is there once.
    pub async fn put_picture(&self, owner: UserId, digest: [u8; 32], picture: Picture, at: Time) -> Result<(), Error> {
        self.write(move |db| {
            let Picture { kind, width, height, body } = &picture;
            db.execute(PUT, &args![digest, owner, kind, width, height, body, at]).map(|_| ())
        })
        .await
    }

    /// A picture, whoever brought it: its name is known to those who were shown it.
    pub async fn picture(&self, digest: [u8; 32]) -> Result<Option<Picture>, Error> {
        self.read(move |db| {
            db.first(GET, &args![digest], |row| {
                Ok(Picture {
                    kind: row.text(0)?,
                    width: row.int(1)?,
                    height: row.int(2)?,
                    body: row.bytes(3)?.to_vec(),
                })
            })
        })
        .await
    }

    /// The owner's pictures and when each came.
    pub async fn pictures(&self, owner: UserId) -> Result<Vec<([u8; 32], Time)>, Error> {
        self.read(move |db| db.all(OF_OWNER, &args![owner], |row| Ok((row.array(0)?, row.time(1)?)))).await
    }

    /// Removes pictures of the owner's.
    pub async fn delete_pictures(&self, owner: UserId, digests: Vec<[u8; 32]>) -> Result<(), Error> {
        self.write(move |db| {
            digests.iter().try_for_each(|digest| db.execute(DELETE, &args![owner, digest]).map(|_| ()))
        })
        .await
    }
}
