//! One application: made, seen, changed, given a new secret, switched off and on, removed.

use super::{Keeper, form, owners, show, state};
use crate::oauth::keep_logo;
use crate::pages::logo::{self, logo};
use crate::pages::upload::Upload;
use crate::pages::visit::status;
use crate::pages::{Answer, Fields, Form, Member, Said, banner, csrf, time};
use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use heddle_platform::Error;
use heddle_platform::authorization::By;
use heddle_platform::authorization::rules::client::{Origin, Proof};
use heddle_platform::authorization::rules::{Client, Plain};
use maud::{Markup, html};

/// `POST` to the list: makes one, and shows its secret.
pub async fn create<K: Keeper>(Form { visit: keeper, fields }: Form<K>) -> Response {
    let member = keeper.member();
    match member.app.platform.authorization.create_app(keeper.by(), None, form::draft(&fields)).await {
        Ok((app, secret)) => made::<K>(member, "Your new application", &app, secret.as_ref()).into_response(),
        Err(error) => show(&keeper, &fields, Some(&error)).await,
    }
}

/// `GET …/{app_id}`.
pub async fn one<K: Keeper>(Path(id): Path<String>, keeper: K) -> Response {
    match keeper.member().app.platform.authorization.app(keeper.by(), &id).await {
        Ok(app) => show_one(&keeper, &app, None).await,
        Err(error) => keeper.member().failed(&error),
    }
}

/// `POST …/{app_id}`.
pub async fn save<K: Keeper>(Path(id): Path<String>, Form { visit: keeper, fields }: Form<K>) -> Response {
    let (server, by) = (&keeper.member().app.platform.authorization, keeper.by());
    let changed = server.change_app(by, &id, form::change(&fields, by == By::Operator)).await;
    saved(&keeper, &id, Some(&fields), changed).await
}

/// On to the application, or back to the form that was refused: the one with these fields, or the logo's.
async fn saved<K: Keeper>(keeper: &K, id: &str, fields: Option<&Fields>, result: Result<Client, Error>) -> Response {
    let member = keeper.member();
    match result {
        Ok(app) => go(keeper, &app, Said::SAVED),
        Err(error @ Error::Refused(_)) => match member.app.platform.authorization.app(keeper.by(), id).await {
            Ok(app) => show_one(keeper, &app, Some((fields, &error))).await,
            Err(error) => member.failed(&error),
        },
        Err(error) => member.failed(&error),
    }
}

/// `POST …/{app_id}/secret`.
pub async fn rotate<K: Keeper>(Path(id): Path<String>, Form { visit: keeper, .. }: Form<K>) -> Response {
    let member = keeper.member();
    match member.app.platform.authorization.rotate_app_secret(keeper.by(), &id).await {
        Ok((app, secret)) => made::<K>(member, "Your new secret", &app, Some(&secret)).into_response(),
        Err(error) => member.failed(&error),
    }
}

/// `POST …/{app_id}/logo`: a picture as a file.
pub async fn save_logo<K: Keeper>(Path(id): Path<String>, mut upload: Upload<K>) -> Response {
    let file = upload.take("file").pop();
    let keeper = upload.member;
    let member = keeper.member();
    let kept = match file {
        Some(file) => keep_logo(&member.app, keeper.by(), &member.who, &id, file).await,
        None => Err(Error::Refused("Choose a picture first.".to_owned())),
    };
    saved(&keeper, &id, None, kept).await
}

/// `POST …/{app_id}/disable`.
pub async fn disable<K: Keeper>(Path(id): Path<String>, Form { visit: keeper, .. }: Form<K>) -> Response {
    switched(&keeper, &id, false, Said::APP_OFF).await
}

/// `POST …/{app_id}/enable`.
pub async fn enable<K: Keeper>(Path(id): Path<String>, Form { visit: keeper, .. }: Form<K>) -> Response {
    switched(&keeper, &id, true, Said::APP_ON).await
}

/// `POST …/{app_id}/delete`.
pub async fn delete<K: Keeper>(Path(id): Path<String>, Form { visit: keeper, .. }: Form<K>) -> Response {
    let member = keeper.member();
    match member.app.platform.authorization.delete_app(keeper.by(), &id).await {
        Ok(_) => member.go(K::PATH, Some(Said::APP_DELETED)),
        Err(error) => member.failed(&error),
    }
}

async fn switched<K: Keeper>(keeper: &K, id: &str, is_active: bool, said: Said) -> Response {
    let member = keeper.member();
    match member.app.platform.authorization.set_app_active(keeper.by(), id, is_active).await {
        Ok(app) => go(keeper, &app, said),
        Err(error) => member.failed(&error),
    }
}

fn go<K: Keeper>(keeper: &K, app: &Client, said: Said) -> Response {
    keeper.member().go(&format!("{}/{}", K::PATH, app.id), Some(said))
}

async fn show_one<K: Keeper>(keeper: &K, app: &Client, refused: Option<(Option<&Fields>, &Error)>) -> Response {
    let member = keeper.member();
    let is_operator = keeper.by() == By::Operator;
    let owner = match owners(keeper).await {
        Ok(owners) => app.owner.and_then(|owner| owners.get(&owner).cloned()),
        Err(error) => return member.failed(&error),
    };
    let path = member.link(&format!("{}/{}", K::PATH, app.id));
    let content = html! {
        p { a href=(member.link(K::PATH)) { "All applications" } }
        div.asks {
            (logo(member, app.logo_url.as_deref(), &app.name, true))
            div { p.name { (app.name) } p { (state(app)) } }
        }
        dl {
            dt { "Client id" } dd.secret-line { code id="client-id" { (app.client_id) } " " button.quiet type="button" data-copy="client-id" hidden { "Copy" } }
            dt { "Type" } dd { @if app.is_confidential() { "Confidential" } @else { "Public, without a secret" } }
            @if is_operator {
                dt { "Owner" } dd { (owner.as_deref().unwrap_or("–")) }
                dt { "Put here by" } dd { (origin(app.origin)) }
            }
            dt { "Created" } dd { (time(member, app.created_at)) }
            dt { "Changed" } dd { (time(member, app.updated_at)) }
        }
        h2 { "Settings" }
        (banner(refused.filter(|(fields, _)| fields.is_some()).map(|(_, error)| error)))
        (form::edit(member, &path, app, refused.and_then(|(fields, _)| fields), is_operator))
        h2 id="logo" { "Logo" }
        (banner(refused.filter(|(fields, _)| fields.is_none()).map(|(_, error)| error)))
        (form::logo(member, &format!("{path}/logo")))
        @if let Proof::Secret { previous, .. } = &app.proof {
            h2 { "Secret" }
            p { "It is shown once, when it is made. A new one takes its place; the one before works for another day." }
            @if let Some((_, until)) = previous { p.note { "The one before works until " (time(member, *until)) "." } }
            form method="post" action={ (path) "/secret" } { (csrf(member)) button.quiet { "Make a new secret" } }
        }
        h2 { "Switch off or delete" }
        (switches(member, app, &path))
    };
    let answer = member.page("Application", content);
    let answer = match app.logo_url.as_deref().and_then(logo::source) {
        Some(source) => answer.images_from(&source),
        None => answer,
    };
    match refused {
        Some((_, error)) => answer.status(status(error)).into_response(),
        None => answer.into_response(),
    }
}

fn switches(member: &Member, app: &Client, path: &str) -> Markup {
    html! {
        div.actions {
            @if app.is_active {
                p { "Switched off, it can ask nobody, and its tokens open nothing until you switch it on again." }
                form method="post" action={ (path) "/disable" } { (csrf(member)) button.quiet { "Switch off" } }
            } @else {
                p { "It is switched off: it can ask nobody, and its tokens open nothing." }
                form method="post" action={ (path) "/enable" } { (csrf(member)) button.quiet { "Switch on" } }
            }
            details {
                summary aria-label={ "Delete " (app.name) } { "Delete" }
                p.note { "This cannot be undone. Everybody who uses the application is signed out of it." }
                form method="post" action={ (path) "/delete" } { (csrf(member)) button.danger { "Delete for good" } }
            }
        }
    }
}

fn made<K: Keeper>(member: &Member, title: &str, app: &Client, secret: Option<&Plain>) -> Answer {
    let content = html! {
        p { "This is what the application “" (app.name) "” says to prove who it is." }
        h2 { "Client id" }
        p.secret { code id="client-id" { (app.client_id) } button type="button" data-copy="client-id" hidden { "Copy" } }
        @if let Some(secret) = secret {
            h2 { "Client secret" }
            p.secret { code id="secret" { (secret.expose()) } button type="button" data-copy="secret" hidden { "Copy" } }
            p { "Copy the secret now: it is shown this once and kept nowhere." }
        } @else {
            p { "It is public, so there is no secret." }
        }
        h2 { "Where it finds everything else" }
        p { code { (member.app.platform.authorization.issuer()) } }
        p { a.button href=(member.link(&format!("{}/{}", K::PATH, app.id))) { "I have it" } }
    };
    member.page(title, content)
}

fn origin(origin: Origin) -> &'static str {
    match origin {
        Origin::Operator => "An operator",
        Origin::Account => "Its owner",
        Origin::Import => "An import",
        Origin::Dynamic => "Itself",
    }
}
