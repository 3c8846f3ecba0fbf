//! Authorization requests: read, and either shown as an error to the person, sent back as an error to the application,
//! or valid (`auth.md` 6 and 12.5; RFC 6749, 4.1.1; RFC 7636, 4.3; RFC 9126, 4; RFC 9207; OpenID Connect Core, 3.1.2).
//!
//! The order matters: as long as the address to answer to is not known to be the application's, nothing is sent there.

use crate::client::GrantType;
use crate::error::printable;
use crate::pkce::{Challenge, Method};
use crate::{Client, Digest, ErrorCode, Issuer, Kind, Parameters, Plain, Pushed, Redirect, Scopes, resource};
use heddle_model::{AppId, Time};

mod upstream;

pub use upstream::{Refused as UpstreamRefused, UpstreamRequest, redirect as upstream_redirect};

/// The longest `state` and `nonce`: they are kept or come back.
const LONGEST: usize = 4_096;
/// The longest `login_hint`: an address.
const LONGEST_HINT: usize = 320;

/// What a person is asked to allow.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Request {
    /// The application.
    pub app: AppId,
    /// Where the answer goes.
    pub redirect: Redirect,
    /// What it asks for, in its order.
    pub scopes: Scopes,
    /// What comes back beside the answer.
    pub state: Option<String>,
    /// What the redeemer of the code must prove.
    pub challenge: Challenge,
    /// For the ID token.
    pub nonce: Option<String>,
    /// How the person is to be met.
    pub prompt: Prompt,
    /// How long ago the person may have signed in, in seconds.
    pub max_age: Option<i64>,
    /// Whom the sign-in page may suggest.
    pub login_hint: Option<String>,
    /// What the tokens will be for; empty: everything here.
    pub resources: Vec<String>,
    /// The pushed request it came from: deciding uses that up.
    pub pushed: Option<Digest>,
}

impl Request {
    /// The address that carries the code (RFC 6749, 4.1.2; RFC 9207, 2).
    pub fn granted(&self, code: &Plain, issuer: &Issuer) -> String {
        let state = self.state.as_deref().map(|state| ("state", state));
        let first = [("code", code.expose())].into_iter();
        self.redirect.with(first.chain(state).chain([("iss", issuer.as_str())]))
    }

    /// The person said no.
    pub fn denied(&self) -> Back {
        self.back(ErrorCode::AccessDenied, "User denied access")
    }

    /// Something broke after the request was found to be valid.
    pub fn failed(&self) -> Back {
        self.back(ErrorCode::ServerError, "An unexpected error occurred")
    }

    pub(crate) fn back(&self, error: ErrorCode, description: &str) -> Back {
        Back { redirect: self.redirect.clone(), error, description: description.to_owned(), state: self.state.clone() }
    }
}

/// `prompt`, word by word.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Prompt {
    /// Nothing is shown: it works at once or not at all.
    pub none: bool,
    /// The person signs in, again if need be.
    pub login: bool,
    /// The person is asked, again if need be.
    pub consent: bool,
}

impl Prompt {
    fn parse(text: &str) -> Option<Self> {
        let mut prompt = Self::default();
        for word in text.split(' ').filter(|word| !word.is_empty()) {
            match word {
                "none" => prompt.none = true,
                // The sign-in page is where another account is chosen.
                "login" | "select_account" => prompt.login = true,
                "consent" => prompt.consent = true,
                _ => return None,
            }
        }
        (!prompt.none || !(prompt.login || prompt.consent)).then_some(prompt)
    }
}

/// Why a request is not shown to be allowed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Stop {
    /// The person sees why, and stays here.
    Page(PageError),
    /// The application is told.
    Back(Back),
}

/// What a person sees when there is nobody to send it to. Status 400.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum PageError {
    /// These are missing or empty.
    #[error("the request lacks {}", .0.join(", "))]
    Missing(Vec<&'static str>),
    /// This came more than once.
    #[error("the request names {0} more than once")]
    Repeated(&'static str),
    /// It is longer than anything sensible.
    #[error("the request is too long")]
    TooLarge,
    /// No such application, or it is switched off: nobody learns which.
    #[error("there is no application of this client_id here")]
    Application,
    /// Not registered for this application.
    #[error("invalid redirect_uri")]
    Redirect,
    /// A pushed request that was never there, is over, was used, or is another application's.
    #[error("this request has expired; go back to the application and start again")]
    Pushed,
}

impl PageError {
    /// The page's heading (`auth.md` 6.1).
    pub fn title(&self) -> &'static str {
        match self {
            Self::Application => "Application Not Found",
            Self::Redirect => "Invalid redirect_uri",
            Self::Missing(_) | Self::Repeated(_) | Self::TooLarge | Self::Pushed => "Invalid Request",
        }
    }
}

/// An error on its way to the application.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Back {
    redirect: Redirect,
    /// What is wrong, for programs.
    pub error: ErrorCode,
    /// What is wrong, for people.
    pub description: String,
    state: Option<String>,
}

impl Back {
    /// The address that carries it (`auth.md` 6.1, 12.5): `state` only if there was one, `iss` last.
    pub fn url(&self, issuer: &Issuer) -> String {
        let state = self.state.as_deref().map(|state| ("state", state));
        let error = [("error", self.error.as_str()), ("error_description", &self.description)];
        self.redirect.with(error.into_iter().chain(state).chain([("iss", issuer.as_str())]))
    }

    /// The same in the order of `auth.md` 6.2.
    pub fn upstream_url(&self, issuer: &Issuer) -> String {
        let state = self.state.as_deref().map(|state| ("state", state));
        let error = [("error", self.error.as_str())].into_iter();
        let rest = [("error_description", self.description.as_str()), ("iss", issuer.as_str())];
        self.redirect.with(error.chain(state).chain(rest))
    }

    /// Where it leads.
    pub fn redirect(&self) -> &Redirect {
        &self.redirect
    }
}

/// What must be looked up before a request can be read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Named<'a> {
    /// The application.
    pub client_id: &'a str,
    /// The pushed request.
    pub pushed: Option<Digest>,
}

/// What to look up for a request.
pub fn names(parameters: &Parameters) -> Result<Named<'_>, PageError> {
    if parameters.repeats("client_id") {
        return Err(PageError::Repeated("client_id"));
    }
    let client_id = parameters.get("client_id").ok_or(PageError::Missing(vec!["client_id"]))?;
    let uri = parameters.get("request_uri").filter(|uri| Kind::of(uri) == Kind::RequestUri);
    if uri.is_some() && parameters.repeats("request_uri") {
        return Err(PageError::Repeated("request_uri"));
    }
    Ok(Named { client_id, pushed: uri.map(Digest::of) })
}

/// Reads a request, given what [`names`] said to look up.
pub fn read(
    parameters: &Parameters,
    client: Option<&Client>,
    pushed: Option<&Pushed>,
    issuer: &Issuer,
    now: Time,
) -> Result<Request, Stop> {
    let named = names(parameters).map_err(Stop::Page)?;
    let client = client.filter(|client| client.is_active && client.client_id == named.client_id);
    let client = client.ok_or(Stop::Page(PageError::Application))?;
    let Some(digest) = named.pushed else {
        let request = validate(&Raw::of(parameters), client, issuer)?;
        return match client.requires_pushed {
            true => Err(Stop::Back(request.back(ErrorCode::InvalidRequest, "This application must push its requests"))),
            false => Ok(request),
        };
    };
    // Nothing beside the name counts (RFC 9126, 4; RFC 9101, 5).
    let pushed = pushed.filter(|pushed| pushed.digest == digest && pushed.is_usable(client.id, now));
    let kept = pushed.and_then(|pushed| Parameters::parse(pushed.parameters.as_bytes()));
    let kept = kept.ok_or(Stop::Page(PageError::Pushed))?;
    let request = validate(&Raw::of(&kept), client, issuer)?;
    Ok(Request { pushed: Some(digest), ..request })
}

/// Checks a request that is being pushed: all that is checked when it is shown (RFC 9126, 2.1). What is wrong goes to
/// the application in the answer.
pub fn check_pushed(parameters: &Parameters, client: &Client, issuer: &Issuer) -> Result<Request, (ErrorCode, String)> {
    if parameters.get("request_uri").is_some() {
        return Err((ErrorCode::InvalidRequest, "request_uri cannot be pushed".to_owned()));
    }
    validate(&Raw::of(parameters), client, issuer).map_err(|stop| match stop {
        Stop::Back(back) => (back.error, back.description),
        Stop::Page(page) => (ErrorCode::InvalidRequest, page.to_string()),
    })
}

/// What a request says, before any of it is believed.
#[derive(Default)]
struct Raw<'a> {
    repeated: Option<&'a str>,
    repeats_redirect: bool,
    has_request: bool,
    redirect_uri: Option<&'a str>,
    response_type: Option<&'a str>,
    response_mode: Option<&'a str>,
    scopes: Vec<&'a str>,
    state: Option<&'a str>,
    challenge: Option<&'a str>,
    method: Option<&'a str>,
    nonce: Option<&'a str>,
    prompt: Option<&'a str>,
    max_age: Option<&'a str>,
    login_hint: Option<&'a str>,
    resources: Vec<&'a str>,
}

impl<'a> Raw<'a> {
    fn of(parameters: &'a Parameters) -> Self {
        let scopes = parameters.get("scope").into_iter().flat_map(|scope| scope.split(' '));
        Self {
            repeated: parameters.repeated(),
            repeats_redirect: parameters.repeats("redirect_uri"),
            has_request: parameters.get("request").or(parameters.get("request_uri")).is_some(),
            redirect_uri: parameters.get("redirect_uri"),
            response_type: parameters.get("response_type"),
            response_mode: parameters.get("response_mode"),
            scopes: scopes.filter(|scope| !scope.is_empty()).collect(),
            state: parameters.get("state").filter(|_| !parameters.repeats("state")),
            challenge: parameters.get("code_challenge"),
            method: parameters.get("code_challenge_method"),
            nonce: parameters.get("nonce"),
            prompt: parameters.get("prompt"),
            max_age: parameters.get("max_age"),
            login_hint: parameters.get("login_hint"),
            resources: parameters.all("resource"),
        }
    }
}

/// Everything after the application is known: the address first, and then errors can go there.
fn validate(raw: &Raw<'_>, client: &Client, issuer: &Issuer) -> Result<Request, Stop> {
    if raw.repeats_redirect {
        return Err(Stop::Page(PageError::Repeated("redirect_uri")));
    }
    let redirect = Redirect::find(&client.redirect_uris, raw.redirect_uri).ok_or_else(|| match raw.redirect_uri {
        None if client.redirect_uris.len() != 1 => Stop::Page(PageError::Missing(vec!["redirect_uri"])),
        _ => Stop::Page(PageError::Redirect),
    })?;
    // Which of two counts is anybody's guess, and what is too long is not carried back.
    let state = raw.state.filter(|state| state.len() <= LONGEST).map(str::to_owned);
    check(raw, client, issuer, &redirect, &state).map_err(|(error, description)| {
        Stop::Back(Back { redirect, error, description: printable(&description), state })
    })
}

type Wrong = (ErrorCode, String);

fn wrong(error: ErrorCode, description: impl Into<String>) -> Wrong {
    (error, description.into())
}

fn check(
    raw: &Raw<'_>,
    client: &Client,
    issuer: &Issuer,
    redirect: &Redirect,
    state: &Option<String>,
) -> Result<Request, Wrong> {
    use ErrorCode::*;
    if let Some(name) = raw.repeated {
        return Err(wrong(InvalidRequest, format!("Parameter {name} came more than once")));
    }
    if raw.has_request {
        return Err(wrong(RequestNotSupported, "Request objects are not supported"));
    }
    if [raw.state, raw.nonce].into_iter().flatten().any(|text| text.len() > LONGEST) {
        return Err(wrong(InvalidRequest, format!("state and nonce have at most {LONGEST} bytes")));
    }
    match raw.response_type {
        Some("code") => {}
        Some(_) => return Err(wrong(UnsupportedResponseType, "Only 'code' response type is supported")),
        None => return Err(wrong(InvalidRequest, "response_type is missing")),
    }
    if raw.response_mode.is_some_and(|mode| mode != "query") {
        return Err(wrong(InvalidRequest, "Only 'query' response mode is supported"));
    }
    let scopes = scopes(&raw.scopes, client)?;
    let challenge = challenge(raw.challenge, raw.method, client)?;
    if !client.may_use(GrantType::AuthorizationCode) {
        return Err(wrong(UnauthorizedClient, "This application cannot redeem codes"));
    }
    let prompt = match raw.prompt {
        Some(words) => Prompt::parse(words).ok_or_else(|| wrong(InvalidRequest, "prompt cannot be understood"))?,
        None => Prompt::default(),
    };
    let max_age = match raw.max_age {
        Some(age) => Some(seconds(age).ok_or_else(|| wrong(InvalidRequest, "max_age is a number of seconds"))?),
        None => None,
    };
    let is_good = |uri: &&str| resource::is_ours(uri, issuer.as_str());
    if raw.resources.len() > resource::MOST || !raw.resources.iter().all(is_good) {
        return Err(wrong(InvalidTarget, "resource is not an address of this server"));
    }
    Ok(Request {
        app: client.id,
        redirect: redirect.clone(),
        scopes,
        state: state.clone(),
        challenge,
        nonce: raw.nonce.map(str::to_owned),
        prompt,
        max_age,
        login_hint: raw.login_hint.filter(|hint| hint.len() <= LONGEST_HINT).map(str::to_owned),
        resources: raw.resources.iter().map(|uri| (*uri).to_owned()).collect(),
        pushed: None,
    })
}

fn seconds(digits: &str) -> Option<i64> {
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok()).flatten()
}

fn scopes(names: &[&str], client: &Client) -> Result<Scopes, Wrong> {
    let asked = Scopes::from_names(names.iter().copied());
    let asked = asked.map_err(|name| wrong(ErrorCode::InvalidScope, format!("Invalid scope: {name}")))?;
    let asked = match (&client.default_scopes, asked.is_empty()) {
        (Some(usual), true) => usual.clone(),
        _ => asked,
    };
    if asked.is_empty() {
        return Err(wrong(ErrorCode::InvalidScope, "At least one scope is required"));
    }
    if !asked.iter().all(|scope| client.may_ask(*scope)) {
        let allowed: Vec<_> = client.scopes.iter().map(|scope| scope.as_str()).collect();
        let text = "Application is not authorized for all requested scopes. Allowed: ";
        return Err(wrong(ErrorCode::InvalidScope, format!("{text}{}", allowed.join(", "))));
    }
    Ok(asked)
}

fn challenge(value: Option<&str>, method: Option<&str>, client: &Client) -> Result<Challenge, Wrong> {
    let invalid = |text: &str| wrong(ErrorCode::InvalidRequest, text);
    let value = value.ok_or_else(|| invalid("code_challenge is missing"))?;
    // RFC 7636 means `plain` by saying nothing; existing applications mean `S256` (`auth.md` 6.1).
    let method = match method.map_or(Some(Method::S256), Method::parse) {
        Some(Method::Plain) if !client.allows_plain => None,
        method => method,
    };
    let method = method.ok_or_else(|| invalid("Only 'S256' code challenge method is supported"))?;
    Challenge::new(method, value).ok_or_else(|| invalid("code_challenge does not have the form of its method"))
}

#[cfg(test)]
mod tests;
