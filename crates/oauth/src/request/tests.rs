use super::*;
use crate::testing::{CHALLENGE, NOW, VERIFIER, client, issuer, parameters, public, scopes};
use serde_json::{Value, json};

/// A request in which nothing is wrong.
fn good() -> String {
    format!(
        "response_type=code&client_id=agpt_client_looms&redirect_uri=https%3A%2F%2Flooms.example%2Fcb\
         &scope=openid+RUN_AGENT&state=af0%26&code_challenge={CHALLENGE}&code_challenge_method=S256"
    )
}

fn read_by(client: &Client, text: &str) -> Result<Request, Stop> {
    read(&parameters(text), Some(client), None, &issuer(), NOW)
}

fn read_good(text: &str) -> Result<Request, Stop> {
    read_by(&client(), text)
}

fn error_of(result: Result<Request, Stop>) -> String {
    match result {
        Ok(_) => "ok".to_owned(),
        Err(Stop::Page(page)) => format!("page: {page}"),
        Err(Stop::Back(back)) => back.error.as_str().to_owned(),
    }
}

/// RFC 6749, 4.1.1; `auth.md` 6.2: order kept, bound to everything.
#[test]
fn a_request_says_what_it_wants() {
    let request = read_good(&format!(
        "{}&nonce=n&prompt=consent&max_age=60&login_hint=ada&resource=https://agents.example.org/mcp&ui_locales=de&x=1",
        good()
    ))
    .unwrap();
    assert_eq!(request.scopes, scopes("openid RUN_AGENT"));
    assert_eq!((request.state.as_deref(), request.nonce.as_deref()), (Some("af0&"), Some("n")));
    assert_eq!(request.challenge, Challenge { method: Method::S256, value: CHALLENGE.to_owned() });
    assert_eq!(request.prompt, Prompt { none: false, login: false, consent: true });
    assert_eq!((request.max_age, request.login_hint.as_deref()), (Some(60), Some("ada")));
    assert_eq!(request.resources, ["https://agents.example.org/mcp"]);
    assert!(request.redirect.was_given());
}

/// `auth.md` 12.5: application and address first, and errors about them stay here.
#[test]
fn nothing_is_sent_to_an_address_that_is_not_the_applications() {
    let two = Client {
        redirect_uris: vec!["https://looms.example/cb".to_owned(), "https://looms.example/b".to_owned()],
        ..client()
    };
    let inactive = Client { is_active: false, ..client() };
    let evil = Client { redirect_uris: vec!["javascript:alert(1)".to_owned()], ..client() };
    let without = |name: &str| {
        let rest: Vec<_> =
            good().split('&').filter(|pair| !pair.starts_with(&format!("{name}="))).map(str::to_owned).collect();
        rest.join("&")
    };
    let redirected = |uri: &str| format!("{}&redirect_uri={uri}", without("redirect_uri"));
    for (text, client, page) in [
        (without("client_id"), client(), "page: the request lacks client_id"),
        (
            format!("{}&client_id=agpt_client_looms", good()),
            client(),
            "page: the request names client_id more than once",
        ),
        (good().replace("client_looms", "client_x"), client(), "page: there is no application of this client_id here"),
        (good(), inactive, "page: there is no application of this client_id here"),
        (without("redirect_uri"), two, "page: the request lacks redirect_uri"),
        (redirected("https://evil.example/cb"), client(), "page: invalid redirect_uri"),
        (redirected("https://looms.example/cb/"), client(), "page: invalid redirect_uri"),
        (redirected("https://looms.example/cb%23x"), client(), "page: invalid redirect_uri"),
        (redirected("https://looms.example/cb%0d%0a"), client(), "page: invalid redirect_uri"),
        (redirected("javascript:alert(1)"), evil.clone(), "page: invalid redirect_uri"),
        (without("redirect_uri"), evil, "page: invalid redirect_uri"),
        (
            format!("{}&redirect_uri=https://looms.example/cb", good()),
            client(),
            "page: the request names redirect_uri more than once",
        ),
        // Whatever else is wrong.
        (
            redirected("https://evil.example/cb") + "&response_type=token&request=x",
            client(),
            "page: invalid redirect_uri",
        ),
    ] {
        assert_eq!(error_of(read_by(&client, &text)), page, "{text}");
    }
    assert_eq!(
        error_of(read(&parameters(&good()), None, None, &issuer(), NOW)),
        "page: there is no application of this client_id here"
    );
    assert_eq!(error_of(read_good(&without("redirect_uri"))), "ok", "the only one there is");
}

/// `auth.md` 12.5: everything else goes back. Each line changes one parameter.
#[test]
fn the_application_hears_of_everything_else() {
    let long = "x".repeat(LONGEST + 1);
    let plain = format!("{VERIFIER}&code_challenge_method=plain");
    for (name, value, error) in [
        ("response_type", "", "invalid_request"),
        ("response_type", "token", "unsupported_response_type"),
        ("response_type", "code+id_token", "unsupported_response_type"),
        ("response_type", "Code", "unsupported_response_type"),
        ("response_mode", "query", "ok"),
        ("response_mode", "fragment", "invalid_request"),
        ("response_mode", "form_post", "invalid_request"),
        ("scope", "", "invalid_scope"),
        ("scope", "+", "invalid_scope"),
        ("scope", "openid+nonsense", "invalid_scope"),
        ("scope", "run_agent", "invalid_scope"),
        ("scope", "RUN_AGENT+WRITE_STORE", "invalid_scope"),
        ("scope", "offline_access+profile+email+IDENTITY", "ok"),
        ("code_challenge", "", "invalid_request"),
        ("code_challenge", "short", "invalid_request"),
        ("code_challenge", &format!("{CHALLENGE}%3D"), "invalid_request"),
        ("code_challenge_method", "", "ok"),
        ("code_challenge_method", "plain", "invalid_request"),
        ("code_challenge_method", "s256", "invalid_request"),
        ("code_challenge_method", "S512", "invalid_request"),
        ("prompt", "none", "ok"),
        ("prompt", "login+consent", "ok"),
        ("prompt", "select_account", "ok"),
        ("prompt", "none+login", "invalid_request"),
        ("prompt", "create", "invalid_request"),
        ("max_age", "0", "ok"),
        ("max_age", "-1", "invalid_request"),
        ("max_age", "%2B1", "invalid_request"),
        ("max_age", "1e3", "invalid_request"),
        ("max_age", "99999999999999999999", "invalid_request"),
        ("resource", "https://agents.example.org/mcp", "ok"),
        ("resource", "https://other.example/", "invalid_target"),
        ("resource", "mcp", "invalid_target"),
        ("request", "e.y.J", "request_not_supported"),
        ("request_uri", "https://looms.example/request.jwt", "request_not_supported"),
        ("nonce", &long, "invalid_request"),
        ("state", &long, "invalid_request"),
        ("login_hint", &long, "ok"),
        ("claims", "%7B%7D", "ok"),
        ("acr_values", "0", "ok"),
        ("id_token_hint", "e.y.J", "ok"),
    ] {
        let mut all: Vec<_> =
            good().split('&').filter(|pair| !pair.starts_with(&format!("{name}="))).map(str::to_owned).collect();
        all.push(format!("{name}={value}"));
        assert_eq!(error_of(read_good(&all.join("&"))), error, "{name}={}", &value[..value.len().min(40)]);
    }
    let legacy = Client { allows_plain: true, ..client() };
    let text = good().replace(&format!("{CHALLENGE}&code_challenge_method=S256"), &plain);
    assert_eq!(
        (error_of(read_by(&legacy, &text)), error_of(read_good(&text))),
        ("ok".into(), "invalid_request".into())
    );
    let no_codes = Client { grant_types: vec![GrantType::RefreshToken], ..client() };
    assert_eq!(error_of(read_by(&no_codes, &good())), "unauthorized_client");
    let usual = Client { default_scopes: Some(scopes("IDENTITY")), ..client() };
    let bare = read_by(&usual, &good().replace("scope=openid+RUN_AGENT", "scope=")).unwrap();
    assert_eq!(bare.scopes, scopes("IDENTITY"));
    let many = "&resource=https://agents.example.org/mcp".repeat(resource::MOST + 1);
    assert_eq!(error_of(read_good(&(good() + &many))), "invalid_target");
}

/// RFC 6749, 3.1; issue 5: parameter repetition.
#[test]
fn a_parameter_that_comes_twice_is_refused() {
    for name in ["response_type", "scope", "state", "code_challenge", "code_challenge_method", "nonce", "prompt", "x"] {
        let text = format!("{}&{name}=a&{name}=a", good());
        assert_eq!(error_of(read_good(&text)), "invalid_request", "{name}");
    }
    let Err(Stop::Back(back)) = read_good(&format!("{}&state=other", good())) else { panic!("sent back") };
    assert!(!back.url(&issuer()).contains("state="), "neither of two states comes back");
}

/// `auth.md` 6.1, 6.2, 11.7, 12.5; RFC 9207, 2.
#[test]
fn answers_name_their_issuer_last_and_the_state_only_if_there_was_one() {
    let request = read_good(&good()).unwrap();
    let iss = "iss=https%3A%2F%2Fagents.example.org";
    assert_eq!(
        request.granted(&Plain::new("c-_0"), &issuer()),
        format!("https://looms.example/cb?code=c-_0&state=af0%26&{iss}")
    );
    let denied = "error=access_denied&error_description=User+denied+access&state=af0%26";
    assert_eq!(request.denied().url(&issuer()), format!("https://looms.example/cb?{denied}&{iss}"));
    let upstream = "error=access_denied&state=af0%26&error_description=User+denied+access";
    assert_eq!(request.denied().upstream_url(&issuer()), format!("https://looms.example/cb?{upstream}&{iss}"));
    assert_eq!(request.failed().error, ErrorCode::ServerError);
    let stateless = read_good(&good().replace("state=af0%26&", "")).unwrap();
    assert_eq!(stateless.granted(&Plain::new("c"), &issuer()), format!("https://looms.example/cb?code=c&{iss}"));
    assert!(!stateless.denied().url(&issuer()).contains("state="));
}

/// RFC 6749, 4.1.2.1: what may stand in a description.
#[test]
fn descriptions_quote_nothing_dangerous() {
    let text = good().replace("openid+RUN_AGENT", "%22%3Cscript%3E%5C%0Aa%C3%BC");
    let Err(Stop::Back(back)) = read_good(&text) else { panic!("sent back") };
    assert_eq!(back.description, "Invalid scope: <script>a");
    let text = good().replace("RUN_AGENT", &"x".repeat(5_000));
    let Err(Stop::Back(back)) = read_good(&text) else { panic!("sent back") };
    assert_eq!(back.description.len(), 700);
}

/// RFC 9126, 2.1, 2.4, 4, 6; `auth.md` 12.5.
#[test]
fn a_pushed_request_counts_as_it_was_pushed() {
    let pushing = Client { requires_pushed: true, ..client() };
    assert_eq!(error_of(read_by(&pushing, &good())), "invalid_request");
    let form = parameters(&good());
    check_pushed(&form, &pushing, &issuer()).unwrap();
    let (kept, name) = Pushed::new(pushing.id, &form, [8; 32], NOW);
    let text = format!(
        "client_id=agpt_client_looms&request_uri={}&scope=READ_RUN&redirect_uri=https://evil.example",
        name.expose()
    );
    let shown = parameters(&text);
    assert_eq!(names(&shown).unwrap().pushed, Some(kept.digest));
    let at = |pushed: Option<&Pushed>, client: &Client, after| {
        read(&shown, Some(client), pushed, &issuer(), NOW.plus_seconds(after))
    };
    let request = at(Some(&kept), &pushing, 89).unwrap();
    assert_eq!((&request.scopes, request.pushed), (&scopes("openid RUN_AGENT"), Some(kept.digest)));
    assert_eq!(request.redirect.uri(), "https://looms.example/cb");
    let over = "page: this request has expired; go back to the application and start again";
    assert_eq!(error_of(at(Some(&kept), &pushing, 90)), over);
    assert_eq!(error_of(at(None, &pushing, 0)), over);
    let used = Pushed { used_at: Some(NOW), ..kept.clone() };
    assert_eq!(error_of(at(Some(&used), &pushing, 0)), over);
    let foreign = Client { id: public().id, ..client() };
    assert_eq!(error_of(at(Some(&kept), &foreign, 0)), over);
    let other = Pushed { digest: Digest::of("other"), ..kept };
    assert_eq!(error_of(at(Some(&other), &pushing, 0)), over);
    for (text, error) in [
        (format!("{}&request_uri={}", good(), name.expose()), ErrorCode::InvalidRequest),
        (good().replace("looms.example", "evil.example"), ErrorCode::InvalidRequest),
        (good().replace("RUN_AGENT", "root"), ErrorCode::InvalidScope),
    ] {
        assert_eq!(check_pushed(&parameters(&text), &pushing, &issuer()).unwrap_err().0, error, "{text}");
    }
}

fn upstream() -> Value {
    json!({
        "client_id": "agpt_client_looms", "redirect_uri": "https://looms.example/cb", "scopes": ["IDENTITY", " RUN_AGENT "],
        "state": "af0", "response_type": "code", "code_challenge": CHALLENGE, "code_challenge_method": "S256",
    })
}

/// `auth.md` 6.2, line by line.
#[test]
fn existing_consent_pages_get_the_answers_they_know() {
    let request = UpstreamRequest::read(&upstream()).unwrap().check(Some(&client()), &issuer()).unwrap();
    assert_eq!(request.scopes, scopes("IDENTITY RUN_AGENT"));
    let url = "https://looms.example/cb?error=";
    let iss = "iss=https%3A%2F%2Fagents.example.org";
    let back = |error: &str, text: &str| format!("{url}{error}&state=af0&error_description={text}&{iss}");
    let allowed =
        "Application+is+not+authorized+for+all+requested+scopes.+Allowed%3A+IDENTITY%2C+RUN_AGENT%2C+READ_RUN";
    let two = Client { redirect_uris: vec!["https://a.example".to_owned(), "b.example:/".to_owned()], ..client() };
    let inactive = Client { is_active: false, ..client() };
    for (member, value, client, answer) in [
        ("x", json!(1), None, "Unknown client_id".to_owned()),
        ("x", json!(1), Some(inactive), "Application is not active".to_owned()),
        ("x", json!(1), Some(two), "Invalid redirect_uri. Must be one of: https://a.example, b.example:/".to_owned()),
        (
            "redirect_uri",
            json!("https://evil.example"),
            Some(client()),
            "Invalid redirect_uri. Must be one of: https://looms.example/cb".to_owned(),
        ),
        (
            "response_type",
            json!("token"),
            Some(client()),
            back("unsupported_response_type", "Only+%27code%27+response+type+is+supported"),
        ),
        ("scopes", json!(["nonsense"]), Some(client()), back("invalid_scope", "Invalid+scope%3A+nonsense")),
        ("scopes", json!([]), Some(client()), back("invalid_scope", "At+least+one+scope+is+required")),
        ("scopes", json!(["WRITE_STORE"]), Some(client()), back("invalid_scope", allowed)),
    ] {
        let mut body = upstream();
        body[member] = value;
        let refused = UpstreamRequest::read(&body).unwrap().check(client.as_ref(), &issuer()).unwrap_err();
        let expected = match answer.starts_with("https://") {
            true => (200, json!({"redirect_url": answer})),
            false => (400, json!({"detail": answer})),
        };
        let found = refused.answer(&issuer());
        assert_eq!((found.status, found.body), expected, "{member}");
    }
}

/// `auth.md` 6.2: all but the two defaulted members are required.
#[test]
fn existing_consent_pages_hear_of_every_missing_member() {
    let items = UpstreamRequest::read(&json!({"code_challenge_method": "S512"})).unwrap_err();
    let places: Vec<_> = items.iter().map(|item| serde_json::to_value(&item.loc).unwrap()[1].clone()).collect();
    let names = ["client_id", "redirect_uri", "scopes", "state", "code_challenge", "code_challenge_method"];
    assert_eq!(places, names);
    assert_eq!((items[5].r#type, items[5].msg.as_str()), ("literal_error", "Input should be 'S256' or 'plain'"));
    let mut bare = upstream();
    bare.as_object_mut()
        .unwrap()
        .retain(|name, _| !["response_type", "code_challenge_method"].contains(&name.as_str()));
    assert_eq!(UpstreamRequest::read(&bare), UpstreamRequest::read(&upstream()));
}
