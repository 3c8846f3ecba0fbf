//! Requests that no route takes: a superfluous slash at the end is pointed out, a wrong method gets the list of right
//! ones, anything else does not exist.

use crate::app::App;
use crate::error::ApiError;
use axum::response::{IntoResponse, Response};
use http::header::{ALLOW, HOST, LOCATION};
use http::{HeaderMap, HeaderValue, StatusCode, Uri};

/// The path templates of all routes, without the prefix, each with its methods as `Allow` lists them.
#[derive(Default)]
pub struct Templates(Vec<(String, HeaderValue)>);

impl Templates {
    /// Adds a route.
    pub fn add(&mut self, path: impl Into<String>, methods: &str) {
        self.0.push((path.into(), HeaderValue::from_str(methods).expect("methods are plain words")));
    }

    /// The templates.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(path, _)| path.as_str())
    }

    /// The answer for a method that the path's routes do not take. HEAD goes without saying wherever GET is.
    pub fn wrong_method(&self, app: &App, uri: &Uri) -> Response {
        let path = below_prefix(app, uri.path());
        let mut response = ApiError::WrongMethod.into_response();
        if let Some((_, methods)) = self.0.iter().find(|(template, _)| fits(template, path)) {
            response.headers_mut().insert(ALLOW, methods.clone());
        }
        response
    }

    /// The answer for a path that was not found.
    pub fn no_route(&self, app: &App, uri: &Uri, headers: &HeaderMap) -> Response {
        let prefix = app.settings.prefix();
        let below = below_prefix(app, uri.path());
        let bare = below.trim_end_matches('/');
        let known = bare.len() < below.len() && self.0.iter().any(|(template, _)| fits(template, bare));
        let location = known.then(|| {
            let query = uri.query().map_or_else(String::new, |query| format!("?{query}"));
            HeaderValue::try_from(format!("{}{prefix}{bare}{query}", origin(app, uri, headers)))
        });
        match location {
            Some(Ok(location)) => (StatusCode::TEMPORARY_REDIRECT, [(LOCATION, location)]).into_response(),
            _ => ApiError::NoRoute.into_response(),
        }
    }
}

/// The path without the prefix, which a proxy may have taken off already.
pub fn below_prefix<'a>(app: &App, path: &'a str) -> &'a str {
    path.strip_prefix(app.settings.prefix()).filter(|below| below.starts_with('/')).unwrap_or(path)
}

fn fits(template: &str, path: &str) -> bool {
    let same = |(part, given): (&str, &str)| if part.starts_with('{') { !given.is_empty() } else { part == given };
    template.split('/').count() == path.split('/').count() && template.split('/').zip(path.split('/')).all(same)
}

/// Where the client reached us: the public URL, else the host it asked for, when that can be a host at all.
pub fn origin(app: &App, uri: &Uri, headers: &HeaderMap) -> String {
    if let Some(origin) = app.settings.origin() {
        return origin.to_owned();
    }
    let host = uri.authority().map(|authority| authority.as_str());
    let host = host.or_else(|| headers.get(HOST)?.to_str().ok()).unwrap_or_default();
    let good = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:[]".contains(&byte);
    if host.is_empty() || !host.bytes().all(good) {
        return String::new();
    }
    let behind_tls = app.settings.trusted_proxy_count > 0
        && headers.get("x-forwarded-proto").is_some_and(|scheme| scheme.as_bytes() == b"https");
    format!("{}://{host}", if behind_tls { "https" } else { "http" })
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn templates_fit_paths_of_the_same_parts() {
        for (template, path, expected) in [
            ("/me", "/me", true),
            ("/me", "/you", false),
            ("/me", "/me/x", false),
            ("/graphs/{id}", "/graphs/a", true),
            ("/graphs/{id}", "/graphs/", false),
            ("/graphs/{id}/runs", "/graphs/a/runs", true),
            ("/", "", false),
        ] {
            assert_eq!(fits(template, path), expected, "{template} {path}");
        }
    }
}
