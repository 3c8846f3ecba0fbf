//! Connected accounts among the credentials: their tokens, and what became of them.

use super::kept::{Kept, Opened};
use super::{Integrations, Kind, LONGEST, TABLE, cleaned, row};
use crate::Error;
use crate::connect::{Held, NewConnection, Shelf, Terms, Tokens, Unknown};
use async_trait::async_trait;
use heddle_model::{CredentialId, Time, UserId};
use heddle_oauth::Digest;
use heddle_store::{CredentialRecord, SealedCredential};
use std::borrow::Cow;
use zeroize::Zeroizing;

#[async_trait]
impl Shelf for Integrations {
    fn terms(&self, provider: &str) -> Result<Terms, Unknown> {
        Terms::of(&self.providers, provider)
    }

    async fn add(&self, owner: UserId, new: NewConnection) -> Result<(String, Option<String>), Error> {
        let NewConnection { provider, username, tokens } = new;
        let record = CredentialRecord {
            id: CredentialId::from_random(self.clock.random()),
            owner,
            provider,
            kind: Kind::OAuth2.as_str().to_owned(),
            title: None,
            scopes: Some(tokens.scopes.clone()),
            username: username.map(cleaned),
            host: None,
            base_url: None,
            expires_at: tokens.access_ends_at,
            created_at: self.clock.now(),
            last_used_at: None,
        };
        let (id, bytes) = (record.id, bytes(&tokens)?);
        // Held until the row is there: a change of the master key waits for it.
        let sealing = self.secrets.sealing().await?;
        let sealed = sealing.seal(TABLE, &row(owner, id), &bytes)?;
        self.store.insert_credential(SealedCredential { record, sealed }).await?;
        Ok((id.to_string(), None))
    }

    async fn held(&self, owner: UserId, id: &str) -> Result<Option<Held>, Error> {
        let Some(id) = CredentialId::parse(id) else { return Ok(None) };
        let Some(found) = self.store.credential(owner, id).await? else { return Ok(None) };
        let Some(tokens) = self.tokens(&found).await? else { return Ok(None) };
        let ended = self.store.credential_end(owner, id).await?;
        let CredentialRecord { provider, username, .. } = found.record;
        Ok(Some(Held { version: version(&tokens), provider, username, tokens, ended }))
    }

    async fn renew(&self, owner: UserId, id: &str, wanted: &[u8], tokens: &Tokens) -> Result<bool, Error> {
        let Some(id) = CredentialId::parse(id) else { return Ok(false) };
        let bytes = bytes(tokens)?;
        loop {
            let sealing = self.secrets.sealing().await?;
            let Some(found) = self.store.credential(owner, id).await? else { return Ok(false) };
            match self.tokens(&found).await? {
                Some(kept) if version(&kept) == wanted => {}
                _ => return Ok(false),
            }
            let sealed = sealing.seal(TABLE, &row(owner, id), &bytes)?;
            let (scopes, end) = (Some(tokens.scopes.clone()), tokens.access_ends_at);
            if self.store.replace_credential(&found, sealed, scopes, end).await? {
                return Ok(true);
            }
            // Sealed anew with another key meanwhile, or gone: that is seen when it is read again.
        }
    }

    async fn end(&self, owner: UserId, id: &str, wanted: &[u8], why: &str) -> Result<(), Error> {
        let Some(id) = CredentialId::parse(id) else { return Ok(()) };
        let Some(found) = self.store.credential(owner, id).await? else { return Ok(()) };
        if self.tokens(&found).await?.is_some_and(|kept| version(&kept) == wanted) {
            self.store.end_credential(owner, id, why.to_owned()).await?;
        }
        Ok(())
    }

    async fn ended(&self, owner: UserId) -> Result<Vec<(String, String)>, Error> {
        let ends = self.store.credential_ends(owner).await?;
        Ok(ends.into_iter().map(|(id, why)| (id.to_string(), why)).collect())
    }
}

impl Integrations {
    /// The tokens of a credential; `None` when it is of another kind.
    pub(super) async fn tokens(&self, found: &SealedCredential) -> Result<Option<Tokens>, Error> {
        if found.record.kind != Kind::OAuth2.as_str() {
            return Ok(None);
        }
        let Opened::Tokens { access_token, refresh_token, given_at, refresh_ends_at } = self.opened(found).await?
        else {
            return Ok(None);
        };
        Ok(Some(Tokens {
            access_token,
            refresh_token,
            given_at: given_at.map_or(found.record.created_at, Time),
            access_ends_at: found.record.expires_at,
            refresh_ends_at: refresh_ends_at.map(Time),
            scopes: found.record.scopes.clone().unwrap_or_default(),
        }))
    }
}

fn bytes(tokens: &Tokens) -> Result<Zeroizing<Vec<u8>>, Error> {
    let kept = Kept::OAuth2 {
        access_token: Cow::Borrowed(tokens.access_token.expose()),
        refresh_token: tokens.refresh_token.as_ref().map(|token| Cow::Borrowed(token.expose().as_str())),
        given_at: Some(tokens.given_at.0),
        refresh_ends_at: tokens.refresh_ends_at.map(|end| end.0),
    };
    let bytes = kept.bytes();
    if bytes.len() > LONGEST {
        Err(Error::Refused(format!("the tokens are longer than {LONGEST} bytes")))
    } else {
        Ok(bytes)
    }
}

/// Follows from the tokens themselves, so that sealing them anew is no change.
fn version(tokens: &Tokens) -> Vec<u8> {
    let of = |text: &str| Digest::of(text).0;
    let refresh = tokens.refresh_token.as_ref().map(|token| of(token.expose()));
    [of(tokens.access_token.expose()), refresh.unwrap_or_default()].concat()
}
