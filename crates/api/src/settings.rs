//! What an operator may decide about the HTTP door.

use heddle_model::Time;
use http::HeaderMap;
use tracing::Span;

/// Lets a request's span continue the trace that its headers name.
pub type Adopt = fn(&Span, &HeaderMap);

/// Settings of the HTTP door; the defaults are those of `operator.md`.
#[derive(Clone, Debug)]
pub struct ApiSettings {
    /// Origin, with a path prefix if one is wanted, put into redirects and challenges. `None`: the request's host.
    pub public_url: Option<String>,
    /// Proxies in front of this server that append to `X-Forwarded-For`.
    pub trusted_proxy_count: usize,
    /// Bytes of a request body.
    pub body_bytes: usize,
    /// Nested arrays and objects of a request body; more than 512 counts as 512, for the stack's sake.
    pub json_depth: usize,
    /// Origins whose pages may call with credentials.
    pub cors_origins: Vec<String>,
    /// The marketplace's routes of v1 need `READ_STORE`; without it any credential will do.
    pub store_scope_required: bool,
    /// When v1 began to be deprecated, if it is.
    pub v1_deprecated: Option<Time>,
    /// When v1 is to end, if it is.
    pub v1_sunset: Option<Time>,
    /// `/metrics` for everyone, not only this machine and operators.
    pub metrics_public: bool,
    /// What operators are shown of the server's settings; no secret is in it.
    pub overview: Vec<Setting>,
    /// Requests get a span each, and this is how it joins its trace. `None`: they get none.
    pub adopt: Option<Adopt>,
}

/// One of the server's settings, as people read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// `server.listen`
    pub name: String,
    /// Its value; what is secret in it is masked.
    pub value: String,
    /// A file and line, a variable, a flag, or the default.
    pub origin: String,
}

impl Default for ApiSettings {
    fn default() -> Self {
        Self {
            public_url: None,
            trusted_proxy_count: 0,
            body_bytes: 8 << 20,
            json_depth: 128,
            cors_origins: Vec::new(),
            store_scope_required: true,
            v1_deprecated: None,
            v1_sunset: None,
            metrics_public: false,
            overview: Vec::new(),
            adopt: None,
        }
    }
}

impl ApiSettings {
    /// The path under which everything is served: empty, or with a leading and without a trailing slash.
    pub fn prefix(&self) -> &str {
        let after_scheme =
            self.public_url.as_deref().and_then(|url| url.split_once("://")).map_or("", |(_, rest)| rest);
        after_scheme.find('/').map_or("", |slash| after_scheme[slash..].trim_end_matches('/'))
    }

    /// Scheme, host and port of the public URL.
    pub fn origin(&self) -> Option<&str> {
        let url = self.public_url.as_deref()?;
        let host = url.find("://")? + 3;
        Some(url[host..].find('/').map_or(url, |slash| &url[..host + slash]))
    }
}

#[cfg(test)]
mod tests {
    use super::ApiSettings;

    #[test]
    fn a_public_url_is_an_origin_and_a_prefix() {
        for (url, origin, prefix) in [
            (None, None, ""),
            (Some("https://agents.example.org"), Some("https://agents.example.org"), ""),
            (Some("https://agents.example.org/"), Some("https://agents.example.org"), ""),
            (Some("http://h:8006/_agpt/"), Some("http://h:8006"), "/_agpt"),
            (Some("http://h/a/b"), Some("http://h"), "/a/b"),
        ] {
            let settings = ApiSettings { public_url: url.map(str::to_owned), ..ApiSettings::default() };
            assert_eq!((settings.origin(), settings.prefix()), (origin, prefix), "{url:?}");
        }
    }
}
