//! Forms that carry files, from somebody who is signed in.

use super::form::Fields;
use super::{Member, Visit};
use crate::app::App;
use crate::error::ApiError;
use crate::multipart::{self, File};
use crate::session::check;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::response::{IntoResponse, Response};

/// A form with files that a page of ours sent, from somebody who is signed in, or an operator.
pub struct Upload<V = Member> {
    /// Who sent it.
    pub member: V,
    /// What it says.
    pub fields: Fields,
    /// What came with it.
    pub files: Vec<File>,
}

impl<V> Upload<V> {
    /// The files of a field.
    pub fn take(&mut self, name: &str) -> Vec<File> {
        let (taken, left) = std::mem::take(&mut self.files).into_iter().partition(|file| file.field == name);
        self.files = left;
        taken
    }
}

impl<V> FromRequest<App> for Upload<V>
where
    V: FromRequestParts<App, Rejection = Response> + AsRef<Visit> + Send,
{
    type Rejection = Response;

    async fn from_request(request: Request, app: &App) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        // Only members may send so much.
        let member = V::from_request_parts(&mut parts, app).await?;
        let form = multipart::of(app, &parts, body).await.and_then(|form| form.ok_or(ApiError::Unreadable));
        let (fields, files) = form.map_err(ApiError::into_response)?;
        let look: &Visit = member.as_ref();
        check(app, &parts, &look.form, Some(fields.get("csrf"))).map_err(|_| look.foreign())?;
        Ok(Self { member, fields, files })
    }
}
