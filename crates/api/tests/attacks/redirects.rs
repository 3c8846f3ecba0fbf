//! Where answers go: only to what was registered, byte for byte.

use crate::bed::{Bed, CALLBACK, Tally, draft};
use heddle_model::Scope;
use heddle_platform::authorization::By;
use heddle_platform::authorization::rules::draft::Draft;

const PAGE: &str = "page: invalid redirect_uri";
const ASKS: &str = "asks";

/// What a request of Looms names instead of `https://looms.example/cb`.
const SPELLINGS: &[&str] = &[
    "https://looms.example/cb/",
    "https://looms.example/cb?",
    "https://looms.example/cb#",
    "https://looms.example/cb#x",
    "https://looms.example/cb?x=1",
    "https://looms.example/cb;x",
    "https://looms.example/cb%00",
    "https://looms.example/cb%20",
    "https://looms.example/cb ",
    " https://looms.example/cb",
    "https://looms.example/cb\n",
    "https://looms.example/cb\r\nLocation: https://evil.example",
    "https://looms.example/cb\t",
    "https://looms.example/CB",
    "https://looms.example/c%62",
    "https://looms.example//cb",
    "https://looms.example/./cb",
    "https://looms.example/x/../cb",
    "https://looms.example/cb/../cb",
    "https://looms.example\\cb",
    "https://looms.example/cb/evil",
    "https://looms.example/cbevil",
    "https://looms.example/",
    "https://looms.example",
    "https://looms.example:443/cb",
    "https://looms.example:8443/cb",
    "https://looms.example.:443/cb",
    "https://looms.example./cb",
    "https://LOOMS.EXAMPLE/cb",
    "HTTPS://looms.example/cb",
    "http://looms.example/cb",
    "https:looms.example/cb",
    "https:/looms.example/cb",
    "https:///looms.example/cb",
    "//looms.example/cb",
    "/cb",
    "cb",
    "https://user@looms.example/cb",
    "https://user:pass@looms.example/cb",
    "https://looms.example@evil.example/cb",
    "https://looms.example%40evil.example/cb",
    "https://looms.example%2eevil.example/cb",
    "https://looms.example.evil.example/cb",
    "https://evil.example/looms.example/cb",
    "https://evil.example/?https://looms.example/cb",
    "https://evil.example/#https://looms.example/cb",
    "https://evil.example\\@looms.example/cb",
    "https://evil.example;looms.example/cb",
    "https://evil.example,looms.example/cb",
    "https://xn--looms-2ve.example/cb",
    "https://lооms.example/cb",
    "https://looms。example/cb",
    "https://ⓛooms.example/cb",
    "https://looms.example/cb\u{202e}",
    "https://looms.example/\u{200b}cb",
    "https://looms.example/*",
    "https://*.example/cb",
    "https://looms.example/cb https://evil.example",
    "https://looms.example/cb,https://evil.example",
    "javascript:alert(1)//https://looms.example/cb",
    "data:text/html,https://looms.example/cb",
    "vbscript:x",
    "file:///etc/passwd",
    "blob:https://looms.example/cb",
    "about:blank",
    "urn:ietf:wg:oauth:2.0:oob",
    "postmessage",
    "null",
    "https://nets.example/cb",
    "com.example.phone:/cb",
    "http://127.0.0.1/cb",
];

/// What a request of the program on a phone names; it registered `http://127.0.0.1/cb` and `com.example.phone:/cb`.
const NATIVE: &[(&str, &str)] = &[
    ("http://127.0.0.1/cb", ASKS),
    ("http://127.0.0.1:1/cb", ASKS),
    ("http://127.0.0.1:51004/cb", ASKS),
    ("http://127.0.0.1:65535/cb", ASKS),
    ("http://127.0.0.1:65536/cb", PAGE),
    ("http://127.0.0.1:0/cb", PAGE),
    ("http://127.0.0.1:080/cb", PAGE),
    ("http://127.0.0.1:/cb", PAGE),
    ("http://127.0.0.1:+80/cb", PAGE),
    ("http://127.0.0.1:80:81/cb", PAGE),
    ("http://127.0.0.1:80@evil.example/cb", PAGE),
    ("http://127.0.0.1:80/cb/", PAGE),
    ("http://127.0.0.1:80/cb?x", PAGE),
    ("http://127.0.0.1:80/", PAGE),
    ("http://127.0.0.1.evil.example/cb", PAGE),
    ("http://127.0.0.1@evil.example/cb", PAGE),
    ("http://localhost/cb", PAGE),
    ("http://localhost:80/cb", PAGE),
    ("http://[::1]:80/cb", PAGE),
    ("http://127.1/cb", PAGE),
    ("http://2130706433/cb", PAGE),
    ("http://0x7f000001/cb", PAGE),
    ("http://127.0.0.2/cb", PAGE),
    ("http://0.0.0.0/cb", PAGE),
    ("https://127.0.0.1/cb", PAGE),
    ("HTTP://127.0.0.1/cb", PAGE),
    ("com.example.phone:/cb", ASKS),
    ("com.example.phone://cb", PAGE),
    ("com.example.phone:cb", PAGE),
    ("com.example.phone:/cb?x=1", PAGE),
    ("COM.EXAMPLE.PHONE:/cb", PAGE),
    ("com.example.phone.evil:/cb", PAGE),
];

/// What nobody can register.
const UNFIT: &[&str] = &[
    "",
    "cb",
    "/cb",
    "//a.example/cb",
    "http://a.example/cb",
    "http://192.168.1.1/cb",
    "http://localhost.a.example/cb",
    "http://127.0.0.1.a.example/cb",
    "https://a.example/cb#",
    "https://a.example/cb#x",
    "https://a.example/cb?code=1",
    "https://a.example/cb?state=1",
    "https://a.example/cb?iss=x",
    "https://a.example/cb?error=x",
    "https://a.example/cb?c%6fde=1",
    "https://user@a.example/cb",
    "https://user:pass@a.example/cb",
    "https://*.a.example/cb",
    "https://a.example/cb x",
    "https://a.example/cb\n",
    "https://a.example/\"x",
    "https://a.example/<x>",
    "https://a.example\\cb",
    "https://ä.example/cb",
    "https://a.example;b/cb",
    "https:///a.example",
    "https:a.example",
    "HTTPS://a.example/cb",
    "https://",
    "javascript:alert(1)",
    "JavaScript:alert(1)",
    "java\tscript:alert(1)",
    "data:text/html,x",
    "vbscript:x",
    "file:///etc/passwd",
    "blob:https://a.example/x",
    "filesystem:https://a.example/x",
    "about:blank",
    "view-source:https://a.example",
    "chrome://settings",
    "intent://x#Intent;end",
    "mailto:a@a.example",
    "tel:123",
    "ws://a.example",
    "wss://a.example",
    "ftp://a.example",
];

pub async fn attacks() -> Tally {
    let (bed, mut tally) = (Bed::new().await, Tally::new("redirects"));
    for uri in SPELLINGS {
        let found = bed.authorize(&bed.query(&bed.looms, uri, "IDENTITY"), bed.ada).await;
        tally.row(&format!("{uri:?}"), &found, PAGE);
        // Errors in the rest of the request must not go there either.
        let mut wire = bed.query(&bed.looms, uri, "NONSENSE");
        wire.set("response_type", "token");
        wire.add("prompt", "none");
        tally.row(&format!("{uri:?} with errors"), &bed.authorize(&wire, bed.ada).await, PAGE);
    }
    for (uri, wanted) in NATIVE {
        let found = bed.authorize(&bed.query(&bed.phone, uri, "IDENTITY"), bed.ada).await;
        tally.row(&format!("a phone's {uri:?}"), &found, wanted);
    }
    let server = &bed.platform.authorization;
    for uri in UNFIT {
        let made = server.create_app(By::Person(bed.ada), None, draft("Bad", &[uri], &[Scope::Identity])).await;
        tally.row(&format!("registering {uri:?}"), &made.is_err().to_string(), "true");
    }
    let long = format!("https://a.example/{}", "a".repeat(2_000));
    let made = server.create_app(By::Person(bed.ada), None, draft("Bad", &[&long], &[Scope::Identity])).await;
    tally.row("registering two thousand letters", &made.is_err().to_string(), "true");
    // A registered query stays, and the answer comes behind it.
    let with_query = draft("Queries", &["https://looms.example/cb?tenant=1&x=%2F"], &[Scope::Identity]);
    let (client, secret) = server.create_app(By::Person(bed.ada), None, with_query).await.unwrap();
    let app = crate::bed::App { client, secret: secret.unwrap().expose().to_owned() };
    let mut wire = bed.query(&app, "https://looms.example/cb?tenant=1&x=%2F", "NONSENSE");
    wire.set("state", "a&code=stolen");
    let found = bed.authorize(&wire, bed.ada).await;
    tally.row(
        "a query and a state that looks like one",
        &found,
        "to https://looms.example/cb?tenant=1&x=%2F&error=invalid_scope&",
    );
    tally.row("no second code", &found.contains("&code=").to_string(), "false");
    // Without an address where there are two, and where there is one.
    let mut wire = bed.query(&bed.looms, CALLBACK, "IDENTITY");
    wire.cut("redirect_uri");
    tally.row(
        "no address where there are two",
        &bed.authorize(&wire, bed.ada).await,
        "page: the request lacks redirect_uri",
    );
    let mut wire = bed.query(&bed.nets, CALLBACK, "IDENTITY");
    wire.cut("redirect_uri");
    tally.row("no address where there is one", &bed.authorize(&wire, bed.ada).await, ASKS);
    let public = Draft { is_public: true, ..draft("Trusted", &["com.example.t:/cb"], &[Scope::Identity]) };
    let (client, _) = server.create_app(By::Operator, None, public).await.unwrap();
    let change = heddle_platform::authorization::Change { is_trusted: Some(true), ..Default::default() };
    server.change_app(By::Operator, &client.id.to_string(), change).await.unwrap();
    let app = crate::bed::App { client, secret: String::new() };
    let found = bed.authorize(&bed.query(&app, "com.example.t:/cb", "IDENTITY"), bed.ada).await;
    tally.row("a trusted application that anybody can play", &found, ASKS);
    tally
}
