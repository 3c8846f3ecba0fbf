//! The keys that the operator has set for everybody (`providers.<name>.api_key`).
//!
//! They have ids like others, so that a graph may name one: those by which the catalogue's prices know who works at the
//! host's cost, and of other providers one made from the name. A model server of one's own
//! wants no key, so its credential is always there.

use super::{CredentialMeta, Kind, Providers};
use heddle_model::Value;
use heddle_model::ids::derived;
use heddle_vault::Secret;
use serde_json::json;
use std::cell::LazyCell;
use std::collections::BTreeMap;
use uuid::{Uuid, uuid};

const OLLAMA: &str = "ollama";
/// Agents that were made elsewhere name it by this id.
const OLLAMA_ID: &str = "744fdc56-071a-4761-b5a5-0af0ce10a2b5";
const NAMESPACE: Uuid = uuid!("0b8a3f3c-6d0e-4c57-9a53-2f0f9f7c3a11");

/// The host-wide credentials.
pub(crate) struct HostWide {
    /// By provider.
    all: BTreeMap<String, (String, CredentialMeta, Secret<String>)>,
}

impl HostWide {
    pub(super) fn of(providers: &Providers) -> Self {
        // Unpacks the prices, so only for a server that has such keys.
        let priced = LazyCell::new(heddle_blocks::host_credentials);
        let key = |name: &str| providers.overrides(name).and_then(|set| set.api_key.clone());
        let one = |provider: &heddle_connectors::Provider| {
            let name = provider.name.as_str();
            let key = key(name).or_else(|| (name == OLLAMA).then(|| Secret::new(String::new())))?;
            let id = match name {
                OLLAMA => OLLAMA_ID.to_owned(),
                _ => priced.get(name).cloned().unwrap_or_else(|| derived(NAMESPACE, name.as_bytes()).to_string()),
            };
            let meta = CredentialMeta {
                id: id.clone(),
                provider: name.to_owned(),
                kind: Kind::ApiKey,
                title: Some(format!("Use Credits for {}", provider.title)),
                scopes: None,
                username: None,
                host: None,
                base_url: None,
                expires_at: None,
                created_at: None,
                last_used_at: None,
                is_host_wide: true,
            };
            Some((name.to_owned(), (id, meta, key)))
        };
        Self { all: providers.iter().filter_map(one).collect() }
    }

    /// Id and what is told of each, by provider.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&String, &CredentialMeta)> {
        self.all.values().map(|(id, meta, _)| (id, meta))
    }

    /// The key of this id.
    pub(super) fn get(&self, id: &str) -> Option<(&Secret<String>, &CredentialMeta)> {
        self.all.values().find(|(own, ..)| own == id).map(|(_, meta, key)| (key, meta))
    }

    pub(super) fn default_for(&self, provider: &str) -> Option<Value> {
        let (id, meta, _) = self.all.get(provider)?;
        Some(json!({"id": id, "provider": provider, "type": meta.kind.as_str(), "title": meta.title}))
    }
}
