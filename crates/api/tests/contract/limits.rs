//! How often somebody may call: bad credentials, and requests where the operator limits them.

use crate::testbed::{Testbed, echo};
use heddle_api::ApiSettings;
use heddle_model::{Scope, Time};
use heddle_platform::{Clock, Limit, Options, Watch};
use serde_json::{Value, json};
use std::sync::Arc;

/// A quarter of a minute after a minute began.
const NOW: i64 = 1_770_000_015;

/// A clock that stands, so that no minute ends in the middle of a test.
struct Standing;

impl Clock for Standing {
    fn now(&self) -> Time {
        Time(NOW * 1_000_000)
    }

    fn random(&self) -> [u8; 16] {
        [7; 16]
    }
}

async fn bed(limit: Limit) -> Testbed {
    let settings = ApiSettings { trusted_proxy_count: 1, ..ApiSettings::default() };
    Testbed::opened(settings, Options { limit, watch: Watch(Arc::new(Standing)), ..Options::default() }).await
}

#[tokio::test]
async fn too_many_failures_are_refused_but_never_a_good_key() {
    let bed = bed(Limit { failures_per_head: 2, failures_per_address: 4, ..Limit::default() }).await;
    let ada = bed.person("ada").await;
    let me = async |key: &str, address: &str| bed.get("/me").key(key).header("x-forwarded-for", address).send().await;
    for (key, address, status) in [
        ("agpt_aaa1", "1.1.1.1", 401),
        ("agpt_aaa2", "1.1.1.1", 401),
        ("agpt_aaa3", "1.1.1.1", 429),
        ("agpt_bbb1", "1.1.1.1", 401),
        ("agpt_bbb2", "1.1.1.1", 429),
        ("agpt_aaa1", "2.2.2.2", 401),
    ] {
        let answer = me(key, address).await;
        if status == 429 {
            assert_eq!(answer.header("retry-after"), "60");
            let detail = json!("Too many failed authentication attempts. Try again shortly.");
            assert_eq!(answer.expect(429), json!({ "detail": detail }), "{key} {address}");
        } else {
            assert_eq!(answer.status.as_u16(), status, "{key} {address}");
        }
    }
    assert_eq!(me(&ada.key, "1.1.1.1").await.status.as_u16(), 200);
    assert_eq!(me("", "1.1.1.1").await.expect(401)["detail"].as_str().map(|text| &text[..7]), Some("Missing"));
    let _: Value = me(&ada.key, "1.1.1.1").await.expect(200);
}

#[tokio::test]
async fn requests_are_counted_for_each_scope_where_they_are_limited() {
    let bed = bed(Limit { requests: Some(2), executions: Some(1), ..Limit::default() }).await;
    let ada = bed.person("ada").await;
    let told = |answer: &crate::testbed::Answer| {
        let number = |name: &str| answer.header(&format!("x-ratelimit-{name}")).parse::<i64>().ok();
        (answer.status.as_u16(), number("limit"), number("remaining"), number("reset"))
    };
    let end = Some(NOW + 45);
    for remaining in [1, 0] {
        assert_eq!(told(&bed.get("/me").of(&ada).send().await), (200, Some(2), Some(remaining), end));
    }
    let refused = bed.get("/me").of(&ada).send().await;
    assert_eq!((told(&refused), refused.header("retry-after")), ((429, Some(2), Some(0), end), "45"));
    assert_eq!(refused.json(), json!({"detail": "Rate limit exceeded for scope 'IDENTITY'. Retry after 45s."}));

    // Another scope, another key, another account.
    assert_eq!(told(&bed.get("/blocks").of(&ada).send().await).0, 200);
    let second = bed.key(ada.user, &[Scope::Identity]).await;
    assert_eq!(told(&bed.get("/me").key(&second).send().await), (200, Some(2), Some(1), end));
    assert_eq!(told(&bed.get("/me").of(&bed.person("bob").await).send().await).0, 200);

    // What the scopes or the schema refuse.
    assert_eq!(told(&bed.get("/blocks").key(&second).send().await), (403, None, None, None));
    let graph = bed.save(&ada, &echo()).await["id"].as_str().unwrap().to_owned();
    let wrong = bed.post(&format!("/graphs/{graph}/execute/x")).of(&ada).send().await;
    assert_eq!(told(&wrong), (422, Some(1), Some(0), end), "it was counted");
    let run = bed.post(&format!("/graphs/{graph}/execute/1")).of(&ada).send().await;
    assert_eq!(run.expect(429)["detail"], "Rate limit exceeded for scope 'EXECUTE_GRAPH'. Retry after 45s.");
}

#[tokio::test]
async fn nothing_is_said_of_limits_where_there_are_none() {
    let bed = Testbed::new().await;
    let ada = bed.person("ada").await;
    for _ in 0..40 {
        let answer = bed.get("/me").of(&ada).send().await;
        assert_eq!((answer.status.as_u16(), answer.header("x-ratelimit-limit")), (200, ""));
    }
}

#[tokio::test]
async fn a_key_tells_when_it_was_last_used() {
    let bed = Testbed::new().await;
    let ada = bed.person("ada").await;
    let last_used = async || bed.platform.keys.list(ada.user).await.unwrap()[0].last_used_at;
    assert_eq!(last_used().await, None);
    assert_eq!(bed.get("/me").of(&ada).send().await.status, 200);
    // Noted beside the answer.
    while last_used().await.is_none() {
        tokio::task::yield_now().await;
    }
}
