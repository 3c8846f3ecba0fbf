//! The style sheet, the one script and the icon, under names that change with what is in them.

use crate::app::App;
use crate::unrouted::Templates;
use axum::Router;
use axum::routing::get;
use http::HeaderValue;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use sha2::{Digest, Sha256};
use std::sync::LazyLock;

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");
const ICON: &str = include_str!("icon.svg");
const FOREVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");

/// Path of the style sheet, below the prefix.
pub static STYLE_PATH: LazyLock<String> = LazyLock::new(|| path(STYLE, "css"));
/// Path of the script.
pub static SCRIPT_PATH: LazyLock<String> = LazyLock::new(|| path(SCRIPT, "js"));
/// Path of the icon.
pub static ICON_PATH: LazyLock<String> = LazyLock::new(|| path(ICON, "svg"));

fn path(text: &str, ending: &str) -> String {
    let digest = Sha256::digest(text.as_bytes());
    let name: String = digest[..6].iter().map(|byte| format!("{byte:02x}")).collect();
    format!("/pages/heddle-{name}.{ending}")
}

/// All files.
pub fn routes(templates: &mut Templates) -> Router<App> {
    let mut router = Router::new();
    for (path, content_type, text) in [
        (&*STYLE_PATH, "text/css; charset=utf-8", STYLE),
        (&*SCRIPT_PATH, "text/javascript; charset=utf-8", SCRIPT),
        (&*ICON_PATH, "image/svg+xml", ICON),
    ] {
        templates.add(path.as_str(), "GET");
        let headers = [(CONTENT_TYPE, HeaderValue::from_static(content_type)), (CACHE_CONTROL, FOREVER)];
        router = router.route(path, get(move || async move { (headers, text) }));
    }
    router
}
