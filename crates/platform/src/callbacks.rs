//! Completion callbacks: telling somebody's server that a run has ended.
//!
//! Knows whom to tell, when to try again and how to sign; what is told comes from the door that the run came in by
//! ([`Render`]). A run without a callback never comes here.

mod address;
mod courier;
mod queue;
mod schedule;
mod service;
mod signature;

use crate::secrets::Secrets;
use crate::{Error, RunOutcome};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use heddle_model::UserId;
use heddle_outbound::Policy;
use heddle_vault::Secret;
use std::sync::Arc;

pub use address::CallbackUrl;
pub(crate) use courier::Courier;
pub(crate) use service::deliver;

/// Makes the body of a callback: what the door would have answered to somebody who had waited for the run's end.
pub type Render = fn(&RunOutcome) -> Vec<u8>;

/// The name of the secret that signs.
const SECRET: &str = "callback";

/// Where callbacks may go, and what signs them.
#[derive(Clone)]
pub struct Callbacks {
    secrets: Secrets,
    policy: Arc<Policy>,
}

impl Callbacks {
    pub(crate) fn new(secrets: Secrets, policy: Policy) -> Self {
        Self { secrets, policy: Arc::new(policy) }
    }

    /// The address, if callbacks may go there as far as can be told without asking anybody: https, or a place that the
    /// operator allowed. What a name stands for is looked at when it is dialled. Otherwise why not.
    pub fn url(&self, text: &str) -> Result<CallbackUrl, String> {
        CallbackUrl::parse(text, &self.policy)
    }

    /// What signs an account's callbacks, made when it is first asked for.
    pub async fn secret(&self, owner: UserId) -> Result<Secret<String>, Error> {
        secret(&self.secrets, owner).await
    }

    /// Makes a new one; the old one signs nothing from now on.
    pub async fn rotate_secret(&self, owner: UserId) -> Result<Secret<String>, Error> {
        let new = new_secret()?;
        self.secrets.put(owner, SECRET, &new).await?;
        Ok(new)
    }
}

async fn secret(secrets: &Secrets, owner: UserId) -> Result<Secret<String>, Error> {
    secrets.get_or_make(owner, SECRET, new_secret).await
}

/// 32 random bytes. Whoever verifies uses the whole text as the key, prefix and all.
fn new_secret() -> Result<Secret<String>, Error> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|error| Error::Internal(error.to_string()))?;
    let text = format!("whsec_{}", URL_SAFE_NO_PAD.encode(bytes));
    bytes.fill(0);
    Ok(Secret::new(text))
}

#[cfg(test)]
mod tests;
