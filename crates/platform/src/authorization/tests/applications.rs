use super::*;
use crate::authorization::rules::client::Proof;
use crate::authorization::rules::{Digest, Kept};

fn imported(client_id: &str, secret: Kept) -> Imported {
    Imported {
        id: None,
        client_id: client_id.to_owned(),
        secret,
        name: "Old".to_owned(),
        description: None,
        logo_url: None,
        redirect_uris: vec![CALLBACK.to_owned()],
        grant_types: GrantType::ALL.to_vec(),
        scopes: vec![Permission::RunAgent],
        owner: None,
        is_active: true,
        created_at: None,
    }
}

/// Hash made with Python's `hashlib.scrypt(b"agpt_secret_test", salt=bytes(range(32)), n=16384, r=8, p=1, dklen=32)`.
fn old_secret() -> (Kept, Plain) {
    let salt = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
    let hash = "c82701254879f99fb222f1fb073d2e0d4e2674ff6736e48ba08e01cf46a4936b";
    (Kept::imported(hash, Some(salt)).unwrap(), Plain::new("agpt_secret_test"))
}

#[tokio::test]
async fn an_imported_secret_works_and_is_kept_by_its_digest_from_then_on() {
    let bed = Bed::new().await;
    let (kept, secret) = old_secret();
    let client = bed.server.import_app(imported("old", kept.clone())).await.unwrap();
    assert!(matches!(bed.server.import_app(imported("old", kept)).await, Err(Error::Conflict(_))));
    let wrong = App { client: client.clone(), secret: Some(Plain::new("agpt_secret_wrong")) };
    let app = App { client, secret: Some(secret) };
    assert_eq!(bad(bed.refresh(&wrong, "agpt_rt_x").await, 401), "Client authentication failed");
    assert!(bed.server.app_named("old").await.unwrap().proof.kept(TEN).all(Kept::is_slow));
    assert_eq!(bad(bed.refresh(&app, "agpt_rt_x").await, 400), "Invalid grant: refresh token not found");
    let now = bed.server.app_named("old").await.unwrap().proof;
    assert_eq!(now, Proof::Secret { current: Kept::Sha256(Digest::of("agpt_secret_test")), previous: None });
    assert_eq!(bad(bed.refresh(&app, "agpt_rt_x").await, 400), "Invalid grant: refresh token not found");
    assert_eq!(bed.refresh(&wrong, "agpt_rt_x").await.status, 401);
}

/// `auth.md` 12.1.
#[tokio::test]
async fn plain_challenges_are_for_imported_applications_as_long_as_that_is_wanted() {
    for (legacy_plain, is_allowed) in [(true, true), (false, false)] {
        let bed = Bed::with(Rules { legacy_plain, ..Rules::default() }).await;
        let (kept, secret) = old_secret();
        let client = bed.server.import_app(imported("old", kept)).await.unwrap();
        let old = App { client, secret: Some(secret) };
        let plain = |app: &App| bed.request(app, "scope=RUN_AGENT&code_challenge_method=plain");
        let asks =
            async |app: &App| matches!(bed.server.view(&plain(app), Some(&bed.session())).await.unwrap(), View::Ask(_));
        assert_eq!(asks(&old).await, is_allowed);
        assert!(!asks(&bed.app().await).await);
    }
}

#[tokio::test]
async fn only_the_owner_and_operators_change_an_application() {
    let bed = Bed::new().await;
    let app = bed.app().await;
    let (id, bob) = (app.client.id.to_string(), bed.person("bob").await);
    let foreign = bed.server.change_app(By::Person(bob), &id, Change::default()).await.unwrap_err();
    let unknown = bed.server.change_app(By::Person(bob), &bob.to_string(), Change::default()).await.unwrap_err();
    assert_eq!((&foreign, &foreign), (&unknown, &Error::NotFound("OAuth App not found".to_owned())));
    let status = bed.server.set_app_active(By::Person(bob), &id, false).await.unwrap_err();
    let words = "Application not found or you don't have permission to update it";
    assert_eq!(status, Error::NotFound(words.to_owned()));
    assert!(bed.server.rotate_app_secret(By::Person(bob), &id).await.is_err());
    assert!(bed.server.delete_app(By::Person(bob), "x").await.is_err());
    let trusted = Change { is_trusted: Some(true), ..Change::default() };
    let forbidden = bed.server.change_app(By::Person(bed.ada), &id, trusted.clone()).await;
    assert!(matches!(forbidden, Err(Error::Forbidden(_))));
    assert!(bed.server.change_app(By::Operator, &id, trusted).await.unwrap().is_trusted);
    let unfit = Change { redirect_uris: Some(vec!["javascript:alert(1)".to_owned()]), ..Change::default() };
    assert!(matches!(bed.server.change_app(By::Person(bed.ada), &id, unfit).await, Err(Error::Refused(_))));
    assert_eq!(bed.server.apps(By::Person(bed.ada)).await.unwrap().len(), 1);
    assert_eq!(bed.server.apps(By::Person(bob)).await.unwrap(), []);
    bed.server.delete_app(By::Person(bed.ada), &id).await.unwrap();
    assert_eq!(bed.server.apps(By::Operator).await.unwrap(), []);
}

#[tokio::test]
async fn changes_that_come_at_once_are_all_kept() {
    let bed = Bed::new().await;
    let app = bed.app().await;
    let id = app.client.id.to_string();
    let rename = Change { name: Some("Looms 2".to_owned()), ..Change::default() };
    let narrow = Change { scopes: Some(vec![Permission::RunAgent]), ..Change::default() };
    let by = By::Person(bed.ada);
    let (a, b, c) = tokio::join!(
        bed.server.change_app(by, &id, rename),
        bed.server.change_app(by, &id, narrow),
        bed.server.rotate_app_secret(by, &id)
    );
    let (_, secret) = c.unwrap();
    assert!(a.is_ok() && b.is_ok());
    let now = bed.server.app(by, &id).await.unwrap();
    assert_eq!((now.name.as_str(), now.scopes.as_slice()), ("Looms 2", &[Permission::RunAgent][..]));
    assert!(now.proof.kept(TEN).any(|kept| kept.is(secret.expose())));
}

/// `auth.md` 12.8.
#[tokio::test]
async fn a_replaced_secret_goes_on_for_a_day() {
    let bed = Bed::new().await;
    let old = bed.app().await;
    let rotated = bed.server.rotate_app_secret(By::Person(bed.ada), &old.client.id.to_string()).await.unwrap();
    let new = App { client: rotated.0, secret: Some(rotated.1) };
    let status = async |app: &App| bed.refresh(app, "agpt_rt_x").await.status;
    bed.pass(86_399);
    assert_eq!((status(&old).await, status(&new).await), (400, 400));
    bed.pass(1);
    assert_eq!((status(&old).await, status(&new).await), (401, 400));
    let public = bed.app_with(Draft { is_public: true, ..draft(&[Permission::RunAgent]) }).await;
    let refused = bed.server.rotate_app_secret(By::Operator, &public.client.id.to_string()).await;
    assert!(matches!(refused, Err(Error::Refused(_))));
}

/// `auth.md` 9.
#[tokio::test]
async fn too_many_wrong_secrets_are_not_looked_at() {
    let bed = Bed::new().await;
    let app = bed.app().await;
    let wrong = App { client: app.client.clone(), secret: Some(Plain::new("agpt_secret_wrong")) };
    for _ in 0..30 {
        assert_eq!(bed.refresh(&wrong, "agpt_rt_x").await.status, 401);
    }
    let answer = bed.refresh(&wrong, "agpt_rt_x").await;
    assert_eq!((answer.status, answer.retry_after), (429, Some(60)));
    assert_eq!(text(&answer.body, "error"), "temporarily_unavailable");
    bed.pass(60);
    assert_eq!(bed.refresh(&app, "agpt_rt_x").await.status, 400);
}

#[tokio::test]
async fn an_application_registers_itself_where_that_is_allowed() {
    let metadata = json!({"redirect_uris": ["http://127.0.0.1/cb"], "client_name": "Tool",
        "token_endpoint_auth_method": "none", "scope": "RUN_AGENT USE_TOOLS openid"});
    let open =
        Bed::with(Rules { registration: Policy::Open, ceiling: vec![Permission::RunAgent], ..Rules::default() }).await;
    let body = good(open.json("register", &metadata).await);
    assert!(body.get("client_secret").is_none() && text(&body, "scope").contains("RUN_AGENT"), "{body}");
    assert!(!text(&body, "scope").contains("USE_TOOLS"), "{body}");
    assert_eq!(open.server.app_named(text(&body, "client_id")).await.unwrap().owner, None);

    let bed = Bed::with(Rules { registration: Policy::Token, ..Rules::default() }).await;
    let ask = async |token: Option<&str>| {
        let header = token.map(|token| format!("Bearer {token}"));
        bed.ask("register", "application/json", header.as_deref(), &metadata.to_string()).await
    };
    let token = bed.server.create_registration_token(None).await.unwrap();
    assert_eq!(ask(None).await.status, 401);
    assert!(ask(Some("agpt_registration_x")).await.challenge.unwrap().contains("invalid_token"));
    assert_eq!(ask(Some(token.expose())).await.status, 201);
    bed.server.revoke_registration_token(&token).await.unwrap();
    assert_eq!(ask(Some(token.expose())).await.status, 401);
    assert!(bed.server.metadata().get("registration_endpoint").is_some());
}

#[tokio::test]
async fn operators_may_keep_applications_to_themselves() {
    let bed = Bed::with(Rules { own_apps: false, ..Rules::default() }).await;
    let refused = bed.server.create_app(By::Person(bed.ada), None, draft(&[Permission::RunAgent])).await;
    assert!(matches!(refused, Err(Error::Forbidden(_))));
    let (client, _) = bed.server.create_app(By::Operator, Some(bed.ada), draft(&[Permission::RunAgent])).await.unwrap();
    assert_eq!(client.owner, Some(bed.ada));
}
