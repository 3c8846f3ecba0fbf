//! The one place that turns refusals into statuses and bodies.
//!
//! A handler returns an [`ApiError`]; the frame, which knows the request, asks [`ApiError::row`] for the line of the
//! table and writes the body. Nothing internal gets into a body.

use crate::validate::{Item, Items};
use axum::response::{IntoResponse, Response};
use heddle_model::Scope;
use heddle_platform::{Error as Refusal, connect};
use http::StatusCode;
use std::borrow::Cow;

/// Why a request is not answered with what it asked for.
#[derive(Clone, Debug)]
pub enum ApiError {
    /// Neither header holds a credential.
    NoCredential,
    /// There is no session's cookie (`auth.md` 2.4, in the words of a login that used tokens).
    NoSession,
    /// The session is over, or never was.
    SessionOver,
    /// The request may have been made by a page of another site.
    ForeignPage,
    /// The credential is not good, in these words.
    BadCredential(Cow<'static, str>),
    /// The credential lacks these scopes.
    MissingScopes(Vec<Scope>),
    /// The account has no API key of this id.
    NoSuchKey(String),
    /// Too many bad credentials from there.
    TooManyFailures,
    /// Too many requests for this scope; seconds until there may be more.
    TooManyRequests(Scope, u32),
    /// The request does not match the schema.
    Invalid(Items),
    /// A page number or size below one.
    BadPage(&'static str),
    /// The body is not UTF-8, too deep, or broke off.
    Unreadable,
    /// The body is too big.
    TooLarge,
    /// No route has this path.
    NoRoute,
    /// The path's routes do not take this method.
    WrongMethod,
    /// A use case refused.
    Refused(Refusal),
    /// The marketplace does not have it.
    Unlisted(Refusal),
    /// An account at a provider is not connected.
    NotConnected(connect::Refusal),
    /// Preparing a run was refused: the contract wants 400 whatever the reason.
    NotStarted(Refusal),
    /// An assistant's tool could not have an agent run.
    NotRun(Refusal),
    /// The handler panicked.
    Panicked,
}

/// The form of an error body (`v1.md` 1.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// `{"detail"}`.
    Plain,
    /// `{"message", "detail", "hint"}`.
    Mapped,
    /// The same with a list of items as `detail`.
    Items,
    /// `{"detail": [text]}`.
    Listed,
    /// `{"detail": {"message", "hint"}}`.
    Advised,
}

/// A line of the table.
#[derive(Debug)]
pub struct Row {
    /// Status.
    pub status: StatusCode,
    /// Form of the body.
    pub shape: Shape,
    /// Its `detail` where it is text.
    pub detail: Cow<'static, str>,
    /// Seconds after which trying again makes sense.
    pub retry_after: Option<u32>,
}

const INTERNAL: &str = "Internal server error";

impl ApiError {
    /// The line of the table for this refusal.
    pub fn row(&self) -> Row {
        use Shape::{Mapped, Plain};
        let row = |code: u16, shape, detail: Cow<'static, str>| (code, shape, detail, None);
        let text = |code: u16, shape, detail: &str| (code, shape, Cow::Owned(detail.to_owned()), None);
        let (code, shape, detail, retry_after) = match self {
            Self::NoCredential => row(401, Plain, "Missing authentication. Provide API key or access token.".into()),
            Self::NoSession => row(401, Plain, "Authorization header is missing".into()),
            Self::SessionOver => row(401, Plain, "Token has expired".into()),
            Self::ForeignPage => row(403, Plain, "This request was not made by a page of this server.".into()),
            Self::BadCredential(detail) => row(401, Plain, detail.clone()),
            Self::MissingScopes(missing) => {
                row(403, Plain, format!("Missing required permission(s): {}", names(missing, ", ")).into())
            }
            Self::TooManyFailures => {
                (429, Plain, "Too many failed authentication attempts. Try again shortly.".into(), Some(60))
            }
            Self::TooManyRequests(scope, seconds) => {
                let scope = scope.as_str();
                let text = format!("Rate limit exceeded for scope '{scope}'. Retry after {seconds}s.");
                (429, Plain, text.into(), Some(*seconds))
            }
            Self::Invalid(_) => row(422, Shape::Items, "".into()),
            Self::BadPage(detail) => row(422, Plain, (*detail).into()),
            Self::NoSuchKey(detail) => text(404, Mapped, detail),
            Self::Unreadable => row(400, Plain, "There was an error parsing the body".into()),
            Self::TooLarge => row(413, Plain, "Request body too large".into()),
            Self::NoRoute => row(404, Plain, "Not Found".into()),
            Self::WrongMethod => row(405, Plain, "Method Not Allowed".into()),
            Self::Panicked | Self::Refused(Refusal::Internal(_)) | Self::NotStarted(Refusal::Internal(_)) => {
                row(500, Mapped, INTERNAL.into())
            }
            Self::Refused(Refusal::Busy(detail, after)) | Self::NotStarted(Refusal::Busy(detail, after)) => {
                (503, Plain, detail.clone().into(), Some(*after))
            }
            Self::Refused(Refusal::TooMany(detail, after)) | Self::NotStarted(Refusal::TooMany(detail, after)) => {
                (429, Plain, detail.clone().into(), Some(*after))
            }
            Self::Refused(Refusal::Conflict(detail)) | Self::NotStarted(Refusal::Conflict(detail)) => {
                text(409, Plain, detail)
            }
            Self::Refused(Refusal::Mismatch(detail)) | Self::NotStarted(Refusal::Mismatch(detail)) => {
                text(422, Plain, detail)
            }
            Self::NotConnected(connect::Refusal::Other(refusal)) => return Self::Refused(refusal.clone()).row(),
            Self::NotConnected(refusal) => match refusal {
                connect::Refusal::Origin(_) => text(400, Shape::Listed, &refusal.to_string()),
                connect::Refusal::NoOAuth(_) => text(404, Plain, &refusal.to_string()),
                connect::Refusal::NotConfigured(_) => text(501, Shape::Advised, &refusal.to_string()),
                _ => text(400, Plain, &refusal.to_string()),
            },
            Self::NotStarted(Refusal::NotFound(detail) | Refusal::Refused(detail) | Refusal::Forbidden(detail)) => {
                text(400, Plain, detail)
            }
            Self::NotRun(Refusal::Payment(detail)) => text(402, Plain, detail),
            Self::NotRun(other) => return Self::Refused(other.clone()).row(),
            Self::Refused(Refusal::Payment(detail)) | Self::NotStarted(Refusal::Payment(detail)) => {
                text(402, Mapped, detail)
            }
            Self::Unlisted(Refusal::NotFound(detail)) => text(404, Mapped, detail),
            Self::Unlisted(other) => return Self::Refused(other.clone()).row(),
            Self::Refused(Refusal::NotFound(detail)) => text(404, Plain, detail),
            Self::Refused(Refusal::Forbidden(detail)) => text(403, Plain, detail),
            Self::Refused(Refusal::Refused(detail)) => text(400, Mapped, detail),
        };
        let status = StatusCode::from_u16(code).expect("every code of the table is a status");
        Row { status, shape, detail, retry_after }
    }
}

/// Scope names in one text.
pub fn names(scopes: &[Scope], between: &str) -> String {
    scopes.iter().map(|scope| scope.as_str()).collect::<Vec<_>>().join(between)
}

impl From<Refusal> for ApiError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<connect::Refusal> for ApiError {
    fn from(refusal: connect::Refusal) -> Self {
        Self::NotConnected(refusal)
    }
}

impl From<Item> for ApiError {
    fn from(item: Item) -> Self {
        Self::Invalid(item.into())
    }
}

impl IntoResponse for ApiError {
    /// Status and the error itself; the frame writes the body, because only it knows the request.
    fn into_response(self) -> Response {
        let mut response = self.row().status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}
