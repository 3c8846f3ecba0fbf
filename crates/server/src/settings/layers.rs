//! Lays the sources of settings over each other: defaults, file, environment, flags; a later one wins.
//!
//! Whatever is not understood stops the command: a setting that is ignored is worse than one that is refused.

use super::table::{self, Given, KEYS};
use super::{Origin, Settings, SettingsError};
use heddle_connectors::{Error as ProvidersError, Providers};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use toml::de::{DeTable, DeValue};

/// Everything that settings are read from.
#[derive(Debug, Default)]
pub struct Sources {
    /// A file that must exist.
    pub config: Option<PathBuf>,
    /// A file that is read if it exists and `config` is not given.
    pub default_config: Option<PathBuf>,
    /// The environment.
    pub environment: Vec<(OsString, OsString)>,
    /// `--set` in order.
    pub set: Vec<(String, String)>,
    /// `--listen`.
    pub listen: Option<String>,
}

/// The effective settings.
pub fn load(sources: &Sources) -> Result<Settings, SettingsError> {
    let mut settings = Settings::default();
    match (&sources.config, &sources.default_config) {
        (Some(path), _) => from_file(&mut settings, path, &read(path)?)?,
        (None, Some(path)) if path.exists() => from_file(&mut settings, path, &read(path)?)?,
        _ => {}
    }
    for (name, value) in &sources.environment {
        from_variable(&mut settings, name, value)?;
    }
    for (key, value) in &sources.set {
        put(&mut settings, key, &Given::Text(value.clone()), Origin::Flag("--set"))?;
    }
    if let Some(listen) = &sources.listen {
        put(&mut settings, "server.listen", &Given::Text(listen.clone()), Origin::Flag("--listen"))?;
    }
    know_providers(&mut settings)?;
    order_of_ending(&settings)?;
    Ok(settings)
}

/// Nothing ends before it is deprecated (RFC 9745, section 4).
fn order_of_ending(settings: &Settings) -> Result<(), SettingsError> {
    let (Some(deprecated), Some(sunset)) = (settings.v1_deprecated, settings.v1_sunset) else { return Ok(()) };
    match settings.origins.get("api.v1_sunset") {
        Some(origin) if sunset < deprecated => Err(SettingsError::Bad {
            key: "api.v1_sunset".to_owned(),
            given: format!("{:?}", sunset.day()),
            origin: origin.clone(),
            valid: "a day that is not before api.v1_deprecated",
        }),
        _ => Ok(()),
    }
}

/// Reads the providers' files, and refuses settings of a provider that there is not.
fn know_providers(settings: &mut Settings) -> Result<(), SettingsError> {
    let known = Providers::new(settings.connectors_dir.as_deref(), settings.providers.clone());
    settings.known_providers = Some(Arc::new(known.map_err(|error| match error {
        ProvidersError::Unknown(name) => {
            let prefix = format!("providers.{name}.");
            let mut origins = settings.origins.iter();
            match origins.find(|(key, _)| key.starts_with(&prefix)) {
                Some((key, origin)) => SettingsError::Unknown {
                    key: key.clone(),
                    origin: origin.clone(),
                    valid: "the name of a provider that `heddle blocks providers` lists".to_owned(),
                },
                None => SettingsError::Connectors { reason: format!("there is no provider {name:?}") },
            }
        }
        other => SettingsError::Connectors { reason: other.to_string() },
    })?));
    Ok(())
}

fn read(path: &Path) -> Result<String, SettingsError> {
    std::fs::read_to_string(path)
        .map_err(|error| SettingsError::File { origin: path.display().to_string(), reason: error.to_string() })
}

fn from_file(settings: &mut Settings, path: &Path, text: &str) -> Result<(), SettingsError> {
    let line_at = |offset: usize| text[..offset.min(text.len())].matches('\n').count() + 1;
    let table = DeTable::parse(text).map_err(|error| SettingsError::File {
        origin: format!("{}:{}", path.display(), line_at(error.span().map_or(0, |span| span.start))),
        reason: error.message().to_owned(),
    })?;
    let mut found = Vec::new();
    flatten(table.get_ref(), "", &mut found)?;
    // In the order of the file, so that the first mistake is the one that is named.
    found.sort_by_key(|(_, _, offset)| *offset);
    for (key, given, offset) in found {
        put(settings, &key, &given, Origin::File(path.to_owned(), line_at(offset)))?;
    }
    Ok(())
}

/// Every value of a table under its dotted name, with the offset of its key.
fn flatten(table: &DeTable<'_>, prefix: &str, found: &mut Vec<(String, Given, usize)>) -> Result<(), SettingsError> {
    for (key, value) in table {
        let name = match prefix {
            "" => key.get_ref().to_string(),
            _ => format!("{prefix}.{}", key.get_ref()),
        };
        match value.get_ref() {
            DeValue::Table(inner) if table::is_section(&name) => flatten(inner, &name, found)?,
            other => found.push((name, given(other), key.span().start)),
        }
    }
    Ok(())
}

fn given(value: &DeValue<'_>) -> Given {
    let text = |value: &DeValue<'_>| match value {
        DeValue::String(text) => Some(text.to_string()),
        _ => None,
    };
    let other = |what: &str| Given::Other(what.to_owned());
    match value {
        DeValue::String(text) => Given::Text(text.to_string()),
        DeValue::Integer(number) => match i64::from_str_radix(number.as_str(), number.radix()) {
            Ok(number) => Given::Number(number),
            Err(_) => other("a number of that size"),
        },
        DeValue::Array(items) => match items.iter().map(|item| text(item.get_ref())).collect() {
            Some(items) => Given::List(items),
            None => other("a list of other things than texts"),
        },
        DeValue::Boolean(value) => Given::Other(value.to_string()),
        DeValue::Float(_) => other("a number with a fraction"),
        DeValue::Datetime(value) => Given::Other(value.to_string()),
        DeValue::Table(_) => other("a table"),
    }
}

/// `HEDDLE_<SECTION>__<KEY>`; other variables are none of our business.
fn from_variable(settings: &mut Settings, name: &OsString, value: &OsString) -> Result<(), SettingsError> {
    let Some(name) = name.to_str() else { return Ok(()) };
    let Some(key) = name.strip_prefix("HEDDLE_").filter(|rest| rest.contains("__")) else { return Ok(()) };
    let key = key.to_ascii_lowercase().replace("__", ".");
    let given = match value.to_str() {
        Some(text) => Given::Text(text.to_owned()),
        None => Given::Other("a value that is not UTF-8".to_owned()),
    };
    put(settings, &key, &given, Origin::Variable(name.to_owned()))
}

fn put(settings: &mut Settings, name: &str, given: &Given, origin: Origin) -> Result<(), SettingsError> {
    if let Some((provider, key)) = table::of_provider(name) {
        let set = settings.providers.entry(provider.to_owned()).or_default();
        if (key.read)(set, given).is_none() {
            let given = table::shown(name, given);
            return Err(SettingsError::Bad { key: name.to_owned(), given, origin, valid: key.valid });
        }
        settings.origins.insert(name.to_owned(), origin);
        return Ok(());
    }
    let Some(key) = KEYS.iter().find(|key| key.name == name) else {
        let key = name.to_owned();
        return Err(match table::is_later(name) {
            true => SettingsError::NotYet { key, origin },
            false => SettingsError::Unknown { key, origin, valid: table::names_near(name) },
        });
    };
    match (key.read)(settings, given) {
        Some(()) => {
            settings.origins.insert(key.name.to_owned(), origin);
            Ok(())
        }
        None => {
            Err(SettingsError::Bad { key: name.to_owned(), given: table::shown(name, given), origin, valid: key.valid })
        }
    }
}
