//! What applications ask of the server themselves: who they are is proved first, and too many failures are not looked at.

use super::{Authorization, draw};
use crate::counters::Counting;
use crate::{Clock, Error};
use heddle_model::{AppId, Time};
use heddle_oauth::answer::{Answer, Refusal};
use heddle_oauth::body::Body;
use heddle_oauth::client::{Origin, Proof};
use heddle_oauth::credentials::{Basic, Credentials};
use heddle_oauth::draft::Making;
use heddle_oauth::inspect::{self, Ends, Found, TokenQuery};
use heddle_oauth::limit::{Attempts, CLIENT_FAILURES};
use heddle_oauth::pushed::Pushing;
use heddle_oauth::registration::{Policy, Registration};
use heddle_oauth::{Client, Digest, ErrorCode, Kept, Kind, Plain, Pushed, family, grant::TokenRequest, request};
use serde_json::json;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Semaphore;

/// Requests that one application may push in a minute from one address.
const PUSHES: u32 = 300;
/// Applications that may register themselves in a minute from one address.
const REGISTRATIONS: u32 = 20;
/// Imported secrets that are checked at once: each takes 16 MiB and a core for a while.
const SLOW: usize = 2;

/// One request of an application, as it came.
#[derive(Clone, Debug)]
pub struct Asking<'a> {
    /// `Content-Type`.
    pub content_type: Option<&'a str>,
    /// Each `Authorization`.
    pub authorization: Vec<&'a [u8]>,
    /// The body.
    pub body: &'a [u8],
    /// Where it comes from, as far as that counts as one client.
    pub network: IpAddr,
}

/// How often what may be tried.
pub(super) struct Limits {
    failures: Mutex<Attempts<(IpAddr, Digest)>>,
    pushes: Mutex<Attempts<(IpAddr, AppId)>>,
    registrations: Mutex<Attempts<IpAddr>>,
    changes: AtomicU64,
    clock: Arc<dyn Clock>,
    slow: Semaphore,
}

impl Limits {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            changes: AtomicU64::new(0),
            clock,
            failures: Mutex::new(Attempts::new(CLIENT_FAILURES)),
            pushes: Mutex::new(Attempts::new(PUSHES)),
            registrations: Mutex::new(Attempts::new(REGISTRATIONS)),
            slow: Semaphore::new(SLOW),
        }
    }
}

/// Windows as they are kept over a restart.
type Dumped<K> = Vec<(K, Time, u32)>;

fn dumped<K: Eq + Hash + Clone>(attempts: &Mutex<Attempts<K>>, now: Time) -> Dumped<K> {
    counters(attempts).open(now).map(|(key, begun, hits)| (key.clone(), begun, hits)).collect()
}

fn restored<K: Eq + Hash>(attempts: &Mutex<Attempts<K>>, dumped: Dumped<K>) {
    let mut attempts = counters(attempts);
    dumped.into_iter().for_each(|(key, begun, hits)| attempts.reopen(key, begun, hits));
}

impl Counting for Limits {
    fn name(&self) -> &'static str {
        "applications"
    }

    fn changes(&self) -> u64 {
        self.changes.load(Ordering::Relaxed)
    }

    fn dump(&self) -> serde_json::Result<Vec<u8>> {
        let now = self.clock.now();
        let failures: Dumped<(IpAddr, [u8; 32])> = counters(&self.failures)
            .open(now)
            .map(|((network, id), begun, hits)| ((*network, id.0), begun, hits))
            .collect();
        serde_json::to_vec(&(failures, dumped(&self.pushes, now), dumped(&self.registrations, now)))
    }

    fn restore(&self, dumped: &[u8]) -> serde_json::Result<()> {
        let (failures, pushes, registrations): (Dumped<(IpAddr, [u8; 32])>, _, _) = serde_json::from_slice(dumped)?;
        let named = |((network, id), begun, hits)| ((network, Digest(id)), begun, hits);
        restored(&self.failures, failures.into_iter().map(named).collect());
        restored(&self.pushes, pushes);
        restored(&self.registrations, registrations);
        Ok(())
    }
}

/// Counters stay usable whatever happened to another holder of the lock.
fn counters<K>(attempts: &Mutex<Attempts<K>>) -> std::sync::MutexGuard<'_, Attempts<K>> {
    attempts.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Counts one more, unless there were too many.
fn admit<K: Eq + Hash>(limits: &Limits, attempts: &Mutex<Attempts<K>>, key: K, now: Time) -> Result<(), Stop> {
    limits.changes.fetch_add(1, Ordering::Relaxed);
    let mut attempts = counters(attempts);
    match attempts.is_full(&key, now) {
        Some(seconds) => Err(Stop::Answered(later(429, seconds, "Too many requests. Try again shortly."))),
        None => {
            attempts.hit(key, now);
            Ok(())
        }
    }
}

/// Why it goes no further.
pub(super) enum Stop {
    Refused(Refusal),
    Answered(Answer),
    Failed(Error),
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl From<heddle_store::Error> for Stop {
    fn from(error: heddle_store::Error) -> Self {
        Self::Failed(error.into())
    }
}

/// Try again: with `error`, because some libraries take any body without it for a token (`auth.md` 12.3).
fn later(status: u16, seconds: u32, text: &str) -> Answer {
    let body = json!({"error": "temporarily_unavailable", "error_description": text, "detail": text});
    Answer { status, retry_after: Some(seconds), ..Answer::ok(body) }
}

/// What is said of a failure of this server.
pub(super) fn failed(error: &Error) -> Answer {
    match error {
        Error::Busy(text, seconds) => later(503, *seconds, text),
        _ => {
            tracing::error!(%error, "an application could not be answered: {error}");
            let text = "Internal server error";
            let body = json!({"error": "server_error", "error_description": text, "detail": text});
            Answer { status: 500, ..Answer::ok(body) }
        }
    }
}

impl Authorization {
    /// Codes and refresh tokens for new pairs (`auth.md` 7.1).
    pub async fn token(&self, asking: &Asking<'_>) -> Answer {
        self.answer(asking, "/api/oauth/token", |body, basic| self.exchanged(asking, body, basic)).await
    }

    /// What an application may know of a token (`auth.md` 7.2).
    pub async fn introspect(&self, asking: &Asking<'_>) -> Answer {
        self.answer(asking, "/api/oauth/introspect", |body, basic| self.introspected(asking, body, basic)).await
    }

    /// Ends a token, and with a refresh token all its family (`auth.md` 7.3, 12.1).
    pub async fn revoke(&self, asking: &Asking<'_>) -> Answer {
        self.answer(asking, "/api/oauth/revoke", |body, basic| self.revoked(asking, body, basic)).await
    }

    /// Keeps an authorization request (RFC 9126).
    pub async fn push(&self, asking: &Asking<'_>) -> Answer {
        self.answer(asking, "/api/oauth/par", |body, basic| self.pushed(asking, body, basic)).await
    }

    /// An application registers itself (RFC 7591).
    pub async fn register(&self, asking: &Asking<'_>) -> Answer {
        self.answer(asking, "/api/oauth/register", |body, _| self.registered(asking, body)).await
    }

    async fn answer<F>(&self, asking: &Asking<'_>, path: &str, work: impl FnOnce(Body, Option<Basic>) -> F) -> Answer
    where
        F: Future<Output = Result<Answer, Stop>>,
    {
        let body = match Body::read(asking.content_type, asking.body) {
            Ok(body) => body,
            Err((dialect, refusal)) => return refusal.answer(dialect, self.issuer(), path),
        };
        let dialect = body.dialect();
        let outcome = match Basic::read(asking.authorization.iter().copied()) {
            Ok(basic) => work(body, basic).await,
            Err(refusal) => Err(refusal.into()),
        };
        match outcome {
            Ok(answer) | Err(Stop::Answered(answer)) => answer,
            Err(Stop::Refused(refusal)) => refusal.answer(dialect, self.issuer(), path),
            Err(Stop::Failed(error)) => failed(&error),
        }
    }

    async fn exchanged(&self, asking: &Asking<'_>, body: Body, basic: Option<Basic>) -> Result<Answer, Stop> {
        let wanted = TokenRequest::read(&body, basic, self.issuer())?;
        let client = self.proved(&wanted.credentials, asking.network, false).await?;
        wanted.check_type(&client)?;
        self.exchange(&wanted, &client).await.map(Answer::ok)
    }

    async fn introspected(&self, asking: &Asking<'_>, body: Body, basic: Option<Basic>) -> Result<Answer, Stop> {
        let query = TokenQuery::read(&body, basic)?;
        let caller = self.proved(&query.credentials, asking.network, true).await?;
        let told = |found: Option<Found<'_>>, email: Option<&str>| {
            Answer::ok(inspect::introspection(found, &caller, email, body.dialect(), self.issuer(), self.now()))
        };
        let digest = query.token.digest();
        Ok(match Kind::of(query.token.expose()) {
            Kind::AccessToken => match self.0.store.access_token(digest).await? {
                Some(held) => {
                    let (token, standing) = held.judged();
                    told(Some(Found::Access(token, standing)), Some(&held.account.email))
                }
                None => told(None, None),
            },
            Kind::RefreshToken => match self.0.store.refresh_token(digest).await? {
                Some(held) => {
                    let (token, standing) = held.judged();
                    told(Some(Found::Refresh(token, standing)), Some(&held.account.email))
                }
                None => told(None, None),
            },
            _ => told(None, None),
        })
    }

    async fn revoked(&self, asking: &Asking<'_>, body: Body, basic: Option<Basic>) -> Result<Answer, Stop> {
        let query = TokenQuery::read(&body, basic)?;
        let caller = self.proved(&query.credentials, asking.network, false).await?;
        let digest = query.token.digest();
        match Kind::of(query.token.expose()) {
            Kind::AccessToken => {
                if let Some(held) = self.0.store.access_token(digest).await? {
                    let (token, standing) = held.judged();
                    if let Ends::Access(digest) = inspect::revocation(Some(Found::Access(token, standing)), &caller) {
                        let outcome = self.0.store.revoke_access_token(digest, caller.id, self.now()).await;
                        self.0.checked.forget_family(held.family.id);
                        outcome?;
                    }
                }
            }
            Kind::RefreshToken => {
                if let Some(held) = self.0.store.refresh_token(digest).await? {
                    let (token, standing) = held.judged();
                    if let Ends::Family(id) = inspect::revocation(Some(Found::Refresh(token, standing)), &caller) {
                        self.end(id, family::Ended::ByClient).await?;
                    }
                }
            }
            _ => {}
        }
        Ok(Answer::ok(inspect::revoked()))
    }

    async fn pushed(&self, asking: &Asking<'_>, body: Body, basic: Option<Basic>) -> Result<Answer, Stop> {
        let pushing = Pushing::read(&body, basic)?;
        let client = self.proved(&pushing.credentials, asking.network, false).await?;
        request::check_pushed(&pushing.parameters, &client, self.issuer())
            .map_err(|(error, text)| Refusal::new(error, text))?;
        let now = self.now();
        admit(&self.0.limits, &self.0.limits.pushes, (asking.network, client.id), now)?;
        let (pushed, name) = Pushed::new(client.id, &pushing.parameters, draw()?, now);
        self.0.store.push(pushed).await?;
        Ok(Answer { status: 201, ..Answer::ok(Pushed::answer(&name)) })
    }

    async fn registered(&self, asking: &Asking<'_>, body: Body) -> Result<Answer, Stop> {
        let now = self.now();
        if self.rules().registration == Policy::Token {
            let token = asking.authorization.iter().find_map(|header| bearer_of(header));
            let digest = token.map(|token| Plain::new(token).digest());
            let is_good = match digest {
                Some(digest) => self.0.store.is_registration_token(digest, now).await?,
                None => false,
            };
            if !is_good {
                return Err(Stop::Answered(self.unregistered(digest.is_some())));
            }
        }
        let Body::Json(metadata) = &body else {
            return Err(Refusal::new(ErrorCode::InvalidClientMetadata, "client metadata is a JSON object").into());
        };
        let registration = Registration::read(metadata, &self.rules().ceiling)?;
        admit(&self.0.limits, &self.0.limits.registrations, asking.network, now)?;
        let making = Making {
            id: AppId::from_random(self.0.clock.random()),
            name_bytes: draw()?,
            secret_bytes: draw()?,
            owner: None,
            organization: None,
            origin: Origin::Dynamic,
            now,
        };
        let made = registration.draft.clone().make(making);
        let (client, secret) =
            made.map_err(|unfit| Refusal::new(ErrorCode::InvalidClientMetadata, unfit.to_string()))?;
        self.0.store.insert_app(client.clone()).await?;
        tracing::info!(target: "audit", { app.client_id = client.client_id }, "application {:?} has registered itself as {}", client.name, client.client_id);
        Ok(Answer { status: 201, ..Answer::ok(registration.answer(&client, secret.as_ref())) })
    }

    fn unregistered(&self, has_token: bool) -> Answer {
        use heddle_oauth::bearer::{Problem, challenge};
        let text = "Registering an application needs a registration token";
        let problem = if has_token { Problem::Invalid(text) } else { Problem::Absent };
        let body = json!({"error": "invalid_token", "error_description": text, "detail": text});
        Answer { status: 401, challenge: Some(challenge(problem, self.issuer(), None)), ..Answer::ok(body) }
    }

    /// The application that asks, once it has proved to be it. Failures are counted by address and name.
    async fn proved(&self, credentials: &Credentials, network: IpAddr, confidential: bool) -> Result<Client, Stop> {
        let key = (network, Digest::of(&credentials.client_id));
        let now = self.now();
        if let Some(seconds) = counters(&self.0.limits.failures).is_full(&key, now) {
            return Err(Refusal::too_many(seconds).into());
        }
        let found = self.client(&credentials.client_id).await?;
        let outcome = match &found {
            Some(client) if client.proof.kept(now).any(Kept::is_slow) => {
                self.slowly(credentials, client.clone(), now, confidential).await?
            }
            _ => check(credentials, found.as_ref(), now, confidential),
        };
        if let Err(refusal) = outcome {
            counters(&self.0.limits.failures).hit(key, now);
            self.0.limits.changes.fetch_add(1, Ordering::Relaxed);
            let client_id: String = credentials.client_id.chars().take(64).collect();
            tracing::warn!(target: "audit", { app.client_id = client_id, client.network = %network }, "application {client_id:?} failed to prove who it is");
            return Err(refusal.into());
        }
        found.ok_or_else(|| Stop::Failed(Error::Internal("a proved application is unknown".to_owned())))
    }

    /// An imported secret: checked on a thread of its own, and kept by its digest from then on.
    async fn slowly(
        &self,
        credentials: &Credentials,
        client: Client,
        now: Time,
        confidential: bool,
    ) -> Result<Result<(), Refusal>, Error> {
        let internal = |error: &dyn std::fmt::Display| Error::Internal(error.to_string());
        // Never closed.
        let _turn = self.0.limits.slow.acquire().await.map_err(|error| internal(&error))?;
        let (id, hash) = (
            client.id,
            match &client.proof {
                Proof::Secret { current: Kept::Scrypt { hash, .. }, .. } => Some(*hash),
                _ => None,
            },
        );
        let credentials = credentials.clone();
        let work = tokio::task::spawn_blocking(move || {
            check(&credentials, Some(&client), now, confidential).map(|()| credentials.replaces(&client))
        });
        match (work.await.map_err(|error| internal(&error))?, hash) {
            (Err(refusal), _) => Ok(Err(refusal)),
            (Ok(Some(Kept::Sha256(digest))), Some(hash)) => {
                self.0.store.keep_app_digest(id, hash, digest).await?;
                Ok(Ok(()))
            }
            (Ok(_), _) => Ok(Ok(())),
        }
    }
}

fn check(credentials: &Credentials, found: Option<&Client>, now: Time, confidential: bool) -> Result<(), Refusal> {
    let checked = match confidential {
        true => credentials.check_confidential(found, now),
        false => credentials.check(found, now),
    };
    checked.map(|_| ())
}

fn bearer_of(header: &[u8]) -> Option<&str> {
    let (scheme, rest) = header.split_at_checked(7)?;
    let token = std::str::from_utf8(rest).ok()?.trim();
    (scheme.eq_ignore_ascii_case(b"bearer ") && !token.is_empty()).then_some(token)
}
