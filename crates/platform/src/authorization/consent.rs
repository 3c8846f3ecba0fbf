//! The authorization endpoint: what a person is shown, and what comes of the answer (`auth.md` 6 and 12.5).

use super::{Authorization, draw};
use crate::Error;
use heddle_model::FamilyId;
use heddle_oauth::answer::Answer;
use heddle_oauth::consent::{self, Approval, Next, Session};
use heddle_oauth::request::{self, PageError, Request, Stop, UpstreamRequest, upstream_redirect};
use heddle_oauth::{Client, Parameters, Plain, Pushed, code, fields};
use heddle_store::NewGrant;
use serde_json::Value;

/// What a person is asked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Asked {
    /// Who asks.
    pub client: Client,
    /// For what.
    pub request: Request,
}

/// What the authorization endpoint does with a request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum View {
    /// The person sees this error, with status 400, and stays.
    Page(PageError),
    /// The person signs in and comes back with these parameters.
    SignIn {
        /// The request to come back to.
        back: Parameters,
        /// Whom the sign-in page may suggest.
        hint: Option<String>,
    },
    /// The person is asked.
    Ask(Box<Asked>),
    /// The browser goes there, with status 303.
    Redirect(String),
}

/// What comes of a person's answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Decision {
    /// The person sees this error, with status 400, and stays.
    Page(PageError),
    /// The person has to sign in anew first, and comes back with these parameters.
    SignIn(Parameters),
    /// The browser goes there, with status 303.
    Redirect(String),
}

/// A request that was read, and what it was read from.
struct Read {
    client: Client,
    pushed: Option<Pushed>,
    request: Request,
}

impl Authorization {
    /// What happens to a request that a browser brings.
    pub async fn view(&self, parameters: &Parameters, session: Option<&Session>) -> Result<View, Error> {
        let read = match self.read(parameters, true).await? {
            Ok(read) => read,
            Err(Stop::Page(error)) => return Ok(View::Page(error)),
            Err(Stop::Back(back)) => return Ok(View::Redirect(back.url(self.issuer()))),
        };
        match (self.next(&read, session).await?, session) {
            (Next::Allow, Some(session)) => Ok(match self.allow(&read.request, session, false).await? {
                Some(code) => View::Redirect(read.request.granted(&code, self.issuer())),
                None => View::Page(PageError::Pushed),
            }),
            (Next::Back(back), _) => {
                self.use_up(&read).await?;
                Ok(View::Redirect(back.url(self.issuer())))
            }
            (Next::Ask, _) => Ok(View::Ask(Box::new(Asked { client: read.client, request: read.request }))),
            (Next::SignIn, _) | (Next::Allow, None) => {
                Ok(View::SignIn { back: parameters.after_sign_in(), hint: read.request.login_hint })
            }
        }
    }

    /// A person has allowed or denied a request. It is read and judged anew: what was shown proves nothing.
    pub async fn decide(&self, parameters: &Parameters, session: &Session, allows: bool) -> Result<Decision, Error> {
        let read = match self.read(parameters, false).await? {
            Ok(read) => read,
            Err(Stop::Page(error)) => return Ok(Decision::Page(error)),
            Err(Stop::Back(back)) => return Ok(Decision::Redirect(back.url(self.issuer()))),
        };
        if !allows {
            return Ok(match self.use_up(&read).await? {
                true => Decision::Redirect(read.request.denied().url(self.issuer())),
                false => Decision::Page(PageError::Pushed),
            });
        }
        match self.next(&read, Some(session)).await? {
            Next::SignIn => Ok(Decision::SignIn(parameters.after_sign_in())),
            Next::Back(back) => Ok(Decision::Redirect(back.url(self.issuer()))),
            Next::Ask | Next::Allow => Ok(match self.allow(&read.request, session, true).await {
                Ok(Some(code)) => Decision::Redirect(read.request.granted(&code, self.issuer())),
                Ok(None) => Decision::Page(PageError::Pushed),
                Err(error) => {
                    tracing::error!(%error, "a request was allowed and there is no code: {error}");
                    Decision::Redirect(read.request.failed().url(self.issuer()))
                }
            }),
        }
    }

    /// The same as JSON, from a consent page that asked (`auth.md` 6.2). The error is what does not fit the schema.
    pub async fn decide_upstream(&self, body: &Value, session: &Session) -> Result<Answer, Vec<fields::Item>> {
        let asked = UpstreamRequest::read(body)?;
        let client = match self.client(&asked.client_id).await {
            Ok(client) => client,
            Err(error) => return Ok(super::endpoints::failed(&error)),
        };
        let request = match asked.check(client.as_ref(), self.issuer()) {
            Ok(request) => request,
            Err(refused) => return Ok(refused.answer(self.issuer())),
        };
        Ok(match self.allow(&request, session, true).await {
            Ok(Some(code)) => upstream_redirect(&request.granted(&code, self.issuer())),
            Ok(None) => upstream_redirect(&request.failed().upstream_url(self.issuer())),
            Err(error) => {
                tracing::error!(%error, "a request was allowed and there is no code: {error}");
                upstream_redirect(&request.failed().upstream_url(self.issuer()))
            }
        })
    }

    /// Reads a request with all that it names; a pushed one is noted as seen where it is `shown`.
    async fn read(&self, parameters: &Parameters, shown: bool) -> Result<Result<Read, Stop>, Error> {
        let (client, pushed) = match request::names(parameters) {
            Err(error) => return Ok(Err(Stop::Page(error))),
            Ok(named) => {
                let client = self.client(named.client_id).await?;
                let pushed = match named.pushed {
                    Some(digest) => self.0.store.pushed(digest).await?,
                    None => None,
                };
                (client, pushed)
            }
        };
        let now = self.now();
        let request = match request::read(parameters, client.as_ref(), pushed.as_ref(), self.issuer(), now) {
            Ok(request) => request,
            Err(stop) => return Ok(Err(stop)),
        };
        let Some(client) = client else { return Ok(Err(Stop::Page(PageError::Application))) };
        let pushed = match pushed {
            Some(pushed) if shown && pushed.opened_at.is_none() => {
                self.0.store.open_pushed(pushed.digest, now).await?;
                Some(Pushed { opened_at: Some(now), ..pushed })
            }
            pushed => pushed,
        };
        Ok(Ok(Read { client, pushed, request }))
    }

    async fn next(&self, read: &Read, session: Option<&Session>) -> Result<Next, Error> {
        let remembered = match session {
            Some(session) => self.0.store.consent(session.user, read.client.id).await?,
            None => None,
        };
        let seen_at = read.pushed.as_ref().and_then(|pushed| pushed.opened_at);
        Ok(consent::next(&read.request, &read.client, session, remembered.as_ref(), seen_at, self.now()))
    }

    /// Makes the code; `None` when the pushed request was decided before. What a person allowed is `remembered`.
    async fn allow(&self, request: &Request, session: &Session, remembered: bool) -> Result<Option<Plain>, Error> {
        let approval =
            Approval { user: session.user, auth_time: session.auth_time, family_seconds: self.rules().family_seconds };
        let id = FamilyId::from_random(self.0.clock.random());
        let issued = code::issue(request, &approval, id, draw()?, self.now());
        let new = NewGrant {
            family: issued.family,
            code: issued.code,
            remembered: remembered.then(|| request.clone()),
            pushed: request.pushed,
        };
        if !self.0.store.grant(new).await? {
            return Ok(None);
        }
        let (user, app) = (session.user, request.app);
        tracing::info!(target: "audit", { account.id = %user, app.id = %app, family.id = %id, scopes = %request.scopes }, "account {user} has allowed application {app} {}", request.scopes);
        Ok(Some(issued.plain))
    }

    /// A pushed request is decided, without a code; false when it was decided before.
    async fn use_up(&self, read: &Read) -> Result<bool, Error> {
        match read.request.pushed {
            Some(digest) => Ok(self.0.store.use_pushed(digest, self.now()).await?),
            None => Ok(true),
        }
    }
}
