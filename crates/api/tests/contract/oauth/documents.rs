use super::*;
use heddle_platform::authorization::rules::registration::Policy;

const DOCUMENTS: [&str; 2] = ["/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"];

/// `auth.md` 12.2.
#[tokio::test]
async fn the_document_is_at_both_places_and_may_be_kept() {
    let bed = Bed::with(Rules { registration: Policy::Token, ..Rules::default() }).await;
    for path in DOCUMENTS {
        let answer = bed.bed.ask("GET", path).header("origin", "https://app.example").send().await;
        assert_eq!(answer.header("cache-control"), "public, max-age=300");
        assert_eq!(answer.header("access-control-allow-origin"), "*");
        let body = answer.expect(200);
        assert_eq!(text(&body, "issuer"), ISSUER);
        assert_eq!(text(&body, "registration_endpoint"), format!("{ISSUER}/api/oauth/register"));
        assert_eq!(body["id_token_signing_alg_values_supported"], json!(["RS256", "ES256"]));
    }
}

/// RFC 8414, 3.1; OpenID Connect Discovery, 4: behind a prefix, and where a proxy takes it off.
#[tokio::test]
async fn behind_a_prefix_the_document_is_found_by_either_convention() {
    let issuer = "https://agents.example.org/a/b";
    let authorization = Rules { issuer: Issuer::new(issuer), ..Rules::default() };
    let settings = ApiSettings { public_url: Some(issuer.to_owned()), ..ApiSettings::default() };
    let bed = Testbed::opened(settings, Options { authorization, ..Options::default() }).await;
    for path in [
        "/.well-known/oauth-authorization-server/a/b",
        "/.well-known/openid-configuration/a/b",
        "/a/b/.well-known/openid-configuration",
        "/a/b/.well-known/oauth-authorization-server",
        "/.well-known/openid-configuration",
    ] {
        let body = bed.ask("GET", path).send().await.expect(200);
        assert_eq!(
            (text(&body, "issuer"), text(&body, "token_endpoint")),
            (issuer, &*format!("{issuer}/api/oauth/token"))
        );
    }
    bed.ask("GET", "/a/b/api/oauth/jwks").send().await.expect(200);
    for path in [
        "/.well-known/oauth-protected-resource/a/b/external-api",
        "/a/b/.well-known/oauth-protected-resource/external-api",
        "/.well-known/oauth-protected-resource/external-api",
    ] {
        let body = bed.ask("GET", path).send().await.expect(200);
        assert_eq!(text(&body, "resource"), format!("{issuer}/external-api"), "{path}");
        assert_eq!(body["authorization_servers"], json!([issuer]), "{path}");
    }
    bed.ask("GET", "/.well-known/openid-configuration/a").send().await.expect(404);
}

#[tokio::test]
async fn the_keys_are_the_same_for_everybody_and_hold_nothing_private() {
    let bed = Bed::new().await;
    let (one, other) =
        tokio::join!(bed.bed.ask("GET", "/api/oauth/jwks").send(), bed.bed.ask("GET", "/api/oauth/jwks").send());
    let one = one.expect(200);
    assert_eq!(one, other.expect(200));
    let names = |at: usize| {
        let mut names: Vec<_> = one["keys"][at].as_object().unwrap().keys().map(String::as_str).collect();
        names.sort_unstable();
        names
    };
    assert_eq!(names(0), ["alg", "e", "kid", "kty", "n", "use"], "what libraries take for granted is first");
    assert_eq!(names(1), ["alg", "crv", "kid", "kty", "use", "x", "y"]);
    assert_eq!(one["keys"].as_array().unwrap().len(), 2);
}

/// `auth.md` 12.2: preflights, from any origin and without cookies.
#[tokio::test]
async fn pages_of_any_origin_may_ask() {
    let settings = ApiSettings { cors_origins: vec!["https://mine.example".to_owned()], ..ApiSettings::default() };
    let bed = Testbed::with(settings).await;
    for path in ["token", "introspect", "revoke", "userinfo", "jwks", "par"] {
        let ask = bed.ask("OPTIONS", &format!("/api/oauth/{path}")).header("origin", "https://other.example");
        let ask = ask.header("access-control-request-method", "POST");
        let answer = ask.header("access-control-request-headers", "authorization").send().await;
        assert_eq!(answer.status.as_u16(), 200, "{path}");
        assert_eq!(answer.header("access-control-allow-origin"), "*", "{path}");
        assert_eq!(answer.header("access-control-allow-headers"), "authorization", "{path}");
        assert_eq!(answer.header("access-control-allow-credentials"), "", "{path}");
    }
    let bad = bed.ask("POST", "/api/oauth/token").header("origin", "https://other.example").send().await;
    assert_eq!(bad.header("access-control-allow-origin"), "*", "errors can be read too");
}

#[tokio::test]
async fn wrong_methods_are_told_the_right_ones() {
    let bed = Bed::new().await;
    for (path, allow) in [("/api/oauth/token", "POST"), ("/api/oauth/userinfo", "GET, POST"), (DOCUMENTS[0], "GET")] {
        let answer = bed.bed.ask("DELETE", path).send().await;
        assert_eq!(answer.header("allow"), allow);
        answer.expect(405);
    }
    bed.bed.ask("POST", "/api/oauth/register").send().await.expect(404);
}
