//! A browser that looks at a page: who it is signed in as, and what ties its forms to it.

use super::{Answer, Said, redirect};
use crate::app::App;
use crate::error::ApiError;
use crate::session::cookie::{Cookies, is_safe};
use crate::session::{FormToken, SignedIn, visitor};
use crate::unrouted::{below_prefix, origin};
use axum::extract::{FromRequestParts, OriginalUri};
use axum::response::{IntoResponse, Response};
use heddle_platform::passkeys::rules::Party;
use heddle_platform::{Begun, Error, Visitor};
use http::header::SET_COOKIE;
use http::request::Parts;
use http::{HeaderValue, Method, StatusCode};
use maud::{Markup, html};
use url::form_urlencoded;

/// Anybody's look at a page.
#[derive(Clone)]
pub struct Visit {
    /// What handlers can reach.
    pub app: App,
    /// Who is signed in, if somebody is.
    pub who: Option<SignedIn>,
    /// Where the request came from.
    pub visitor: Visitor,
    /// What forms carry; see [`csrf`](super::csrf).
    pub form: FormToken,
    /// Whether browsers keep private what they send here.
    pub is_safe: bool,
    /// Whether the server is reached over https.
    pub is_https: bool,
    cookies: Cookies,
    fresh: Option<HeaderValue>,
    origin: String,
    path: String,
    query: Vec<(String, String)>,
}

impl Visit {
    /// The browser that made this request.
    pub async fn of(parts: &Parts, app: &App) -> Result<Self, ApiError> {
        let cookies = Cookies::of(app, parts);
        let who = match SignedIn::of(app, parts).await {
            Ok(who) => who,
            Err(ApiError::SessionOver) => None,
            Err(other) => return Err(other),
        };
        let (form, fresh) = match (&who, cookies.form(&parts.headers)) {
            (Some(who), _) => (who.form.clone(), None),
            (None, Some(cookie)) => (FormToken::of(cookie), None),
            (None, None) => {
                let (secret, header) = cookies.new_form();
                (FormToken::of(&secret), Some(header))
            }
        };
        let uri = parts.extensions.get::<OriginalUri>().map_or(&parts.uri, |OriginalUri(uri)| uri);
        let reached = origin(app, uri, &parts.headers);
        let query = uri.query().unwrap_or_default();
        Ok(Self {
            app: app.clone(),
            visitor: visitor(app, parts),
            who,
            form,
            is_safe: is_safe(&reached),
            is_https: reached.starts_with("https://"),
            origin: reached,
            cookies,
            fresh,
            path: below_prefix(app, uri.path()).to_owned(),
            query: form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
        })
    }

    /// The address of one of our paths, the prefix included.
    pub fn link(&self, path: &str) -> String {
        format!("{}{path}", self.app.settings.prefix())
    }

    /// The same with scheme and host, for use elsewhere.
    pub fn url(&self, path: &str) -> String {
        format!("{}{}", self.origin, self.link(path))
    }

    /// For whom passkeys are made and shown here; `None` where browsers have none.
    pub fn party(&self) -> Option<Party> {
        Party::of(&self.origin)
    }

    /// A page of ours by this machine's name, where it is reached by its number and nothing was said about its address.
    pub fn as_localhost(&self, path: &str) -> Option<String> {
        let port = self.origin.strip_prefix("http://127.0.0.1").filter(|_| self.app.settings.public_url.is_none())?;
        Some(format!("http://localhost{port}{}", self.link(path)))
    }

    /// The page's own path below the prefix.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// A parameter of the address; the first one of its name.
    pub fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// All parameters of the address.
    pub fn parameters(&self) -> &[(String, String)] {
        &self.query
    }

    /// The message that the address asks for.
    pub fn said(&self) -> Option<Said> {
        self.query("said").and_then(Said::parse)
    }

    /// A whole page.
    pub fn page(&self, title: &str, content: Markup) -> Answer {
        Answer::new(self, title, content)
    }

    /// To another page of ours, with a message there; also after a form (303, so that a reload does not send it again).
    pub fn go(&self, path: &str, said: Option<Said>) -> Response {
        let said = said.map_or_else(String::new, |said| format!("?said={}", said.word()));
        redirect(StatusCode::SEE_OTHER, &format!("{}{said}", self.link(path)))
    }

    /// To the sign-in page, and back here afterwards.
    pub fn go_to_sign_in(&self, back: &str) -> Response {
        let next: String = form_urlencoded::byte_serialize(self.link(back).as_bytes()).collect();
        redirect(StatusCode::SEE_OTHER, &format!("{}?next={next}", self.link("/login")))
    }

    /// The page's own path and query.
    fn here(&self) -> String {
        if self.query.is_empty() {
            return self.path.clone();
        }
        let query: String = form_urlencoded::Serializer::new(String::new()).extend_pairs(&self.query).finish();
        format!("{}?{query}", self.path)
    }

    /// To an address of this origin as a signed-in person, whose browser keeps the session.
    pub fn signed_in(&self, begun: &Begun, to: &str) -> Response {
        self.with_session(begun, redirect(StatusCode::SEE_OTHER, to))
    }

    /// Has the browser keep a session.
    pub fn with_session(&self, begun: &Begun, mut response: Response) -> Response {
        response.headers_mut().append(SET_COOKIE, self.cookies.keep_session(&begun.token, begun.seconds));
        response
    }

    /// Has the browser forget the session.
    pub fn signed_out(&self, mut response: Response) -> Response {
        response.headers_mut().append(SET_COOKIE, self.cookies.forget_session());
        response
    }

    /// What a browser is to keep so that this page's forms can be sent.
    pub fn fresh_cookie(&self) -> Option<&HeaderValue> {
        self.fresh.as_ref()
    }

    /// A page that says why something is not done.
    pub fn failed(&self, error: &Error) -> Response {
        let status = status(error);
        let (title, text) = match error {
            Error::Internal(_) => ("Something went wrong", "The server failed. Its log says why.".to_owned()),
            Error::NotFound(text) => ("Not found", text.clone()),
            other => ("That did not work", other.to_string()),
        };
        self.page(title, html! { p { (sentence(&text)) } }).status(status).retry_after(wait(error)).into_response()
    }

    pub(super) fn foreign(&self) -> Response {
        let text = html! {
            p { "This form was not sent from a page of this server, or that page was open for too long. Nothing was changed." }
            p { a href=(self.link(&self.path)) { "Open the page again" } " and send it once more." }
        };
        self.page("That did not work", text).status(StatusCode::FORBIDDEN).into_response()
    }
}

/// The status of a refusal that a page explains.
pub(super) fn status(error: &Error) -> StatusCode {
    match error {
        Error::NotFound(_) => StatusCode::NOT_FOUND,
        Error::TooMany(..) => StatusCode::TOO_MANY_REQUESTS,
        Error::Busy(..) => StatusCode::SERVICE_UNAVAILABLE,
        Error::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        _ => StatusCode::UNPROCESSABLE_ENTITY,
    }
}

/// Seconds after which trying again makes sense.
pub(super) fn wait(error: &Error) -> Option<u32> {
    match error {
        Error::TooMany(_, seconds) | Error::Busy(_, seconds) => Some(*seconds),
        _ => None,
    }
}

/// A refusal as a sentence: commands print the same without capital and full stop.
pub(super) fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    let stop = if text.ends_with(['.', '?', '!']) { "" } else { "." };
    format!("{first}{}{stop}", letters.as_str())
}

impl FromRequestParts<App> for Visit {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Response> {
        Self::of(parts, app).await.map_err(IntoResponse::into_response)
    }
}

/// A signed-in person's look at a page. Others are sent to sign in first.
#[derive(Clone)]
pub struct Member {
    /// The look.
    pub visit: Visit,
    /// Who looks.
    pub who: SignedIn,
}

impl std::ops::Deref for Member {
    type Target = Visit;

    fn deref(&self) -> &Visit {
        &self.visit
    }
}

impl FromRequestParts<App> for Member {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Response> {
        let visit = Visit::from_request_parts(parts, app).await?;
        match visit.who.clone() {
            Some(who) => Ok(Self { visit, who }),
            // What a form asked for cannot be asked for again by a link.
            None if parts.method == Method::GET => Err(visit.go_to_sign_in(&visit.here())),
            None => Err(visit.go_to_sign_in("/settings/profile")),
        }
    }
}
