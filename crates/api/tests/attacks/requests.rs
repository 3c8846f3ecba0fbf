//! Authorization requests: downgraded, repeated, too large, for too much, on behalf of nobody.

use crate::bed::{Bed, CALLBACK, CHALLENGE, ISSUER, Tally, VERIFIER, Wire};
use heddle_platform::authorization::rules::Parameters;
use heddle_platform::authorization::{By, Decision, View};

type Edit = fn(&mut Wire, &Bed);

const ASKS: &str = "asks";
const GONE: &str = "page: there is no application of this client_id here";

/// What is changed about a good request of Looms; what comes of it. `>` stands for the registered address and `?error=`.
const ROWS: &[(&str, Edit, &str)] = &[
    ("no challenge", |w, _| w.cut("code_challenge"), ">invalid_request"),
    ("an empty challenge", |w, _| w.set("code_challenge", ""), ">invalid_request"),
    ("a plain challenge", |w, _| w.add("code_challenge_method", "plain"), ">invalid_request"),
    (
        "the verifier as a plain challenge",
        |w, _| {
            w.set("code_challenge", VERIFIER);
            w.add("code_challenge_method", "plain");
        },
        ">invalid_request",
    ),
    ("a method in small letters", |w, _| w.add("code_challenge_method", "s256"), ">invalid_request"),
    ("a method that there is not", |w, _| w.add("code_challenge_method", "none"), ">invalid_request"),
    ("an older method", |w, _| w.add("code_challenge_method", "S1"), ">invalid_request"),
    (
        "two methods",
        |w, _| {
            w.add("code_challenge_method", "S256");
            w.add("code_challenge_method", "plain");
        },
        ">invalid_request",
    ),
    ("two challenges", |w, _| w.add("code_challenge", CHALLENGE), ">invalid_request"),
    ("a short challenge", |w, _| w.set("code_challenge", &CHALLENGE[..42]), ">invalid_request"),
    ("a long challenge", |w, _| w.set("code_challenge", &"a".repeat(44)), ">invalid_request"),
    ("a challenge of other letters", |w, _| w.set("code_challenge", &"é".repeat(43)), ">invalid_request"),
    ("a challenge with padding", |w, _| w.set("code_challenge", &format!("{}=", &CHALLENGE[..42])), ">invalid_request"),
    ("implicit", |w, _| w.set("response_type", "token"), ">unsupported_response_type"),
    ("an ID token at once", |w, _| w.set("response_type", "id_token"), ">unsupported_response_type"),
    ("hybrid", |w, _| w.set("response_type", "code id_token"), ">unsupported_response_type"),
    ("code and token", |w, _| w.set("response_type", "code token"), ">unsupported_response_type"),
    ("nothing", |w, _| w.set("response_type", "none"), ">unsupported_response_type"),
    ("the type in capitals", |w, _| w.set("response_type", "CODE"), ">unsupported_response_type"),
    ("no type", |w, _| w.cut("response_type"), ">invalid_request"),
    ("two types", |w, _| w.add("response_type", "code"), ">invalid_request"),
    ("the answer in a fragment", |w, _| w.add("response_mode", "fragment"), ">invalid_request"),
    ("the answer in a form", |w, _| w.add("response_mode", "form_post"), ">invalid_request"),
    ("the answer to a window", |w, _| w.add("response_mode", "web_message"), ">invalid_request"),
    ("a request object", |w, _| w.add("request", "eyJhbGciOiJub25lIn0.e30."), ">request_not_supported"),
    ("a request elsewhere", |w, _| w.add("request_uri", "https://evil.example/request"), ">request_not_supported"),
    ("a request in a file", |w, _| w.add("request_uri", "file:///etc/passwd"), ">request_not_supported"),
    ("a request inside", |w, _| w.add("request_uri", "http://127.0.0.1:8006/metrics"), ">request_not_supported"),
    (
        "a pushed request that never was",
        |w, _| w.add("request_uri", "urn:ietf:params:oauth:request_uri:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
        "page: this request has expired",
    ),
    ("no scope", |w, _| w.cut("scope"), ">invalid_scope"),
    ("an empty scope", |w, _| w.set("scope", "  "), ">invalid_scope"),
    ("a scope that there is not", |w, _| w.set("scope", "IDENTITY ADMIN"), ">invalid_scope"),
    ("a wildcard", |w, _| w.set("scope", "*"), ">invalid_scope"),
    ("a scope in small letters", |w, _| w.set("scope", "identity"), ">invalid_scope"),
    ("a scope the application may not have", |w, _| w.set("scope", "IDENTITY WRITE_GRAPH"), ">invalid_scope"),
    ("scopes by commas", |w, _| w.set("scope", "IDENTITY,RUN_AGENT"), ">invalid_scope"),
    ("scopes by line ends", |w, _| w.set("scope", "IDENTITY\nRUN_AGENT"), ">invalid_scope"),
    ("a scope with a tag", |w, _| w.set("scope", "<script>alert(1)</script>"), ">invalid_scope"),
    ("two scopes", |w, _| w.add("scope", "RUN_AGENT"), ">invalid_request"),
    ("ten thousand scopes", |w, _| w.set("scope", &"X ".repeat(10_000)), ">invalid_scope"),
    ("two states", |w, _| w.add("state", "t"), ">invalid_request"),
    ("a state of five thousand letters", |w, _| w.set("state", &"s".repeat(5_000)), ">invalid_request"),
    ("a nonce of five thousand letters", |w, _| w.add("nonce", &"n".repeat(5_000)), ">invalid_request"),
    (
        "two nonces",
        |w, _| {
            w.add("nonce", "a");
            w.add("nonce", "b");
        },
        ">invalid_request",
    ),
    (
        "two prompts",
        |w, _| {
            w.add("prompt", "none");
            w.add("prompt", "consent");
        },
        ">invalid_request",
    ),
    ("a prompt that contradicts itself", |w, _| w.add("prompt", "none consent"), ">invalid_request"),
    ("a prompt that there is not", |w, _| w.add("prompt", "skip"), ">invalid_request"),
    ("no prompt, and nothing allowed before", |w, _| w.add("prompt", "none"), ">consent_required"),
    ("an age below nothing", |w, _| w.add("max_age", "-1"), ">invalid_request"),
    ("an age of letters", |w, _| w.add("max_age", "1e9"), ">invalid_request"),
    ("an age beyond numbers", |w, _| w.add("max_age", "99999999999999999999"), ">invalid_request"),
    ("an age of nothing", |w, _| w.add("max_age", "0"), ASKS),
    ("a resource elsewhere", |w, _| w.add("resource", "https://evil.example/"), ">invalid_target"),
    ("a resource with a fragment", |w, _| w.add("resource", "https://heddle.example/#x"), ">invalid_target"),
    (
        "a resource that looks alike",
        |w, _| w.add("resource", "https://heddle.example.evil.example/"),
        ">invalid_target",
    ),
    (
        "a resource with a name before it",
        |w, _| w.add("resource", "https://heddle.example@evil.example/"),
        ">invalid_target",
    ),
    ("a resource that is no address", |w, _| w.add("resource", "everything"), ">invalid_target"),
    ("nine resources", |w, _| (0..9).for_each(|_| w.add("resource", "https://heddle.example/")), ">invalid_target"),
    ("an unknown application", |w, _| w.set("client_id", "agpt_client_nobody"), GONE),
    ("the application's record", |w, b| w.set("client_id", &b.looms.key()), GONE),
    ("the name in capitals", |w, b| w.set("client_id", &b.looms.id().to_uppercase()), GONE),
    ("the name with a space", |w, b| w.set("client_id", &format!("{} ", b.looms.id())), GONE),
    ("the name with a zero byte", |w, b| w.set("client_id", &format!("{}\0", b.looms.id())), GONE),
    ("a wildcard for a name", |w, _| w.set("client_id", "%"), GONE),
    (
        "an unknown application with errors",
        |w, _| {
            w.set("client_id", "agpt_client_nobody");
            w.set("redirect_uri", "https://evil.example/cb");
            w.set("response_type", "token");
        },
        GONE,
    ),
    ("no name", |w, _| w.cut("client_id"), "page: the request lacks client_id"),
    ("two names", |w, b| w.add("client_id", b.nets.id()), "page: the request names client_id more than once"),
    (
        "two addresses",
        |w, _| w.add("redirect_uri", "https://evil.example/cb"),
        "page: the request names redirect_uri more than once",
    ),
    (
        "the same address twice",
        |w, _| w.add("redirect_uri", CALLBACK),
        "page: the request names redirect_uri more than once",
    ),
    (
        "another application's address",
        |w, _| w.set("redirect_uri", "https://nets.example/cb"),
        "page: invalid redirect_uri",
    ),
    (
        "an unknown parameter twice",
        |w, _| {
            w.add("x", "1");
            w.add("x", "2");
        },
        ">invalid_request",
    ),
    ("an unknown parameter", |w, _| w.add("x", "1"), ASKS),
    ("an answer within the request", |w, _| w.add("code", "stolen"), ASKS),
    ("an issuer within the request", |w, _| w.add("iss", "https://evil.example"), ASKS),
    ("a hundred and one parameters", |w, _| (0..101).for_each(|n| w.add(&format!("p{n}"), "x")), "page:"),
    ("forty thousand letters", |w, _| w.add("x", &"a".repeat(40_000)), "page:"),
    ("a secret in the query", |w, b| w.add("client_secret", &b.looms.secret), ASKS),
    ("claims", |w, _| w.add("claims", "{\"userinfo\":{\"email\":null}}"), ASKS),
];

pub async fn attacks() -> Tally {
    let (bed, mut tally) = (Bed::new().await, Tally::new("requests"));
    for (what, change, wanted) in ROWS {
        let mut wire = bed.query(&bed.looms, CALLBACK, "IDENTITY");
        change(&mut wire, &bed);
        let found = match Parameters::parse(wire.encoded().as_bytes()) {
            Some(_) => bed.authorize(&wire, bed.ada).await,
            None => "page: too long".to_owned(),
        };
        let wanted = match wanted.strip_prefix('>') {
            Some(error) => format!("to {CALLBACK}?error={error}&error_description="),
            None => (*wanted).to_owned(),
        };
        tally.row(what, &found, &wanted);
        // RFC 9207: who answers is said last, in errors too; a state comes back once or not at all.
        if found.starts_with("to ") {
            let issuer: String = url::form_urlencoded::byte_serialize(ISSUER.as_bytes()).collect();
            tally.row(&format!("{what}: issuer"), &found.ends_with(&format!("&iss={issuer}")).to_string(), "true");
            let states = found.matches("&state=").count();
            let most = usize::from(
                wire.fields.iter().filter(|(name, value)| name == "state" && value.len() < 5_000).count() == 1,
            );
            tally.row(&format!("{what}: state"), &(states == most).to_string(), "true");
        }
    }
    people(&bed, &mut tally).await;
    applications(&bed, &mut tally).await;
    tally
}

/// Who sits in front of the browser, and when that was last proved.
async fn people(bed: &Bed, tally: &mut Tally) {
    let server = &bed.platform.authorization;
    let view = async |wire: &Wire, session| match server.view(&wire.parameters(), session).await.unwrap() {
        View::Page(error) => format!("page: {error}"),
        View::SignIn { .. } => "login".to_owned(),
        View::Ask(_) => "asks".to_owned(),
        View::Redirect(url) => format!("to {}", crate::bed::without_code(&url)),
    };
    let good = bed.query(&bed.looms, CALLBACK, "IDENTITY");
    let with = |name: &str, value: &str| {
        let mut wire = good.clone();
        wire.add(name, value);
        wire
    };
    let login_required = format!("to {CALLBACK}?error=login_required&");
    tally.row("nobody", &view(&good, None).await, "login");
    tally.row("nobody, silently", &view(&with("prompt", "none"), None).await, &login_required);
    let session = bed.session(bed.ada);
    bed.pass(100);
    tally.row("too long ago", &view(&with("max_age", "99"), Some(&session)).await, "login");
    tally.row("just recently enough", &view(&with("max_age", "100"), Some(&session)).await, "asks");
    tally.row("again", &view(&with("prompt", "login"), Some(&session)).await, "login");
    let mut silent = with("prompt", "none");
    silent.add("max_age", "1");
    tally.row("too long ago, silently", &view(&silent, Some(&session)).await, &login_required);
    let decided = server.decide(&with("max_age", "1").parameters(), &session, true).await.unwrap();
    tally.row("allowed after too long", &matches!(decided, Decision::SignIn(_)).to_string(), "true");

    // What one person allowed holds for that person, these scopes and this application.
    server.decide(&good.parameters(), &session, true).await.unwrap();
    let granted = format!("to {CALLBACK}?code=*&state=s&iss=");
    let asks = format!("to {CALLBACK}?error=consent_required&");
    tally.row("remembered, silently", &view(&with("prompt", "none"), Some(&session)).await, &granted);
    tally.row("remembered", &view(&good, Some(&session)).await, "asks");
    let bob = bed.session(bed.bob);
    tally.row("another person, silently", &view(&with("prompt", "none"), Some(&bob)).await, &asks);
    let mut more = with("prompt", "none");
    more.set("scope", "IDENTITY RUN_AGENT");
    tally.row("more, silently", &view(&more, Some(&session)).await, &asks);
    server.end_grant(bed.ada, bed.looms.id()).await.unwrap();
    tally.row("taken back, silently", &view(&with("prompt", "none"), Some(&session)).await, &asks);
    // A program that anybody can play is asked about every time.
    let phone = bed.query(&bed.phone, "http://127.0.0.1:7000/cb", "IDENTITY");
    server.decide(&phone.parameters(), &session, true).await.unwrap();
    let mut silent = phone.clone();
    silent.add("prompt", "none");
    let wanted = "to http://127.0.0.1:7000/cb?error=consent_required&";
    tally.row("a program on a desk, silently", &view(&silent, Some(&session)).await, wanted);
    // No is no, and carries no code.
    let denied = server.decide(&good.parameters(), &session, false).await.unwrap();
    let Decision::Redirect(url) = denied else { panic!("{denied:?}") };
    tally.row(
        "denied",
        &url,
        &format!("{CALLBACK}?error=access_denied&error_description=User+denied+access&state=s&iss="),
    );
}

async fn applications(bed: &Bed, tally: &mut Tally) {
    let server = &bed.platform.authorization;
    let good = bed.query(&bed.looms, CALLBACK, "IDENTITY");
    server.set_app_active(By::Operator, &bed.looms.key(), false).await.unwrap();
    tally.row("an application that is off", &bed.authorize(&good, bed.ada).await, GONE);
    let allowed = server.decide(&good.parameters(), &bed.session(bed.ada), true).await.unwrap();
    tally.row("allowed to one that is off", &matches!(allowed, Decision::Page(_)).to_string(), "true");
    let denied = server.decide(&good.parameters(), &bed.session(bed.ada), false).await.unwrap();
    tally.row("denied to one that is off", &matches!(denied, Decision::Page(_)).to_string(), "true");
    server.set_app_active(By::Operator, &bed.looms.key(), true).await.unwrap();
    let foreign = server.set_app_active(By::Person(bed.bob), &bed.looms.key(), false).await;
    tally.row("another's application switched off", &foreign.is_err().to_string(), "true");
    let foreign = server.rotate_app_secret(By::Person(bed.bob), &bed.looms.key()).await;
    tally.row("another's secret replaced", &foreign.is_err().to_string(), "true");
    let foreign = server.delete_app(By::Person(bed.bob), &bed.looms.key()).await;
    tally.row("another's application removed", &foreign.is_err().to_string(), "true");
    for (what, change) in [
        ("trusted", heddle_platform::authorization::Change { is_trusted: Some(true), ..Default::default() }),
        ("plain", heddle_platform::authorization::Change { allows_plain: Some(true), ..Default::default() }),
    ] {
        let changed = server.change_app(By::Person(bed.ada), &bed.looms.key(), change).await;
        tally.row(&format!("an owner makes its application {what}"), &changed.is_err().to_string(), "true");
    }
    // A code of a request that was changed after it was shown is for what is asked at last, and judged anew.
    let mut grown = good.clone();
    grown.set("scope", "IDENTITY WRITE_GRAPH");
    let Decision::Redirect(url) = server.decide(&grown.parameters(), &bed.session(bed.ada), true).await.unwrap() else {
        panic!("no redirect")
    };
    tally.row("allowed to more than it may", &url, &format!("{CALLBACK}?error=invalid_scope&"));
}
