//! `POST /api/oauth/authorize`, the request that today's consent pages make as JSON (`auth.md` 6.2).

use super::{Back, PageError, Raw, Request, Stop, validate};
use crate::answer::Answer;
use crate::fields::{Fields, Item};
use crate::{Client, ErrorCode, Issuer};
use serde_json::{Value, json};

/// Its members, of the right types.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UpstreamRequest {
    /// The application.
    pub client_id: String,
    redirect_uri: String,
    scopes: Vec<String>,
    state: String,
    response_type: String,
    code_challenge: String,
    code_challenge_method: &'static str,
}

/// Why such a request gets no code.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Refused {
    /// 400 with this `detail`.
    Detail(String),
    /// 200 with this as `redirect_url`.
    Back(Back),
}

impl Refused {
    /// What the consent page is told.
    pub fn answer(&self, issuer: &Issuer) -> Answer {
        match self {
            Self::Detail(detail) => Answer { status: 400, ..Answer::ok(json!({ "detail": detail })) },
            Self::Back(back) => redirect(&back.upstream_url(issuer)),
        }
    }
}

/// 200 with the address that the consent page goes to.
pub fn redirect(url: &str) -> Answer {
    Answer::ok(json!({ "redirect_url": url }))
}

impl UpstreamRequest {
    /// Reads the members; the error is what 422 lists.
    pub fn read(body: &Value) -> Result<Self, Vec<Item>> {
        let mut fields = Fields::of(body)?;
        let client_id = fields.text("client_id");
        let redirect_uri = fields.text("redirect_uri");
        let scopes = fields.texts("scopes");
        let state = fields.text("state");
        let response_type = fields.text_or("response_type", "code");
        let code_challenge = fields.text("code_challenge");
        let code_challenge_method = fields.word_or_first("code_challenge_method", &["S256", "plain"]);
        fields.end(|| {
            Some(Self {
                client_id: client_id?,
                redirect_uri: redirect_uri?,
                scopes: scopes?,
                state: state?,
                response_type: response_type?,
                code_challenge: code_challenge?,
                code_challenge_method: code_challenge_method?,
            })
        })
    }

    /// Judges it.
    pub fn check(&self, client: Option<&Client>, issuer: &Issuer) -> Result<Request, Refused> {
        let detail = |text: &str| Refused::Detail(text.to_owned());
        let client = client.ok_or_else(|| detail("Unknown client_id"))?;
        if !client.is_active {
            return Err(detail("Application is not active"));
        }
        let raw = Raw {
            redirect_uri: Some(&self.redirect_uri),
            response_type: Some(&self.response_type),
            scopes: self.scopes.iter().map(|scope| scope.trim()).filter(|scope| !scope.is_empty()).collect(),
            state: Some(&self.state),
            challenge: Some(&self.code_challenge),
            method: Some(self.code_challenge_method),
            ..Raw::default()
        };
        let request = validate(&raw, client, issuer).map_err(|stop| match stop {
            Stop::Back(back) => Refused::Back(back),
            Stop::Page(PageError::Redirect) => {
                Refused::Detail(format!("Invalid redirect_uri. Must be one of: {}", client.redirect_uris.join(", ")))
            }
            Stop::Page(other) => Refused::Detail(other.to_string()),
        })?;
        match client.requires_pushed {
            true => {
                Err(Refused::Back(request.back(ErrorCode::InvalidRequest, "This application must push its requests")))
            }
            false => Ok(request),
        }
    }
}
