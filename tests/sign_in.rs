//! Signing in to the real server: with what the first start tells, until the operator says otherwise.

use crate::support::{Client, Heddle, Server};

const SESSION: &str = "__Host-heddle_session=";

/// Signs in and says what the browser keeps.
fn sign_in(client: &Client, email: &str, password: &str) -> Option<String> {
    let form = format!("email={}&password={password}", email.replace('@', "%40"));
    let answer = client.send("POST", "/login", &[("sec-fetch-site", "same-origin")], Some(form));
    let kept = answer.headers.iter().find_map(|(name, value)| (name == "set-cookie").then_some(value));
    kept.map(|line| line.split(';').next().unwrap().to_owned()).filter(|cookie| cookie.starts_with(SESSION))
}

fn is_in(client: &Client, cookie: &str) -> bool {
    client.send("GET", "/api/api-keys", &[("cookie", cookie)], None).status == 200
}

#[test]
fn the_printed_account_signs_in_and_commands_end_its_sessions_at_once() {
    let heddle = Heddle::new();
    let server = Server::start(&heddle);
    let password = loop {
        if let Some(password) = server.line().strip_prefix("password ") {
            break password.trim().to_owned();
        }
    };
    let client = Client::new(&server.address, None);
    let cookie = sign_in(&client, "operator@localhost", &password).unwrap();
    assert!(is_in(&client, &cookie));

    let set = heddle.run_with_stdin(&["user", "password", "operator@localhost"], "another password\n");
    assert_eq!(set.code, 0, "{set:?}");
    assert!(!is_in(&client, &cookie));
    assert_eq!(sign_in(&client, "operator@localhost", &password), None);

    let made =
        heddle.run_with_stdin(&["user", "create", "--email", "ada@example.org", "--password-stdin"], "her password\n");
    assert_eq!(made.code, 0, "{made:?}");
    let cookie = sign_in(&client, "ada@example.org", "her+password").unwrap();
    assert!(is_in(&client, &cookie));
    assert_eq!(heddle.run(&["user", "disable", "ada@example.org"]).code, 0);
    assert!(!is_in(&client, &cookie));
    assert_eq!(sign_in(&client, "ada@example.org", "her+password"), None);
}

#[test]
fn sessions_outlive_the_server() {
    let heddle = Heddle::new();
    let server = Server::start(&heddle);
    let made =
        heddle.run_with_stdin(&["user", "create", "--email", "ada@example.org", "--password-stdin"], "her password\n");
    assert_eq!(made.code, 0, "{made:?}");
    let cookie = sign_in(&Client::new(&server.address, None), "ada@example.org", "her+password").unwrap();
    server.kill();
    let server = Server::start(&heddle);
    assert!(is_in(&Client::new(&server.address, None), &cookie));
}

#[test]
fn neither_passwords_nor_session_tokens_are_in_database_or_log() {
    let heddle = Heddle::on_file();
    let server = Server::start_with(&heddle, &["--set", "log.level=trace"]);
    let password = "a-password-that-is-looked-for";
    let words = ["user", "create", "--email", "ada@example.org", "--password-stdin"];
    assert_eq!(heddle.run_with_stdin(&words, &format!("{password}\n")).code, 0);
    let client = Client::new(&server.address, None);
    let cookie = sign_in(&client, "ada@example.org", password).unwrap();
    assert!(is_in(&client, &cookie));
    assert_eq!(sign_in(&client, "ada@example.org", "a-wrong-one-that-is-looked-for"), None);
    let (status, _, log) = server.stop();
    assert!(status.success());
    let log = log.join("\n");
    assert!(log.contains("signed in") && log.contains("a wrong password was given"), "{log}");
    let database = std::fs::read(heddle.data().join("heddle.db")).unwrap();
    let token = cookie.strip_prefix(SESSION).unwrap();
    for secret in [password, token, "a-wrong-one-that-is-looked-for"] {
        assert!(!log.contains(secret), "{secret}");
        assert!(!database.windows(secret.len()).any(|bytes| bytes == secret.as_bytes()), "{secret}");
    }
}

#[test]
fn an_operator_is_told_that_sign_in_over_plain_http_is_not_private() {
    for (public_url, is_told) in
        [("http://agents.example.org", true), ("https://agents.example.org", false), ("http://127.0.0.1:8006", false)]
    {
        let heddle = Heddle::on_file();
        let setting = format!("server.public_url={public_url}");
        let (_, _, log) = Server::start_with(&heddle, &["--set", &setting]).stop();
        assert_eq!(log.join("\n").contains("sign-in is not private"), is_told, "{public_url}: {log:?}");
        let findings = heddle.json(&["doctor", "--set", &setting]);
        let found = findings.as_array().unwrap().iter().find(|finding| finding["check"] == "sign-in").unwrap();
        assert_eq!(found["found"].as_str().unwrap().contains("NOT PRIVATE"), is_told, "{public_url}");
    }
}

#[test]
fn a_mail_server_without_a_sender_is_refused() {
    let heddle = Heddle::on_file();
    let words = ["serve", "--listen", "127.0.0.1:0", "--set", "log.level=error", "--set", "smtp.url=smtp://localhost"];
    heddle.run(&words).refused("smtp.from: must be set beside smtp.url");
}
