//! A person with a browser that runs no scripts: cookies, redirects, and forms that are sent as they were found.

use crate::support::{Answer, Client};
use std::collections::BTreeMap;

/// A browser; its cookies are its own.
#[derive(Default)]
pub struct Browser {
    /// Where each origin is reached: a public one may be in front of another.
    places: BTreeMap<String, Client>,
    cookies: BTreeMap<(String, String), String>,
}

/// A page, or a redirect to an origin that this browser does not know.
#[derive(Debug)]
pub struct Page {
    /// Its address.
    pub url: String,
    /// How it came.
    pub answer: Answer,
}

/// A form of a page.
#[derive(Clone, Debug, Default)]
pub struct Form {
    action: String,
    /// What it sends unless something is typed into it.
    pub fields: Vec<(String, String)>,
    buttons: Vec<Button>,
}

#[derive(Clone, Debug)]
struct Button {
    text: String,
    sends: Option<(String, String)>,
}

impl Browser {
    /// Lets it reach an origin at `http://HOST:PORT`.
    pub fn knows(mut self, origin: &str, address: &str) -> Self {
        self.places.insert(origin.to_owned(), Client::new(address, None));
        self
    }

    /// Opens an address and follows redirects to where nothing redirects any more, or to an origin it does not know.
    pub fn open(&mut self, url: &str) -> Page {
        self.go("GET", url, None)
    }

    /// Presses a button of the page's forms, with this typed in.
    pub fn press(&mut self, page: &Page, button: &str, typed: &[(&str, &str)]) -> Page {
        let form = page.form(button);
        let mut fields = form.fields.clone();
        for (name, value) in typed {
            match fields.iter_mut().find(|(known, _)| known == name) {
                Some(field) => field.1 = (*value).to_owned(),
                None => panic!("no field {name} in {form:?}"),
            }
        }
        fields.extend(form.buttons.iter().find(|known| known.text == button).and_then(|button| button.sends.clone()));
        let body = fields.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value)));
        let body = body.collect::<Vec<_>>().join("&");
        let action = if form.action.is_empty() { &page.url } else { &form.action };
        self.go("POST", &absolute(&page.url, action), Some(body))
    }

    /// Signs in on the page that asks for it.
    pub fn sign_in(&mut self, origin: &str, email: &str, password: &str) {
        let page = self.open(&format!("{origin}/login"));
        let page = self.press(&page, "Sign in", &[("email", email), ("password", password)]);
        assert_eq!(page.answer.status, 200, "{page:?}");
        assert!(!page.url.contains("/login"), "{page:?}");
    }

    fn go(&mut self, method: &str, url: &str, body: Option<String>) -> Page {
        let (mut method, mut url, mut body) = (method, url.to_owned(), body);
        for _ in 0..10 {
            let (origin, path) = split(&url);
            let answer = self.send(method, origin, path, body.take());
            if !(300..400).contains(&answer.status) {
                return Page { url, answer };
            }
            let target = absolute(&url, answer.header("location"));
            if !self.places.contains_key(split(&target).0) {
                return Page { url: target, answer };
            }
            (method, url) = ("GET", target);
        }
        panic!("redirects without an end, at {url}");
    }

    fn send(&mut self, method: &str, origin: &str, path: &str, body: Option<String>) -> Answer {
        let cookies = self.cookies(origin);
        let mut headers = Vec::new();
        if !cookies.is_empty() {
            headers.push(("Cookie", &*cookies));
        }
        if body.is_some() {
            headers.push(("Content-Type", "application/x-www-form-urlencoded"));
        }
        let place = self.places.get(origin).unwrap_or_else(|| panic!("{origin} is not known"));
        let answer = place.send(method, path, &headers, body);
        for (_, set) in answer.headers.iter().filter(|(name, _)| name == "set-cookie") {
            let mut parts = set.split(';').map(str::trim);
            let (name, value) = parts.next().and_then(|pair| pair.split_once('=')).unwrap();
            let key = (origin.to_owned(), name.to_owned());
            match parts.any(|part| part.eq_ignore_ascii_case("max-age=0")) {
                true => self.cookies.remove(&key),
                false => self.cookies.insert(key, value.to_owned()),
            };
        }
        answer
    }

    /// What it sends to an origin.
    fn cookies(&self, origin: &str) -> String {
        let mine = self.cookies.iter().filter(|((of, _), _)| of == origin);
        mine.map(|((_, name), value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
    }

    /// A request of a page's script: JSON, with the cookies and what says that a page of this origin asks.
    pub fn ask(&self, method: &str, url: &str, body: Option<String>) -> Answer {
        let (origin, path) = split(url);
        let cookies = self.cookies(origin);
        self.places[origin].send(method, path, &[("Cookie", &cookies), ("Sec-Fetch-Site", "same-origin")], body)
    }
}

impl Page {
    /// The form with this button.
    fn form(&self, button: &str) -> Form {
        let forms = forms(&self.answer.body);
        let found = forms.iter().find(|form| form.buttons.iter().any(|known| known.text == button));
        found.unwrap_or_else(|| panic!("no button {button:?} at {}: {:?}", self.url, self.answer)).clone()
    }

    /// A parameter of its address.
    pub fn parameter(&self, name: &str) -> Option<String> {
        parameters(&self.url).into_iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }
}

/// The parameters of an address, in order.
pub fn parameters(url: &str) -> Vec<(String, String)> {
    let query = url.split_once('?').map_or("", |(_, query)| query);
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (decode(name), decode(value)))
        .collect()
}

/// As forms and queries write it.
pub fn encode(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

fn decode(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digits = [rest.next().unwrap(), rest.next().unwrap()];
                u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap()
            }
            byte => byte,
        });
    }
    String::from_utf8(bytes).unwrap()
}

/// An address's origin, and what follows it.
fn split(url: &str) -> (&str, &str) {
    let host = url.find("://").map_or(0, |at| at + 3);
    let end = url[host..].find(['/', '?']).map_or(url.len(), |at| host + at);
    (&url[..end], if end == url.len() { "/" } else { &url[end..] })
}

fn absolute(base: &str, target: &str) -> String {
    match target.starts_with('/') {
        true => format!("{}{target}", split(base).0),
        false => target.to_owned(),
    }
}

fn forms(html: &str) -> Vec<Form> {
    let mut forms = Vec::new();
    for part in html.split("<form").skip(1) {
        let part = part.split("</form>").next().unwrap();
        let mut form = Form { action: attribute(part, "action").unwrap_or_default(), ..Form::default() };
        for tag in part.split("<input").skip(1) {
            if let Some(name) = attribute(tag, "name") {
                form.fields.push((name, attribute(tag, "value").unwrap_or_default()));
            }
        }
        for tag in part.split("<button").skip(1) {
            let text =
                tag.split_once('>').and_then(|(_, rest)| rest.split_once("</button>")).map_or("", |(text, _)| text);
            let sends = attribute(tag, "name").map(|name| (name, attribute(tag, "value").unwrap_or_default()));
            form.buttons.push(Button { text: text.trim().to_owned(), sends });
        }
        forms.push(form);
    }
    forms
}

/// An attribute of the tag that begins here.
fn attribute(tag: &str, name: &str) -> Option<String> {
    let tag = &tag[..tag.find('>')?];
    let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
    let value = rest.split('"').next()?;
    let plain = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")];
    Some(plain.iter().fold(value.to_owned(), |value, (escaped, plain)| value.replace(escaped, plain)))
}
