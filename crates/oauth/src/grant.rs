//! Requests to the token endpoint, in both dialects (`auth.md` 7.1 and 12.3; RFC 6749, 4.1.3 and 6; RFC 8707, 2.2).

use crate::answer::Refusal;
use crate::body::Body;
use crate::client::GrantType;
use crate::credentials::{Basic, Credentials};
use crate::fields::{Fields, Item};
use crate::{Client, ErrorCode, Issuer, Parameters, Plain, Scopes, resource};
use serde_json::Value;

/// What is offered for tokens.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Grant {
    /// A code.
    Code {
        /// The code.
        code: Plain,
        /// Where it was sent.
        redirect_uri: Option<String>,
        /// Who asked for it.
        verifier: Option<Plain>,
    },
    /// A refresh token.
    Refresh {
        /// The token.
        token: Plain,
        /// Fewer scopes for the access token.
        scopes: Option<Scopes>,
    },
}

impl Grant {
    /// Its type.
    pub fn grant_type(&self) -> GrantType {
        match self {
            Self::Code { .. } => GrantType::AuthorizationCode,
            Self::Refresh { .. } => GrantType::RefreshToken,
        }
    }
}

/// One request for tokens.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TokenRequest {
    /// Who asks.
    pub credentials: Credentials,
    /// What for.
    pub grant: Grant,
    /// What the access token is to be for; empty: all that was granted.
    pub resources: Vec<String>,
}

impl TokenRequest {
    /// Reads it. Nothing is looked up before it is complete.
    pub fn read(body: &Body, basic: Option<Basic>, issuer: &Issuer) -> Result<Self, Refusal> {
        match body {
            Body::Form(parameters) => form(parameters, basic, issuer),
            Body::Json(value) => json(value, basic),
        }
    }

    /// Whether the application may use this grant type. Upstream stored the types and never looked (`auth.md` 5.1).
    pub fn check_type(&self, client: &Client) -> Result<(), Refusal> {
        let text = "This application is not enabled for the grant type";
        let refused = || Refusal::new(ErrorCode::UnauthorizedClient, text);
        client.may_use(self.grant.grant_type()).then_some(()).ok_or_else(refused)
    }
}

/// What the client presents in a form.
pub(crate) fn form_credentials(parameters: &Parameters, basic: Option<Basic>) -> Result<Credentials, Refusal> {
    if ["client_assertion", "client_assertion_type"].iter().any(|name| parameters.get(name).is_some()) {
        return Err(Refusal::client("Invalid client_secret", false));
    }
    let own = |name| parameters.get(name).map(str::to_owned);
    Credentials::gather(basic, own("client_id"), own("client_secret"))?.ok_or_else(Credentials::absent)
}

/// What the client presents in JSON: both members must be there, unless the header stands for them.
pub(crate) fn json_credentials(fields: &mut Fields<'_>, basic: Option<&Basic>) -> (Option<String>, Option<String>) {
    match basic {
        Some(_) => (fields.maybe_text("client_id"), fields.maybe_text("client_secret")),
        None => (fields.text("client_id"), fields.text("client_secret")),
    }
}

pub(crate) fn missing(name: &str) -> Refusal {
    Refusal::new(ErrorCode::InvalidRequest, format!("Parameter {name} is missing"))
}

fn form(parameters: &Parameters, basic: Option<Basic>, issuer: &Issuer) -> Result<TokenRequest, Refusal> {
    let credentials = form_credentials(parameters, basic)?;
    let grant_type = parameters.get("grant_type").ok_or_else(|| missing("grant_type"))?;
    let secret = |name| parameters.get(name).map(Plain::new).ok_or_else(|| missing(name));
    let grant = match GrantType::parse(grant_type) {
        Some(GrantType::AuthorizationCode) => Grant::Code {
            code: secret("code")?,
            redirect_uri: parameters.get("redirect_uri").map(str::to_owned),
            verifier: parameters.get("code_verifier").map(Plain::new),
        },
        Some(GrantType::RefreshToken) => {
            Grant::Refresh { token: secret("refresh_token")?, scopes: scopes(parameters.get("scope"))? }
        }
        None => {
            let text = "Only authorization_code and refresh_token are supported";
            return Err(Refusal::new(ErrorCode::UnsupportedGrantType, text));
        }
    };
    let resources = parameters.all("resource");
    if resources.len() > resource::MOST || !resources.iter().all(|uri| resource::is_ours(uri, issuer.as_str())) {
        return Err(Refusal::new(ErrorCode::InvalidTarget, "resource is not an address of this server"));
    }
    Ok(TokenRequest { credentials, grant, resources: resources.into_iter().map(str::to_owned).collect() })
}

fn scopes(text: Option<&str>) -> Result<Option<Scopes>, Refusal> {
    let Some(text) = text.filter(|text| !text.trim().is_empty()) else { return Ok(None) };
    let unknown = |_| Refusal::new(ErrorCode::InvalidScope, "requested scope exceeds the granted scope");
    Scopes::parse(text).map(Some).map_err(unknown)
}

/// Upstream tries both alternatives and, when neither fits, lists what is wrong with each.
fn json(value: &Value, basic: Option<Basic>) -> Result<TokenRequest, Refusal> {
    let by_code = match by_code(value, basic.as_ref()) {
        Ok((grant, id, secret)) => return complete(basic, grant, id, secret),
        Err(items) => items,
    };
    let by_refresh = match by_refresh(value, basic.as_ref()) {
        Ok((grant, id, secret, scope)) => {
            let scopes = scopes(scope.as_deref())?;
            return complete(basic, Grant::Refresh { token: grant, scopes }, id, secret);
        }
        Err(items) => items,
    };
    let grant_type = value.get("grant_type").and_then(Value::as_str);
    let error = match grant_type {
        Some(name) if GrantType::parse(name).is_none() => ErrorCode::UnsupportedGrantType,
        _ => ErrorCode::InvalidRequest,
    };
    Err(Refusal::items(error, by_code.into_iter().chain(by_refresh).collect()))
}

fn complete(
    basic: Option<Basic>,
    grant: Grant,
    id: Option<String>,
    secret: Option<String>,
) -> Result<TokenRequest, Refusal> {
    let credentials = Credentials::gather(basic, id, secret)?.ok_or_else(Credentials::absent)?;
    Ok(TokenRequest { credentials, grant, resources: Vec::new() })
}

type ByCode = (Grant, Option<String>, Option<String>);

fn by_code(value: &Value, basic: Option<&Basic>) -> Result<ByCode, Vec<Item>> {
    let mut fields = Fields::alternative(value, "TokenRequestByCode")?;
    fields.word("grant_type", &["authorization_code"]);
    let code = fields.text("code");
    let redirect_uri = fields.text("redirect_uri");
    let (id, secret) = json_credentials(&mut fields, basic);
    let verifier = fields.text("code_verifier");
    fields.end(|| {
        let grant = Grant::Code { code: Plain::new(code?), redirect_uri, verifier: verifier.map(Plain::new) };
        Some((grant, id, secret))
    })
}

type ByRefresh = (Plain, Option<String>, Option<String>, Option<String>);

fn by_refresh(value: &Value, basic: Option<&Basic>) -> Result<ByRefresh, Vec<Item>> {
    let mut fields = Fields::alternative(value, "TokenRequestByRefreshToken")?;
    fields.word("grant_type", &["refresh_token"]);
    let token = fields.text("refresh_token");
    let (id, secret) = json_credentials(&mut fields, basic);
    // Upstream never looked at it.
    let scope = value.get("scope").and_then(Value::as_str).map(str::to_owned);
    fields.end(|| Some((Plain::new(token?), id, secret, scope)))
}

#[cfg(test)]
mod tests;
