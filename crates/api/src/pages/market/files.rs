//! Agent files to look at before they are shared.

use axum::response::{IntoResponse, Response};
use heddle_model::Value;
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};

/// An agent file, to be saved.
pub fn agent_file(name: &str, file: &Value) -> Response {
    let body = serde_json::to_vec_pretty(file).unwrap_or_default();
    let name: String = name.chars().filter(|letter| letter.is_ascii_alphanumeric() || *letter == '-').collect();
    let headers = [
        (CONTENT_TYPE, "application/json".to_owned()),
        (CONTENT_DISPOSITION, format!("attachment; filename=\"{name}.json\"")),
    ];
    (headers, body).into_response()
}
