//! Connected applications: what each may do in somebody's name, and the end of it.

use super::logo::logo;
use super::visit::sentence;
use super::{Form, Member, Said, csrf, time};
use axum::response::{IntoResponse, Response};
use heddle_platform::authorization::Grant;
use maud::{Markup, html};

const PATH: &str = "/settings/applications";

/// `GET /settings/applications`.
pub async fn page(member: Member) -> Response {
    let grants = match member.app.platform.authorization.grants(member.who.caller.user).await {
        Ok(grants) => grants,
        Err(error) => return member.failed(&error),
    };
    let content = html! {
        p { "Applications that you let act for you. Whatever you revoke, stops at once." }
        @if grants.is_empty() {
            p.empty { "No application may act for you." }
        } @else {
            ul.sessions { @for grant in &grants { (item(&member, grant)) } }
        }
    };
    member.page("Connected applications", content).into_response()
}

/// `POST /settings/applications/revoke`. The name is a field: imported ones have any shape.
pub async fn revoke(Form { visit, fields }: Form<Member>) -> Response {
    let server = &visit.app.platform.authorization;
    match server.end_grant(visit.who.caller.user, fields.get("client_id")).await {
        Ok(()) => visit.go(PATH, Some(Said::GRANT_REVOKED)),
        Err(error) => visit.failed(&error),
    }
}

fn item(member: &Member, grant: &Grant) -> Markup {
    let app = &grant.app;
    html! {
        li {
            (logo(member, app.logo_url.as_deref(), &app.name, false))
            div {
                strong { (app.name) }
                @if !app.is_active { " " span.state.wary { "Switched off" } }
                @if let Some(description) = &app.description { p.note { (description) } }
                p.note {
                    @if grant.has_access {
                        "First allowed " (time(member, grant.created_at)) ", last got access " (time(member, grant.last_used_at))
                    } @else {
                        "Allowed " (time(member, grant.created_at)) ". It has no access now, and can get it again without a question while you are signed in here"
                    }
                }
                details {
                    summary aria-label={ "What " (app.name) " may do" } { "What it may do" }
                    ul.note { @for scope in grant.scopes.iter() { li { (sentence(scope.consent())) } } }
                    @if grant.scopes.iter().next().is_none() { p.note { "Nothing any more." } }
                }
            }
            details.end {
                summary aria-label={ "Revoke " (app.name) } { "Revoke" }
                p.note { "The application is signed out of your account and has to ask again." }
                form method="post" action=(member.link(&format!("{PATH}/revoke"))) {
                    (csrf(member))
                    input type="hidden" name="client_id" value=(app.client_id);
                    button.danger { "Revoke access" }
                }
            }
        }
    }
}
