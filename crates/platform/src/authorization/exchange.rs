//! New pairs of tokens, for a code or a refresh token. The rules judge what is there; the table makes it happen once, and
//! who loses that race is judged again by what is there then.

use super::bearer::person;
use super::endpoints::Stop;
use super::{Authorization, draw};
use crate::Error;
use heddle_model::{FamilyId, Time};
use heddle_oauth::answer;
use heddle_oauth::family::Ended;
use heddle_oauth::grant::{Grant, TokenRequest};
use heddle_oauth::oidc::SignIn;
use heddle_oauth::token::{self, Pair, Random};
use heddle_oauth::{Client, Family, Plain, Scope, code};
use heddle_store::Held;
use serde_json::Value;

/// How often one request is judged. The second time there is always a reason to refuse.
const TRIES: usize = 3;

impl Authorization {
    pub(super) async fn exchange(&self, wanted: &TokenRequest, client: &Client) -> Result<Value, Stop> {
        for _ in 0..TRIES {
            let issued = match &wanted.grant {
                Grant::Code { code, redirect_uri, verifier } => {
                    let verifier = verifier.as_ref().map(Plain::expose);
                    self.by_code(code, redirect_uri.as_deref(), verifier, &wanted.resources, client).await?
                }
                Grant::Refresh { .. } => self.by_refresh(wanted, client).await?,
            };
            if let Some(body) = issued {
                return Ok(body);
            }
        }
        Err(Error::Internal("a grant is good and cannot be redeemed".to_owned()).into())
    }

    /// `None`: somebody was faster.
    async fn by_code(
        &self,
        code: &Plain,
        redirect_uri: Option<&str>,
        verifier: Option<&str>,
        resources: &[String],
        client: &Client,
    ) -> Result<Option<Value>, Stop> {
        let now = self.now();
        let held = self.0.store.code(code.digest()).await?;
        let judged = code::redeem(held.as_ref().map(Held::judged), client, redirect_uri, verifier, now);
        let nonce = match judged {
            Ok(code) => code.nonce.clone(),
            Err(refused) => {
                self.end_because(refused.ends()).await?;
                return Err(Stop::Refused(refused.into()));
            }
        };
        let Some(Held { item, family, account, .. }) = held else { return Ok(None) };
        let resources = token::narrowed(&family, resources).map_err(|refused| Stop::Refused(refused.into()))?;
        let pair = token::issue(&family, client, family.scopes.clone(), resources, &random()?, now);
        let id_token = self.id_token(&family, client, &account, nonce.as_deref(), &pair, now).await?;
        let is_kept = self.0.store.redeem_code(item.digest, &pair, now).await?;
        Ok(is_kept.then(|| answer::tokens(&pair, &pair.access.scopes, id_token.as_deref(), now)))
    }

    /// `None`: somebody was faster.
    async fn by_refresh(&self, wanted: &TokenRequest, client: &Client) -> Result<Option<Value>, Stop> {
        let Grant::Refresh { token, scopes } = &wanted.grant else { return Ok(None) };
        let now = self.now();
        let held = self.0.store.refresh_token(token.digest()).await?;
        let judged = token::redeem(held.as_ref().map(Held::judged), client, scopes.as_ref(), &wanted.resources, now);
        let refreshed = match judged {
            Ok(refreshed) => refreshed,
            Err(refused) => {
                self.end_because(refused.ends()).await?;
                return Err(Stop::Refused(refused.into()));
            }
        };
        let Some(Held { item, family, account, .. }) = held else { return Ok(None) };
        let pair = token::issue(&family, client, refreshed.scopes, refreshed.resources, &random()?, now);
        let id_token = self.id_token(&family, client, &account, None, &pair, now).await?;
        let is_kept = self.0.store.rotate_refresh_token(item.digest, &pair, now).await?;
        Ok(is_kept.then(|| answer::tokens(&pair, &pair.access.scopes, id_token.as_deref(), now)))
    }

    async fn end_because(&self, ends: Option<(FamilyId, Ended)>) -> Result<(), Error> {
        match ends {
            Some((family, why)) => self.end(family, why).await,
            None => Ok(()),
        }
    }

    /// The ID token beside a pair, where `openid` was granted. Signed before anything is consumed: a failure costs nothing.
    async fn id_token(
        &self,
        family: &Family,
        client: &Client,
        account: &crate::Account,
        nonce: Option<&str>,
        pair: &Pair,
        now: Time,
    ) -> Result<Option<String>, Error> {
        let scopes = client.still_allowed(&pair.access.scopes);
        if !scopes.contains(Scope::OpenId) {
            return Ok(None);
        }
        let sign_in = SignIn {
            issuer: self.issuer(),
            client_id: &client.client_id,
            person: &person(account),
            scopes: &scopes,
            nonce,
            auth_time: family.auth_time,
            access_token: &pair.access_plain,
        };
        self.0.signing.id_token(&sign_in, client.id_token_algorithm, now).await
    }
}

fn random() -> Result<Random, Error> {
    Ok(Random { access: draw()?, refresh: draw()? })
}
