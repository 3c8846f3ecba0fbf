//! What every handler can reach.

use crate::oauth::documents;
use crate::prepared::Prepared;
use crate::settings::ApiSettings;
use heddle_platform::Platform;
use heddle_platform::authorization::rules::{Issuer, metadata};
use http::HeaderValue;
use std::sync::Arc;
use tokio::sync::OnceCell;

/// Shared state of the door; cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Shared>);

/// What is shared.
pub struct Shared {
    /// The use cases.
    pub platform: Platform,
    /// Settings of this door.
    pub settings: ApiSettings,
    /// The served blocks as JSON, made at first use: they do not change while the server runs.
    pub blocks: OnceCell<Prepared>,
    /// `Bearer realm="…"`, what is sent where a credential is missing.
    pub challenge: HeaderValue,
    /// `resource_metadata="…"`, what the API adds to it (RFC 9728, 5.1).
    pub resource: String,
}

impl App {
    pub(crate) fn new(platform: Platform, settings: ApiSettings) -> Self {
        let realm = settings.public_url.as_deref().unwrap_or(platform.authorization.issuer().as_str());
        let challenge = HeaderValue::try_from(format!("Bearer realm=\"{}\"", realm.replace(['"', '\\'], "")))
            .unwrap_or(HeaderValue::from_static("Bearer realm=\"heddle\""));
        let document = metadata::resource_url(&Issuer::new(realm), documents::API);
        let resource = format!("resource_metadata=\"{}\"", document.replace(['"', '\\'], ""));
        Self(Arc::new(Shared { platform, settings, blocks: OnceCell::new(), challenge, resource }))
    }
}

impl std::ops::Deref for App {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}
