//! One row for each setting, and the names that later releases will have.

use super::{LogFormat, Settings};
use heddle_connectors::Overrides;
use heddle_model::{Scope, Time};
use heddle_platform::authorization::rules::registration::Policy;
use heddle_platform::integrations::{Secret, base_url as provider_url};
use heddle_platform::{Address, Mailer};
use serde_json::{Value, json};
use std::net::{Ipv4Addr, SocketAddr};

const DAY: &str = "a day such as 2026-12-31";

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

    fn number<N: TryFrom<i64>>(&self, least: i64, most: i64) -> Option<N> {
        let number = match self {
            Self::Number(number) => *number,
            _ => self.text()?.parse().ok()?,
        };
        (least..=most).contains(&number).then(|| N::try_from(number).ok())?
    }

    fn truth(&self) -> Option<bool> {
        match self {
            Self::Text(text) | Self::Other(text) => text.trim().parse().ok(),
            _ => None,
        }
    }

    fn day(&self) -> Option<Time> {
        match self {
            Self::Text(text) | Self::Other(text) => Time::of_day(text.trim()),
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

/// The row of a whole number within bounds; some may also be without.
macro_rules! whole_number {
    ($name:literal $(of $of:literal)?, $least:literal..=$most:literal, $($field:ident).+) => {
        Key {
            name: $name,
            valid: concat!("a whole number ", $("of ", $of, " ",)? "from ", $least, " to ", $most),
            read: |s, given| given.number($least, $most).map(|number| s.$($field).+ = number),
            show: |s| json!(s.$($field).+),
        }
    };
    ($name:literal $(of $of:literal)?, $least:literal..=$most:literal or unlimited, $($field:ident).+) => {
        Key {
            name: $name,
            valid: concat!("a whole number ", $("of ", $of, " ",)? "from ", $least, " to ", $most, ", or unlimited"),
            read: |s, given| {
                s.$($field).+ = match given.text() {
                    Some("unlimited") => None,
                    _ => Some(given.number($least, $most)?),
                };
                Some(())
            },
            show: |s| s.$($field).+.map_or(json!("unlimited"), Value::from),
        }
    };
}

/// One setting of a provider, `providers.<name>.…`.
pub struct ProviderKey {
    /// The last part of its name.
    pub name: &'static str,
    /// What would be valid, for people.
    pub valid: &'static str,
    /// Reads a value; `None` when it cannot be used.
    pub read: fn(&mut Overrides, &Given) -> Option<()>,
    /// The value as it may be shown; `None` when there is none.
    pub show: fn(&Overrides) -> Option<Value>,
    /// Whether it is kept from whoever looks.
    pub is_secret: bool,
}

fn some_text(given: &Given) -> Option<String> {
    given.text().filter(|text| !text.is_empty()).map(str::to_owned)
}

/// The settings of each provider.
pub static PROVIDER_KEYS: &[ProviderKey] = &[
    ProviderKey {
        name: "base_url",
        valid: "an http or https URL without query, e.g. http://127.0.0.1:11434/v1",
        read: |set, given| provider_url(given.text()?).map(|url| set.base_url = Some(url)),
        show: |set| set.base_url.as_ref().map(|url| json!(url.as_str())),
        is_secret: false,
    },
    ProviderKey {
        name: "api_key",
        valid: "a key",
        read: |set, given| some_text(given).map(|key| set.api_key = Some(Secret::new(key))),
        show: |set| set.api_key.as_ref().map(|_| json!("*")),
        is_secret: true,
    },
    ProviderKey {
        name: "client_id",
        valid: "the id of an OAuth client",
        read: |set, given| some_text(given).map(|id| set.client_id = Some(id)),
        show: |set| set.client_id.as_ref().map(|id| json!(id)),
        is_secret: false,
    },
    ProviderKey {
        name: "client_secret",
        valid: "the secret of an OAuth client",
        read: |set, given| some_text(given).map(|secret| set.client_secret = Some(Secret::new(secret))),
        show: |set| set.client_secret.as_ref().map(|_| json!("*")),
        is_secret: true,
    },
];

/// Provider and setting of a name of the form `providers.<name>.<setting>`.
pub fn of_provider(name: &str) -> Option<(&str, &'static ProviderKey)> {
    let (provider, setting) = name.strip_prefix("providers.")?.split_once('.')?;
    Some((provider, PROVIDER_KEYS.iter().find(|key| key.name == setting)?))
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
    whole_number!("server.trusted_proxy_count", 0..=100, trusted_proxy_count),
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
    whole_number!("server.workers", 1..=1024, workers),
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
    whole_number!("limits.body_bytes" of "bytes", 1_024..=1_073_741_824, body_bytes),
    whole_number!("limits.json_depth", 1..=512, json_depth),
    whole_number!("limits.requests" of "requests a minute", 1..=1_000_000 or unlimited, limit.requests),
    whole_number!("limits.executions" of "requests a minute", 1..=1_000_000 or unlimited, limit.executions),
    whole_number!("engine.queued_runs", 1..=100_000_000, engine.queued_runs),
    whole_number!("engine.running_runs", 1..=1_000_000, engine.running_runs),
    whole_number!("engine.account_runs", 1..=1_000_000, engine.account_runs),
    whole_number!("engine.provider_calls", 1..=1_000_000, engine.provider_calls),
    whole_number!("engine.events", 1..=1_000_000_000_000 or unlimited, engine.events),
    whole_number!("engine.run_seconds" of "seconds", 1..=3_153_600_000 or unlimited, engine.run_seconds),
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
    whole_number!("engine.run_bytes" of "bytes", 65_536..=1_099_511_627_776, engine.run_bytes),
    whole_number!("engine.value_bytes" of "bytes", 1_024..=268_435_456, engine.value_bytes),
    whole_number!("engine.nesting", 1..=1_000, engine.nesting),
    whole_number!("engine.retention_days" of "days", 1..=36_500 or unlimited, retention_days),
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
        name: "credits.enabled",
        valid: "true or false",
        read: |s, given| given.truth().map(|is_on| s.credits.is_on = is_on),
        show: |s| json!(s.credits.is_on),
    },
    whole_number!("credits.monthly_refill" of "credits", 0..=1_000_000_000, credits.monthly_refill),
    Key {
        name: "credits.prices",
        valid: "a JSON file of prices by block id, see docs/credits.md",
        read: |s, given| {
            let path = std::path::PathBuf::from(given.text()?);
            let prices = serde_json::from_slice(&std::fs::read(&path).ok()?).ok()?;
            s.prices = Some((path, prices));
            Some(())
        },
        show: |s| json!(s.prices.as_ref().map(|(path, _)| path)),
    },
    Key {
        name: "api.v1_store_scope",
        valid: "required or none",
        read: |s, given| {
            s.store_scope_required = match given.text()? {
                "required" => true,
                "none" => false,
                _ => return None,
            };
            Some(())
        },
        show: |s| json!(if s.store_scope_required { "required" } else { "none" }),
    },
    Key {
        name: "api.v1_deprecated",
        valid: DAY,
        read: |s, given| given.day().map(|day| s.v1_deprecated = Some(day)),
        show: |s| json!(s.v1_deprecated.map(Time::day)),
    },
    Key {
        name: "api.v1_sunset",
        valid: DAY,
        read: |s, given| given.day().map(|day| s.v1_sunset = Some(day)),
        show: |s| json!(s.v1_sunset.map(Time::day)),
    },
    Key {
        name: "auth.signup",
        valid: "closed or open",
        read: |s, given| {
            s.open_signup = match given.text()? {
                "closed" => false,
                "open" => true,
                _ => return None,
            };
            Some(())
        },
        show: |s| json!(if s.open_signup { "open" } else { "closed" }),
    },
    Key {
        name: "smtp.url",
        valid: "smtps://USER:PASSWORD@HOST for TLS, or smtp:// for STARTTLS; plain text goes to this machine or with ?tls=none",
        read: |s, given| {
            let url = given.text()?;
            Mailer::new(url, "heddle@localhost").ok()?;
            s.smtp_url = Some(url.to_owned());
            Some(())
        },
        show: |s| json!(s.smtp_url.as_deref().map(Mailer::masked)),
    },
    Key {
        name: "smtp.from",
        valid: "an address mail is sent from, e.g. Heddle <heddle@example.org>",
        read: |s, given| {
            let from = given.text()?;
            Mailer::new("smtp://localhost", from).ok()?;
            s.smtp_from = Some(from.to_owned());
            Some(())
        },
        show: |s| json!(s.smtp_from),
    },
    Key {
        name: "oauth.registration",
        valid: "off, token or open",
        read: |s, given| Policy::parse(given.text()?).map(|policy| s.oauth.registration = policy),
        show: |s| json!(s.oauth.registration.as_str()),
    },
    Key {
        name: "oauth.registration_scopes",
        valid: "a list of scopes, e.g. [\"IDENTITY\", \"RUN_AGENT\"], or all",
        read: |s, given| {
            s.oauth.ceiling = match given.text() {
                Some("all") => Scope::ALL.to_vec(),
                _ => given.list()?.iter().map(|name| Scope::parse(name)).collect::<Option<_>>()?,
            };
            Some(())
        },
        show: |s| json!(s.oauth.ceiling),
    },
    Key {
        name: "oauth.apps",
        valid: "everyone or operators",
        read: |s, given| {
            s.oauth.own_apps = match given.text()? {
                "everyone" => true,
                "operators" => false,
                _ => return None,
            };
            Some(())
        },
        show: |s| json!(if s.oauth.own_apps { "everyone" } else { "operators" }),
    },
    Key {
        name: "oauth.par",
        valid: "true or false",
        read: |s, given| given.truth().map(|pushed| s.oauth.pushed = pushed),
        show: |s| json!(s.oauth.pushed),
    },
    Key {
        name: "oauth.legacy_plain",
        valid: "true or false",
        read: |s, given| given.truth().map(|plain| s.oauth.legacy_plain = plain),
        show: |s| json!(s.oauth.legacy_plain),
    },
    Key {
        name: "oauth.grant_days",
        valid: "a whole number of days from 1 to 36500, or unlimited",
        read: |s, given| {
            s.oauth.family_seconds = match given.text() {
                Some("unlimited") => None,
                _ => Some(given.number::<i64>(1, 36_500)? * 86_400),
            };
            Some(())
        },
        show: |s| s.oauth.family_seconds.map_or(json!("unlimited"), |seconds| json!(seconds / 86_400)),
    },
    Key {
        name: "integrations.callback_origins",
        valid: "a list of origins, e.g. [\"https://app.example.org\"]",
        read: |s, given| {
            let origins = given.list()?;
            let origins: Option<Vec<_>> = origins.iter().map(|text| origin(text)).collect();
            origins.map(|origins| s.callback_origins = origins)
        },
        show: |s| json!(s.callback_origins),
    },
    Key {
        name: "connectors.dir",
        valid: "a folder of provider files",
        read: |s, given| some_text(given).map(|folder| s.connectors_dir = Some(folder.into())),
        show: |s| json!(s.connectors_dir.as_ref().map(|folder| folder.display().to_string())),
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
pub static NOT_YET: &[&str] = &["dispatch.url", "files.url"];

/// A value as it may be shown to whoever reads a refusal.
pub fn shown(name: &str, given: &Given) -> String {
    match given {
        _ if of_provider(name).is_some_and(|(_, key)| key.is_secret) => "*".to_owned(),
        Given::Text(text) if name == "database.url" => format!("{:?}", Address::masked(text)),
        Given::Text(text) if name == "smtp.url" => format!("{:?}", Mailer::masked(text)),
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
    let is_provider = name == "providers" || name.strip_prefix("providers.").is_some_and(|rest| !rest.contains('.'));
    is_provider || KEYS.iter().any(|key| below(key.name)) || NOT_YET.iter().any(|name| below(name))
}

/// The names that a mistyped one may have meant: those of its section, or all.
pub fn names_near(name: &str) -> String {
    let section = name.split_once('.').map_or(name, |(section, _)| section);
    if section == "providers" {
        let names: Vec<_> = PROVIDER_KEYS.iter().map(|key| format!("providers.<name>.{}", key.name)).collect();
        return names.join(", ");
    }
    let of_section: Vec<_> =
        KEYS.iter().map(|key| key.name).filter(|key| key.split_once('.').is_some_and(|(s, _)| s == section)).collect();
    match of_section.is_empty() {
        true => KEYS.iter().map(|key| key.name).collect::<Vec<_>>().join(", "),
        false => of_section.join(", "),
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
