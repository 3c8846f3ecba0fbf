//! What people may say about themselves.

use super::visit::status;
use super::{Answer, Fields, Form, Member, Said, banner, csrf, field};
use axum::response::{IntoResponse, Response};
use heddle_model::cron;
use heddle_platform::Error;
use maud::html;

/// `GET /settings/profile`.
pub async fn page(member: Member) -> Answer {
    show(&member, None, None)
}

/// `POST /settings/profile`.
pub async fn save(Form { visit, fields }: Form<Member>) -> Response {
    let given = |name: &str| fields.filled(name).map(str::to_owned);
    let accounts = &visit.app.platform.accounts;
    match accounts.set_profile(visit.who.caller.user, given("name"), given("time_zone")).await {
        Ok(()) => visit.go("/settings/profile", Some(Said::SAVED)),
        Err(error) => show(&visit, Some(&fields), Some(&error)).status(status(&error)).into_response(),
    }
}

fn show(member: &Member, given: Option<&Fields>, error: Option<&Error>) -> Answer {
    let account = member.who.account();
    let or_given =
        |name: &str, kept: Option<&str>| given.map_or(kept.unwrap_or_default(), |fields| fields.get(name)).to_owned();
    let time_zone = or_given("time_zone", account.time_zone.as_deref());
    let content = html! {
        (banner(error))
        form method="post" action=(member.link("/settings/profile")) {
            (csrf(member))
            (field("Name", "name", "text", "name", &or_given("name", account.name.as_deref()), false))
            div.field {
                label for="time_zone" { "Time zone" span.optional { " (optional)" } }
                input id="time_zone" name="time_zone" type="text" list="zones" value=(time_zone) autocomplete="off"
                    spellcheck="false" placeholder="UTC" aria-describedby="time-zone-hint";
                datalist id="zones" { @for zone in cron::zones() { option value=(zone) {} } }
                p.hint id="time-zone-hint" { "As the IANA names it, e.g. Europe/Berlin. Schedules and these pages go by it." }
            }
            button { "Save" }
        }
        h2 { "Account" }
        dl {
            dt { "E-mail address" } dd { (account.email) }
            dt { "User id" } dd { code { (account.id) } }
            dt { "Since" } dd { (super::time(member, account.created_at)) }
            @if account.is_admin { dt { "Role" } dd { "Operator of this server" } }
        }
    };
    member.page("Profile", content)
}
