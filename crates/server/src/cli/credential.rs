//! `heddle credential` and `heddle vault`: secrets for other services, and the key that seals them.

use clap::{Args, Subcommand, ValueEnum};

/// What to do with credentials.
#[derive(Debug, Subcommand)]
pub enum Credential {
    /// Keep a credential; what is secret of it is read from stdin
    Add(Add),
    /// List credentials, never what is secret of them
    List {
        /// Only this account's
        #[arg(long, value_name = "EMAIL")]
        user: Option<String>,
    },
    /// Remove a credential
    Remove {
        /// Id from `credential list`
        id: String,
    },
    /// List what has used credentials, latest first
    Uses {
        /// Whose [default: the operator account]
        #[arg(long, value_name = "EMAIL")]
        user: Option<String>,
        /// How many at most
        #[arg(long, value_name = "N", default_value_t = 100)]
        limit: u64,
    },
}

/// `heddle credential add`
///
/// On stdin, a line each: for api_key the key; for user_password the password; for host_scoped headers as `Name: value`; for
/// oauth2 the access token, and the refresh token if there is one.
#[derive(Args, Debug)]
pub struct Add {
    /// For which provider, e.g. openai
    #[arg(long, value_name = "P")]
    pub provider: String,
    /// What kind it is
    #[arg(long, value_name = "T", value_enum)]
    pub r#type: Kind,
    /// For people
    #[arg(long)]
    pub title: Option<String>,
    /// Whose it is to be [default: the operator account]
    #[arg(long, value_name = "EMAIL")]
    pub user: Option<String>,
    /// Where the provider's API is for it, when that is not the usual place
    #[arg(long, value_name = "URL")]
    pub base_url: Option<String>,
    /// The name, of user_password; what the account is called, of oauth2
    #[arg(long, value_name = "NAME", required_if_eq("type", "user_password"))]
    pub username: Option<String>,
    /// A host, or *. and a domain, of host_scoped
    #[arg(long, value_name = "HOST", required_if_eq("type", "host_scoped"))]
    pub host: Option<String>,
    /// What it allows, separated by commas, of oauth2
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    pub scopes: Vec<String>,
}

/// The kinds of credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub enum Kind {
    /// A key
    ApiKey,
    /// Tokens
    #[value(name = "oauth2")]
    OAuth2,
    /// A name and a password
    UserPassword,
    /// Headers for a host
    HostScoped,
}

/// What to do with the master key.
#[derive(Debug, Subcommand)]
pub enum Vault {
    /// Make a new master key and seal every secret with it; the server may run, and nothing stops meanwhile
    Rotate,
}
