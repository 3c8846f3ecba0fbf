//! Secrets of accounts: sealed here, kept sealed by the store.

use crate::Error;
use heddle_model::UserId;
use heddle_store::{SealedSecret, Store};
use heddle_vault::{Place, Secret, Vault};
use std::error::Error as _;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Seals, keeps and opens.
#[derive(Clone)]
pub(crate) struct Secrets {
    store: Store,
    /// `None` where everything is thrown away: then nothing can be sealed.
    vault: Option<Arc<Vault>>,
}

/// The row that a secret is sealed for.
fn row(owner: UserId, name: &str) -> String {
    format!("{owner}/{name}")
}

fn place(row: &str) -> Place<'_> {
    Place { table: "secret", row }
}

impl Secrets {
    /// Reads the master key, or makes it where nothing has been sealed yet.
    pub(crate) async fn open(store: Store, key_file: Option<PathBuf>) -> Result<Self, Error> {
        let Some(path) = key_file else { return Ok(Self { store, vault: None }) };
        let sealed = store.any_secret().await?;
        let is_new = sealed.is_none() && store.signing_keys().await?.is_empty();
        let file = path.clone();
        let vault = tokio::task::spawn_blocking(move || match is_new {
            true => heddle_vault::load_or_create(&file),
            false => heddle_vault::load(&file),
        });
        let vault = vault.await.map_err(|error| Error::Internal(error.to_string()))?;
        let vault = vault.map_err(|error| unusable(&error, &path, is_new))?;
        if let Some(SealedSecret { owner, name, sealed }) = sealed
            && let Err(error) = vault.open(place(&row(owner, &name)), &sealed)
        {
            tracing::error!(%error, "secrets in the database do not open with the master key in {}", path.display());
        }
        Ok(Self { store, vault: Some(Arc::new(vault)) })
    }

    /// The secret of this name, made by `make` when there is none; of several who make it at once one wins.
    pub(crate) async fn get_or_make(
        &self,
        owner: UserId,
        name: &str,
        make: impl FnOnce() -> Result<Secret<String>, Error>,
    ) -> Result<Secret<String>, Error> {
        let kept = self.store.secret(owner, name).await?;
        let sealed = match kept {
            Some(sealed) => sealed,
            None => self.store.make_secret(self.seal(owner, name, &make()?)?).await?,
        };
        let opened = self.vault()?.open(place(&row(owner, name)), &sealed);
        let secret = opened.map_err(|error| Error::Internal(format!("the secret {name:?} of {owner}: {error}")))?;
        secret.into_text().ok_or_else(|| Error::Internal(format!("the secret {name:?} of {owner} is no text")))
    }

    /// Keeps a secret in place of any other of its name.
    pub(crate) async fn put(&self, owner: UserId, name: &str, secret: &Secret<String>) -> Result<(), Error> {
        Ok(self.store.put_secret(self.seal(owner, name, secret)?).await?)
    }

    /// Seals what is kept in another table than secrets of accounts.
    pub(crate) fn seal_bytes(&self, table: &str, row: &str, secret: &[u8]) -> Result<Vec<u8>, Error> {
        let sealed = self.vault()?.seal(Place { table, row }, secret);
        sealed.map_err(|error| Error::Internal(error.to_string()))
    }

    /// Opens it again.
    pub(crate) fn open_bytes(&self, table: &str, row: &str, sealed: &[u8]) -> Result<Secret<Vec<u8>>, Error> {
        self.vault()?.open(Place { table, row }, sealed).map_err(|error| Error::Internal(error.to_string()))
    }

    fn seal(&self, owner: UserId, name: &str, secret: &Secret<String>) -> Result<SealedSecret, Error> {
        let sealed = self.vault()?.seal(place(&row(owner, name)), secret.expose().as_bytes());
        let sealed = sealed.map_err(|error| Error::Internal(error.to_string()))?;
        Ok(SealedSecret { owner, name: name.to_owned(), sealed })
    }

    fn vault(&self) -> Result<&Vault, Error> {
        self.vault.as_deref().ok_or_else(|| Error::Internal("there is no master key: nothing can be sealed".to_owned()))
    }
}

/// Why the master key cannot be had, and what to do when it is lost.
fn unusable(error: &heddle_vault::Error, path: &Path, is_new: bool) -> Error {
    let cause = error.source().map(|cause| format!(": {cause}")).unwrap_or_default();
    let is_lost = matches!(error, heddle_vault::Error::File { source, .. } if source.kind() == ErrorKind::NotFound);
    let advice = match is_lost && !is_new {
        true => format!(
            "; the database holds secrets sealed with it: put it back, or give them up with `(umask 077; head -c 32 \
             /dev/urandom | base64 > {})`",
            path.display()
        ),
        false => String::new(),
    };
    Error::Internal(format!("{error}{cause}{advice}"))
}
