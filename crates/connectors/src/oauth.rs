//! How an account at a provider is connected by OAuth 2.0.

use crate::file::HttpUrl;
use serde::Deserialize;
use std::collections::BTreeMap;
use url::Url;

/// A provider's authorization server, and how this server behaves as its client.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OAuth {
    /// Where a person is sent (RFC 6749, 3.1).
    pub authorize: HttpUrl,
    /// Where codes become tokens (RFC 6749, 3.2).
    pub token: HttpUrl,
    /// Where tokens are ended.
    pub revoke: Option<Revocation>,
    /// What is asked for when nothing is named.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// What stands between scopes; a blank unless said otherwise (RFC 6749, 3.3).
    #[serde(default = "blank")]
    pub separator: String,
    /// Whether it takes part in PKCE, always with S256 (RFC 7636).
    #[serde(default)]
    pub pkce: bool,
    /// How the client proves itself at the token's address.
    #[serde(default)]
    pub client: ClientProof,
    /// What goes along to the authorization address each time.
    #[serde(default)]
    pub parameters: BTreeMap<String, String>,
    /// Where the name of the connected account is found.
    pub account: Option<Account>,
    /// What the server calls itself (RFC 9207; OpenID Connect Discovery, 3), compared exactly.
    pub issuer: Option<String>,
    /// Whether it says so each time that it sends a person back: one that does not is then refused.
    #[serde(default)]
    pub says_issuer: bool,
}

fn blank() -> String {
    " ".to_owned()
}

/// How a client shows its id and secret (RFC 6749, 2.3.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientProof {
    /// As fields of the form.
    #[default]
    Post,
    /// By HTTP Basic.
    Basic,
    /// Not at all.
    None,
}

/// How a token is ended (RFC 7009, and what differs from it).
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Revocation {
    /// Where; `{client_id}` in it stands for that.
    pub url: HttpUrl,
    /// The method; POST unless said otherwise.
    #[serde(default)]
    pub method: RevocationMethod,
    /// How the client proves itself; as at the token's address unless said otherwise.
    pub client: Option<ClientProof>,
    /// What the body is.
    #[serde(default)]
    pub body: RevocationBody,
    /// The member that names the token; `token` unless said otherwise.
    #[serde(default = "token")]
    pub parameter: String,
    /// Whether the token is no member but authorizes the request itself.
    #[serde(default)]
    pub token: TokenPlace,
}

impl Revocation {
    /// Where the client of this id ends a token.
    pub fn url_for(&self, client_id: &str) -> Url {
        let mut url = self.url.0.clone();
        // Braces are written as the parser of URLs writes them.
        let path = url.path().replace("%7Bclient_id%7D", client_id);
        url.set_path(&path);
        url
    }
}

fn token() -> String {
    "token".to_owned()
}

/// The method of a revocation.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum RevocationMethod {
    /// POST.
    #[default]
    Post,
    /// DELETE.
    Delete,
}

/// The body of a revocation.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RevocationBody {
    /// Fields of a form.
    #[default]
    Form,
    /// A JSON object.
    Json,
}

/// Where the token of a revocation stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenPlace {
    /// In the body.
    #[default]
    Body,
    /// In the Authorization header, as a bearer token.
    Bearer,
}

/// Where the name of the account is found.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Account {
    /// What to ask, with the token; the token's answer itself when there is none.
    pub url: Option<HttpUrl>,
    /// Where in the answer (RFC 6901).
    pub pointer: String,
}
