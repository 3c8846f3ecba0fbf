//! The pages of accounts: rendered here, whole without scripts, with nothing from elsewhere.
//!
//! A page is a function from a [`Visit`] or a [`Member`] to an answer; a form is one from a [`Form`] of either, which has
//! proved that it comes from here. [`layout`] knows what all pages look like, [`said`] the short messages after a
//! redirect.

mod agent;
mod apps;
mod assets;
mod authorize;
mod call;
mod form;
mod grants;
mod home;
mod integrations;
mod keys;
mod layout;
mod library;
mod logo;
mod market;
mod next;
mod operator;
mod passkeys;
mod profile;
mod reset;
mod said;
mod security;
mod sign_in;
mod sign_up;
mod unknown;
mod upload;
mod visit;
mod wizard;

pub use call::PageCall;
pub use form::{Fields, Form};
pub use home::page as home;
pub use layout::{Answer, banner, csrf, field, time};
pub use library::path as library_path;
pub use operator::Operator;
pub use said::Said;
pub use sign_in::{end_former, target};
pub use unknown::{is_asked_for, page as unknown};
pub use visit::{Member, Visit};

use crate::app::App;
use crate::connect::CALLBACK_PATH;
use crate::unrouted::Templates;
use apps::Keeper;
use axum::Router;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use http::header::LOCATION;
use http::{HeaderValue, StatusCode};

/// Where a mail's link for a new password leads; the token comes behind it.
pub const RESET_PATH: &str = "/reset-password/set?token=";

/// All pages. `prefix` is what the server stands under.
pub fn routes(prefix: &str, templates: &mut Templates) -> Router<App> {
    let mut router = Router::new();
    for (path, methods, handlers) in [
        ("/", "GET", get(home::page)),
        (library::PATH, "GET", get(library::page)),
        ("/library/agents/{id}", "GET", get(library::agent)),
        ("/library/agents/{id}/remove", "POST", post(library::remove)),
        ("/login", "GET, POST", get(sign_in::page).post(sign_in::sign_in)),
        ("/logout", "POST", post(sign_in::sign_out)),
        ("/signup", "GET, POST", get(sign_up::page).post(sign_up::sign_up)),
        ("/reset-password", "GET, POST", get(reset::page).post(reset::ask)),
        ("/reset-password/set", "GET, POST", get(reset::set_page).post(reset::set)),
        (authorize::PATH, "GET, POST", get(authorize::page).post(authorize::post)),
        ("/settings/profile", "GET, POST", get(profile::page).post(profile::save)),
        ("/settings/api-keys", "GET, POST", get(keys::page).post(keys::create)),
        ("/settings/api-keys/{key_id}/suspend", "POST", post(keys::suspend)),
        ("/settings/api-keys/{key_id}/resume", "POST", post(keys::resume)),
        ("/settings/api-keys/{key_id}/revoke", "POST", post(keys::revoke)),
        (integrations::PATH, "GET", get(integrations::page)),
        ("/settings/integrations/add", "GET", get(integrations::add_page)),
        ("/settings/integrations/remove", "POST", post(integrations::remove)),
        ("/settings/integrations/{provider}/connect", "POST", post(integrations::connect)),
        ("/settings/integrations/{provider}/keep", "POST", post(integrations::keep)),
        (CALLBACK_PATH, "GET, POST", get(integrations::callback_page).post(integrations::finish)),
        (wizard::PATH, "GET, POST", get(wizard::page).post(wizard::end)),
        ("/settings/security", "GET", get(security::page)),
        ("/settings/security/password", "POST", post(security::change_password)),
        ("/settings/security/sessions/end-others", "POST", post(security::end_others)),
        ("/settings/security/sessions/{session_id}/end", "POST", post(security::end)),
        ("/settings/security/passkeys/{passkey_id}/rename", "POST", post(passkeys::rename)),
        ("/settings/security/passkeys/{passkey_id}/remove", "POST", post(passkeys::remove)),
        ("/settings/applications", "GET", get(grants::page)),
        ("/settings/applications/revoke", "POST", post(grants::revoke)),
        ("/admin/accounts", "GET, POST", get(operator::accounts::page).post(operator::accounts::create)),
        ("/admin/accounts/disable", "POST", post(operator::accounts::disable)),
        ("/admin/accounts/enable", "POST", post(operator::accounts::enable)),
        ("/admin/accounts/reset", "POST", post(operator::accounts::reset)),
        ("/admin/server", "GET", get(operator::server::page)),
    ] {
        templates.add(path, methods);
        router = router.route(path, handlers);
    }
    router = router.merge(apps::<Member>(templates)).merge(apps::<Operator>(templates));
    for (from, to) in [
        ("/settings", "/settings/profile"),
        ("/profile", "/settings/profile"),
        ("/profile/api-keys", "/settings/api-keys"),
        ("/profile/oauth-apps", "/settings/oauth-apps"),
        ("/admin", "/admin/accounts"),
        ("/library/agents", library::PATH),
        // Browsers ask for it where a page is none of ours.
        ("/favicon.ico", assets::ICON_PATH.as_str()),
    ] {
        templates.add(from, "GET");
        let to = format!("{prefix}{to}");
        router = router.route(from, get(move || async move { redirect(StatusCode::TEMPORARY_REDIRECT, &to) }));
    }
    router.merge(market::routes(templates)).merge(assets::routes(templates))
}

/// The pages of applications that somebody keeps.
fn apps<K: Keeper>(templates: &mut Templates) -> Router<App> {
    let mut router = Router::new();
    for (below, methods, handlers) in [
        ("", "GET, POST", get(apps::page::<K>).post(apps::create::<K>)),
        ("/{app_id}", "GET, POST", get(apps::one::<K>).post(apps::save::<K>)),
        ("/{app_id}/secret", "POST", post(apps::rotate::<K>)),
        ("/{app_id}/logo", "POST", post(apps::save_logo::<K>)),
        ("/{app_id}/disable", "POST", post(apps::disable::<K>)),
        ("/{app_id}/enable", "POST", post(apps::enable::<K>)),
        ("/{app_id}/delete", "POST", post(apps::delete::<K>)),
    ] {
        let path = format!("{}{below}", K::PATH);
        templates.add(path.as_str(), methods);
        router = router.route(&path, handlers);
    }
    router
}

/// Sends a browser on. A window that a page of ours opened stays with that page only when every answer on its way says so,
/// this one as well.
fn redirect(status: StatusCode, to: &str) -> Response {
    let to = HeaderValue::try_from(to).unwrap_or(HeaderValue::from_static("/"));
    (status, [layout::OPENER, (LOCATION, to)]).into_response()
}
