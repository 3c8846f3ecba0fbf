//! The forms by which a credential for one provider is added: an account to connect, or a secret to keep.
//!
//! The account page and the wizard show the same ones. Where `back` leads, the new credential's id is put behind it if it
//! ends in `=`.

use super::PATH;
use crate::pages::{Fields, Member, csrf};
use heddle_platform::integrations::{Kind, Provider};
use heddle_platform::{Error, NewCredential, NewSecret};
use maud::{Markup, html};
use url::form_urlencoded::byte_serialize;

/// Headers that one form takes.
const HEADERS: usize = 3;

/// What a set of forms is for.
pub struct Adding<'a> {
    /// The provider.
    pub provider: &'a Provider,
    /// What to ask it for; empty: the usual.
    pub scopes: &'a [String],
    /// Where to go on to, a path of ours.
    pub back: &'a str,
    /// What was sent, when a form comes back.
    pub given: &'a Fields,
}

/// The kinds that can be kept by a form.
pub const KEPT: [Kind; 3] = [Kind::ApiKey, Kind::UserPassword, Kind::HostScoped];

/// Kinds that a provider's credentials may be of here.
pub fn kinds(provider: &Provider) -> Vec<Kind> {
    KEPT.into_iter().filter(|kind| provider.places.contains_key(kind) || provider.lists(*kind)).collect()
}

/// The button that leads to the provider. A script opens a window instead, where it can.
pub fn connect(member: &Member, adding: &Adding<'_>) -> Markup {
    let Adding { provider, scopes, back, .. } = adding;
    if provider.oauth.is_none() {
        return Markup::default();
    }
    if member.app.platform.connect.check(&provider.name).is_err() {
        return html! {
            p.hint { "Accounts at " (provider.title) " cannot be connected yet: the operator of this server has to register it there first." }
        };
    }
    let encoded = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
    let api = member.link(&format!("/api/integrations/{}", provider.name));
    html! {
        form method="post" action=(member.link(&format!("{PATH}/{}/connect", provider.name)))
            data-login={ (api) "/login?scopes=" (encoded(&scopes.join(","))) } data-callback={ (api) "/callback" }
            data-done=(member.link(back)) {
            (csrf(member))
            input type="hidden" name="scopes" value=(scopes.join(" "));
            input type="hidden" name="back" value=(back);
            button { "Connect with " (provider.title) }
            p.error role="alert" hidden {}
        }
    }
}

/// The form for a secret of this kind.
pub fn keep(member: &Member, adding: &Adding<'_>, kind: Kind) -> Markup {
    let Adding { provider, back, given, .. } = adding;
    let asks =
        provider.asks_base_url && member.app.platform.integrations.providers().base_url(&provider.name).is_none();
    let is_it = given.get("type") == kind.as_str();
    let value = |name: &str| if is_it { given.get(name) } else { "" };
    // Several forms may stand on one page, and a label belongs to one field.
    let id = |name: &str| format!("{}-{}-{name}", provider.name, kind.as_str());
    let text = |label: &str, name: &str, input: &str, is_required: bool| {
        html! {
            div.field {
                label for=(id(name)) { (label) @if !is_required { span.optional { " (optional)" } } }
                input id=(id(name)) name=(name) type=(input) autocomplete="off" required[is_required] autocapitalize="none"
                    spellcheck="false" value=(if input == "password" { "" } else { value(name) });
            }
        }
    };
    html! {
        form method="post" action=(member.link(&format!("{PATH}/{}/keep", provider.name))) {
            (csrf(member))
            input type="hidden" name="type" value=(kind.as_str());
            input type="hidden" name="back" value=(back);
            (text("Name", "title", "text", true))
            @match kind {
                Kind::ApiKey => {
                    (text("API key", "api_key", "password", true))
                    (text("Base URL", "base_url", "url", asks))
                    p.hint {
                        @if asks { "Where the server is, such as http://127.0.0.1:11434/v1." }
                        @else { "Only for a server of your own, or a gateway, that speaks this service’s API." }
                    }
                }
                Kind::UserPassword => {
                    (text("User name", "username", "text", true))
                    (text("Password", "password", "password", true))
                }
                _ => {
                    (text("Host", "host", "text", true))
                    p.hint { "Such as api.example.org, or *.example.org for everything below it." }
                    @for number in 1..=HEADERS {
                        fieldset {
                            legend { "Header " (number) }
                            (text("Header name", &format!("name-{number}"), "text", number == 1))
                            (text("Value", &format!("value-{number}"), "password", number == 1))
                        }
                    }
                }
            }
            button { "Keep" }
        }
    }
}

/// Reads what such a form sent.
pub fn read(provider: &str, fields: &Fields) -> Result<NewCredential, Error> {
    let needed = |name: &str, label: &str| {
        fields.filled(name).map(str::to_owned).ok_or_else(|| Error::Refused(format!("{label} is missing")))
    };
    let secret = match Kind::parse(fields.get("type")) {
        Some(Kind::ApiKey) => NewSecret::ApiKey { key: needed("api_key", "the API key")?.into() },
        Some(Kind::UserPassword) => NewSecret::UserPassword {
            username: needed("username", "the user name")?.into(),
            // As it was typed: spaces may belong to it.
            password: Some(fields.get("password").to_owned())
                .filter(|password| !password.is_empty())
                .ok_or_else(|| Error::Refused("the password is missing".to_owned()))?
                .into(),
        },
        Some(Kind::HostScoped) => {
            let headers = (1..=HEADERS).filter_map(|number| {
                let name = fields.filled(&format!("name-{number}"))?.to_owned();
                Some((name, fields.get(&format!("value-{number}")).to_owned().into()))
            });
            NewSecret::HostScoped { host: needed("host", "the host")?, headers: headers.collect() }
        }
        _ => return Err(Error::Refused("there is no such kind of credential".to_owned())),
    };
    let title = Some(needed("title", "the name")?);
    let base_url = fields.filled("base_url").map(str::to_owned);
    Ok(NewCredential { provider: provider.to_owned(), title, secret, base_url, expires_at: None })
}
