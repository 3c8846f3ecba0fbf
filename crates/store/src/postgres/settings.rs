//! What `postgres://…` asks for.
//!
//! Stricter than other clients where they are lax: over a network the connection is encrypted and the server's
//! certificate checked unless the address says `sslmode=disable`. The address may hold a password, so no error quotes it.

use super::tls::Tls;
use crate::Error;
use std::str::FromStr;
use std::time::Duration;
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};
use url::form_urlencoded;

/// Unless the address has a `tcp_user_timeout`.
const PATIENCE: Duration = Duration::from_secs(30);

/// How to reach a database.
pub(crate) struct Settings {
    pub(crate) config: Config,
    pub(crate) tls: Tls,
    /// How long the server may leave a question unanswered.
    pub(crate) patience: Duration,
}

impl Settings {
    /// Reads an address.
    pub(crate) fn parse(url: &str) -> Result<Self, Error> {
        if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
            return Err(refused("it does not begin with postgres://"));
        }
        let (address, query) = url.split_once('?').unwrap_or((url, ""));
        let (mut mode, mut roots, mut rest) = (None, None, Vec::new());
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            match key {
                "sslmode" => mode = Some(value),
                "sslrootcert" => roots = Some(decoded(value)),
                _ => rest.push(pair),
            }
        }
        let mut config = Config::from_str(&format!("{address}?{}", rest.join("&"))).map_err(unreadable)?;
        if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
            return Err(refused("it names no host"));
        }
        let encrypted = match mode {
            None => !is_here(&config),
            Some("disable") => false,
            Some("require" | "verify-ca" | "verify-full") => true,
            Some(_) => return Err(refused("sslmode is disable, require or verify-full")),
        };
        config.ssl_mode(if encrypted { SslMode::Require } else { SslMode::Disable });
        let roots = roots.filter(|file| file != "system");
        let tls = if encrypted { Tls::new(roots.as_deref())? } else { Tls::none() };
        fill(&mut config);
        let patience = config.get_tcp_user_timeout().copied().unwrap_or(PATIENCE);
        Ok(Self { config, tls, patience })
    }
}

/// A dead server is to be noticed in seconds, not in the hours that the system's own settings allow. The process is
/// named, so that whoever finds the database in use knows by whom.
fn fill(config: &mut Config) {
    let name = format!("{} (pid {})", config.get_application_name().unwrap_or("heddle"), std::process::id());
    config.application_name(name);
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(Duration::from_secs(10));
    }
    if config.get_tcp_user_timeout().is_none() {
        config.tcp_user_timeout(PATIENCE);
    }
    if config.get_keepalives_interval().is_none() {
        config.keepalives_idle(Duration::from_secs(30));
        config.keepalives_interval(Duration::from_secs(10));
        config.keepalives_retries(3);
    }
}

/// Whether nothing leaves this machine.
fn is_here(config: &Config) -> bool {
    let hosts = config.get_hosts().iter().all(|host| match host {
        Host::Unix(_) => true,
        Host::Tcp(name) => {
            name == "localhost"
                || name.trim_matches(['[', ']']).parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback())
        }
    });
    hosts && config.get_hostaddrs().iter().all(std::net::IpAddr::is_loopback)
}

fn decoded(value: &str) -> String {
    // A plus sign stands for itself here.
    let value = value.replace('+', "%2B");
    form_urlencoded::parse(format!("v={value}").as_bytes()).map(|(_, value)| value.into_owned()).collect()
}

fn refused(why: &str) -> Error {
    Error::Address(why.to_owned())
}

fn unreadable(error: tokio_postgres::Error) -> Error {
    match Error::from(error) {
        Error::Disk(text) => Error::Address(text),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(url: &str) -> Result<SslMode, String> {
        Settings::parse(url).map(|settings| settings.config.get_ssl_mode()).map_err(|error| error.to_string())
    }

    #[test]
    fn only_what_stays_on_this_machine_goes_unencrypted_unasked() {
        for (url, encrypted) in [
            ("postgres://heddle@localhost/heddle", false),
            ("postgresql://heddle@127.0.0.1:5433/heddle", false),
            ("postgres://heddle@[::1]/heddle", false),
            ("postgres://heddle@%2Frun%2Fpostgresql/heddle", false),
            ("postgres:///heddle?host=/run/postgresql", false),
            ("postgres://heddle@db.example.org/heddle", true),
            ("postgres://heddle@10.0.0.1/heddle", true),
            ("postgres://heddle@localhost,db.example.org/heddle", true),
            ("postgres://heddle@localhost/heddle?hostaddr=10.0.0.1", true),
            ("postgres://heddle@localhost/heddle?sslmode=require", true),
            ("postgres://heddle@db.example.org/heddle?sslmode=disable", false),
            ("postgres://heddle@db.example.org/heddle?connect_timeout=3&sslmode=verify-full&sslrootcert=system", true),
        ] {
            assert_eq!(mode(url), Ok(if encrypted { SslMode::Require } else { SslMode::Disable }), "{url}");
        }
    }

    #[test]
    fn an_address_that_cannot_be_used_is_refused_without_being_quoted() {
        for (url, why) in [
            ("mysql://heddle:secret@localhost/heddle", "postgres://"),
            ("postgres://heddle:secret@localhost/heddle?sslmode=prefer", "sslmode is"),
            ("postgres://heddle:secret@localhost:port/heddle", "port"),
            ("postgres://heddle:secret@localhost/heddle?colour=blue", "colour"),
            ("postgres://heddle:secret@db.example.org/heddle?sslrootcert=/no/such/file", "/no/such/file"),
            ("postgres:///heddle?password=secret", "no host"),
        ] {
            let refusal = mode(url).unwrap_err();
            assert!(refusal.contains(why) && !refusal.contains("secret"), "{url}: {refusal}");
        }
    }
}
