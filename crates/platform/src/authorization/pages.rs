//! The application that the API's own pages are: a public client of this server, so that a call can be tried by signing in.
//!
//! Nobody registers it. Its row is made when it is first asked for, and then it is one like the others: an operator sees it,
//! and can switch it off. Where it may send people back to follows from the issuer, not from the row.

use super::{Authorization, apps};
use crate::Error;
use heddle_model::{AppId, Scope as Permission};
use heddle_oauth::Client;
use heddle_oauth::client::{GrantType, Origin, Proof};

/// The name by which the pages ask.
pub const CLIENT_ID: &str = "agpt_client_api_pages";
/// Where people come back to, below the issuer.
pub const REDIRECT: &str = "/external-api/docs/oauth2-redirect";

impl Authorization {
    /// The pages' application, as it was found or made anew.
    pub(super) async fn own_pages(&self, found: Option<Client>) -> Result<Client, Error> {
        let client = match found {
            Some(client) => client,
            None => self.make_own_pages().await?,
        };
        Ok(Client { redirect_uris: vec![self.issuer().at(REDIRECT)], ..client })
    }

    async fn make_own_pages(&self) -> Result<Client, Error> {
        let now = self.now();
        let client = Client {
            id: AppId::from_random(self.0.clock.random()),
            client_id: CLIENT_ID.to_owned(),
            name: "API pages of this server".to_owned(),
            description: Some("Tries calls for you, in this browser.".to_owned()),
            logo_url: None,
            proof: Proof::Public,
            redirect_uris: vec![self.issuer().at(REDIRECT)],
            grant_types: GrantType::ALL.to_vec(),
            scopes: Permission::ALL.to_vec(),
            default_scopes: None,
            owner: None,
            organization: None,
            origin: Origin::Operator,
            is_active: true,
            is_trusted: false,
            is_resource_server: false,
            requires_pushed: false,
            id_token_algorithm: Default::default(),
            allows_plain: false,
            created_at: now,
            updated_at: now,
        };
        match self.0.store.insert_app(client.clone()).await {
            // Somebody else asked at the same moment.
            Err(heddle_store::Error::Exists) => {
                let found = self.0.store.app_by_client_id(CLIENT_ID).await?;
                found.ok_or_else(|| Error::Internal("an application is there and is not found".to_owned()))
            }
            other => {
                other?;
                apps::audit(&client, "was made");
                Ok(client)
            }
        }
    }
}
