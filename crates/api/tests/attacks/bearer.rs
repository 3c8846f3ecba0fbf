//! Credentials of one kind where another belongs (`auth.md` 3).

use crate::bed::{Bed, Tally, Wire, basic};
use heddle_model::Scope;
use heddle_platform::NewKey;

pub async fn attacks() -> Tally {
    let (bed, mut tally) = (Bed::new().await, Tally::new("credentials"));
    let tokens = bed.tokens().await;
    let access = tokens["access_token"].as_str().unwrap();
    let refresh = tokens["refresh_token"].as_str().unwrap();
    let code = bed.code().await;
    let new = NewKey { name: "test".to_owned(), scopes: vec![Scope::Identity], description: None };
    let key = bed.platform.keys.create(bed.ada, new).await.unwrap().1;
    let cookie = bed.sign_in("ada").await;
    let session = cookie.split_once('=').unwrap().1;
    let (unknown, missing) = ("401 Invalid token: access token not found", "401 Missing authentication.");
    let bearer = |token: &str| ("authorization", format!("Bearer {token}"));
    let api_key = |token: &str| ("x-api-key", token.to_owned());
    let upper = access.to_uppercase();
    for (what, headers, wanted) in [
        ("nothing", vec![], missing),
        ("an access token", vec![bearer(access)], "200"),
        ("an access token as a key", vec![api_key(access)], "401 Invalid API key"),
        ("a refresh token", vec![bearer(refresh)], unknown),
        ("a refresh token as a key", vec![api_key(refresh)], "401 Invalid API key"),
        ("a code", vec![bearer(&code)], unknown),
        ("a code as a key", vec![api_key(&code)], "401 Invalid API key"),
        ("a client's secret", vec![bearer(&bed.looms.secret)], unknown),
        ("a client's secret as a key", vec![api_key(&bed.looms.secret)], "401 Invalid API key"),
        ("a client's name", vec![bearer(bed.looms.id())], unknown),
        ("a session's token", vec![bearer(session)], unknown),
        ("a session's token as a key", vec![api_key(session)], "401 Invalid API key"),
        ("a session's cookie", vec![("cookie", cookie.clone())], missing),
        ("an API key", vec![api_key(&key)], "200"),
        ("an API key as a bearer", vec![bearer(&key)], "200"),
        ("a bad key beside a good token", vec![api_key("agpt_bad"), bearer(access)], "401 Invalid API key"),
        ("a good key beside a bad token", vec![api_key(&key), bearer("agpt_xt_bad")], "200"),
        ("an empty key beside a good token", vec![api_key(""), bearer(access)], "200"),
        ("a bad key before a good one", vec![api_key("agpt_bad"), api_key(&key)], "401 Invalid API key"),
        ("a bad token before a good one", vec![bearer("agpt_xt_bad"), bearer(access)], unknown),
        ("the token with another prefix", vec![bearer(&access.replace("agpt_xt_", "agpt_"))], unknown),
        ("a key with the token's prefix", vec![bearer(&key.replace("agpt_", "agpt_xt_"))], unknown),
        ("the token in capitals", vec![bearer(&upper)], unknown),
        ("the token's beginning", vec![bearer(&access[..40])], unknown),
        ("more than the token", vec![bearer(&format!("{access}x"))], unknown),
        ("two tokens in one", vec![bearer(&format!("{access} {access}"))], unknown),
        ("a token in quotes", vec![bearer(&format!("\"{access}\""))], unknown),
        ("a token with a comma", vec![bearer(&format!("{access},x"))], unknown),
        ("another scheme", vec![("authorization", format!("Token {access}"))], missing),
        ("no scheme", vec![("authorization", access.to_owned())], missing),
        ("a scheme and a colon", vec![("authorization", format!("Bearer:{access}"))], missing),
        ("basic", vec![("authorization", basic("x", access))], missing),
        ("the application's basic", vec![("authorization", bed.looms.basic())], missing),
        ("the scheme in capitals", vec![("authorization", format!("BEARER {access}"))], "200"),
        ("a long token", vec![bearer(&format!("agpt_xt_{}", "a".repeat(20_000)))], unknown),
        ("a wildcard", vec![bearer("agpt_xt_%")], unknown),
        ("nothing but the prefix", vec![bearer("agpt_xt_")], unknown),
    ] {
        let mut wire = Wire::get("/external-api/v1/me");
        for (name, value) in headers {
            wire = wire.header(name, &value);
        }
        let reply = bed.send(&wire).await;
        // RFC 6750, 3: a challenge always, with an error only where something was presented.
        let challenge = reply.get("www-authenticate");
        let wants_error = wanted != missing;
        let is_right = match reply.status {
            401 => {
                challenge.starts_with("Bearer realm=") && challenge.contains("error=\"invalid_token\"") == wants_error
            }
            _ => challenge.is_empty(),
        };
        let found = if is_right { reply.said() } else { format!("{}, challenge {challenge:?}", reply.said()) };
        tally.row(what, &found, wanted);
    }
    for (what, path, body) in [
        ("a token in the query", format!("/external-api/v1/me?access_token={access}"), None),
        ("a key in the query", format!("/external-api/v1/me?api_key={key}"), None),
        ("a token in the body", "/external-api/v1/blocks/x/execute".to_owned(), Some(format!("access_token={access}"))),
    ] {
        let mut wire = if body.is_some() { Wire::post(&path) } else { Wire::get(&path) };
        wire.raw = body.map(String::into_bytes);
        tally.row(what, &bed.send(&wire).await.said(), missing);
    }
    // The account's own addresses are for sessions alone.
    for path in ["/api/api-keys", "/api/oauth/apps/mine", "/api/oauth/grants"] {
        for (what, header) in
            [("a token", bearer(access)), ("a key", api_key(&key)), ("a key as a bearer", bearer(&key))]
        {
            let found = bed.send(&Wire::get(path).header(header.0, &header.1)).await.said();
            tally.row(&format!("{what} at {path}"), &found, "401 Authorization header is missing");
        }
    }
    // A token for something else opens nothing here.
    let mut query = bed.query(&bed.looms, crate::bed::CALLBACK, "IDENTITY");
    query.add("resource", "https://heddle.example/api/oauth/userinfo");
    let server = &bed.platform.authorization;
    let decided = server.decide(&query.parameters(), &bed.session(bed.ada), true).await.unwrap();
    let heddle_platform::authorization::Decision::Redirect(url) = decided else { panic!("{decided:?}") };
    let narrow = bed.send(&bed.exchange(&crate::bed::parameter(&url, "code"))).await.tokens();
    let narrow = narrow["access_token"].as_str().unwrap();
    tally.row("a token for another resource", &bed.me(narrow).await, unknown);
    tally
}
