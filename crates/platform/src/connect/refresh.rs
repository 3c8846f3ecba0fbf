//! Keeping tokens fresh: before they are over, and by one at a time.
//!
//! Many providers give a new refresh token with each access token and end the old one; some end everything when an old
//! one comes again. So of all runs that need a credential one asks, and the others wait for what it got. It asks in a task
//! of its own, so that a run that is stopped meanwhile does not take the answer with it, and nobody gets an access token
//! before the refresh token that came along is on disk. A crash between answer and disk leaves the old one, which is tried
//! again: most providers take it for some seconds.

use super::shelf::{Held, Tokens};
use super::tokens::Failed;
use super::{Connect, ask, words};
use crate::Error;
use heddle_model::{Time, UserId};
use heddle_vault::Secret;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;
use tokio::sync::Mutex as Turn;

/// Seconds before its end at which a token is renewed, where it lasts long enough: a fifth of its life at most.
const AHEAD: i64 = 300;

/// How often new tokens are offered to a database that is away, and how long after each time.
const KEEP: (u32, Duration) = (20, Duration::from_millis(500));

/// An access token that is good for a while.
#[derive(Clone, Debug)]
pub struct Access {
    /// The token.
    pub token: Secret<String>,
    /// What it allows.
    pub scopes: Vec<String>,
}

/// Why there is none.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum NoAccess {
    /// There is no such credential.
    Missing,
    /// It is of no use any more; the words say why and what to do.
    Ended(String),
    /// Not now; it may work later.
    Away(String),
    /// The store failed.
    Other(Error),
}

/// Who is renewing what. An entry lasts as long as somebody holds it.
#[derive(Default)]
pub(super) struct Refreshers(Mutex<HashMap<Whose, Weak<Turn<()>>>>);

/// An account and its credential.
type Whose = (UserId, String);

impl Refreshers {
    fn turn(&self, owner: UserId, id: &str) -> Arc<Turn<()>> {
        let mut turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (owner, id.to_owned());
        if let Some(turn) = turns.get(&key).and_then(Weak::upgrade) {
            return turn;
        }
        turns.retain(|_, turn| turn.strong_count() > 0);
        let turn = Arc::default();
        turns.insert(key, Arc::downgrade(&turn));
        turn
    }
}

/// Whether tokens are to be renewed, and whether they still work.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Age {
    Fresh,
    Due,
    Over,
}

fn age(tokens: &Tokens, now: Time) -> Age {
    let Some(end) = tokens.access_ends_at else { return Age::Fresh };
    let life = (end.0 - tokens.given_at.0).max(0);
    let ahead = (life / 5).min(AHEAD * 1_000_000);
    match now.0 {
        now if now >= end.0 => Age::Over,
        now if now >= end.0 - ahead => Age::Due,
        _ => Age::Fresh,
    }
}

impl Connect {
    /// An access token of a connected account, renewed if it is about to end.
    pub async fn access(&self, owner: UserId, id: &str) -> Result<Access, NoAccess> {
        let held = self.held(owner, id).await?;
        if age(&held.tokens, self.0.clock.now()) == Age::Fresh {
            return Ok(of(held.tokens));
        }
        // Not given up with whoever asked: what comes of it is everybody's.
        let (connect, id) = (self.clone(), id.to_owned());
        let renewing = tokio::spawn(async move {
            let turn = connect.0.refreshers.turn(owner, &id);
            let _held = turn.lock().await;
            connect.renewed(owner, &id).await
        });
        renewing.await.unwrap_or_else(|error| Err(NoAccess::Other(Error::Internal(error.to_string()))))
    }

    async fn held(&self, owner: UserId, id: &str) -> Result<Held, NoAccess> {
        let held = self.0.shelf.held(owner, id).await.map_err(NoAccess::Other)?.ok_or(NoAccess::Missing)?;
        match &held.ended {
            Some(why) => Err(NoAccess::Ended(why.clone())),
            None => Ok(held),
        }
    }

    /// Renews what is due; whoever had the turn before may have done so.
    async fn renewed(&self, owner: UserId, id: &str) -> Result<Access, NoAccess> {
        let held = self.held(owner, id).await?;
        let now = self.0.clock.now();
        let age = age(&held.tokens, now);
        if age == Age::Fresh {
            return Ok(of(held.tokens));
        }
        let account = account(&held);
        let is_left = |token: &&Secret<String>| {
            !token.expose().is_empty() && held.tokens.refresh_ends_at.is_none_or(|end| now < end)
        };
        let Some(refresh_token) = held.tokens.refresh_token.as_ref().filter(is_left) else {
            if age == Age::Due {
                return Ok(of(held.tokens));
            }
            let why = format!("the connection to {account} is over: connect it again under Integrations");
            return self.give_up(owner, id, &held, why).await;
        };
        let later = |why: String| match age {
            Age::Over => Err(NoAccess::Away(why)),
            _ => Ok(of(held.tokens.clone())),
        };
        let Ok(terms) = self.terms(&held.provider) else {
            return later(format!("this server is not set up for {} any more", held.provider));
        };
        match ask::refresh(&self.0.client, &terms, refresh_token).await {
            Ok(granted) => {
                let kept = refresh_token.clone();
                let mut tokens = self.tokens(granted, &held.tokens.scopes);
                if tokens.refresh_token.is_none() {
                    // It goes on as it was.
                    tokens.refresh_token = Some(kept);
                    tokens.refresh_ends_at = held.tokens.refresh_ends_at;
                }
                self.keep(owner, id, &held.version, &tokens).await?;
                tracing::info!(target: "audit", { account.id = %owner, provider = %held.provider, credential.id = %id }, "tokens were renewed at {}", held.provider);
                Ok(of(tokens))
            }
            // The server's own fault, not the credential's.
            Err(Failed::Denied(Some(code))) if matches!(code.as_str(), "invalid_client" | "unauthorized_client") => {
                tracing::error!(provider = %held.provider, "{} refuses this server's client ({code})", held.provider);
                later(format!("{} refuses this server's own registration ({code}): tell its operator", held.provider))
            }
            Err(failed @ Failed::Denied(_)) => {
                let why = words(&failed);
                let why = format!("the connection to {account} has ended, {why}: connect it again under Integrations");
                self.give_up(owner, id, &held, why).await
            }
            Err(failed) => later(format!("the connection to {account} could not be renewed: {}", words(&failed))),
        }
    }

    /// New tokens must not be lost: the old ones may be worth nothing by now.
    async fn keep(&self, owner: UserId, id: &str, version: &[u8], tokens: &Tokens) -> Result<(), NoAccess> {
        let mut tries = 0;
        loop {
            match self.0.shelf.renew(owner, id, version, tokens).await {
                Ok(true) => return Ok(()),
                // Removed or replaced meanwhile; what came is nobody's.
                Ok(false) => return Err(NoAccess::Missing),
                Err(error) if tries == KEEP.0 => return Err(NoAccess::Other(error)),
                Err(_) => tokio::time::sleep(KEEP.1).await,
            }
            tries += 1;
        }
    }

    async fn give_up(&self, owner: UserId, id: &str, held: &Held, why: String) -> Result<Access, NoAccess> {
        tracing::info!(target: "audit", { account.id = %owner, provider = %held.provider, credential.id = %id }, "{why}");
        self.0.shelf.end(owner, id, &held.version, &why).await.map_err(NoAccess::Other)?;
        Err(NoAccess::Ended(why))
    }
}

fn of(tokens: Tokens) -> Access {
    Access { token: tokens.access_token, scopes: tokens.scopes }
}

fn account(held: &Held) -> String {
    match &held.username {
        Some(name) => format!("{} as {name}", held.provider),
        None => held.provider.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_renewed_some_minutes_ahead_or_a_fifth_of_their_life() {
        let tokens = |given: i64, end: Option<i64>| Tokens {
            access_token: String::new().into(),
            refresh_token: None,
            given_at: Time(given * 1_000_000),
            access_ends_at: end.map(|end| Time(end * 1_000_000)),
            refresh_ends_at: None,
            scopes: Vec::new(),
        };
        for (given, end, now, expected) in [
            (0, Some(3600), 3299, Age::Fresh),
            (0, Some(3600), 3300, Age::Due),
            (0, Some(3600), 3599, Age::Due),
            (0, Some(3600), 3600, Age::Over),
            (0, Some(60), 47, Age::Fresh),
            (0, Some(60), 48, Age::Due),
            (0, None, 999_999, Age::Fresh),
            (100, Some(50), 40, Age::Fresh),
            (100, Some(50), 50, Age::Over),
        ] {
            assert_eq!(age(&tokens(given, end), Time(now * 1_000_000)), expected, "{given} {end:?} {now}");
        }
    }
}
