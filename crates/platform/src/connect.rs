//! Connecting accounts at providers by OAuth 2.0: the way there, the way back, and keeping the tokens fresh (`v1.md` 6,
//! `auth.md` 10).
//!
//! A way begins with a state of 256 random bits that travels with the person. What is kept of it is its digest, bound to
//! who began it, with which browser, for which provider and until when; it is used once, whatever comes of it. The code is
//! redeemed with a proof that never left this server (RFC 7636), so a code of somebody else's way is worth nothing here,
//! and an issuer that says another name than the one that was asked is refused (RFC 9207).
//!
//! Where credentials are kept is the business of a [`Shelf`].

mod ask;
mod identity;
mod login;
mod refresh;
mod shelf;
mod terms;
#[cfg(test)]
mod tests;
mod tokens;

pub use heddle_store::Way;
pub use refresh::{Access, NoAccess};
pub use shelf::{Held, NewConnection, Shelf, Tokens};
pub use terms::{Terms, Unknown};

use crate::Error;
use crate::secrets::Secrets;
use heddle_engine::ports::Clock;
use heddle_model::{KeyId, Object, SessionId, Time, UserId, Value};
use heddle_oauth::Digest;
use heddle_outbound::Client;
use heddle_store::{ConnectAttempt, Store};
use heddle_vault::Secret;
use identity::Expected;
use login::Travel;
use refresh::Refreshers;
use std::sync::Arc;
use tokens::{Failed, Granted};

/// Seconds that a way may take (`v1.md` 6).
pub const LIFE: i64 = 600;

/// Bytes of what an application wants to hear again at the end, and of all scopes together.
const METADATA: usize = 64 << 10;
const SCOPES: usize = 16 << 10;

/// Where state and proof are sealed for.
const TABLE: &str = "connect_attempt";

/// Why an account is not connected.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// The provider must not send people there; these are the origins it may.
    Origin(Vec<String>),
    /// The provider knows no OAuth 2.0, or there is none of this name.
    NoOAuth(String),
    /// The operator has not registered this server there.
    NotConfigured(String),
    /// The state is unknown, used, over, or somebody else's.
    State,
    /// The way was begun in a page of ours.
    NotExternal,
    /// The provider did not give tokens that can be used.
    Exchange,
    /// Anything else.
    Other(Error),
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::Other(error)
    }
}

impl From<heddle_store::Error> for Refusal {
    fn from(error: heddle_store::Error) -> Self {
        Self::Other(error.into())
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Origin(allowed) => {
                let listed: Vec<String> = allowed.iter().map(|origin| format!("'{origin}'")).collect();
                write!(f, "Callback URL origin is not allowed. Allowed origins: [{}]", listed.join(", "))
            }
            Self::NoOAuth(provider) => write!(f, "Provider '{provider}' does not support OAuth"),
            Self::NotConfigured(provider) => write!(f, "Integration with provider '{provider}' is not configured."),
            Self::State => f.write_str("Invalid or expired state token"),
            Self::NotExternal => f.write_str("State token was not created for external OAuth flow"),
            Self::Exchange => f.write_str("OAuth2 callback failed to exchange code for tokens"),
            Self::Other(error) => error.fmt(f),
        }
    }
}

/// Whoever is on the way, and with what.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Traveller {
    /// Who.
    pub user: UserId,
    /// His browser's session, where a page of ours is the door.
    pub session: Option<SessionId>,
    /// The API key, where that is.
    pub key_id: Option<KeyId>,
}

/// What somebody wants to begin.
#[derive(Clone, PartialEq, Debug)]
pub struct Start {
    /// Where the account is.
    pub provider: String,
    /// Who handles the way back.
    pub way: Way,
    /// Where the provider is to send the browser.
    pub callback_url: String,
    /// What is asked for; empty: the usual.
    pub scopes: Vec<String>,
    /// What is handed back at the end.
    pub metadata: Object,
    /// Which of our pages to go on to.
    pub back: Option<String>,
}

/// A way that has begun.
#[derive(Clone, Debug)]
pub struct Begun {
    /// Where to send the person.
    pub login_url: String,
    /// What comes back with the code.
    pub state: Secret<String>,
    /// Until when.
    pub expires_at: Time,
}

/// What came back.
#[derive(Clone, Debug)]
pub struct Return {
    /// The provider whose door it came to; `None`: whichever the state says.
    pub provider: Option<String>,
    /// The code.
    pub code: Secret<String>,
    /// The state.
    pub state: Secret<String>,
    /// Who the provider says it is (RFC 9207), if it says so.
    pub issuer: Option<String>,
}

/// An account that is connected now.
#[derive(Clone, PartialEq, Debug)]
pub struct Connected {
    /// The credential.
    pub id: String,
    /// Where the account is.
    pub provider: String,
    /// What the credential is called.
    pub title: Option<String>,
    /// What was granted.
    pub scopes: Vec<String>,
    /// Whose account it is there, if it was said.
    pub username: Option<String>,
    /// What was handed in at the start.
    pub metadata: Object,
    /// Which of our pages to go on to.
    pub back: Option<String>,
}

/// A way as pages may know it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Underway {
    /// Where it leads.
    pub provider: String,
    /// Who handles the way back.
    pub way: Way,
    /// Which of our pages to go on to.
    pub back: Option<String>,
}

/// Connecting accounts at providers.
#[derive(Clone)]
pub struct Connect(Arc<Inner>);

struct Inner {
    store: Store,
    secrets: Secrets,
    client: Client,
    shelf: Arc<dyn Shelf>,
    clock: Arc<dyn Clock>,
    /// Where applications' people may be sent back to, as `integrations.callback_origins` has it.
    origins: Vec<String>,
    refreshers: Refreshers,
}

impl Connect {
    pub(crate) fn new(
        store: Store,
        secrets: Secrets,
        client: Client,
        shelf: Arc<dyn Shelf>,
        clock: Arc<dyn Clock>,
        origins: Vec<String>,
    ) -> Self {
        let refreshers = Refreshers::default();
        Self(Arc::new(Inner { store, secrets, client, shelf, clock, origins, refreshers }))
    }

    /// Begins a way (`v1.md` 6, its checks in their order).
    pub async fn initiate(&self, who: Traveller, start: Start) -> Result<Begun, Refusal> {
        let Start { provider, way, callback_url, scopes, metadata, back } = start;
        if way == Way::External && !self.may_return_to(&callback_url) {
            return Err(Refusal::Origin(self.0.origins.clone()));
        }
        let terms = self.terms(&provider)?;
        let scopes: Vec<String> =
            terms.scopes(&scopes).iter().flat_map(|scope| scope.split_whitespace()).map(str::to_owned).collect();
        let metadata = Value::from(metadata).to_string();
        bounded("state_metadata", metadata.len(), METADATA)?;
        bounded("scopes", scopes.iter().map(|scope| scope.len() + 1).sum(), SCOPES)?;
        bounded("callback_url", callback_url.len(), SCOPES)?;

        let travel = Travel::new(random()?, random()?);
        let login_url = login::login_url(&terms, &callback_url, &scopes, &travel);
        let digest = Digest::of(travel.state.expose());
        // Held until the row is there: a change of the master key waits for it.
        let sealing = self.0.secrets.sealing().await?;
        let sealed = sealing.seal(TABLE, &digest.hex(), travel.verifier.expose().as_bytes())?;
        let now = self.0.clock.now();
        let expires_at = now.plus_seconds(LIFE);
        let Traveller { user: owner, session, key_id } = who;
        let session = session.filter(|_| way != Way::External);
        let attempt = ConnectAttempt {
            digest,
            owner,
            session,
            provider,
            way,
            callback_url,
            scopes,
            metadata,
            back,
            key_id,
            sealed,
            created_at: now,
            expires_at,
        };
        self.0.store.insert_connect_attempt(attempt).await?;
        drop(sealing);
        Ok(Begun { login_url, state: travel.state, expires_at })
    }

    /// Ends a way that an application began. Whatever comes of it, the state is used.
    pub async fn complete(&self, who: Traveller, back: Return) -> Result<Connected, Refusal> {
        let attempt = self.take(who, &back).await?;
        match attempt.way {
            Way::External => self.redeem(attempt, back).await,
            Way::Window | Way::Page => Err(Refusal::NotExternal),
        }
    }

    /// Ends a way that a page of ours began, in the same browser.
    pub async fn complete_here(&self, who: Traveller, back: Return) -> Result<Connected, Refusal> {
        let attempt = self.take(who, &back).await?;
        match (attempt.way, attempt.session) {
            (Way::Window | Way::Page, Some(session)) if Some(session) == who.session => {
                self.redeem(attempt, back).await
            }
            _ => Err(Refusal::State),
        }
    }

    /// A way of this browser's that is still open. It stays so.
    pub async fn underway(&self, who: Traveller, state: &str) -> Result<Option<Underway>, Error> {
        let attempt = self.0.store.connect_attempt(who.user, Digest::of(state)).await?;
        let now = self.0.clock.now();
        let open = attempt
            .filter(|attempt| attempt.session.is_some() && attempt.session == who.session && now < attempt.expires_at);
        Ok(open.map(|ConnectAttempt { provider, way, back, .. }| Underway { provider, way, back }))
    }

    /// Gives a way up: its person said no at the provider.
    pub async fn abandon(&self, who: Traveller, state: &str, provider: &str) -> Result<(), Error> {
        self.0.store.take_connect_attempt(who.user, Digest::of(state), provider.to_owned()).await?;
        Ok(())
    }

    /// Whether a provider's accounts can be connected here.
    pub fn check(&self, provider: &str) -> Result<(), Refusal> {
        self.terms(provider).map(|_| ())
    }

    /// Somebody's connected accounts that are of no use any more, and why.
    pub async fn ended(&self, owner: UserId) -> Result<Vec<(String, String)>, Error> {
        self.0.shelf.ended(owner).await
    }

    fn terms(&self, provider: &str) -> Result<Terms, Refusal> {
        self.0.shelf.terms(provider).map_err(|unknown| match unknown {
            Unknown::NoOAuth => Refusal::NoOAuth(provider.to_owned()),
            Unknown::NotConfigured => Refusal::NotConfigured(provider.to_owned()),
        })
    }

    fn may_return_to(&self, callback_url: &str) -> bool {
        login::origin(callback_url).is_some_and(|origin| self.0.origins.iter().any(|allowed| allowed == origin))
    }

    /// Takes the way away that this person is on. What is somebody else's stays where it is.
    async fn take(&self, who: Traveller, back: &Return) -> Result<ConnectAttempt, Refusal> {
        let digest = Digest::of(back.state.expose());
        let provider = match &back.provider {
            Some(provider) => provider.clone(),
            None => self.0.store.connect_attempt(who.user, digest).await?.ok_or(Refusal::State)?.provider,
        };
        let attempt = self.0.store.take_connect_attempt(who.user, digest, provider).await?.ok_or(Refusal::State)?;
        if self.0.clock.now() >= attempt.expires_at { Err(Refusal::State) } else { Ok(attempt) }
    }

    async fn redeem(&self, attempt: ConnectAttempt, back: Return) -> Result<Connected, Refusal> {
        let terms = self.terms(&attempt.provider)?;
        let provider = &terms.provider;
        let refused = |why: &str| {
            tracing::warn!(provider = %provider, "an account at {provider} was not connected: {why}");
            Refusal::Exchange
        };
        let always = terms.oauth.says_issuer && attempt.way != Way::External;
        if !identity::is_issuer(
            back.issuer.as_deref(),
            terms.oauth.issuer.as_deref(),
            always,
            terms.oauth.authorize.as_str(),
        ) {
            return Err(refused("another issuer answered than the one that was asked"));
        }
        // Whoever changed the master key meanwhile did not wait for people on the way: they begin again.
        let verifier = self.0.secrets.open_bytes(TABLE, &attempt.digest.hex(), &attempt.sealed).await.ok();
        let verifier = verifier.and_then(Secret::into_text).ok_or(Refusal::State)?;
        let given = ask::redeem(&self.0.client, &terms, back.code.expose(), &attempt.callback_url, verifier.expose());
        let granted = given.await.map_err(|failed| refused(&words(&failed)))?;
        let username = self.whose(&terms, &attempt, &granted, verifier.expose()).await.map_err(refused)?;

        let tokens = self.tokens(granted, &attempt.scopes);
        let scopes = tokens.scopes.clone();
        let new = NewConnection { provider: provider.clone(), username: username.clone(), tokens };
        let (id, title) = self.0.shelf.add(attempt.owner, new).await?;
        tracing::info!(target: "audit", { account.id = %attempt.owner, provider = %provider, credential.id = %id }, "account {} connected one at {provider}", attempt.owner);
        let metadata = match serde_json::from_str(&attempt.metadata) {
            Ok(Value::Object(metadata)) => metadata,
            _ => Object::default(),
        };
        Ok(Connected { id, provider: attempt.provider, title, scopes, username, metadata, back: attempt.back })
    }

    /// Whose account it is. What does not belong to this way is an error; a provider that does not tell is none.
    async fn whose(
        &self,
        terms: &Terms,
        attempt: &ConnectAttempt,
        granted: &Granted,
        verifier: &str,
    ) -> Result<Option<String>, &'static str> {
        let asked = attempt.scopes.iter().any(|scope| scope == "openid");
        let nonce = login::nonce(verifier);
        let claims = match &granted.id_token {
            Some(id_token) if asked || terms.oauth.issuer.is_some() => Some(identity::claims(
                id_token.expose(),
                &Expected {
                    issuer: terms.oauth.issuer.as_deref(),
                    client_id: &terms.client_id,
                    nonce: asked.then_some(nonce.as_str()),
                    access_token: granted.access_token.expose(),
                    now: self.0.clock.now().0 / 1_000_000,
                },
            )?),
            _ => None,
        };
        let told = ask::person(&self.0.client, terms, granted).await;
        let subject = claims.as_ref().and_then(|claims| claims["sub"].as_str());
        if let (Some(subject), Some(other)) = (subject, told.as_ref().and_then(|told| told.subject.as_deref()))
            && subject != other
        {
            return Err("the access token is somebody else's than the ID token");
        }
        // One that was ended, or is of another server; where no ID token came it may only lack a scope.
        if subject.is_some() && told.as_ref().is_some_and(|told| told.is_refused) {
            return Err("the access token does not open what came with the ID token");
        }
        let by_claims = || {
            let claims = claims.as_ref()?;
            ["/email", "/preferred_username", "/name"].into_iter().find_map(|place| identity::name(claims, place))
        };
        Ok(told.and_then(|told| told.name).or_else(by_claims))
    }

    /// Tokens as they are kept, from those that came now.
    fn tokens(&self, granted: Granted, asked: &[String]) -> Tokens {
        let now = self.0.clock.now();
        let end = |seconds: Option<i64>| seconds.map(|seconds| now.plus_seconds(seconds));
        Tokens {
            access_token: granted.access_token,
            refresh_token: granted.refresh_token,
            given_at: now,
            access_ends_at: end(granted.expires_in),
            refresh_ends_at: end(granted.refresh_expires_in),
            scopes: granted.scopes.filter(|scopes| !scopes.is_empty()).unwrap_or_else(|| asked.to_vec()),
        }
    }
}

/// Ends the tokens of a credential that is gone, where its provider lets one. A courtesy: nobody waits for it, and
/// nothing depends on it.
pub(crate) fn revoke(client: &Client, terms: Terms, tokens: Tokens) {
    if terms.oauth.revoke.is_none() {
        return;
    }
    let client = client.clone();
    tokio::spawn(async move {
        let done = ask::revoke(&client, &terms, &tokens.access_token, tokens.refresh_token.as_ref()).await;
        let provider = &terms.provider;
        match done {
            true => tracing::info!(target: "audit", provider = %provider, "tokens were revoked at {provider}"),
            false => tracing::warn!(provider = %provider, "{provider} did not confirm that tokens were revoked"),
        }
    });
}

/// What went wrong, for the log and for the node.
fn words(failed: &Failed) -> String {
    match failed {
        Failed::Denied(Some(code)) => format!("the provider refused ({code})"),
        Failed::Denied(None) => "the provider refused".to_owned(),
        Failed::Away(why) => why.clone(),
        Failed::Unclear(what) => format!("the provider answered with {what}"),
    }
}

fn bounded(name: &str, bytes: usize, most: usize) -> Result<(), Error> {
    if bytes <= most { Ok(()) } else { Err(Error::Refused(format!("{name} is larger than {most} bytes"))) }
}

fn random() -> Result<[u8; 32], Error> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|_| Error::Internal("the system gives no random bytes".to_owned()))?;
    Ok(bytes)
}
