//! Pages for operators. To everybody else who is signed in they are not there.

pub mod accounts;
pub mod server;

use super::{Member, Visit};
use crate::app::App;
use crate::error::ApiError;
use axum::extract::FromRequestParts;
use axum::response::{IntoResponse, Response};
use http::request::Parts;

/// An operator's look at a page.
#[derive(Clone)]
pub struct Operator(Member);

impl std::ops::Deref for Operator {
    type Target = Member;

    fn deref(&self) -> &Member {
        &self.0
    }
}

impl AsRef<Visit> for Operator {
    fn as_ref(&self) -> &Visit {
        &self.0.visit
    }
}

impl FromRequestParts<App> for Operator {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Response> {
        let member = Member::from_request_parts(parts, app).await?;
        match member.who.account().is_admin {
            true => Ok(Self(member)),
            false => Err(ApiError::NoRoute.into_response()),
        }
    }
}
