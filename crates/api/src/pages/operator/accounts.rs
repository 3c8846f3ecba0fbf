//! All accounts: made, disabled, enabled, and given links for new passwords.

use super::Operator;
use crate::pages::visit::status;
use crate::pages::{Fields, Form, Said, banner, csrf, field, time};
use axum::response::{IntoResponse, Response};
use heddle_platform::{Account, Error, NewAccount};
use maud::{Markup, html};

const PATH: &str = "/admin/accounts";

/// `GET /admin/accounts`.
pub async fn page(operator: Operator) -> Response {
    show(&operator, &Fields::default(), None).await
}

/// `POST /admin/accounts`: makes one, and shows the link by which its person sets a password.
pub async fn create(Form { visit: operator, fields }: Form<Operator>) -> Response {
    let new = NewAccount {
        email: fields.get("email").to_owned(),
        name: fields.filled("name").map(str::to_owned),
        password: None,
        is_admin: fields.get("is_admin") == "yes",
    };
    match operator.app.platform.accounts.create(new).await {
        Ok(account) => {
            let (by, id) = (operator.who.caller.user, account.id);
            tracing::info!(target: "audit", { account.id = %id, operator.id = %by }, "account {id} was made by operator {by}");
            link(&operator, &account.email).await
        }
        Err(error) => show(&operator, &fields, Some(&error)).await,
    }
}

/// `POST /admin/accounts/disable`.
pub async fn disable(Form { visit: operator, fields }: Form<Operator>) -> Response {
    let own = &operator.who.account().email;
    if fields.get("email").trim().eq_ignore_ascii_case(own) {
        return operator.failed(&Error::Refused("you cannot disable the account you are signed in with".to_owned()));
    }
    let disabled = operator.app.platform.accounts.disable(fields.get("email")).await;
    changed(&operator, disabled, "was disabled", Said::ACCOUNT_OFF)
}

/// `POST /admin/accounts/enable`.
pub async fn enable(Form { visit: operator, fields }: Form<Operator>) -> Response {
    let enabled = operator.app.platform.accounts.enable(fields.get("email")).await;
    changed(&operator, enabled, "was enabled", Said::ACCOUNT_ON)
}

/// `POST /admin/accounts/reset`.
pub async fn reset(Form { visit: operator, fields }: Form<Operator>) -> Response {
    link(&operator, fields.get("email")).await
}

fn changed(operator: &Operator, result: Result<Account, Error>, what: &str, said: Said) -> Response {
    match result {
        Ok(account) => {
            let (by, id) = (operator.who.caller.user, account.id);
            tracing::info!(target: "audit", { account.id = %id, operator.id = %by }, "account {id} {what} by operator {by}");
            operator.go(PATH, Some(said))
        }
        Err(error) => operator.failed(&error),
    }
}

async fn link(operator: &Operator, email: &str) -> Response {
    let token = match operator.app.platform.sessions.reset_link(email, operator.who.caller.user).await {
        Ok(token) => token,
        Err(error) => return operator.failed(&error),
    };
    let content = html! {
        p { "Whoever opens this link sets the password of " strong { (email.trim()) } ". Hand it over on a way that only this person reads." }
        p.secret {
            code id="link" { (operator.url(crate::RESET_PATH)) (token) }
            button type="button" data-copy="link" hidden { "Copy" }
        }
        p { "It works once, for an hour, and is shown only now." }
        p { a.button href=(operator.link(PATH)) { "I have it" } }
    };
    operator.page("Link for a new password", content).into_response()
}

async fn show(operator: &Operator, given: &Fields, error: Option<&Error>) -> Response {
    let accounts = match operator.app.platform.accounts.list().await {
        Ok(accounts) => accounts,
        Err(error) => return operator.failed(&error),
    };
    let content = html! {
        div.table {
            table {
                caption.unseen { "Accounts" }
                thead { tr { th scope="col" { "Account" } th scope="col" { "Role" } th scope="col" { "Status" } th scope="col" { "Created" } th scope="col" { span.unseen { "Actions" } } } }
                tbody { @for account in &accounts { (row(operator, account)) } }
            }
        }
        h2 id="new" { "New account" }
        (banner(error))
        form method="post" action=(operator.link(PATH)) {
            (csrf(operator))
            (field("E-mail address", "email", "email", "off", given.get("email"), true))
            (field("Name", "name", "text", "off", given.get("name"), false))
            p { label { input type="checkbox" name="is_admin" value="yes" checked[given.get("is_admin") == "yes"]; " Operator of this server" } }
            p.hint { "You get a link by which its person sets a password." }
            button { "Create account" }
        }
    };
    let answer = operator.page("Accounts", content);
    match error {
        Some(error) => answer.status(status(error)).into_response(),
        None => answer.into_response(),
    }
}

fn row(operator: &Operator, account: &Account) -> Markup {
    let is_self = account.id == operator.who.caller.user;
    let act = |what: &str, text: &str| {
        html! {
            form method="post" action=(operator.link(&format!("{PATH}/{what}"))) {
                (csrf(operator))
                input type="hidden" name="email" value=(account.email);
                button.quiet aria-label={ (text) " " (account.email) } { (text) }
            }
        }
    };
    html! {
        tr {
            th scope="row" { (account.email) @if let Some(name) = &account.name { span.note { (name) } } }
            td data-label="Role" { @if account.is_admin { "Operator" } @else { "Member" } }
            td data-label="Status" {
                @if account.disabled_at.is_some() { span.state.wary { "Disabled" } } @else { span.state.good { "Active" } }
            }
            td data-label="Created" { (time(operator, account.created_at)) }
            td.actions {
                @if is_self {
                    span.note { "You" }
                } @else if account.disabled_at.is_some() {
                    (act("enable", "Enable"))
                } @else {
                    (act("reset", "Reset link"))
                    " "
                    details {
                        summary aria-label={ "Disable " (account.email) } { "Disable" }
                        p.note { "All that is signed in, and all keys of the account, stop working at once." }
                        form method="post" action=(operator.link(&format!("{PATH}/disable"))) {
                            (csrf(operator))
                            input type="hidden" name="email" value=(account.email);
                            button.danger { "Disable account" }
                        }
                    }
                }
            }
        }
    }
}
