//! Applications that ask others: a person's own, and for operators everybody's, by the same pages.

mod form;
mod one;

pub use one::{create, delete, disable, enable, one, rotate, save, save_logo};

use super::logo::logo;
use super::operator::Operator;
use super::visit::status;
use super::{Fields, Member, Visit, banner, time};
use crate::app::App;
use axum::extract::FromRequestParts;
use axum::response::{IntoResponse, Response};
use heddle_model::UserId;
use heddle_platform::Error;
use heddle_platform::authorization::By;
use heddle_platform::authorization::rules::Client;
use maud::{Markup, html};
use std::collections::HashMap;

/// Whoever looks after applications.
pub trait Keeper: FromRequestParts<App, Rejection = Response> + AsRef<Visit> + Send + Sync + 'static {
    /// Where the list is; each application is below it.
    const PATH: &'static str;

    /// Who it is.
    fn member(&self) -> &Member;

    /// Whose applications are meant.
    fn by(&self) -> By;
}

impl Keeper for Member {
    const PATH: &'static str = "/settings/oauth-apps";

    fn member(&self) -> &Member {
        self
    }

    fn by(&self) -> By {
        By::Person(self.who.caller.user)
    }
}

impl Keeper for Operator {
    const PATH: &'static str = "/admin/applications";

    fn member(&self) -> &Member {
        self
    }

    fn by(&self) -> By {
        By::Operator
    }
}

/// `GET` the list.
pub async fn page<K: Keeper>(keeper: K) -> Response {
    show(&keeper, &Fields::default(), None).await
}

async fn show<K: Keeper>(keeper: &K, given: &Fields, error: Option<&Error>) -> Response {
    let member = keeper.member();
    let listed = async {
        let apps = member.app.platform.authorization.apps(keeper.by()).await?;
        Ok::<_, Error>((apps, owners(keeper).await?))
    };
    let (apps, owners) = match listed.await {
        Ok(found) => found,
        Err(error) => return member.failed(&error),
    };
    let is_operator = keeper.by() == By::Operator;
    let may_create = member.app.platform.authorization.rules().own_apps || member.who.account().is_admin;
    let content = html! {
        @if is_operator {
            p { "All applications that can ask people of this server to act for them." }
        } @else {
            p { "Applications of yours that let people sign in with this server, or act for them here." }
        }
        @if apps.is_empty() {
            p.empty { "There are no applications yet." }
        } @else {
            div.table {
                table {
                    caption.unseen { "Applications" }
                    thead {
                        tr {
                            th scope="col" { "Name" } th scope="col" { "Client id" }
                            @if is_operator { th scope="col" { "Owner" } }
                            th scope="col" { "Status" } th scope="col" { "Created" }
                        }
                    }
                    tbody { @for app in &apps { (row::<K>(member, app, is_operator.then_some(&owners))) } }
                }
            }
        }
        h2 id="new" { "New application" }
        @if may_create {
            (banner(error))
            (form::create(member, &member.link(K::PATH), given))
        } @else {
            p.empty { "The operators of this server make its applications." }
        }
    };
    let answer = member.page(if is_operator { "Applications" } else { "Your applications" }, content);
    match error {
        Some(error) => answer.status(status(error)).into_response(),
        None => answer.into_response(),
    }
}

/// Addresses of owners, where they are shown.
async fn owners<K: Keeper>(keeper: &K) -> Result<HashMap<UserId, String>, Error> {
    match keeper.by() {
        By::Person(_) => Ok(HashMap::new()),
        By::Operator => {
            let accounts = keeper.member().app.platform.accounts.list().await?;
            Ok(accounts.into_iter().map(|account| (account.id, account.email)).collect())
        }
    }
}

fn row<K: Keeper>(member: &Member, app: &Client, owners: Option<&HashMap<UserId, String>>) -> Markup {
    html! {
        tr {
            th scope="row" {
                span.titled {
                    (logo(member, app.logo_url.as_deref(), &app.name, false))
                    a href=(member.link(&format!("{}/{}", K::PATH, app.id))) { (app.name) }
                }
            }
            td data-label="Client id" { code.long { (app.client_id) } }
            @if let Some(owners) = owners {
                td data-label="Owner" { (app.owner.and_then(|owner| owners.get(&owner)).map_or("–", String::as_str)) }
            }
            td data-label="Status" { (state(app)) }
            td data-label="Created" { (time(member, app.created_at)) }
        }
    }
}

fn state(app: &Client) -> Markup {
    html! {
        @if app.is_active { span.state.good { "Active" } } @else { span.state.wary { "Switched off" } }
    }
}
