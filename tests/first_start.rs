//! What someone sees who has just built the binary.

use crate::support::{Client, Heddle, Server};
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

/// Lines of the first start up to the last curl line.
fn told(server: &Server) -> Vec<String> {
    let mut lines = Vec::new();
    while lines.iter().filter(|line: &&String| line.starts_with("curl ")).count() < 6 {
        lines.push(server.line());
    }
    lines
}

fn value<'a>(lines: &'a [String], name: &str) -> &'a str {
    lines.iter().find_map(|line| line.strip_prefix(name)).unwrap_or_else(|| panic!("{name} in {lines:?}")).trim()
}

#[test]
fn the_first_start_prints_address_account_password_and_a_key_that_works() {
    let heddle = Heddle::new();
    let server = Server::start(&heddle);
    let lines = told(&server);
    assert_eq!(value(&lines, "address "), server.address);
    assert_eq!(value(&lines, "account "), "operator@localhost");
    assert_eq!(value(&lines, "password ").len(), 24);
    let client = Client::new(&server.address, Some(value(&lines, "key ").to_owned()));
    assert_eq!(client.get("/external-api/v1/blocks").status, 200);
    let graphs = client.get("/external-api/v1/graphs").json();
    // The nested one brings its sub-graph along; samples are at least all there.
    assert!(graphs["graphs"].as_array().unwrap().len() >= 6, "{graphs}");
}

#[test]
fn the_printed_curl_lines_work_as_they_are() {
    let heddle = Heddle::new();
    let server = Server::start(&heddle);
    let lines = told(&server);
    let has_curl = Command::new("curl").arg("--version").stdout(Stdio::null()).status().is_ok();
    for line in lines.iter().filter(|line| line.starts_with("curl ")) {
        let body: Value = if has_curl {
            let output = Command::new("sh").args(["-c", line]).output().unwrap();
            assert!(output.status.success(), "{line}: {output:?}");
            serde_json::from_slice(&output.stdout).unwrap()
        } else {
            by_hand(&server, line)
        };
        assert_eq!(body["status"], "COMPLETED", "{line}: {body}");
        assert_ne!(body["output"], json!([]), "{line}: {body}");
    }
}

/// The line's request without curl: words between single quotes are the URL, the headers and the body.
fn by_hand(server: &Server, line: &str) -> Value {
    let line = line.replace(r"'\''", "\u{0}");
    let words: Vec<_> = line.split('\'').skip(1).step_by(2).map(|word| word.replace('\u{0}', "'")).collect();
    let path = words[0].strip_prefix(&server.address).unwrap();
    let headers: Vec<_> = words[1..words.len() - 1].iter().filter_map(|header| header.split_once(": ")).collect();
    let headers: Vec<_> = headers.into_iter().filter(|(name, _)| *name != "Content-Type").collect();
    let client = Client::new(&server.address, None);
    client.send("POST", path, &headers, words.last().cloned()).json()
}

#[test]
fn nothing_is_told_twice() {
    let heddle = Heddle::new();
    let server = Server::start(&heddle);
    let key = value(&told(&server), "key ").to_owned();
    let (status, _, _) = server.stop();
    assert!(status.success());
    let server = Server::start(&heddle);
    assert_eq!(Client::new(&server.address, Some(key)).get("/external-api/v1/blocks").status, 200);
    let (_, stdout, _) = server.stop();
    assert_eq!(stdout, Vec::<String>::new());
}

#[test]
fn a_start_that_broke_off_before_it_was_told_is_told_by_the_next_one() {
    let heddle = Heddle::new();
    let server = Server::start(&heddle);
    let lost = value(&told(&server), "key ").to_owned();
    server.kill();
    // As if the crash had come a moment earlier.
    std::fs::remove_file(heddle.data().join("first-start.json")).unwrap();
    let server = Server::start(&heddle);
    let lines = told(&server);
    let client = Client::new(&server.address, Some(value(&lines, "key ").to_owned()));
    assert_eq!(client.get("/external-api/v1/blocks").status, 200);
    assert_eq!(Client::new(&server.address, Some(lost)).get("/external-api/v1/blocks").status, 401);
    let graphs = client.get("/external-api/v1/graphs").json();
    let names: Vec<_> =
        graphs["graphs"].as_array().unwrap().iter().map(|graph| graph["name"].as_str().unwrap()).collect();
    assert_eq!(names.iter().filter(|name| **name == "Invoice total").count(), 1, "{names:?}");
}

#[test]
fn the_first_start_can_be_read_by_a_program() {
    let heddle = Heddle::new();
    let server = Server::start_with(&heddle, &["--json"]);
    let (_, stdout, _) = server.stop();
    let start: Value = serde_json::from_str(&stdout.join("\n")).unwrap();
    assert_eq!(start["account"]["email"], "operator@localhost");
    assert_eq!(start["samples"].as_array().unwrap().len(), 6);
}

#[test]
fn the_data_folder_is_for_its_owner_only_and_its_log_holds_no_secret() {
    let heddle = Heddle::new();
    let server = Server::start(&heddle);
    let lines = told(&server);
    let mode = |name: &str| std::fs::metadata(heddle.data().join(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("."), mode("heddle.sock"), mode("first-start.json")), (0o700, 0o600, 0o600));
    let kept = std::fs::read_to_string(heddle.data().join("first-start.json")).unwrap();
    assert!(!kept.contains(value(&lines, "key ")) && !kept.contains(value(&lines, "password ")));
}
