//! Applications: made, changed, switched off and removed by those whose they are, and by operators.

use super::{Authorization, draw};
use crate::Error;
use heddle_model::{AppId, OrgId, Scope as Permission, Time, UserId};
use heddle_oauth::client::{GrantType, Origin, Proof};
use heddle_oauth::draft::{Draft, Making, Unfit};
use heddle_oauth::oidc::Algorithm;
use heddle_oauth::{Client, Kept, Kind, Plain, Scopes};

/// Applications that one person may have.
const MOST: usize = 100;
/// How often a change is tried again that somebody else's came before.
const TRIES: usize = 8;

/// In whose name something is done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum By {
    /// A person, with what is that person's own.
    Person(UserId),
    /// An operator, with anybody's.
    Operator,
}

/// What is to be other than it was; `None`: stays.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Change {
    /// For people.
    pub name: Option<String>,
    /// For people; `Some(None)`: none.
    pub description: Option<Option<String>>,
    /// For people; `Some(None)`: none.
    pub logo_url: Option<Option<String>>,
    /// Where it may send people back to.
    pub redirect_uris: Option<Vec<String>>,
    /// The most it may ask for.
    pub scopes: Option<Vec<Permission>>,
    /// What it gets that asks for nothing; `Some(None)`: nothing.
    pub default_scopes: Option<Option<Scopes>>,
    /// Whether it must push its requests.
    pub requires_pushed: Option<bool>,
    /// What its ID tokens are signed with.
    pub id_token_algorithm: Option<Algorithm>,
    /// Whether people are not asked again and again: an operator's to say.
    pub is_trusted: Option<bool>,
    /// Whether it may look at tokens of other applications: an operator's to say.
    pub is_resource_server: Option<bool>,
    /// Whether it may use `plain` challenges: an operator's to say.
    pub allows_plain: Option<bool>,
}

/// A row of an upstream database.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Imported {
    /// Its id there; a new one where it has none.
    pub id: Option<AppId>,
    /// The name its program knows.
    pub client_id: String,
    /// What is kept of its secret.
    pub secret: Kept,
    /// For people.
    pub name: String,
    /// For people.
    pub description: Option<String>,
    /// For people.
    pub logo_url: Option<String>,
    /// Where it may send people back to. Not checked: they worked there, and requests are.
    pub redirect_uris: Vec<String>,
    /// What it may do at the token endpoint.
    pub grant_types: Vec<GrantType>,
    /// The most it may ask for.
    pub scopes: Vec<Permission>,
    /// Whose it is here.
    pub owner: Option<UserId>,
    /// Whether it is switched on.
    pub is_active: bool,
    /// When it was made there.
    pub created_at: Option<Time>,
}

fn missing() -> Error {
    Error::NotFound("OAuth App not found".to_owned())
}

fn unfit(unfit: Unfit) -> Error {
    Error::Refused(unfit.to_string())
}

impl Authorization {
    /// Makes an application; the secret beside it is the only time it is seen.
    pub async fn create_app(
        &self,
        by: By,
        owner: Option<UserId>,
        draft: Draft,
    ) -> Result<(Client, Option<Plain>), Error> {
        let origin = match by {
            By::Operator => Origin::Operator,
            By::Person(user) => {
                self.check_may_have(user).await?;
                Origin::Account
            }
        };
        let owner = match by {
            By::Operator => owner,
            By::Person(user) => Some(user),
        };
        let making = Making {
            id: AppId::from_random(self.0.clock.random()),
            name_bytes: draw()?,
            secret_bytes: draw()?,
            owner,
            organization: None,
            origin,
            now: self.now(),
        };
        let (client, secret) = draft.make(making).map_err(unfit)?;
        self.0.store.insert_app(client.clone()).await?;
        audit(&client, "was made");
        Ok((client, secret))
    }

    async fn check_may_have(&self, user: UserId) -> Result<(), Error> {
        let account = self.0.accounts.get(user).await?;
        let account = account.ok_or_else(|| Error::NotFound("User not found.".to_owned()))?;
        if !account.is_admin && !self.rules().own_apps {
            return Err(Error::Forbidden("Only operators of this server may make applications.".to_owned()));
        }
        if self.0.store.apps(user).await?.len() >= MOST {
            return Err(Error::Conflict(format!("You have {MOST} applications already.")));
        }
        Ok(())
    }

    /// Keeps an application of an upstream database, ids and secret unchanged. [`Error::Conflict`] when it is there.
    pub async fn import_app(&self, row: Imported) -> Result<Client, Error> {
        if row.client_id.is_empty() || row.client_id.len() > 200 || row.name.trim().is_empty() {
            return Err(Error::Refused("an application needs a client id and a name".to_owned()));
        }
        let now = self.now();
        let client = Client {
            id: row.id.unwrap_or_else(|| AppId::from_random(self.0.clock.random())),
            client_id: row.client_id,
            name: row.name,
            description: row.description,
            logo_url: row.logo_url,
            proof: Proof::Secret { current: row.secret, previous: None },
            redirect_uris: row.redirect_uris,
            grant_types: row.grant_types,
            scopes: row.scopes,
            default_scopes: None,
            owner: row.owner,
            organization: None::<OrgId>,
            origin: Origin::Import,
            is_active: row.is_active,
            is_trusted: false,
            is_resource_server: false,
            requires_pushed: false,
            id_token_algorithm: Default::default(),
            allows_plain: true,
            created_at: row.created_at.unwrap_or(now),
            updated_at: now,
        };
        match self.0.store.insert_app(client.clone()).await {
            Err(heddle_store::Error::Exists) => {
                Err(Error::Conflict(format!("there is an application with the id of {} already", client.client_id)))
            }
            other => {
                other?;
                audit(&client, "was imported");
                Ok(client)
            }
        }
    }

    /// A person's applications, newest first; an operator's are everybody's.
    pub async fn apps(&self, by: By) -> Result<Vec<Client>, Error> {
        Ok(match by {
            By::Person(user) => self.0.store.apps(user).await?,
            By::Operator => self.0.store.all_apps().await?,
        })
    }

    /// One application, by its record's id.
    pub async fn app(&self, by: By, id: &str) -> Result<Client, Error> {
        let id = AppId::parse(id).ok_or_else(missing)?;
        self.one(by, id).await
    }

    /// Any application, by its record's id or its client id: for operators.
    pub async fn app_named(&self, name: &str) -> Result<Client, Error> {
        let by_id = match AppId::parse(name) {
            Some(id) => self.0.store.any_app(id).await?,
            None => None,
        };
        let found = match by_id {
            Some(client) => Some(client),
            None => self.0.store.app_by_client_id(name).await?,
        };
        found.ok_or_else(|| Error::NotFound(format!("there is no application {name}")))
    }

    /// What anybody who signed in may know of an active application (`auth.md` 5.4).
    pub async fn shown_app(&self, client_id: &str) -> Result<Client, Error> {
        let found = self.client(client_id).await?.filter(|client| client.is_active);
        found.ok_or_else(|| Error::NotFound("Application not found".to_owned()))
    }

    async fn one(&self, by: By, id: AppId) -> Result<Client, Error> {
        let found = match by {
            By::Person(user) => self.0.store.app(user, id).await?,
            By::Operator => self.0.store.any_app(id).await?,
        };
        found.ok_or_else(missing)
    }

    /// Changes an application.
    pub async fn change_app(&self, by: By, id: &str, change: Change) -> Result<Client, Error> {
        if by != By::Operator && [change.is_trusted, change.is_resource_server, change.allows_plain] != [None; 3] {
            return Err(Error::Forbidden("Only operators of this server may change this.".to_owned()));
        }
        let (before, after) = self
            .changed(by, id, |client| {
                let logo_url = client.logo_url.clone();
                let client = with(client, &change);
                // One that is here already stays: uploaded ones are at this server's own address, whatever its scheme.
                let is_new = client.logo_url != logo_url;
                let draft = draft(&client);
                let draft = if is_new { draft } else { Draft { logo_url: None, ..draft } };
                draft.check().map_err(unfit)?;
                Ok(client)
            })
            .await?;
        if before != after {
            audit(&after, "was changed");
        }
        Ok(after)
    }

    /// Gives an application a logo that this server keeps, by its name below `/media/`.
    pub async fn set_app_logo(&self, by: By, id: &str, name: &str) -> Result<Client, Error> {
        let logo_url = format!("{}{name}", self.media());
        let set = |client| Ok(Client { logo_url: Some(logo_url.clone()), ..client });
        let (_, client) = self.changed(by, id, set).await?;
        audit(&client, "got a new logo");
        Ok(client)
    }

    /// What the addresses of pictures that this server keeps begin with.
    pub fn media(&self) -> String {
        format!("{}/media/", self.issuer())
    }

    /// Switches an application off, which stops its tokens at once, or on again. [`Error::NotFound`] in the words of
    /// `auth.md` 5.3.
    pub async fn set_app_active(&self, by: By, id: &str, is_active: bool) -> Result<Client, Error> {
        let changed = self.changed(by, id, |client| Ok(Client { is_active, ..client })).await;
        let (_, client) = changed.map_err(|error| match error {
            Error::NotFound(_) => {
                Error::NotFound("Application not found or you don't have permission to update it".to_owned())
            }
            other => other,
        })?;
        audit(&client, if is_active { "was switched on" } else { "was switched off" });
        Ok(client)
    }

    /// Gives an application a new secret; the one it had goes on for a day. [`Error::Refused`] for one that has none.
    pub async fn rotate_app_secret(&self, by: By, id: &str) -> Result<(Client, Plain), Error> {
        let secret = Kind::ClientSecret.make(draw()?);
        let now = self.now();
        let (_, client) = self
            .changed(by, id, |client| match client.proof.rotated(&secret, now) {
                Some(proof) => Ok(Client { proof, ..client }),
                None => Err(Error::Refused("A public application has no secret.".to_owned())),
            })
            .await?;
        audit(&client, "got a new secret");
        Ok((client, secret))
    }

    /// Removes an application with all that came of it.
    pub async fn delete_app(&self, by: By, id: &str) -> Result<Client, Error> {
        // Switched off first: what is still there in the middle opens nothing, and nothing is added.
        let (_, client) = self.changed(by, id, |client| Ok(Client { is_active: false, ..client })).await?;
        while !self.0.store.delete_app_part(client.id).await? {}
        self.0.checked.forget_all();
        audit(&client, "was removed");
        Ok(client)
    }

    /// Makes a token that allows one to register applications; the only time it is seen.
    pub async fn create_registration_token(&self, seconds: Option<i64>) -> Result<Plain, Error> {
        let token = Kind::RegistrationToken.make(draw()?);
        let now = self.now();
        let expires_at = seconds.map(|seconds| now.plus_seconds(seconds));
        self.0.store.insert_registration_token(token.digest(), now, expires_at).await?;
        tracing::info!(target: "audit", "a token for registering applications was made");
        Ok(token)
    }

    /// Revokes such a token. [`Error::NotFound`] when there is none.
    pub async fn revoke_registration_token(&self, token: &Plain) -> Result<(), Error> {
        match self.0.store.revoke_registration_token(token.digest(), self.now()).await? {
            true => Ok(()),
            false => Err(Error::NotFound("there is no such registration token".to_owned())),
        }
    }

    /// Changes what is there now, and again if somebody was faster. What it was, and what it is.
    async fn changed(
        &self,
        by: By,
        id: &str,
        change: impl Fn(Client) -> Result<Client, Error>,
    ) -> Result<(Client, Client), Error> {
        let id = AppId::parse(id).ok_or_else(missing)?;
        for _ in 0..TRIES {
            let before = self.one(by, id).await?;
            let seen = before.updated_at;
            // Each state has a time of its own, whatever the clock says.
            let updated_at = self.now().max(Time(seen.0 + 1));
            let after = Client { updated_at, ..change(before.clone())? };
            let outcome = self.0.store.update_app(after.clone(), seen).await;
            self.0.checked.forget_all();
            if outcome? {
                return Ok((before, after));
            }
        }
        Err(Error::Conflict("The application is being changed by others.".to_owned()))
    }
}

fn with(client: Client, change: &Change) -> Client {
    let Change { name, description, logo_url, redirect_uris, scopes, default_scopes, .. } = change.clone();
    Client {
        name: name.map_or(client.name, |name| name.trim().to_owned()),
        description: description.unwrap_or(client.description),
        logo_url: logo_url.unwrap_or(client.logo_url),
        redirect_uris: redirect_uris.unwrap_or(client.redirect_uris),
        scopes: scopes.unwrap_or(client.scopes),
        default_scopes: default_scopes.unwrap_or(client.default_scopes),
        requires_pushed: change.requires_pushed.unwrap_or(client.requires_pushed),
        id_token_algorithm: change.id_token_algorithm.unwrap_or(client.id_token_algorithm),
        is_trusted: change.is_trusted.unwrap_or(client.is_trusted),
        is_resource_server: change.is_resource_server.unwrap_or(client.is_resource_server),
        allows_plain: change.allows_plain.unwrap_or(client.allows_plain),
        ..client
    }
}

/// What an application would be asked for as.
fn draft(client: &Client) -> Draft {
    Draft {
        name: client.name.clone(),
        description: client.description.clone(),
        logo_url: client.logo_url.clone(),
        redirect_uris: client.redirect_uris.clone(),
        grant_types: client.grant_types.clone(),
        scopes: client.scopes.clone(),
        is_public: !client.is_confidential(),
        requires_pushed: client.requires_pushed,
        id_token_algorithm: client.id_token_algorithm,
    }
}

pub(super) fn audit(client: &Client, what: &str) {
    tracing::info!(target: "audit", { app.id = %client.id, app.client_id = client.client_id }, "application {:?} ({}) {what}", client.name, client.client_id);
}
