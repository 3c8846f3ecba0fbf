//! The password, the passkeys, and the browsers that are signed in.

use super::visit::{status, wait};
use super::{Form, Member, Said, banner, csrf, field, passkeys, time};
use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use heddle_platform::{BrowserSession, Error};
use maud::{Markup, html};

const PATH: &str = "/settings/security";

/// `GET /settings/security`.
pub async fn page(member: Member) -> Response {
    show(&member, None).await
}

/// `POST …/password`.
pub async fn change_password(Form { visit, fields }: Form<Member>) -> Response {
    let (current, new) = (fields.get("current").to_owned(), fields.get("password").to_owned());
    match visit.app.platform.sessions.change_password(&visit.who.who, current, new, &visit.visitor).await {
        Ok(()) => visit.go(PATH, Some(Said::PASSWORD_CHANGED)),
        Err(error) => show(&visit, Some(&error)).await,
    }
}

/// `POST …/sessions/{session_id}/end`.
pub async fn end(Path(id): Path<String>, Form { visit, .. }: Form<Member>) -> Response {
    match visit.app.platform.sessions.end(visit.who.caller.user, &id).await {
        Ok(()) => visit.go(PATH, Some(Said::SESSION_ENDED)),
        Err(error) => visit.failed(&error),
    }
}

/// `POST …/sessions/end-others`.
pub async fn end_others(Form { visit, .. }: Form<Member>) -> Response {
    match visit.app.platform.sessions.end_others(visit.who.caller.user, visit.who.who.session).await {
        Ok(_) => visit.go(PATH, Some(Said::OTHERS_ENDED)),
        Err(error) => visit.failed(&error),
    }
}

async fn show(member: &Member, error: Option<&Error>) -> Response {
    let sessions = match member.app.platform.sessions.list(member.who.caller.user).await {
        Ok(sessions) => sessions,
        Err(error) => return member.failed(&error),
    };
    let passkeys = match passkeys::section(member).await {
        Ok(section) => section,
        Err(error) => return member.failed(&error),
    };
    let content = html! {
        h2 { "Password" }
        (banner(error))
        form method="post" action=(member.link("/settings/security/password")) {
            (csrf(member))
            // Password managers want to know whose it is.
            input type="hidden" name="email" autocomplete="username" value=(member.who.account().email);
            (field("Current password", "current", "password", "current-password", "", true))
            (field("New password", "password", "password", "new-password", "", true))
            p.hint { "At least 8 characters. All other browsers will be signed out." }
            button { "Change password" }
        }
        (passkeys)
        h2 { "Where you are signed in" }
        ul.sessions { @for session in &sessions { (item(member, session)) } }
        @if sessions.len() > 1 {
            form method="post" action=(member.link("/settings/security/sessions/end-others")) {
                (csrf(member))
                button.danger { "Sign out everywhere else" }
            }
        }
    };
    let answer = member.page("Security", content).asks();
    match error {
        Some(error) => answer.status(status(error)).retry_after(wait(error)).into_response(),
        None => answer.into_response(),
    }
}

fn item(member: &Member, session: &BrowserSession) -> Markup {
    let is_this = session.id == member.who.who.session;
    let browser = session.user_agent.as_deref().map_or("Unknown browser", browser);
    html! {
        li {
            div {
                strong title=[session.user_agent.as_deref()] { (browser) }
                @if is_this { " " span.state.good { "This browser" } }
                p.note {
                    "From " (session.address) ", last used " (time(member, session.last_used_at)) ", signed in "
                    (time(member, session.created_at))
                }
            }
            @if !is_this {
                form method="post" action=(member.link(&format!("{PATH}/sessions/{}/end", session.id))) {
                    (csrf(member))
                    button.quiet aria-label={ "Sign out " (browser) " from " (session.address) } { "Sign out" }
                }
            }
        }
    }
}

/// What people call it. Most browsers claim to be several others; the first of these that one names is what it is.
fn browser(agent: &str) -> &str {
    const BROWSERS: [(&str, &str); 8] = [
        ("Edg", "Edge"),
        ("OPR/", "Opera"),
        ("Firefox/", "Firefox"),
        ("FxiOS/", "Firefox"),
        ("CriOS/", "Chrome"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
        ("curl/", "curl"),
    ];
    let known = BROWSERS.iter().find(|(mark, _)| agent.contains(mark)).map(|(_, name)| *name);
    known.unwrap_or_else(|| agent.split([' ', '/']).next().filter(|name| !name.is_empty()).unwrap_or("Unknown browser"))
}
