//! One row for each setting, and the names that later releases will have.

use super::{LogFormat, Settings};
use heddle_platform::Address;
use serde_json::{Value, json};
use std::net::{Ipv4Addr, SocketAddr};

/// One setting.
pub struct Key {
    /// Dotted name.
    pub name: &'static str,
    /// What would be valid, for people.
    pub valid: &'static str,
    /// Reads a value into the settings; `None` when it cannot be used.
    pub read: fn(&mut Settings, &Given) -> Option<()>,
    /// The effective value.
    pub show: fn(&Settings) -> Value,
}

/// A value as some layer gave it. Texts from the environment and flags are read like the file's typed values.
#[derive(Clone, Debug, PartialEq)]
pub enum Given {
    /// Text, also from the environment and flags.
    Text(String),
    /// Whole number.
    Number(i64),
    /// List of texts.
    List(Vec<String>),
    /// Any other kind, as it stands; of these only `true` and `false` are any setting's value.
    Other(String),
}

impl Given {
    fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text.trim()),
            _ => None,
        }
    }

    fn within(&self, least: usize, most: usize) -> Option<usize> {
        let number = match self {
            Self::Number(number) => usize::try_from(*number).ok()?,
            _ => self.text()?.parse().ok()?,
        };
        (least..=most).contains(&number).then_some(number)
    }

    fn truth(&self) -> Option<bool> {
        match self {
            Self::Text(text) | Self::Other(text) => text.trim().parse().ok(),
            _ => None,
        }
    }

    /// A list, or a text with JSON or commas. An address in brackets looks like JSON at first.
    fn list(&self) -> Option<Vec<String>> {
        let items = |text: &str| {
            text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect::<Vec<_>>()
        };
        match self {
            Self::List(items) => Some(items.clone()),
            Self::Text(text) => Some(serde_json::from_str(text).unwrap_or_else(|_| items(text))),
            _ => None,
        }
    }
}

impl std::fmt::Display for Given {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Text(text) => write!(f, "{text:?}"),
            Self::Number(number) => write!(f, "{number}"),
            Self::List(items) => write!(f, "{items:?}"),
            Self::Other(text) => f.write_str(text),
        }
    }
}

/// The settings of this release.
pub static KEYS: &[Key] = &[
    Key {
        name: "server.listen",
        valid: "ADDRESS:PORT, e.g. 127.0.0.1:8006 or [::]:8006; port 0 picks one",
        read: |s, given| address(given).map(|address| s.listen = address),
        show: |s| json!(s.listen.to_string()),
    },
    Key {
        name: "server.public_url",
        valid: "an http or https URL without query, e.g. https://agents.example.org",
        read: |s, given| base_url(given.text()?).map(|url| s.public_url = Some(url)),
        show: |s| json!(s.public_url.clone().unwrap_or_else(|| format!("http://{}", s.listen))),
    },
    Key {
        name: "server.trusted_proxy_count",
        valid: "a whole number from 0 to 100",
        read: |s, given| given.within(0, 100).map(|n| s.trusted_proxy_count = n),
        show: |s| json!(s.trusted_proxy_count),
    },
    Key {
        name: "server.cors_origins",
        valid: "a list of origins, e.g. [\"https://app.example.org\"]",
        read: |s, given| {
            let origins = given.list()?;
            let origins: Option<Vec<_>> = origins.iter().map(|text| origin(text)).collect();
            origins.map(|origins| s.cors_origins = origins)
        },
        show: |s| json!(s.cors_origins),
    },
    Key {
        name: "server.workers",
        valid: "a whole number from 1 to 1024",
        read: |s, given| given.within(1, 1024).map(|n| s.workers = n),
        show: |s| json!(s.workers),
    },
    Key {
        name: "database.url",
        valid: "sqlite: for the file in the data folder, or postgres://USER:PASSWORD@HOST:PORT/DATABASE, where sslmode may \
            be disable, require or verify-full",
        read: |s, given| match given.text()? {
            "sqlite:" => {
                s.database_url = None;
                Some(())
            }
            url => Address::parse(url).ok().map(|address| s.database_url = Some(address)),
        },
        show: |s| json!(s.database_url.as_ref().map_or("sqlite:".to_owned(), Address::to_string)),
    },
    Key {
        name: "limits.body_bytes",
        valid: "a whole number of bytes from 1024 to 1073741824",
        read: |s, given| given.within(1024, 1 << 30).map(|n| s.body_bytes = n),
        show: |s| json!(s.body_bytes),
    },
    Key {
        name: "limits.json_depth",
        valid: "a whole number from 1 to 512",
        read: |s, given| given.within(1, 512).map(|n| s.json_depth = n),
        show: |s| json!(s.json_depth),
    },
    Key {
        name: "engine.queued_runs",
        valid: "a whole number from 1 to 100000000",
        read: |s, given| given.within(1, 100_000_000).map(|n| s.engine.queued_runs = n),
        show: |s| json!(s.engine.queued_runs),
    },
    Key {
        name: "engine.running_runs",
        valid: "a whole number from 1 to 1000000",
        read: |s, given| given.within(1, 1_000_000).map(|n| s.engine.running_runs = n),
        show: |s| json!(s.engine.running_runs),
    },
    Key {
        name: "engine.account_runs",
        valid: "a whole number from 1 to 1000000",
        read: |s, given| given.within(1, 1_000_000).map(|n| s.engine.account_runs = n),
        show: |s| json!(s.engine.account_runs),
    },
    Key {
        name: "engine.provider_calls",
        valid: "a whole number from 1 to 1000000",
        read: |s, given| given.within(1, 1_000_000).map(|n| s.engine.provider_calls = n),
        show: |s| json!(s.engine.provider_calls),
    },
    Key {
        name: "engine.events",
        valid: "a whole number from 1 to 1000000000000, or unlimited",
        read: |s, given| unlimited_or(given, 1_000_000_000_000).map(|most| s.engine.events = most),
        show: |s| s.engine.events.map_or(json!("unlimited"), Value::from),
    },
    Key {
        name: "engine.run_seconds",
        valid: "a whole number of seconds from 1 to 3153600000, or unlimited",
        read: |s, given| unlimited_or(given, 3_153_600_000).map(|most| s.engine.run_seconds = most),
        show: |s| s.engine.run_seconds.map_or(json!("unlimited"), Value::from),
    },
    Key {
        name: "engine.on_interrupted_unsafe",
        valid: "retry or fail",
        read: |s, given| {
            s.engine.fail_interrupted = match given.text()? {
                "retry" => false,
                "fail" => true,
                _ => return None,
            };
            Some(())
        },
        show: |s| json!(if s.engine.fail_interrupted { "fail" } else { "retry" }),
    },
    Key {
        name: "engine.run_bytes",
        valid: "a whole number of bytes from 65536 to 1099511627776",
        read: |s, given| given.within(64 << 10, 1 << 40).map(|n| s.engine.run_bytes = n),
        show: |s| json!(s.engine.run_bytes),
    },
    Key {
        name: "engine.value_bytes",
        valid: "a whole number of bytes from 1024 to 268435456",
        read: |s, given| given.within(1024, 256 << 20).map(|n| s.engine.value_bytes = n),
        show: |s| json!(s.engine.value_bytes),
    },
    Key {
        name: "engine.nesting",
        valid: "a whole number from 1 to 1000",
        read: |s, given| given.within(1, 1000).map(|n| s.engine.nesting = n as u32),
        show: |s| json!(s.engine.nesting),
    },
    Key {
        name: "engine.retention_days",
        valid: "a whole number of days from 1 to 36500, or unlimited",
        read: |s, given| {
            s.retention_days = match given.text() {
                Some("unlimited") => None,
                _ => Some(given.within(1, 36_500)? as u32),
            };
            Some(())
        },
        show: |s| s.retention_days.map_or(json!("unlimited"), Value::from),
    },
    Key {
        name: "outbound.allow",
        valid: "a list of host:port, ip:port or cidr:port, e.g. [\"127.0.0.1:11434\", \"[fd00::/8]:443\"]",
        read: |s, given| {
            let places: Option<Vec<_>> = given.list()?.iter().map(|text| text.parse().ok()).collect();
            places.map(|places| s.outbound_allow = places)
        },
        show: |s| s.outbound_allow.iter().map(ToString::to_string).collect(),
    },
    Key {
        name: "log.level",
        valid: "error, warn, info, debug or trace",
        read: |s, given| {
            let level = given.text()?;
            let named = ["error", "warn", "info", "debug", "trace"].contains(&level);
            named.then(|| level.parse().ok())?.map(|level| s.log_level = level)
        },
        show: |s| json!(s.log_level.as_str().to_ascii_lowercase()),
    },
    Key {
        name: "log.format",
        valid: "text or json",
        read: |s, given| {
            s.log_format = Some(match given.text()? {
                "text" => LogFormat::Text,
                "json" => LogFormat::Json,
                _ => return None,
            });
            Some(())
        },
        show: |s| match s.log_format {
            Some(LogFormat::Text) => json!("text"),
            Some(LogFormat::Json) => json!("json"),
            None => json!("auto"),
        },
    },
    Key {
        name: "telemetry.metrics_public",
        valid: "true or false",
        read: |s, given| given.truth().map(|public| s.metrics_public = public),
        show: |s| json!(s.metrics_public),
    },
    Key {
        name: "telemetry.otlp_url",
        valid: "an http or https URL without query, e.g. http://127.0.0.1:4318",
        read: |s, given| base_url(given.text()?).map(|url| s.otlp_url = Some(url)),
        show: |s| json!(s.otlp_url),
    },
];

/// Settings that exist, but not in this release; `*` stands for one name.
pub static NOT_YET: &[&str] = &[
    "dispatch.url",
    "files.url",
    "auth.signup",
    "providers.*.base_url",
    "providers.*.api_key",
    "providers.*.client_id",
    "providers.*.client_secret",
    "integrations.callback_origins",
    "credits.enabled",
    "api.v1_store_scope",
    "connectors.dir",
    "smtp.url",
    "smtp.from",
];

/// A value as it may be shown to whoever reads a refusal.
pub fn shown(name: &str, given: &Given) -> String {
    match given {
        Given::Text(text) if name == "database.url" => format!("{:?}", Address::masked(text)),
        _ => given.to_string(),
    }
}

/// Whether a later release has a setting of this name.
pub fn is_later(name: &str) -> bool {
    let parts: Vec<_> = name.split('.').collect();
    NOT_YET.iter().any(|pattern| {
        let pattern: Vec<_> = pattern.split('.').collect();
        pattern.len() == parts.len() && pattern.iter().zip(&parts).all(|(want, have)| *want == "*" || want == have)
    })
}

/// Whether some setting, of this or a later release, lies below this name.
pub fn is_section(name: &str) -> bool {
    let depth = name.split('.').count();
    let below = |setting: &str| {
        let mut parts = setting.split('.');
        let head: Vec<_> = parts.by_ref().take(depth).collect();
        parts.next().is_some() && head.iter().zip(name.split('.')).all(|(want, have)| *want == "*" || *want == have)
    };
    KEYS.iter().any(|key| below(key.name)) || NOT_YET.iter().any(|name| below(name))
}

/// The names that a mistyped one may have meant: those of its section, or all.
pub fn names_near(name: &str) -> String {
    let section = name.split_once('.').map_or(name, |(section, _)| section);
    let of_section: Vec<_> =
        KEYS.iter().map(|key| key.name).filter(|key| key.split_once('.').is_some_and(|(s, _)| s == section)).collect();
    match of_section.is_empty() {
        true => KEYS.iter().map(|key| key.name).collect::<Vec<_>>().join(", "),
        false => of_section.join(", "),
    }
}

/// No bound, or one from 1 to `most`.
fn unlimited_or(given: &Given, most: usize) -> Option<Option<u64>> {
    match given.text() {
        Some("unlimited") => Some(None),
        _ => given.within(1, most).map(|number| Some(number as u64)),
    }
}

fn address(given: &Given) -> Option<SocketAddr> {
    let text = given.text()?;
    match text.strip_prefix("localhost:") {
        Some(port) => Some((Ipv4Addr::LOCALHOST, port.parse().ok()?).into()),
        None => text.parse().ok(),
    }
}

/// Scheme, host, optional port and path prefix; without the slash at its end.
fn base_url(text: &str) -> Option<String> {
    let uri: hyper::Uri = text.parse().ok()?;
    let scheme = uri.scheme_str().filter(|scheme| matches!(*scheme, "http" | "https"))?;
    let authority = uri.authority()?.as_str();
    if uri.query().is_some() || authority.contains('@') || text.contains('#') {
        return None;
    }
    Some(format!("{scheme}://{authority}{}", uri.path().trim_end_matches('/')))
}

fn origin(text: &str) -> Option<String> {
    let url = base_url(text)?;
    let path = url.split_once("://")?.1.contains('/');
    (!path).then_some(url)
}
