//! Passkeys: a second way to sign in, without a password and without a name.
//!
//! Whether an answer proves anything is decided by [`rules`]; here is whose passkeys are whose, and that each challenge is
//! answered once. Who wants to add one must have proved who he is within the last minutes, so that a browser that somebody
//! left open is not worth an account. A passkey stands beside the password: it stays when its owner changes that, and
//! goes when somebody had to set a new one without the old (by a link, or as the operator), as whoever took the account
//! over may have left one there.

mod challenge;
#[cfg(test)]
mod tests;

use crate::accounts::Accounts;
use crate::secrets::Secrets;
use crate::sessions::{Begun, How, Sessions, SignedIn};
use crate::{Error, Visitor};
use challenge::{Challenges, Purpose};
use heddle_engine::ports::Clock;
use heddle_model::{PasskeyId, UserId};
use heddle_store::{PasskeyUse, Store};
use rules::{Assertion, Kept, Party, Registration, User};
use serde_json::Value;
use std::sync::Arc;
use uuid::Uuid;

pub use heddle_passkey as rules;
pub use heddle_store::Passkey;

/// Seconds after signing in for which passkeys may be added.
const FRESH: i64 = 600;
/// Letters of a name.
const NAME: usize = 100;

/// The passkeys of this server.
#[derive(Clone)]
pub struct Passkeys {
    store: Store,
    accounts: Accounts,
    sessions: Sessions,
    challenges: Challenges,
    clock: Arc<dyn Clock>,
}

impl Passkeys {
    pub(crate) fn new(
        store: Store,
        accounts: Accounts,
        sessions: Sessions,
        secrets: Secrets,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { store, accounts, sessions, challenges: Challenges::new(secrets), clock }
    }

    /// Whether somebody proved lately enough who he is to add passkeys.
    pub fn may_add(&self, who: &SignedIn) -> bool {
        self.clock.now() < who.since.plus_seconds(FRESH)
    }

    /// What to ask a browser that is to make a passkey; `browser` is what ties the answer to it. [`Error::Forbidden`] for
    /// somebody who proved too long ago who he is.
    pub async fn creation(&self, party: &Party, who: &SignedIn, browser: &str) -> Result<Value, Error> {
        self.check_fresh(who)?;
        let account = &who.account;
        let kept = self.store.passkeys(account.id).await?;
        let challenge = self.challenges.make(Purpose::Creation(account.id), browser, self.clock.now()).await?;
        let name = account.name.as_deref().unwrap_or(&account.email);
        let user = User { id: account.id.0.as_bytes(), name: &account.email, display_name: name };
        let here = kept.iter().filter(|passkey| passkey.party == party.id());
        Ok(rules::creation(party, user, &challenge, here.map(|passkey| passkey.credential.as_slice())))
    }

    /// Keeps the passkey that a browser made for this question, with a name for its owner. [`Error::Refused`] for an answer
    /// that proves nothing or comes too late, [`Error::Conflict`] when there is such a passkey or there are too many.
    pub async fn register(
        &self,
        party: &Party,
        who: &SignedIn,
        browser: &str,
        name: &str,
        answer: &Value,
    ) -> Result<Passkey, Error> {
        self.check_fresh(who)?;
        let (account, now) = (who.account.id, self.clock.now());
        let registration = Registration::read(answer).map_err(refused)?;
        let challenge = registration.challenge();
        let answered =
            self.challenges.open(Purpose::Creation(account), browser, challenge, now).await.ok_or_else(late)?;
        let made = registration.verify(party, challenge).map_err(refused)?;
        let new = Passkey {
            id: PasskeyId::from_random(self.clock.random()),
            account,
            credential: made.id,
            public_key: made.public_key,
            party: party.id().to_owned(),
            sign_count: made.sign_count,
            can_be_backed_up: made.can_be_backed_up,
            is_backed_up: made.is_backed_up,
            name: shown_name(name)?,
            created_at: now,
            last_used_at: None,
        };
        match self.store.insert_passkey(new.clone(), answered).await {
            Err(heddle_store::Error::NotFound) => return Err(late()),
            Err(heddle_store::Error::Exists) => {
                let text = "This passkey is on the list already, or there are too many.";
                return Err(Error::Conflict(text.to_owned()));
            }
            other => other?,
        }
        tracing::info!(target: "audit", { account.id = %account, passkey.id = %new.id }, "passkey {} was added to account {account}", new.id);
        Ok(new)
    }

    /// What to ask a browser with which somebody wants to sign in, whoever it is.
    pub async fn request(&self, party: &Party, browser: &str) -> Result<Value, Error> {
        Ok(rules::request(party, &self.challenges.make(Purpose::SignIn, browser, self.clock.now()).await?))
    }

    /// Begins a session for whoever answers with a passkey. [`Error::Forbidden`] when it is not known here or proves nothing,
    /// which is not told apart; [`Error::Refused`] when the answer comes too late; [`Error::TooMany`] after too many that
    /// proved nothing.
    pub async fn sign_in(
        &self,
        party: &Party,
        browser: &str,
        answer: &Value,
        visitor: &Visitor,
    ) -> Result<Begun, Error> {
        self.sessions.begin_passkey(visitor)?;
        let begun = self.prove(party, browser, answer, visitor).await;
        match &begun {
            Ok(begun) => {
                self.sessions.forgive_passkey(visitor);
                tracing::debug!(account.id = %begun.account, "signed in with a passkey");
            }
            Err(Error::Forbidden(_)) => {
                tracing::warn!(target: "audit", { client.address = %visitor.address }, "a passkey was refused from {}", visitor.address);
            }
            Err(_) => {}
        }
        begun
    }

    async fn prove(&self, party: &Party, browser: &str, answer: &Value, visitor: &Visitor) -> Result<Begun, Error> {
        let unknown = || Error::Forbidden("This passkey does not open any account here.".to_owned());
        let assertion = Assertion::read(answer).map_err(refused)?;
        let challenge = assertion.challenge();
        let answered =
            self.challenges.open(Purpose::SignIn, browser, challenge, self.clock.now()).await.ok_or_else(late)?;
        let account = Uuid::from_slice(assertion.user()).map(UserId).map_err(|_| unknown())?;
        let kept = self.store.passkey(account, assertion.id()).await?.ok_or_else(unknown)?;
        let known =
            Kept { public_key: &kept.public_key, sign_count: kept.sign_count, can_be_backed_up: kept.can_be_backed_up };
        let seen = assertion.verify(party, challenge, known).map_err(|error| {
            tracing::warn!(target: "audit", { account.id = %account, passkey.id = %kept.id }, "passkey {} of account {account} was refused: {error}", kept.id);
            unknown()
        })?;
        let used = PasskeyUse { id: kept.id, sign_count: seen.sign_count, is_backed_up: seen.is_backed_up, answered };
        self.sessions.begin(account, How::Passkey(used), visitor).await?.ok_or_else(late)
    }

    /// The account's passkeys, oldest first.
    pub async fn list(&self, account: UserId) -> Result<Vec<Passkey>, Error> {
        Ok(self.store.passkeys(account).await?)
    }

    /// Gives one of the account's passkeys another name. [`Error::NotFound`] when there is no such.
    pub async fn rename(&self, account: UserId, id: &str, name: &str) -> Result<Passkey, Error> {
        let id = PasskeyId::parse(id).ok_or_else(missing)?;
        found(self.store.rename_passkey(account, id, shown_name(name)?).await)
    }

    /// Removes one of the account's passkeys; sessions that it began go on. [`Error::NotFound`] when there is no such.
    pub async fn remove(&self, account: UserId, id: &str) -> Result<(), Error> {
        let id = PasskeyId::parse(id).ok_or_else(missing)?;
        found(self.store.remove_passkey(account, id).await)?;
        self.accounts.changed();
        tracing::info!(target: "audit", { account.id = %account, passkey.id = %id }, "passkey {id} was removed from account {account}");
        Ok(())
    }

    fn check_fresh(&self, who: &SignedIn) -> Result<(), Error> {
        match self.may_add(who) {
            true => Ok(()),
            false => Err(Error::Forbidden("Sign in once more to add a passkey.".to_owned())),
        }
    }
}

fn shown_name(name: &str) -> Result<String, Error> {
    let name = name.trim();
    match name.chars().count() {
        0 => Ok("Passkey".to_owned()),
        length if length > NAME => Err(Error::Refused(format!("The name has more than {NAME} letters."))),
        _ => Ok(name.to_owned()),
    }
}

fn refused(error: rules::Error) -> Error {
    Error::Refused(format!("The browser’s answer is not accepted: {error}."))
}

fn late() -> Error {
    Error::Refused("That took too long, or was tried twice. Try once more.".to_owned())
}

fn missing() -> Error {
    Error::NotFound("There is no such passkey.".to_owned())
}

fn found<T>(result: Result<T, heddle_store::Error>) -> Result<T, Error> {
    match result {
        Err(heddle_store::Error::NotFound) => Err(missing()),
        other => Ok(other?),
    }
}
