//! Secrets of accounts: sealed here, kept sealed by the store. And the change of the key that seals them.

use crate::Error;
use heddle_model::UserId;
use heddle_store::{SealedPlace, SealedSecret, SealedWalk, Store};
use heddle_vault::{Place, Secret, Vault};
use std::error::Error as _;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::{Mutex, OwnedRwLockReadGuard, RwLock};

/// Seals, keeps and opens.
#[derive(Clone)]
pub(crate) struct Secrets {
    store: Store,
    /// `None` where everything is thrown away: then nothing can be sealed.
    keys: Option<Arc<Keys>>,
}

/// The master keys of this process.
struct Keys {
    file: PathBuf,
    vault: Arc<RwLock<Arc<Vault>>>,
    /// One change at a time.
    turn: Mutex<()>,
}

/// The right to seal. While somebody has it the key that seals stays the same, so whoever keeps what was sealed holds on
/// to it until that is on disk.
pub(crate) struct Sealing(OwnedRwLockReadGuard<Arc<Vault>>);

impl Sealing {
    /// Seals a secret for its row.
    pub(crate) fn seal(&self, table: &str, row: &str, secret: &[u8]) -> Result<Vec<u8>, Error> {
        self.0.seal(Place { table, row }, secret).map_err(|error| Error::Internal(error.to_string()))
    }
}

/// What a change of the master key has come to.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Rotation {
    /// What the key is called that seals now.
    pub key: String,
    /// How many secrets were sealed anew.
    pub resealed: u64,
    /// How many could not be opened, and stay as they are.
    pub unopened: u64,
    /// Whether the older keys are gone: nothing needs them any more.
    pub is_over: bool,
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
        let Some(path) = key_file else { return Ok(Self { store, keys: None }) };
        let is_new = first_sealed(&store).await?.is_none();
        let file = path.clone();
        let vault = tokio::task::spawn_blocking(move || match is_new {
            true => heddle_vault::load_or_create(&file),
            false => heddle_vault::load(&file),
        });
        let vault = vault.await.map_err(|error| Error::Internal(error.to_string()))?;
        let vault = vault.map_err(|error| unusable(&error, &path, is_new))?;
        if let Some(SealedSecret { owner, name, sealed }) = store.any_secret().await?
            && let Err(error) = vault.open(place(&row(owner, &name)), &sealed)
        {
            tracing::error!(%error, "secrets in the database do not open with the master key in {}", path.display());
        }
        let keys = Keys { file: path, vault: Arc::new(RwLock::new(Arc::new(vault))), turn: Mutex::default() };
        Ok(Self { store, keys: Some(Arc::new(keys)) })
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
            None => {
                let (new, _sealing) = self.sealed(owner, name, &make()?).await?;
                self.store.make_secret(new).await?
            }
        };
        let opened = self.vault().await?.open(place(&row(owner, name)), &sealed);
        let secret = opened.map_err(|error| Error::Internal(format!("the secret {name:?} of {owner}: {error}")))?;
        secret.into_text().ok_or_else(|| Error::Internal(format!("the secret {name:?} of {owner} is no text")))
    }

    /// Keeps a secret in place of any other of its name.
    pub(crate) async fn put(&self, owner: UserId, name: &str, secret: &Secret<String>) -> Result<(), Error> {
        let (new, _sealing) = self.sealed(owner, name, secret).await?;
        Ok(self.store.put_secret(new).await?)
    }

    /// The right to seal what is kept in another table than secrets of accounts.
    pub(crate) async fn sealing(&self) -> Result<Sealing, Error> {
        Ok(Sealing(Arc::clone(&self.keys()?.vault).read_owned().await))
    }

    /// Opens it again.
    pub(crate) async fn open_bytes(&self, table: &str, row: &str, sealed: &[u8]) -> Result<Secret<Vec<u8>>, Error> {
        let opened = self.vault().await?.open(Place { table, row }, sealed);
        opened.map_err(|error| Error::Internal(error.to_string()))
    }

    async fn sealed(
        &self,
        owner: UserId,
        name: &str,
        secret: &Secret<String>,
    ) -> Result<(SealedSecret, Sealing), Error> {
        let sealing = self.sealing().await?;
        let sealed = sealing.seal("secret", &row(owner, name), secret.expose().as_bytes())?;
        Ok((SealedSecret { owner, name: name.to_owned(), sealed }, sealing))
    }

    fn keys(&self) -> Result<&Keys, Error> {
        self.keys.as_deref().ok_or_else(|| Error::Internal("there is no master key: nothing can be sealed".to_owned()))
    }

    async fn vault(&self) -> Result<Arc<Vault>, Error> {
        Ok(Arc::clone(&*self.keys()?.vault.read().await))
    }

    /// Whether the process that had the folder before has begun a change of the master key, and did not end it.
    pub(crate) async fn is_rotating(&self) -> bool {
        match &self.keys {
            Some(keys) => keys.vault.read().await.has_older(),
            None => false,
        }
    }

    /// Makes a new master key, seals everything with it, and forgets the older ones when nothing needs them any more. A
    /// crash leaves what was sealed openable at every moment; [`Self::finish`] goes on where it was.
    pub(crate) async fn rotate(&self) -> Result<Rotation, Error> {
        let keys = self.keys()?;
        let _turn = keys.turn.lock().await;
        let file = keys.file.clone();
        let vault = blocking(move || heddle_vault::rotate(&file).and_then(|_| heddle_vault::load(&file))).await?;
        tracing::info!(target: "audit", { key.id = %vault.newest() }, "a new master key {} seals from now on", vault.newest());
        // Whoever is about to keep something that the old key sealed is waited for.
        *keys.vault.write().await = Arc::new(vault);
        self.finish_in_turn(keys).await
    }

    /// Seals anew what an older key has sealed, and then forgets the older keys.
    pub(crate) async fn finish(&self) -> Result<Rotation, Error> {
        let keys = self.keys()?;
        let _turn = keys.turn.lock().await;
        self.finish_in_turn(keys).await
    }

    async fn finish_in_turn(&self, keys: &Keys) -> Result<Rotation, Error> {
        let vault = Arc::clone(&*keys.vault.read().await);
        let newest = vault.newest();
        let mut done = Rotation { key: newest.to_string(), ..Rotation::default() };
        let mut walk = SealedWalk::default();
        while let Some(rows) = self.store.next_sealed(&mut walk).await? {
            for (kept, sealed) in rows {
                match renewed(&vault, &kept, &sealed) {
                    Ok(None) => {}
                    // One that was changed meanwhile was sealed by the newest key.
                    Ok(Some(new)) => done.resealed += u64::from(self.store.reseal(kept, sealed, new).await?),
                    Err(error) => {
                        done.unopened += 1;
                        tracing::error!(%error, "{kept:?} does not open and stays as it is: {error}");
                    }
                }
            }
        }
        if done.unopened == 0 {
            let file = keys.file.clone();
            // This process keeps them: somebody may just have read what one of them sealed.
            blocking(move || heddle_vault::retire(&file, newest)).await?;
            done.is_over = true;
        }
        tracing::info!(
            target: "audit", { key.id = done.key, secrets = done.resealed, unopened = done.unopened },
            "{} secrets were sealed anew", done.resealed
        );
        Ok(done)
    }
}

/// Where anything sealed is, if there is something.
async fn first_sealed(store: &Store) -> Result<Option<SealedPlace>, Error> {
    let mut walk = SealedWalk::default();
    while let Some(rows) = store.next_sealed(&mut walk).await? {
        if let Some((place, _)) = rows.into_iter().next() {
            return Ok(Some(place));
        }
    }
    Ok(None)
}

/// The same secret, sealed with the newest key; `None` when it is so already.
fn renewed(vault: &Vault, kept: &SealedPlace, sealed: &[u8]) -> Result<Option<Vec<u8>>, heddle_vault::Error> {
    let (table, row) = match kept {
        SealedPlace::Secret { owner, name } => ("secret", row(*owner, name)),
        SealedPlace::SigningKey { kid } => ("oauth_signing_key", kid.clone()),
        SealedPlace::Credential { owner, id } => ("credential", format!("{owner}/{id}")),
    };
    vault.renew(Place { table, row: &row }, sealed)
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, heddle_vault::Error> + Send + 'static,
) -> Result<T, Error> {
    let done = tokio::task::spawn_blocking(work).await.map_err(|error| Error::Internal(error.to_string()))?;
    done.map_err(|error| {
        let cause = error.source().map(|cause| format!(": {cause}")).unwrap_or_default();
        Error::Internal(format!("{error}{cause}"))
    })
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

#[cfg(test)]
mod tests;
