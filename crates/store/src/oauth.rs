//! The authorization server's rows: applications, families, codes, tokens, consents, pushed requests and signing keys.
//! The rows are the types of `heddle_oauth`, which judges them; here is what makes a thing happen once.
//!
//! Codes and tokens are always read together with all that they are judged by, from the same instant. What may happen
//! once is an update on the condition that it has not happened yet, in one commit with what follows from it.

mod apps;
mod codes;
mod consents;
mod families;
mod pushed;
mod registrations;
mod signing;
mod sweep;
mod tokens;

use crate::Error;
use crate::accounts::{Account, read_account};
use crate::cell::{Row, unreadable};
use heddle_oauth::family::Standing;
use heddle_oauth::{Client, Digest, Family, Scope, Scopes};
use serde_json::Value;

pub use codes::NewGrant;
pub use sweep::Swept;

/// A code or token and all that it is judged by.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Held<T> {
    /// Itself.
    pub item: T,
    /// Its family.
    pub family: Family,
    /// Its application.
    pub client: Client,
    /// The person's account, which may be disabled.
    pub account: Account,
}

impl<T> Held<T> {
    /// In the form in which it is judged.
    pub fn judged(&self) -> (&T, Standing<'_>) {
        let standing = Standing {
            family: &self.family,
            client: Some(&self.client),
            user_is_enabled: self.account.disabled_at.is_none(),
        };
        (&self.item, standing)
    }
}

/// What stands behind a code's or token's own columns in a question for a [`Held`].
macro_rules! rest {
    () => {
        concat!(families::columns!(), ", ", apps::columns!(), ", ", accounts::columns!())
    };
}
use rest;

/// What is joined to a code or token, given its table.
macro_rules! held {
    ($table:literal) => {
        concat!(
            " FROM ",
            $table,
            " JOIN oauth_family ON oauth_family.id = ",
            $table,
            ".family JOIN oauth_app ON oauth_app.id = oauth_family.app \
             JOIN account ON account.id = oauth_family.account WHERE ",
            $table,
            ".digest = ?1"
        )
    };
}
use held;

/// Reads what [`rest`] names, behind `width` columns of the item's own.
fn read_held<T>(row: &Row<'_>, width: usize, item: T) -> Result<Held<T>, Error> {
    Ok(Held {
        item,
        family: families::read(row, width)?,
        client: apps::read(row, width + families::WIDTH)?,
        account: read_account(row, width + families::WIDTH + apps::WIDTH)?,
    })
}

fn digest(row: &Row<'_>, column: usize) -> Result<Digest, Error> {
    row.array(column).map(Digest)
}

/// A name that only a newer release knows grants nothing here.
fn scopes(row: &Row<'_>, column: usize) -> Result<Scopes, Error> {
    Ok(read_scopes(&row.str(column)?))
}

fn read_scopes(text: &str) -> Scopes {
    text.split_whitespace().filter_map(Scope::parse).collect()
}

fn list(row: &Row<'_>, column: usize) -> Result<Vec<String>, Error> {
    let unfit = || unreadable(column, "no list of texts");
    let Value::Array(elements) = row.json(column)? else { return Err(unfit()) };
    elements.into_iter().map(|element| element.as_str().map(str::to_owned).ok_or_else(unfit)).collect()
}

fn json(texts: &[String]) -> String {
    Value::from(texts).to_string()
}
