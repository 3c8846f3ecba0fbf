use super::*;
use crate::ErrorCode;
use crate::family::{Ended, Family};
use crate::testing::{NOW, ada, client, family, issuer, parameters, public, scopes, standing};
use crate::token::{Random, issue};

fn tokens(family: &Family) -> (AccessToken, RefreshToken) {
    let random = Random { access: [1; 32], refresh: [2; 32] };
    let pair = issue(family, &client(), family.scopes.clone(), family.resources.clone(), &random, NOW);
    (pair.access, pair.refresh.unwrap().0)
}

fn seen(found: Option<Found<'_>>, caller: &Client, dialect: Dialect) -> Value {
    introspection(found, caller, Some("ada@example.org"), dialect, &issuer(), NOW.plus_seconds(5))
}

/// `auth.md` 7.2 and 12.5; RFC 7662, 2.2.
#[test]
fn each_dialect_has_its_answer() {
    let (family, client) = (family(), client());
    let (access, refresh) = tokens(&family);
    let standing = standing(&family, &client);
    let exp = NOW.unix() + 3_600;
    assert_eq!(
        seen(Some(Found::Access(&access, standing)), &client, Dialect::Standard),
        json!({
            "active": true, "scope": "openid IDENTITY RUN_AGENT", "client_id": "agpt_client_looms", "sub": ada(),
            "username": "ada@example.org", "token_type": "Bearer", "exp": exp, "iat": NOW.unix(),
            "iss": "https://agents.example.org", "scopes": ["openid", "IDENTITY", "RUN_AGENT"], "user_id": ada(),
        })
    );
    assert_eq!(
        seen(Some(Found::Access(&access, standing)), &client, Dialect::Upstream),
        json!({
            "active": true, "scopes": ["openid", "IDENTITY", "RUN_AGENT"], "client_id": "agpt_client_looms",
            "user_id": ada(), "exp": exp, "token_type": "access_token",
        })
    );
    let upstream = seen(Some(Found::Refresh(&refresh, standing)), &client, Dialect::Upstream);
    assert_eq!((&upstream["token_type"], &upstream["exp"]), (&json!("refresh_token"), &json!(NOW.unix() + 2_592_000)));
    assert!(seen(Some(Found::Refresh(&refresh, standing)), &client, Dialect::Standard).get("token_type").is_none());
    assert_eq!(seen(None, &client, Dialect::Standard).to_string(), r#"{"active":false}"#);
    assert_eq!(
        seen(None, &client, Dialect::Upstream).to_string(),
        r#"{"active":false,"scopes":null,"client_id":null,"user_id":null,"exp":null,"token_type":null}"#
    );
    let bound =
        Family { resources: vec!["https://agents.example.org/mcp".to_owned()], scopes: scopes("RUN_AGENT"), ..family };
    let (access, _) = tokens(&bound);
    let answer =
        seen(Some(Found::Access(&access, Standing { family: &bound, ..standing })), &client, Dialect::Standard);
    assert_eq!(answer["aud"], json!(["https://agents.example.org/mcp"]));
    assert!(answer.get("username").is_none(), "this token cannot be used to ask for it");
}

/// `auth.md` 7.2, 7.5, 12.1: own tokens, or those of a resource server's choice, as long as they are good.
#[test]
fn only_live_tokens_of_its_own_are_shown_to_an_application() {
    let (own, family) = (client(), family());
    let other = public();
    let server = Client { is_resource_server: true, ..public() };
    let off = Client { is_active: false, ..client() };
    let (access, refresh) = tokens(&family);
    let live = standing(&family, &own);
    let ended = Family { ended: Some((NOW, Ended::ByPerson)), ..family.clone() };
    let revoked = AccessToken { revoked_at: Some(NOW), ..access.clone() };
    let expired = AccessToken { expires_at: NOW, ..access.clone() };
    let rotated = RefreshToken { rotated_at: Some(NOW), ..refresh.clone() };
    let stale = RefreshToken { expires_at: NOW, ..refresh.clone() };
    for (found, caller, active) in [
        (Found::Access(&access, live), &own, true),
        (Found::Refresh(&refresh, live), &own, true),
        (Found::Access(&access, live), &other, false),
        (Found::Refresh(&refresh, live), &other, false),
        (Found::Access(&access, live), &server, true),
        (Found::Refresh(&refresh, live), &server, false),
        (Found::Access(&revoked, live), &own, false),
        (Found::Access(&expired, live), &own, false),
        (Found::Refresh(&rotated, live), &own, false),
        (Found::Refresh(&stale, live), &own, false),
        (Found::Access(&access, Standing { client: Some(&off), ..live }), &server, false),
        (Found::Refresh(&refresh, Standing { client: Some(&off), ..live }), &own, false),
        (Found::Access(&access, Standing { client: None, ..live }), &server, false),
        (Found::Access(&access, Standing { family: &ended, ..live }), &own, false),
        (Found::Refresh(&refresh, Standing { family: &ended, ..live }), &own, false),
        (Found::Access(&access, Standing { user_is_enabled: false, ..live }), &own, false),
        (Found::Refresh(&refresh, Standing { user_is_enabled: false, ..live }), &own, false),
    ] {
        for dialect in [Dialect::Standard, Dialect::Upstream] {
            assert_eq!(seen(Some(found), caller, dialect)["active"], active, "{found:?} by {}", caller.client_id);
        }
    }
}

/// `auth.md` 7.3 and 12.1; RFC 7009, 2.1: an access token alone, or the family of a refresh token.
#[test]
fn an_application_ends_what_is_its_own() {
    let (own, other, family) = (client(), public(), family());
    let (access, refresh) = tokens(&family);
    let live = standing(&family, &own);
    let ended = Family { ended: Some((NOW, Ended::ByPerson)), ..family.clone() };
    let revoked = AccessToken { revoked_at: Some(NOW), ..access.clone() };
    let rotated = RefreshToken { rotated_at: Some(NOW), ..refresh.clone() };
    let server = Client { is_resource_server: true, ..public() };
    for (found, caller, ends) in [
        (None, &own, Ends::Nothing),
        (Some(Found::Access(&access, live)), &own, Ends::Access(access.digest)),
        (Some(Found::Refresh(&refresh, live)), &own, Ends::Family(family.id)),
        (Some(Found::Refresh(&rotated, live)), &own, Ends::Family(family.id)),
        (Some(Found::Access(&access, live)), &other, Ends::Nothing),
        (Some(Found::Refresh(&refresh, live)), &other, Ends::Nothing),
        (Some(Found::Access(&access, live)), &server, Ends::Nothing),
        (Some(Found::Access(&revoked, live)), &own, Ends::Nothing),
        (Some(Found::Refresh(&refresh, Standing { family: &ended, ..live })), &own, Ends::Nothing),
    ] {
        assert_eq!(revocation(found, caller), ends);
    }
    assert_eq!(revoked_text(), r#"{"status":"ok"}"#);
}

fn revoked_text() -> String {
    super::revoked().to_string()
}

/// `auth.md` 7.2 and 7.3; RFC 7009, 2.1; RFC 7662, 2.1.
#[test]
fn a_query_names_its_token() {
    let form = |text: &str| TokenQuery::read(&Body::Form(parameters(text)), None);
    let good = form("token=agpt_xt_x&token_type_hint=nonsense&client_id=x&client_secret=y").unwrap();
    assert_eq!((good.token, good.credentials.client_id.as_str()), (Plain::new("agpt_xt_x"), "x"));
    assert_eq!(form("client_id=x").unwrap_err().error, ErrorCode::InvalidRequest);
    assert_eq!(form("token=x").unwrap_err().error, ErrorCode::InvalidClient);
    let json = |body: Value| TokenQuery::read(&Body::Json(body), None);
    let hint =
        |hint: Value| json(json!({"token": "t", "token_type_hint": hint, "client_id": "x", "client_secret": "y"}));
    assert!(hint(Value::Null).is_ok() && hint(json!("refresh_token")).is_ok());
    let refusal = hint(json!("id_token")).unwrap_err();
    assert_eq!(refusal.status(Dialect::Upstream), 422);
    assert_eq!(refusal.listed()[0].msg, "Input should be 'access_token' or 'refresh_token'");
    let bare = json(json!({})).unwrap_err();
    assert_eq!(bare.listed().len(), 3);
    let basic = Basic::read([b"Basic eDp5".as_slice()]).unwrap();
    assert!(TokenQuery::read(&Body::Json(json!({"token": "t"})), basic).is_ok());
}
