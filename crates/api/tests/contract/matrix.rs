//! Everybody × everything: which credential opens which route of v1, and whose things it finds there.
//!
//! Rows come from the served document, so that a new route is in it or the test fails; `data/access.txt` keeps what came out.

use crate::document::{is_kept, members, operations, served};
use crate::market::{make_creator, published};
use crate::oauth::{Bed, text};
use crate::testbed::{Answer, NOBODY, Person, V1, without_ids};
use heddle_api::ApiSettings;
use heddle_model::{Scope, Time};
use heddle_platform::{Clock, Limit, NewAccount, NewKey, Options, Watch};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// `FillTextTemplateBlock`.
const TEMPLATE: &str = "db7d8f02-2f44-4c55-ab7a-eae0941f0c30";
pub const HOUR: i64 = 3_600_000_000;

/// A clock that a test sets.
pub struct Hands(pub AtomicI64);

impl Clock for Hands {
    fn now(&self) -> Time {
        Time(self.0.load(Ordering::Relaxed))
    }

    fn random(&self) -> [u8; 16] {
        rand::random()
    }
}

/// What path parameters stand for.
type Things = BTreeMap<&'static str, String>;

/// Parameters that name something which belongs to somebody.
const OWNED: [&str; 3] = ["graph_id", "graph_exec_id", "cred_id"];

/// A server and whoever calls it.
struct Stage {
    bed: Bed,
    bob: Person,
    operator: Person,
    document: Value,
    expired: String,
    revoked: String,
}

impl Stage {
    async fn new() -> Self {
        let hands = Arc::new(Hands(AtomicI64::new(1_770_112_800_000_000)));
        let limit = Limit { failures_per_head: 10_000, failures_per_address: 10_000, ..Limit::default() };
        let options = Options { limit, watch: Watch(Arc::clone(&hands) as Arc<dyn Clock>), ..Options::default() };
        let bed = Bed::opened(ApiSettings::default(), options, Scope::ALL).await;
        let tokens = bed.tokens("IDENTITY").await;
        let expired = text(&tokens, "access_token").to_owned();
        hands.0.fetch_add(2 * HOUR, Ordering::Relaxed);
        let platform = &bed.bed.platform;
        let bob = bed.bed.person("bob").await;
        let new = NewAccount { email: "root@example.org".to_owned(), name: None, password: None, is_admin: true };
        let user = platform.accounts.create(new).await.unwrap().id;
        let operator = Person { user, key: bed.bed.key(user, Scope::ALL).await };
        // What everybody may see.
        make_creator(&bed.bed, &bed.ada, "ada").await;
        published(&bed.bed, &bed.ada, &operator, "Digest", &[]).await;
        let new = NewKey { name: "old".to_owned(), scopes: Scope::ALL.to_vec(), description: None };
        let (record, revoked) = platform.keys.create(bob.user, new).await.unwrap();
        platform.keys.revoke(bob.user, &record.id.to_string()).await.unwrap();
        let document = served().await;
        Self { bed, bob, operator, document, expired, revoked }
    }

    /// Things that nobody has.
    fn nothing() -> Things {
        let ids = OWNED.map(|name| (name, NOBODY.to_owned()));
        let given = [
            ("graph_version", "1"),
            ("block_id", TEMPLATE),
            ("provider", "openai"),
            ("username", "ada"),
            ("agent_name", "digest"),
        ];
        ids.into_iter().chain(given.map(|(name, value)| (name, value.to_owned()))).collect()
    }

    /// New things of Ada's, as many as the path names.
    async fn adas(&self, path: &str) -> Things {
        let mut things = Self::nothing();
        let bed = &self.bed.bed;
        if path.contains("{graph_id}") {
            let graph = bed.echo(&self.bed.ada).await;
            if path.contains("{graph_exec_id}") {
                let inputs = json!({ "text": "secret" }).as_object().unwrap().clone();
                things.insert("graph_exec_id", bed.run(&self.bed.ada, &graph, inputs).await);
            }
            things.insert("graph_id", graph);
        }
        if path.contains("{cred_id}") {
            let credential = json!({ "type": "api_key", "api_key": "sk-example", "title": "Ada's" });
            let kept = bed.post("/integrations/openai/credentials").of(&self.bed.ada).json(&credential).send().await;
            things.insert("cred_id", text(&kept.expect(201), "id").to_owned());
        }
        things
    }

    /// A request of this route, with the document's example as its body.
    async fn ask(
        &self,
        (method, path, operation): (&str, &str, &Value),
        header: (&str, &str),
        things: &Things,
    ) -> Answer {
        let fill = |part: &str| match part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
            Some(name) => things.get(name).unwrap_or_else(|| panic!("{path}: what is {name} here?")).clone(),
            None => part.to_owned(),
        };
        let path = path.split('/').map(fill).collect::<Vec<_>>().join("/");
        let mut ask = self.bed.bed.ask(&method.to_uppercase(), &format!("{V1}{path}"));
        if !header.0.is_empty() {
            ask = ask.header(header.0, header.1);
        }
        match operation.pointer("/requestBody/content/application~1json/example") {
            Some(body) => ask.json(body).send().await,
            None => ask.send().await,
        }
    }
}

/// What an answer tells about things that others do not have; nothing that differs from request to request.
fn told(answer: &Answer) -> (u16, String) {
    (answer.status.as_u16(), without_ids(&answer.json().to_string()))
}

#[tokio::test]
async fn every_route_opens_to_whom_it_should() {
    let stage = Stage::new().await;
    let ada = stage.bed.ada.user;
    let mut alone = Vec::new();
    for scope in Scope::ALL {
        alone.push((scope.as_str(), stage.bed.bed.key(ada, &[*scope]).await));
    }
    let key = |key: &str| ("x-api-key", key.to_owned());
    let nothing = Stage::nothing();
    let mut table = String::new();
    for route in operations(&stage.document) {
        let (method, path, operation) = route;
        let status = async |header: (&str, String), things: &Things| {
            stage.ask(route, (header.0, &header.1), things).await.status.as_u16()
        };
        let needed: Vec<_> =
            operation["x-required-scopes"].as_array().unwrap().iter().map(|scope| scope.as_str().unwrap()).collect();
        let _ = write!(table, "{} {path}:", method.to_uppercase());
        for (who, header) in [
            ("nothing", ("", String::new())),
            ("garbage", key("agpt_garbage")),
            ("expired", ("authorization", format!("Bearer {}", stage.expired))),
            ("revoked", key(&stage.revoked)),
        ] {
            let _ = write!(table, " {who} {},", status(header, &nothing).await);
        }
        let mut openers = Vec::new();
        for (scope, alone) in &alone {
            match status(key(alone), &nothing).await {
                403 => {}
                status => openers.push(format!("{scope} {status}")),
            }
        }
        let _ = write!(table, " alone [{}],", openers.join(", "));
        for lacking in &needed {
            let others: Vec<_> = Scope::ALL.iter().copied().filter(|scope| scope.as_str() != *lacking).collect();
            let others = stage.bed.bed.key(ada, &others).await;
            let _ = write!(table, " all but {lacking} {},", status(key(&others), &nothing).await);
        }
        let is_owned = OWNED.iter().any(|name| path.contains(&format!("{{{name}}}")));
        let things = stage.adas(path).await;
        for (who, person) in [("other", &stage.bob), ("operator", &stage.operator)] {
            let foreign = stage.ask(route, ("x-api-key", &person.key), &things).await;
            let missing = stage.ask(route, ("x-api-key", &person.key), &nothing).await;
            if is_owned {
                assert_eq!(told(&foreign), told(&missing), "{method} {path}: {who} sees more than nothing");
            }
            let _ = write!(table, " {who} {},", foreign.status.as_u16());
        }
        let owner = status(key(&stage.bed.ada.key), &things).await;
        let tokens = stage.bed.tokens(&needed.join("+")).await;
        let token = ("authorization", format!("Bearer {}", text(&tokens, "access_token")));
        let oauth = status(token, &stage.adas(path).await).await;
        let _ = writeln!(table, " owner {owner}, oauth {oauth}");
    }
    let served: usize = members(&stage.document["paths"]).values().map(|item| members(item).len()).sum();
    assert_eq!(table.lines().count(), served);
    is_kept("access.txt", &table);
}
