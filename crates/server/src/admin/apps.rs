//! OAuth applications, for commands. Whoever may run commands on this folder may do everything with all of them.

use heddle_model::{AppId, Scope};
use heddle_platform::authorization::rules::client::{Client, GrantType};
use heddle_platform::authorization::rules::draft::Draft;
use heddle_platform::authorization::rules::oidc::Algorithm;
use heddle_platform::authorization::rules::{Kept, Plain};
use heddle_platform::authorization::{By, Change, Imported};
use heddle_platform::{Error, Platform};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// A use case about applications.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ask {
    /// Makes one.
    Create {
        user: Option<String>,
        name: String,
        description: Option<String>,
        logo_url: Option<String>,
        redirect_uris: Vec<String>,
        scopes: Vec<Scope>,
        public: bool,
    },
    /// One account's, or all.
    List { user: Option<String> },
    /// One.
    Show { id: String },
    /// Changes one.
    Edit { id: String, edit: Edit },
    /// A new secret for one.
    RotateSecret { id: String },
    /// Switches one off or on.
    SetActive { id: String, active: bool },
    /// Removes one.
    Delete { id: String },
    /// Keeps one of an upstream database.
    Import { user: Option<String>, row: Value },
    /// Makes a token for registering some.
    CreateRegistrationToken { seconds: Option<i64> },
    /// Revokes such a token.
    RevokeRegistrationToken { token: String },
}

/// What is to be other than it was.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Edit {
    pub name: Option<String>,
    pub description: Option<String>,
    pub logo_url: Option<String>,
    pub redirect_uris: Option<Vec<String>>,
    pub scopes: Option<Vec<Scope>>,
    pub is_trusted: Option<bool>,
    pub is_resource_server: Option<bool>,
    pub requires_pushed: Option<bool>,
    /// By its name on the wire.
    pub id_token_alg: Option<String>,
    pub allows_plain: Option<bool>,
}

pub async fn execute(platform: &Platform, ask: Ask) -> Result<Value, Error> {
    let server = &platform.authorization;
    match ask {
        Ask::Create { user, name, description, logo_url, redirect_uris, scopes, public } => {
            let owner = owner(platform, user.as_deref()).await?;
            let grant_types = GrantType::ALL.to_vec();
            let draft = Draft {
                name,
                description,
                logo_url,
                redirect_uris,
                grant_types,
                scopes,
                is_public: public,
                requires_pushed: false,
                id_token_algorithm: Default::default(),
            };
            let (client, secret) = server.create_app(By::Operator, owner, draft).await?;
            with_secret(platform, &client, secret.as_ref()).await
        }
        Ask::List { user } => {
            let by = owner(platform, user.as_deref()).await?.map_or(By::Operator, By::Person);
            let mut rows = Vec::new();
            for client in server.apps(by).await? {
                rows.push(shown(platform, &client).await?);
            }
            Ok(rows.into())
        }
        Ask::Show { id } => shown(platform, &server.app_named(&id).await?).await,
        Ask::Edit { id, edit } => {
            let change = Change {
                name: edit.name,
                description: edit.description.map(something),
                logo_url: edit.logo_url.map(something),
                redirect_uris: edit.redirect_uris,
                scopes: edit.scopes,
                default_scopes: None,
                requires_pushed: edit.requires_pushed,
                id_token_algorithm: edit.id_token_alg.as_deref().and_then(Algorithm::parse),
                is_trusted: edit.is_trusted,
                is_resource_server: edit.is_resource_server,
                allows_plain: edit.allows_plain,
            };
            shown(platform, &server.change_app(By::Operator, &record(platform, &id).await?, change).await?).await
        }
        Ask::RotateSecret { id } => {
            let (client, secret) = server.rotate_app_secret(By::Operator, &record(platform, &id).await?).await?;
            with_secret(platform, &client, Some(&secret)).await
        }
        Ask::SetActive { id, active } => {
            let client = server.set_app_active(By::Operator, &record(platform, &id).await?, active).await?;
            shown(platform, &client).await
        }
        Ask::Delete { id } => {
            let client = server.delete_app(By::Operator, &record(platform, &id).await?).await?;
            shown(platform, &client).await
        }
        Ask::Import { user, row } => {
            let owner = owner(platform, user.as_deref()).await?;
            let row = Row(&row).read().map_err(Error::Refused)?;
            shown(platform, &server.import_app(Imported { owner, ..row }).await?).await
        }
        Ask::CreateRegistrationToken { seconds } => {
            let token = server.create_registration_token(seconds).await?;
            Ok(json!({ "token": token.expose() }))
        }
        Ask::RevokeRegistrationToken { token } => {
            server.revoke_registration_token(&Plain::new(token)).await.map(|()| json!({ "revoked": true }))
        }
    }
}

async fn owner(platform: &Platform, user: Option<&str>) -> Result<Option<heddle_model::UserId>, Error> {
    match user {
        Some(email) => Ok(Some(platform.accounts.named(Some(email)).await?.id)),
        None => Ok(None),
    }
}

/// The record's id of what was named by that or by its client id.
async fn record(platform: &Platform, name: &str) -> Result<String, Error> {
    Ok(platform.authorization.app_named(name).await?.id.to_string())
}

/// An empty text takes away what was there.
fn something(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

async fn shown(platform: &Platform, client: &Client) -> Result<Value, Error> {
    let email = match client.owner {
        Some(owner) => platform.accounts.get(owner).await?.map(|account| account.email.clone()),
        None => None,
    };
    let record = serde_json::to_value(client.record());
    let mut shown = record.map_err(|error| Error::Internal(error.to_string()))?;
    shown["email"] = json!(email);
    shown["type"] = if client.is_confidential() { "confidential" } else { "public" }.into();
    shown["origin"] = client.origin.as_str().into();
    shown["is_trusted"] = client.is_trusted.into();
    shown["is_resource_server"] = client.is_resource_server.into();
    shown["require_pushed_authorization_requests"] = client.requires_pushed.into();
    shown["id_token_signed_response_alg"] = client.id_token_algorithm.as_str().into();
    shown["allows_plain_challenges"] = client.allows_plain.into();
    Ok(shown)
}

async fn with_secret(platform: &Platform, client: &Client, secret: Option<&Plain>) -> Result<Value, Error> {
    let mut shown = shown(platform, client).await?;
    shown["client_secret"] = json!(secret.map(Plain::expose));
    Ok(shown)
}

/// A row of an upstream database, its columns named as its API names them or as its tables do.
struct Row<'a>(&'a Value);

impl Row<'_> {
    fn read(&self) -> Result<Imported, String> {
        let client_id = self.needed(&["client_id", "clientId"])?;
        let hash = self.needed(&["client_secret", "clientSecret", "client_secret_hash"])?;
        let salt = self.text(&["client_secret_salt", "clientSecretSalt", "secret_salt", "secretSalt"])?;
        let secret = Kept::imported(&hash, salt.as_deref())
            .ok_or("the secret's hash is 64 and its salt an even number of hexadecimal digits")?;
        let id = match self.text(&["id"])? {
            Some(id) => Some(AppId::parse(&id).ok_or_else(|| format!("id {id:?} is no UUID"))?),
            None => None,
        };
        let scope = |name: &String| Scope::parse(name).ok_or_else(|| format!("there is no scope {name:?}"));
        let grant = |name: &String| GrantType::parse(name).ok_or_else(|| format!("there is no grant type {name:?}"));
        let grant_types = match self.list(&["grant_types", "grantTypes"])? {
            Some(names) => names.iter().map(grant).collect::<Result<_, _>>()?,
            None => GrantType::ALL.to_vec(),
        };
        let scopes = self.list(&["scopes"])?.ok_or("scopes are missing")?;
        Ok(Imported {
            id,
            client_id,
            secret,
            name: self.needed(&["name"])?,
            description: self.text(&["description"])?,
            logo_url: self.text(&["logo_url", "logoUrl"])?,
            redirect_uris: self.list(&["redirect_uris", "redirectUris"])?.ok_or("redirect_uris are missing")?,
            grant_types,
            scopes: scopes.iter().map(scope).collect::<Result<_, _>>()?,
            owner: None,
            is_active: self.find(&["is_active", "isActive"]).and_then(Value::as_bool).unwrap_or(true),
            created_at: None,
        })
    }

    fn find(&self, names: &[&str]) -> Option<&Value> {
        names.iter().find_map(|name| self.0.get(name)).filter(|value| !value.is_null())
    }

    fn text(&self, names: &[&str]) -> Result<Option<String>, String> {
        match self.find(names) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(_) => Err(format!("{} is no text", names[0])),
        }
    }

    fn needed(&self, names: &[&str]) -> Result<String, String> {
        self.text(names)?.ok_or_else(|| format!("{} is missing", names[0]))
    }

    fn list(&self, names: &[&str]) -> Result<Option<Vec<String>>, String> {
        let unfit = || format!("{} is no list of texts", names[0]);
        let Some(value) = self.find(names) else { return Ok(None) };
        let elements = value.as_array().ok_or_else(unfit)?;
        elements
            .iter()
            .map(|text| text.as_str().map(str::to_owned).ok_or_else(unfit))
            .collect::<Result<_, _>>()
            .map(Some)
    }
}
