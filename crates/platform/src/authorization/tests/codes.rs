use super::*;

#[tokio::test]
async fn a_person_allows_an_application_and_it_gets_tokens() {
    let bed = Bed::new().await;
    let app = bed.app().await;
    let request = bed.request(&app, "scope=openid+RUN_AGENT&nonce=n1");
    let View::Ask(asked) = bed.server.view(&request, Some(&bed.session())).await.unwrap() else { panic!("not asked") };
    assert_eq!(asked.request.scopes.to_string(), "openid RUN_AGENT");
    let Decision::Redirect(url) = bed.server.decide(&request, &bed.session(), true).await.unwrap() else {
        panic!("no redirect")
    };
    assert!(url.starts_with(&format!("{CALLBACK}?code=")), "{url}");
    assert!(url.contains("&state=s&iss=http"), "{url}");
    let body = good(bed.redeem(&app, &parameter(&url, "code")).await);
    assert_eq!((text(&body, "scope"), &body["expires_in"]), ("openid RUN_AGENT", &json!(3600)));
    assert_eq!(text(&body, "access_token_expires_at"), "2026-02-03T11:00:00Z");

    let id_token = text(&body, "id_token");
    let (header, claims) = (part(id_token, 0), part(id_token, 1));
    let jwks = bed.server.jwks().await.unwrap();
    assert_eq!((&header["alg"], &header["kid"]), (&json!("RS256"), &jwks["keys"][0]["kid"]));
    assert_eq!(jwks["keys"][1]["alg"], "ES256", "for those who choose it");
    assert_eq!((&claims["nonce"], &claims["sub"]), (&json!("n1"), &json!(bed.ada)));
    assert_eq!(claims["auth_time"], json!(TEN.unix()));

    let bearer = bed.server.bearer(text(&body, "access_token")).await.unwrap().unwrap();
    assert_eq!((bearer.principal.user, bearer.principal.scopes.clone()), (bed.ada, vec![Permission::RunAgent]));
}

#[tokio::test]
async fn the_json_of_existing_applications_gets_the_same() {
    let bed = Bed::new().await;
    let app = bed.app().await;
    let asked = json!({
        "client_id": app.client.client_id, "redirect_uri": CALLBACK, "scopes": ["RUN_AGENT"], "state": "s",
        "response_type": "code", "code_challenge": CHALLENGE, "code_challenge_method": "S256",
    });
    let answer = bed.server.decide_upstream(&asked, &bed.session()).await.unwrap();
    let code = parameter(text(&good(answer), "redirect_url"), "code");
    let mut wanted = json!({
        "grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, "code_verifier": VERIFIER,
        "client_id": app.client.client_id, "client_secret": app.secret.as_ref().unwrap().expose(),
    });
    let body = good(bed.json("token", &wanted).await);
    assert_eq!(body["scopes"], json!(["RUN_AGENT"]));
    assert_eq!(bed.problem(&body).await, None);
    for (name, value, status, detail) in [
        ("client_secret", "agpt_secret_wrong", 401, "Invalid client_secret"),
        ("client_id", "nobody", 401, "Invalid client_id"),
        ("code", "nothing", 400, "Invalid grant: authorization code not found"),
    ] {
        let right = wanted[name].clone();
        wanted[name] = value.into();
        assert_eq!(bad(bed.json("token", &wanted).await, status), detail);
        wanted[name] = right;
    }
    let detail = "Invalid grant: authorization code already used at 2026-02-03 10:00:00+00:00";
    assert_eq!(bad(bed.json("token", &wanted).await, 400), detail);
    let unknown = bed.server.decide_upstream(&json!({"client_id": "x"}), &bed.session()).await.unwrap_err();
    assert_eq!(unknown.len(), 4, "{unknown:?}");
}

#[tokio::test]
async fn of_two_who_redeem_a_code_at_once_one_gets_tokens() {
    let bed = Bed::new().await;
    let app = bed.app().await;
    for _ in 0..5 {
        let code = bed.code(&app, "RUN_AGENT").await;
        let (one, other) = tokio::join!(bed.redeem(&app, &code), bed.redeem(&app, &code));
        let (won, lost) = if one.status == 200 { (one, other) } else { (other, one) };
        let tokens = good(won);
        assert!(bad(lost, 400).starts_with("Invalid grant: authorization code already used at "));
        let revoked = "Invalid token: access token has been revoked";
        assert_eq!(bed.problem(&tokens).await.as_deref(), Some(revoked), "somebody has seen the code");
    }
}

#[tokio::test]
async fn a_code_that_comes_again_ends_what_came_of_it_at_once() {
    let bed = Bed::new().await;
    let app = bed.app().await;
    let code = bed.code(&app, "RUN_AGENT").await;
    let wrong = format!("grant_type=authorization_code&code={code}&redirect_uri={CALLBACK}&code_verifier=x");
    assert_eq!(bad(bed.post(&app, "token", &wrong).await, 400), "Invalid grant: PKCE verification failed");
    let tokens = good(bed.redeem(&app, &code).await);
    assert_eq!(bed.problem(&tokens).await, None);
    bad(bed.redeem(&app, &code).await, 400);
    assert!(bed.problem(&tokens).await.unwrap().ends_with("has been revoked"));
    let lost = bed.refresh(&app, text(&tokens, "refresh_token")).await;
    assert_eq!(bad(lost, 400), "Invalid grant: refresh token has been revoked");
}

#[tokio::test]
async fn a_code_waits_ten_minutes() {
    let bed = Bed::new().await;
    let app = bed.app().await;
    let (soon, late) = (bed.code(&app, "RUN_AGENT").await, bed.code(&app, "RUN_AGENT").await);
    bed.pass(599);
    good(bed.redeem(&app, &soon).await);
    bed.pass(1);
    assert_eq!(bad(bed.redeem(&app, &late).await, 400), "Invalid grant: authorization code expired");
}

#[tokio::test]
async fn a_pushed_request_is_decided_once() {
    let bed = Bed::new().await;
    let app = bed.app().await;
    let form = bed.request(&app, "scope=RUN_AGENT").encode();
    let pushed = bed.post(&app, "par", &form).await;
    assert_eq!((pushed.status, &pushed.body["expires_in"]), (201, &json!(90)));
    let query = format!("client_id={}&request_uri={}", app.client.client_id, text(&pushed.body, "request_uri"));
    let request = Parameters::parse(query.as_bytes()).unwrap();
    bed.pass(80);
    assert!(matches!(bed.server.view(&request, Some(&bed.session())).await.unwrap(), View::Ask(_)));
    bed.pass(100);
    let allowed = bed.server.decide(&request, &bed.session(), true).await.unwrap();
    let Decision::Redirect(url) = allowed else { panic!("{allowed:?}") };
    good(bed.redeem(&app, &parameter(&url, "code")).await);
    for allows in [true, false] {
        let again = bed.server.decide(&request, &bed.session(), allows).await.unwrap();
        assert_eq!(again, Decision::Page(rules::request::PageError::Pushed));
    }
    let bad_scope = bed.request(&app, "scope=WRITE_FILES").encode();
    let refused = bed.post(&app, "par", &bad_scope).await;
    assert_eq!((refused.status, text(&refused.body, "error")), (400, "invalid_scope"));
}
