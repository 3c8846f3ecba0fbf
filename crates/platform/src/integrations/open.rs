//! Opening a credential for a block: found for its owner, compared with what the pin says, its use noted, and only then
//! opened.

use super::kept::{Kept, Opened};
use super::{EXPIRED, Integrations, Kind, TABLE, row};
use crate::connect::{Access, Connect, NoAccess};
use crate::patience::patiently;
use async_trait::async_trait;
use heddle_blocks::credentials::Credentials;
use heddle_connectors::{Credential, Material, Reference};
use heddle_engine::ports::{Context, Failure};
use heddle_model::CredentialId;
use heddle_store::{SealedCredential, SecretUse};

/// What uses a secret outside any run.
const BY_BLOCK: &str = "block";
/// What uses one within a run.
const BY_RUN: &str = "run";

/// Opens credentials for blocks; those of connected accounts are fresh.
pub(crate) struct Opener {
    pub(crate) integrations: Integrations,
    pub(crate) connect: Connect,
}

#[async_trait]
impl Credentials for Opener {
    async fn open(&self, reference: &Reference, cx: &Context) -> Result<Credential, Failure> {
        self.integrations.open_fresh(reference, cx, &self.connect).await
    }
}

impl Integrations {
    async fn open_fresh(&self, reference: &Reference, cx: &Context, connect: &Connect) -> Result<Credential, Failure> {
        if let Some((key, meta)) = self.host_wide.get(&reference.id) {
            fits(reference, &meta.provider, meta.kind.as_str())?;
            self.note(reference, cx).await?;
            return Ok(self.credential(reference, None, Material::ApiKey { key: key.clone() }));
        }
        let unknown = || refuse(format!("Unknown credentials #{}", reference.id));
        let id = CredentialId::parse(&reference.id).ok_or_else(unknown)?;
        let found = patiently(|| self.store.credential(cx.user, id)).await.map_err(unavailable)?;
        let found = found.ok_or_else(unknown)?;
        fits(reference, &found.record.provider, &found.record.kind)?;
        self.note(reference, cx).await?;
        let base_url = found.record.base_url.clone();
        let material = self.material(found, connect).await?;
        Ok(self.credential(reference, base_url, material))
    }
}

impl Integrations {
    /// The secret part, good from now on for a while.
    async fn material(&self, found: SealedCredential, connect: &Connect) -> Result<Material, Failure> {
        let is_over = found.record.expires_at.is_some_and(|end| end <= self.clock.now());
        if is_over && found.record.kind != Kind::OAuth2.as_str() {
            return Err(unavailable(EXPIRED));
        }
        match self.opened(&found).await.map_err(unavailable)? {
            Opened::Material(material) => Ok(material),
            Opened::Tokens { .. } => {
                let Access { token: access_token, scopes } =
                    connect.access(found.record.owner, &found.record.id.to_string()).await.map_err(no_access)?;
                Ok(Material::OAuth2 { access_token, scopes })
            }
        }
    }

    /// Opens what is kept of a credential.
    pub(super) async fn opened(&self, found: &SealedCredential) -> Result<Opened, crate::Error> {
        let record = &found.record;
        let bytes = self.secrets.open_bytes(TABLE, &row(record.owner, record.id), &found.sealed).await?;
        let damaged = || crate::Error::Internal(format!("the credential {} is not what it was", record.id));
        Kept::read(&bytes, record.host.as_deref()).ok_or_else(damaged)
    }

    fn credential(&self, reference: &Reference, base_url: Option<String>, material: Material) -> Credential {
        let own = base_url.and_then(|url| url.parse().ok());
        Credential {
            id: reference.id.clone(),
            provider: reference.provider.clone(),
            title: reference.title.clone(),
            material,
            base_url: own.or_else(|| self.providers.base_url(&reference.provider).cloned()),
        }
    }

    /// Written before the secret is handed out, so that no use goes unseen.
    async fn note(&self, reference: &Reference, cx: &Context) -> Result<(), Failure> {
        let place = cx.place.as_ref();
        let noted = SecretUse {
            used_at: self.clock.now(),
            owner: cx.user,
            credential: reference.id.clone(),
            provider: reference.provider.clone(),
            door: if place.is_some() { BY_RUN } else { BY_BLOCK }.to_owned(),
            run: place.map(|place| place.run),
            node: place.map(|place| place.node.to_string()),
            exec: place.map(|place| u64::from(place.exec)),
        };
        patiently(|| self.store.note_secret_use(noted.clone())).await.map_err(unavailable)
    }
}

/// What the provider said is for whoever reads the run.
fn no_access(why: NoAccess) -> Failure {
    match why {
        NoAccess::Ended(why) | NoAccess::Away(why) => refuse(format!("Credentials not available: {why}")),
        NoAccess::Missing => refuse("Credentials not available: they were removed"),
        NoAccess::Other(error) => unavailable(error),
    }
}

fn fits(reference: &Reference, provider: &str, kind: &str) -> Result<(), Failure> {
    match reference.provider == provider && reference.kind == kind {
        true => Ok(()),
        false => Err(refuse("Invalid credentials: type/provider mismatch")),
    }
}

fn refuse(text: impl Into<String>) -> Failure {
    Failure::Execution(text.into())
}

/// The cause is logged; whoever reads the run learns that it was not their fault.
fn unavailable(why: impl std::fmt::Display) -> Failure {
    let why = why.to_string();
    if why != EXPIRED {
        tracing::error!("a credential cannot be opened: {why}");
        return refuse("Credentials not available: the server could not open them");
    }
    refuse(format!("Credentials not available: {why}"))
}
