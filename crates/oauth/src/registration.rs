//! Applications that register themselves (RFC 7591; `auth.md` 12.1): what is read, what is made of it, what is answered.
//!
//! What an application asks for beyond what is allowed is left out, and the answer says what it got (RFC 7591, 2).

use crate::answer::Refusal;
use crate::client::{Client, GrantType};
use crate::draft::{Draft, Unfit};
use crate::oidc::Algorithm;
use crate::{ErrorCode, Plain, Scope, Scopes};
use heddle_model::Scope as Permission;
use serde_json::{Map, Value, json};
use url::Url;

/// Who may register.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Policy {
    /// Nobody: there is no such endpoint.
    #[default]
    Off,
    /// Whoever has a token for it from an operator.
    Token,
    /// Anybody.
    Open,
}

impl Policy {
    /// The name in the settings.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Token => "token",
            Self::Open => "open",
        }
    }

    /// The policy of this name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Off, Self::Token, Self::Open].into_iter().find(|policy| policy.as_str() == name)
    }
}

/// How an application will say who it is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum AuthMethod {
    /// In the `Authorization` header.
    Basic,
    /// In the form.
    Post,
    /// By its name alone.
    None,
}

impl AuthMethod {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Basic => "client_secret_basic",
            Self::Post => "client_secret_post",
            Self::None => "none",
        }
    }
}

/// OpenID Connect Dynamic Client Registration, 2.
const ALGORITHM: &str = "id_token_signed_response_alg";

/// A request to register.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Registration {
    /// What is asked for.
    pub draft: Draft,
    /// How it will say who it is.
    pub method: AuthMethod,
}

fn metadata(text: impl Into<String>) -> Refusal {
    Refusal::new(ErrorCode::InvalidClientMetadata, text)
}

impl Registration {
    /// Reads client metadata (RFC 7591, 2). `ceiling` is the most that an application may get which registers itself;
    /// one that asks for nothing gets all of it. What is not known here is ignored.
    pub fn read(body: &Value, ceiling: &[Permission]) -> Result<Self, Refusal> {
        let members = body.as_object().ok_or_else(|| metadata("client metadata is a JSON object"))?;
        let method = match text(members, "token_endpoint_auth_method")? {
            None | Some("client_secret_basic") => AuthMethod::Basic,
            Some("client_secret_post") => AuthMethod::Post,
            Some("none") => AuthMethod::None,
            Some(_) => return Err(metadata("token_endpoint_auth_method is not supported")),
        };
        if list(members, "response_types")?.is_some_and(|types| !types.contains(&"code")) {
            return Err(metadata("response_types must include code"));
        }
        let algorithm = text(members, ALGORITHM)?.map_or(Some(Algorithm::default()), Algorithm::parse);
        let algorithm = algorithm.ok_or_else(|| metadata("ID tokens are signed with RS256 or ES256"))?;
        if text(members, "subject_type")?.is_some_and(|name| name != "public") {
            return Err(metadata("subject_type is public"));
        }
        let grant_types = match list(members, "grant_types")? {
            None => GrantType::ALL.to_vec(),
            Some(names) => GrantType::ALL.into_iter().filter(|grant| names.contains(&grant.as_str())).collect(),
        };
        let redirect_uris = list(members, "redirect_uris")?.unwrap_or_default();
        let draft = Draft {
            name: match text(members, "client_name")? {
                Some(name) => name.to_owned(),
                None => usual_name(&redirect_uris),
            },
            description: None,
            logo_url: text(members, "logo_uri")?.map(str::to_owned),
            redirect_uris: redirect_uris.into_iter().map(str::to_owned).collect(),
            grant_types,
            scopes: permissions(text(members, "scope")?, ceiling),
            is_public: method == AuthMethod::None,
            requires_pushed: flag(members, "require_pushed_authorization_requests")?,
            id_token_algorithm: algorithm,
        };
        draft.check().map_err(refusal)?;
        Ok(Self { draft, method })
    }

    /// What the application is told, with 201 (RFC 7591, 3.2.1).
    pub fn answer(&self, client: &Client, secret: Option<&Plain>) -> Value {
        let mut body = json!({"client_id": client.client_id, "client_id_issued_at": client.created_at.unix()});
        if let Some(secret) = secret {
            body["client_secret"] = secret.expose().into();
            body["client_secret_expires_at"] = 0.into();
        }
        body["client_name"] = client.name.as_str().into();
        if let Some(logo) = &client.logo_url {
            body["logo_uri"] = logo.as_str().into();
        }
        body["redirect_uris"] = json!(client.redirect_uris);
        body["grant_types"] = json!(client.grant_types);
        body["response_types"] = json!(["code"]);
        body["token_endpoint_auth_method"] = self.method.as_str().into();
        let scopes: Scopes = Scope::all().filter(|scope| client.may_ask(*scope)).collect();
        body["scope"] = scopes.to_string().into();
        body[ALGORITHM] = client.id_token_algorithm.as_str().into();
        if client.requires_pushed {
            body["require_pushed_authorization_requests"] = true.into();
        }
        body
    }
}

/// The permissions behind the names that are known and allowed. OpenID Connect's names stand for the identity they tell.
fn permissions(names: Option<&str>, ceiling: &[Permission]) -> Vec<Permission> {
    let Some(names) = names else { return ceiling.to_vec() };
    let asked: Vec<_> = names.split(' ').filter_map(Scope::parse).collect();
    let is_asked = |permission: &Permission| {
        let openid = [Scope::OpenId, Scope::Profile, Scope::Email];
        let by_openid = *permission == Permission::Identity && openid.iter().any(|scope| asked.contains(scope));
        by_openid || asked.contains(&Scope::Permission(*permission))
    };
    ceiling.iter().copied().filter(is_asked).collect()
}

/// An application without a name is called after where it sends people.
fn usual_name(redirect_uris: &[&str]) -> String {
    let url = redirect_uris.first().and_then(|uri| Url::parse(uri).ok());
    let name = url.map(|url| url.host_str().filter(|host| !host.is_empty()).unwrap_or(url.scheme()).to_owned());
    name.map_or_else(|| "Unnamed".to_owned(), |name| name.chars().take(100).collect())
}

fn refusal(unfit: Unfit) -> Refusal {
    match unfit {
        Unfit::Redirect(..) | Unfit::Redirects => Refusal::new(ErrorCode::InvalidRedirectUri, unfit.to_string()),
        unfit => metadata(unfit.to_string()),
    }
}

fn text<'a>(members: &'a Map<String, Value>, name: &str) -> Result<Option<&'a str>, Refusal> {
    match members.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(metadata(format!("{name} is a string"))),
    }
}

fn list<'a>(members: &'a Map<String, Value>, name: &str) -> Result<Option<Vec<&'a str>>, Refusal> {
    let unfit = || metadata(format!("{name} is an array of strings"));
    match members.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Array(elements)) => {
            elements.iter().map(|element| element.as_str().ok_or_else(unfit)).collect::<Result<_, _>>().map(Some)
        }
        Some(_) => Err(unfit()),
    }
}

fn flag(members: &Map<String, Value>, name: &str) -> Result<bool, Refusal> {
    match members.get(name) {
        None | Some(Value::Null) => Ok(false),
        Some(Value::Bool(flag)) => Ok(*flag),
        Some(_) => Err(metadata(format!("{name} is true or false"))),
    }
}

#[cfg(test)]
mod tests;
