use super::*;
use crate::body::Dialect;
use crate::testing::{VERIFIER, client, issuer, scopes};
use serde_json::json;

fn form_of(text: &str) -> Body {
    Body::Form(crate::testing::parameters(text))
}

fn read(body: &Body) -> Result<TokenRequest, Refusal> {
    TokenRequest::read(body, None, &issuer())
}

/// RFC 6749, 4.1.3 and 6; `auth.md` 12.3.
#[test]
fn forms_say_what_they_want() {
    let good = read(&form_of(&format!(
        "grant_type=authorization_code&code=c&redirect_uri=https%3A%2F%2Fa.example%2Fcb&client_id=x&client_secret=y\
         &code_verifier={VERIFIER}&resource=https://agents.example.org/mcp&unknown=1"
    )))
    .unwrap();
    let redirect_uri = Some("https://a.example/cb".to_owned());
    assert_eq!(good.grant, Grant::Code { code: Plain::new("c"), redirect_uri, verifier: Some(Plain::new(VERIFIER)) });
    assert_eq!(good.resources, ["https://agents.example.org/mcp"]);
    let refresh = read(&form_of("grant_type=refresh_token&refresh_token=r&client_id=x&scope=RUN_AGENT")).unwrap();
    assert_eq!(refresh.grant, Grant::Refresh { token: Plain::new("r"), scopes: Some(scopes("RUN_AGENT")) });
    for (text, error) in [
        ("", ErrorCode::InvalidClient),
        ("grant_type=authorization_code&code=c", ErrorCode::InvalidClient),
        ("client_id=x&client_assertion=e.y.J", ErrorCode::InvalidClient),
        ("client_id=x", ErrorCode::InvalidRequest),
        ("client_id=x&grant_type=", ErrorCode::InvalidRequest),
        ("client_id=x&grant_type=authorization_code", ErrorCode::InvalidRequest),
        ("client_id=x&grant_type=refresh_token", ErrorCode::InvalidRequest),
        ("client_id=x&grant_type=refresh_token&refresh_token=r&scope=root", ErrorCode::InvalidScope),
        ("client_id=x&grant_type=password&username=a&password=b", ErrorCode::UnsupportedGrantType),
        ("client_id=x&grant_type=Authorization_Code&code=c", ErrorCode::UnsupportedGrantType),
        ("client_id=x&grant_type=client_credentials", ErrorCode::UnsupportedGrantType),
        ("client_id=x&grant_type=refresh_token&refresh_token=r&resource=https://b.example", ErrorCode::InvalidTarget),
    ] {
        let refusal = read(&form_of(text)).unwrap_err();
        assert_eq!(refusal.error, error, "{text}");
        assert_eq!(refusal.status(Dialect::Standard), if error == ErrorCode::InvalidClient { 401 } else { 400 });
    }
}

/// `auth.md` 7.1 and 11.3.
#[test]
fn existing_applications_are_understood() {
    let code = json!({
        "grant_type": "authorization_code", "code": "c", "redirect_uri": "https://a.example/cb", "client_id": "x",
        "client_secret": "y", "code_verifier": "",
    });
    let read_code = read(&Body::Json(code)).unwrap();
    let redirect_uri = Some("https://a.example/cb".to_owned());
    assert_eq!(read_code.grant, Grant::Code { code: Plain::new("c"), redirect_uri, verifier: Some(Plain::new("")) });
    let refresh = json!({"grant_type": "refresh_token", "refresh_token": "r", "client_id": "x", "client_secret": "y"});
    assert_eq!(read(&Body::Json(refresh)).unwrap().grant, Grant::Refresh { token: Plain::new("r"), scopes: None });
    let basic = || Basic::read([b"Basic eDp5".as_slice()]).unwrap();
    let short = json!({"grant_type": "refresh_token", "refresh_token": "r"});
    let by_header = TokenRequest::read(&Body::Json(short), basic(), &issuer()).unwrap();
    assert_eq!(by_header.credentials.client_id, "x");
    let twice = json!({"grant_type": "refresh_token", "refresh_token": "r", "client_secret": "y"});
    let twice = TokenRequest::read(&Body::Json(twice), basic(), &issuer()).unwrap_err();
    assert_eq!((twice.error, twice.status(Dialect::Upstream)), (ErrorCode::InvalidRequest, 400));
}

/// `auth.md` 7.1: 422 lists what is wrong with each alternative.
#[test]
fn existing_applications_get_every_problem_of_both_alternatives() {
    let problems = |value: Value| {
        let refusal = read(&Body::Json(value)).unwrap_err();
        assert_eq!(refusal.status(Dialect::Upstream), 422);
        let places = refusal.listed().iter().map(|item| {
            let loc = serde_json::to_value(&item.loc).unwrap();
            format!("{} {} {}", item.r#type, loc[1].as_str().unwrap_or("-"), loc[2].as_str().unwrap_or("-"))
        });
        (refusal.error, places.collect::<Vec<_>>())
    };
    let (error, places) = problems(json!({"grant_type": "password", "client_id": "x", "client_secret": "y"}));
    assert_eq!(error, ErrorCode::UnsupportedGrantType);
    assert_eq!(
        places,
        [
            "literal_error TokenRequestByCode grant_type",
            "missing TokenRequestByCode code",
            "missing TokenRequestByCode redirect_uri",
            "missing TokenRequestByCode code_verifier",
            "literal_error TokenRequestByRefreshToken grant_type",
            "missing TokenRequestByRefreshToken refresh_token",
        ]
    );
    let (error, places) = problems(json!({"grant_type": "refresh_token", "refresh_token": 1, "client_id": "x"}));
    assert_eq!(error, ErrorCode::InvalidRequest);
    assert_eq!(places.len(), 5 + 2, "{places:?}");
    assert_eq!(places[5], "string_type TokenRequestByRefreshToken refresh_token");
    assert_eq!(problems(Value::Null).1.len(), 2);
}

/// `auth.md` 5.1 and 12.3: grant types are enforced.
#[test]
fn an_application_uses_only_its_grant_types() {
    let refresh = read(&form_of("grant_type=refresh_token&refresh_token=r&client_id=x")).unwrap();
    let only_codes = Client { grant_types: vec![GrantType::AuthorizationCode], ..client() };
    assert!(refresh.check_type(&client()).is_ok());
    assert_eq!(refresh.check_type(&only_codes).unwrap_err().error, ErrorCode::UnauthorizedClient);
}
