//! What an application must be before it is put here, whoever asks: an operator, a person, or itself (`auth.md` 5.2,
//! 12.8; RFC 7591, 2).

use crate::client::{Client, GrantType, Origin, Proof};
use crate::oidc::Algorithm;
use crate::redirect;
use crate::{Kept, Kind, Plain};
use heddle_model::{AppId, OrgId, Scope as Permission, Time, UserId};
use url::Url;

const LONGEST_NAME: usize = 100;
const LONGEST_DESCRIPTION: usize = 1_000;
const MOST_REDIRECTS: usize = 20;

/// An application that is asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Draft {
    /// For people.
    pub name: String,
    /// For people.
    pub description: Option<String>,
    /// For people.
    pub logo_url: Option<String>,
    /// Where it may send people back to.
    pub redirect_uris: Vec<String>,
    /// What it may do at the token endpoint.
    pub grant_types: Vec<GrantType>,
    /// The most it may ask for.
    pub scopes: Vec<Permission>,
    /// Whether it cannot keep a secret.
    pub is_public: bool,
    /// Whether it must push its requests.
    pub requires_pushed: bool,
    /// What its ID tokens are signed with.
    pub id_token_algorithm: Algorithm,
}

/// Why it is not put here.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Unfit {
    /// Empty, too long, or written to look like something else.
    #[error("the name must have 1 to {LONGEST_NAME} characters that can be seen")]
    Name,
    /// Too long.
    #[error("the description must have at most {LONGEST_DESCRIPTION} characters")]
    Description,
    /// No address of an image that can be shown safely.
    #[error("the logo must be an https address")]
    Logo,
    /// None, or more than anybody needs.
    #[error("there must be 1 to {MOST_REDIRECTS} redirect URIs")]
    Redirects,
    /// One of them cannot be.
    #[error("redirect URI {0:?} {1}")]
    Redirect(String, redirect::Unfit),
    /// Nothing to ask for.
    #[error("at least one scope is required")]
    NoScope,
    /// There is no other way to a first token.
    #[error("the grant types must include authorization_code")]
    NoCodes,
}

/// What comes with the moment of making one.
#[derive(Clone, Copy)]
pub struct Making {
    /// The record's id.
    pub id: AppId,
    /// For the client id.
    pub name_bytes: [u8; 32],
    /// For the secret.
    pub secret_bytes: [u8; 32],
    /// Whose it is.
    pub owner: Option<UserId>,
    /// In which organization its tokens act.
    pub organization: Option<OrgId>,
    /// Who puts it here.
    pub origin: Origin,
    /// When.
    pub now: Time,
}

impl Draft {
    /// Whether it may be put here; for changes of one that is here, too.
    pub fn check(&self) -> Result<(), Unfit> {
        if !is_name(&self.name) {
            return Err(Unfit::Name);
        }
        if self.description.as_ref().is_some_and(|text| text.chars().count() > LONGEST_DESCRIPTION) {
            return Err(Unfit::Description);
        }
        if self.logo_url.as_ref().is_some_and(|url| !is_image_address(url)) {
            return Err(Unfit::Logo);
        }
        if !(1..=MOST_REDIRECTS).contains(&self.redirect_uris.len()) {
            return Err(Unfit::Redirects);
        }
        for uri in &self.redirect_uris {
            redirect::check(uri).map_err(|unfit| Unfit::Redirect(uri.chars().take(200).collect(), unfit))?;
        }
        if self.scopes.is_empty() {
            return Err(Unfit::NoScope);
        }
        if !self.grant_types.contains(&GrantType::AuthorizationCode) {
            return Err(Unfit::NoCodes);
        }
        Ok(())
    }

    /// The application, and its secret for the only time it is seen.
    pub fn make(self, making: Making) -> Result<(Client, Option<Plain>), Unfit> {
        self.check()?;
        let secret = (!self.is_public).then(|| Kind::ClientSecret.make(making.secret_bytes));
        let proof = match &secret {
            Some(secret) => Proof::Secret { current: Kept::of(secret), previous: None },
            None => Proof::Public,
        };
        let client = Client {
            id: making.id,
            client_id: Kind::ClientId.make(making.name_bytes).expose().to_owned(),
            name: self.name.trim().to_owned(),
            description: self.description,
            logo_url: self.logo_url,
            proof,
            redirect_uris: self.redirect_uris,
            grant_types: self.grant_types,
            scopes: self.scopes,
            default_scopes: None,
            owner: making.owner,
            organization: making.organization,
            origin: making.origin,
            is_active: true,
            is_trusted: false,
            is_resource_server: false,
            requires_pushed: self.requires_pushed,
            allows_plain: false,
            id_token_algorithm: self.id_token_algorithm,
            created_at: making.now,
            updated_at: making.now,
        };
        Ok((client, secret))
    }
}

/// Seen as what it is: nothing that turns the direction of the text around it, or takes up no room.
fn is_name(name: &str) -> bool {
    let hidden = |c: char| {
        c.is_control()
            || matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    (1..=LONGEST_NAME).contains(&name.trim().chars().count())
        && name.len() <= 4 * LONGEST_NAME
        && !name.contains(hidden)
}

fn is_image_address(url: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_graphic() && !b"\"'<>\\^`{|}".contains(&byte);
    let is_own = |url: Url| url.scheme() == "https" && url.username().is_empty() && url.password().is_none();
    url.len() <= redirect::LONGEST && url.bytes().all(is_plain) && Url::parse(url).is_ok_and(is_own)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::NOW;

    fn draft() -> Draft {
        Draft {
            name: " Looms ".to_owned(),
            description: None,
            logo_url: None,
            redirect_uris: vec!["https://looms.example/cb".to_owned()],
            grant_types: GrantType::ALL.to_vec(),
            scopes: vec![Permission::Identity],
            is_public: false,
            requires_pushed: false,
            id_token_algorithm: Algorithm::Es256,
        }
    }

    /// `auth.md` 5.2, 12.8.
    #[test]
    fn an_application_needs_a_name_an_address_and_something_to_ask_for() {
        let text = |text: &str| text.to_owned();
        for (draft, unfit) in [
            (Draft { name: text(" "), ..draft() }, Unfit::Name),
            (Draft { name: "x".repeat(101), ..draft() }, Unfit::Name),
            (Draft { name: text("Looms\u{202e}gpj"), ..draft() }, Unfit::Name),
            (Draft { name: text("Loo\u{200b}ms"), ..draft() }, Unfit::Name),
            (Draft { name: text("Looms\n"), ..draft() }, Unfit::Name),
            (Draft { description: Some("x".repeat(1_001)), ..draft() }, Unfit::Description),
            (Draft { logo_url: Some(text("http://a.example/l.png")), ..draft() }, Unfit::Logo),
            (Draft { logo_url: Some(text("javascript:alert(1)")), ..draft() }, Unfit::Logo),
            (Draft { logo_url: Some(text("https://a.example/\"onerror=x")), ..draft() }, Unfit::Logo),
            (Draft { logo_url: Some(text("https://:pw@a.example/l.png")), ..draft() }, Unfit::Logo),
            (Draft { redirect_uris: vec![], ..draft() }, Unfit::Redirects),
            (Draft { redirect_uris: vec![text("https://a.example"); 21], ..draft() }, Unfit::Redirects),
            (
                Draft { redirect_uris: vec![text("data:x")], ..draft() },
                Unfit::Redirect(text("data:x"), redirect::Unfit::Scheme),
            ),
            (Draft { scopes: vec![], ..draft() }, Unfit::NoScope),
            (Draft { grant_types: vec![GrantType::RefreshToken], ..draft() }, Unfit::NoCodes),
        ] {
            assert_eq!(draft.check(), Err(unfit));
        }
        assert_eq!(draft().check(), Ok(()));
    }

    #[test]
    fn a_secret_is_seen_once_and_only_by_those_who_can_keep_it() {
        let making = Making {
            id: AppId::from_random([1; 16]),
            name_bytes: [5; 32],
            secret_bytes: [6; 32],
            owner: None,
            organization: None,
            origin: Origin::Dynamic,
            now: NOW,
        };
        let (client, secret) = draft().make(making).unwrap();
        assert_eq!((client.name.as_str(), client.client_id.len()), ("Looms", 34));
        assert_eq!(client.proof, Proof::Secret { current: Kept::of(&secret.unwrap()), previous: None });
        assert_eq!(client.id_token_algorithm, Algorithm::Es256);
        assert!(!client.is_trusted && !client.allows_plain && !client.is_resource_server);
        let (public, none) = Draft { is_public: true, ..draft() }.make(making).unwrap();
        assert!(none.is_none() && !public.is_confidential());
    }
}
