//! What a script of our own pages asks for, as JSON, whether somebody is signed in or not.

use super::Visit;
use crate::app::App;
use crate::body;
use crate::call::{BodyRule, Input, Reading};
use crate::error::ApiError;
use crate::session::{SignedIn, check};
use axum::extract::{FromRequest, Request};
use heddle_platform::Error;
use heddle_platform::passkeys::rules::Party;

/// A question that comes from a page of ours: body readable → proof → schema.
pub struct PageCall<T> {
    /// The browser.
    pub visit: Visit,
    /// What for.
    pub input: T,
}

impl<T> PageCall<T> {
    /// Who is signed in.
    pub fn member(&self) -> Result<&SignedIn, ApiError> {
        self.visit.who.as_ref().ok_or(ApiError::NoSession)
    }

    /// For whom passkeys are made and shown here.
    pub fn party(&self) -> Result<Party, ApiError> {
        let nowhere = "Browsers have passkeys only over https, or for a server that is reached as localhost.";
        self.visit.party().ok_or_else(|| Error::Refused(nowhere.to_owned()).into())
    }
}

impl<T: Input> FromRequest<App> for PageCall<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, app: &App) -> Result<Self, ApiError> {
        let (parts, body) = request.into_parts();
        let bytes = match T::BODY {
            BodyRule::Ignored => Default::default(),
            _ => body::read(&parts.headers, body, &app.settings).await?,
        };
        let visit = Visit::of(&parts, app).await?;
        check(app, &parts, &visit.form, None)?;
        let content = body::parse(&bytes, &parts.headers, &app.settings)?;
        let input = Reading::of(parts, content, bytes, app).await?.finish()?;
        Ok(Self { visit, input })
    }
}
