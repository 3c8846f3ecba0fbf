//! What applications ask themselves. The body goes to the authorization server as it came: which dialect it speaks is
//! decided there.

use super::{refused, response};
use crate::app::App;
use crate::auth::{client_address, counted, presented};
use crate::body;
use crate::error::ApiError;
use axum::extract::{Request, State};
use axum::response::Response;
use heddle_platform::authorization::{Answer, Asking};
use http::header::{AUTHORIZATION, CONTENT_TYPE};

#[derive(Clone, Copy)]
enum Endpoint {
    Token,
    Introspect,
    Revoke,
    Push,
    Register,
}

/// Codes and refresh tokens for tokens.
pub async fn token(State(app): State<App>, request: Request) -> Response {
    ask(&app, Endpoint::Token, request).await
}

/// What a token is.
pub async fn introspect(State(app): State<App>, request: Request) -> Response {
    ask(&app, Endpoint::Introspect, request).await
}

/// Ends a token.
pub async fn revoke(State(app): State<App>, request: Request) -> Response {
    ask(&app, Endpoint::Revoke, request).await
}

/// Keeps an authorization request.
pub async fn push(State(app): State<App>, request: Request) -> Response {
    ask(&app, Endpoint::Push, request).await
}

/// Registers an application.
pub async fn register(State(app): State<App>, request: Request) -> Response {
    ask(&app, Endpoint::Register, request).await
}

async fn ask(app: &App, endpoint: Endpoint, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let bytes = match body::read(&parts.headers, body, &app.settings).await {
        Ok(bytes) => bytes,
        Err(error) => return refused(&error),
    };
    let asking = Asking {
        // What is no text is no type that anybody knows.
        content_type: parts.headers.get(CONTENT_TYPE).map(|value| value.to_str().unwrap_or("?")),
        authorization: parts.headers.get_all(AUTHORIZATION).iter().map(|value| value.as_bytes()).collect(),
        body: &bytes,
        network: counted(client_address(&parts, app.settings.trusted_proxy_count)),
    };
    let server = &app.platform.authorization;
    response(match endpoint {
        Endpoint::Token => server.token(&asking).await,
        Endpoint::Introspect => server.introspect(&asking).await,
        Endpoint::Revoke => server.revoke(&asking).await,
        Endpoint::Push => server.push(&asking).await,
        Endpoint::Register => server.register(&asking).await,
    })
}

/// Who the person is whose token the application holds.
pub async fn userinfo(State(app): State<App>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    // What is no text is no token either.
    let token = presented(&parts.headers).map(|token| std::str::from_utf8(token).unwrap_or("?"));
    let answer: Answer = app.platform.authorization.userinfo(token).await;
    if let (401, Some(token)) = (answer.status, token) {
        let address = counted(client_address(&parts, app.settings.trusted_proxy_count));
        if app.platform.limiter.is_too_often(address, token.as_bytes()) {
            return refused(&ApiError::TooManyFailures);
        }
    }
    response(answer)
}
