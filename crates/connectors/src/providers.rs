//! All providers of a server, with what its operator has set about them.

use crate::shipped::SHIPPED;
use crate::{Credential, Material, Mistake, Place, Provider};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use heddle_outbound::Request;
use heddle_vault::Secret;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use url::Url;

/// What an operator sets about a provider (`providers.<name>.…`).
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    /// Where its API begins, for gateways and tests.
    pub base_url: Option<Url>,
    /// A key that every account may use.
    pub api_key: Option<Secret<String>>,
    /// This server's id as an OAuth client there.
    pub client_id: Option<String>,
    /// Its secret.
    pub client_secret: Option<Secret<String>>,
}

/// Why the providers cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The folder or a file of it cannot be read.
    #[error("{}: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// A file is not right.
    #[error("{}:{mistake}", path.display())]
    Mistake {
        /// Which.
        path: PathBuf,
        /// What is wrong with it.
        mistake: Mistake,
    },
    /// Something was set about a provider that there is not.
    #[error("there is no provider {0:?}")]
    Unknown(String),
}

/// Why a secret does not go along with a request.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Misplaced {
    /// The request leads to a host that is not the provider's.
    #[error("credentials for {provider} are not sent to {host}")]
    Host {
        /// The provider.
        provider: String,
        /// The host.
        host: String,
    },
    /// The provider takes no credential of this kind in a request.
    #[error("{provider} takes no {kind} credentials here")]
    Kind {
        /// The provider.
        provider: String,
        /// The kind.
        kind: &'static str,
    },
    /// The request or the secret cannot be used.
    #[error(transparent)]
    Request(#[from] heddle_outbound::Error),
}

/// The providers by name.
#[derive(Clone, Debug, Default)]
pub struct Providers(BTreeMap<String, Entry>);

#[derive(Clone, Debug)]
struct Entry {
    provider: Provider,
    overrides: Overrides,
}

impl Providers {
    /// Those of this build and of a folder's `.yaml` files; one of the folder takes the place of one of the same name.
    pub fn new(folder: Option<&Path>, mut settings: BTreeMap<String, Overrides>) -> Result<Self, Error> {
        let mut all = BTreeMap::new();
        for (name, text) in SHIPPED {
            let path = || PathBuf::from(format!("connectors/{name}.yaml"));
            let read = Provider::read(name, text).map_err(|mistake| Error::Mistake { path: path(), mistake })?;
            all.insert((*name).to_owned(), read);
        }
        for provider in folder.map(of_folder).transpose()?.into_iter().flatten() {
            all.insert(provider.name.clone(), provider);
        }
        if let Some(name) = settings.keys().find(|name| !all.contains_key(*name)) {
            return Err(Error::Unknown(name.clone()));
        }
        let entry = |(name, provider): (String, Provider)| {
            let overrides = settings.remove(&name).unwrap_or_default();
            (name, Entry { provider, overrides })
        };
        Ok(Self(all.into_iter().map(entry).collect()))
    }

    /// The provider of exactly this name.
    pub fn get(&self, name: &str) -> Option<&Provider> {
        self.0.get(name).map(|entry| &entry.provider)
    }

    /// All of them, by name in byte order.
    pub fn iter(&self) -> impl Iterator<Item = &Provider> {
        self.0.values().map(|entry| &entry.provider)
    }

    /// What the operator has set about a provider.
    pub fn overrides(&self, name: &str) -> Option<&Overrides> {
        self.0.get(name).map(|entry| &entry.overrides)
    }

    /// Where a provider's API begins on this server.
    pub fn base_url(&self, name: &str) -> Option<&Url> {
        let entry = self.0.get(name)?;
        entry.overrides.base_url.as_ref().or(entry.provider.base_url.as_ref())
    }

    /// Whether a credential's secret may be sent where `url` leads. One with an address of its own goes there alone.
    pub fn admits(&self, credential: &Credential, url: &Url) -> bool {
        if let Material::HostScoped { host, .. } = &credential.material {
            return crate::HostPattern::parse(host).is_some_and(|host| host.covers(url));
        }
        let usual = self.base_url(&credential.provider);
        let is_base = credential.base_url.as_ref().is_some_and(|base| base.origin() == url.origin());
        let is_elsewhere = credential.base_url.as_ref() != usual;
        is_base || !is_elsewhere && self.get(&credential.provider).is_some_and(|provider| provider.admits(url))
    }

    /// Puts a credential's secret into a request, where the provider wants it, or refuses to when the request leads
    /// elsewhere. A redirect to another origin does not take it along.
    pub fn attach(&self, credential: &Credential, request: Request) -> Result<Request, Misplaced> {
        let url = request.target()?;
        if !self.admits(credential, &url) {
            let host = url.host_str().unwrap_or_default().to_owned();
            return Err(Misplaced::Host { provider: credential.provider.clone(), host });
        }
        let kind = credential.material.kind();
        let wrong = || Misplaced::Kind { provider: credential.provider.clone(), kind: kind.as_str() };
        let place = self.get(&credential.provider).and_then(|provider| provider.places.get(&kind)).ok_or_else(wrong)?;
        let secret = match &credential.material {
            Material::ApiKey { key: secret } | Material::OAuth2 { access_token: secret, .. } => secret,
            Material::UserPassword { username, password } => {
                return match place {
                    Place::Basic => Ok(request.secret_header("authorization", &basic(username, password))?),
                    _ => Err(wrong()),
                };
            }
            Material::HostScoped { headers, .. } => {
                let each = |request: Request, (name, value): &(String, Secret<String>)| {
                    request.secret_header(name, value.expose())
                };
                return Ok(headers.iter().try_fold(request, each)?);
            }
        };
        Ok(match place {
            Place::Header { name, prefix } => request.secret_header(name, &format!("{prefix}{}", secret.expose()))?,
            Place::Query(name) => request.at(with_query(url, name, secret)),
            Place::Path(segment) => {
                let base = credential.base_url.as_ref().map_or("", Url::path);
                request.at(with_segment(url, base, &segment.replace("{secret}", secret.expose())))
            }
            Place::Basic | Place::Elsewhere => return Err(wrong()),
        })
    }
}

fn of_folder(folder: &Path) -> Result<Vec<Provider>, Error> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| Error::File { path, source }
    };
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed(folder))? {
        paths.push(entry.map_err(failed(folder))?.path());
    }
    paths.retain(|path| path.extension().is_some_and(|ending| ending == "yaml"));
    paths.sort();
    paths.iter().map(|path| of_file(path)).collect()
}

/// Reads one file; its name is the provider's.
pub fn of_file(path: &Path) -> Result<Provider, Error> {
    let text = std::fs::read_to_string(path).map_err(|source| Error::File { path: path.to_owned(), source })?;
    let name = path.file_stem().unwrap_or_default().to_string_lossy();
    Provider::read(&name, &text).map_err(|mistake| Error::Mistake { path: path.to_owned(), mistake })
}

fn basic(username: &Secret<String>, password: &Secret<String>) -> String {
    format!("Basic {}", STANDARD.encode(format!("{}:{}", username.expose(), password.expose())))
}

fn with_query(mut url: Url, name: &str, secret: &Secret<String>) -> Url {
    url.query_pairs_mut().append_pair(name, secret.expose());
    url
}

/// The URL with a segment between the path of the base and the rest.
fn with_segment(mut url: Url, base: &str, segment: &str) -> Url {
    let base = base.trim_end_matches('/');
    let path = url.path().to_owned();
    let rest = path.strip_prefix(base).unwrap_or(&path).trim_start_matches('/');
    // What would end the segment is written so that it does not.
    let segment = segment.replace('%', "%25").replace('/', "%2F").replace('?', "%3F").replace('#', "%23");
    url.set_path(&format!("{base}/{segment}/{rest}"));
    url
}

#[cfg(test)]
mod tests;
