//! The account API: what a signed-in person's browser may ask for (`auth.md` 2.4). API keys and tokens open none of it.

mod keys;
mod passkeys;

use crate::app::App;
use crate::unrouted::Templates;
use axum::Router;
use axum::routing::{get, patch, post, put};

/// All routes below `/api`.
pub fn routes(templates: &mut Templates) -> Router<App> {
    let mut router = Router::new();
    for (path, methods, handlers) in [
        ("/api/api-keys", "GET, POST", get(keys::list).post(keys::create)),
        ("/api/api-keys/{key_id}", "DELETE, GET", get(keys::get).delete(keys::revoke)),
        ("/api/api-keys/{key_id}/suspend", "POST", post(keys::suspend)),
        ("/api/api-keys/{key_id}/resume", "POST", post(keys::resume)),
        ("/api/api-keys/{key_id}/permissions", "PUT", put(keys::set_permissions)),
        ("/api/passkeys", "GET, POST", get(passkeys::list).post(passkeys::create)),
        ("/api/passkeys/options", "POST", post(passkeys::creation)),
        ("/api/passkeys/{passkey_id}", "DELETE, PATCH", patch(passkeys::rename).delete(passkeys::remove)),
        ("/api/login/passkey", "POST", post(passkeys::sign_in)),
        ("/api/login/passkey/options", "POST", post(passkeys::request)),
    ] {
        templates.add(path, methods);
        router = router.route(path, handlers);
    }
    router
}
