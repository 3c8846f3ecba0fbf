//! Challenges that nobody has to keep: each carries its end, sealed with the master key for one purpose and one browser,
//! so it opens for these alone, also after a restart. That one was answered is kept until its end, by the store.

use crate::Error;
use crate::secrets::Secrets;
use heddle_model::{Time, UserId};
use heddle_store::Answered;
use sha2::{Digest, Sha256};

/// Seconds that a person has.
const SECONDS: i64 = 300;
/// What is sealed: the end, and bytes that make it the only one.
const LENGTH: usize = 8 + 16;
const TABLE: &str = "passkey_challenge";

/// What an answer is for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Purpose {
    /// A passkey for this account.
    Creation(UserId),
    /// A session.
    SignIn,
}

#[derive(Clone)]
pub(super) struct Challenges(Secrets);

impl Challenges {
    pub(super) fn new(secrets: Secrets) -> Self {
        Self(secrets)
    }

    pub(super) async fn make(&self, purpose: Purpose, browser: &str, now: Time) -> Result<Vec<u8>, Error> {
        let mut bytes = [0; LENGTH];
        bytes[..8].copy_from_slice(&now.plus_seconds(SECONDS).0.to_be_bytes());
        getrandom::fill(&mut bytes[8..]).map_err(|error| Error::Internal(error.to_string()))?;
        self.0.sealing().await?.seal(TABLE, &row(purpose, browser), &bytes)
    }

    /// What to keep of a challenge that is answered now; `None` when it was made for something else, is too old, or is none.
    pub(super) async fn open(&self, purpose: Purpose, browser: &str, challenge: &[u8], now: Time) -> Option<Answered> {
        let opened = self.0.open_bytes(TABLE, &row(purpose, browser), challenge).await.ok()?;
        let (end, rest) = opened.expose().split_first_chunk::<8>()?;
        let expires_at = Time(i64::from_be_bytes(*end));
        let is_good = rest.len() == LENGTH - 8 && now < expires_at;
        is_good.then(|| Answered { digest: Sha256::digest(challenge).into(), expires_at })
    }
}

fn row(purpose: Purpose, browser: &str) -> String {
    match purpose {
        Purpose::Creation(account) => format!("creation/{account}/{browser}"),
        Purpose::SignIn => format!("sign-in/{browser}"),
    }
}
