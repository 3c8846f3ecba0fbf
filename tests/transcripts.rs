//! Exchanges recorded from the original, replayed against the real binary and compared member by member.
//!
//! The recordings are not part of the project; what they say about its routes is, in `crates/api/tests/data`.

use crate::oauth::stage::{CALLBACK, Stage};
use crate::oauth::upstream;
use crate::support::{Answer, Client, say, shared};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// What is not replayed, by why. Each must be among the recordings.
const SKIPPED: &[(&str, &[&str])] = &[
    ("the clock of the server would have to be set", &["bearer expired"]),
    (
        "the newer releases, which we follow, do otherwise, and a recording of them is missing",
        &[
            "bearer holding an API key (August: taken as a token only)",
            "version with plus sign",
            "version as float text 1.0",
            "node_input null",
            "body null",
            "block inputs null",
            "execute: body null",
            "create: output node without name",
            "create: input node without name",
        ],
    ),
    (
        "the recording shows a fault of the original",
        &[
            "execute: non-ASCII text is garbled upstream",
            "execute: backslash in text breaks upstream",
            "results: output values that are not text (upstream 500)",
            "results: other graph id in the path (August ignores it)",
        ],
    ),
    (
        "its graphs and runs were stubs, which accept or hold what none of ours can",
        &[
            "execute: not accessible",
            "execute: not in library",
            "execute: validation",
            "execute: version 0",
            "execute: version -1",
            "results: graph gone",
            "results: completed",
            "results: completed, grouped by name",
            "results: completed without outputs",
            "results: running",
            "results: failed",
            "results: node values of any kind",
            "create: disabled block",
            "block: user gone",
            "me, no name, no time zone",
            "run: trigger without payload",
        ],
    ),
    ("its body is no text, which the contract suite of the API sends", &["body not UTF-8"]),
    (
        "its account had a balance, a subscription or credentials that were stubs",
        &[
            "execute: paywall",
            "block: balance too low",
            "block: no subscription",
            "block: subscription state unknown",
            "run: credentials missing",
            "run: credentials unknown, wrong type, malformed",
            "run: optional credentials, node skipped",
        ],
    ),
];
/// The graph that the recordings run.
const RECORDED: &str = "5b6f0e0e-0a58-44c5-8f8c-4b1d4b8a7c10";
/// What recordings cut short, or filled with stubs.
const FAKED: [&str; 7] =
    ["user_id", "created_at", "graph_id", "webhook", "discriminator_mapping", "email", "session_id"];

fn text<'a>(line: &'a Value, name: &str) -> &'a str {
    line[name].as_str().unwrap_or_default()
}

/// What two answers have in common: ids masked, providers of a credential group in one order.
fn comparable(value: &Value) -> Value {
    match value {
        Value::String(text) => json!(masked(text)),
        Value::Array(list) => {
            let mut list: Vec<_> = list.iter().map(comparable).collect();
            if list.iter().all(Value::is_string) {
                list.sort_by(|a, b| a.as_str().cmp(&b.as_str()));
            }
            Value::Array(list)
        }
        Value::Object(members) => {
            let kept = members.iter().filter(|(name, _)| !FAKED.contains(&name.as_str()));
            Value::Object(kept.map(|(name, value)| (name.clone(), comparable(value))).collect())
        }
        other => other.clone(),
    }
}

/// A text with every canonical UUID replaced by one word.
fn masked(text: &str) -> String {
    let is_id = |piece: &str| {
        piece.char_indices().all(|(at, letter)| match at {
            8 | 13 | 18 | 23 => letter == '-',
            _ => letter.is_ascii_hexdigit(),
        })
    };
    let (mut done, mut rest) = (String::new(), text);
    while let Some(letter) = rest.chars().next() {
        let id = rest.get(..36).is_some_and(is_id);
        done += if id { "ID" } else { &rest[..letter.len_utf8()] };
        rest = &rest[if id { 36 } else { letter.len_utf8() }..];
    }
    done
}

/// A server, and the credentials that the recordings name.
struct Replay {
    stage: Stage,
    client: Client,
    credentials: BTreeMap<&'static str, String>,
    graph: String,
}

impl Replay {
    fn start() -> Self {
        let mut stage = Stage::plain();
        let profile = stage.ada.open(&format!("{}/settings/profile", stage.origin));
        stage.ada.press(&profile, "Save", &[("name", "Ada Byron"), ("time_zone", "Europe/Berlin")]);
        let app = stage.app(CALLBACK);
        let token = |stage: &mut Stage| {
            upstream::tokens_for(stage, &app, "IDENTITY")["access_token"].as_str().unwrap().to_owned()
        };
        let (good, revoked) = (token(&mut stage), token(&mut stage));
        upstream::revoke(&stage, &app, &json!(revoked));
        let key = |scopes: &[&str]| {
            let body = json!({"name": "replay", "permissions": scopes}).to_string();
            let made = stage.ada.ask("POST", &format!("{}/api/api-keys", stage.origin), Some(body));
            text(&made.json(), "plain_text_key").to_owned()
        };
        let all: Vec<_> = heddle_model::Scope::ALL.iter().map(|scope| scope.as_str()).collect();
        let (every, none, identity) = (key(&all), key(&[]), key(&["IDENTITY"]));
        let client = Client::new(&stage.origin, None);
        let echo = json!({
            "name": "Echo", "description": "Says it back",
            "nodes": [
                {"id": "a", "block_id": "c0a8e994-ebf1-4a9c-a4d8-89d09c86741b", "input_default": {"name": "text"}},
                {"id": "b", "block_id": "363ae599-353e-4804-937e-b2ee3cef3da4", "input_default": {"name": "echo"}},
            ],
            "links": [{"source_id": "a", "sink_id": "b", "source_name": "result", "sink_name": "value"}],
        });
        let saved = client.post("/external-api/v1/graphs", &[("X-API-Key", &every)], &echo);
        let graph = text(&saved.json(), "id").to_owned();
        let credentials = BTreeMap::from([
            ("<key with every scope>", every),
            ("<key without scopes>", none),
            ("<key with IDENTITY>", identity),
            ("<unknown key>", format!("agpt_{}", "x".repeat(43))),
            ("<text without the prefix>", "x".repeat(48)),
            ("<unknown token>", format!("agpt_xt_{}", "x".repeat(43))),
            ("<good token with IDENTITY>", good),
            ("<revoked token>", revoked),
        ]);
        Self { stage, client, credentials, graph }
    }

    /// Sends a recorded request. The graph of a start that was accepted is one that is there.
    fn ask(&self, line: &Value) -> Answer {
        let case = text(line, "case");
        let mut path = text(line, "path").to_owned();
        if case.starts_with("execute:") && line["status"] == 200 {
            path = path.replace(RECORDED, &self.graph);
        }
        let key = ("X-API-Key".to_owned(), self.credentials["<key with every scope>"].clone());
        if let Some(graph) = line.get("graph") {
            let mut graph = graph.clone();
            graph["name"] = json!("Recorded");
            graph["description"] = json!("Of a start");
            let saved = self.client.post("/external-api/v1/graphs", &[(&key.0, &key.1)], &graph);
            if saved.status != 201 {
                return saved;
            }
            path = path.replace(RECORDED, text(&saved.json(), "id"));
        }
        let mut headers = Vec::new();
        for (name, value) in line["headers"].as_object().into_iter().flatten() {
            let value = self
                .credentials
                .iter()
                .fold(value.as_str().unwrap().to_owned(), |value, (name, known)| value.replace(name, known));
            headers.push((name.clone(), value));
        }
        let (body, content_type) = match (line.get("body"), line["raw_body"].as_str(), line.get("form_body")) {
            (Some(body), ..) => (Some(body.to_string()), "application/json"),
            (_, Some(raw), _) => (Some(raw.to_owned()), ""),
            (.., Some(form)) => {
                let pairs = form
                    .as_object()
                    .into_iter()
                    .flatten()
                    .map(|(name, value)| format!("{name}={}", value.as_str().unwrap()));
                (Some(pairs.collect::<Vec<_>>().join("&")), "application/x-www-form-urlencoded")
            }
            _ => (None, "application/json"),
        };
        if body.is_some() && !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type")) {
            headers.push(("Content-Type".to_owned(), content_type.to_owned()));
        }
        let headers: Vec<_> = headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        self.client.send(text(line, "method"), &path, &headers, body)
    }

    /// What is wrong with the answer to a recorded request.
    fn judge(&self, line: &Value) -> Option<String> {
        let case = text(line, "case");
        // A newer release that failed on its own error is no example.
        let expected = line.get("newer").filter(|newer| newer["status"] != 500).unwrap_or(line);
        let (status, body) =
            (expected["status"].as_u64().unwrap(), expected.get("response").cloned().unwrap_or_default());
        let answer = self.ask(line);
        let found = serde_json::from_str(&answer.body).unwrap_or(Value::Null);
        let told = |body: &Value| match case.starts_with("run: ")
            || line["status"] == 500
            || expected["response"].get("message").is_none()
        {
            true => body["detail"].clone(),
            false => body.clone(),
        };
        let same = match status {
            200 | 201 if case.starts_with("execute: ") || case.starts_with("run: ") => found["id"].is_string(),
            200 | 201 => comparable(&found) == comparable(&body),
            _ => comparable(&told(&found)) == comparable(&told(&body)),
        };
        let headers = [("allow", "allow"), ("location", "location"), ("retry_after", "retry-after")];
        let wrong = headers.iter().find(|(member, header)| {
            let expected = text(line, member).replace("http://HOST", &self.stage.origin);
            !expected.is_empty() && answer.header(header) != expected
        });
        let is_right = u64::from(answer.status) == status && same && wrong.is_none();
        (!is_right).then(|| format!("{case}\n  found    {} {}\n  expected {status} {body}", answer.status, answer.body))
    }
}

#[test]
fn the_real_server_answers_as_was_recorded() {
    let Some(shared) = shared(1) else { return };
    let lines = std::fs::read_to_string(shared.join("contract/v1-transcripts.jsonl")).unwrap();
    let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let lines: Vec<_> = lines.iter().filter(|line| line.get("case").is_some()).collect();
    let mut skipped = 0;
    for (why, cases) in SKIPPED {
        for case in *cases {
            assert!(lines.iter().any(|line| text(line, "case") == *case), "no recording is called {case}");
        }
        skipped += cases.len();
        say(&format!("transcripts not replayed: {} ({why})", cases.len()));
    }
    let replay = Replay::start();
    let is_skipped = |line: &Value| SKIPPED.iter().any(|(_, cases)| cases.contains(&text(line, "case")));
    let replayed: Vec<_> = lines.iter().filter(|line| !is_skipped(line)).collect();
    let wrong: Vec<_> = replayed.iter().filter_map(|line| replay.judge(line)).collect();
    say(&format!("transcripts replayed: {}, skipped: {skipped}", replayed.len()));
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), replayed.len(), wrong.join("\n"));
}
