//! Completion callbacks of the real server, to a receiver of one's own.

mod receiver;

use crate::support::{Client, Heddle, Server, execute, json_of, root, skip};
use receiver::{Receiver, Seen};
use serde_json::{Value, json};
use std::io::Write;
use std::process::{Command, Stdio};

/// A server whose callbacks may go there.
fn serve(heddle: &Heddle, receiver: &Receiver) -> Server {
    let allow = format!("outbound.allow={}", receiver.place());
    Server::start_with(heddle, &["--set", &allow, "--set", "log.level=trace"])
}

fn save(client: &Client) -> Value {
    client.save(&json_of(&root().join("examples/shopping-list.json")))
}

/// Starts a run of which somebody is told, and waits for it; the answer's body.
fn run(client: &Client, graph: &Value, url: &str) -> String {
    let body = json!({"node_input": {"items": ["tea", "ink"], "shop": "here"}, "callback_url": url});
    let answer = client.post(&execute(graph), &[("Prefer", "wait=60")], &body);
    assert_eq!((answer.status, &answer.json()["status"]), (200, &json!("COMPLETED")), "{answer:?}");
    answer.body
}

fn id(body: &str) -> String {
    serde_json::from_str::<Value>(body).unwrap()["id"].as_str().unwrap().to_owned()
}

fn secret(heddle: &Heddle) -> String {
    let outcome = heddle.run(&["user", "callback-secret"]);
    assert_eq!(outcome.code, 0, "{outcome:?}");
    outcome.stdout.trim().to_owned()
}

#[test]
fn a_callback_that_fails_twice_comes_a_third_time_and_no_more() {
    let heddle = Heddle::new();
    let receiver = Receiver::start(&[Some(500), Some(503), Some(200)]);
    let server = serve(&heddle, &receiver);
    let client = server.client(&heddle);
    let graph = save(&client);
    let (url, secret) = (receiver.url("/done"), secret(&heddle));
    let answered = run(&client, &graph, &url);
    let seen = receiver.seen(3);
    for seen in &seen {
        assert_eq!(seen.line, "POST /done HTTP/1.1");
        assert_eq!(
            (seen.header("content-type"), seen.header("heddle-delivery")),
            ("application/json", &*id(&answered))
        );
        assert_eq!(seen.body, answered);
    }
    // Once the next one has come, the first would have come again.
    let next = run(&client, &graph, &url);
    assert_eq!(receiver.seen(4)[3].body, next);
    let (status, _, log) = server.stop();
    assert!(status.success());
    assert_eq!(receiver.seen(0).len(), 4);
    assert!(log.iter().any(|line| line.contains("was not heard")), "it logs what it does");
    assert!(!log.iter().any(|line| line.contains(&secret) || line.contains(&secret[6..])), "the secret is in the log");
}

#[test]
fn a_kill_before_the_answer_was_noted_repeats_the_callback_that_was_under_way() {
    let heddle = Heddle::new();
    let receiver = Receiver::start(&[Some(200), None, Some(200)]);
    let server = serve(&heddle, &receiver);
    let client = server.client(&heddle);
    let graph = save(&client);
    let url = receiver.url("/done");
    let first = run(&client, &graph, &url);
    receiver.seen(1);
    // When the second is there, the first was noted or is about to be; the third request is only ever sent after.
    let second = run(&client, &graph, &url);
    receiver.seen(2);
    server.kill();
    let server = serve(&heddle, &receiver);
    receiver.count_of(&id(&second), 2);
    let third = run(&server.client(&heddle), &graph, &url);
    receiver.count_of(&id(&third), 1);
    let (status, _, _) = server.stop();
    assert!(status.success());
    let seen = receiver.seen(4);
    let of = |body: &String| seen.iter().filter(|seen| seen.header("heddle-delivery") == id(body)).collect::<Vec<_>>();
    assert_eq!((of(&second).len(), of(&third).len()), (2, 1));
    // The kill may have come before the first was noted.
    assert!((1..=2).contains(&of(&first).len()));
    assert!(seen.iter().all(|seen| [&first, &second, &third].contains(&&seen.body)));
}

#[test]
fn receivers_written_as_the_documentation_says_know_what_is_genuine() {
    let heddle = Heddle::new();
    let receiver = Receiver::start(&[Some(200)]);
    let server = serve(&heddle, &receiver);
    let client = server.client(&heddle);
    run(&client, &save(&client), &receiver.url("/done"));
    let Seen { body, .. } = &receiver.seen(1)[0];
    let signature = receiver.seen(1)[0].header("heddle-signature").to_owned();
    let secret = secret(&heddle);
    let case = |secret: &str, header: &str, body: &str, tolerance: i64| json!({"secret": secret, "header": header, "body": body, "tolerance": tolerance});
    let (time, digest) = signature.split_once(',').unwrap();
    let later = format!("t={},{digest}", time[2..].parse::<u64>().unwrap() + 1);
    let cases = json!([
        case(&secret, &signature, body, 300),
        case(&secret, &format!("{signature},v2=x"), body, 300),
        case(&secret, &signature, body, -1),
        case(&secret, &signature, &format!("{body} "), 300),
        case(&format!("{secret}x"), &signature, body, 300),
        case(&secret, &later, body, 300),
        case(&secret, &format!("{time},v1="), body, 300),
        case(&secret, &format!("{time},v1=é"), body, 300),
        case(&secret, time, body, 300),
        case(&secret, digest, body, 300),
        case(&secret, "t=now,v1=00", body, 300),
        case(&secret, "", body, 300),
    ]);
    let mut expected = vec![false; cases.as_array().unwrap().len()];
    expected[..2].fill(true);

    let python = "import json, sys\n\
        print(json.dumps([is_genuine(c['secret'], c['header'], c['body'].encode(), c['tolerance']) for c in json.load(sys.stdin)]))";
    let node = "const cases = JSON.parse(require('node:fs').readFileSync(0, 'utf8'));\n\
        console.log(JSON.stringify(cases.map((c) => isGenuine(c.secret, c.header, Buffer.from(c.body), c.tolerance))));";
    for (program, language, rest) in [("python3", "python", python), ("node", "js", node)] {
        let text = format!("{}\n{rest}\n", snippet(language));
        let file = crate::support::write(&heddle.beside(&format!("receiver.{language}")), &text);
        match judged(program, &file, &cases) {
            Some(judged) => assert_eq!(judged, json!(expected), "{language}"),
            None => skip(1, program),
        }
    }
}

/// The code of this language in the documentation.
fn snippet(language: &str) -> String {
    let text = std::fs::read_to_string(root().join("docs/callbacks.md")).unwrap();
    let (_, code) = text.split_once(&format!("```{language}\n")).expect("a snippet of each language");
    code.split_once("```").unwrap().0.to_owned()
}

/// What a script says of the cases; `None` where there is nothing to run it.
fn judged(program: &str, file: &str, cases: &Value) -> Option<Value> {
    let started = Command::new(program).arg(file).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let mut script = started.ok()?;
    script.stdin.take().unwrap().write_all(cases.to_string().as_bytes()).unwrap();
    let output = script.wait_with_output().unwrap();
    assert!(output.status.success(), "{program}: {output:?}");
    Some(serde_json::from_slice(&output.stdout).unwrap())
}

#[test]
fn the_secret_is_an_accounts_own_and_the_same_until_it_is_changed() {
    let heddle = Heddle::new();
    let served = Heddle::new();
    let _server = Server::start(&served);
    for heddle in [&heddle, &served] {
        let first = secret(heddle);
        assert!(first.starts_with("whsec_") && first.len() > 40, "{first}");
        assert_eq!(secret(heddle), first);
        heddle.json(&["user", "create", "--email", "bob@example.org"]);
        let theirs = heddle.json(&["user", "callback-secret", "--user", "Bob@example.org"]);
        assert_eq!(theirs["email"], "bob@example.org");
        assert_ne!(theirs["secret"], json!(first));
        let changed = heddle.json(&["user", "callback-secret", "--rotate"]);
        assert_ne!(changed["secret"], json!(first));
        assert_eq!(json!(secret(heddle)), changed["secret"]);
        assert_eq!(heddle.json(&["user", "callback-secret", "--user", "bob@example.org"]), theirs);
        heddle.run(&["user", "callback-secret", "--user", "nobody@example.org"]).refused("there is no account");
    }
}
