//! `heddle app`: OAuth applications.

use super::{Scopes, scopes};
use clap::{Args, Subcommand};
use std::path::PathBuf;

/// What to do with applications.
#[derive(Debug, Subcommand)]
pub enum App {
    /// Make an application; its secret is shown once
    Create(Create),
    /// List applications, newest first
    List {
        /// Only this account's
        #[arg(long, value_name = "EMAIL")]
        user: Option<String>,
    },
    /// Show one application
    Show {
        /// Client id, or id from `app list`
        id: String,
    },
    /// Change an application
    Edit(Edit),
    /// Give an application a new secret, shown once; the one it had goes on for a day
    #[command(visible_alias = "secret")]
    RotateSecret {
        /// Client id, or id from `app list`
        id: String,
    },
    /// Switch an application off: its tokens stop working at once
    Disable {
        /// Client id, or id from `app list`
        id: String,
    },
    /// Switch an application on again
    Enable {
        /// Client id, or id from `app list`
        id: String,
    },
    /// Remove an application and all that came of it
    Delete {
        /// Client id, or id from `app list`
        id: String,
    },
    /// Keep applications of an upstream database: a row of it as a JSON object, or an array of them
    Import {
        /// The rows; ids, secret hash and salt stay as they are
        file: PathBuf,
        /// Whose they are to be [default: nobody's]
        #[arg(long, value_name = "EMAIL")]
        user: Option<String>,
    },
    /// Print a token that lets its holder register applications (oauth.registration = token); it is shown once
    RegistrationToken {
        /// After so many days it is no good any more
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=3650))]
        days: Option<u32>,
    },
    /// Revoke such a token, read from the first line of stdin
    RevokeRegistrationToken,
}

/// `heddle app create`
#[derive(Args, Debug)]
pub struct Create {
    /// For people
    #[arg(long)]
    pub name: String,
    /// Where it may send people back to; repeatable
    #[arg(long = "redirect-uri", required = true, value_name = "URI")]
    pub redirect_uris: Vec<String>,
    /// The most it may ask for: scopes separated by commas, or all
    #[arg(long, value_parser = scopes)]
    pub scopes: Scopes,
    /// It cannot keep a secret, as in a browser or on a person's machine
    #[arg(long)]
    pub public: bool,
    /// For people
    #[arg(long)]
    pub description: Option<String>,
    /// Address of an image, for people
    #[arg(long, value_name = "URL")]
    pub logo_url: Option<String>,
    /// Whose it is to be [default: nobody's]
    #[arg(long, value_name = "EMAIL")]
    pub user: Option<String>,
}

/// `heddle app edit`
#[derive(Args, Debug)]
pub struct Edit {
    /// Client id, or id from `app list`
    pub id: String,
    /// For people
    #[arg(long)]
    pub name: Option<String>,
    /// Where it may send people back to, instead of what there is; repeatable
    #[arg(long = "redirect-uri", value_name = "URI")]
    pub redirect_uris: Vec<String>,
    /// The most it may ask for, instead of what there is
    #[arg(long, value_parser = scopes)]
    pub scopes: Option<Scopes>,
    /// For people
    #[arg(long)]
    pub description: Option<String>,
    /// Address of an image, for people
    #[arg(long, value_name = "URL")]
    pub logo_url: Option<String>,
    /// What its ID tokens are signed with: RS256 or ES256
    #[arg(long, value_name = "ALG", value_parser = ["RS256", "ES256"])]
    pub id_token_alg: Option<String>,
    /// Whether people are not asked whether they allow it
    #[arg(long, value_name = "BOOL")]
    pub trusted: Option<bool>,
    /// Whether it may look at tokens of other applications
    #[arg(long, value_name = "BOOL")]
    pub resource_server: Option<bool>,
    /// Whether it must push its requests
    #[arg(long, value_name = "BOOL")]
    pub require_pushed: Option<bool>,
    /// Whether it may use plain code challenges
    #[arg(long, value_name = "BOOL")]
    pub plain_challenges: Option<bool>,
}
