//! Where a database is: a file, or an address that may hold a password and is never shown with it.

use crate::postgres::Settings;
use crate::{Error, MigrationState, Store};
use std::fmt;
use std::path::{Path, PathBuf};

/// Where a database is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Database {
    /// On SQLite, in this file.
    File(PathBuf),
    /// On PostgreSQL, at this address.
    Server(Address),
}

impl Database {
    /// Opens it. Blocks.
    pub fn open(&self) -> Result<Store, Error> {
        match self {
            Self::File(path) => Store::open(path),
            Self::Server(address) => Store::connect(&address.0),
        }
    }

    /// Each migration of this build and whether the database has it. Changes nothing and makes no file. Blocks.
    pub fn migrations(&self) -> Result<Vec<MigrationState>, Error> {
        match self {
            Self::File(path) => Store::migrations(path),
            Self::Server(address) => Store::migrations_at(&address.0),
        }
    }

    /// Whether it is a file of this machine's.
    pub fn is_file(&self) -> bool {
        matches!(self, Self::File(_))
    }
}

impl<P: AsRef<Path> + ?Sized> From<&P> for Database {
    fn from(path: &P) -> Self {
        Self::File(path.as_ref().to_owned())
    }
}

impl From<Address> for Database {
    fn from(address: Address) -> Self {
        Self::Server(address)
    }
}

/// The address of a PostgreSQL database, `postgres://…`. Shown with a star in place of each password.
#[derive(Clone, PartialEq, Eq)]
pub struct Address(String);

impl Address {
    /// Reads an address; connects to nothing. The error does not quote it.
    pub fn parse(text: &str) -> Result<Self, Error> {
        Settings::parse(text)?;
        Ok(Self(text.to_owned()))
    }

    /// A text that may be meant as an address, without its passwords.
    pub fn masked(text: &str) -> String {
        let (scheme, rest) = text.split_once("://").unwrap_or(("", text));
        // A password that was not escaped may hold any character: the last at-sign ends it.
        let (user, place) = match rest.rsplit_once('@') {
            Some((user, place)) => {
                (user.split_once(':').map_or(user.to_owned(), |(name, _)| format!("{name}:*")) + "@", place)
            }
            None => (String::new(), rest),
        };
        let (place, query) = place.split_once('?').map_or((place, None), |(place, query)| (place, Some(query)));
        let pairs = query.map(|query| {
            let hide = |pair: &str| match pair.split_once('=') {
                Some((key, _)) if key.contains("password") => format!("{key}=*"),
                _ => pair.to_owned(),
            };
            format!("?{}", query.split('&').map(hide).collect::<Vec<_>>().join("&"))
        });
        let scheme = if scheme.is_empty() { String::new() } else { format!("{scheme}://") };
        format!("{scheme}{user}{place}{}", pairs.unwrap_or_default())
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&Self::masked(&self.0))
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_shown_without_its_passwords() {
        for (text, shown) in [
            ("postgres://heddle@localhost/heddle", "postgres://heddle@localhost/heddle"),
            ("postgres://heddle:secret@localhost:5432/heddle", "postgres://heddle:*@localhost:5432/heddle"),
            (
                "postgres://heddle:sec/r@e?t@db.example.org/x?sslmode=require",
                "postgres://heddle:*@db.example.org/x?sslmode=require",
            ),
            ("postgres:///x?host=/run&password=secret&user=u", "postgres:///x?host=/run&password=*&user=u"),
            ("mysql://heddle:secret@localhost/heddle", "mysql://heddle:*@localhost/heddle"),
            ("heddle:secret@localhost", "heddle:*@localhost"),
            ("sqlite:", "sqlite:"),
        ] {
            assert_eq!(Address::masked(text), shown);
        }
        let address = Address::parse("postgres://heddle:secret@localhost/heddle").unwrap();
        assert!(!format!("{address} {address:?} {:?}", Database::from(address.clone())).contains("secret"));
    }
}
