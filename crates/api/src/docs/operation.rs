//! What follows from a handler's type: security, scopes, and the answers that every such route can give.

use crate::call::BodyRule;
use heddle_model::Scope;
use utoipa::openapi::path::{Operation, ParameterIn, PathItem};
use utoipa::openapi::security::SecurityRequirement;
use utoipa::openapi::{ContentBuilder, Ref, RefOr, Required, ResponseBuilder};

/// What a handler's type says about its route.
pub struct Needs {
    /// All of them.
    pub scopes: &'static [Scope],
    /// Whether there is a body to read.
    pub body: BodyRule,
}

/// The operations of a path, each with its method in small letters.
pub fn operations(item: &mut PathItem) -> impl Iterator<Item = (&'static str, &mut Operation)> {
    let PathItem { get, put, post, delete, patch, .. } = item;
    let all = [("get", get), ("put", put), ("post", post), ("delete", delete), ("patch", patch)];
    all.into_iter().filter_map(|(method, operation)| Some((method, operation.as_mut()?)))
}

/// The methods of a path as `Allow` lists them.
pub fn methods(item: &PathItem) -> String {
    let PathItem { get, put, post, delete, patch, .. } = item;
    let all = [("GET", get), ("PUT", put), ("POST", post), ("DELETE", delete), ("PATCH", patch)];
    let served: Vec<_> = all.into_iter().filter(|(_, operation)| operation.is_some()).map(|(name, _)| name).collect();
    served.join(", ")
}

/// Adds to an operation what its handler's type says.
pub fn complete(operation: &mut Operation, needs: &Needs, path: &str, method: &str) {
    let name = operation.operation_id.take().unwrap_or_default();
    operation.operation_id = Some(operation_id(&name, path, method));
    let scopes: Vec<&str> = needs.scopes.iter().map(|scope| scope.as_str()).collect();
    let none: [&str; 0] = [];
    let by_token = SecurityRequirement::new("OAuth2", scopes.clone());
    let mut security = ["APIKeyHeader", "HTTPBearer"].map(|scheme| SecurityRequirement::new(scheme, none)).to_vec();
    security.push(by_token);
    operation.security = Some(security);
    let description = operation.description.take().unwrap_or_default();
    let needed = match scopes.join("` and `") {
        scopes if scopes.is_empty() => "Needs a valid credential of any scope.".to_owned(),
        scopes => format!("Needs `{scopes}`."),
    };
    operation.description = Some(format!("{description}\n\n{needed}").trim().to_owned());
    let extension = utoipa::openapi::extensions::ExtensionsBuilder::new().add("x-required-scopes", scopes).build();
    operation.extensions.get_or_insert_default().merge(extension);

    for parameter in operation.parameters.iter_mut().flatten() {
        // None has to be there; those that count without have a default.
        if let RefOr::T(parameter) = parameter
            && parameter.parameter_in == ParameterIn::Query
        {
            parameter.required = Required::False;
        }
    }

    let detail = "Detail";
    answer(operation, "401", "No credential, or one that is not good", detail);
    answer(operation, "403", "The credential lacks a scope", detail);
    answer(operation, "429", "Too many requests, or too many failed authentications from this address", detail);
    answer(operation, "500", "The server failed", "Failure");
    if let Some(RefOr::T(body)) = &mut operation.request_body {
        body.required = Some(if needs.body == BodyRule::Required { Required::True } else { Required::False });
    }
    if needs.body != BodyRule::Ignored {
        answer(operation, "400", "The body cannot be read", detail);
        answer(operation, "413", "The body is too big", detail);
        answer(operation, "422", "The request does not match the schema", "HTTPValidationError");
    }
}

fn answer(operation: &mut Operation, status: &str, description: &str, schema: &str) {
    let answer = || {
        let content = ContentBuilder::new().schema(Some(Ref::from_schema_name(schema))).build();
        RefOr::T(ResponseBuilder::new().description(description).content("application/json", content).build())
    };
    operation.responses.responses.entry(status.to_owned()).or_insert_with(answer);
}

/// Handler, path and method with everything that is no word character made `_`: what generated clients name calls by.
fn operation_id(name: &str, path: &str, method: &str) -> String {
    let words = |text: &str| text.replace(|letter: char| !letter.is_alphanumeric() && letter != '_', "_");
    format!("{}_{method}", words(&format!("{name}{path}")))
}

#[cfg(test)]
mod tests {
    use super::operation_id;

    #[test]
    fn operation_ids_are_made_of_handler_path_and_method() {
        assert_eq!(
            operation_id("execute_graph", "/graphs/{graph_id}/execute/{graph_version}", "post"),
            "execute_graph_graphs__graph_id__execute__graph_version__post"
        );
    }
}
