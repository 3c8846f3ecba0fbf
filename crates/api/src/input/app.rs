//! Applications to be made and changed, and authorizations that a consent page asks for.

use super::key::permission;
use crate::call::{BodyRule, Input, Reading};
use crate::validate::{At, Item, Items, Members, boolean, list, nullable, text};
use heddle_platform::authorization::Change;
use heddle_platform::authorization::rules::client::GrantType;
use heddle_platform::authorization::rules::draft::Draft;
use heddle_platform::authorization::rules::oidc::Algorithm;
use serde_json::{Value, json};

/// The body of `POST /api/oauth/apps`.
pub struct NewAppInput(pub Draft);

impl Input for NewAppInput {
    const BODY: BodyRule = BodyRule::Required;

    fn read(request: &mut Reading) -> Option<Self> {
        let body = request.required_body()?;
        let (at, items) = (At::Source("body"), &mut request.items);
        let members = Members::of(&body, &at, items)?;
        let name = members.required("name", items, text);
        let description = members.or("description", || None, items, nullable(text));
        let logo_url = members.or("logo_url", || None, items, nullable(text));
        let redirect_uris = members.required("redirect_uris", items, list(text));
        let scopes = members.required("scopes", items, list(permission));
        let is_public = members.or("type", || false, items, kind);
        let requires_pushed = members.or(PUSHED, || false, items, boolean);
        let id_token_algorithm = members.or(ALGORITHM, Algorithm::default, items, algorithm);
        Some(Self(Draft {
            name: name?,
            description: description?,
            logo_url: logo_url?,
            redirect_uris: redirect_uris?,
            grant_types: GrantType::ALL.to_vec(),
            scopes: scopes?,
            is_public: is_public?,
            requires_pushed: requires_pushed?,
            id_token_algorithm: id_token_algorithm?,
        }))
    }
}

/// RFC 9126, 6.
const PUSHED: &str = "require_pushed_authorization_requests";

/// OpenID Connect Dynamic Client Registration, 2.
const ALGORITHM: &str = "id_token_signed_response_alg";

/// Whether it is a public one.
fn kind(value: &Value, at: &At<'_>, items: &mut Items) -> Option<bool> {
    let kinds = [("confidential", false), ("public", true)];
    let given = kinds.into_iter().find(|(name, _)| value.as_str() == Some(name)).map(|(_, is_public)| is_public);
    given.or_else(|| none_of("'confidential' or 'public'", value, at, items))
}

/// What ID tokens are signed with.
fn algorithm(value: &Value, at: &At<'_>, items: &mut Items) -> Option<Algorithm> {
    value.as_str().and_then(Algorithm::parse).or_else(|| none_of("'RS256' or 'ES256'", value, at, items))
}

/// A word that is none of those.
fn none_of<T>(expected: &str, value: &Value, at: &At<'_>, items: &mut Items) -> Option<T> {
    items.push(Item {
        r#type: "literal_error",
        loc: at.steps(),
        msg: format!("Input should be {expected}").into(),
        input: value.clone(),
        ctx: Some(json!({ "expected": expected })),
    });
    None
}

/// An application by its record's id, which may be anything.
pub struct AppInput(pub String);

impl Input for AppInput {
    fn read(request: &mut Reading) -> Option<Self> {
        Some(Self(request.path("app_id")))
    }
}

/// An application by its client id.
pub struct ClientInput(pub String);

impl Input for ClientInput {
    fn read(request: &mut Reading) -> Option<Self> {
        Some(Self(request.path("client_id")))
    }
}

/// The body of `PATCH /api/oauth/apps/{app_id}`: what is not in it stays.
pub struct ChangeAppInput {
    /// Which.
    pub app: String,
    /// How.
    pub change: Change,
}

impl Input for ChangeAppInput {
    const BODY: BodyRule = BodyRule::Required;

    fn read(request: &mut Reading) -> Option<Self> {
        let body = request.required_body()?;
        let (at, items) = (At::Source("body"), &mut request.items);
        let members = Members::of(&body, &at, items)?;
        let name = members.or("name", || None, items, some(text));
        let description = members.or("description", || None, items, some(nullable(text)));
        let logo_url = members.or("logo_url", || None, items, some(nullable(text)));
        let redirect_uris = members.or("redirect_uris", || None, items, some(list(text)));
        let scopes = members.or("scopes", || None, items, some(list(permission)));
        let requires_pushed = members.or(PUSHED, || None, items, some(boolean));
        let id_token_algorithm = members.or(ALGORITHM, || None, items, some(algorithm));
        let change = Change {
            name: name?,
            description: description?,
            logo_url: logo_url?,
            redirect_uris: redirect_uris?,
            scopes: scopes?,
            requires_pushed: requires_pushed?,
            id_token_algorithm: id_token_algorithm?,
            ..Change::default()
        };
        Some(Self { app: request.path("app_id"), change })
    }
}

/// What `read` reads, as something that is there.
fn some<T>(
    read: impl FnOnce(&Value, &At<'_>, &mut Items) -> Option<T>,
) -> impl FnOnce(&Value, &At<'_>, &mut Items) -> Option<Option<T>> {
    |value, at, items| read(value, at, items).map(Some)
}

/// The body of `PATCH /api/oauth/apps/{app_id}/status`.
pub struct AppStatusInput {
    /// Which.
    pub app: String,
    /// Whether it is to be on.
    pub is_active: bool,
}

impl Input for AppStatusInput {
    const BODY: BodyRule = BodyRule::Required;

    fn read(request: &mut Reading) -> Option<Self> {
        let body = request.required_body()?;
        let (at, items) = (At::Source("body"), &mut request.items);
        let is_active = Members::of(&body, &at, items)?.required("is_active", items, boolean)?;
        Some(Self { app: request.path("app_id"), is_active })
    }
}

/// The body of `PATCH /api/oauth/apps/{app_id}/logo`.
pub struct AppLogoInput {
    /// Which.
    pub app: String,
    /// The image's address.
    pub logo_url: String,
}

impl Input for AppLogoInput {
    const BODY: BodyRule = BodyRule::Required;

    fn read(request: &mut Reading) -> Option<Self> {
        let body = request.required_body()?;
        let (at, items) = (At::Source("body"), &mut request.items);
        let logo_url = Members::of(&body, &at, items)?.required("logo_url", items, text)?;
        Some(Self { app: request.path("app_id"), logo_url })
    }
}

/// A JSON body that somebody else reads.
pub struct AnyBody(pub Value);

impl Input for AnyBody {
    const BODY: BodyRule = BodyRule::Required;

    fn read(request: &mut Reading) -> Option<Self> {
        request.required_body().map(Self)
    }
}
