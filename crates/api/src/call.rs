//! The one extractor of API handlers: who is asking and what for, checked in the contract's order.
//!
//! Body readable → credential → scopes → path, query, headers and body against the schema, all problems at once.

use crate::app::App;
use crate::auth::authenticate;
use crate::body::{self, Content};
use crate::error::ApiError;
use crate::frame::Told;
use crate::scopes::Scopes;
use crate::validate::{At, Item, Items, boolean, path_integer};
use axum::extract::{FromRequest, FromRequestParts, Query, RawPathParams, Request};
use bytes::Bytes;
use heddle_platform::Principal;
use http::request::Parts;
use serde_json::Value;
use std::marker::PhantomData;

/// An authenticated, validated request. `S` names the scopes that the caller was found to have.
pub struct Call<S, T> {
    /// Who is asking.
    pub caller: Principal,
    /// What for.
    pub input: T,
    scopes: PhantomData<S>,
}

/// Whether a route has a body to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyRule {
    /// It is left alone.
    Ignored,
    /// It may be absent.
    Optional,
    /// It must be there.
    Required,
}

/// What a route reads from a request.
pub trait Input: Sized + Send {
    /// Whether there is a body to read.
    const BODY: BodyRule = BodyRule::Ignored;

    /// Reads everything, adding problems; `None` when there are some.
    fn read(request: &mut Reading) -> Option<Self>;
}

impl Input for () {
    fn read(_: &mut Reading) -> Option<Self> {
        Some(())
    }
}

impl<S: Scopes, T: Input> FromRequest<App> for Call<S, T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, app: &App) -> Result<Self, ApiError> {
        let (parts, body) = request.into_parts();
        let mut bytes = Bytes::new();
        let mut content = Content::Absent;
        if T::BODY != BodyRule::Ignored {
            bytes = body::read(&parts.headers, body, &app.settings).await?;
            content = body::parse(&bytes, &parts.headers, &app.settings)?;
        }
        let caller = authenticate(app, &parts).await?;
        let missing = caller.missing(S::NEEDED);
        if !missing.is_empty() && !S::are_waived(&app.settings) {
            return Err(ApiError::MissingScopes(missing));
        }
        if let Some(standing) = S::NEEDED.first().and_then(|scope| app.platform.limiter.admit(&caller, *scope)) {
            // The frame writes the headers: it has both.
            if let Some(told) = parts.extensions.get::<Told>() {
                let _ = told.0.set(standing);
            }
            if let Some(seconds) = standing.retry_after {
                return Err(ApiError::TooManyRequests(S::NEEDED[0], seconds));
            }
        }
        let input = Reading::of(parts, content, bytes, app).await?.finish()?;
        Ok(Self { caller, input, scopes: PhantomData })
    }
}

/// A request being read.
pub struct Reading {
    /// Method, path, headers.
    pub parts: Parts,
    /// The body.
    pub content: Content,
    /// The body as it came.
    pub bytes: Bytes,
    /// What is wrong so far.
    pub items: Items,
    /// For rules that a use case has to be asked about.
    pub app: App,
    path: RawPathParams,
}

impl Reading {
    /// Begins to read a request whose body is known.
    pub async fn of(mut parts: Parts, content: Content, bytes: Bytes, app: &App) -> Result<Self, ApiError> {
        // Bytes that are no text name nothing.
        let path = RawPathParams::from_request_parts(&mut parts, app).await.map_err(|_| ApiError::NoRoute)?;
        Ok(Self { parts, path, content, bytes, items: Items::default(), app: app.clone() })
    }

    /// What the route reads, or everything that is wrong with the request.
    pub fn finish<T: Input>(mut self) -> Result<T, ApiError> {
        match T::read(&mut self) {
            Some(input) if self.items.is_empty() => Ok(input),
            _ => Err(ApiError::Invalid(self.items)),
        }
    }

    /// A path parameter; every name is one of the route's template.
    pub fn path(&self, name: &str) -> String {
        self.path.iter().find(|(key, _)| *key == name).map(|(_, value)| value.to_owned()).unwrap_or_default()
    }

    /// A path parameter that is an integer.
    pub fn path_integer(&mut self, name: &'static str) -> Option<i64> {
        path_integer(&self.path(name), &At::Member(&At::Source("path"), name), &mut self.items)
    }

    /// A query parameter that is an integer. The last one of a name counts.
    pub fn query_integer(&mut self, name: &'static str) -> Option<Option<i64>> {
        let Some(text) = self.query_text(name) else { return Some(None) };
        path_integer(&text, &At::Member(&At::Source("query"), name), &mut self.items).map(Some)
    }

    /// A query parameter as it came. The last one of a name counts.
    pub fn query_text(&self, name: &str) -> Option<String> {
        let pairs = Query::<Vec<(String, String)>>::try_from_uri(&self.parts.uri).map(|Query(pairs)| pairs);
        pairs.unwrap_or_default().into_iter().rev().find(|(key, _)| key == name).map(|(_, text)| text)
    }

    /// A query parameter that is true or false, in one of the words for them.
    pub fn query_boolean(&mut self, name: &'static str) -> Option<Option<bool>> {
        let Some(text) = self.query_text(name) else { return Some(None) };
        let at = At::Member(&At::Source("query"), name);
        boolean(&Value::String(text), &at, &mut self.items).map(Some)
    }

    /// A query parameter that is one of these words.
    pub fn query_word<T: Copy>(&mut self, name: &'static str, words: &[(&str, T)]) -> Option<Option<T>> {
        let Some(text) = self.query_text(name) else { return Some(None) };
        if let Some((_, found)) = words.iter().find(|(word, _)| *word == text) {
            return Some(Some(*found));
        }
        let names: Vec<_> = words.iter().map(|(word, _)| format!("'{word}'")).collect();
        let (last, first) = names.split_last()?;
        let expected = format!("{} or {last}", first.join(", "));
        let loc = At::Member(&At::Source("query"), name).steps();
        let msg = format!("Input should be {expected}").into();
        let ctx = Some(serde_json::json!({ "expected": expected }));
        self.items.push(Item { r#type: "enum", loc, msg, input: Value::String(text), ctx });
        None
    }

    /// The body as a JSON value; text that is not JSON is a JSON text. Absent: a problem.
    pub fn required_body(&mut self) -> Option<Value> {
        match std::mem::replace(&mut self.content, Content::Absent) {
            Content::Json(value) => Some(value),
            Content::Text(text) => Some(Value::String(text)),
            Content::Absent => {
                self.items.add(&At::Source("body"), "missing", "Field required", &Value::Null);
                None
            }
        }
    }
}
