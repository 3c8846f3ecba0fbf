//! A credential, opened: what a block holds while it works for somebody.

use heddle_model::Value;
use heddle_vault::Secret;
use serde::{Deserialize, Serialize};
use url::Url;

/// The kinds of credentials, as the wire names them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A key.
    ApiKey,
    /// Tokens that somebody's consent gave.
    #[serde(rename = "oauth2")]
    OAuth2,
    /// A name and a password.
    UserPassword,
    /// Headers for one host.
    HostScoped,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::ApiKey, Self::OAuth2, Self::UserPassword, Self::HostScoped];

    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ApiKey => "api_key",
            Self::OAuth2 => "oauth2",
            Self::UserPassword => "user_password",
            Self::HostScoped => "host_scoped",
        }
    }

    /// The kind of exactly this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

/// What stands in a node's credentials pin: which credential, and what it is said to be. Never a secret.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reference {
    /// The credential's id.
    pub id: String,
    /// E.g. `openai`.
    pub provider: String,
    /// Its kind as it was written, e.g. `api_key`.
    pub kind: String,
    /// What it is called; shown, never compared.
    pub title: Option<String>,
}

impl Reference {
    /// Reads a pin's value; `None` when it is no reference.
    pub fn read(value: &Value) -> Option<Self> {
        let text = |key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
        Some(Self { id: text("id")?, provider: text("provider")?, kind: text("type")?, title: text("title") })
    }
}

/// A credential with its secret.
#[derive(Clone, Debug)]
pub struct Credential {
    /// Its id.
    pub id: String,
    /// E.g. `openai`.
    pub provider: String,
    /// What it is called.
    pub title: Option<String>,
    /// What opens the door.
    pub material: Material,
    /// Where its API begins: the credential's own address, else that of `providers.<name>.base_url`, else the
    /// provider's. `None` when the provider has none, as `http` and `smtp`.
    pub base_url: Option<Url>,
}

/// The secret part.
#[derive(Clone, Debug)]
pub enum Material {
    /// A key.
    ApiKey {
        /// The key. Empty where a provider wants none, as a model server of one's own.
        key: Secret<String>,
    },
    /// Tokens; the refresh token stays in the vault.
    OAuth2 {
        /// The access token, good for some minutes at least.
        access_token: Secret<String>,
        /// What it allows.
        scopes: Vec<String>,
    },
    /// A name and a password.
    UserPassword {
        /// The name.
        username: Secret<String>,
        /// The password.
        password: Secret<String>,
    },
    /// Headers for one host.
    HostScoped {
        /// The host, `*.` before it for everything below it, with a port where only that port is meant.
        host: String,
        /// Header name and value.
        headers: Vec<(String, Secret<String>)>,
    },
}

impl Material {
    /// Which kind it is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::ApiKey { .. } => Kind::ApiKey,
            Self::OAuth2 { .. } => Kind::OAuth2,
            Self::UserPassword { .. } => Kind::UserPassword,
            Self::HostScoped { .. } => Kind::HostScoped,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn kinds_have_the_names_of_the_wire_everywhere() {
        for kind in Kind::ALL {
            assert_eq!(Kind::parse(kind.as_str()), Some(kind));
            assert_eq!(serde_json::to_value(kind).unwrap(), json!(kind.as_str()));
        }
        assert_eq!(Kind::parse("API_KEY"), None);
    }

    #[test]
    fn a_reference_has_an_id_a_provider_and_a_type() {
        let whole = json!({"id": "7", "provider": "openai", "type": "api_key", "title": null});
        let read = Reference::read(&whole).expect("a reference");
        assert_eq!((read.id.as_str(), read.provider.as_str(), read.kind.as_str()), ("7", "openai", "api_key"));
        assert_eq!(read.title, None);
        for part in [json!({}), json!(null), json!("7"), json!({"id": "7", "provider": "openai"})] {
            assert_eq!(Reference::read(&part), None, "{part}");
        }
    }

    #[test]
    fn what_is_printed_shows_no_secret() {
        let secret = || Secret::new("hunter2".to_owned());
        for material in [
            Material::ApiKey { key: secret() },
            Material::OAuth2 { access_token: secret(), scopes: vec![] },
            Material::UserPassword { username: secret(), password: secret() },
            Material::HostScoped { host: "a.example".to_owned(), headers: vec![("x-key".to_owned(), secret())] },
        ] {
            let credential =
                Credential { id: "7".to_owned(), provider: "p".to_owned(), title: None, material, base_url: None };
            assert!(!format!("{credential:?}").contains("hunter2"));
        }
    }
}
