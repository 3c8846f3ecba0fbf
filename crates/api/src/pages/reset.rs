//! Setting a new password without the old one, by a link in a mail.

use super::visit::{status, wait};
use super::{Answer, Form, Said, Visit, banner, csrf, field};
use axum::response::{IntoResponse, Response};
use heddle_platform::Error;
use maud::html;

/// `GET /reset-password`.
pub async fn page(visit: Visit) -> Answer {
    show(&visit, None)
}

/// `POST /reset-password`: the same answer, whether there is such an account or not.
pub async fn ask(Form { visit, fields }: Form<Visit>) -> Response {
    match visit.app.platform.sessions.request_reset(fields.get("email"), &visit.visitor) {
        Ok(()) => {
            let content = html! {
                p { "If there is an account with this address, a mail with a link is on its way to it. The link works once, for an hour." }
                p { "Nothing came? Look among the junk, and whether the address is the one of your account." }
                p.beside { a href=(visit.link("/login")) { "Back to sign in" } }
            };
            visit.page("Look into your mail", content).into_response()
        }
        Err(error) => show(&visit, Some(&error)).status(status(&error)).retry_after(wait(&error)).into_response(),
    }
}

/// `GET /reset-password/set`: where the link leads.
pub async fn set_page(visit: Visit) -> Response {
    let token = visit.query("token").unwrap_or_default().to_owned();
    match visit.app.platform.sessions.can_reset(&token).await {
        Ok(true) => show_set(&visit, &token, None).into_response(),
        Ok(false) => stale(&visit, &Error::NotFound("This link was used already or is too old.".to_owned())),
        Err(error) => visit.failed(&error),
    }
}

/// `POST /reset-password/set`.
pub async fn set(Form { visit, fields }: Form<Visit>) -> Response {
    let token = fields.get("token");
    match visit.app.platform.sessions.reset(token, fields.get("password").to_owned(), &visit.visitor).await {
        Ok(begun) => {
            let said = Said::PASSWORD_SET.word();
            visit.signed_in(&begun, &format!("{}?said={said}", visit.link("/settings/security")))
        }
        Err(error @ Error::NotFound(_)) => stale(&visit, &error),
        Err(error) => {
            show_set(&visit, token, Some(&error)).status(status(&error)).retry_after(wait(&error)).into_response()
        }
    }
}

fn show(visit: &Visit, error: Option<&Error>) -> Answer {
    let content = html! {
        @if visit.app.platform.sessions.has_mail() {
            (banner(error))
            p { "Tell us the address of your account. A link with which you can set a new password will be mailed to it." }
            form method="post" action=(visit.link("/reset-password")) {
                (csrf(visit))
                (field("E-mail address", "email", "email", "username", "", true))
                button.wide { "Mail me a link" }
            }
        } @else {
            p { "This server sends no mail. Its operator can set a new password for you with the command" }
            pre { code { "heddle user password YOUR-ADDRESS" } }
        }
        p.beside { a href=(visit.link("/login")) { "Back to sign in" } }
    };
    visit.page("Forgot your password?", content)
}

fn show_set(visit: &Visit, token: &str, error: Option<&Error>) -> Answer {
    let content = html! {
        (banner(error))
        form method="post" action=(visit.link("/reset-password/set")) {
            (csrf(visit))
            input type="hidden" name="token" value=(token);
            (field("New password", "password", "password", "new-password", "", true))
            p.hint { "At least 8 characters. All browsers that are signed in to this account will be signed out, and its passkeys removed." }
            button.wide { "Set the password" }
        }
    };
    visit.page("Set a new password", content)
}

fn stale(visit: &Visit, error: &Error) -> Response {
    let content = html! {
        (banner(Some(error)))
        p { a.button href=(visit.link("/reset-password")) { "Ask for another link" } }
    };
    visit.page("This link does not work", content).status(status(error)).into_response()
}
