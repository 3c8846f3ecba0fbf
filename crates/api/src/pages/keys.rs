//! API keys: made, shown once, suspended, resumed, revoked.

use super::visit::status;
use super::{Answer, Fields, Form, Member, Said, banner, csrf, field, time};
use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use heddle_model::Scope;
use heddle_platform::{ApiKey, Error, KeyStatus, NewKey};
use maud::{Markup, html};

const PATH: &str = "/settings/api-keys";
/// How many are shown.
const SHOWN: usize = 500;
/// Letters of what people write about a key.
const LONGEST: usize = 200;

/// `GET /settings/api-keys`.
pub async fn page(member: Member) -> Response {
    show(&member, &Fields::default(), None).await
}

/// `POST /settings/api-keys`: the one page that shows the key.
pub async fn create(Form { visit, fields }: Form<Member>) -> Response {
    let new = match read(&fields) {
        Ok(new) => new,
        Err(error) => return show(&visit, &fields, Some(&error)).await,
    };
    match visit.app.platform.keys.create(visit.who.caller.user, new).await {
        Ok((key, text)) => made(&visit, &key, &text).into_response(),
        Err(error) => visit.failed(&error),
    }
}

/// `POST …/suspend`.
pub async fn suspend(Path(id): Path<String>, Form { visit, .. }: Form<Member>) -> Response {
    changed(&visit, visit.app.platform.keys.suspend(visit.who.caller.user, &id).await, Said::KEY_SUSPENDED)
}

/// `POST …/resume`.
pub async fn resume(Path(id): Path<String>, Form { visit, .. }: Form<Member>) -> Response {
    changed(&visit, visit.app.platform.keys.resume(visit.who.caller.user, &id).await, Said::KEY_RESUMED)
}

/// `POST …/revoke`.
pub async fn revoke(Path(id): Path<String>, Form { visit, .. }: Form<Member>) -> Response {
    changed(&visit, visit.app.platform.keys.revoke(visit.who.caller.user, &id).await, Said::KEY_REVOKED)
}

fn changed(member: &Member, result: Result<ApiKey, Error>, said: Said) -> Response {
    match result {
        Ok(_) => member.go(PATH, Some(said)),
        Err(error) => member.failed(&error),
    }
}

fn read(fields: &Fields) -> Result<NewKey, Error> {
    let bounded = |name: &str| match fields.filled(name) {
        Some(text) if text.chars().count() > LONGEST => {
            Err(Error::Refused(format!("the {name} has at most {LONGEST} letters")))
        }
        other => Ok(other.map(str::to_owned)),
    };
    let name = bounded("name")?.ok_or_else(|| Error::Refused("give the key a name".to_owned()))?;
    let scopes: Vec<_> = Scope::ALL.iter().copied().filter(|scope| ticked(fields, *scope)).collect();
    if scopes.is_empty() {
        return Err(Error::Refused("tick what the key is to be allowed: it can do nothing otherwise".to_owned()));
    }
    Ok(NewKey { name, scopes, description: bounded("description")? })
}

fn ticked(fields: &Fields, scope: Scope) -> bool {
    fields.all("permissions").any(|name| name == scope.as_str())
}

async fn show(member: &Member, given: &Fields, error: Option<&Error>) -> Response {
    let keys = match member.app.platform.keys.list(member.who.caller.user).await {
        Ok(keys) => keys,
        Err(error) => return member.failed(&error),
    };
    let content = html! {
        p { "A key lets a program act as you, within its permissions." }
        @if keys.is_empty() {
            p.empty { "You have no keys yet." }
        } @else {
            div.table {
                table {
                    caption.unseen { "Your keys" }
                    thead { tr { th scope="col" { "Name" } th scope="col" { "Key" } th scope="col" { "Status" } th scope="col" { "Created" } th scope="col" { "Last used" } th scope="col" { span.unseen { "Actions" } } } }
                    tbody { @for key in keys.iter().take(SHOWN) { (row(member, key)) } }
                }
            }
        }
        h2 id="new" { "New key" }
        (banner(error))
        form method="post" action=(member.link(PATH)) {
            (csrf(member))
            (field("Name", "name", "text", "off", given.get("name"), true))
            (field("Description", "description", "text", "off", given.get("description"), false))
            fieldset {
                legend { "Permissions" }
                p.hint { "Tick no more than the program needs." }
                p {
                    button.quiet type="button" data-tick="all" hidden { "Tick all" }
                    button.quiet type="button" data-tick="none" hidden { "Tick none" }
                }
                div.ticks {
                    @for scope in Scope::ALL {
                        label { input type="checkbox" name="permissions" value=(scope) checked[ticked(given, *scope)]; " " (title(*scope)) }
                    }
                }
            }
            button { "Create key" }
        }
    };
    let answer = member.page("API keys", content);
    match error {
        Some(error) => answer.status(status(error)).into_response(),
        None => answer.into_response(),
    }
}

fn row(member: &Member, key: &ApiKey) -> Markup {
    let act = |what: &str| member.link(&format!("{PATH}/{}/{what}", key.id));
    html! {
        tr {
            th scope="row" {
                (key.name)
                @if let Some(description) = &key.description { span.note { (description) } }
                details {
                    summary { (key.scopes.len()) @if key.scopes.len() == 1 { " permission" } @else { " permissions" } }
                    p.note { @for (at, scope) in key.scopes.iter().enumerate() { @if at > 0 { ", " } (title(*scope)) } }
                }
            }
            td data-label="Key" { code { (key.head) "…" (key.tail) } }
            td data-label="Status" {
                @match key.status {
                    KeyStatus::Active => { span.state.good { "Active" } }
                    KeyStatus::Suspended => { span.state.wary { "Suspended" } }
                    KeyStatus::Revoked => { span.state { "Revoked" } }
                }
            }
            td data-label="Created" { (time(member, key.created_at)) }
            td data-label="Last used" { @if let Some(used) = key.last_used_at { (time(member, used)) } @else { "Never" } }
            td.actions {
                @match key.status {
                    KeyStatus::Active => { (button(member, &act("suspend"), "Suspend", &key.name)) }
                    KeyStatus::Suspended => { (button(member, &act("resume"), "Resume", &key.name)) }
                    KeyStatus::Revoked => {}
                }
                @if key.status != KeyStatus::Revoked {
                    details {
                        summary aria-label={ "Revoke " (key.name) } { "Revoke" }
                        p.note { "This cannot be undone. Programs that use the key stop working at once." }
                        form method="post" action=(act("revoke")) { (csrf(member)) button.danger { "Revoke for good" } }
                    }
                }
            }
        }
    }
}

fn button(member: &Member, action: &str, text: &str, name: &str) -> Markup {
    html! {
        form method="post" action=(action) {
            (csrf(member))
            button.quiet aria-label={ (text) " " (name) } { (text) }
        }
    }
}

fn made(member: &Member, key: &ApiKey, text: &str) -> Answer {
    let content = html! {
        p { "This is the key “" (key.name) "”. Copy it now: it is shown this once and kept nowhere." }
        p.secret { code id="key" { (text) } button type="button" data-copy="key" hidden { "Copy" } }
        p { "Try it:" }
        pre { code { "curl -H 'X-API-Key: " (text) "' " (member.url("/external-api/v1/me")) } }
        p { a.button href=(member.link(PATH)) { "I have it" } }
    };
    member.page("Your new key", content)
}

/// `READ_GRAPH` as people write it.
pub(super) fn title(scope: Scope) -> String {
    let words = scope.as_str().split('_').map(|word| format!("{}{}", &word[..1], word[1..].to_ascii_lowercase()));
    words.collect::<Vec<_>>().join(" ")
}
