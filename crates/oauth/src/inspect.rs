//! Introspection and revocation: what an application may learn of a token, and which tokens it may end (`auth.md` 7.2,
//! 7.3, 12.1, 12.5; RFC 7662; RFC 7009).

use crate::answer::Refusal;
use crate::body::{Body, Dialect};
use crate::credentials::{Basic, Credentials};
use crate::family::Standing;
use crate::fields::Fields;
use crate::grant::{form_credentials, json_credentials, missing};
use crate::token::{AccessToken, RefreshToken, check};
use crate::{Client, Digest, Issuer, Plain, Scope, Scopes};
use heddle_model::{FamilyId, Scope as Permission, Time};
use serde_json::{Value, json};

/// A request about one token. The hint is read and not needed: a token's prefix says what it is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TokenQuery {
    /// Who asks.
    pub credentials: Credentials,
    /// Of which token.
    pub token: Plain,
}

impl TokenQuery {
    /// Reads it. In a form an unknown hint is ignored (RFC 7009, 2.1), in JSON it does not fit the schema.
    pub fn read(body: &Body, basic: Option<Basic>) -> Result<Self, Refusal> {
        let value = match body {
            Body::Form(parameters) => {
                let credentials = form_credentials(parameters, basic)?;
                let token = parameters.get("token").map(Plain::new).ok_or_else(|| missing("token"))?;
                return Ok(Self { credentials, token });
            }
            Body::Json(value) => value,
        };
        let unfit = |items| Refusal::items(crate::ErrorCode::InvalidRequest, items);
        let mut fields = Fields::of(value).map_err(unfit)?;
        let token = fields.text("token");
        fields.maybe_word("token_type_hint", &["access_token", "refresh_token"]);
        let (id, secret) = json_credentials(&mut fields, basic.as_ref());
        let token = fields.end(|| token).map_err(unfit)?;
        let credentials = Credentials::gather(basic, id, secret)?.ok_or_else(Credentials::absent)?;
        Ok(Self { credentials, token: Plain::new(token) })
    }
}

/// What was found under a token's digest.
#[derive(Clone, Copy, Debug)]
pub enum Found<'a> {
    /// An access token.
    Access(&'a AccessToken, Standing<'a>),
    /// A refresh token.
    Refresh(&'a RefreshToken, Standing<'a>),
}

/// What an application is told of a token. `username` is the person's e-mail address, told only where the token could
/// be used to ask for it.
pub fn introspection(
    found: Option<Found<'_>>,
    caller: &Client,
    username: Option<&str>,
    dialect: Dialect,
    issuer: &Issuer,
    now: Time,
) -> Value {
    let seen = found.and_then(|found| Seen::of(found, caller, now));
    match (seen, dialect) {
        (Some(seen), Dialect::Standard) => seen.standard(username, issuer),
        (Some(seen), Dialect::Upstream) => seen.upstream(),
        (None, Dialect::Standard) => json!({"active": false}),
        (None, Dialect::Upstream) => json!({
            "active": false, "scopes": null, "client_id": null, "user_id": null, "exp": null, "token_type": null,
        }),
    }
}

/// A live token that the caller may look at.
struct Seen<'a> {
    standing: Standing<'a>,
    client: &'a Client,
    scopes: Scopes,
    resources: &'a [String],
    created_at: Time,
    expires_at: Time,
    is_access: bool,
}

impl<'a> Seen<'a> {
    fn of(found: Found<'a>, caller: &Client, now: Time) -> Option<Self> {
        match found {
            Found::Access(token, standing) => {
                let access = check(Some((token, standing)), now).ok()?;
                let may = token.app == caller.id || caller.is_resource_server;
                may.then_some(Self {
                    standing,
                    client: standing.client?,
                    scopes: access.scopes,
                    resources: &token.resources,
                    created_at: token.created_at,
                    expires_at: access.expires_at,
                    is_access: true,
                })
            }
            Found::Refresh(token, standing) => {
                let client = standing.client.filter(|client| client.is_active)?;
                let expires_at = standing.family.capped(token.expires_at);
                let is_live = token.rotated_at.is_none() && standing.is_live() && now < expires_at;
                // Never to a resource server: it must not take one for an access token.
                (is_live && token.app == caller.id).then(|| Self {
                    standing,
                    client,
                    scopes: client.still_allowed(&standing.family.scopes),
                    resources: &standing.family.resources,
                    created_at: token.created_at,
                    expires_at,
                    is_access: false,
                })
            }
        }
    }

    fn standard(&self, username: Option<&str>, issuer: &Issuer) -> Value {
        let user = self.standing.family.user.to_string();
        let mut body = json!({
            "active": true,
            "scope": self.scopes.to_string(),
            "client_id": self.client.client_id,
            "sub": user,
        });
        let tells = self.scopes.contains(Scope::Email) || self.scopes.permits(Permission::Identity);
        if let Some(username) = username.filter(|_| tells) {
            body["username"] = username.into();
        }
        if self.is_access {
            body["token_type"] = "Bearer".into();
        }
        body["exp"] = self.expires_at.unix().into();
        body["iat"] = self.created_at.unix().into();
        body["iss"] = issuer.as_str().into();
        if !self.resources.is_empty() {
            body["aud"] = json!(self.resources);
        }
        body["scopes"] = json!(self.scopes);
        body["user_id"] = user.into();
        body
    }

    fn upstream(&self) -> Value {
        json!({
            "active": true,
            "scopes": self.scopes,
            "client_id": self.client.client_id,
            "user_id": self.standing.family.user,
            "exp": self.expires_at.unix(),
            "token_type": if self.is_access { "access_token" } else { "refresh_token" },
        })
    }
}

/// What a revocation ends. The answer is [`revoked`] whatever it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ends {
    /// Nothing: unknown, another application's, or over already.
    Nothing,
    /// This access token alone.
    Access(Digest),
    /// The family, for [`Ended::ByClient`](crate::family::Ended::ByClient).
    Family(FamilyId),
}

/// What a revocation by this application ends.
pub fn revocation(found: Option<Found<'_>>, caller: &Client) -> Ends {
    match found {
        Some(Found::Access(token, _)) if token.app == caller.id && token.revoked_at.is_none() => {
            Ends::Access(token.digest)
        }
        // One that was replaced ends its successors too: its application wants to be rid of all of them.
        Some(Found::Refresh(token, standing)) if token.app == caller.id && standing.family.is_live() => {
            Ends::Family(token.family)
        }
        _ => Ends::Nothing,
    }
}

/// What a revocation answers, always.
pub fn revoked() -> Value {
    json!({"status": "ok"})
}

#[cfg(test)]
mod tests;
