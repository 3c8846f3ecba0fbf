//! Integrations: the credentials that somebody's agents work with, and adding and removing them.

mod add;
mod callback;
pub mod forms;

pub use add::{connect, keep, page as add_page};
pub use callback::{finish, page as callback_page};

use super::visit::sentence;
use super::{Form, Member, Said, csrf, time};
use axum::response::{IntoResponse, Response};
use heddle_platform::integrations::Kind;
use heddle_platform::{CredentialMeta, Error};
use maud::{Markup, html};

/// Where they stand.
pub const PATH: &str = "/settings/integrations";

/// `GET /settings/integrations`.
pub async fn page(member: Member) -> Response {
    match show(&member).await {
        Ok(content) => member.page("Integrations", content).into_response(),
        Err(error) => member.failed(&error),
    }
}

/// `POST /settings/integrations/remove`. Provider and id are fields: ids of others' making have any shape.
pub async fn remove(Form { visit, fields }: Form<Member>) -> Response {
    let integrations = &visit.app.platform.integrations;
    match integrations.remove(visit.who.caller.user, fields.get("provider"), fields.get("id")).await {
        Ok(_) => visit.go(PATH, Some(Said::CREDENTIAL_REMOVED)),
        Err(error) => visit.failed(&error),
    }
}

async fn show(member: &Member) -> Result<Markup, Error> {
    let platform = &member.app.platform;
    let kept = platform.integrations.list(member.who.caller.user).await?;
    let ended = platform.connect.ended(member.who.caller.user).await?;
    let (shared, own): (Vec<_>, Vec<_>) = kept.iter().partition(|credential| credential.is_host_wide);
    Ok(html! {
        p { "What your agents use to work with other services in your name. Secrets are kept sealed and never shown again." }
        @if own.is_empty() {
            p.empty { "You have not added anything." }
        } @else {
            ul.sessions {
                @for credential in &own {
                    (item(member, credential, ended.iter().find(|(id, _)| *id == credential.id).map(|(_, why)| why.as_str())))
                }
            }
        }
        h2 id="add" { "Add" }
        form.inline method="get" action=(member.link(&format!("{PATH}/add"))) {
            div.field {
                label for="provider" { "Service" }
                select id="provider" name="provider" required {
                    option value="" { "Choose one" }
                    @for provider in platform.integrations.providers().iter().filter(|provider| provider.is_listed) {
                        option value=(provider.name) { (provider.title) }
                    }
                }
            }
            button { "Go on" }
        }
        @if !shared.is_empty() {
            h2 { "Shared on this server" }
            p.note { "The operator lets every account’s agents use these." }
            ul.sessions { @for credential in &shared { li { div { strong { (title(member, credential)) } } } } }
        }
    })
}

fn item(member: &Member, credential: &CredentialMeta, ended: Option<&str>) -> Markup {
    let title = title(member, credential);
    let name = name(credential);
    html! {
        li {
            div {
                strong { (title) } @if let Some(name) = &name { " · " (name) }
                @if ended.is_some() { " " span.state.wary { "Connect it again" } }
                @if let Some(why) = ended { p.note { (sentence(why)) } }
                p.note {
                    (kind(credential.kind))
                    @if let Some(added) = credential.created_at { ", added " (time(member, added)) }
                    ", " @if let Some(used) = credential.last_used_at { "last used " (time(member, used)) } @else { "never used" }
                    @if let Some(end) = credential.expires_at.filter(|_| credential.kind != Kind::OAuth2) { ", expires " (time(member, end)) }
                }
                p.note {
                    code.long { (credential.id) }
                    @if let Some(url) = &credential.base_url { ", at " code.long { (url) } }
                }
                @if let Some(scopes) = credential.scopes.as_ref().filter(|scopes| !scopes.is_empty()) {
                    details {
                        summary aria-label={ "What was granted at " (title) } { "What was granted" }
                        ul.note { @for scope in scopes { li { code.long { (scope) } } } }
                    }
                }
            }
            details.end {
                summary aria-label={ "Remove " (title) @if let Some(name) = &name { " " (name) } } { "Remove" }
                p.note { "Runs that need it fail from now on." @if credential.kind == Kind::OAuth2 { " Where the service lets us, access is ended there too." } }
                form method="post" action=(member.link(&format!("{PATH}/remove"))) {
                    (csrf(member))
                    input type="hidden" name="provider" value=(credential.provider);
                    input type="hidden" name="id" value=(credential.id);
                    button.danger { "Remove for good" }
                }
            }
        }
    }
}

/// What people call a credential's provider.
fn title(member: &Member, credential: &CredentialMeta) -> String {
    let known = member.app.platform.integrations.providers().get(&credential.provider);
    known.map_or_else(|| credential.provider.clone(), |provider| provider.title.clone())
}

/// What tells a credential from others of its provider.
pub(super) fn name(credential: &CredentialMeta) -> Option<String> {
    let given = [&credential.title, &credential.username, &credential.host];
    given.into_iter().flatten().find(|text| !text.trim().is_empty()).cloned()
}

/// A kind as people write it.
pub(super) fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::ApiKey => "API key",
        Kind::OAuth2 => "Connected account",
        Kind::UserPassword => "User name and password",
        Kind::HostScoped => "Headers for a host",
    }
}
