//! Applications. A change says which state it is a change of, so that of two at once none is lost.

use crate::cell::{Row, args, unreadable};
use crate::db::Db;
use crate::oauth::{json, list, read_scopes};
use crate::sql::{Sql, both};
use crate::{Error, Store};
use heddle_model::{AppId, OrgId, Scope, Time, UserId};
use heddle_oauth::client::{GrantType, Origin, Proof};
use heddle_oauth::oidc::Algorithm;
use heddle_oauth::{Client, Digest, Kept};

/// The columns that [`read`] reads.
macro_rules! columns {
    () => {
        "oauth_app.id, oauth_app.client_id, oauth_app.name, oauth_app.description, oauth_app.logo_url, \
         oauth_app.secret_digest, oauth_app.secret_hash, oauth_app.secret_salt, oauth_app.previous_digest, \
         oauth_app.previous_hash, oauth_app.previous_salt, oauth_app.previous_until, oauth_app.redirect_uris, \
         oauth_app.grant_types, oauth_app.scopes, oauth_app.default_scopes, oauth_app.owner, oauth_app.organization, \
         oauth_app.origin, oauth_app.is_active, oauth_app.is_trusted, oauth_app.is_resource_server, \
         oauth_app.requires_pushed, oauth_app.allows_plain, oauth_app.created_at, oauth_app.updated_at, \
         oauth_app.id_token_algorithm"
    };
}
pub(super) use columns;

/// How many columns that is.
pub(super) const WIDTH: usize = 27;

const INSERT: Sql = both!(
    "INSERT INTO oauth_app (id, client_id, name, description, logo_url, secret_digest, secret_hash, secret_salt, \
    previous_digest, previous_hash, previous_salt, previous_until, redirect_uris, grant_types, scopes, default_scopes, \
    owner, organization, origin, is_active, is_trusted, is_resource_server, requires_pushed, allows_plain, created_at, \
    updated_at, id_token_algorithm) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, \
    ?22, ?23, ?24, ?25, ?26, ?27)"
);
const UPDATE: Sql = both!(
    "UPDATE oauth_app SET name = ?3, description = ?4, logo_url = ?5, secret_digest = ?6, secret_hash = ?7, \
    secret_salt = ?8, previous_digest = ?9, previous_hash = ?10, previous_salt = ?11, previous_until = ?12, \
    redirect_uris = ?13, grant_types = ?14, scopes = ?15, default_scopes = ?16, owner = ?17, organization = ?18, \
    is_active = ?19, is_trusted = ?20, is_resource_server = ?21, requires_pushed = ?22, allows_plain = ?23, \
    updated_at = ?24, id_token_algorithm = ?25 WHERE id = ?1 AND updated_at = ?2"
);
const BY_CLIENT_ID: Sql = both!(concat!("SELECT ", columns!(), " FROM oauth_app WHERE client_id = ?1"));
const OF_OWNER: Sql =
    both!(concat!("SELECT ", columns!(), " FROM oauth_app WHERE owner = ?1 ORDER BY created_at DESC, id"));
const ONE_OF_OWNER: Sql = both!(concat!("SELECT ", columns!(), " FROM oauth_app WHERE owner = ?1 AND id = ?2"));
const BY_ID: Sql = both!(concat!("SELECT ", columns!(), " FROM oauth_app WHERE id = ?1"));
const ALL: Sql = both!(concat!("SELECT ", columns!(), " FROM oauth_app ORDER BY created_at DESC, id"));
const KEEP_DIGEST: Sql = both!(
    "UPDATE oauth_app SET secret_digest = ?3, secret_hash = NULL, secret_salt = NULL \
    WHERE id = ?1 AND secret_hash = ?2"
);
const FAMILIES: Sql =
    both!("DELETE FROM oauth_family WHERE id IN (SELECT id FROM oauth_family WHERE app = ?1 LIMIT 100)");
const DELETE: Sql = both!("DELETE FROM oauth_app WHERE id = ?1");
const LOGOS: Sql = both!("SELECT logo_url FROM oauth_app WHERE logo_url LIKE '%/media/%'");

/// Reads an application whose first column is number `first`.
pub(super) fn read(row: &Row<'_>, first: usize) -> Result<Client, Error> {
    let origin = row.str(first + 18)?;
    Ok(Client {
        id: AppId(row.id(first)?),
        client_id: row.text(first + 1)?,
        name: row.text(first + 2)?,
        description: row.text_option(first + 3)?,
        logo_url: row.text_option(first + 4)?,
        proof: proof(row, first + 5)?,
        redirect_uris: list(row, first + 12)?,
        grant_types: row.str(first + 13)?.split_whitespace().filter_map(GrantType::parse).collect(),
        scopes: row.str(first + 14)?.split_whitespace().filter_map(Scope::parse).collect(),
        default_scopes: row.text_option(first + 15)?.map(|text| read_scopes(&text)),
        owner: row.id_option(first + 16)?.map(UserId),
        organization: row.id_option(first + 17)?.map(OrgId),
        origin: Origin::parse(&origin).ok_or_else(|| unreadable(first + 18, &format!("the origin {origin:?}")))?,
        is_active: row.flag(first + 19)?,
        is_trusted: row.flag(first + 20)?,
        is_resource_server: row.flag(first + 21)?,
        requires_pushed: row.flag(first + 22)?,
        allows_plain: row.flag(first + 23)?,
        created_at: row.time(first + 24)?,
        updated_at: row.time(first + 25)?,
        id_token_algorithm: algorithm(row, first + 26)?,
    })
}

fn algorithm(row: &Row<'_>, column: usize) -> Result<Algorithm, Error> {
    let name = row.str(column)?;
    Algorithm::parse(&name).ok_or_else(|| unreadable(column, &format!("the algorithm {name:?}")))
}

/// Without a secret it is a public application.
fn proof(row: &Row<'_>, first: usize) -> Result<Proof, Error> {
    let Some(current) = kept(row, first)? else { return Ok(Proof::Public) };
    let previous = kept(row, first + 3)?.zip(row.time_option(first + 6)?);
    Ok(Proof::Secret { current, previous })
}

fn kept(row: &Row<'_>, first: usize) -> Result<Option<Kept>, Error> {
    if row.bytes_option(first)?.is_some() {
        return Ok(Some(Kept::Sha256(Digest(row.array(first)?))));
    }
    match row.bytes_option(first + 1)? {
        None => Ok(None),
        Some(_) => Ok(Some(Kept::Scrypt { hash: row.array(first + 1)?, salt: row.bytes(first + 2)?.to_vec() })),
    }
}

/// A secret's three columns.
#[derive(Default)]
struct Secret {
    digest: Option<Digest>,
    hash: Option<[u8; 32]>,
    salt: Option<Vec<u8>>,
}

impl Secret {
    fn of(kept: Option<&Kept>) -> Self {
        match kept {
            None => Self::default(),
            Some(Kept::Sha256(digest)) => Self { digest: Some(*digest), ..Self::default() },
            Some(Kept::Scrypt { hash, salt }) => Self { hash: Some(*hash), salt: Some(salt.clone()), digest: None },
        }
    }
}

/// What is written of an application beside its plain columns.
struct Written {
    current: Secret,
    previous: Secret,
    previous_until: Option<Time>,
    redirect_uris: String,
    grant_types: String,
    scopes: String,
    default_scopes: Option<String>,
    id_token_algorithm: &'static str,
}

impl Written {
    fn of(client: &Client) -> Self {
        let (current, previous) = match &client.proof {
            Proof::Public => (None, None),
            Proof::Secret { current, previous } => (Some(current), previous.as_ref()),
        };
        Self {
            current: Secret::of(current),
            previous: Secret::of(previous.map(|(kept, _)| kept)),
            previous_until: previous.map(|(_, until)| *until),
            redirect_uris: json(&client.redirect_uris),
            grant_types: client.grant_types.iter().map(|grant| grant.as_str()).collect::<Vec<_>>().join(" "),
            scopes: client.scopes.iter().map(|scope| scope.as_str()).collect::<Vec<_>>().join(" "),
            default_scopes: client.default_scopes.as_ref().map(ToString::to_string),
            id_token_algorithm: client.id_token_algorithm.as_str(),
        }
    }
}

fn insert(db: Db<'_>, new: &Client) -> Result<(), Error> {
    let (written, origin) = (Written::of(new), new.origin.as_str());
    let values = args![
        new.id,
        new.client_id,
        new.name,
        new.description,
        new.logo_url,
        written.current.digest,
        written.current.hash,
        written.current.salt,
        written.previous.digest,
        written.previous.hash,
        written.previous.salt,
        written.previous_until,
        written.redirect_uris,
        written.grant_types,
        written.scopes,
        written.default_scopes,
        new.owner,
        new.organization,
        origin,
        new.is_active,
        new.is_trusted,
        new.is_resource_server,
        new.requires_pushed,
        new.allows_plain,
        new.created_at,
        new.updated_at,
        written.id_token_algorithm,
    ];
    db.execute(INSERT, &values)?;
    Ok(())
}

fn update(db: Db<'_>, client: &Client, seen: Time) -> Result<bool, Error> {
    let written = Written::of(client);
    let values = args![
        client.id,
        seen,
        client.name,
        client.description,
        client.logo_url,
        written.current.digest,
        written.current.hash,
        written.current.salt,
        written.previous.digest,
        written.previous.hash,
        written.previous.salt,
        written.previous_until,
        written.redirect_uris,
        written.grant_types,
        written.scopes,
        written.default_scopes,
        client.owner,
        client.organization,
        client.is_active,
        client.is_trusted,
        client.is_resource_server,
        client.requires_pushed,
        client.allows_plain,
        client.updated_at,
        written.id_token_algorithm,
    ];
    Ok(db.execute(UPDATE, &values)? > 0)
}

impl Store {
    /// The addresses of logos that hold `/media/`, whosever the applications are: an operator brings pictures for others'
    /// too.
    pub async fn logos_in_use(&self) -> Result<Vec<String>, Error> {
        self.read(move |db| db.all(LOGOS, &[], |row| row.text(0))).await
    }

    /// Keeps a new application. [`Error::Exists`] when its id or client id is taken, [`Error::NotFound`] when its owner or
    /// organization is not there.
    pub async fn insert_app(&self, new: Client) -> Result<(), Error> {
        self.write(move |db| insert(db, &new)).await
    }

    /// Puts an application in the place of what it was when it was last changed at `seen`; false when it has been changed
    /// since, or is gone. Ids, origin and the time of its making stay.
    pub async fn update_app(&self, client: Client, seen: Time) -> Result<bool, Error> {
        self.write(move |db| update(db, &client, seen)).await
    }

    /// The application of this name, whoever owns it: what the endpoints for applications know.
    pub async fn app_by_client_id(&self, client_id: &str) -> Result<Option<Client>, Error> {
        let client_id = client_id.to_owned();
        self.read(move |db| db.first(BY_CLIENT_ID, &args![client_id], |row| read(row, 0))).await
    }

    /// The owner's applications, newest first.
    pub async fn apps(&self, owner: UserId) -> Result<Vec<Client>, Error> {
        self.read(move |db| db.all(OF_OWNER, &args![owner], |row| read(row, 0))).await
    }

    /// One of the owner's applications.
    pub async fn app(&self, owner: UserId, id: AppId) -> Result<Option<Client>, Error> {
        self.read(move |db| db.first(ONE_OF_OWNER, &args![owner, id], |row| read(row, 0))).await
    }

    /// Anybody's application: for operators.
    pub async fn any_app(&self, id: AppId) -> Result<Option<Client>, Error> {
        self.read(move |db| db.first(BY_ID, &args![id], |row| read(row, 0))).await
    }

    /// Everybody's applications, newest first: for operators.
    pub async fn all_apps(&self) -> Result<Vec<Client>, Error> {
        self.read(|db| db.all(ALL, &[], |row| read(row, 0))).await
    }

    /// Keeps the digest of a secret in place of the slow hash it was just found to fit. Nothing when that is gone.
    pub async fn keep_app_digest(&self, id: AppId, hash: [u8; 32], digest: Digest) -> Result<(), Error> {
        self.write(move |db| db.execute(KEEP_DIGEST, &args![id, hash, digest]).map(|_| ())).await
    }

    /// Removes a part of what came of an application, or at last itself: true when it is gone. Parts keep the writer free
    /// for others in between.
    pub async fn delete_app_part(&self, id: AppId) -> Result<bool, Error> {
        self.write(move |db| {
            if db.execute(FAMILIES, &args![id])? > 0 {
                return Ok(false);
            }
            db.execute(DELETE, &args![id]).map(|_| true)
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn applications_are_found_by_an_index() {
        for (sql, index) in [
            (BY_CLIENT_ID, "(client_id=?)"),
            (OF_OWNER, "oauth_app_by_owner (owner=?)"),
            (ONE_OF_OWNER, "(id=?)"),
            (UPDATE, "(id=?)"),
            (KEEP_DIGEST, "(id=?)"),
            (FAMILIES, "oauth_family_by_app (app=?)"),
        ] {
            let plan = crate::sql::plan(sql);
            assert!(plan.contains(index) && !plan.contains("SCAN"), "{sql:?}: {plan}");
        }
    }
}
