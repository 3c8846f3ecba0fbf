//! The hunt for secrets: one of every kind goes through the real server, the right way and into every wrong place, while
//! it logs all it can. Then each is looked for, as it is and as others write it, in every file of the data folder, in
//! the log, in the answers that refuse something, and in the measurements. None may be found.

use crate::support::{Answer, Client, Heddle, Server, write};
use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use std::collections::{BTreeSet, HashMap};
use std::path::Path;

const CALLBACK: &str = "https://looms.example/cb";
const FORM: (&str, &str) = ("Content-Type", "application/x-www-form-urlencoded");
const OURS: (&str, &str) = ("Sec-Fetch-Site", "same-origin");
const SESSION: &str = "__Host-heddle_session=";
const PASSWORD: &str = "canary pass+word/17&more=é";
const NEXT_PASSWORD: &str = "canary-of-the-next-password";
const HOST_WIDE: &str = "canary-of-a-host-wide-key";
const WRONG_PASSWORD: &str = "canary-of-a-wrong-password";
/// RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

const MARK: usize = 8;

/// What is looked for, and what it is.
type Secret = (String, Vec<u8>);

/// A server, what was told in confidence so far, and what it said in refusing.
struct Hunt {
    client: Client,
    client_id: String,
    secrets: Vec<Secret>,
    refusals: Vec<String>,
}

#[test]
fn no_secret_is_found_where_it_does_not_belong() {
    let heddle = Heddle::on_file();
    let host_wide = format!("providers.exa.api_key={HOST_WIDE}");
    let words = ["--set", "log.level=trace", "--set", "oauth.registration=open", "--set", "auth.signup=open"];
    let words = [&words[..], &["--set", &host_wide]].concat();
    let server = Server::start_with(&heddle, &words);
    let client = Client::new(&server.address, None);
    let mut hunt = Hunt { client, client_id: String::new(), secrets: Vec::new(), refusals: Vec::new() };
    hunt.told_at_first(&heddle, &server);
    let cookie = hunt.people(&heddle);
    hunt.applications(&heddle, &cookie);
    hunt.grants(&cookie);
    hunt.credentials(&heddle, &cookie);
    hunt.passwords(&cookie);
    hunt.wrong_places();
    let metrics = hunt.client.get("/metrics").body;
    assert!(metrics.contains("# TYPE"), "{metrics}");

    // With its log beside the database, and without.
    let mut places = files(&heddle.data());
    let kinds: Vec<_> = places.iter().map(|(name, _)| name.clone()).collect();
    assert!(kinds.iter().any(|name| name.ends_with("-wal")), "{kinds:?}");
    let (status, stdout, log) = server.stop();
    assert!(status.success());
    let log = log.join("\n");
    assert!(log.contains("has allowed application") && log.len() > 10_000, "it logs little: {log}");
    places.extend(files(&heddle.data()));
    places.push(("the log".to_owned(), log.into_bytes()));
    places.push(("what it printed later".to_owned(), stdout.join("\n").into_bytes()));
    places.push(("the refusals".to_owned(), hunt.refusals.join("\n").into_bytes()));
    places.push(("the measurements".to_owned(), metrics.into_bytes()));
    let found = found(&hunt.secrets, &places);
    assert!(found.is_empty(), "{}", found.join("\n"));
    let searched: usize = places.iter().map(|(_, bytes)| bytes.len()).sum();
    crate::support::say(&format!(
        "{} secrets looked for in {} places, {} kB, {} refusals: none found",
        hunt.secrets.len(),
        places.len(),
        searched / 1_000,
        hunt.refusals.len(),
    ));
}

/// The search itself finds what there is, however it is written.
#[test]
fn a_secret_is_found_however_it_is_written() {
    let secret = "agpt_xt_R3+/é";
    for written in [
        secret.to_owned(),
        format!("x{}y", BASE64_STANDARD.encode(format!("a:{secret}"))),
        BASE64_STANDARD.encode(format!("ab{secret}cd")),
        BASE64_URL_SAFE_NO_PAD.encode(format!("{secret}.")),
        hex(secret.as_bytes()),
        hex(secret.as_bytes()).to_uppercase(),
        "agpt_xt_R3%2B%2F%C3%A9".to_owned(),
        "agpt_xt_R3%2b%2f%c3%a9".to_owned(),
    ] {
        let place = ("a place".to_owned(), format!("before {written} after").into_bytes());
        assert_eq!(found(&[("it".to_owned(), secret.into())], &[place]).len(), 1, "{written}");
    }
    let other = ("a place".to_owned(), b"agpt_xt_R4 and more".to_vec());
    assert!(found(&[("it".to_owned(), secret.into())], &[other]).is_empty());
}

impl Hunt {
    fn keep(&mut self, what: &str, secret: &str) {
        assert!(secret.len() >= 16, "{what} is too short to be looked for: {secret:?}");
        self.secrets.push((what.to_owned(), secret.as_bytes().to_vec()));
    }

    fn kept(&self, what: &str) -> String {
        let (_, bytes) = self.secrets.iter().rev().find(|(known, _)| known == what).unwrap();
        String::from_utf8(bytes.clone()).unwrap()
    }

    fn ask(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: Option<String>) -> Answer {
        let answer = self.client.send(method, path, headers, body);
        if answer.status >= 400 {
            // A page's own forms carry what they must.
            let mut parts = answer.body.split("name=\"csrf\" value=\"");
            let mut body = parts.next().unwrap_or_default().to_owned();
            parts.for_each(|part| body += part.split_once('"').unwrap_or_default().1);
            self.refusals.push(format!("{:?}\n{body}", answer.headers));
        }
        assert!(answer.status < 500, "{method} {path}: {answer:?}");
        answer
    }

    fn form(&mut self, path: &str, cookie: &str, fields: &[(&str, &str)]) -> Answer {
        self.ask("POST", path, &[FORM, OURS, ("Cookie", cookie)], Some(encoded(fields)))
    }

    fn json(&mut self, path: &str, cookie: &str, body: &Value) -> Answer {
        self.ask("POST", path, &[OURS, ("Cookie", cookie)], Some(body.to_string()))
    }

    /// What the first start prints, and the key that seals.
    fn told_at_first(&mut self, heddle: &Heddle, server: &Server) {
        loop {
            let line = server.line();
            if let Some(password) = line.strip_prefix("password ") {
                self.keep("the first password", password.trim());
                break;
            }
            if let Some(at) = line.find("agpt_") {
                let key: String =
                    line[at..].chars().take_while(|c| c.is_ascii_alphanumeric() || "-_".contains(*c)).collect();
                self.keep("the first API key", &key);
            }
        }
        let master = std::fs::read(heddle.data().join("master.key")).unwrap();
        self.secrets.push(("the master key".to_owned(), master.trim_ascii().to_vec()));
    }

    fn sign_in(&mut self, email: &str, password: &str) -> String {
        let answer = self.form("/login", "a=b", &[("email", email), ("password", password)]);
        let set = answer.headers.iter().find(|(name, value)| name == "set-cookie" && value.starts_with(SESSION));
        let cookie = set.unwrap_or_else(|| panic!("{answer:?}")).1.split(';').next().unwrap().to_owned();
        self.keep("a session", cookie.strip_prefix(SESSION).unwrap());
        cookie
    }

    /// Passwords, sessions, what forms carry, API keys, the key of callbacks.
    fn people(&mut self, heddle: &Heddle) -> String {
        let words = ["user", "create", "--email", "ada@example.org", "--password-stdin"];
        assert_eq!(heddle.run_with_stdin(&words, &format!("{PASSWORD}\n")).code, 0);
        self.keep("a password", PASSWORD);
        self.keep("a wrong password", WRONG_PASSWORD);
        let cookie = self.sign_in("ada@example.org", PASSWORD);
        let page = self.ask("GET", "/settings/profile", &[("Cookie", &cookie)], None).body;
        let token = page.split("name=\"csrf\" value=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
        self.keep("what forms carry", token);
        let key = self.json("/api/api-keys", &cookie, &json!({"name": "CI", "permissions": ["IDENTITY"]})).json();
        self.keep("an API key", key["plain_text_key"].as_str().unwrap());
        let secret = heddle.run(&["user", "callback-secret", "--user", "ada@example.org"]).stdout;
        self.keep("the key of callbacks", secret.trim());
        cookie
    }

    /// Secrets of applications, however they come to be.
    fn applications(&mut self, heddle: &Heddle, cookie: &str) {
        let words = ["app", "create", "--name", "Looms", "--redirect-uri", CALLBACK, "--scopes", "all"];
        let made = heddle.run(&words).json();
        self.keep("a secret made by a command", made["client_secret"].as_str().unwrap());
        let new = json!({"name": "Looms", "redirect_uris": [CALLBACK], "scopes": ["IDENTITY", "RUN_AGENT"]});
        let made = self.json("/api/oauth/apps", cookie, &new).json();
        self.keep("a secret that was replaced", made["client_secret"].as_str().unwrap());
        let path = format!("/api/oauth/apps/{}/secret", made["id"].as_str().unwrap());
        let rotated = self.json(&path, cookie, &json!({})).json();
        self.keep("a client's secret", rotated["client_secret"].as_str().unwrap());
        let own = json!({"redirect_uris": [CALLBACK], "client_name": "Nets"});
        let registered = self.json("/api/oauth/register", "a=b", &own).json();
        self.keep("a registered secret", registered["client_secret"].as_str().unwrap());
        let token = heddle.run(&["app", "registration-token"]).stdout;
        self.keep("a registration token", token.trim());
        // An imported one is kept by a slow hash, until it is used.
        let row = json!({
            "id": "5a7d0c0e-6f0e-4c26-a7ce-5ea4ef4a5a11", "name": "Old", "description": null, "clientId": "agpt_client_old",
            "clientSecret": "c82701254879f99fb222f1fb073d2e0d4e2674ff6736e48ba08e01cf46a4936b",
            "clientSecretSalt": "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
            "redirectUris": [CALLBACK], "grantTypes": ["authorization_code"], "scopes": ["IDENTITY"], "isActive": true,
        });
        let file = write(&heddle.beside("apps.json"), &row.to_string());
        assert_eq!(heddle.run(&["app", "import", &file]).code, 0);
        self.keep("an imported secret", "agpt_secret_test");
        let query = json!({"token": "agpt_xt_x", "client_id": "agpt_client_old", "client_secret": "agpt_secret_test"});
        assert_eq!(self.json("/api/oauth/introspect", "a=b", &query).status, 200);
        self.client_id = made["client_id"].as_str().unwrap().to_owned();
    }

    /// Codes, their proofs, tokens, pushed requests, and the key that signs.
    fn grants(&mut self, cookie: &str) {
        let (id, secret) = (self.client_id.clone(), self.kept("a client's secret"));
        self.keep("a verifier", VERIFIER);
        let query = encoded(&[
            ("response_type", "code"),
            ("client_id", &id),
            ("redirect_uri", CALLBACK),
            ("scope", "openid IDENTITY RUN_AGENT"),
            ("state", "s"),
            ("code_challenge", CHALLENGE),
        ]);
        let answer = self.form("/auth/authorize", cookie, &[("request", &query), ("decision", "allow")]);
        let location = answer.header("location").to_owned();
        let code = location.split("code=").nth(1).unwrap_or_else(|| panic!("{answer:?}")).split('&').next().unwrap();
        self.keep("a code", code);
        let exchange = json!({
            "grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, "client_id": id,
            "client_secret": secret, "code_verifier": VERIFIER,
        });
        let tokens = self.json("/api/oauth/token", "a=b", &exchange).json();
        for name in ["access_token", "refresh_token", "id_token"] {
            self.keep(name, tokens[name].as_str().unwrap_or_else(|| panic!("{tokens}")));
        }
        let access = format!("Bearer {}", self.kept("access_token"));
        for path in ["/external-api/v1/me", "/api/oauth/userinfo"] {
            assert_eq!(self.ask("GET", path, &[("Authorization", &access)], None).status, 200);
        }
        let refresh = [
            ("grant_type", "refresh_token"),
            ("refresh_token", tokens["refresh_token"].as_str().unwrap()),
            ("client_id", &id),
            ("client_secret", &secret),
        ];
        let next = self.ask("POST", "/api/oauth/token", &[FORM], Some(encoded(&refresh))).json();
        for name in ["access_token", "refresh_token"] {
            self.keep(name, next[name].as_str().unwrap_or_else(|| panic!("{next}")));
        }
        for path in ["/api/oauth/introspect", "/api/oauth/revoke"] {
            let about = json!({"token": next["access_token"], "client_id": id, "client_secret": secret});
            assert_eq!(self.json(path, "a=b", &about).status, 200);
        }
        let pushed =
            self.ask("POST", "/api/oauth/par", &[FORM], Some(format!("{query}&client_secret={secret}"))).json();
        let uri = pushed["request_uri"].as_str().unwrap_or_else(|| panic!("{pushed}")).to_owned();
        self.keep("a pushed request's name", uri.rsplit(':').next().unwrap());
        let shown = format!("/auth/authorize?{}", encoded(&[("client_id", &id), ("request_uri", &uri)]));
        assert_eq!(self.ask("GET", &shown, &[("Cookie", cookie)], None).status, 200);
        let replayed = self.json("/api/oauth/token", "a=b", &exchange);
        assert_eq!(replayed.status, 400, "{replayed:?}");
        // The public half is for everybody; the private one begins so, as PKCS #8 and by itself.
        let keys = self.client.get("/api/oauth/jwks").json();
        let modulus = BASE64_URL_SAFE_NO_PAD.decode(keys["keys"][0]["n"].as_str().unwrap()).unwrap();
        let head = b"\x02\x01\x00\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00\x04".to_vec();
        let itself = [b"\x02\x01\x00\x02\x82\x01\x01\x00", &modulus[..24]].concat();
        self.secrets.extend([head, itself].map(|bytes| (SIGNING_KEY.to_owned(), bytes)));
    }

    /// Credentials of every kind, kept by both doors, used by a run and by a block alone, sealed anew and removed.
    fn credentials(&mut self, heddle: &Heddle, cookie: &str) {
        self.keep("a host-wide key", HOST_WIDE);
        let permissions = [
            "READ_INTEGRATIONS",
            "MANAGE_INTEGRATIONS",
            "DELETE_INTEGRATIONS",
            "EXECUTE_BLOCK",
            "WRITE_GRAPH",
            "WRITE_LIBRARY",
            "EXECUTE_GRAPH",
            "READ_GRAPH",
        ];
        let key = self.json("/api/api-keys", cookie, &json!({"name": "C", "permissions": permissions})).json();
        let key = key["plain_text_key"].as_str().unwrap().to_owned();
        self.keep("another API key", &key);
        let v1 = "/external-api/v1";
        let mut ids = Vec::new();
        for (provider, body) in [
            ("openai", json!({"type": "api_key", "api_key": "canary-of-an-api-key", "title": "k"})),
            (
                "smtp",
                json!({"type": "user_password", "username": "canary-of-a-username", "password": "canary-of-a-mail-password", "title": "m"}),
            ),
            (
                "http",
                json!({"type": "host_scoped", "host": "127.0.0.1:9", "headers": {"X-Key": "canary-of-a-header"}, "title": "h"}),
            ),
        ] {
            for (name, value) in body.as_object().unwrap() {
                let header = value.as_object().and_then(|headers| headers["X-Key"].as_str());
                if let Some(secret) = header.or(value.as_str()).filter(|text| text.starts_with("canary")) {
                    self.keep(&format!("a credential's {name}"), secret);
                }
            }
            let path = format!("{v1}/integrations/{provider}/credentials");
            let made = self.ask("POST", &path, &[("X-API-Key", &key)], Some(body.to_string()));
            assert_eq!(made.status, 201, "{made:?}");
            ids.push(made.json()["id"].as_str().unwrap().to_owned());
        }
        for (words, lines) in [
            (&["--provider", "anthropic", "--type", "api_key"][..], "canary-of-a-typed-key\n"),
            (
                &["--provider", "github", "--type", "oauth2", "--scopes", "repo"],
                "canary-of-an-access-token\ncanary-of-a-refresh-token\n",
            ),
            (&["--provider", "smtp", "--type", "user_password", "--username", "ada"], "canary-of-a-typed-password\n"),
            (
                &["--provider", "http", "--type", "host_scoped", "--host", "127.0.0.1:9"],
                "X-Key: canary-of-a-typed-header\n",
            ),
        ] {
            for line in lines.lines() {
                self.keep("what was typed for a credential", line.rsplit(' ').next().unwrap());
            }
            let added = heddle.run_with_stdin(&[&["credential", "add", "--title", "t"], words].concat(), lines);
            assert_eq!(added.code, 0, "{added:?}");
        }
        // Opened for a request that goes nowhere, because its address is inside.
        let credentials = json!({"id": ids[2], "provider": "http", "type": "host_scoped"});
        let input = json!({"url": "http://127.0.0.1:9/", "credentials": credentials});
        let path = format!("{v1}/blocks/fff86bcd-e001-4bad-a7f6-2eae4720c8dc/execute");
        let refused = self.ask("POST", &path, &[("X-API-Key", &key)], Some(input.to_string()));
        assert!(refused.body.contains("private or reserved"), "{refused:?}");
        let node = json!({"id": "a", "block_id": "fff86bcd-e001-4bad-a7f6-2eae4720c8dc", "input_default": input});
        let graph = json!({"name": "g", "description": "", "nodes": [node], "links": []});
        let graph = self.ask("POST", &format!("{v1}/graphs"), &[("X-API-Key", &key)], Some(graph.to_string())).json();
        let path = format!("{v1}/graphs/{}/execute/1", graph["id"].as_str().unwrap());
        let run = self.ask("POST", &path, &[("X-API-Key", &key), ("Prefer", "wait=30")], Some("{}".to_owned()));
        assert_eq!(run.json()["status"], "COMPLETED", "{run:?}");
        for words in [
            &["credential", "list"][..],
            &["credential", "uses", "--user", "ada@example.org"],
            &["config"],
            &["vault", "rotate"],
        ] {
            let said = heddle.run(words);
            assert_eq!(said.code, 0, "{said:?}");
            self.refusals.push(said.stdout);
        }
        for path in ["providers", "credentials", "openai/credentials"] {
            let listed = self.ask("GET", &format!("{v1}/integrations/{path}"), &[("X-API-Key", &key)], None);
            self.refusals.push(listed.body);
        }
        let path = format!("{v1}/integrations/openai/credentials/{}", ids[0]);
        assert_eq!(self.ask("DELETE", &path, &[("X-API-Key", &key)], None).status, 200);
        let master = std::fs::read(heddle.data().join("master.key")).unwrap();
        self.secrets.push(("the master key".to_owned(), master.trim_ascii().to_vec()));
    }

    /// Passwords that change, and what is handed out for that.
    fn passwords(&mut self, cookie: &str) {
        let operator = self.kept("the first password");
        let operator = self.sign_in("operator@localhost", &operator);
        let page = self.form("/admin/accounts/reset", &operator, &[("email", "ada@example.org")]).body;
        let token = page.split("/reset-password/set?token=").nth(1).unwrap_or_else(|| panic!("{page}"));
        let token = token.split('<').next().unwrap().to_owned();
        self.keep("a reset token", &token);
        self.ask("GET", &format!("/reset-password/set?token={token}"), &[], None);
        self.form("/settings/security/password", cookie, &[("current", WRONG_PASSWORD), ("password", NEXT_PASSWORD)]);
        self.keep("the next password", NEXT_PASSWORD);
        let answer = self.form("/reset-password/set", "a=b", &[("token", &token), ("password", NEXT_PASSWORD)]);
        assert_eq!(answer.status, 303, "{answer:?}");
        self.sign_in("ada@example.org", NEXT_PASSWORD);
    }

    /// Every secret where it does not belong: what refuses it must not repeat it.
    fn wrong_places(&mut self) {
        let id = self.client_id.clone();
        let texts = self.secrets.iter().filter(|(what, _)| what != SIGNING_KEY && what != "the master key");
        let texts: Vec<_> = texts.map(|(_, bytes)| String::from_utf8(bytes.clone()).unwrap()).collect();
        for text in texts.iter().filter(|text| text.is_ascii()) {
            let basic = format!("Basic {}", BASE64_STANDARD.encode(format!("{id}:{text}")));
            let bearer = format!("Bearer {text}x");
            for path in ["/external-api/v1/me", "/external-api/v1/graphs", "/api/oauth/userinfo"] {
                self.ask("GET", path, &[("Authorization", &bearer)], None);
                self.ask("GET", path, &[("X-API-Key", &format!("{text}x"))], None);
                self.ask("GET", path, &[("Authorization", &basic)], None);
                self.ask("GET", &format!("{path}?{}", encoded(&[("access_token", text)])), &[], None);
            }
            self.ask("GET", "/api/api-keys", &[("Cookie", &format!("{SESSION}{text}x"))], None);
            for path in ["/api/oauth/token", "/api/oauth/introspect", "/api/oauth/revoke", "/api/oauth/par"] {
                for name in ["code", "refresh_token", "token", "client_secret", "code_verifier"] {
                    // Each from the same address and name: the first thirty are told why, the rest to wait.
                    let grant = if name == "refresh_token" { name } else { "authorization_code" };
                    let fields = [("grant_type", grant), (name, text), ("client_id", "agpt_client_nobody")];
                    self.ask("POST", path, &[FORM], Some(encoded(&fields)));
                    let object: Value = fields.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
                    self.ask("POST", path, &[], Some(object.to_string()));
                    let half = object.to_string();
                    self.ask("POST", path, &[], Some(half[..half.len() - 1].to_owned()));
                    self.ask("POST", path, &[], Some(json!([text]).to_string()));
                }
                self.ask("POST", path, &[("Authorization", &basic)], Some("{}".to_owned()));
            }
            self.form("/login", "a=b", &[("email", "ada@example.org"), ("password", text)]);
            self.form("/settings/profile", "a=b", &[("csrf", text)]);
            let without_proof = [("X-CSRF-Token", &**text), ("Cookie", "a=b")];
            self.ask("POST", "/api/api-keys", &without_proof, Some("{}".to_owned()));
            // Whoever types a secret into an address sees it again; nobody else does.
            for path in
                ["/external-api/v1/graphs/", "/api/api-keys/", "/api/oauth/app/", "/settings/oauth-apps/", "/x/"]
            {
                self.client.get(&format!("{path}{}", encoded(&[("", text)]).trim_start_matches('=')));
            }
            self.client.send("POST", "/login", &[FORM, OURS], Some(encoded(&[("email", text), ("password", "x")])));
        }
    }
}

const SIGNING_KEY: &str = "the key that signs";

fn encoded(fields: &[(&str, &str)]) -> String {
    let pairs = fields.iter().map(|(name, value)| format!("{name}={}", percent(value.as_bytes(), false)));
    pairs.collect::<Vec<_>>().join("&")
}

fn percent(bytes: &[u8], small: bool) -> String {
    let write = |byte: &u8| match (byte.is_ascii_alphanumeric() || b"-._".contains(byte), small) {
        (true, _) => char::from(*byte).to_string(),
        (false, true) => format!("%{byte:02x}"),
        (false, false) => format!("%{byte:02X}"),
    };
    bytes.iter().map(write).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// All files below a folder but the one that holds the master key.
fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let (path, kind) = (entry.path(), entry.file_type().unwrap());
        if kind.is_dir() {
            found.extend(files(&path));
        } else if kind.is_file() && entry.file_name() != "master.key" {
            found.push((path.display().to_string(), std::fs::read(&path).unwrap()));
        }
    }
    found
}

/// The ways in which a secret may be written.
fn spellings(secret: &[u8]) -> Vec<Vec<u8>> {
    let mut all = vec![secret.to_vec(), hex(secret).into_bytes(), hex(secret).to_uppercase().into_bytes()];
    for small in [false, true] {
        let percent = percent(secret, small);
        all.push(percent.replace("%20", "+").into_bytes());
        all.push(percent.into_bytes());
    }
    // Wherever it begins within what was encoded; the letters at the edges are not its alone.
    for before in 0..3 {
        let bytes = [&vec![0; before], secret].concat();
        let own = (before * 8).div_ceil(6)..bytes.len() * 8 / 6;
        all.push(BASE64_STANDARD.encode(&bytes)[own.clone()].as_bytes().to_vec());
        all.push(BASE64_URL_SAFE_NO_PAD.encode(&bytes)[own].as_bytes().to_vec());
    }
    all.sort();
    all.dedup();
    all
}

/// Where what is found. Every spelling has more than [`MARK`] bytes, and is looked for where its first ones are.
fn found(secrets: &[Secret], places: &[(String, Vec<u8>)]) -> Vec<String> {
    let mut marks: HashMap<[u8; MARK], Vec<(&str, Vec<u8>)>> = HashMap::new();
    for (what, secret) in secrets {
        for spelling in spellings(secret) {
            marks.entry(spelling[..MARK].try_into().unwrap()).or_default().push((what, spelling));
        }
    }
    let mut found = BTreeSet::new();
    for (place, bytes) in places {
        for (at, window) in bytes.windows(MARK).enumerate() {
            for (what, spelling) in marks.get(window).into_iter().flatten() {
                if bytes[at..].starts_with(spelling) {
                    let before = String::from_utf8_lossy(&bytes[at.saturating_sub(60)..at]).into_owned();
                    found.insert(format!("{what} is in {place}, after {before:?}"));
                }
            }
        }
    }
    found.into_iter().collect()
}
