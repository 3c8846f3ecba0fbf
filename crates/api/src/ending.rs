//! What answers of v1 say of its end, where an operator has set one (`v1.md` 1.1).

use crate::app::App;
use crate::settings::ApiSettings;
use axum::Router;
use axum::middleware::map_response;
use axum::response::Response;
use heddle_model::Time;
use http::{HeaderName, HeaderValue};

/// Adds `Deprecation: @SECONDS` (RFC 9745) and `Sunset: DATE` (RFC 8594) to every answer, as far as there is something to say.
pub fn told(router: Router<App>, settings: &ApiSettings) -> Router<App> {
    let said: Vec<(HeaderName, HeaderValue)> = [
        ("deprecation", settings.v1_deprecated.map(|since| format!("@{}", since.unix()))),
        ("sunset", settings.v1_sunset.map(Time::http_date)),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((HeaderName::from_static(name), value?.try_into().ok()?)))
    .collect();
    if said.is_empty() {
        return router;
    }
    router.layer(map_response(move |mut response: Response| {
        response.headers_mut().extend(said.clone());
        async { response }
    }))
}
