use super::*;
use crate::family::Ended;
use crate::request::Prompt;
use crate::testing::{CHALLENGE, NOW, VERIFIER, ada, client, family, public, scopes, standing};
use crate::{Redirect, pkce};
use heddle_model::FamilyId;

const URI: &str = "https://looms.example/cb";

fn request(given: Option<&str>) -> Request {
    Request {
        app: client().id,
        redirect: Redirect::find(&[URI.to_owned()], given).unwrap(),
        scopes: scopes("openid RUN_AGENT"),
        state: None,
        challenge: Challenge::new(pkce::Method::S256, CHALLENGE).unwrap(),
        nonce: Some("n".to_owned()),
        prompt: Prompt::default(),
        max_age: None,
        login_hint: None,
        resources: vec![],
        pushed: None,
    }
}

fn issued(given: Option<&str>, cap: Option<i64>) -> Issued {
    let approval = Approval { user: ada(), auth_time: NOW.plus_seconds(-5), family_seconds: cap };
    issue(&request(given), &approval, FamilyId::from_random([4; 16]), [9; 32], NOW)
}

/// `auth.md` 1, 6.2, 12.6: bound to everything about the request.
#[test]
fn allowing_a_request_begins_a_family() {
    let Issued { family, code, plain } = issued(Some(URI), Some(86_400));
    assert_eq!((code.digest, plain.expose().len(), code.family), (plain.digest(), 43, family.id));
    assert_eq!((code.app, code.redirect_uri.as_str(), code.redirect_was_given), (client().id, URI, true));
    assert_eq!((code.expires_at, code.used_at), (NOW.plus_seconds(600), None));
    assert_eq!((family.user, &family.scopes), (ada(), &scopes("openid RUN_AGENT")));
    assert_eq!((family.auth_time, family.ends_at), (NOW.plus_seconds(-5), Some(NOW.plus_seconds(86_400))));
    assert!(family.is_live());
}

/// The order of `auth.md` 7.1: each line fails for its first reason, whatever else is wrong with it.
#[test]
fn a_code_is_judged_in_order() {
    let Issued { family, code, .. } = issued(Some(URI), None);
    let used = Code { used_at: Some(Time(NOW.0 + 1_500_000)), ..code.clone() };
    let used_whole = Code { used_at: Some(NOW), ..code.clone() };
    let ended = Family { ended: Some((NOW, Ended::ByPerson)), ..family.clone() };
    let (client, other) = (client(), public());
    let live = standing(&family, &client);
    let gone = Standing { user_is_enabled: false, ..live };
    let over = Standing { family: &ended, ..live };
    let (good, wrong) = (Some(VERIFIER), Some("wrong-wrong-wrong-wrong-wrong-wrong-wrong-wrong"));
    for (found, client, uri, verifier, after, reason) in [
        (None, &client, Some(URI), good, 0, "authorization code not found"),
        (Some((&code, live)), &other, None, None, 601, "authorization code does not belong to this application"),
        (Some((&used, live)), &other, None, None, 601, "authorization code does not belong to this application"),
        (
            Some((&used, live)),
            &client,
            None,
            None,
            601,
            "authorization code already used at 2026-02-03 10:00:01.500000+00:00",
        ),
        (
            Some((&used_whole, over)),
            &client,
            None,
            None,
            601,
            "authorization code already used at 2026-02-03 10:00:00+00:00",
        ),
        (Some((&code, over)), &client, Some(URI), good, 0, "authorization code not found"),
        (Some((&code, gone)), &client, Some(URI), good, 0, "authorization code not found"),
        (Some((&code, live)), &client, None, None, 600, "authorization code expired"),
        (Some((&code, live)), &client, None, None, 599, "redirect_uri mismatch"),
        (Some((&code, live)), &client, Some("https://looms.example/cb/"), good, 0, "redirect_uri mismatch"),
        (Some((&code, live)), &client, Some(""), good, 0, "redirect_uri mismatch"),
        (Some((&code, live)), &client, Some(URI), None, 0, "code_verifier required but not provided"),
        (Some((&code, live)), &client, Some(URI), Some(""), 0, "code_verifier required but not provided"),
        (Some((&code, live)), &client, Some(URI), wrong, 0, "PKCE verification failed"),
        (Some((&code, live)), &client, Some(URI), Some(CHALLENGE), 0, "PKCE verification failed"),
    ] {
        let refused = redeem(found, client, uri, verifier, NOW.plus_seconds(after)).unwrap_err();
        assert_eq!(refused.to_string(), reason);
    }
    assert_eq!(redeem(Some((&code, live)), &client, Some(URI), good, NOW.plus_seconds(599)), Ok(&code));
}

/// RFC 6749, 4.1.2; `auth.md` 12.6.
#[test]
fn a_code_that_comes_again_ends_its_family() {
    let Issued { family, code, .. } = issued(Some(URI), None);
    let used = Code { used_at: Some(NOW), ..code.clone() };
    let (client, other) = (client(), public());
    let refused =
        redeem(Some((&used, standing(&family, &client))), &client, Some(URI), Some(VERIFIER), NOW).unwrap_err();
    assert_eq!(refused.ends(), Some((family.id, Ended::CodeReplayed)));
    assert!(Ended::CodeReplayed.is_alarming());
    for (code, client) in [(&used, &other), (&code, &other), (&code, &client)] {
        let refused = redeem(Some((code, standing(&family, client))), client, None, None, NOW).unwrap_err();
        assert_eq!(refused.ends(), None, "nobody ends what is another's, and a mistake ends nothing");
    }
}

/// RFC 6749, 4.1.3; `auth.md` 12.5.
#[test]
fn an_address_that_was_left_out_may_be_left_out_again() {
    let Issued { family, code, .. } = issued(None, None);
    let client = client();
    let try_with = |uri| redeem(Some((&code, standing(&family, &client))), &client, uri, Some(VERIFIER), NOW).is_ok();
    assert!(try_with(None) && try_with(Some(URI)) && !try_with(Some("https://evil.example")));
}

#[test]
fn reasons_have_names() {
    for ended in [Ended::CodeReplayed, Ended::RefreshReused, Ended::ByClient, Ended::ByPerson, Ended::ByOperator] {
        assert_eq!(Ended::parse(ended.as_str()), Some(ended));
    }
    assert_eq!(family().capped(NOW), NOW);
}
