use super::*;
use crate::testing::{NOW, ada, client, family, public, scopes, standing};

fn pair(family: &Family, now: Time) -> Pair {
    let granted = family.scopes.clone();
    issue(family, &client(), granted, family.resources.clone(), &Random { access: [1; 32], refresh: [2; 32] }, now)
}

fn refresh_token() -> RefreshToken {
    pair(&family(), NOW).refresh.unwrap().0
}

/// `auth.md` 1, 7.1, 12.6.
#[test]
fn a_pair_lasts_an_hour_and_thirty_days_but_not_longer_than_its_family() {
    let free = pair(&family(), NOW);
    let (refresh, plain) = free.refresh.unwrap();
    assert_eq!(free.access.expires_at, NOW.plus_seconds(3_600));
    assert_eq!(
        (refresh.expires_at, free.family_expires_at),
        (NOW.plus_seconds(2_592_000), NOW.plus_seconds(2_592_000))
    );
    assert_eq!((refresh.digest, free.access.digest), (plain.digest(), free.access_plain.digest()));
    let capped = pair(&Family { ends_at: Some(NOW.plus_seconds(100)), ..family() }, NOW);
    assert_eq!(capped.access.expires_at, NOW.plus_seconds(100));
    assert_eq!(capped.refresh.unwrap().0.expires_at, NOW.plus_seconds(100));
    let limited = Client { grant_types: vec![GrantType::AuthorizationCode], ..client() };
    let random = Random { access: [1; 32], refresh: [2; 32] };
    let without = issue(&family(), &limited, family().scopes, vec![], &random, NOW);
    assert!(without.refresh.is_none());
    assert_eq!(without.family_expires_at, NOW.plus_seconds(3_600));
}

/// The order of `auth.md` 7.1.
#[test]
fn a_refresh_token_is_judged_in_order() {
    let (client, other, family) = (client(), public(), family());
    let token = refresh_token();
    let rotated = RefreshToken { rotated_at: Some(NOW), ..token.clone() };
    let ended = Family { ended: Some((NOW, Ended::ByPerson)), ..family.clone() };
    let capped = Family { ends_at: Some(NOW.plus_seconds(50)), ..family.clone() };
    let live = standing(&family, &client);
    let gone = Standing { user_is_enabled: false, ..live };
    for (found, client, after, reason) in [
        (None, &client, 0, "refresh token not found"),
        (Some((&rotated, live)), &other, 2_592_000, "refresh token has been revoked"),
        (Some((&token, Standing { family: &ended, ..live })), &other, 0, "refresh token has been revoked"),
        (Some((&token, gone)), &client, 0, "refresh token has been revoked"),
        (Some((&token, live)), &other, 2_592_000, "refresh token does not belong to this application"),
        (Some((&token, live)), &client, 2_592_000, "refresh token expired"),
        (Some((&token, Standing { family: &capped, ..live })), &client, 50, "refresh token expired"),
    ] {
        let refused = redeem(found, client, None, &[], NOW.plus_seconds(after)).unwrap_err();
        assert_eq!(refused.to_string(), reason);
    }
    let good = redeem(Some((&token, live)), &client, None, &[], NOW.plus_seconds(2_591_999)).unwrap();
    assert_eq!(good, Refreshed { scopes: family.scopes.clone(), resources: vec![] });
}

/// `auth.md` 12.6 and 12.10, 6; RFC 9700, 4.14.2; issue 5: clock jumps.
#[test]
fn a_refresh_token_that_comes_again_ends_its_family_but_for_a_lost_answer() {
    let (client, other, family) = (client(), public(), family());
    let rotated = RefreshToken { rotated_at: Some(NOW), ..refresh_token() };
    let ended = Family { ended: Some((NOW, Ended::ByClient)), ..family.clone() };
    for (by, of, after_micros, ends) in [
        (&client, &family, 0, false),
        (&client, &family, 10_000_000, false),
        (&client, &family, 10_000_001, true),
        (&client, &family, 86_400_000_000, true),
        (&client, &family, -10_000_000, false),
        (&client, &family, -3_600_000_000, true),
        (&other, &family, 0, true),
        (&other, &family, 11_000_000, true),
        (&client, &ended, 11_000_000, false),
    ] {
        let now = Time(NOW.0 + after_micros);
        let refused = redeem(Some((&rotated, standing(of, &client))), by, None, &[], now).unwrap_err();
        assert_eq!(refused.to_string(), "refresh token has been revoked", "auth.md 12.6: in these words");
        let expected = ends.then_some((family.id, Ended::RefreshReused));
        assert_eq!(refused.ends(), expected, "{after_micros}");
    }
}

/// RFC 6749, 6; RFC 8707, 2.2; `auth.md` 12.3: never more than was granted.
#[test]
fn a_refresh_narrows_and_never_widens() {
    let client = client();
    let resources = vec!["https://agents.example.org/mcp".to_owned()];
    let bound = Family { resources: resources.clone(), ..family() };
    let free = family();
    let token = refresh_token();
    let try_for = |family: &Family, text: &str, resource: &str| {
        let resource: Vec<_> = Some(resource.to_owned()).into_iter().filter(|uri| !uri.is_empty()).collect();
        redeem(Some((&token, standing(family, &client))), &client, Some(&scopes(text)), &resource, NOW)
    };
    let mcp = "https://agents.example.org/mcp";
    assert_eq!(try_for(&free, "RUN_AGENT", "").unwrap().scopes, scopes("RUN_AGENT"));
    assert_eq!(
        try_for(&free, "RUN_AGENT READ_RUN", ""),
        Err(Refused::Scope),
        "the application may, this grant may not"
    );
    assert_eq!(try_for(&free, "RUN_AGENT", mcp).unwrap().resources, resources);
    assert_eq!(try_for(&bound, "RUN_AGENT", "").unwrap().resources, resources);
    assert_eq!(try_for(&bound, "RUN_AGENT", mcp).unwrap().resources, resources);
    assert_eq!(try_for(&bound, "RUN_AGENT", "https://agents.example.org/mcp/x").unwrap().resources.len(), 1);
    assert_eq!(try_for(&bound, "RUN_AGENT", "https://agents.example.org/"), Err(Refused::Resource));
}

/// The order and the words of `auth.md` 3; 7.5.
#[test]
fn an_access_token_is_judged_in_order() {
    let (on, family) = (client(), family());
    let off = Client { is_active: false, ..client() };
    let token = pair(&family, NOW).access;
    let revoked = AccessToken { revoked_at: Some(NOW), ..token.clone() };
    let ended = Family { ended: Some((NOW, Ended::RefreshReused)), ..family.clone() };
    let live = standing(&family, &on);
    for (found, after, detail) in [
        (None, 0, "Invalid token: access token not found"),
        (Some((&revoked, Standing { client: None, ..live })), 3_600, "Client application not found"),
        (Some((&revoked, Standing { client: Some(&off), ..live })), 3_600, "Client application is disabled"),
        (Some((&revoked, live)), 3_600, "Invalid token: access token has been revoked"),
        (Some((&token, Standing { family: &ended, ..live })), 0, "Invalid token: access token has been revoked"),
        (
            Some((&token, Standing { user_is_enabled: false, ..live })),
            0,
            "Invalid token: access token has been revoked",
        ),
        (Some((&token, live)), 3_600, "Invalid token: access token expired"),
    ] {
        assert_eq!(check(found, NOW.plus_seconds(after)).unwrap_err().to_string(), detail);
    }
    let access = check(Some((&token, live)), NOW.plus_seconds(3_599)).unwrap();
    assert_eq!((access.user, access.app, access.expires_at), (ada(), on.id, NOW.plus_seconds(3_600)));
    assert_eq!(
        access.missing(&[Permission::ReadRun, Permission::RunAgent, Permission::ReadFiles]),
        [Permission::ReadRun, Permission::ReadFiles]
    );
    assert!(access.knows_the_person());
    for (text, could) in
        [("agpt_xt_x", true), ("agpt_rt_x", false), ("agpt_x", false), ("Agpt_xt_x", false), ("", false)]
    {
        assert_eq!(could_be_access_token(text), could, "{text}");
    }
}

/// `auth.md` 5.3, 12.9: switched on again it lives; what the application lost, its tokens lost.
#[test]
fn tokens_allow_no_more_than_their_application_does_now() {
    let family = family();
    let narrowed = Client { scopes: vec![Permission::Identity], ..client() };
    let token = pair(&family, NOW).access;
    let access = check(Some((&token, standing(&family, &narrowed))), NOW).unwrap();
    assert_eq!(access.scopes, scopes("openid IDENTITY"));
    let nothing = Client { scopes: vec![Permission::ReadFiles], ..client() };
    let access = check(Some((&token, standing(&family, &nothing))), NOW).unwrap();
    assert!(access.scopes.is_empty() && !access.knows_the_person());
}

/// RFC 8707, 2.
#[test]
fn a_token_for_one_resource_is_not_for_another() {
    let family = Family { resources: vec!["https://agents.example.org/mcp".to_owned()], ..family() };
    let client = client();
    let bound = check(Some((&pair(&family, NOW).access, standing(&family, &client))), NOW).unwrap();
    for (resource, is_for) in [
        ("https://agents.example.org/mcp", true),
        ("https://agents.example.org/mcp/sse", true),
        ("https://agents.example.org/external-api/v1", false),
    ] {
        assert_eq!(bound.is_for(resource), is_for, "{resource}");
    }
    assert!(Access { resources: vec![], ..bound }.is_for("https://agents.example.org/anything"));
}
