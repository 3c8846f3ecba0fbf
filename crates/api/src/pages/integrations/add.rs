//! Adding a credential for one provider.

use super::forms::{self, Adding};
use super::{PATH, kind};
use crate::connect::{CALLBACK_PATH, traveller};
use crate::pages::visit::status;
use crate::pages::{Answer, Fields, Form, Member, Said, banner, redirect};
use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use heddle_model::Object;
use heddle_platform::Error;
use heddle_platform::connect::{Refusal, Start, Way};
use heddle_platform::integrations::{Kind, Provider};
use http::StatusCode;
use maud::html;

/// `GET /settings/integrations/add?provider=…`.
pub async fn page(member: Member) -> Response {
    let name = member.query("provider").unwrap_or_default().to_owned();
    match known(&member, &name) {
        Some(provider) => form(&member, &provider, &Fields::default(), None).into_response(),
        None => member.failed(&no_provider(&name)),
    }
}

/// `POST /settings/integrations/{provider}/keep`: a secret to keep.
pub async fn keep(Path(name): Path<String>, Form { visit, fields }: Form<Member>) -> Response {
    let Some(provider) = known(&visit, &name) else { return visit.failed(&no_provider(&name)) };
    let kept = match forms::read(&name, &fields) {
        Ok(new) => visit.app.platform.integrations.add(visit.who.caller.user, new).await,
        Err(error) => Err(error),
    };
    match kept {
        Ok(made) => go_back(&visit, fields.get("back"), Said::CREDENTIAL_KEPT, Some(&made.id)),
        Err(error @ Error::Internal(_)) => visit.failed(&error),
        Err(error) => {
            let code = status(&error);
            form(&visit, &provider, &fields, Some(&error)).status(code).into_response()
        }
    }
}

/// `POST /settings/integrations/{provider}/connect`: to the provider.
pub async fn connect(Path(name): Path<String>, Form { visit, fields }: Form<Member>) -> Response {
    let scopes = fields.get("scopes").split_whitespace().map(str::to_owned).collect();
    let back = Some(local(fields.get("back")).to_owned());
    let callback_url = visit.url(CALLBACK_PATH);
    let (provider, metadata) = (name, Object::default());
    let start = Start { provider, way: Way::Page, callback_url, scopes, metadata, back };
    match visit.app.platform.connect.initiate(traveller(&visit.who), start).await {
        Ok(begun) => {
            let content = html! { p { a.button href=(begun.login_url) { "Go on to the service" } } };
            visit.page("Connecting an account", content).goes_on_to(&begun.login_url).into_response()
        }
        Err(refusal) => visit.failed(&as_error(refusal)),
    }
}

/// A refusal as pages tell it.
pub(super) fn as_error(refusal: Refusal) -> Error {
    match refusal {
        Refusal::Other(error) => error,
        Refusal::NoOAuth(_) => Error::NotFound(refusal.to_string()),
        Refusal::State => Error::Refused("this sign-in took too long or was completed before; begin again".to_owned()),
        Refusal::Exchange => Error::Refused("the service did not accept the sign-in; begin again".to_owned()),
        other => Error::Refused(other.to_string()),
    }
}

/// On to a path of ours, or to the list; what was made is named to whoever wants to know.
pub(super) fn go_back(member: &Member, back: &str, said: Said, made: Option<&str>) -> Response {
    let back = local(back);
    match made {
        Some(id) if back.ends_with('=') => redirect(StatusCode::SEE_OTHER, &member.link(&format!("{back}{id}"))),
        // A word for the message, behind the place of an id that there is none of.
        _ if back.ends_with('=') => {
            redirect(StatusCode::SEE_OTHER, &member.link(&format!("{back}&said={}", said.word())))
        }
        _ if back.contains('?') => redirect(StatusCode::SEE_OTHER, &member.link(back)),
        _ => member.go(back, Some(said)),
    }
}

fn local(back: &str) -> &str {
    crate::pages::next::local(back).unwrap_or(PATH)
}

fn known(member: &Member, name: &str) -> Option<Provider> {
    member.app.platform.integrations.providers().get(name).filter(|provider| provider.is_listed).cloned()
}

fn no_provider(name: &str) -> Error {
    Error::NotFound(format!("there is no service {name:?}"))
}

fn form(member: &Member, provider: &Provider, given: &Fields, error: Option<&Error>) -> Answer {
    let adding = Adding { provider, scopes: &[], back: local(given.get("back")), given };
    let kinds = forms::kinds(provider);
    let content = html! {
        p.note { a href=(member.link(PATH)) { "Integrations" } }
        (banner(error))
        @if provider.oauth.is_some() {
            h2 { (kind(Kind::OAuth2)) }
            p { "You sign in at " (provider.title) " and come back here. This server never sees your password." }
            (forms::connect(member, &adding))
        }
        @for kept in &kinds {
            h2 { (kind(*kept)) }
            (forms::keep(member, &adding, *kept))
        }
        @if provider.oauth.is_none() && kinds.is_empty() { p.empty { "Nothing can be kept for this service." } }
    };
    member.page(&provider.title, content).opens_windows()
}
