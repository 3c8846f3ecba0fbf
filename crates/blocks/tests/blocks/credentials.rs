//! The block that sends kept headers, and where they do not go.

use crate::common::{in_a_run, outside_a_run, run};
use crate::mock::{Mock, answer};
use async_trait::async_trait;
use heddle_blocks::credentials::{Credential, Credentials, Material, Reference};
use heddle_blocks::{Ports, Registry};
use heddle_engine::ports::{Context, Failure};
use heddle_model::{UserId, Value};
use heddle_outbound::{Client, Options, Policy, Resolve};
use heddle_vault::Secret;
use serde_json::{Value as Json, json};
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex};

const SEND: &str = "fff86bcd-e001-4bad-a7f6-2eae4720c8dc";
const SECRET: &str = "hunter2";

/// Every name is this machine.
struct Here;

#[async_trait]
impl Resolve for Here {
    async fn resolve(&self, _: &str) -> io::Result<Vec<IpAddr>> {
        Ok(vec![Ipv4Addr::LOCALHOST.into()])
    }
}

/// One credential for headers, kept for a host, and who has asked for it.
struct Kept {
    host: String,
    asked: Mutex<Vec<(UserId, Reference)>>,
}

#[async_trait]
impl Credentials for Kept {
    async fn open(&self, reference: &Reference, cx: &Context) -> Result<Credential, Failure> {
        self.asked.lock().expect("no test panics while it holds this").push((cx.user, reference.clone()));
        if reference.id != "kept" {
            return Err(Failure::Execution(format!("Unknown credentials #{}", reference.id)));
        }
        let header = |name: &str| (name.to_owned(), Secret::new(SECRET.to_owned()));
        Ok(Credential {
            id: reference.id.clone(),
            provider: "http".to_owned(),
            title: None,
            material: Material::HostScoped {
                host: self.host.clone(),
                headers: vec![header("X-Api-Key"), header("Authorization")],
            },
            base_url: None,
        })
    }
}

fn kept(host: &str) -> Arc<Kept> {
    Arc::new(Kept { host: host.to_owned(), asked: Mutex::default() })
}

fn registry(kept: &Arc<Kept>, mocks: &[&Mock]) -> Arc<Registry> {
    let allow = mocks.iter().map(|mock| mock.address.to_string().parse().expect("an entry")).collect();
    let options = Options { policy: Policy::new(allow), resolver: Arc::new(Here), ..Options::default() };
    let credentials = Arc::clone(kept) as Arc<dyn Credentials>;
    Registry::new(Ports { outbound: Some(Client::new(options)), credentials: Some(credentials), ..Ports::default() })
}

async fn send(registry: &Arc<Registry>, mut input: Json) -> Result<(String, Value), Failure> {
    let members = input.as_object_mut().expect("an object");
    members.entry("credentials").or_insert(json!({"id": "kept", "provider": "http", "type": "host_scoped"}));
    let (mut outputs, ended) = run(registry, SEND, members.clone(), in_a_run()).await;
    ended.map(|()| {
        assert_eq!(outputs.len(), 1);
        outputs.remove(0)
    })
}

#[tokio::test]
async fn kept_headers_go_to_their_host_and_to_no_other() {
    let mock = Mock::start(vec![answer(200, "", "ok")]).await;
    let port = mock.address.port();
    for (host, url, sent) in [
        (format!("127.0.0.1:{port}"), mock.url("/a"), true),
        (format!("api.example:{port}"), format!("http://api.example:{port}/"), true),
        (format!("api.example:{port}"), format!("API.example:{port}"), true),
        (format!("*.example:{port}"), format!("http://api.example:{port}/"), true),
        // No port is named, and this is not one of the usual ones.
        ("api.example".to_owned(), format!("http://api.example:{port}/"), false),
        (format!("api.example:{port}"), format!("http://evil.example:{port}/"), false),
        (format!("api.example:{port}"), format!("http://api.example.evil.example:{port}/"), false),
        (format!("api.example:{port}"), format!("http://api.example@evil.example:{port}/"), false),
        (format!("api.example:{port}"), mock.url("/"), false),
        ("not a host".to_owned(), mock.url("/"), false),
    ] {
        let mock = Mock::start(vec![answer(200, "", "ok")]).await;
        // Each case has a server of its own, with its own port.
        let own = |text: String| text.replace(&port.to_string(), &mock.address.port().to_string());
        let answered = send(&registry(&kept(&own(host.clone())), &[&mock]), json!({"url": own(url.clone())})).await;
        assert_eq!(answered, Ok(("response".to_owned(), json!("ok"))), "{host} {url}");
        let seen = mock.seen(1).await.remove(0);
        assert_eq!(seen.header("x-api-key"), sent.then_some(SECRET), "{host} {url}");
        assert_eq!(seen.head.contains(SECRET), sent, "{host} {url}");
    }
}

#[tokio::test]
async fn headers_of_the_node_win() {
    let mock = Mock::start(vec![answer(200, "", "ok")]).await;
    let kept = kept(&mock.address.to_string());
    let input = json!({"url": mock.url("/"), "method": "GET", "headers": {"x-API-key": "mine"}});
    send(&registry(&kept, &[&mock]), input).await.expect("an answer");
    let seen = mock.seen(1).await.remove(0);
    assert_eq!((seen.header("x-api-key"), seen.header("authorization")), (Some("mine"), Some(SECRET)));
    assert_eq!(seen.line(), "GET /");
}

#[tokio::test]
async fn a_redirect_to_another_origin_takes_no_kept_header_along() {
    for same in [true, false] {
        let second = Mock::start(vec![answer(200, "", "ok")]).await;
        let location = if same { "/again".to_owned() } else { second.url("/again") };
        let first =
            Mock::start(vec![answer(307, &format!("location: {location}\r\n"), ""), answer(200, "", "ok")]).await;
        let kept = kept(&first.address.to_string());
        send(&registry(&kept, &[&first, &second]), json!({"url": first.url("/")})).await.expect("an answer");
        let last = if same { first.seen(2).await.remove(1) } else { second.seen(1).await.remove(0) };
        assert_eq!(last.line(), "POST /again");
        assert_eq!(last.header("x-api-key").is_some(), same);
        assert_eq!(last.head.contains(SECRET), same);
    }
}

#[tokio::test]
async fn the_credential_is_asked_for_in_the_name_of_the_account() {
    let mock = Mock::start(vec![answer(200, "", "ok")]).await;
    let kept = kept("api.example");
    let input = json!({"url": mock.url("/"), "credentials":
        {"id": "other", "provider": "http", "type": "host_scoped", "title": "t"}});
    let refused = send(&registry(&kept, &[&mock]), input).await;
    assert_eq!(refused, Err(Failure::Execution("Unknown credentials #other".to_owned())));
    assert_eq!(mock.seen(0).await.len(), 0);
    let asked = kept.asked.lock().expect("nobody panicked");
    assert_eq!(asked.len(), 1);
    assert_eq!((asked[0].0, asked[0].1.title.as_deref()), (in_a_run().user, Some("t")));
}

#[tokio::test]
async fn without_a_reference_or_a_vault_nothing_is_sent() {
    let mock = Mock::start(vec![answer(200, "", "ok")]).await;
    let object = |input: Json| input.as_object().expect("an object").clone();
    let (_, ended) =
        run(&registry(&kept("a"), &[&mock]), SEND, object(json!({"url": mock.url("/")})), outside_a_run()).await;
    assert!(matches!(ended, Err(Failure::Input(text)) if text.ends_with("'credentials' is a required property")));
    let options = Options {
        policy: Policy::new(vec![mock.address.to_string().parse().expect("an entry")]),
        ..Options::default()
    };
    let bare = Registry::new(Ports { outbound: Some(Client::new(options)), ..Ports::default() });
    let input = json!({"url": mock.url("/"), "credentials": {"id": "1", "provider": "http", "type": "host_scoped"}});
    let (_, ended) = run(&bare, SEND, object(input), outside_a_run()).await;
    assert_eq!(ended, Err(Failure::Execution("this server keeps no credentials".to_owned())));
    assert_eq!(mock.seen(0).await.len(), 0);
}
