use super::*;

#[tokio::test]
async fn a_request_without_a_session_comes_back_after_the_sign_in() {
    let bed = Bed::new().await;
    let app = bed.app().await;
    let request = bed.request(&app, "scope=RUN_AGENT&prompt=login&login_hint=ada%40example.org");
    for session in [None, Some(bed.session())] {
        let View::SignIn { back, hint } = bed.server.view(&request, session.as_ref()).await.unwrap() else {
            panic!("no sign-in")
        };
        assert_eq!((back.get("prompt"), hint.as_deref()), (None, Some("ada@example.org")));
        assert!(matches!(bed.server.view(&back, Some(&bed.session())).await.unwrap(), View::Ask(_)));
    }
    assert!(matches!(bed.server.decide(&request, &bed.session(), true).await.unwrap(), Decision::SignIn(_)));
}

#[tokio::test]
async fn nobody_is_sent_anywhere_for_an_unknown_application_or_address() {
    let bed = Bed::new().await;
    let app = bed.app().await;
    let title = async |query: &str| {
        let request = Parameters::parse(query.as_bytes()).unwrap();
        match bed.server.view(&request, Some(&bed.session())).await.unwrap() {
            View::Page(error) => error.title(),
            other => panic!("{query}: {other:?}"),
        }
    };
    let own = &app.client.client_id;
    assert_eq!(title("client_id=x&redirect_uri=https://evil.example").await, "Application Not Found");
    assert_eq!(title(&format!("client_id={own}&redirect_uri=https://evil.example")).await, "Invalid redirect_uri");
    assert_eq!(title("scope=x").await, "Invalid Request");
    bed.server.set_app_active(By::Operator, &app.client.id.to_string(), false).await.unwrap();
    assert_eq!(title(&bed.request(&app, "scope=RUN_AGENT").encode()).await, "Application Not Found");
}

#[tokio::test]
async fn who_denies_is_sent_back_with_that() {
    let bed = Bed::new().await;
    let app = bed.app().await;
    let request = bed.request(&app, "scope=RUN_AGENT");
    let denied = bed.server.decide(&request, &bed.session(), false).await.unwrap();
    let Decision::Redirect(url) = denied else { panic!("{denied:?}") };
    assert!(url.contains("?error=access_denied&error_description=User+denied+access&state=s&iss="), "{url}");
}

#[tokio::test]
async fn what_was_allowed_before_needs_no_asking_where_silence_is_wanted() {
    let bed = Bed::new().await;
    let app = bed.app().await;
    let silent = bed.request(&app, "scope=RUN_AGENT&prompt=none");
    let outcome = async |session: Option<Session>| match bed.server.view(&silent, session.as_ref()).await.unwrap() {
        View::Redirect(url) => (parameter(&url, "error"), !parameter(&url, "code").is_empty()),
        other => panic!("{other:?}"),
    };
    assert_eq!(outcome(None).await.0, "login_required");
    assert_eq!(outcome(Some(bed.session())).await.0, "consent_required");
    bed.code(&app, "RUN_AGENT").await;
    assert_eq!(outcome(Some(bed.session())).await, (String::new(), true));
    bed.server.end_grant(bed.ada, &app.client.client_id).await.unwrap();
    assert_eq!(outcome(Some(bed.session())).await.0, "consent_required");
    let change = Change { is_trusted: Some(true), ..Change::default() };
    bed.server.change_app(By::Operator, &app.client.id.to_string(), change).await.unwrap();
    assert_eq!(outcome(Some(bed.session())).await, (String::new(), true));
}

/// `auth.md` 12.6.
#[tokio::test]
async fn a_person_sees_what_was_allowed_and_ends_it() {
    let bed = Bed::new().await;
    let (app, other) = (bed.app().await, bed.app().await);
    let bob = bed.person("bob").await;
    let first = bed.tokens(&app, "RUN_AGENT").await;
    bed.pass(100);
    let second = bed.tokens(&app, "IDENTITY").await;
    bed.pass(100);
    bed.tokens(&other, "openid").await;
    let grants = bed.server.grants(bed.ada).await.unwrap();
    let seen: Vec<_> = grants.iter().map(|grant| (grant.app.id, grant.scopes.to_string())).collect();
    assert_eq!(seen, [(other.client.id, "openid".to_owned()), (app.client.id, "RUN_AGENT IDENTITY".to_owned())]);
    assert_eq!((grants[1].created_at, grants[1].last_used_at), (TEN, TEN.plus_seconds(100)));
    assert_eq!(bed.server.grants(bob).await.unwrap(), []);

    assert_eq!((bed.problem(&first).await, bed.problem(&second).await), (None, None));
    let name = &app.client.client_id;
    assert!(matches!(bed.server.end_grant(bob, name).await, Err(Error::NotFound(_))));
    bed.server.end_grant(bed.ada, name).await.unwrap();
    for tokens in [&first, &second] {
        assert_eq!(bed.problem(tokens).await.as_deref(), Some("Invalid token: access token has been revoked"));
    }
    assert_eq!(bed.server.grants(bed.ada).await.unwrap().len(), 1);
    assert!(matches!(bed.server.end_grant(bed.ada, name).await, Err(Error::NotFound(_))));
    assert!(matches!(bed.server.end_grant(bed.ada, "nothing").await, Err(Error::NotFound(_))));
}

#[tokio::test]
async fn an_authorization_can_be_given_a_last_day() {
    let bed = Bed::with(Rules { family_seconds: Some(86_400), ..Rules::default() }).await;
    let app = bed.app().await;
    let mut tokens = bed.tokens(&app, "RUN_AGENT").await;
    assert_eq!(text(&tokens, "refresh_token_expires_at"), "2026-02-04T10:00:00Z");
    bed.pass(86_000);
    tokens = good(bed.refresh(&app, text(&tokens, "refresh_token")).await);
    assert_eq!(tokens["expires_in"], 400);
    bed.pass(400);
    assert_eq!(
        bad(bed.refresh(&app, text(&tokens, "refresh_token")).await, 400),
        "Invalid grant: refresh token expired"
    );
}

/// What is remembered can be seen and taken back, also when nothing of it is left.
#[tokio::test]
async fn a_consent_without_tokens_is_shown_and_ended() {
    let bed = Bed::new().await;
    let app = bed.app().await;
    bed.tokens(&app, "RUN_AGENT").await;
    bed.pass(40 * 86_400);
    let grants = bed.server.grants(bed.ada).await.unwrap();
    assert_eq!((grants.len(), grants[0].has_access, grants[0].scopes.to_string()), (1, false, "RUN_AGENT".to_owned()));
    bed.server.end_grant(bed.ada, &app.client.client_id).await.unwrap();
    assert_eq!(bed.server.grants(bed.ada).await.unwrap(), []);
}
