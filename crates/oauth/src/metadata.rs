//! What other programs can read about this server (`auth.md` 12.2; RFC 8414; RFC 9728; OpenID Connect Discovery).

use crate::oidc::Algorithm;
use crate::{Issuer, Scope};
use serde_json::{Value, json};

/// Which endpoints there are: only those are listed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Switches {
    /// RFC 9126.
    pub pushed: bool,
    /// RFC 7591.
    pub registration: bool,
}

/// The authorization server's document.
pub fn server(issuer: &Issuer, switches: Switches) -> Value {
    let confidential = ["client_secret_basic", "client_secret_post"];
    let all = ["client_secret_basic", "client_secret_post", "none"];
    let mut document = json!({
        "issuer": issuer.as_str(),
        "authorization_endpoint": issuer.at("/auth/authorize"),
        "token_endpoint": issuer.at("/api/oauth/token"),
        "introspection_endpoint": issuer.at("/api/oauth/introspect"),
        "revocation_endpoint": issuer.at("/api/oauth/revoke"),
        "userinfo_endpoint": issuer.at("/api/oauth/userinfo"),
        "jwks_uri": issuer.at("/api/oauth/jwks"),
    });
    if switches.pushed {
        document["pushed_authorization_request_endpoint"] = issuer.at("/api/oauth/par").into();
    }
    if switches.registration {
        document["registration_endpoint"] = issuer.at("/api/oauth/register").into();
    }
    let rest = json!({
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": all,
        "introspection_endpoint_auth_methods_supported": confidential,
        "revocation_endpoint_auth_methods_supported": all,
        "scopes_supported": Scope::all().map(Scope::as_str).collect::<Vec<_>>(),
        "authorization_response_iss_parameter_supported": true,
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": Algorithm::ALL.map(Algorithm::as_str),
        "claims_supported": [
            "sub", "iss", "aud", "exp", "iat", "auth_time", "nonce", "name", "email", "email_verified", "zoneinfo",
            "updated_at",
        ],
        "prompt_values_supported": ["none", "login", "consent"],
        "request_parameter_supported": false,
        "request_uri_parameter_supported": false,
    });
    if let (Value::Object(document), Value::Object(rest)) = (&mut document, rest) {
        document.extend(rest);
    }
    document
}

/// Under which paths of the host the server's document is asked for: with the issuer's path after the well-known one
/// (RFC 8414, 3.1) and before it (OpenID Connect Discovery, 4).
pub fn server_paths(issuer: &Issuer) -> Vec<String> {
    let path = issuer.path();
    let names = ["/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"];
    let mut paths: Vec<_> = names.iter().map(|name| format!("{name}{path}")).collect();
    if !path.is_empty() {
        paths.extend(names.iter().map(|name| format!("{path}{name}")));
    }
    paths
}

/// The document of something that takes tokens, at a path of this server (RFC 9728, 2).
pub fn resource(issuer: &Issuer, path: &str, name: &str) -> Value {
    json!({
        "resource": issuer.at(path),
        "authorization_servers": [issuer.as_str()],
        "bearer_methods_supported": ["header"],
        "scopes_supported": heddle_model::Scope::ALL.iter().map(|scope| scope.as_str()).collect::<Vec<_>>(),
        "resource_name": name,
    })
}

/// Under which path of the host the document of such a thing is asked for (RFC 9728, 3.1).
pub fn resource_path(issuer: &Issuer, path: &str) -> String {
    format!("/.well-known/oauth-protected-resource{}{path}", issuer.path())
}

/// The address of that document.
pub fn resource_url(issuer: &Issuer, path: &str) -> String {
    let host = issuer.as_str().strip_suffix(issuer.path()).unwrap_or(issuer.as_str());
    format!("{host}{}", resource_path(issuer, path))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::issuer;

    const ALL: Switches = Switches { pushed: true, registration: true };
    const NONE: Switches = Switches { pushed: false, registration: false };

    /// `auth.md` 12.2, member by member.
    #[test]
    fn the_document_says_what_there_is() {
        let expected = r#"{"issuer":"https://agents.example.org","authorization_endpoint":"https://agents.example.org/auth/authorize",
 "token_endpoint":"https://agents.example.org/api/oauth/token","introspection_endpoint":"https://agents.example.org/api/oauth/introspect",
 "revocation_endpoint":"https://agents.example.org/api/oauth/revoke","userinfo_endpoint":"https://agents.example.org/api/oauth/userinfo",
 "jwks_uri":"https://agents.example.org/api/oauth/jwks","pushed_authorization_request_endpoint":"https://agents.example.org/api/oauth/par",
 "registration_endpoint":"https://agents.example.org/api/oauth/register",
 "response_types_supported":["code"],"response_modes_supported":["query"],"grant_types_supported":["authorization_code","refresh_token"],
 "code_challenge_methods_supported":["S256"],
 "token_endpoint_auth_methods_supported":["client_secret_basic","client_secret_post","none"],
 "introspection_endpoint_auth_methods_supported":["client_secret_basic","client_secret_post"],
 "revocation_endpoint_auth_methods_supported":["client_secret_basic","client_secret_post","none"],
 "authorization_response_iss_parameter_supported":true,"subject_types_supported":["public"],
 "id_token_signing_alg_values_supported":["RS256","ES256"],"claims_supported":["sub","iss","aud","exp","iat","auth_time","nonce","name","email","email_verified","zoneinfo","updated_at"],
 "prompt_values_supported":["none","login","consent"],"request_parameter_supported":false,"request_uri_parameter_supported":false}"#;
        let mut expected: Value = serde_json::from_str(expected).unwrap();
        let mut document = server(&issuer(), ALL);
        let scopes = document.as_object_mut().unwrap().remove("scopes_supported").unwrap();
        assert_eq!(document, expected);
        assert_eq!(scopes.as_array().unwrap().len(), 29);
        assert_eq!((&scopes[0], &scopes[4]), (&json!("openid"), &json!("IDENTITY")));
        let small = server(&issuer(), NONE);
        for name in ["pushed_authorization_request_endpoint", "registration_endpoint"] {
            assert!(small.get(name).is_none());
            expected.as_object_mut().unwrap().remove(name);
        }
    }

    /// RFC 8414, 3.1; OpenID Connect Discovery, 4; RFC 9728, 3.1.
    #[test]
    fn documents_are_found_by_both_conventions() {
        let plain = Issuer::new("https://agents.example.org/");
        assert_eq!(plain.as_str(), "https://agents.example.org");
        assert_eq!(
            server_paths(&plain),
            ["/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"]
        );
        let nested = Issuer::new("https://agents.example.org/a/b/");
        let paths = server_paths(&nested);
        assert!(paths.contains(&"/.well-known/oauth-authorization-server/a/b".to_owned()));
        assert!(paths.contains(&"/a/b/.well-known/openid-configuration".to_owned()));
        assert_eq!(resource_path(&nested, "/mcp"), "/.well-known/oauth-protected-resource/a/b/mcp");
        let url = "https://agents.example.org/.well-known/oauth-protected-resource/a/b/mcp";
        assert_eq!(resource_url(&nested, "/mcp"), url);
        assert_eq!(resource_url(&plain, "/x"), "https://agents.example.org/.well-known/oauth-protected-resource/x");
        assert_eq!(resource(&nested, "/mcp", "MCP")["resource"], "https://agents.example.org/a/b/mcp");
    }
}
