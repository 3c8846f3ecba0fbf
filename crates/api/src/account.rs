//! The account API: what a signed-in person's browser may ask for (`auth.md` 2.4). API keys and tokens open none of it.

mod keys;

use crate::app::App;
use crate::unrouted::Templates;
use axum::Router;
use axum::routing::{get, post, put};

/// All routes below `/api`.
pub fn routes(templates: &mut Templates) -> Router<App> {
    let mut router = Router::new();
    for (path, methods, handlers) in [
        ("/api/api-keys", "GET, POST", get(keys::list).post(keys::create)),
        ("/api/api-keys/{key_id}", "DELETE, GET", get(keys::get).delete(keys::revoke)),
        ("/api/api-keys/{key_id}/suspend", "POST", post(keys::suspend)),
        ("/api/api-keys/{key_id}/resume", "POST", post(keys::resume)),
        ("/api/api-keys/{key_id}/permissions", "PUT", put(keys::set_permissions)),
    ] {
        templates.add(path, methods);
        router = router.route(path, handlers);
    }
    router
}
