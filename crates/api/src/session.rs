//! Who is signed in with a browser: the extractors of everything that a session opens, and no API key does.
//!
//! A session is a cookie, and browsers send cookies along with requests that other sites make. So whatever is not safe by
//! its method must also prove that it comes from a page of ours ([`proof`]); a credential alone is not enough.

pub mod cookie;
mod proof;

pub use proof::{FormToken, check};

use crate::app::App;
use crate::auth::{client_address, counted};
use crate::body;
use crate::call::{BodyRule, Input, Reading};
use crate::error::ApiError;
use axum::extract::{FromRequest, FromRequestParts, Request};
use cookie::Cookies;
use heddle_platform::{Account, Principal, Visitor};
use http::header::USER_AGENT;
use http::request::Parts;

/// Somebody who is signed in, on a request that comes from a page of ours if it can change anything.
///
/// Refuses with 401 without a session and with 403 without that proof. `X-CSRF-Token` is looked at here, a form's field
/// is not: pages take `pages::Submitted`.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// What he may do: everything that is his.
    pub caller: Principal,
    /// His account, session and since when.
    pub who: heddle_platform::SignedIn,
    /// What his forms carry.
    pub form: FormToken,
}

impl SignedIn {
    /// His account.
    pub fn account(&self) -> &Account {
        &self.who.account
    }

    /// Whoever shows the session's cookie; the request proves nothing else yet. `None` without a cookie.
    pub async fn of(app: &App, parts: &Parts) -> Result<Option<Self>, ApiError> {
        let cookies = Cookies::of(app, parts);
        let Some(token) = cookies.session(&parts.headers) else { return Ok(None) };
        let visitor = visitor(app, parts);
        let who = app.platform.sessions.authenticate(token, &visitor).await?.ok_or(ApiError::SessionOver)?;
        Ok(Some(Self { caller: who.principal.clone(), form: FormToken::of(token), who }))
    }
}

impl FromRequestParts<App> for SignedIn {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let who = Self::of(app, parts).await?.ok_or(ApiError::NoSession)?;
        proof::check(app, parts, &who.form, None)?;
        Ok(who)
    }
}

/// As [`Call`](crate::call::Call), for whoever is signed in: body readable → session → proof → schema.
pub struct SessionCall<T> {
    /// Who is asking.
    pub who: SignedIn,
    /// What for.
    pub input: T,
}

impl<T: Input> FromRequest<App> for SessionCall<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, app: &App) -> Result<Self, ApiError> {
        let (mut parts, body) = request.into_parts();
        let bytes = match T::BODY {
            BodyRule::Ignored => Default::default(),
            _ => body::read(&parts.headers, body, &app.settings).await?,
        };
        let who = SignedIn::from_request_parts(&mut parts, app).await?;
        let content = body::parse(&bytes, &parts.headers, &app.settings)?;
        let input = Reading::of(parts, content, bytes, app).await?.finish()?;
        Ok(Self { who, input })
    }
}

/// Where a request came from, and with what.
pub fn visitor(app: &App, parts: &Parts) -> Visitor {
    let address = client_address(parts, app.settings.trusted_proxy_count);
    let agent = parts.headers.get(USER_AGENT).map(|agent| String::from_utf8_lossy(agent.as_bytes()).into_owned());
    Visitor { address, network: counted(address), user_agent: agent }
}
