//! Who an application says it is: at every endpoint, in every place, with every scheme.

use crate::bed::{Bed, Tally, Wire, basic};
use heddle_platform::authorization::By;

type Edit = fn(&mut Wire, &Bed);

const CLIENT: &str = "401 invalid_client: Client authentication failed";
const TWICE: &str = "400 invalid_request: Client credentials came in more than one place";

fn with(wire: &mut Wire, authorization: impl Into<Vec<u8>>) {
    wire.headers.push(("authorization".to_owned(), authorization.into()));
}

fn only(wire: &mut Wire, authorization: impl Into<Vec<u8>>) {
    wire.cut("client_id");
    wire.cut("client_secret");
    with(wire, authorization);
}

/// What is changed about a good request with the credentials in its form; the answer.
const ROWS: &[(&str, Edit, &str)] = &[
    (
        "nothing at all",
        |w, _| {
            w.cut("client_id");
            w.cut("client_secret");
        },
        CLIENT,
    ),
    ("a secret without a name", |w, _| w.cut("client_id"), CLIENT),
    ("a name without a secret", |w, _| w.cut("client_secret"), CLIENT),
    ("an unknown name", |w, _| w.set("client_id", "agpt_client_nobody"), CLIENT),
    ("another's secret", |w, b| w.set("client_secret", &b.nets.secret), CLIENT),
    ("a public application's name with a secret", |w, b| w.set("client_id", b.phone.id()), CLIENT),
    ("header and body", |w, b| with(w, b.looms.basic()), TWICE),
    (
        "two headers",
        |w, b| {
            only(w, b.looms.basic());
            with(w, b.looms.basic());
        },
        TWICE,
    ),
    (
        "two headers, the first wrong",
        |w, b| {
            only(w, basic(b.looms.id(), "x"));
            with(w, b.looms.basic());
        },
        TWICE,
    ),
    (
        "the header of one, the name of another",
        |w, b| {
            only(w, b.looms.basic());
            w.add("client_id", b.nets.id());
        },
        TWICE,
    ),
    (
        "two names",
        |w, b| w.add("client_id", b.nets.id()),
        "400 invalid_request: Parameter client_id came more than once",
    ),
    (
        "two secrets",
        |w, _| w.add("client_secret", "x"),
        "400 invalid_request: Parameter client_secret came more than once",
    ),
    ("the same name twice", |w, b| w.add("client_id", b.looms.id()), "400 invalid_request: Parameter client_id"),
    ("a header that is not base64", |w, _| only(w, "Basic !!!"), CLIENT),
    ("a header without a colon", |w, _| only(w, "Basic bG9vbXM="), CLIENT),
    ("an empty header", |w, _| only(w, "Basic "), CLIENT),
    ("a header that is not UTF-8", |w, _| only(w, "Basic /zr/"), CLIENT),
    ("a header with broken percent signs", |w, b| only(w, basic(b.looms.id(), "%ff")), CLIENT),
    ("a header with bytes above ASCII", |w, _| only(w, b"Basic \xff\xfe".to_vec()), CLIENT),
    (
        "a header with a secret that begins with a colon",
        |w, b| only(w, basic(b.looms.id(), &format!(":{}", b.looms.secret))),
        CLIENT,
    ),
    ("the name for a secret", |w, b| w.set("client_secret", b.looms.id()), CLIENT),
    ("a bearer token for a secret", |w, b| only(w, format!("Bearer {}", b.looms.secret)), CLIENT),
    ("digest", |w, _| only(w, "Digest username=\"x\""), CLIENT),
    (
        "an assertion",
        |w, _| {
            w.cut("client_secret");
            w.add("client_assertion", "eyJhbGciOiJub25lIn0.e30.");
            w.add("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
        },
        CLIENT,
    ),
    ("a name of 20,000 letters", |w, _| w.set("client_id", &"a".repeat(20_000)), CLIENT),
    ("a secret of 20,000 letters", |w, _| w.set("client_secret", &"a".repeat(20_000)), CLIENT),
    ("a name in another alphabet", |w, b| w.set("client_id", &b.looms.id().replace('a', "а")), CLIENT),
    ("a name with a mark nobody sees", |w, b| w.set("client_id", &format!("{}\u{200b}", b.looms.id())), CLIENT),
    ("a name with line ends", |w, b| w.set("client_id", &format!("{}\r\nX: y", b.looms.id())), CLIENT),
];

pub async fn attacks() -> Tally {
    let (bed, mut tally) = (Bed::new().await, Tally::new("clients"));
    for (what, change, wanted) in ROWS {
        for path in ["/api/oauth/token", "/api/oauth/introspect", "/api/oauth/revoke", "/api/oauth/par"] {
            let tokens = bed.tokens().await;
            let access = tokens["access_token"].as_str().unwrap();
            let mut wire = bed.refresh(tokens["refresh_token"].as_str().unwrap());
            wire.path = path.to_owned();
            match path {
                "/api/oauth/par" => {
                    let pushed = bed.query(&bed.looms, crate::bed::CALLBACK, "IDENTITY");
                    wire.fields = pushed.fields;
                    wire.add("client_secret", &bed.looms.secret);
                }
                "/api/oauth/token" => {}
                _ => wire.set("token", access),
            }
            change(&mut wire, &bed);
            let reply = bed.send(&wire).await;
            // RFC 6749, 5.2: a challenge where the header was used, and only there.
            let used_basic = wire.headers.iter().any(|(_, value)| value.starts_with(b"Basic"));
            let challenged = reply.get("www-authenticate").starts_with("Basic realm=");
            let found = match challenged == (used_basic && reply.status == 401) {
                true => reply.said(),
                false => format!("{}, challenge {:?}", reply.said(), reply.get("www-authenticate")),
            };
            tally.row(&format!("{what} at {path}"), &found, wanted);
            assert_eq!(bed.me(access).await, "200", "{what} at {path} ended a token");
        }
    }
    limits(&bed, &mut tally).await;
    work(&bed, &mut tally).await;
    tally
}

/// `auth.md` 9: thirty failures a minute for an address and a name, and nobody else pays for them.
async fn limits(bed: &Bed, tally: &mut Tally) {
    let tokens = bed.tokens().await;
    let good = bed.refresh(tokens["refresh_token"].as_str().unwrap()).header("x-forwarded-for", "192.0.2.1");
    let mut bad = good.clone();
    bad.set("client_secret", "agpt_secret_guess");
    for _ in 0..30 {
        assert_eq!(bed.send(&bad).await.status, 401);
    }
    let later = "429 temporarily_unavailable";
    let reply = bed.send(&bad).await;
    tally.row("the 31st guess", &reply.said(), later);
    tally.row(
        "when to come back",
        &(1..=60).contains(&reply.get("retry-after").parse::<u32>().unwrap()).to_string(),
        "true",
    );
    tally.row("the right secret from there", &bed.send(&good).await.said(), later);
    let mut header = good.clone();
    only(&mut header, bed.looms.basic());
    tally.row("the right secret in the header from there", &bed.send(&header).await.said(), later);
    let mut spelled = bad.clone();
    spelled.headers.clear();
    let spelled = spelled.header("x-forwarded-for", "198.51.100.9, 192.0.2.1");
    tally.row("a guess with another address in front", &bed.send(&spelled).await.said(), later);
    let mut mapped = bad.clone();
    mapped.headers.clear();
    let mapped = mapped.header("x-forwarded-for", "::ffff:192.0.2.1");
    tally.row("a guess with the address as IPv6", &bed.send(&mapped).await.said(), later);
    let mut other = bad.clone();
    other.set("client_id", bed.nets.id());
    tally.row("another name from there", &bed.send(&other).await.said(), CLIENT);
    let mut elsewhere = good.clone();
    elsewhere.headers.clear();
    let elsewhere = elsewhere.header("x-forwarded-for", "192.0.2.2");
    tally.row("the right secret from elsewhere", &bed.send(&elsewhere).await.said(), "200 tokens");
    bed.pass(61);
    tally.row("a minute later", &bed.send(&bad).await.said(), CLIENT);
    // A network of IPv6 is one client.
    let six = |last: u32| {
        let mut wire = bad.clone();
        wire.headers.clear();
        wire.header("x-forwarded-for", &format!("2001:db8:1:2::{last:x}"))
    };
    for last in 0..30 {
        assert_eq!(bed.send(&six(last)).await.status, 401);
    }
    tally.row("the 31st guess from another address of one network", &bed.send(&six(99)).await.said(), later);
}

/// Who is unknown, switched off or wrong is refused in the same words where strangers ask.
async fn work(bed: &Bed, tally: &mut Tally) {
    let tokens = bed.tokens().await;
    let good = bed.refresh(tokens["refresh_token"].as_str().unwrap());
    let edited = |name: &str, value: &str| {
        let mut wire = good.clone();
        wire.set(name, value);
        wire
    };
    let unknown = bed.send(&edited("client_id", "agpt_client_nobody")).await;
    let wrong = bed.send(&edited("client_secret", "agpt_secret_wrong")).await;
    bed.platform.authorization.set_app_active(By::Operator, &bed.looms.key(), false).await.unwrap();
    let off = bed.send(&good).await;
    bed.platform.authorization.set_app_active(By::Operator, &bed.looms.key(), true).await.unwrap();
    for (what, reply) in [("a wrong secret", &wrong), ("an application that is off", &off)] {
        tally.row(&format!("{what} reads as an unknown name"), &(reply.text() == unknown.text()).to_string(), "true");
    }
    for detail in ["Invalid client_id", "Invalid client_secret", "not active"] {
        let is_told = [&unknown, &wrong, &off].iter().any(|reply| reply.text().contains(detail));
        tally.row(&format!("{detail} is not told to strangers"), &is_told.to_string(), "false");
    }
}
