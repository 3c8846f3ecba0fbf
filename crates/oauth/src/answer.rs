//! What the endpoints for applications answer: errors and tokens, for both dialects from one place (`auth.md` 7, 11,
//! 12.3; RFC 6749, 5).

use crate::body::Dialect;
use crate::error::printable;
use crate::fields::Item;
use crate::token::Pair;
use crate::{ErrorCode, Issuer, Scopes, code, token};
use heddle_model::Time;
use serde_json::{Value, json};

/// A status, what some headers say, and a JSON body. `Cache-Control: no-store` belongs to each.
#[derive(Clone, PartialEq)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// `WWW-Authenticate`.
    pub challenge: Option<String>,
    /// `Retry-After`, in seconds.
    pub retry_after: Option<u32>,
    /// The body.
    pub body: Value,
}

impl std::fmt::Debug for Answer {
    /// There may be tokens in the body.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Answer({}, *)", self.status)
    }
}

impl Answer {
    /// 200 and this.
    pub fn ok(body: Value) -> Self {
        Self { status: 200, challenge: None, retry_after: None, body }
    }
}

/// Why an application does not get what it asks for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refusal {
    /// For programs.
    pub error: ErrorCode,
    /// For people.
    pub description: String,
    /// For existing applications, where it differs.
    detail: Option<String>,
    /// For existing applications: what does not fit the schema.
    items: Vec<Item>,
    /// Whether the client used the `Authorization` header: only then does the answer have one of its own.
    used_basic: bool,
    /// When trying again makes sense.
    retry_after: Option<u32>,
}

impl Refusal {
    /// In the same words for everybody.
    pub fn new(error: ErrorCode, description: impl Into<String>) -> Self {
        let description = printable(&description.into());
        Self { error, description, detail: None, items: Vec::new(), used_basic: false, retry_after: None }
    }

    /// What does not fit the schema of a JSON request.
    pub fn items(error: ErrorCode, items: Vec<Item>) -> Self {
        Self { items, ..Self::new(error, "The request does not match the schema") }
    }

    /// The client is not who it says it is. Only existing applications learn what was wrong.
    pub(crate) fn client(detail: &str, used_basic: bool) -> Self {
        let detail = Some(detail.to_owned());
        Self { detail, used_basic, ..Self::new(ErrorCode::InvalidClient, "Client authentication failed") }
    }

    /// Too many failures (`auth.md` 9).
    pub fn too_many(retry_after: u32) -> Self {
        let text = "Too many failed authentication attempts. Try again shortly.";
        Self { retry_after: Some(retry_after), ..Self::new(ErrorCode::TemporarilyUnavailable, text) }
    }

    /// What does not fit the schema.
    pub fn listed(&self) -> &[Item] {
        &self.items
    }

    /// The status (`auth.md` 12.3).
    pub fn status(&self, dialect: Dialect) -> u16 {
        match self.error {
            ErrorCode::InvalidClient | ErrorCode::InvalidToken => 401,
            ErrorCode::TemporarilyUnavailable => 429,
            ErrorCode::ServerError => 500,
            _ if dialect == Dialect::Upstream && !self.items.is_empty() => 422,
            _ => 400,
        }
    }

    /// The answer to a POST to this path.
    pub fn answer(&self, dialect: Dialect, issuer: &Issuer, path: &str) -> Answer {
        let (error, description) = (self.error.as_str(), &self.description);
        let body = match dialect {
            Dialect::Upstream if !self.items.is_empty() => json!({
                "message": format!("Invalid data for POST {path}"),
                "detail": self.items,
                "hint": "Ensure the request matches the API schema.",
                "error": error,
                "error_description": description,
            }),
            Dialect::Upstream => {
                json!({"error": error, "error_description": description, "detail": self.detail.as_ref().unwrap_or(description)})
            }
            Dialect::Standard => {
                // What an existing application may learn of clients is not for everybody.
                let detail = if self.error == ErrorCode::InvalidClient { None } else { self.detail.as_ref() };
                json!({"error": error, "error_description": description, "detail": detail.unwrap_or(description)})
            }
        };
        let is_challenged = self.error == ErrorCode::InvalidClient && self.used_basic;
        let challenge = is_challenged.then(|| format!("Basic realm=\"{}\"", issuer.quotable()));
        Answer { status: self.status(dialect), challenge, retry_after: self.retry_after, body }
    }

    fn grant(reason: String) -> Self {
        let detail = Some(format!("Invalid grant: {reason}"));
        Self { detail, ..Self::new(ErrorCode::InvalidGrant, reason) }
    }
}

impl From<code::Refused> for Refusal {
    fn from(refused: code::Refused) -> Self {
        Self::grant(refused.to_string())
    }
}

impl From<token::Refused> for Refusal {
    fn from(refused: token::Refused) -> Self {
        match refused {
            token::Refused::Scope => Self::new(ErrorCode::InvalidScope, refused.to_string()),
            token::Refused::Resource => Self::new(ErrorCode::InvalidTarget, refused.to_string()),
            refused => Self::grant(refused.to_string()),
        }
    }
}

/// The body that carries a new pair: the members of both dialects. There is no `expires_at`: libraries take a member
/// of that name for something else.
pub fn tokens(pair: &Pair, scopes: &Scopes, id_token: Option<&str>, now: Time) -> Value {
    let mut body = json!({
        "token_type": "Bearer",
        "access_token": pair.access_plain.expose(),
        "access_token_expires_at": pair.access.expires_at.rfc3339(),
    });
    if let Some((token, plain)) = &pair.refresh {
        body["refresh_token"] = plain.expose().into();
        body["refresh_token_expires_at"] = token.expires_at.rfc3339().into();
    }
    body["scopes"] = json!(scopes);
    body["expires_in"] = (pair.access.expires_at.unix() - now.unix()).max(0).into();
    body["scope"] = scopes.to_string().into();
    if let Some(id_token) = id_token {
        body["id_token"] = id_token.into();
    }
    body
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::GrantType;
    use crate::testing::{NOW, client, family, issuer, scopes};
    use crate::token::Random;

    /// `auth.md` 7.1, 11.2, 12.3.
    #[test]
    fn tokens_come_with_the_members_of_both_dialects() {
        let random = || Random { access: [1; 32], refresh: [2; 32] };
        let granted = scopes("openid RUN_AGENT");
        let pair = token::issue(&family(), &client(), granted.clone(), vec![], &random(), NOW);
        assert_eq!(
            tokens(&pair, &granted, Some("e.y.J"), Time(NOW.0 + 999_999)),
            json!({
                "token_type": "Bearer",
                "access_token": "agpt_xt_AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE",
                "access_token_expires_at": "2026-02-03T11:00:00Z",
                "refresh_token": "agpt_rt_AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI",
                "refresh_token_expires_at": "2026-03-05T10:00:00Z",
                "scopes": ["openid", "RUN_AGENT"],
                "expires_in": 3600,
                "scope": "openid RUN_AGENT",
                "id_token": "e.y.J",
            })
        );
        let limited = crate::Client { grant_types: vec![GrantType::AuthorizationCode], ..client() };
        let pair = token::issue(&family(), &limited, granted.clone(), vec![], &random(), NOW);
        let body = tokens(&pair, &granted, None, NOW);
        assert!(body.get("refresh_token").is_none() && body.get("id_token").is_none());
    }

    /// The table of `auth.md` 12.3.
    #[test]
    fn each_refusal_has_its_status_and_headers() {
        use ErrorCode::*;
        let item = || Item { r#type: "missing", loc: vec![], msg: String::new(), input: Value::Null, ctx: None };
        for (refusal, standard, upstream, challenged) in [
            (Refusal::client("Invalid client_secret", true), 401, 401, true),
            (Refusal::client("Invalid client_secret", false), 401, 401, false),
            (Refusal::from(code::Refused::Expired), 400, 400, false),
            (Refusal::items(InvalidRequest, vec![item()]), 400, 422, false),
            (Refusal::items(UnsupportedGrantType, vec![item()]), 400, 422, false),
            (Refusal::new(UnauthorizedClient, "x"), 400, 400, false),
            (Refusal::from(token::Refused::Scope), 400, 400, false),
            (Refusal::too_many(60), 429, 429, false),
        ] {
            for (dialect, status) in [(Dialect::Standard, standard), (Dialect::Upstream, upstream)] {
                let answer = refusal.answer(dialect, &issuer(), "/api/oauth/token");
                assert_eq!(
                    (answer.status, answer.challenge.is_some()),
                    (status, challenged),
                    "{refusal:?} {dialect:?}"
                );
                assert!(answer.body["error"].as_str().is_some_and(|error| !error.is_empty()));
                assert_eq!(answer.retry_after.is_some(), status == 429);
            }
        }
    }

    /// `auth.md` 7.1 and 12.3: texts.
    #[test]
    fn existing_applications_read_the_detail_they_know() {
        let body = |refusal: Refusal, dialect| refusal.answer(dialect, &issuer(), "/api/oauth/token").body;
        assert_eq!(
            body(code::Refused::Expired.into(), Dialect::Standard),
            json!({
                "error": "invalid_grant", "error_description": "authorization code expired",
                "detail": "Invalid grant: authorization code expired",
            })
        );
        let unknown = || Refusal::client("Invalid client_id", true);
        assert_eq!(
            body(unknown(), Dialect::Upstream),
            json!({
                "error": "invalid_client", "error_description": "Client authentication failed",
                "detail": "Invalid client_id",
            })
        );
        assert_eq!(
            body(unknown(), Dialect::Standard),
            body(Refusal::client("Invalid client_secret", true), Dialect::Standard)
        );
        let challenge = unknown().answer(Dialect::Standard, &Issuer::new("https://a\"b"), "/").challenge;
        assert_eq!(challenge.as_deref(), Some("Basic realm=\"https://ab\""));
        let items = body(
            Refusal::items(ErrorCode::InvalidRequest, crate::fields::Fields::of(&Value::Null).err().unwrap()),
            Dialect::Upstream,
        );
        assert_eq!(items["message"], "Invalid data for POST /api/oauth/token");
        assert_eq!(items["detail"][0]["type"], "model_attributes_type");
    }
}
