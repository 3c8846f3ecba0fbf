//! Pushed requests (RFC 9126): used twice, by others, late, swapped for what is beside their name.

use crate::bed::{Bed, CALLBACK, Tally, Wire};
use heddle_platform::authorization::{By, Change, Decision, Rules};

const PAR: &str = "/api/oauth/par";
const EXPIRED: &str = "page: this request has expired";

async fn push(bed: &Bed, scope: &str) -> String {
    let mut wire = Wire::post(PAR);
    wire.fields = bed.query(&bed.looms, CALLBACK, scope).fields;
    wire.add("client_secret", &bed.looms.secret);
    let reply = bed.send(&wire).await;
    assert_eq!(reply.status, 201, "{}", reply.said());
    reply.json()["request_uri"].as_str().unwrap().to_owned()
}

fn named(client_id: &str, uri: &str) -> Wire {
    let mut wire = Wire::get("/auth/authorize");
    wire.add("client_id", client_id);
    wire.add("request_uri", uri);
    wire
}

async fn decided(bed: &Bed, wire: &Wire, allows: bool) -> String {
    let server = &bed.platform.authorization;
    match server.decide(&wire.parameters(), &bed.session(bed.ada), allows).await.unwrap() {
        Decision::Page(error) => format!("page: {error}"),
        Decision::SignIn(_) => "login".to_owned(),
        Decision::Redirect(url) => format!("to {}", crate::bed::without_code(&url)),
    }
}

pub async fn attacks() -> Tally {
    let (bed, mut tally) = (Bed::new().await, Tally::new("pushed"));
    let granted = format!("to {CALLBACK}?code=*");
    let looms = bed.looms.id();
    for (what, first) in [("allowed", true), ("denied", false)] {
        let uri = push(&bed, "IDENTITY").await;
        let wire = named(looms, &uri);
        assert_eq!(bed.authorize(&wire, bed.ada).await, "asks");
        decided(&bed, &wire, first).await;
        tally.row(&format!("shown after it was {what}"), &bed.authorize(&wire, bed.ada).await, EXPIRED);
        tally.row(&format!("allowed after it was {what}"), &decided(&bed, &wire, true).await, EXPIRED);
        tally.row(&format!("denied after it was {what}"), &decided(&bed, &wire, false).await, EXPIRED);
    }
    let uri = push(&bed, "IDENTITY").await;
    let wire = named(looms, &uri);
    let won = futures::future::join_all((0..8).map(|_| decided(&bed, &wire, true))).await;
    tally.row(
        "allowed eight times at once",
        &won.iter().filter(|said| said.starts_with(&granted)).count().to_string(),
        "1",
    );

    let uri = push(&bed, "IDENTITY").await;
    tally.row("by another application", &bed.authorize(&named(bed.nets.id(), &uri), bed.ada).await, EXPIRED);
    tally.row("in capitals", &bed.authorize(&named(looms, &uri.to_uppercase()), bed.ada).await, "page");
    tally.row("cut", &bed.authorize(&named(looms, &uri[..uri.len() - 1]), bed.ada).await, EXPIRED);
    let mut twice = named(looms, &uri);
    twice.add("request_uri", &uri);
    tally.row(
        "named twice",
        &bed.authorize(&twice, bed.ada).await,
        "page: the request names request_uri more than once",
    );
    let mut grown = named(looms, &uri);
    for (name, value) in [("scope", "IDENTITY RUN_AGENT"), ("redirect_uri", "https://evil.example/"), ("state", "evil")]
    {
        grown.add(name, value);
    }
    let found = decided(&bed, &grown, true).await;
    tally.row("with other parameters beside it", &found, &format!("{granted}&state=s&iss="));

    let uri = push(&bed, "IDENTITY").await;
    bed.pass(90);
    tally.row("after ninety seconds", &bed.authorize(&named(looms, &uri), bed.ada).await, EXPIRED);
    let uri = push(&bed, "IDENTITY").await;
    assert_eq!(bed.authorize(&named(looms, &uri), bed.ada).await, "asks");
    bed.pass(901);
    tally.row("decided after a quarter of an hour", &decided(&bed, &named(looms, &uri), true).await, EXPIRED);

    for (what, name, value, wanted) in [
        ("a foreign address", "redirect_uri", "https://evil.example/cb", "400 invalid_request: invalid redirect_uri"),
        ("a scope it may not have", "scope", "WRITE_GRAPH", "400 invalid_scope"),
        ("implicit", "response_type", "token", "400 unsupported_response_type"),
        ("plain", "code_challenge_method", "plain", "400 invalid_request"),
        ("no challenge", "code_challenge", "", "400 invalid_request"),
        (
            "another request",
            "request_uri",
            "urn:ietf:params:oauth:request_uri:x",
            "400 invalid_request: request_uri cannot be pushed",
        ),
        ("a request object", "request", "eyJhbGciOiJub25lIn0.e30.", "400 request_not_supported"),
        ("a resource elsewhere", "resource", "https://evil.example", "400 invalid_target"),
        ("another name", "client_id", "agpt_client_nobody", "401 invalid_client"),
    ] {
        let mut wire = Wire::post(PAR);
        wire.fields = bed.query(&bed.looms, CALLBACK, "IDENTITY").fields;
        wire.add("client_secret", &bed.looms.secret);
        wire.set(name, value);
        tally.row(&format!("{what} is pushed"), &bed.send(&wire).await.said(), wanted);
    }
    let mut json = Wire::post(PAR).in_json();
    json.fields = bed.query(&bed.looms, CALLBACK, "IDENTITY").fields;
    json.add("client_secret", &bed.looms.secret);
    tally.row("JSON is pushed", &bed.send(&json).await.said(), "400 invalid_request: Only a form can be pushed");

    let must = Change { requires_pushed: Some(true), ..Change::default() };
    bed.platform.authorization.change_app(By::Operator, &bed.looms.key(), must).await.unwrap();
    let open = bed.query(&bed.looms, CALLBACK, "IDENTITY");
    let wanted = format!("to {CALLBACK}?error=invalid_request&error_description=This+application+must+push");
    tally.row("not pushed where it must be", &bed.authorize(&open, bed.ada).await, &wanted);
    tally.row("allowed unpushed where it must be", &decided(&bed, &open, true).await, &wanted);

    let without = Bed::with(Rules { pushed: false, ..Rules::default() }).await;
    tally.row("where it is switched off", &without.send(&Wire::post(PAR)).await.said(), "404");
    tally
}
