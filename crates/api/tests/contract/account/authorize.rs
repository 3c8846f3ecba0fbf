//! The authorization endpoint in a browser (`auth.md` 6.1, 12.5).

use super::browser::{Browser, ORIGIN, PASSWORD, form, text, token};
use crate::testbed::{Answer, Testbed};
use heddle_api::ApiSettings;
use heddle_model::{Scope, UserId};
use heddle_platform::authorization::rules::client::{Client, GrantType};
use heddle_platform::authorization::rules::draft::Draft;
use heddle_platform::authorization::rules::{Issuer, Parameters};
use heddle_platform::authorization::{By, Change, Rules};
use heddle_platform::{Options, SignIn};
use serde_json::Value;
use url::form_urlencoded::byte_serialize;

pub const CALLBACK: &str = "https://looms.example/cb";
/// RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const ISS: &str = "iss=https%3A%2F%2Fagents.example.org";
const PATH: &str = "/auth/authorize";

/// A server whose issuer is its address.
pub async fn server() -> Testbed {
    let settings = ApiSettings { public_url: Some(ORIGIN.to_owned()), ..ApiSettings::default() };
    let authorization = Rules { issuer: Issuer::new(ORIGIN), ..Rules::default() };
    let sign_in = SignIn { is_open: true, mail: None };
    Testbed::opened(settings, Options { authorization, sign_in, ..Options::default() }).await
}

pub fn draft() -> Draft {
    Draft {
        name: "Looms & <b>Sons</b>".to_owned(),
        description: Some("Weaves \"things\"".to_owned()),
        logo_url: Some("https://cdn.looms.example/logo.png".to_owned()),
        redirect_uris: vec![CALLBACK.to_owned()],
        grant_types: GrantType::ALL.to_vec(),
        scopes: vec![Scope::Identity, Scope::ReadBlock, Scope::RunAgent],
        is_public: true,
        requires_pushed: false,
        id_token_algorithm: Default::default(),
    }
}

/// An application that its users do not own.
pub async fn app(bed: &Testbed, draft: Draft) -> Client {
    bed.platform.authorization.create_app(By::Operator, None::<UserId>, draft).await.unwrap().0
}

/// A good request; `more` begins with `&`.
pub fn query(app: &Client, more: &str) -> String {
    let uri: String = byte_serialize(CALLBACK.as_bytes()).collect();
    let id = &app.client_id;
    format!(
        "response_type=code&client_id={id}&redirect_uri={uri}&scope=IDENTITY+RUN_AGENT&state=s%261\
         &code_challenge={CHALLENGE}{more}"
    )
}

fn url(app: &Client, more: &str) -> String {
    format!("{PATH}?{}", query(app, more))
}

async fn decide(browser: &mut Browser<'_>, query: &str, decision: &str) -> Answer {
    browser.post(PATH, &[("request", query), ("decision", decision)]).await
}

/// Lets the application act, and gets it an access token.
pub async fn allow(browser: &mut Browser<'_>, app: &Client) -> String {
    let answer = decide(browser, &query(app, ""), "allow").await;
    let location = answer.header("location").to_owned();
    let parameters = Parameters::parse(location.split_once('?').unwrap().1.as_bytes()).unwrap();
    let fields = [
        ("grant_type", "authorization_code"),
        ("client_id", &app.client_id),
        ("code", parameters.get("code").unwrap()),
        ("redirect_uri", CALLBACK),
        ("code_verifier", VERIFIER),
    ];
    let tokens: Value = form(browser.bed.ask("POST", "/api/oauth/token"), &fields).send().await.expect(200);
    tokens["access_token"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_person_signs_in_is_asked_and_sends_a_code() {
    let bed = server().await;
    let app = app(&bed, draft()).await;
    super::browser::account(&bed, "ada", false).await;
    let mut ada = Browser::new(&bed);
    let here = url(&app, "&code_challenge_method=S256&login_hint=ada%40example.org");
    let sent = ada.get(&here).await;
    assert_eq!(sent.status, 303);
    let (to, parameters) = sent.header("location").split_once('?').unwrap();
    let parameters = Parameters::parse(parameters.as_bytes()).unwrap();
    assert_eq!(
        (to, parameters.get("next"), parameters.get("email")),
        ("/login", Some(&*here), Some("ada@example.org"))
    );
    let back = ada.sign_in("ada", parameters.get("next").unwrap()).await;
    assert_eq!(back, here);

    let answer = ada.get(&back).await;
    let page = text(&answer);
    assert_eq!(answer.status, 200);
    for part in [
        "Looms &amp; &lt;b&gt;Sons&lt;/b&gt;",
        "Weaves &quot;things&quot;",
        "<img class=\"logo\" src=\"https://cdn.looms.example/logo.png\"",
        "<strong>looms.example</strong>",
        "<strong>ada@example.org</strong>",
        "See your user id, e-mail address, name and time zone.",
        "<li class=\"acts\">Run your agents.",
        "value=\"allow\">Authorize</button>",
        "value=\"deny\">Deny</button>",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    assert!(!page.contains("<b>") && !page.contains("READ_BLOCK"), "{page}");
    let token = allow(&mut ada, &app).await;
    let me = bed.get("/me").header("authorization", &format!("Bearer {token}")).send().await.expect(200);
    assert_eq!(me["email"], "ada@example.org");
}

#[tokio::test]
async fn answers_go_to_the_application_in_the_order_of_the_contract() {
    let bed = server().await;
    let app = app(&bed, draft()).await;
    let mut ada = Browser::of(&bed, "ada").await;
    let denied = decide(&mut ada, &query(&app, ""), "deny").await;
    let expected = format!("{CALLBACK}?error=access_denied&error_description=User+denied+access&state=s%261&{ISS}");
    assert_eq!((denied.status.as_u16(), denied.header("location")), (303, &*expected));
    let allowed = decide(&mut ada, &query(&app, ""), "allow").await;
    let location = allowed.header("location");
    assert_eq!(allowed.status, 303);
    assert!(location.starts_with(&format!("{CALLBACK}?code=")), "{location}");
    assert!(location.ends_with(&format!("&state=s%261&{ISS}")), "{location}");
    assert_eq!(allowed.header("cache-control"), "no-store, no-cache, must-revalidate, private");
    let silent = query(&app, "").replace("&state=s%261", "");
    let location = decide(&mut ada, &silent, "allow").await.header("location").to_owned();
    assert!(!location.contains("state") && location.ends_with(&format!("&{ISS}")), "{location}");
}

#[tokio::test]
async fn nobody_is_sent_to_an_address_that_is_not_the_applications() {
    let bed = server().await;
    let app = app(&bed, draft()).await;
    let off = self::app(&bed, draft()).await;
    bed.platform.authorization.set_app_active(By::Operator, &off.id.to_string(), false).await.unwrap();
    let mut ada = Browser::of(&bed, "ada").await;
    let good = query(&app, "");
    let elsewhere = |uri: &str| good.replace(&byte_serialize(CALLBACK.as_bytes()).collect::<String>(), uri);
    for (query, title) in [
        (String::new(), "Invalid Request"),
        (good.replace(&app.client_id, ""), "Invalid Request"),
        (format!("{good}&client_id=x"), "Invalid Request"),
        (format!("{good}&state={}", "x".repeat(40_000)), "Invalid Request"),
        (good.replace(&app.client_id, "agpt_client_none"), "Application Not Found"),
        (good.replace(&app.client_id, &off.client_id), "Application Not Found"),
        (elsewhere("https%3A%2F%2Fevil.example%2Fcb"), "Invalid redirect_uri"),
        (elsewhere("https%3A%2F%2Flooms.example%2Fcb%2F"), "Invalid redirect_uri"),
        (elsewhere("https%3A%2F%2FLOOMS.example%2Fcb"), "Invalid redirect_uri"),
        (elsewhere("https%3A%2F%2Flooms.example%3A443%2Fcb"), "Invalid redirect_uri"),
        (elsewhere("https%3A%2F%2Flooms.example%40evil.example%2Fcb"), "Invalid redirect_uri"),
        (elsewhere("javascript%3Aalert(1)"), "Invalid redirect_uri"),
        (elsewhere("%2Fcb"), "Invalid redirect_uri"),
        (
            format!("client_id={}&request_uri=urn%3Aietf%3Aparams%3Aoauth%3Arequest_uri%3Anone", app.client_id),
            "Invalid Request",
        ),
    ] {
        let mut answers =
            vec![ada.get(&format!("{PATH}?{query}")).await, Browser::new(&bed).get(&format!("{PATH}?{query}")).await];
        for decision in ["allow", "deny"] {
            answers.push(decide(&mut ada, &query, decision).await);
        }
        for answer in answers {
            assert_eq!((answer.status.as_u16(), answer.header("location")), (400, ""), "{query}");
            let page = text(&answer);
            assert!(page.contains(&format!("<h1>{title}</h1>")), "{query}: {page}");
            assert!(
                !page.contains("href=\"https") && !page.contains("evil.example\"") && !page.contains("javascript:"),
                "{page}"
            );
        }
    }
}

#[tokio::test]
async fn what_else_is_wrong_the_application_is_told() {
    let bed = server().await;
    let app = app(&bed, draft()).await;
    let mut ada = Browser::of(&bed, "ada").await;
    let good = query(&app, "");
    let without = |part: &str| good.replace(part, "");
    for (query, error) in [
        (without("response_type=code&"), "invalid_request"),
        (good.replace("response_type=code", "response_type=token"), "unsupported_response_type"),
        (without(&format!("&code_challenge={CHALLENGE}")), "invalid_request"),
        (format!("{good}&code_challenge_method=plain"), "invalid_request"),
        (without("&scope=IDENTITY+RUN_AGENT"), "invalid_scope"),
        (good.replace("RUN_AGENT", "WRITE_RUN"), "invalid_scope"),
        (good.replace("RUN_AGENT", "run_agent"), "invalid_scope"),
        (format!("{good}&nonce=a&nonce=b"), "invalid_request"),
        (format!("{good}&request=x"), "request_not_supported"),
        (format!("{good}&prompt=none+login"), "invalid_request"),
    ] {
        let answers =
            [ada.get(&format!("{PATH}?{query}")).await, Browser::new(&bed).get(&format!("{PATH}?{query}")).await];
        for answer in answers {
            let location = answer.header("location");
            assert_eq!(answer.status, 303, "{query}");
            assert!(
                location.starts_with(&format!("{CALLBACK}?error={error}&error_description=")),
                "{query}: {location}"
            );
            assert!(location.ends_with(&format!("&state=s%261&{ISS}")), "{query}: {location}");
        }
    }
}

#[tokio::test]
async fn a_decision_counts_only_from_our_own_page() {
    let bed = server().await;
    let app = app(&bed, draft()).await;
    let (mut ada, mut bob) = (Browser::of(&bed, "ada").await, Browser::of(&bed, "bob").await);
    let page = ada.page(&url(&app, "")).await;
    let (own, foreign) = (token(&page).to_owned(), token(&bob.page(&url(&app, "")).await).to_owned());
    let good = query(&app, "");
    let refused: [(&[(&str, &str)], &str); 6] = [
        (&[], ""),
        (&[], &foreign),
        (&[("sec-fetch-site", "cross-site")], &own),
        (&[("sec-fetch-site", "same-site")], &own),
        (&[("origin", "https://looms.example")], &own),
        (&[("origin", "null")], "x"),
    ];
    let taken: [(&[(&str, &str)], &str); 4] = [
        (&[], &own),
        (&[("origin", "null")], &own),
        (&[("origin", ORIGIN)], ""),
        (&[("sec-fetch-site", "same-origin"), ("origin", "null")], ""),
    ];
    for (cases, status) in [(&refused[..], 403), (&taken[..], 303)] {
        for (headers, csrf) in cases {
            for decision in ["allow", "deny"] {
                let ask = form(bed.ask("POST", PATH), &[("csrf", csrf), ("request", &good), ("decision", decision)]);
                let ask = headers.iter().fold(ask, |ask, (name, value)| ask.header(name, value));
                let answer = ada.send(ask).await;
                assert_eq!(answer.status, status, "{headers:?} {csrf}");
                assert_eq!(answer.header("location").is_empty(), status == 403, "{headers:?} {csrf}");
            }
        }
    }
    assert_eq!(decide(&mut ada, &good, "perhaps").await.status, 404);
    let mut nobody = Browser::new(&bed);
    let asked = decide(&mut nobody, &good, "allow").await;
    assert!(asked.header("location").starts_with("/login?next=%2Fauth%2Fauthorize%3F"), "{}", asked.header("location"));
}

#[tokio::test]
async fn prompts_and_ages_are_kept() {
    let bed = server().await;
    let app = app(&bed, Draft { is_public: false, ..draft() }).await;
    let back = |error: &str| format!("{CALLBACK}?error={error}&");
    let silent = url(&app, "&prompt=none");
    let unknown = Browser::new(&bed).get(&silent).await;
    assert!(unknown.header("location").starts_with(&back("login_required")), "{}", unknown.header("location"));
    let mut ada = Browser::of(&bed, "ada").await;
    let unasked = ada.get(&silent).await;
    assert!(unasked.header("location").starts_with(&back("consent_required")), "{}", unasked.header("location"));
    decide(&mut ada, &query(&app, ""), "allow").await;
    let remembered = ada.get(&silent).await;
    assert!(remembered.header("location").starts_with(&format!("{CALLBACK}?code=")));
    let wider = ada.get(&silent.replace("RUN_AGENT", "READ_BLOCK")).await;
    assert!(wider.header("location").starts_with(&back("consent_required")));
    for more in ["", "&prompt=consent"] {
        assert_eq!(ada.get(&url(&app, more)).await.status, 200, "what was allowed before is asked again");
    }

    for more in ["&prompt=login", "&max_age=0", "&prompt=select_account"] {
        let sent = ada.get(&url(&app, more)).await.header("location").to_owned();
        let parameters = Parameters::parse(sent.split_once('?').unwrap().1.as_bytes()).unwrap();
        let next = parameters.get("next").unwrap().to_owned();
        assert_eq!((parameters.get("again"), next.contains("max_age")), (Some("1"), false), "{more}");
        let form = ada.get(&sent).await;
        assert_eq!(form.status, 200, "{more}: the form is shown to somebody who is signed in");
        assert!(text(&form).contains("name=\"password\""), "{more}");
        let wrong = ada.post("/login", &[("email", "ada@example.org"), ("password", "wrong"), ("next", &next)]).await;
        assert_eq!(wrong.status, 422, "{more}");
        assert_eq!(ada.sign_in("ada", &next).await, next, "{more}");
        assert_eq!(ada.get(&next).await.status, 200, "{more}: once is enough");
    }
    let too_old = decide(&mut ada, &query(&app, "&max_age=0"), "allow").await;
    assert!(too_old.header("location").starts_with("/login?next="), "{}", too_old.header("location"));
}

#[tokio::test]
async fn a_trusted_application_is_not_asked_about_and_forms_on_the_way_may_lead_to_it() {
    let bed = server().await;
    let app = app(&bed, draft()).await;
    let trusted = Change { is_trusted: Some(true), ..Change::default() };
    bed.platform.authorization.change_app(By::Operator, &app.id.to_string(), trusted).await.unwrap();
    let mut ada = Browser::of(&bed, "ada").await;
    let location = ada.get(&url(&app, "")).await.header("location").to_owned();
    assert!(location.starts_with(&format!("{CALLBACK}?code=")), "{location}");
    assert_eq!(ada.get(&url(&app, "&prompt=consent")).await.status, 200);

    let mut nobody = Browser::new(&bed);
    let next =
        |query: &str| format!("next={}", byte_serialize(format!("{PATH}?{query}").as_bytes()).collect::<String>());
    let (good, bad) = (query(&app, ""), query(&app, "").replace("looms.example", "evil.example"));
    for page in ["/login", "/signup"] {
        for (next, leads) in [
            (next(&good), "form-action 'self' https://looms.example;"),
            (next(&good.replace("redirect_uri", "x")), "form-action 'self' https://looms.example;"),
            (next(&bad), "form-action 'self';"),
            (next(""), "form-action 'self';"),
            ("next=/settings/profile".to_owned(), "form-action 'self';"),
            ("next=https://looms.example".to_owned(), "form-action 'self';"),
        ] {
            let answer = nobody.get(&format!("{page}?{next}")).await;
            assert!(answer.header("content-security-policy").contains(leads), "{page} {next}");
        }
    }
}

#[tokio::test]
async fn a_pushed_request_is_shown_and_decided_once() {
    let bed = server().await;
    let app = app(&bed, Draft { requires_pushed: true, ..draft() }).await;
    let mut ada = Browser::of(&bed, "ada").await;
    let plain = ada.get(&url(&app, "")).await;
    assert!(plain.header("location").starts_with(&format!("{CALLBACK}?error=invalid_request&")));
    let fields: Vec<_> = url::form_urlencoded::parse(query(&app, "").as_bytes()).into_owned().collect();
    let fields: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    for (decision, answer) in [("allow", "code="), ("deny", "error=access_denied")] {
        let pushed = form(bed.ask("POST", "/api/oauth/par"), &fields).send().await.expect(201);
        let uri: String = byte_serialize(pushed["request_uri"].as_str().unwrap().as_bytes()).collect();
        let query = format!("client_id={}&request_uri={uri}&state=ignored", app.client_id);
        assert!(ada.page(&format!("{PATH}?{query}")).await.contains("Authorize"));
        let decided = decide(&mut ada, &query, decision).await;
        let location = decided.header("location");
        assert!(location.starts_with(&format!("{CALLBACK}?{answer}")), "{location}");
        assert!(location.contains("state=s%261") && !location.contains("ignored"), "{location}");
        for decision in ["allow", "deny"] {
            assert_eq!(decide(&mut ada, &query, decision).await.status, 400, "{decision}");
        }
        assert_eq!(ada.get(&format!("{PATH}?{query}")).await.status, 400);
    }
}

#[tokio::test]
async fn the_page_may_lead_to_the_application_and_load_its_picture_and_nothing_else() {
    let bed = server().await;
    let mut ada = Browser::of(&bed, "ada").await;
    let policy = |images: &str, forms: &str| {
        format!(
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'{images}; form-action 'self'{forms}; \
             base-uri 'none'; frame-ancestors 'none'"
        )
    };
    for (redirect, logo, expected) in [
        (
            CALLBACK,
            Some("https://cdn.looms.example/l.png"),
            policy(" https://cdn.looms.example", " https://looms.example"),
        ),
        ("http://127.0.0.1:7000/cb", None, policy("", " http://127.0.0.1:7000")),
        ("http://[::1]:7000/cb", None, policy("", " http:")),
        ("com.looms.app:/cb", None, policy("", " com.looms.app:")),
    ] {
        let draft = Draft { redirect_uris: vec![redirect.to_owned()], logo_url: logo.map(str::to_owned), ..draft() };
        let app = app(&bed, draft).await;
        let query = query(&app, "").replace("redirect_uri=", "x=");
        let answer = ada.get(&format!("{PATH}?{query}")).await;
        assert_eq!(answer.header("content-security-policy"), expected, "{redirect}");
        for (name, value) in [
            ("x-frame-options", "DENY"),
            ("referrer-policy", "same-origin"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cache-control", "no-store, no-cache, must-revalidate, private"),
        ] {
            assert_eq!(answer.header(name), value, "{redirect}: {name}");
        }
        assert_eq!(text(&answer).contains("<img"), logo.is_some());
        let denied = decide(&mut ada, &query, "deny").await.header("location").to_owned();
        assert!(denied.starts_with(&format!("{redirect}?error=access_denied")), "{denied}");
    }
}

#[tokio::test]
async fn a_request_may_come_as_a_form_from_the_application() {
    let bed = server().await;
    let app = app(&bed, draft()).await;
    let mut ada = Browser::of(&bed, "ada").await;
    let ask = bed.ask("POST", PATH).header("origin", "https://looms.example").header("sec-fetch-site", "cross-site");
    let ask = ask.header("content-type", "application/x-www-form-urlencoded").raw(query(&app, ""));
    let sent = ask.send().await;
    assert_eq!((sent.status.as_u16(), sent.header("location")), (303, &*url(&app, "")));
    assert_eq!(ada.get(sent.header("location")).await.status, 200);
    let (email, password) = ("ada@example.org", PASSWORD);
    let mut fresh = Browser::new(&bed);
    let signed_in = fresh.post("/login", &[("email", email), ("password", password), ("next", &url(&app, ""))]).await;
    assert_eq!(signed_in.header("location"), url(&app, ""));
}
