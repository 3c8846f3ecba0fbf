//! What all pages look like, and the headers that all of them carry.

use super::assets::{ICON_PATH, SCRIPT_PATH, STYLE_PATH};
use super::visit::{sentence, wait};
use super::{Visit, library, market};
use axum::response::{Html, IntoResponse, Response};
use heddle_model::{Time, cron};
use heddle_platform::{Account, Error};
use http::header::{
    CONTENT_SECURITY_POLICY, REFERRER_POLICY, REFRESH, RETRY_AFTER, SET_COOKIE, STRICT_TRANSPORT_SECURITY,
};
use http::{HeaderName, HeaderValue, StatusCode};
use maud::{DOCTYPE, Markup, html};

/// Own pages may know which page led to them (and browsers then say the origin of our own forms); others may not.
const REFERRER: HeaderValue = HeaderValue::from_static("same-origin");
pub(super) const OPENER: (HeaderName, HeaderValue) =
    (HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin"));
const RESOURCE: (HeaderName, HeaderValue) =
    (HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin"));
const TRANSPORT: HeaderValue = HeaderValue::from_static("max-age=31536000");

/// An entry of the settings' menu.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Section {
    /// Where it leads, below the prefix; pages further down belong to it.
    pub path: &'static str,
    /// What it is called.
    pub title: &'static str,
    /// Only operators see it.
    pub is_for_operators: bool,
}

/// The menu. To add a page to it, add a line.
pub const SECTIONS: &[Section] = &[
    Section { path: "/settings/profile", title: "Profile", is_for_operators: false },
    Section { path: "/settings/api-keys", title: "API keys", is_for_operators: false },
    Section { path: "/settings/integrations", title: "Integrations", is_for_operators: false },
    Section { path: "/settings/security", title: "Security", is_for_operators: false },
    Section { path: "/settings/applications", title: "Connected applications", is_for_operators: false },
    Section { path: "/settings/oauth-apps", title: "Your applications", is_for_operators: false },
    Section { path: "/settings/creator", title: "Creator profile", is_for_operators: false },
    Section { path: "/settings/submissions", title: "Publishing", is_for_operators: false },
    Section { path: "/admin/marketplace", title: "Marketplace review", is_for_operators: true },
    Section { path: "/admin/applications", title: "All applications", is_for_operators: true },
    Section { path: "/admin/accounts", title: "Accounts", is_for_operators: true },
    Section { path: "/admin/server", title: "Server", is_for_operators: true },
];

/// A page on its way out.
pub struct Answer {
    title: String,
    content: Markup,
    visit: Visit,
    status: StatusCode,
    retry_after: Option<u32>,
    forms_lead_to: Vec<String>,
    images_from: Vec<String>,
    asks: bool,
    is_wide: bool,
    windows: Windows,
    goes_on_to: Option<String>,
}

/// What a page has to do with other windows.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Windows {
    /// Nothing.
    Alone,
    /// Its script opens one, and asks this server what became of it.
    Opens,
    /// It may be one that was opened.
    IsOpened,
}

impl Answer {
    pub(super) fn new(visit: &Visit, title: &str, content: Markup) -> Self {
        Self {
            title: title.to_owned(),
            content,
            visit: visit.clone(),
            status: StatusCode::OK,
            retry_after: None,
            forms_lead_to: Vec::new(),
            images_from: Vec::new(),
            asks: false,
            is_wide: false,
            windows: Windows::Alone,
            goes_on_to: None,
        }
    }

    /// With room for more than a form.
    pub fn wide(mut self) -> Self {
        self.is_wide = true;
        self
    }

    /// With another status than 200.
    pub fn status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// With `Retry-After`.
    pub fn retry_after(mut self, seconds: Option<u32>) -> Self {
        self.retry_after = seconds;
        self
    }

    /// Lets a form's answer lead to this origin or scheme (`https://app.example.org`, `myapp:`) as well: browsers apply
    /// `form-action` to redirects too.
    pub fn forms_lead_to(mut self, source: &str) -> Self {
        self.forms_lead_to.push(source.to_owned());
        self
    }

    /// Lets the page show an image from this origin.
    pub fn images_from(mut self, source: &str) -> Self {
        self.images_from.push(source.to_owned());
        self
    }

    /// Lets the page's script ask this server.
    pub fn asks(mut self) -> Self {
        self.asks = true;
        self
    }

    /// Lets the page's script open a window that leads elsewhere and hear from it, and ask this server.
    pub fn opens_windows(mut self) -> Self {
        self.windows = Windows::Opens;
        self.asks = true;
        self
    }

    /// Has browsers go on to this address at once. Unlike an answer to a form that redirects, this leads through whatever
    /// the address redirects to: browsers hold each step of such an answer against the form's page.
    pub fn goes_on_to(mut self, url: &str) -> Self {
        self.goes_on_to = Some(url.to_owned());
        self
    }

    /// Leaves the page together with the one that opened it, after a way through somebody else's pages.
    pub fn opened(mut self) -> Self {
        self.windows = Windows::IsOpened;
        self
    }

    fn policy(&self) -> String {
        // A source that could end its directive, or the policy, is none.
        let sources = |more: &[String]| {
            let plain =
                |source: &&String| source.bytes().all(|byte| byte.is_ascii_graphic() && !b";,'".contains(&byte));
            more.iter().filter(plain).fold("'self'".to_owned(), |all, source| format!("{all} {source}"))
        };
        format!(
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src {}; form-action {}; base-uri 'none'; \
             frame-ancestors 'none'{}",
            sources(&self.images_from),
            sources(&self.forms_lead_to),
            if self.asks { "; connect-src 'self'" } else { "" }
        )
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let html = document(&self.visit, &self.title, &self.content, self.is_wide).into_string();
        let mut response = (self.status, [RESOURCE], Html(html)).into_response();
        let headers = response.headers_mut();
        headers.insert(REFERRER_POLICY, REFERRER);
        if let Ok(policy) = HeaderValue::try_from(self.policy()) {
            headers.insert(CONTENT_SECURITY_POLICY, policy);
        }
        if self.visit.is_safe {
            // Elsewhere browsers ignore it, and complain.
            let opener = match self.windows {
                Windows::Alone => OPENER.1,
                Windows::Opens => HeaderValue::from_static("same-origin-allow-popups"),
                Windows::IsOpened => HeaderValue::from_static("unsafe-none"),
            };
            headers.insert(OPENER.0, opener);
        }
        if self.visit.is_https {
            headers.insert(STRICT_TRANSPORT_SECURITY, TRANSPORT);
        }
        if let Some(value) = self.goes_on_to.and_then(|url| HeaderValue::try_from(format!("0; url={url}")).ok()) {
            headers.insert(REFRESH, value);
        }
        if let Some(seconds) = self.retry_after {
            headers.insert(RETRY_AFTER, seconds.into());
        }
        if let Some(cookie) = self.visit.fresh_cookie() {
            headers.append(SET_COOKIE, cookie.clone());
        }
        response
    }
}

fn document(visit: &Visit, title: &str, content: &Markup, is_wide: bool) -> Markup {
    let account = visit.who.as_ref().map(|who| who.account());
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                title { (title) " – Heddle" }
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                link rel="stylesheet" href=(visit.link(&STYLE_PATH));
                link rel="icon" type="image/svg+xml" href=(visit.link(&ICON_PATH));
                script src=(visit.link(&SCRIPT_PATH)) defer {}
            }
            body {
                a.skip href="#main" { "Skip to the content" }
                header.top {
                    a.brand href=(visit.link("/")) { (mark()) span { "Heddle" } }
                    nav.places aria-label="Places" {
                        @if account.is_some() { a href=(visit.link(library::PATH)) { "Library" } }
                        a href=(visit.link(market::PATH)) { "Marketplace" }
                    }
                    @if let Some(account) = account { (who(visit, account)) }
                    @else if is_wide { div.who { a href=(visit.link("/login")) { "Sign in" } } }
                }
                @if let Some(account) = account.filter(|account| account.is_admin && !visit.is_safe) {
                    (unsafe_warning(account))
                }
                @let is_settings = account.is_some() && menu(account).any(|section| is_at(visit, section));
                div class=(if is_settings { "settings" } else if is_wide { "wide-page" } else { "single" }) {
                    @if is_settings { (sections(visit, account)) }
                    main id="main" tabindex="-1" {
                        h1 { (title) }
                        @if let Some(said) = visit.said() { p.said role="status" { (said.text()) } }
                        (content)
                    }
                }
            }
        }
    }
}

/// A shed of three warp threads between two shafts.
fn mark() -> Markup {
    html! {
        svg width="24" height="24" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2"
            stroke-linecap="round" aria-hidden="true" {
            path d="M3 4h18M3 20h18M7 4c0 8 5 8 5 16M12 4c0 8-5 8-5 16M17 4v16" {}
        }
    }
}

fn who(visit: &Visit, account: &Account) -> Markup {
    html! {
        div.who {
            a href=(visit.link("/settings/profile")) { (account.name.as_deref().unwrap_or(&account.email)) }
            form method="post" action=(visit.link("/logout")) {
                (csrf(visit))
                button.quiet { "Sign out" }
            }
        }
    }
}

fn unsafe_warning(account: &Account) -> Markup {
    html! {
        p.warning role="alert" {
            strong { "Sign-in is not private here. " }
            "This server is reached over plain HTTP, so anybody on the way can read passwords and take over sessions, yours ("
            (account.email)
            ") too. Put it behind HTTPS and set server.public_url to its https:// address."
        }
    }
}

fn menu(account: Option<&Account>) -> impl Iterator<Item = &'static Section> {
    let is_operator = account.is_some_and(|account| account.is_admin);
    SECTIONS.iter().filter(move |section| is_operator || !section.is_for_operators)
}

fn is_at(visit: &Visit, section: &Section) -> bool {
    visit.path().strip_prefix(section.path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn sections(visit: &Visit, account: Option<&Account>) -> Markup {
    html! {
        nav.sections aria-label="Settings" {
            ul {
                @for section in menu(account) {
                    li {
                        a href=(visit.link(section.path)) aria-current=[is_at(visit, section).then_some("page")] {
                            (section.title)
                        }
                    }
                }
            }
        }
    }
}

/// The hidden field that every form carries.
pub fn csrf(visit: &Visit) -> Markup {
    html! { input type="hidden" name="csrf" value=(visit.form.as_str()); }
}

/// A labelled field. `more` are its own attributes' values: autocomplete, and what it holds.
pub fn field(label: &str, name: &str, kind: &str, autocomplete: &str, value: &str, is_required: bool) -> Markup {
    html! {
        div.field {
            label for=(name) { (label) @if !is_required { span.optional { " (optional)" } } }
            input id=(name) name=(name) type=(kind) autocomplete=(autocomplete) value=(value) required[is_required]
                autocapitalize=[(kind != "text").then_some("none")] spellcheck=[(kind != "text").then_some("false")];
        }
    }
}

/// Why the form on this page was not taken.
pub fn banner(error: Option<&Error>) -> Markup {
    let Some(error) = error else { return Markup::default() };
    let text = match error {
        Error::Internal(_) => "The server failed. Its log says why.".to_owned(),
        other => sentence(&other.to_string()),
    };
    html! {
        p.error role="alert" {
            (text)
            @if let Some(seconds) = wait(error).filter(|seconds| *seconds > 60) {
                " That will be in about " (seconds.div_ceil(60)) " minutes."
            }
        }
    }
}

/// A moment by the clocks of whoever looks.
pub fn time(visit: &Visit, time: Time) -> Markup {
    let zone = visit.who.as_ref().and_then(|who| cron::zone(who.account().time_zone.as_deref()?).ok());
    html! { time datetime=(time.rfc3339()) { (time.shown(zone.unwrap_or_default())) } }
}
