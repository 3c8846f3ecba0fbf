use super::*;
use crate::Redirect;
use crate::client::Proof;
use crate::pkce::{Challenge, Method};
use crate::request::Prompt;
use crate::testing::{CHALLENGE, NOW, ada, client, public, scopes};

fn request(client: &Client, prompt: &str) -> Request {
    Request {
        app: client.id,
        redirect: Redirect::find(&client.redirect_uris, None).unwrap(),
        scopes: scopes("openid RUN_AGENT"),
        state: None,
        challenge: Challenge::new(Method::S256, CHALLENGE).unwrap(),
        nonce: None,
        prompt: Prompt {
            none: prompt.contains("none"),
            login: prompt.contains("login"),
            consent: prompt.contains("consent"),
        },
        max_age: None,
        login_hint: None,
        resources: vec![],
        pushed: None,
    }
}

fn said(next: Next) -> String {
    match next {
        Next::Back(back) => back.error.as_str().to_owned(),
        other => format!("{other:?}"),
    }
}

fn session() -> Session {
    Session { user: ada(), auth_time: NOW.plus_seconds(-60) }
}

/// `auth.md` 12.5; OpenID Connect Core, 3.1.2.1 and 3.1.2.6.
#[test]
fn a_person_is_asked_unless_a_rule_says_otherwise() {
    let (plain, trusted) = (client(), Client { is_trusted: true, ..client() });
    let (native, trusted_native) = (public(), Client { is_trusted: true, ..public() });
    let web = Client { proof: Proof::Public, is_trusted: true, ..client() };
    for (client, prompt, is_here, remembered, next) in [
        (&plain, "", false, "", "SignIn"),
        (&plain, "", true, "", "Ask"),
        (&plain, "", true, "openid RUN_AGENT", "Ask"),
        (&plain, "consent", true, "openid RUN_AGENT", "Ask"),
        (&plain, "login", true, "openid RUN_AGENT", "SignIn"),
        (&plain, "none", false, "openid RUN_AGENT", "login_required"),
        (&plain, "none", true, "", "consent_required"),
        (&plain, "none", true, "openid", "consent_required"),
        (&plain, "none", true, "openid RUN_AGENT", "Allow"),
        (&plain, "none", true, "READ_RUN RUN_AGENT openid", "Allow"),
        (&trusted, "", false, "", "SignIn"),
        (&trusted, "", true, "", "Allow"),
        (&trusted, "none", true, "", "Allow"),
        (&trusted, "none", false, "", "login_required"),
        (&trusted, "consent", true, "", "Ask"),
        // RFC 8252, 8.6: any program on the machine can pretend to be a native application.
        (&native, "none", true, "openid RUN_AGENT", "consent_required"),
        (&trusted_native, "", true, "openid RUN_AGENT", "Ask"),
        (&trusted_native, "none", true, "openid RUN_AGENT", "consent_required"),
        (&web, "", true, "", "Allow"),
    ] {
        let session = session();
        let consent = Consent { user: ada(), app: client.id, scopes: scopes(remembered), granted_at: NOW };
        let next_is =
            super::next(&request(client, prompt), client, is_here.then_some(&session), Some(&consent), None, NOW);
        assert_eq!(said(next_is), next, "{} {prompt} {is_here} {remembered}", client.client_id);
    }
    let others = Consent {
        user: UserId::from_random([9; 16]),
        app: plain.id,
        scopes: scopes("openid RUN_AGENT"),
        granted_at: NOW,
    };
    let next = super::next(&request(&plain, "none"), &plain, Some(&session()), Some(&others), None, NOW);
    assert_eq!(said(next), "consent_required", "another person's");
}

/// OpenID Connect Core, 3.1.2.1: `max_age` and `prompt=login`.
#[test]
fn a_sign_in_can_be_too_old() {
    let client = client();
    for (prompt, max_age, seen_before, next) in [
        ("", Some(61), None, "Ask"),
        ("", Some(60), None, "Ask"),
        ("", Some(59), None, "SignIn"),
        ("", Some(0), None, "SignIn"),
        ("", Some(i64::MAX), None, "Ask"),
        ("none", Some(59), None, "login_required"),
        ("login", None, Some(61), "Ask"),
        ("login", None, Some(59), "SignIn"),
        ("", Some(59), Some(61), "Ask"),
    ] {
        let request = Request { max_age, ..request(&client, prompt) };
        let seen_at = seen_before.map(|seconds: i64| NOW.plus_seconds(-seconds));
        let found = super::next(&request, &client, Some(&session()), None, seen_at, NOW);
        assert_eq!(said(found), next, "{prompt} {max_age:?} {seen_before:?}");
    }
}

#[test]
fn what_was_allowed_gathers() {
    let request = request(&client(), "");
    let before = Consent { user: ada(), app: request.app, scopes: scopes("READ_RUN openid"), granted_at: NOW };
    let later = NOW.plus_seconds(9);
    let after = Consent::with(Some(&before), &request, ada(), later);
    assert_eq!((after.scopes, after.granted_at), (scopes("READ_RUN openid RUN_AGENT"), later));
    assert_eq!(Consent::with(None, &request, ada(), NOW).scopes, request.scopes);
}
