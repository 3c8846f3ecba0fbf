//! A browser as far as the server can tell: it keeps cookies, says where requests come from, and reads forms.

use crate::testbed::{Answer, Ask, Testbed};
use heddle_api::ApiSettings;
use heddle_platform::{NewAccount, Options, SignIn};
use std::collections::BTreeMap;
use url::form_urlencoded;

/// Where the server stands unless a test says otherwise.
pub const ORIGIN: &str = "https://agents.example.org";
pub const PASSWORD: &str = "correct horse battery";

pub struct Browser<'a> {
    pub bed: &'a Testbed,
    pub cookies: BTreeMap<String, String>,
}

/// A server behind https where anybody may make an account.
pub async fn server() -> Testbed {
    server_at(ORIGIN).await
}

pub async fn server_at(public_url: &str) -> Testbed {
    let settings = ApiSettings { public_url: Some(public_url.to_owned()), ..ApiSettings::default() };
    let options = Options { sign_in: SignIn { is_open: true, mail: None }, ..Options::default() };
    Testbed::opened(settings, options).await
}

/// Makes an account with [`PASSWORD`].
pub async fn account(bed: &Testbed, name: &str, is_admin: bool) {
    let email = format!("{name}@example.org");
    let new = NewAccount { email, name: None, password: Some(PASSWORD.to_owned()), is_admin };
    bed.platform.accounts.create(new).await.unwrap();
}

impl<'a> Browser<'a> {
    pub fn new(bed: &'a Testbed) -> Self {
        Self { bed, cookies: BTreeMap::new() }
    }

    /// A browser in which somebody with a new account is signed in.
    pub async fn of(bed: &'a Testbed, name: &str) -> Self {
        account(bed, name, false).await;
        let mut browser = Self::new(bed);
        browser.sign_in(name, "").await;
        browser
    }

    #[track_caller]
    fn cookie_line(&self) -> String {
        self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
    }

    /// Sends a request with the cookies, and keeps those that come back.
    pub async fn send(&mut self, ask: Ask<'_>) -> Answer {
        let line = self.cookie_line();
        let ask = if line.is_empty() { ask } else { ask.header("cookie", &line) };
        let answer = ask.send().await;
        for set in answer.headers.get_all("set-cookie") {
            let (name, rest) = set.to_str().unwrap().split_once('=').unwrap();
            let value = rest.split(';').next().unwrap();
            match rest.contains("Max-Age=0") {
                true => self.cookies.remove(name),
                false => self.cookies.insert(name.to_owned(), value.to_owned()),
            };
        }
        answer
    }

    pub async fn get(&mut self, path: &str) -> Answer {
        let ask = self.bed.ask("GET", path);
        self.send(ask).await
    }

    /// The text of a page that is there.
    pub async fn page(&mut self, path: &str) -> String {
        let answer = self.get(path).await;
        assert_eq!(answer.status, 200, "{path}");
        text(&answer)
    }

    /// Sends a form from a page of the server's.
    pub async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let ask = form(self.bed.ask("POST", path), fields).header("sec-fetch-site", "same-origin");
        self.send(ask).await
    }

    /// Signs in and says where that leads.
    pub async fn sign_in(&mut self, name: &str, next: &str) -> String {
        let email = format!("{name}@example.org");
        let answer = self.post("/login", &[("email", &email), ("password", PASSWORD), ("next", next)]).await;
        assert_eq!(answer.status, 303, "{}", text(&answer));
        answer.header("location").to_owned()
    }

    /// Whether somebody is signed in.
    pub async fn is_in(&mut self) -> bool {
        self.get("/api/api-keys").await.status == 200
    }
}

/// A form's body.
pub fn form<'a>(ask: Ask<'a>, fields: &[(&str, &str)]) -> Ask<'a> {
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    ask.header("content-type", "application/x-www-form-urlencoded").raw(body)
}

pub fn text(answer: &Answer) -> String {
    String::from_utf8(answer.bytes.clone()).unwrap()
}

/// The token of a page's first form.
pub fn token(page: &str) -> &str {
    page.split("name=\"csrf\" value=\"").nth(1).unwrap().split('"').next().unwrap()
}
