//! Requests that an application hands over directly, so that they do not pass through a browser (RFC 9126).

use crate::answer::Refusal;
use crate::body::Body;
use crate::credentials::{Basic, Credentials};
use crate::grant::form_credentials;
use crate::{Digest, ErrorCode, Kind, Parameters, Plain};
use heddle_model::{AppId, Time};
use serde_json::{Value, json};

/// How long one waits for the person's browser.
pub const LIFE_SECONDS: i64 = 90;
/// How long the person may then take: signing in and reading come between the first sight and the decision.
pub const OPEN_SECONDS: i64 = 900;

/// A request to keep a request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pushing {
    /// Who asks: any application, with a secret or without.
    pub credentials: Credentials,
    /// What is to be kept, for [`check_pushed`](crate::request::check_pushed) first.
    pub parameters: Parameters,
}

impl Pushing {
    /// Reads it. There is only the form (RFC 9126, 2.1).
    pub fn read(body: &Body, basic: Option<Basic>) -> Result<Self, Refusal> {
        let Body::Form(parameters) = body else {
            return Err(Refusal::new(ErrorCode::InvalidRequest, "Only a form can be pushed"));
        };
        let credentials = form_credentials(parameters, basic)?;
        Ok(Self { credentials, parameters: parameters.clone() })
    }
}

/// One pushed request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pushed {
    /// Of its `request_uri`.
    pub digest: Digest,
    /// Whose.
    pub app: AppId,
    /// The request's parameters, form-encoded, without the client's credentials.
    pub parameters: String,
    /// When it came.
    pub created_at: Time,
    /// When a browser first brought its name; a sign-in that is asked for must be later.
    pub opened_at: Option<Time>,
    /// When it was decided.
    pub used_at: Option<Time>,
}

impl Pushed {
    /// A new one, and its name. The client's credentials are not kept.
    pub fn new(app: AppId, parameters: &Parameters, random: [u8; 32], now: Time) -> (Self, Plain) {
        let name = Kind::RequestUri.make(random);
        let digest = name.digest();
        let parameters = parameters.without(&["client_secret"]).encode();
        (Self { digest, app, parameters, created_at: now, opened_at: None, used_at: None }, name)
    }

    /// Whether this application's request may still be shown or decided.
    pub fn is_usable(&self, app: AppId, now: Time) -> bool {
        let end = match self.opened_at {
            None => self.created_at.plus_seconds(LIFE_SECONDS),
            Some(opened) => opened.plus_seconds(OPEN_SECONDS),
        };
        self.app == app && self.used_at.is_none() && now < end
    }

    /// What the application is told, with 201.
    pub fn answer(name: &Plain) -> Value {
        json!({"request_uri": name.expose(), "expires_in": LIFE_SECONDS})
    }

    /// When its row can go.
    pub fn expires_at(&self) -> Time {
        self.created_at.plus_seconds(LIFE_SECONDS + OPEN_SECONDS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{NOW, client, parameters};
    use heddle_model::AppId;

    /// RFC 9126, 2.1.
    #[test]
    fn only_a_form_of_a_known_client_is_pushed() {
        let form = |text: &str| Pushing::read(&Body::Form(parameters(text)), None);
        assert_eq!(form("client_id=x&scope=openid").unwrap().credentials.client_id, "x");
        assert_eq!(form("scope=openid").unwrap_err().error, ErrorCode::InvalidClient);
        assert_eq!(Pushing::read(&Body::Json(json!({})), None).unwrap_err().error, ErrorCode::InvalidRequest);
    }

    /// RFC 9126, 2.2 and 4; `auth.md` 12.5.
    #[test]
    fn a_pushed_request_is_shown_soon_and_decided_once() {
        let app = client().id;
        let (new, name) = Pushed::new(app, &parameters("scope=openid&client_secret=canary&x=%26"), [9; 32], NOW);
        assert_eq!((new.digest, new.parameters.as_str()), (name.digest(), "scope=openid&x=%26"));
        assert_eq!(Pushed::answer(&name), json!({"request_uri": name.expose(), "expires_in": 90}));
        let opened = Pushed { opened_at: Some(NOW.plus_seconds(80)), ..new.clone() };
        let used = Pushed { used_at: Some(NOW.plus_seconds(85)), ..opened.clone() };
        for (pushed, by, after, usable) in [
            (&new, app, 0, true),
            (&new, app, 89, true),
            (&new, app, 90, false),
            (&opened, app, 90, true),
            (&opened, app, 979, true),
            (&opened, app, 980, false),
            (&used, app, 86, false),
            (&new, AppId::from_random([9; 16]), 0, false),
        ] {
            assert_eq!(pushed.is_usable(by, NOW.plus_seconds(after)), usable, "{after}");
        }
    }
}
