//! Signing in and out.

use super::visit::{status, wait};
use super::{Answer, Form, Member, Said, Visit, authorize, banner, csrf, field, next};
use axum::response::{IntoResponse, Response};
use heddle_platform::Error;
use maud::{Markup, html};

/// Where people are after signing in who wanted nothing else.
const HOME: &str = "/settings/profile";

/// `GET /login`: the form; whoever is signed in goes on at once, unless he is to prove `again` who he is.
pub async fn page(visit: Visit) -> Response {
    let next = visit.query("next").unwrap_or_default().to_owned();
    match visit.who {
        Some(_) if visit.query("again").is_none() => {
            super::redirect(http::StatusCode::SEE_OTHER, &target(&visit, &next))
        }
        _ => show(&visit, &next, visit.query("email").unwrap_or_default(), None).await.into_response(),
    }
}

/// `POST /login`.
pub async fn sign_in(Form { visit, fields }: Form<Visit>) -> Response {
    let (next, email) = (fields.get("next"), fields.get("email"));
    let sessions = &visit.app.platform.sessions;
    match sessions.sign_in(email, fields.get("password").to_owned(), &visit.visitor).await {
        Ok(begun) => {
            end_former(&visit).await;
            visit.signed_in(&begun, &target(&visit, next))
        }
        Err(error) => show(&visit, next, email, Some(&error))
            .await
            .status(status(&error))
            .retry_after(wait(&error))
            .into_response(),
    }
}

/// `POST /logout`.
pub async fn sign_out(Form { visit, .. }: Form<Member>) -> Response {
    let ended = visit.app.platform.sessions.end(visit.who.caller.user, &visit.who.who.session.to_string()).await;
    match ended {
        Ok(()) | Err(Error::NotFound(_)) => visit.signed_out(visit.go("/login", Some(Said::SIGNED_OUT))),
        Err(error) => visit.failed(&error),
    }
}

/// The browser forgets the session it had, so nobody should be able to use that any more.
pub async fn end_former(visit: &Visit) {
    if let Some(who) = &visit.who {
        let _ = visit.app.platform.sessions.end(who.caller.user, &who.who.session.to_string()).await;
    }
}

/// Where to go after signing in.
pub fn target(visit: &Visit, next: &str) -> String {
    next::local(next).map_or_else(|| visit.link(HOME), str::to_owned)
}

async fn show(visit: &Visit, next: &str, email: &str, error: Option<&Error>) -> Answer {
    let sessions = &visit.app.platform.sessions;
    let more = |path: &str| match next::local(next) {
        Some(next) => {
            let next: String = url::form_urlencoded::byte_serialize(next.as_bytes()).collect();
            format!("{}?next={next}", visit.link(path))
        }
        None => visit.link(path),
    };
    let content = html! {
        (banner(error))
        form method="post" action=(visit.link("/login")) {
            (csrf(visit))
            input type="hidden" name="next" value=(next::local(next).unwrap_or_default());
            (field("E-mail address", "email", "email", "username", email, true))
            (field("Password", "password", "password", "current-password", "", true))
            button.wide { "Sign in" }
        }
        (passkey(visit, next))
        p.beside { a href=(visit.link("/reset-password")) { "Forgot your password?" } }
        @if sessions.is_open() {
            p.beside { "No account yet? " a href=(more("/signup")) { "Create one" } }
        }
    };
    let answer = visit.page("Sign in", content).asks();
    authorize::leads_to(visit, next).await.iter().fold(answer, |answer, source| answer.forms_lead_to(source))
}

/// The other way in, where browsers have it; a script shows it.
fn passkey(visit: &Visit, next: &str) -> Markup {
    if visit.party().is_none() {
        return Markup::default();
    }
    let path = visit.link("/api/login/passkey");
    html! {
        div.other data-passkey="get" data-ask={ (path) "/options" } data-answer=(path)
            data-next=(next::local(next).unwrap_or_default()) hidden {
            p.error role="alert" hidden {}
            button.quiet.wide type="button" { "Sign in with a passkey" }
        }
    }
}
