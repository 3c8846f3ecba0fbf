//! The authorization endpoint: an application asks, a person who is signed in allows or denies (`auth.md` 6.1, 12.5).
//!
//! What is asked for is judged by [`Authorization`](heddle_platform::Authorization), again with each step; the form carries
//! the request as it came. A browser that cannot be sent back to the application stays here and sees why.

use super::logo::{self, logo};
use super::visit::sentence;
use super::{Answer, Form, Visit, csrf, redirect};
use crate::app::App;
use crate::body;
use crate::error::ApiError;
use axum::body::Body;
use axum::extract::{FromRequest, RawQuery, Request, State};
use axum::response::{IntoResponse, Response};
use heddle_platform::authorization::rules::client::Origin;
use heddle_platform::authorization::rules::consent::Session;
use heddle_platform::authorization::rules::request::PageError;
use heddle_platform::authorization::rules::{Parameters, Redirect, scope::Scope};
use heddle_platform::authorization::{Asked, Decision, View};
use http::StatusCode;
use maud::{Markup, html};
use url::form_urlencoded;

/// Where the page stands.
pub const PATH: &str = "/auth/authorize";

/// `GET /auth/authorize`.
pub async fn page(RawQuery(query): RawQuery, visit: Visit) -> Response {
    let Some(parameters) = Parameters::parse(query.unwrap_or_default().as_bytes()) else {
        return refused(&visit, &PageError::TooLarge);
    };
    // A secret does not belong here; it goes no further than it has come.
    let parameters = parameters.without(&["client_secret"]);
    let session = session(&visit);
    match visit.app.platform.authorization.view(&parameters, session.as_ref()).await {
        Ok(View::Page(error)) => refused(&visit, &error),
        Ok(View::SignIn { back, hint }) => sign_in(&visit, &back, hint.as_deref()),
        Ok(View::Ask(asked)) => ask(&visit, &parameters, &asked).into_response(),
        Ok(View::Redirect(url)) => redirect(StatusCode::SEE_OTHER, &url),
        Err(error) => visit.failed(&error),
    }
}

/// `POST /auth/authorize`: the answer of our own form, or a request that an application makes by one.
pub async fn post(State(app): State<App>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let bytes = match body::read(&parts.headers, body, &app.settings).await {
        Ok(bytes) => bytes,
        Err(error) => return error.into_response(),
    };
    let asks = Parameters::parse(&bytes).is_some_and(|parameters| parameters.get("decision").is_none());
    let request = Request::from_parts(parts, Body::from(bytes.clone()));
    if asks {
        // Browsers bring no cookie along with a form of another site; to an address that they are sent to, they do.
        let query = String::from_utf8_lossy(&bytes);
        let query: String = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(form_urlencoded::parse(query.as_bytes()))
            .finish();
        return redirect(StatusCode::SEE_OTHER, &format!("{}{PATH}?{query}", app.settings.prefix()));
    }
    match Form::<Visit>::from_request(request, &app).await {
        Ok(form) => decide(form).await,
        Err(refused) => refused,
    }
}

async fn decide(Form { visit, fields }: Form<Visit>) -> Response {
    let Some(parameters) = Parameters::parse(fields.get("request").as_bytes()) else {
        return refused(&visit, &PageError::TooLarge);
    };
    let allows = match fields.get("decision") {
        "allow" => true,
        "deny" => false,
        _ => return ApiError::NoRoute.into_response(),
    };
    let Some(session) = session(&visit) else { return sign_in(&visit, &parameters, None) };
    match visit.app.platform.authorization.decide(&parameters, &session, allows).await {
        Ok(Decision::Page(error)) => refused(&visit, &error),
        Ok(Decision::SignIn(back)) => sign_in(&visit, &back, None),
        Ok(Decision::Redirect(url)) => redirect(StatusCode::SEE_OTHER, &url),
        Err(error) => visit.failed(&error),
    }
}

/// Where a form may lead whose answer sends the browser to `next` at once: an application that people are not asked about
/// gets it from there, and browsers hold that against the form's page.
pub async fn leads_to(visit: &Visit, next: &str) -> Vec<String> {
    let query = next.strip_prefix(visit.link(PATH).as_str()).and_then(|rest| rest.strip_prefix('?'));
    let Some(parameters) = query.and_then(|query| Parameters::parse(query.as_bytes())) else { return Vec::new() };
    let client_id = parameters.get("client_id").unwrap_or_default();
    let Ok(app) = visit.app.platform.authorization.shown_app(client_id).await else { return Vec::new() };
    // A pushed request does not say which of them it will be.
    let asked = parameters.get("redirect_uri").map(str::to_owned);
    let uris = asked.map_or_else(|| app.redirect_uris.clone(), |uri| vec![uri]);
    let found = uris.iter().filter_map(|uri| Redirect::find(&app.redirect_uris, Some(uri)));
    found.map(|redirect| redirect.form_action()).collect()
}

fn session(visit: &Visit) -> Option<Session> {
    visit.who.as_ref().map(|who| Session { user: who.caller.user, auth_time: who.who.since })
}

/// To the sign-in page, even for somebody who is signed in: who he is, is to be proved anew.
fn sign_in(visit: &Visit, back: &Parameters, hint: Option<&str>) -> Response {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("next", &format!("{}?{}", visit.link(PATH), back.encode()));
    if let Some(hint) = hint {
        query.append_pair("email", hint);
    }
    if visit.who.is_some() {
        query.append_pair("again", "1");
    }
    redirect(StatusCode::SEE_OTHER, &format!("{}?{}", visit.link("/login"), query.finish()))
}

fn refused(visit: &Visit, error: &PageError) -> Response {
    let content = html! {
        p { (sentence(&error.to_string())) }
        @match error {
            PageError::Application => {
                p { "It may have been switched off or removed. Nothing was allowed." }
                form method="get" action=(visit.link(visit.path())) {
                    @for (name, value) in visit.parameters() { input type="hidden" name=(name) value=(value); }
                    button.quiet { "Try again" }
                }
            }
            PageError::Pushed => { p { "Nothing was allowed." } }
            _ => { p { "The application that sent you here made a mistake. Nothing was allowed, and nothing was sent to it." } }
        }
    };
    visit.page(error.title(), content).status(StatusCode::BAD_REQUEST).into_response()
}

fn ask(visit: &Visit, parameters: &Parameters, asked: &Asked) -> Answer {
    let Asked { client, request } = asked;
    let account = visit.who.as_ref().map(|who| who.account());
    let host = request.redirect.shown();
    let content = html! {
        div.asks {
            (logo(visit, client.logo_url.as_deref(), &client.name, true))
            div {
                p.name { (client.name) }
                @if let Some(description) = &client.description { p.note { (description) } }
            }
        }
        p { "This lets the application" @if let Some(account) = account { " act for " strong { (account.email) } } ":" }
        ul.scopes { @for scope in request.scopes.iter() { (line(*scope)) } }
        p { "Whatever you decide, you go on to " strong { (host) } "." }
        @if client.origin == Origin::Dynamic {
            p.hint { "The application put itself on this server’s list. Nobody here has checked its name." }
        }
        p.caution { "Authorize only an application that you know and came from yourself. You can take it back in your settings at any time." }
        form.choice method="post" action=(visit.link(PATH)) {
            (csrf(visit))
            input type="hidden" name="request" value=(parameters.encode());
            button name="decision" value="allow" { "Authorize" }
            button.quiet name="decision" value="deny" { "Deny" }
        }
        @if account.is_some() {
            p.beside { "Not you? " a href=(other_account(visit, parameters)) { "Sign in as somebody else" } }
        }
    };
    let answer = visit.page("Authorize an application", content).forms_lead_to(&request.redirect.form_action());
    match client.logo_url.as_deref().and_then(logo::source) {
        Some(source) => answer.images_from(&source),
        None => answer,
    }
}

fn line(scope: Scope) -> Markup {
    html! {
        li.acts[scope.acts()] {
            (sentence(scope.consent()))
            " " code.note { (scope) }
        }
    }
}

fn other_account(visit: &Visit, parameters: &Parameters) -> String {
    let next = format!("{}?{}", visit.link(PATH), parameters.after_sign_in().encode());
    let query =
        form_urlencoded::Serializer::new(String::new()).append_pair("again", "1").append_pair("next", &next).finish();
    format!("{}?{query}", visit.link("/login"))
}
