use super::*;
use crate::authorization::rules::oidc::Algorithm;
use ring::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};

#[tokio::test]
async fn of_two_who_refresh_at_once_one_gets_tokens_and_nobody_is_logged_out() {
    let bed = Bed::new().await;
    let app = bed.app().await;
    let mut tokens = bed.tokens(&app, "RUN_AGENT").await;
    for _ in 0..5 {
        let refresh = text(&tokens, "refresh_token").to_owned();
        let (one, other) = tokio::join!(bed.refresh(&app, &refresh), bed.refresh(&app, &refresh));
        let (won, lost) = if one.status == 200 { (one, other) } else { (other, one) };
        assert_eq!(bad(lost, 400), "Invalid grant: refresh token has been revoked");
        tokens = good(won);
        assert_eq!(bed.problem(&tokens).await, None);
    }
}

/// `auth.md` 12.10, 6.
#[tokio::test]
async fn a_refresh_token_that_comes_again_ends_its_family_after_ten_seconds() {
    let bed = Bed::new().await;
    let app = bed.app().await;
    let first = bed.tokens(&app, "RUN_AGENT").await;
    bed.pass(60);
    let second = good(bed.refresh(&app, text(&first, "refresh_token")).await);
    bed.pass(10);
    bad(bed.refresh(&app, text(&first, "refresh_token")).await, 400);
    assert_eq!((bed.problem(&first).await, bed.problem(&second).await), (None, None));
    bed.pass(1);
    bad(bed.refresh(&app, text(&first, "refresh_token")).await, 400);
    for tokens in [&first, &second] {
        assert_eq!(bed.problem(tokens).await.as_deref(), Some("Invalid token: access token has been revoked"));
    }
    bad(bed.refresh(&app, text(&second, "refresh_token")).await, 400);
}

/// `auth.md` 12.10, 9, and 5.3.
#[tokio::test]
async fn an_application_that_is_switched_off_gets_nothing_until_it_is_on_again() {
    let bed = Bed::new().await;
    let app = bed.app().await;
    let tokens = bed.tokens(&app, "RUN_AGENT").await;
    let id = app.client.id.to_string();
    assert_eq!(bed.problem(&tokens).await, None);
    bed.server.set_app_active(By::Person(bed.ada), &id, false).await.unwrap();
    assert_eq!(bed.problem(&tokens).await.as_deref(), Some("Client application is disabled"));
    let json = json!({
        "grant_type": "refresh_token", "refresh_token": tokens["refresh_token"],
        "client_id": app.client.client_id, "client_secret": app.secret.as_ref().unwrap().expose(),
    });
    assert_eq!(bad(bed.json("token", &json).await, 401), "Application is not active");
    let watcher = bed.app().await;
    bed.server
        .change_app(
            By::Operator,
            &watcher.client.id.to_string(),
            Change { is_resource_server: Some(true), ..Change::default() },
        )
        .await
        .unwrap();
    let form = format!("token={}", text(&tokens, "access_token"));
    assert_eq!(good(bed.post(&watcher, "introspect", &form).await), json!({"active": false}));
    bed.server.set_app_active(By::Person(bed.ada), &id, true).await.unwrap();
    assert_eq!(bed.problem(&tokens).await, None);
    assert_eq!(good(bed.post(&watcher, "introspect", &form).await)["active"], true);
}

/// `auth.md` 7.5.
#[tokio::test]
async fn tokens_of_a_disabled_account_open_nothing() {
    let bed = Bed::new().await;
    let app = bed.app().await;
    let tokens = bed.tokens(&app, "IDENTITY").await;
    assert_eq!(bed.problem(&tokens).await, None);
    bed.platform.accounts.disable("ada@example.org").await.unwrap();
    assert_eq!(bed.problem(&tokens).await.as_deref(), Some("Invalid token: access token has been revoked"));
    assert_eq!(bed.server.userinfo(Some(text(&tokens, "access_token"))).await.status, 401);
    bad(bed.refresh(&app, text(&tokens, "refresh_token")).await, 400);
}

#[tokio::test]
async fn a_token_that_was_checked_is_checked_again_without_the_disk() {
    let bed = Bed::new().await;
    let app = bed.app().await;
    let tokens = bed.tokens(&app, "RUN_AGENT").await;
    assert_eq!(bed.problem(&tokens).await, None);
    bed.platform.store.close().await;
    assert_eq!(bed.problem(&tokens).await, None);
    bed.pass(3_600);
    assert_eq!(bed.problem(&tokens).await.as_deref(), Some("Invalid token: access token expired"));
}

#[tokio::test]
async fn a_revoked_token_opens_nothing_from_then_on() {
    let bed = Bed::new().await;
    let (app, other) = (bed.app().await, bed.app().await);
    let first = bed.tokens(&app, "RUN_AGENT").await;
    let second = good(bed.refresh(&app, text(&first, "refresh_token")).await);
    let revoke = async |app: &App, token: &str| good(bed.post(app, "revoke", &format!("token={token}")).await);
    for (app, token) in [(&other, text(&first, "access_token")), (&app, "agpt_xt_unknown"), (&app, "x")] {
        assert_eq!(revoke(app, token).await, json!({"status": "ok"}));
    }
    assert_eq!((bed.problem(&first).await, bed.problem(&second).await), (None, None));
    revoke(&app, text(&first, "access_token")).await;
    assert!(bed.problem(&first).await.unwrap().ends_with("revoked"));
    assert_eq!(bed.problem(&second).await, None, "it alone");
    revoke(&app, text(&second, "refresh_token")).await;
    assert!(bed.problem(&second).await.unwrap().ends_with("revoked"), "the whole family");
    for token in ["agpt_xt_unknown", "agpt_rt_x", "agpt_nothing"] {
        let detail = bed.server.bearer(token).await.unwrap().unwrap_err().to_string();
        assert_eq!(detail, "Invalid token: access token not found", "{token}");
    }
}

#[tokio::test]
async fn an_application_that_may_less_than_before_does_less_at_once() {
    let bed = Bed::new().await;
    let app = bed.app().await;
    let tokens = bed.tokens(&app, "IDENTITY+RUN_AGENT").await;
    let scopes =
        async || bed.server.bearer(text(&tokens, "access_token")).await.unwrap().unwrap().principal.scopes.clone();
    assert_eq!(scopes().await, [Permission::Identity, Permission::RunAgent]);
    let change = Change { scopes: Some(vec![Permission::RunAgent]), ..Change::default() };
    bed.server.change_app(By::Person(bed.ada), &app.client.id.to_string(), change).await.unwrap();
    assert_eq!(scopes().await, [Permission::RunAgent]);
}

#[tokio::test]
async fn an_application_may_ask_for_less_when_it_refreshes() {
    let bed = Bed::new().await;
    let app = bed.app().await;
    let tokens = bed.tokens(&app, "IDENTITY+RUN_AGENT").await;
    let form = |token: &str, scope: &str| format!("grant_type=refresh_token&refresh_token={token}&scope={scope}");
    let wider = bed.post(&app, "token", &form(text(&tokens, "refresh_token"), "WRITE_FILES")).await;
    assert_eq!((wider.status, text(&wider.body, "error")), (400, "invalid_scope"));
    let less = good(bed.post(&app, "token", &form(text(&tokens, "refresh_token"), "RUN_AGENT")).await);
    assert_eq!(less["scopes"], json!(["RUN_AGENT"]));
    let all = good(bed.refresh(&app, text(&less, "refresh_token")).await);
    assert_eq!(all["scopes"], json!(["IDENTITY", "RUN_AGENT"]));
}

/// `auth.md` 12.7.
#[tokio::test]
async fn who_may_know_the_person_is_told() {
    let bed = Bed::new().await;
    let app = bed.app().await;
    for (scope, status, claims) in [
        (
            "IDENTITY",
            200,
            json!({
                "sub": bed.ada, "name": "Ada", "email": "ada@example.org", "email_verified": false,
            }),
        ),
        ("openid", 200, json!({"sub": bed.ada})),
        ("openid+email", 200, json!({"sub": bed.ada, "email": "ada@example.org", "email_verified": false})),
        ("RUN_AGENT", 403, Value::Null),
    ] {
        let tokens = bed.tokens(&app, scope).await;
        let mut answer = bed.server.userinfo(Some(text(&tokens, "access_token"))).await;
        assert_eq!(answer.status, status, "{scope}");
        if status == 200 {
            answer.body.as_object_mut().unwrap().remove("updated_at");
            assert_eq!(answer.body, claims, "{scope}");
        } else {
            assert!(answer.challenge.unwrap().contains("error=\"insufficient_scope\", scope=\"openid\""));
        }
    }
    let none = bed.server.userinfo(None).await;
    assert_eq!((none.status, none.challenge.as_deref()), (401, Some("Bearer realm=\"http://127.0.0.1:8006\"")));
}

/// `auth.md` 12.7: publish the next key first.
#[tokio::test]
async fn the_next_signing_key_is_published_a_day_before_it_signs() {
    let bed = Bed::new().await;
    let app = bed.app().await;
    let kids = async || {
        let set = bed.server.jwks().await.unwrap();
        let keys = set["keys"].as_array().unwrap().iter();
        let usual = keys.filter(|key| key["alg"] == "RS256");
        usual.map(|key| key["kid"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let signer =
        async || part(text(&bed.tokens(&app, "openid").await, "id_token"), 0)["kid"].as_str().unwrap().to_owned();
    const DAY: i64 = 86_400;
    let first = kids().await;
    assert_eq!((first.len(), signer().await), (1, first[0].clone()));
    bed.pass(89 * DAY - 1);
    assert_eq!(kids().await, first);
    bed.pass(1);
    let both = kids().await;
    assert_eq!((both.len(), &both[0]), (2, &first[0]));
    bed.pass(DAY - 1);
    assert_eq!(signer().await, first[0]);
    bed.pass(1);
    assert_eq!((signer().await, kids().await), (both[1].clone(), both.clone()));
    bed.pass(DAY);
    assert_eq!(kids().await, both[1..]);
}

/// `auth.md` 12.7: optional ES256, chosen by the application.
#[tokio::test]
async fn an_application_that_chooses_es256_gets_it() {
    let bed = Bed::new().await;
    let app = bed.app().await;
    let change = Change { id_token_algorithm: Some(Algorithm::Es256), ..Change::default() };
    bed.server.change_app(By::Operator, &app.client.id.to_string(), change).await.unwrap();
    let tokens = bed.tokens(&app, "openid").await;
    let id_token = text(&tokens, "id_token");
    let set = bed.server.jwks().await.unwrap();
    let key = &set["keys"][1];
    assert_eq!((&part(id_token, 0)["alg"], &part(id_token, 0)["kid"]), (&json!("ES256"), &key["kid"]));
    let bytes = |text: &str| URL_SAFE_NO_PAD.decode(text).unwrap();
    let point = [vec![4], bytes(key["x"].as_str().unwrap()), bytes(key["y"].as_str().unwrap())].concat();
    let (signed, signature) = id_token.rsplit_once('.').unwrap();
    let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point);
    key.verify(signed.as_bytes(), &bytes(signature)).unwrap();
}
