//! The authorization server: applications, what people allow them, and the tokens that come of it (`auth.md` 5 to 9, 12).
//!
//! What may be and what is answered is decided by `heddle_oauth`; here it meets rows, keys, the clock and chance. Whoever
//! speaks for an application hands in an [`Asking`] and gets an [`Answer`], which no door changes.
//!
//! **Tokens are checked** from memory where they were checked before ([`bearer`](Authorization::bearer)). Ends of families
//! and changes of applications move a counter that everything checked is compared with, so they act at once.
//!
//! **Audit.** Who allowed what, what ended and why, failed authentications of applications: lines of the target `audit`.

mod apps;
mod bearer;
mod consent;
mod endpoints;
mod exchange;
mod grants;
pub mod pages;
mod signing;
#[cfg(test)]
mod tests;

use crate::Error;
use crate::accounts::Accounts;
use crate::counters::Counting;
use crate::secrets::Secrets;
use bearer::Checked;
use endpoints::Limits;
use heddle_engine::ports::Clock;
use heddle_model::{FamilyId, Scope as Permission, Time};
use heddle_oauth::family::Ended;
use heddle_oauth::metadata::{self, Switches};
use heddle_oauth::registration::Policy;
use heddle_oauth::{Client, Issuer};
use heddle_store::Store;
use serde_json::Value;
use signing::Signing;
use std::sync::Arc;

pub use apps::{By, Change, Imported};
pub use bearer::Bearer;
pub use consent::{Asked, Decision, View};
pub use endpoints::Asking;
pub use grants::Grant;
pub use heddle_oauth as rules;
pub use heddle_oauth::answer::Answer;

/// What an operator decides about it.
#[derive(Clone, Debug)]
pub struct Rules {
    /// Who this server is to others.
    pub issuer: Issuer,
    /// Whether applications may register themselves.
    pub registration: Policy,
    /// The most that an application may ask for which registered itself.
    pub ceiling: Vec<Permission>,
    /// Whether requests may be pushed.
    pub pushed: bool,
    /// Whether imported applications may go on using `plain` challenges.
    pub legacy_plain: bool,
    /// Whether anybody with an account may have applications, not only operators.
    pub own_apps: bool,
    /// How long all that comes of one authorization lasts at most; `None`: as long as it is used.
    pub family_seconds: Option<i64>,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            issuer: Issuer::new("http://127.0.0.1:8006"),
            registration: Policy::Off,
            ceiling: Permission::ALL.to_vec(),
            pushed: true,
            legacy_plain: true,
            own_apps: true,
            family_seconds: None,
        }
    }
}

/// The authorization server of this host.
#[derive(Clone)]
pub struct Authorization(Arc<Shared>);

struct Shared {
    store: Store,
    accounts: Accounts,
    clock: Arc<dyn Clock>,
    rules: Rules,
    signing: Signing,
    checked: Checked,
    limits: Arc<Limits>,
}

impl Authorization {
    pub(crate) fn new(store: Store, accounts: Accounts, secrets: Secrets, rules: Rules, clock: Arc<dyn Clock>) -> Self {
        let signing = Signing::new(store.clone(), secrets, Arc::clone(&clock));
        let (checked, limits) = (Checked::new(), Arc::new(Limits::new(Arc::clone(&clock))));
        Self(Arc::new(Shared { store, accounts, clock, rules, signing, checked, limits }))
    }

    /// What keeps its counters over a restart.
    pub(crate) fn counting(&self) -> Arc<dyn Counting> {
        self.0.limits.clone()
    }

    /// What was decided about it.
    pub fn rules(&self) -> &Rules {
        &self.0.rules
    }

    /// Who this server is to others.
    pub fn issuer(&self) -> &Issuer {
        &self.0.rules.issuer
    }

    /// What other programs can read about this server (`auth.md` 12.2).
    pub fn metadata(&self) -> Value {
        let Rules { issuer, registration, pushed, .. } = self.rules();
        let registration = *registration != Policy::Off;
        metadata::server(issuer, Switches { pushed: *pushed, registration })
    }

    /// The published keys that ID tokens are signed with; the first one is made when they are first asked for.
    pub async fn jwks(&self) -> Result<Value, Error> {
        self.0.signing.published().await
    }

    fn now(&self) -> Time {
        self.0.clock.now()
    }

    /// An application as it may act at this moment.
    async fn client(&self, client_id: &str) -> Result<Option<Client>, Error> {
        let found = self.0.store.app_by_client_id(client_id).await?;
        let found = match client_id {
            pages::CLIENT_ID => Some(self.own_pages(found).await?),
            _ => found,
        };
        Ok(found.map(|client| self.as_ruled(client)))
    }

    fn as_ruled(&self, client: Client) -> Client {
        Client { allows_plain: client.allows_plain && self.0.rules.legacy_plain, ..client }
    }

    /// Ends a family, if it has not ended, and has it forgotten.
    async fn end(&self, id: FamilyId, why: Ended) -> Result<(), Error> {
        let has_ended = self.0.store.end_family(id, self.now(), why).await;
        self.0.checked.forget_family(id);
        if has_ended? {
            audit_end(id, why);
        }
        Ok(())
    }
}

fn audit_end(id: FamilyId, why: Ended) {
    let why_text = why.as_str();
    if why.is_alarming() {
        tracing::warn!(target: "audit", { family.id = %id, why = why_text }, "authorization {id} has ended: {why_text}");
    } else {
        tracing::info!(target: "audit", { family.id = %id, why = why_text }, "authorization {id} has ended: {why_text}");
    }
}

/// 32 bytes from the operating system, for a secret.
fn draw() -> Result<[u8; 32], Error> {
    let mut random = [0; 32];
    getrandom::fill(&mut random).map_err(|error| Error::Internal(error.to_string()))?;
    Ok(random)
}
