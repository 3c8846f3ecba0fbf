//! The keys that sign ID tokens: made when they are first needed and a day before each turn, sealed with the master key.

use crate::Error;
use crate::secrets::Secrets;
use heddle_engine::ports::Clock;
use heddle_model::Time;
use heddle_oauth::keys::{self, SigningKey};
use heddle_oauth::oidc::{self, Algorithm, Jwk, SignIn, Signer, Unsigned};
use heddle_store::Store;
use heddle_vault::{PublicHalf, SigningKey as Private, SigningKind};
use serde_json::Value;
use std::sync::{Arc, PoisonError, RwLock};
use tokio::sync::Mutex;

const TABLE: &str = "oauth_signing_key";

fn kind(algorithm: Algorithm) -> SigningKind {
    match algorithm {
        Algorithm::Rs256 => SigningKind::Rs256,
        Algorithm::Es256 => SigningKind::Es256,
    }
}

pub(super) struct Signing {
    store: Store,
    secrets: Secrets,
    clock: Arc<dyn Clock>,
    known: RwLock<Option<Arc<Known>>>,
    /// Held while keys are read and made.
    turn: Mutex<()>,
}

/// The keys as they were read.
struct Known {
    public: Vec<SigningKey>,
    /// As many; `None` for one that does not open any more.
    private: Vec<Option<Private>>,
}

impl Known {
    /// The key that signs with this at this moment, if it opens.
    fn signer(&self, algorithm: Algorithm, now: Time) -> Option<Pen<'_>> {
        let key = keys::signing(&self.public, algorithm, now)?;
        let at = self.public.iter().position(|other| other.kid == key.kid)?;
        Some(Pen { key, private: self.private.get(at)?.as_ref()? })
    }

    /// The keys that are to be made now: with what they will sign, and from when on.
    fn due(&self, now: Time) -> impl Iterator<Item = (Algorithm, Time)> {
        Algorithm::ALL.into_iter().filter_map(move |algorithm| {
            let due = keys::due(&self.public, algorithm, now);
            Some((algorithm, due.or_else(|| self.signer(algorithm, now).is_none().then_some(now))?))
        })
    }
}

struct Pen<'a> {
    key: &'a SigningKey,
    private: &'a Private,
}

impl Signer for Pen<'_> {
    fn algorithm(&self) -> Algorithm {
        self.key.algorithm
    }

    fn kid(&self) -> &str {
        &self.key.kid
    }

    fn sign(&self, bytes: &[u8]) -> Result<Vec<u8>, Unsigned> {
        self.private.sign(bytes).map_err(|error| Unsigned(error.to_string()))
    }
}

impl Signing {
    pub(super) fn new(store: Store, secrets: Secrets, clock: Arc<dyn Clock>) -> Self {
        Self { store, secrets, clock, known: RwLock::default(), turn: Mutex::default() }
    }

    /// The published set.
    pub(super) async fn published(&self) -> Result<Value, Error> {
        let now = self.clock.now();
        let known = self.keys(now).await?;
        let mut shown: Vec<_> = keys::published(&known.public, now).collect();
        // Whoever looks at the first one alone finds what libraries take for granted.
        shown.sort_by_key(|key| key.algorithm != Algorithm::default());
        Ok(oidc::jwks(shown))
    }

    /// An ID token, where one was asked for.
    pub(super) async fn id_token(
        &self,
        sign_in: &SignIn<'_>,
        algorithm: Algorithm,
        now: Time,
    ) -> Result<Option<String>, Error> {
        let known = self.keys(now).await?;
        let pen = known.signer(algorithm, now).ok_or_else(|| Error::Internal("no key signs ID tokens".to_owned()))?;
        sign_in.id_token(&pen, now).map_err(|error| Error::Internal(error.to_string()))
    }

    fn remembered(&self) -> Option<Arc<Known>> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn keys(&self, now: Time) -> Result<Arc<Known>, Error> {
        let is_fit = |known: &Arc<Known>| known.due(now).next().is_none();
        if let Some(known) = self.remembered().filter(is_fit) {
            return Ok(known);
        }
        let _turn = self.turn.lock().await;
        if let Some(known) = self.remembered().filter(is_fit) {
            return Ok(known);
        }
        let mut known = self.read().await?;
        let due: Vec<_> = known.due(now).collect();
        for (algorithm, from) in due {
            match self.make(&known, algorithm, from, now).await {
                Ok(()) => known = self.read().await?,
                // The next one can wait; there is a day for it.
                Err(error) if known.signer(algorithm, now).is_some() => {
                    tracing::warn!(%error, "the next key for ID tokens could not be made: {error}");
                }
                Err(error) => return Err(error),
            }
        }
        let known = Arc::new(known);
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&known));
        Ok(known)
    }

    async fn read(&self) -> Result<Known, Error> {
        let mut known = Known { public: Vec::new(), private: Vec::new() };
        for (key, sealed) in self.store.signing_keys().await? {
            let opened = self.secrets.open_bytes(TABLE, &key.kid, &sealed).await;
            let opened = opened.and_then(|secret| {
                Private::open(kind(key.algorithm), &secret).map_err(|error| Error::Internal(error.to_string()))
            });
            known.private.push(match opened {
                Ok(private) => Some(private),
                Err(error) => {
                    tracing::error!(%error, key.id = key.kid, "the key {} for ID tokens does not open: {error}", key.kid);
                    None
                }
            });
            known.public.push(key);
        }
        Ok(known)
    }

    async fn make(&self, known: &Known, algorithm: Algorithm, signs_from: Time, now: Time) -> Result<(), Error> {
        let internal = |error: &dyn std::fmt::Display| Error::Internal(error.to_string());
        let kind = kind(algorithm);
        let made = tokio::task::spawn_blocking(move || {
            let document = Private::generate(kind)?;
            let public = Private::open(kind, &document)?.public();
            Ok::<_, heddle_vault::Error>((document, public))
        });
        let (document, public) = made.await.map_err(|error| internal(&error))?.map_err(|error| internal(&error))?;
        let public = match public {
            PublicHalf::Rsa { n, e } => Jwk::Rsa { n, e },
            PublicHalf::P256 { x, y } => Jwk::P256 { x, y },
        };
        let kid = public.thumbprint();
        // Held until the row is there: a change of the master key waits for it.
        let sealing = self.secrets.sealing().await?;
        let sealed = sealing.seal(TABLE, &kid, document.expose())?;
        let key = SigningKey { kid, algorithm, public, created_at: now, signs_from, signs_until: None };
        let of_kind = known.public.iter().filter(|key| key.algorithm == algorithm);
        let after = of_kind.max_by_key(|key| key.signs_from).map(|key| key.kid.clone());
        let kid = key.kid.clone();
        if self.store.insert_signing_key(key, sealed, after).await? {
            tracing::info!(target: "audit", { key.id = kid }, "key {kid} for ID tokens was made, and signs from {}", signs_from.rfc3339());
        }
        drop(sealing);
        let published: Vec<_> = keys::published(&known.public, now).map(|key| &key.kid).collect();
        for key in known.public.iter().filter(|key| !published.contains(&&key.kid)) {
            self.store.remove_signing_key(&key.kid).await?;
        }
        Ok(())
    }
}
