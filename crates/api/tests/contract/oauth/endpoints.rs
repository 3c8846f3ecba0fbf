use super::*;
use heddle_platform::authorization::rules::registration::Policy;

/// `auth.md` 7.1, 11 and 12.3: member by member, in both dialects.
#[tokio::test]
async fn a_code_and_a_refresh_token_get_the_members_of_both_dialects() {
    let bed = Bed::new().await;
    let expected = json!({
        "token_type": "Bearer", "access_token": "*", "access_token_expires_at": "*", "refresh_token": "*",
        "refresh_token_expires_at": "*", "scopes": ["RUN_AGENT"], "expires_in": 3600, "scope": "RUN_AGENT",
    });
    let answer = bed.redeem(&bed.code("RUN_AGENT").await).await;
    assert_eq!(answer.header("content-type"), "application/json");
    assert!(answer.header("cache-control").contains("no-store"));
    assert_eq!(answer.header("pragma"), "no-cache");
    assert_eq!(masked(answer.expect(200)), expected);
    let code = bed.code("RUN_AGENT").await;
    let wanted = json!({
        "grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, "code_verifier": VERIFIER,
    });
    let body = bed.json("/api/oauth/token", wanted).await.expect(200);
    assert!(text(&body, "access_token").starts_with("agpt_xt_") && text(&body, "access_token").len() == 51);
    assert!(text(&body, "refresh_token").starts_with("agpt_rt_"));
    assert_eq!(masked(body.clone()), expected);
    let refresh = json!({"grant_type": "refresh_token", "refresh_token": body["refresh_token"]});
    let second = bed.json("/api/oauth/token", refresh).await.expect(200);
    assert_eq!(masked(second.clone()), expected);
    let form = format!("grant_type=refresh_token&refresh_token={}", text(&second, "refresh_token"));
    assert_eq!(masked(bed.form("/api/oauth/token", &form).await.expect(200)), expected);
}

/// `auth.md` 11.3: JSON without a content type is JSON.
#[tokio::test]
async fn json_needs_no_content_type() {
    let bed = Bed::new().await;
    let body = json!({
        "grant_type": "authorization_code", "code": bed.code("RUN_AGENT").await, "redirect_uri": CALLBACK,
        "code_verifier": VERIFIER, "client_id": bed.app.client_id, "client_secret": bed.secret,
    });
    bed.bed.ask("POST", "/api/oauth/token").raw(body.to_string()).send().await.expect(200);
}

/// The table of `auth.md` 12.3.
#[tokio::test]
async fn refusals_have_the_status_and_headers_of_their_dialect() {
    let bed = Bed::new().await;
    let path = "/api/oauth/token";
    let form = "application/x-www-form-urlencoded";
    let own = format!("client_id={}&client_secret={}", bed.app.client_id, bed.secret);
    let wrong = format!("Basic {}", "YTpi");
    for (content_type, basic, body, status, error, challenged) in [
        (form, Some(wrong.as_str()), "grant_type=refresh_token&refresh_token=x", 401, "invalid_client", true),
        (
            form,
            None,
            "grant_type=refresh_token&refresh_token=x&client_id=a&client_secret=b",
            401,
            "invalid_client",
            false,
        ),
        (form, None, "grant_type=refresh_token&refresh_token=x", 401, "invalid_client", false),
        (form, None, &format!("grant_type=refresh_token&refresh_token=x&{own}"), 400, "invalid_grant", false),
        (form, None, &format!("grant_type=refresh_token&{own}"), 400, "invalid_request", false),
        (form, None, &format!("grant_type=password&{own}"), 400, "unsupported_grant_type", false),
        (form, None, &format!("grant_type=x&grant_type=y&{own}"), 400, "invalid_request", false),
        (
            form,
            Some(&bed.basic()),
            &format!("grant_type=refresh_token&refresh_token=x&{own}"),
            400,
            "invalid_request",
            false,
        ),
        ("application/json", None, "{}", 422, "invalid_request", false),
        ("application/json", None, r#"{"grant_type": "password"}"#, 422, "unsupported_grant_type", false),
        ("application/json", None, "{", 422, "invalid_request", false),
        ("text/plain", None, "x", 400, "invalid_request", false),
    ] {
        let answer = bed.ask(path, content_type, basic, body).await;
        assert_eq!(answer.status.as_u16(), status, "{body}: {}", answer.json());
        assert_eq!(!answer.header("www-authenticate").is_empty(), challenged, "{body}");
        let json = answer.json();
        assert_eq!(text(&json, "error"), error, "{body}");
        assert!(json["error_description"].is_string() && !json["detail"].is_null(), "{json}");
        assert_eq!(json["detail"].is_array(), status == 422, "{json}");
    }
    let items = bed.ask(path, "application/json", None, r#"{"grant_type": "x"}"#).await.expect(422);
    assert_eq!(items["detail"][0]["loc"], json!(["body", "TokenRequestByCode", "grant_type"]));
    assert_eq!(items["message"], "Invalid data for POST /api/oauth/token");
}

/// `auth.md` 7.2 and 12.5.
#[tokio::test]
async fn introspection_speaks_both_dialects() {
    let bed = Bed::new().await;
    let tokens = bed.tokens("IDENTITY").await;
    let path = "/api/oauth/introspect";
    for (member, kind) in [("access_token", "access_token"), ("refresh_token", "refresh_token")] {
        let body = bed.json(path, json!({"token": tokens[member], "token_type_hint": kind})).await.expect(200);
        assert_eq!(
            masked(body),
            json!({
                "active": true, "scopes": ["IDENTITY"], "client_id": "*", "user_id": "*", "exp": "*", "token_type": kind,
            })
        );
    }
    let body = bed.form(path, &format!("token={}", text(&tokens, "access_token"))).await.expect(200);
    assert_eq!(body["sub"], json!(bed.ada.user));
    assert_eq!(
        masked(body),
        json!({
            "active": true, "scope": "IDENTITY", "client_id": "*", "sub": "*", "username": "ada@example.org",
            "token_type": "Bearer", "exp": "*", "iat": "*", "iss": ISSUER, "scopes": ["IDENTITY"], "user_id": "*",
        })
    );
    assert_eq!(bed.form(path, "token=agpt_xt_x").await.expect(200), json!({"active": false}));
    assert_eq!(
        bed.json(path, json!({"token": "agpt_xt_x"})).await.expect(200),
        json!({
            "active": false, "scopes": null, "client_id": null, "user_id": null, "exp": null, "token_type": null,
        })
    );
    let hint = bed.json(path, json!({"token": "x", "token_type_hint": "id_token"})).await.expect(422);
    assert_eq!(hint["detail"][0]["loc"], json!(["body", "token_type_hint"]));
}

/// `auth.md` 7.3.
#[tokio::test]
async fn revocation_always_says_ok() {
    let bed = Bed::new().await;
    let tokens = bed.tokens("IDENTITY").await;
    let path = "/api/oauth/revoke";
    bed.call("/me", text(&tokens, "access_token")).await.expect(200);
    for _ in 0..2 {
        let body = bed.json(path, json!({"token": tokens["access_token"]})).await.expect(200);
        assert_eq!(body, json!({"status": "ok"}));
    }
    assert_eq!(bed.form(path, "token=unknown").await.expect(200), json!({"status": "ok"}));
    let refused = bed.call("/me", text(&tokens, "access_token")).await.expect(401);
    assert_eq!(refused, json!({"detail": "Invalid token: access token has been revoked"}));
}

#[tokio::test]
async fn an_application_without_a_secret_is_known_by_its_verifier() {
    let bed = Bed::with(Rules { registration: Policy::Open, ..Rules::default() }).await;
    let metadata = json!({
        "client_name": "Tool", "redirect_uris": ["http://127.0.0.1/cb"], "token_endpoint_auth_method": "none",
    });
    let made = bed.ask("/api/oauth/register", "application/json", None, &metadata.to_string()).await.expect(201);
    let id = text(&made, "client_id");
    let callback = "http://127.0.0.1:49152/cb";
    let query =
        format!("response_type=code&client_id={id}&redirect_uri={callback}&scope=IDENTITY&code_challenge={CHALLENGE}");
    let session = Session { user: bed.ada.user, auth_time: Time(0) };
    let request = Parameters::parse(query.as_bytes()).unwrap();
    let decided = bed.bed.platform.authorization.decide(&request, &session, true).await.unwrap();
    let Decision::Redirect(url) = decided else { panic!("{decided:?}") };
    assert!(url.starts_with(callback), "{url}");
    let form = format!(
        "grant_type=authorization_code&code={}&redirect_uri={callback}&code_verifier={VERIFIER}&client_id={id}",
        parameter(&url, "code")
    );
    let tokens = bed.ask("/api/oauth/token", "application/x-www-form-urlencoded", None, &form).await.expect(200);
    bed.call("/me", text(&tokens, "access_token")).await.expect(200);
}

/// RFC 9126.
#[tokio::test]
async fn a_request_can_be_pushed() {
    let bed = Bed::new().await;
    let body = bed.form("/api/oauth/par", &bed.request("scope=RUN_AGENT")).await.expect(201);
    assert!(text(&body, "request_uri").starts_with("urn:ietf:params:oauth:request_uri:"));
    assert_eq!(body["expires_in"], 90);
    let off = Bed::with(Rules { pushed: false, ..Rules::default() }).await;
    off.form("/api/oauth/par", &off.request("scope=RUN_AGENT")).await.expect(404);
}

/// `auth.md` 12.10, 5.
#[tokio::test]
async fn of_two_requests_at_once_exactly_one_gets_tokens() {
    let bed = Bed::new().await;
    let code = bed.code("RUN_AGENT").await;
    let (one, other) = tokio::join!(bed.redeem(&code), bed.redeem(&code));
    let mut statuses = [one.status.as_u16(), other.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 400]);
    let refresh = text(&bed.tokens("RUN_AGENT").await, "refresh_token").to_owned();
    let form = format!("grant_type=refresh_token&refresh_token={refresh}");
    let path = "/api/oauth/token";
    let (one, other) = tokio::join!(bed.form(path, &form), bed.form(path, &form));
    let mut statuses = [one.status.as_u16(), other.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 400]);
}

#[tokio::test]
async fn what_is_too_long_is_refused_with_an_error() {
    let bed = Bed::new().await;
    let long = format!("grant_type={}", "x".repeat(40 << 10));
    let body = bed.form("/api/oauth/token", &long).await.expect(400);
    assert_eq!(text(&body, "error"), "invalid_request");
    let huge = format!("grant_type={}", "x".repeat(9 << 20));
    let body = bed.form("/api/oauth/token", &huge).await.expect(413);
    assert_eq!(text(&body, "error"), "invalid_request");
}

#[tokio::test]
async fn guessing_secrets_gets_slow() {
    let bed = Bed::new().await;
    let path = "/api/oauth/introspect";
    let wrong = json!({"token": "x", "client_id": bed.app.client_id, "client_secret": "agpt_secret_no"}).to_string();
    for _ in 0..30 {
        bed.ask(path, "application/json", None, &wrong).await.expect(401);
    }
    let answer = bed.ask(path, "application/json", None, &wrong).await;
    assert!((1..=60).contains(&answer.header("retry-after").parse::<u32>().unwrap()));
    assert_eq!(text(&answer.expect(429), "error"), "temporarily_unavailable");
}
