//! Forms that were sent: their fields, once it is clear that a page of ours sent them.

use super::{Member, Visit};
use crate::app::App;
use crate::body;
use crate::error::ApiError;
use crate::session::check;
use crate::settings::ApiSettings;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::response::{IntoResponse, Response};
use url::form_urlencoded;

/// Bytes of a form.
const LARGEST: usize = 64 << 10;

/// The fields of a form, in its order.
#[derive(Clone, Debug, Default)]
pub struct Fields(Vec<(String, String)>);

impl Fields {
    /// Of these names and values.
    pub fn of(fields: Vec<(String, String)>) -> Self {
        Self(fields)
    }

    /// The first field of a name; empty when there is none.
    pub fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }

    /// A field without spaces around it, if something is left.
    pub fn filled(&self, name: &str) -> Option<&str> {
        Some(self.get(name).trim()).filter(|value| !value.is_empty())
    }

    /// All fields of a name.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// A form that a page of ours sent, from anybody ([`Visit`]) or from somebody who is signed in ([`Member`]).
pub struct Form<V> {
    /// Who sent it.
    pub visit: V,
    /// What it says.
    pub fields: Fields,
}

impl<V> FromRequest<App> for Form<V>
where
    V: FromRequestParts<App, Rejection = Response> + AsRef<Visit> + Send,
{
    type Rejection = Response;

    async fn from_request(request: Request, app: &App) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        let bounded = ApiSettings { body_bytes: app.settings.body_bytes.min(LARGEST), ..app.settings.clone() };
        let bytes = body::read(&parts.headers, body, &bounded).await.map_err(ApiError::into_response)?;
        let fields = Fields(form_urlencoded::parse(&bytes).into_owned().collect());
        let visit = V::from_request_parts(&mut parts, app).await?;
        let look = visit.as_ref();
        check(app, &parts, &look.form, Some(fields.get("csrf"))).map_err(|_| look.foreign())?;
        Ok(Self { visit, fields })
    }
}

impl AsRef<Visit> for Visit {
    fn as_ref(&self) -> &Visit {
        self
    }
}

impl AsRef<Visit> for Member {
    fn as_ref(&self) -> &Visit {
        &self.visit
    }
}
