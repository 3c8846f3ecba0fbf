//! `/metrics` exists for this machine and for operators, and for nobody else.

use crate::testbed::Testbed;
use axum::extract::ConnectInfo;
use heddle_api::ApiSettings;
use heddle_model::Scope;
use heddle_platform::NewAccount;
use http::Request;
use std::net::SocketAddr;
use tower::ServiceExt;

#[tokio::test]
async fn only_operators_keys_open_it_from_elsewhere() {
    let t = Testbed::new().await;
    let ada = t.person("ada").await;
    let new = NewAccount { email: "root@example.org".to_owned(), name: None, password: None, is_admin: true };
    let root = t.platform.accounts.create(new).await.unwrap().id;
    let key = t.key(root, &[Scope::Identity]).await;

    let missing = t.ask("GET", "/metricz").send().await;
    for answer in [
        t.ask("GET", "/metrics").send().await,
        t.ask("POST", "/metrics").send().await,
        t.ask("GET", "/metrics/").of(&ada).send().await,
        t.ask("GET", "/metrics").of(&ada).send().await,
        t.ask("GET", "/metrics").key("agpt_nonsense").send().await,
    ] {
        assert_eq!((answer.status, &answer.bytes), (missing.status, &missing.bytes));
        let names = |headers: &http::HeaderMap| headers.keys().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(names(&answer.headers), names(&missing.headers));
    }

    let shown = t.ask("GET", "/metrics").key(&key).send().await;
    assert_eq!(shown.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    assert!(String::from_utf8(shown.bytes).unwrap().contains("\nheddle_build_info{version="));
    let accept = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5";
    let open = t.ask("GET", "/metrics").key(&key).header("accept", accept).send().await;
    assert_eq!(open.header("content-type"), "application/openmetrics-text; version=1.0.0; charset=utf-8");
    assert!(open.bytes.ends_with(b"\n# EOF\n"));
    let wrong = t.ask("POST", "/metrics").key(&key).send().await;
    assert_eq!((wrong.status.as_u16(), wrong.header("allow")), (405, "GET"));

    t.platform.accounts.disable("root@example.org").await.unwrap();
    assert_eq!(t.ask("GET", "/metrics").key(&key).send().await.status, 404);
}

#[tokio::test]
async fn it_is_there_for_this_machine_but_not_through_a_proxy_on_it() {
    let t = Testbed::new().await;
    let status = async |peer: [u8; 4], forwarded: Option<&str>| {
        let mut request = Request::get("/metrics");
        if let Some(forwarded) = forwarded {
            request = request.header("x-forwarded-for", forwarded);
        }
        let mut request = request.body(axum::body::Body::empty()).unwrap();
        request.extensions_mut().insert(ConnectInfo(SocketAddr::from((peer, 9))));
        t.router.clone().oneshot(request).await.unwrap().status().as_u16()
    };
    assert_eq!(status([127, 0, 0, 1], None).await, 200);
    assert_eq!(status([127, 0, 0, 1], Some("1.1.1.1")).await, 404);
    assert_eq!(status([10, 0, 0, 1], None).await, 404);
    assert_eq!(status([10, 0, 0, 1], Some("127.0.0.1")).await, 404);
}

#[tokio::test]
async fn the_setting_opens_it_for_everyone() {
    let t = Testbed::with(ApiSettings { metrics_public: true, ..ApiSettings::default() }).await;
    let missing = t.ask("GET", "/no/such/path/as/this").send().await;
    assert_eq!(missing.status, 404);
    let text = String::from_utf8(t.ask("GET", "/metrics").send().await.bytes).unwrap();
    let counted = "\nheddle_http_requests_total{method=\"GET\",route=\"unmatched\",status=\"4xx\"} 1\n";
    assert!(text.contains(counted) && !text.contains("/no/such"), "{text}");
}
