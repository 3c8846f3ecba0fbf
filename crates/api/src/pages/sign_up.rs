//! Making an account, where the operator lets anybody.

use super::sign_in::target;
use super::visit::{status, wait};
use super::{Answer, Fields, Form, Visit, authorize, banner, csrf, field, next};
use axum::response::{IntoResponse, Response};
use heddle_platform::Error;
use http::StatusCode;
use maud::html;

/// `GET /signup`.
pub async fn page(visit: Visit) -> Response {
    let next = visit.query("next").unwrap_or_default().to_owned();
    match visit.who {
        Some(_) => super::redirect(StatusCode::SEE_OTHER, &target(&visit, &next)),
        None => show(&visit, &next, &Fields::default(), None).await.into_response(),
    }
}

/// `POST /signup`.
pub async fn sign_up(Form { visit, fields }: Form<Visit>) -> Response {
    let name = fields.filled("name").map(str::to_owned);
    let (email, password) = (fields.get("email"), fields.get("password").to_owned());
    if !visit.app.platform.sessions.is_open() {
        return show(&visit, "", &fields, None).await.into_response();
    }
    match visit.app.platform.sessions.sign_up(email, name, password, &visit.visitor).await {
        Ok(begun) => visit.signed_in(&begun, &target(&visit, fields.get("next"))),
        Err(error) => show(&visit, fields.get("next"), &fields, Some(&error))
            .await
            .status(status(&error))
            .retry_after(wait(&error))
            .into_response(),
    }
}

async fn show(visit: &Visit, next: &str, given: &Fields, error: Option<&Error>) -> Answer {
    if !visit.app.platform.sessions.is_open() {
        let content = html! {
            p { "The operator of this server makes its accounts. Ask for one, then " a href=(visit.link("/login")) { "sign in" } "." }
        };
        return visit.page("Create an account", content).status(StatusCode::FORBIDDEN);
    }
    let content = html! {
        (banner(error))
        form method="post" action=(visit.link("/signup")) {
            (csrf(visit))
            input type="hidden" name="next" value=(next::local(next).unwrap_or_default());
            (field("Name", "name", "text", "name", given.get("name"), false))
            (field("E-mail address", "email", "email", "username", given.get("email"), true))
            (field("Password", "password", "password", "new-password", "", true))
            p.hint { "At least 8 characters. A sentence is easier to remember than a word with tricks." }
            button.wide { "Create account" }
        }
        p.beside { "You have one? " a href=(visit.link("/login")) { "Sign in" } }
    };
    let answer = visit.page("Create an account", content);
    authorize::leads_to(visit, next).await.iter().fold(answer, |answer, source| answer.forms_lead_to(source))
}
