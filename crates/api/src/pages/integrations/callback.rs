//! Where providers send people back to.
//!
//! A way that a page began itself is completed on the spot, since state and session prove whose it is. A window that a
//! script opened hands what it was sent to the page that opened it, and to nobody else; where the two were parted (some
//! providers' pages do that) a button completes it here.

use super::PATH;
use super::add::{as_error, go_back};
use crate::connect::traveller;
use crate::pages::{Form, Member, Said, csrf};
use axum::response::{IntoResponse, Response};
use heddle_platform::connect::{Refusal, Return, Underway, Way};
use maud::html;

/// `GET /auth/integrations/oauth_callback`.
pub async fn page(member: Member) -> Response {
    let (state, code) = (member.query("state").unwrap_or_default(), member.query("code"));
    let underway = match member.app.platform.connect.underway(traveller(&member.who), state).await {
        Ok(underway) => underway,
        Err(error) => return member.failed(&error),
    };
    let Some(Underway { provider, way, back }) = underway else {
        return member.failed(&as_error(Refusal::State));
    };
    let issuer = member.query("iss").map(str::to_owned);
    match (way, code.filter(|code| !code.is_empty() && member.query("error").is_none())) {
        (Way::Window, code) => window(&member, state, code, issuer.as_deref()),
        (_, Some(code)) => complete(&member, Some(provider), code, state, issuer).await,
        (_, None) => {
            if let Err(error) = member.app.platform.connect.abandon(traveller(&member.who), state, &provider).await {
                return member.failed(&error);
            }
            go_back(&member, back.as_deref().unwrap_or(PATH), Said::NOT_CONNECTED, None)
        }
    }
}

/// `POST /auth/integrations/oauth_callback`: the button of a window that was parted from its page.
pub async fn finish(Form { visit, fields }: Form<Member>) -> Response {
    let issuer = fields.filled("iss").map(str::to_owned);
    complete(&visit, None, fields.get("code"), fields.get("state"), issuer).await
}

async fn complete(
    member: &Member,
    provider: Option<String>,
    code: &str,
    state: &str,
    issuer: Option<String>,
) -> Response {
    let back = Return { provider, code: code.to_owned().into(), state: state.to_owned().into(), issuer };
    match member.app.platform.connect.complete_here(traveller(&member.who), back).await {
        Ok(connected) => {
            let back = connected.back.as_deref().unwrap_or(PATH);
            go_back(member, back, Said::ACCOUNT_CONNECTED, Some(&connected.id))
        }
        Err(refusal) => member.failed(&as_error(refusal)),
    }
}

fn window(member: &Member, state: &str, code: Option<&str>, issuer: Option<&str>) -> Response {
    let message = "The service did not connect the account.";
    let content = html! {
        div id="oauth-popup-result" data-state=(state) data-code=[code] data-iss=[issuer]
            data-message=[code.is_none().then_some(message)] {
            @if let Some(code) = code {
                p { "Almost done. If this window does not close by itself, finish here." }
                form method="post" action=(member.link(crate::connect::CALLBACK_PATH)) {
                    (csrf(member))
                    input type="hidden" name="code" value=(code);
                    input type="hidden" name="state" value=(state);
                    @if let Some(issuer) = issuer { input type="hidden" name="iss" value=(issuer); }
                    button { "Finish" }
                }
            } @else {
                p { (message) " You can close this window." }
            }
        }
    };
    member.page("Connecting an account", content).opened().into_response()
}
