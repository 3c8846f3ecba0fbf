//! The settings of this release, where each value came from, and nothing about what they are used for.
//!
//! A setting is one row of [`table::KEYS`]: its name, how a value is read, how it is shown. Layers (defaults, file,
//! environment, flags) are laid over each other in [`layers`].

pub mod layers;
mod table;
#[cfg(test)]
mod tests;

use heddle_connectors::{Overrides, Providers};
use heddle_model::{Cost, Time};
use heddle_platform::authorization::Rules;
use heddle_platform::{Address, Allow, CreditRules, Database, Limit, Limits, Options, Policy};
use serde_json::Value;
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One object a line.
    Json,
}

/// All settings with their effective values.
#[derive(Clone, Debug)]
pub struct Settings {
    /// `server.listen`
    pub listen: SocketAddr,
    /// `server.public_url`; `None`: from the address that is listened on.
    pub public_url: Option<String>,
    /// `server.trusted_proxy_count`
    pub trusted_proxy_count: usize,
    /// `server.cors_origins`
    pub cors_origins: Vec<String>,
    /// `server.workers`
    pub workers: usize,
    /// `database.url`; `None`: the file in the data folder.
    pub database_url: Option<Address>,
    /// `limits.body_bytes`
    pub body_bytes: usize,
    /// `limits.json_depth`
    pub json_depth: usize,
    /// `limits.requests`, `limits.executions`
    pub limit: Limit,
    /// `engine.*`
    pub engine: Limits,
    /// `engine.retention_days`; `None`: finished runs are kept for ever.
    pub retention_days: Option<u32>,
    /// `outbound.allow`
    pub outbound_allow: Vec<Allow>,
    /// `credits.enabled`, `credits.monthly_refill`
    pub credits: CreditRules,
    /// `credits.prices`: the file, and what is in it.
    pub prices: Option<(PathBuf, HashMap<String, Vec<Cost>>)>,
    /// `auth.signup`
    pub open_signup: bool,
    /// `smtp.url`
    pub smtp_url: Option<String>,
    /// `smtp.from`
    pub smtp_from: Option<String>,
    /// `oauth.*`; who this server is to others is known when it listens.
    pub oauth: Rules,
    /// `api.v1_store_scope`
    pub store_scope_required: bool,
    /// `api.v1_deprecated`
    pub v1_deprecated: Option<Time>,
    /// `api.v1_sunset`
    pub v1_sunset: Option<Time>,
    /// `providers.<name>.*`
    pub providers: BTreeMap<String, Overrides>,
    /// `integrations.callback_origins`
    pub callback_origins: Vec<String>,
    /// `connectors.dir`
    pub connectors_dir: Option<PathBuf>,
    /// What all that comes to; `None`: what this build carries.
    pub known_providers: Option<Arc<Providers>>,
    /// `telemetry.metrics_public`
    pub metrics_public: bool,
    /// `telemetry.otlp_url`
    pub otlp_url: Option<String>,
    /// `log.level`
    pub log_level: tracing::Level,
    /// `log.format`; `None`: text on a terminal, JSON otherwise.
    pub log_format: Option<LogFormat>,
    origins: BTreeMap<String, Origin>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8006)),
            public_url: None,
            trusted_proxy_count: 0,
            cors_origins: Vec::new(),
            workers: std::thread::available_parallelism().map_or(1, usize::from),
            database_url: None,
            body_bytes: 8 << 20,
            json_depth: 128,
            limit: Limit::default(),
            engine: Limits::default(),
            retention_days: None,
            outbound_allow: Vec::new(),
            credits: CreditRules::default(),
            prices: None,
            open_signup: false,
            smtp_url: None,
            smtp_from: None,
            oauth: Rules::default(),
            store_scope_required: true,
            v1_deprecated: None,
            v1_sunset: None,
            providers: BTreeMap::new(),
            callback_origins: vec![heddle_platform::CALLBACK_ORIGIN.to_owned()],
            connectors_dir: None,
            known_providers: None,
            metrics_public: false,
            otlp_url: None,
            log_level: tracing::Level::INFO,
            log_format: None,
            origins: BTreeMap::new(),
        }
    }
}

impl Settings {
    /// Whether somebody set this, rather than leaving the default.
    pub fn is_set(&self, name: &str) -> bool {
        self.origins.contains_key(name)
    }

    /// The database, given the file that it is by default.
    pub fn database(&self, file: &Path) -> Database {
        self.database_url.clone().map_or_else(|| file.into(), Database::from)
    }

    /// Whether browsers keep passwords and sessions private on the way here, as far as the settings can tell.
    pub fn is_private(&self) -> bool {
        match &self.public_url {
            Some(url) => heddle_api::is_private(url),
            None => self.listen.ip().is_loopback() || self.trusted_proxy_count > 0,
        }
    }

    /// What the use cases are opened with.
    pub fn platform(&self) -> Options {
        Options {
            limits: self.engine,
            limit: self.limit,
            outbound: Policy::new(self.outbound_allow.clone()),
            authorization: self.oauth.clone(),
            credits: self.credits,
            prices: self.prices.clone().map(|(_, prices)| prices).unwrap_or_default(),
            providers: self.known_providers.clone(),
            callback_origins: Some(self.callback_origins.clone()),
            retention: self.retention_days.map(|days| Duration::from_secs(u64::from(days) * 86_400)),
            ..Options::default()
        }
    }

    /// Every setting: name, effective value, where it came from.
    pub fn effective(&self) -> Vec<(Cow<'static, str>, Value, String)> {
        let origin = |name: &str| self.origins.get(name).map_or_else(|| "default".to_owned(), ToString::to_string);
        let fixed = table::KEYS.iter().map(|key| (Cow::Borrowed(key.name), (key.show)(self), origin(key.name)));
        let of_provider = |(provider, set): (&String, &Overrides)| {
            let shown = table::PROVIDER_KEYS.iter().filter_map(|key| Some((key.name, (key.show)(set)?)));
            let named = shown.map(|(name, value)| (format!("providers.{provider}.{name}"), value));
            named.map(|(name, value)| (origin(&name), name, value)).collect::<Vec<_>>()
        };
        let of_providers = self.providers.iter().flat_map(of_provider);
        fixed.chain(of_providers.map(|(origin, name, value)| (Cow::Owned(name), value, origin))).collect()
    }
}

/// Where a value was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A settings file and the line in it.
    File(PathBuf, usize),
    /// An environment variable.
    Variable(String),
    /// A command-line flag.
    Flag(&'static str),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path, line) => write!(f, "{}:{line}", path.display()),
            Self::Variable(name) => write!(f, "environment variable {name}"),
            Self::Flag(flag) => write!(f, "flag {flag}"),
        }
    }
}

/// Why the settings were refused.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// There is no such setting.
    #[error("{key}: no such setting, at {origin}; valid: {valid}")]
    Unknown {
        /// As given.
        key: String,
        /// Where.
        origin: Origin,
        /// Names that would do.
        valid: String,
    },
    /// A setting of a later release.
    #[error("{key}: not in this release, at {origin}; remove it")]
    NotYet {
        /// As given.
        key: String,
        /// Where.
        origin: Origin,
    },
    /// The value cannot be used.
    #[error("{key}: {given} cannot be used, at {origin}; valid: {valid}")]
    Bad {
        /// The setting.
        key: String,
        /// The value.
        given: String,
        /// Where.
        origin: Origin,
        /// Values that would do.
        valid: &'static str,
    },
    /// A provider's file cannot be used.
    #[error("connectors.dir: {reason}")]
    Connectors {
        /// Why.
        reason: String,
    },
    /// The file cannot be read or is not TOML.
    #[error("{origin}: {reason}")]
    File {
        /// Where.
        origin: String,
        /// Why.
        reason: String,
    },
}
