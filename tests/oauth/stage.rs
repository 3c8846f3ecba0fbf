//! A server behind HTTPS, Ada who has an account there, and applications that want to sign her in.

use super::browser::{Browser, Page};
use super::https::Https;
use crate::support::{Client, Heddle, Server};
use serde_json::Value;

/// Whoever signs in.
pub const ADA: &str = "ada@example.org";
const PASSWORD: &str = "a loom with 4 shafts";

/// Where applications have their answers sent. Nobody listens there: the browser says where it was sent.
pub const CALLBACK: &str = "https://app.example.org/callback";

/// All scopes that the clients ask for.
pub const SCOPES: &str = "IDENTITY,READ_BLOCK,EXECUTE_BLOCK";

/// A server and somebody who is signed in there.
pub struct Stage {
    /// The data folder.
    pub heddle: Heddle,
    /// The issuer: what all addresses begin with that others are given.
    pub origin: String,
    /// What to trust.
    pub root: String,
    /// The server itself, without a credential.
    pub client: Client,
    /// Whoever is signed in.
    pub ada: Browser,
    /// Killed with the stage.
    _server: Server,
}

/// An application.
#[derive(Clone, Debug)]
pub struct App {
    pub id: String,
    /// Empty for a public one.
    pub secret: String,
}

impl Stage {
    /// All of it; Ada has signed in.
    pub fn new() -> Self {
        Self::under("")
    }

    /// With a path that the server's addresses begin with.
    pub fn under(path: &str) -> Self {
        let (heddle, https) = (Self::with_ada(), Https::start());
        let origin = format!("{}{path}", https.address);
        let server = Server::start_with(&heddle, &["--set", &format!("server.public_url={origin}")]);
        https.lead_to(&server.address);
        let ada = Browser::default().knows(&https.address, &server.address);
        Self::of(heddle, server, origin, https.root, ada)
    }

    /// As somebody has it on his own machine: without HTTPS, and with nothing said about addresses.
    pub fn plain() -> Self {
        let heddle = Self::with_ada();
        let server = Server::start(&heddle);
        let (origin, ada) = (server.address.clone(), Browser::default().knows(&server.address, &server.address));
        Self::of(heddle, server, origin, String::new(), ada)
    }

    fn with_ada() -> Heddle {
        let heddle = Heddle::new();
        let words = ["user", "create", "--email", ADA, "--name", "Ada", "--password-stdin"];
        let made = heddle.run_with_stdin(&words, PASSWORD);
        assert_eq!(made.code, 0, "{made:?}");
        heddle
    }

    fn of(heddle: Heddle, server: Server, origin: String, root: String, mut ada: Browser) -> Self {
        ada.sign_in(&origin, ADA, PASSWORD);
        let client = Client::new(&server.address, None);
        Self { heddle, origin, root, client, ada, _server: server }
    }

    /// An application with a secret.
    pub fn app(&self, redirect_uri: &str) -> App {
        self.created(redirect_uri, &[])
    }

    /// An application that can keep none.
    pub fn public_app(&self, redirect_uri: &str) -> App {
        self.created(redirect_uri, &["--public"])
    }

    fn created(&self, redirect_uri: &str, more: &[&str]) -> App {
        let words = ["app", "create", "--name", "Weaver", "--redirect-uri", redirect_uri, "--scopes", SCOPES];
        let app = self.heddle.json(&[&words, more].concat());
        let text = |name: &str| app[name].as_str().unwrap_or_default().to_owned();
        App { id: text("client_id"), secret: text("client_secret") }
    }

    /// Ada opens an authorization page and presses a button, if she is asked at all; where she is sent.
    pub fn decide(&mut self, url: &str, button: &str) -> Page {
        let page = self.ada.open(url);
        if !page.url.starts_with(&self.origin) {
            return page;
        }
        assert_eq!(page.answer.status, 200, "{page:?}");
        self.ada.press(&page, button, &[])
    }

    /// Who Ada is to applications.
    pub fn subject(&self) -> Value {
        let users = self.heddle.json(&["user", "list"]);
        let users = users.as_array().or_else(|| users["users"].as_array()).unwrap();
        users.iter().find(|user| user["email"] == ADA).unwrap()["id"].clone()
    }
}
