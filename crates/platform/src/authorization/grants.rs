//! What a person has allowed applications, seen and ended by that person (`auth.md` 12.6).

use super::{Authorization, audit_end};
use crate::Error;
use heddle_model::{Time, UserId};
use heddle_oauth::family::Ended;
use heddle_oauth::{Client, Scopes};

/// All that one application holds of one person.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Grant {
    /// The application.
    pub app: Client,
    /// What it may do.
    pub scopes: Scopes,
    /// When it was first allowed, of what still stands.
    pub created_at: Time,
    /// When it last got a token.
    pub last_used_at: Time,
    /// Whether it holds tokens that may be good. One that does not is remembered all the same, and gets some without asking
    /// when it asks for no page (`prompt=none`), so it is shown and can be ended.
    pub has_access: bool,
}

impl Authorization {
    /// What a person has allowed applications, last used first.
    pub async fn grants(&self, user: UserId) -> Result<Vec<Grant>, Error> {
        let mut grants: Vec<Grant> = Vec::new();
        for (family, app) in self.0.store.grants(user, self.now()).await? {
            let scopes = app.still_allowed(&family.scopes);
            match grants.iter_mut().find(|grant| grant.app.id == app.id) {
                Some(grant) => {
                    grant.scopes = grant.scopes.iter().chain(scopes.iter()).copied().collect();
                    grant.created_at = grant.created_at.min(family.created_at);
                    grant.last_used_at = grant.last_used_at.max(family.last_used_at);
                }
                None => {
                    let (created_at, last_used_at) = (family.created_at, family.last_used_at);
                    grants.push(Grant { app, scopes, created_at, last_used_at, has_access: true });
                }
            }
        }
        for (consent, app) in self.0.store.consents(user).await? {
            if grants.iter().all(|grant| grant.app.id != app.id) {
                let (scopes, at) = (app.still_allowed(&consent.scopes), consent.granted_at);
                grants.push(Grant { app, scopes, created_at: at, last_used_at: at, has_access: false });
            }
        }
        grants.sort_by_key(|grant| std::cmp::Reverse(grant.last_used_at));
        Ok(grants)
    }

    /// Takes all back that a person has allowed an application. [`Error::NotFound`] when that is nothing.
    pub async fn end_grant(&self, user: UserId, client_id: &str) -> Result<(), Error> {
        let missing = || Error::NotFound("Grant not found".to_owned());
        let app = self.0.store.app_by_client_id(client_id).await?.ok_or_else(missing)?;
        let was_remembered = self.0.store.consent(user, app.id).await?.is_some();
        let ended = self.0.store.end_grants(user, app.id, self.now(), Ended::ByPerson).await;
        if ended.is_err() {
            self.0.checked.forget_all();
        }
        let ended = ended?;
        for id in &ended {
            self.0.checked.forget_family(*id);
            audit_end(*id, Ended::ByPerson);
        }
        if ended.is_empty() && !was_remembered { Err(missing()) } else { Ok(()) }
    }
}
