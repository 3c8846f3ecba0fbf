//! New passwords: by whoever is signed in and knows the old one, and by whoever reads the account's mail.

use super::{Begun, Sessions, SignedIn, digest, name, too_many};
use crate::{Error, Visitor, keys, password};
use heddle_model::UserId;

/// Seconds for which the link in a mail works.
const RESET: i64 = 3_600;

impl Sessions {
    /// Changes the password of whoever is signed in, which ends all other sessions of the account. [`Error::Forbidden`] when
    /// the current one is wrong.
    pub async fn change_password(
        &self,
        who: &SignedIn,
        current: String,
        new: String,
        visitor: &Visitor,
    ) -> Result<(), Error> {
        let account = &who.account;
        if self.try_password(Some(account), &account.email, current, visitor).await?.is_none() {
            return Err(Error::Forbidden("The current password is wrong.".to_owned()));
        }
        let hash = password::hash(new).await?;
        let changed = self.store.change_password_hash(account.id, hash, Some(who.session)).await;
        self.accounts.changed();
        changed?;
        audit_change(account.id, visitor);
        Ok(())
    }

    /// Mails a link with which a new password can be set, if there is such an account. What is answered, and when, does not
    /// depend on that.
    pub fn request_reset(&self, email: &str, visitor: &Visitor) -> Result<(), Error> {
        if self.rules.mail.is_none() {
            return Err(Error::Forbidden("The operator of this server sets new passwords.".to_owned()));
        }
        self.attempts.reset(visitor.network, self.clock.now()).map_err(too_many)?;
        let (sessions, email) = (self.clone(), email.trim().to_owned());
        tokio::spawn(async move {
            if let Err(error) = sessions.mail_reset(&email).await {
                tracing::error!("a mail for a new password was not sent: {error}");
            }
        });
        Ok(())
    }

    async fn mail_reset(&self, email: &str) -> Result<(), Error> {
        let Some(mail) = &self.rules.mail else { return Ok(()) };
        let account = self.store.account_by_email(email).await?.filter(|account| account.disabled_at.is_none());
        let Some(account) = account else { return Ok(()) };
        let now = self.clock.now();
        if !self.attempts.mail(name(email), now) {
            tracing::warn!(target: "audit", { account.id = %account.id }, "account {} was sent enough links for now", account.id);
            return Ok(());
        }
        let token = keys::secret(32)?;
        self.store.insert_password_reset(account.id, digest(&token), now, now.plus_seconds(RESET)).await?;
        mail.send_reset(&account.email, &token).await?;
        tracing::info!(target: "audit", { account.id = %account.id }, "account {} was sent a link for a new password", account.id);
        Ok(())
    }

    /// What comes behind [`reset`](Self::reset)'s address for an account, made by an operator who hands it over.
    /// [`Error::NotFound`] without such an account, [`Error::Conflict`] when it is disabled.
    pub async fn reset_link(&self, email: &str, operator: UserId) -> Result<String, Error> {
        let account = self.accounts.named(Some(email.trim())).await?;
        if account.disabled_at.is_some() {
            return Err(Error::Conflict("The account is disabled.".to_owned()));
        }
        let (token, now) = (keys::secret(32)?, self.clock.now());
        self.store.insert_password_reset(account.id, digest(&token), now, now.plus_seconds(RESET)).await?;
        let id = account.id;
        tracing::info!(target: "audit", { account.id = %id, operator.id = %operator }, "operator {operator} made a link for a new password of account {id}");
        Ok(token)
    }

    /// Whether a link from a mail still works.
    pub async fn can_reset(&self, token: &str) -> Result<bool, Error> {
        Ok(self.store.password_reset(&digest(token), self.clock.now()).await?.is_some())
    }

    /// Sets a new password by the link of a mail, once, ends all sessions of the account and begins one.
    /// [`Error::NotFound`] when the link does not work any more.
    pub async fn reset(&self, token: &str, new: String, visitor: &Visitor) -> Result<Begun, Error> {
        let stale = || Error::NotFound("This link was used already or is too old. Ask for another one.".to_owned());
        // Nobody has a password hashed with a link made up.
        if !self.can_reset(token).await? {
            return Err(stale());
        }
        let hash = password::hash(new).await?;
        let reset = self.store.reset_password(&digest(token), hash, self.clock.now()).await;
        self.accounts.changed();
        let account = match reset {
            Err(heddle_store::Error::NotFound) => return Err(stale()),
            other => other?,
        };
        audit_change(account, visitor);
        self.begin_at_once(account, visitor).await
    }
}

fn audit_change(account: UserId, visitor: &Visitor) {
    tracing::info!(target: "audit", { account.id = %account, client.address = %visitor.address }, "account {account} has a new password");
}
