//! Ways to providers and back.

use crate::call::{BodyRule, Input, Reading};
use crate::validate::{At, Members, dictionary, list, nullable, text};
use axum::extract::Query;
use heddle_model::Object;

/// The body of `POST /integrations/{provider}/oauth/initiate`.
pub struct InitiateOAuth {
    /// Where the account is.
    pub provider: String,
    /// Where to come back to.
    pub callback_url: String,
    /// What to ask for.
    pub scopes: Vec<String>,
    /// What to hear again.
    pub metadata: Object,
}

impl Input for InitiateOAuth {
    const BODY: BodyRule = BodyRule::Required;

    fn read(request: &mut Reading) -> Option<Self> {
        let provider = request.path("provider");
        let body = request.required_body()?;
        let (at, items) = (At::Source("body"), &mut request.items);
        let members = Members::of(&body, &at, items)?;
        let callback_url = members.required("callback_url", items, text);
        let scopes = members.or("scopes", Vec::new, items, list(text));
        let metadata = members.or("state_metadata", Object::default, items, dictionary);
        Some(Self { provider, callback_url: callback_url?, scopes: scopes?, metadata: metadata? })
    }
}

/// The body of `POST /integrations/{provider}/oauth/complete`, and of the web's own `POST /api/integrations/…/callback`.
pub struct CompleteOAuth {
    /// Whose door it came to.
    pub provider: String,
    /// The code.
    pub code: String,
    /// The state.
    pub state: String,
    /// Ours: who the provider says it is (RFC 9207).
    pub issuer: Option<String>,
}

impl Input for CompleteOAuth {
    const BODY: BodyRule = BodyRule::Required;

    fn read(request: &mut Reading) -> Option<Self> {
        let provider = request.path("provider");
        let body = request.required_body()?;
        let (at, items) = (At::Source("body"), &mut request.items);
        let members = Members::of(&body, &at, items)?;
        let code = members.required("code", items, text);
        let state = members.required("state_token", items, text);
        let issuer = members.or("iss", || None, items, nullable(text));
        Some(Self { provider, code: code?, state: state?, issuer: issuer? })
    }
}

/// The query of `GET /api/integrations/{provider}/login`.
pub struct LoginToProvider {
    /// Where the account is.
    pub provider: String,
    /// What to ask for; parted by commas on the wire.
    pub scopes: Vec<String>,
}

impl Input for LoginToProvider {
    fn read(request: &mut Reading) -> Option<Self> {
        let pairs = Query::<Vec<(String, String)>>::try_from_uri(&request.parts.uri).map(|Query(pairs)| pairs);
        let given = pairs.unwrap_or_default().into_iter().rev().find(|(name, _)| name == "scopes");
        let scopes = given.map(|(_, scopes)| scopes).unwrap_or_default();
        let scopes = scopes.split(',').map(str::trim).filter(|scope| !scope.is_empty()).map(str::to_owned).collect();
        Some(Self { provider: request.path("provider"), scopes })
    }
}
