//! Error bodies as the document describes them; the frame writes them.

use serde_json::Value;
use utoipa::ToSchema;

/// An error in one sentence.
#[derive(serde::Serialize, ToSchema)]
pub struct Detail {
    /// What is wrong.
    detail: String,
}

/// An error with its context.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only its schema is used")]
pub struct Failure {
    /// Which request failed; not for a body that cannot be read.
    message: Option<String>,
    /// What is wrong.
    detail: String,
    /// What to do; not for a body that cannot be read.
    hint: Option<String>,
    /// The request's id; only for failures of the server.
    request_id: Option<String>,
}

/// A request that does not match the schema.
#[derive(serde::Serialize, ToSchema)]
pub struct HTTPValidationError {
    /// Which request.
    message: Option<String>,
    /// What is wrong, in declaration order.
    #[schema(required = false)]
    detail: Vec<ValidationError>,
    /// What to do.
    hint: Option<String>,
}

/// A request that does not match the schema, or one whose values are refused in one sentence.
#[derive(serde::Serialize, ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "only its schema is used")]
pub enum Unprocessable {
    /// Problems by place.
    Problems(HTTPValidationError),
    /// One sentence.
    Sentence(Detail),
}

/// One problem of a request.
#[derive(serde::Serialize, ToSchema)]
struct ValidationError {
    /// Where: source, then members and indexes.
    loc: Vec<Step>,
    /// For people.
    msg: String,
    /// For programs.
    r#type: String,
    /// The offending value.
    #[schema(required = false)]
    input: Value,
    /// More about it.
    #[schema(value_type = Object, required = false)]
    ctx: Option<Value>,
}

/// A member name or an index.
#[derive(serde::Serialize, ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "only its schema is used")]
enum Step {
    Name(String),
    Index(i64),
}
