//! Applications: what is known of each, what it may ask for, and what others are shown of it (`auth.md` 5).

use crate::oidc::Algorithm;
use crate::secret::{Kept, Plain};
use crate::{Scope, Scopes};
use heddle_model::{AppId, OrgId, Scope as Permission, Time, UserId};
use serde::Serialize;

/// How long a replaced secret goes on working (`auth.md` 12.8), so that an application can be changed at leisure.
pub const OVERLAP_SECONDS: i64 = 24 * 3_600;

/// What an application may do at the token endpoint.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum GrantType {
    /// Redeem a code; without it there is no use asking for one.
    AuthorizationCode,
    /// Redeem a refresh token; without it none is given.
    RefreshToken,
}

impl GrantType {
    /// Both, which is what an application gets that asks for nothing else.
    pub const ALL: [Self; 2] = [Self::AuthorizationCode, Self::RefreshToken];

    /// The name on the wire and in the table.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AuthorizationCode => "authorization_code",
            Self::RefreshToken => "refresh_token",
        }
    }

    /// The grant type of exactly this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|grant| grant.as_str() == name)
    }
}

impl Serialize for GrantType {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// Who put an application here.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Origin {
    /// An operator, on the command line.
    Operator,
    /// A person, in the browser.
    Account,
    /// An upstream database.
    Import,
    /// Itself (RFC 7591). Nobody vouches for its name.
    Dynamic,
}

impl Origin {
    const ALL: [Self; 4] = [Self::Operator, Self::Account, Self::Import, Self::Dynamic];

    /// The name in the table.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Operator => "operator",
            Self::Account => "account",
            Self::Import => "import",
            Self::Dynamic => "dynamic",
        }
    }

    /// The origin of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|origin| origin.as_str() == name)
    }
}

/// How an application proves who it is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Proof {
    /// It cannot keep a secret (RFC 6749, 2.1): `token_endpoint_auth_method` is `none`.
    Public,
    /// By a secret.
    Secret {
        /// The one that was issued last.
        current: Kept,
        /// The one before, until it ends.
        previous: Option<(Kept, Time)>,
    },
}

impl Proof {
    /// The secrets that count at this moment.
    pub fn kept(&self, now: Time) -> impl Iterator<Item = &Kept> {
        let (current, previous) = match self {
            Self::Public => (None, None),
            Self::Secret { current, previous } => (Some(current), previous.as_ref()),
        };
        current.into_iter().chain(previous.filter(|(_, until)| now < *until).map(|(kept, _)| kept))
    }

    /// The same application with a new secret; the one it had goes on for [`OVERLAP_SECONDS`]. Nothing for a public one.
    pub fn rotated(&self, secret: &Plain, now: Time) -> Option<Self> {
        let Self::Secret { current, .. } = self else { return None };
        let previous = Some((current.clone(), now.plus_seconds(OVERLAP_SECONDS)));
        Some(Self::Secret { current: Kept::of(secret), previous })
    }
}

/// One application.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Client {
    /// The record's id.
    pub id: AppId,
    /// Unique; imported ones have any shape.
    pub client_id: String,
    /// For people.
    pub name: String,
    /// For people.
    pub description: Option<String>,
    /// For people.
    pub logo_url: Option<String>,
    /// How it proves who it is.
    pub proof: Proof,
    /// Where it may send people back to.
    pub redirect_uris: Vec<String>,
    /// What it may do at the token endpoint.
    pub grant_types: Vec<GrantType>,
    /// The most it may ask for.
    pub scopes: Vec<Permission>,
    /// What it gets that asks for nothing (`auth.md` 12.5).
    pub default_scopes: Option<Scopes>,
    /// Whose it is; nobody's when it registered itself.
    pub owner: Option<UserId>,
    /// In which organization its tokens act; `None`: in the person's own.
    pub organization: Option<OrgId>,
    /// Who put it here.
    pub origin: Origin,
    /// Off: it gets nothing, and its tokens open nothing.
    pub is_active: bool,
    /// Whether people are not asked again and again.
    pub is_trusted: bool,
    /// Whether it may look at tokens of other applications.
    pub is_resource_server: bool,
    /// Whether it must push its requests (RFC 9126, 6).
    pub requires_pushed: bool,
    /// Whether it may use `plain` challenges (`auth.md` 12.1): on for imported ones, off for all others.
    pub allows_plain: bool,
    /// What its ID tokens are signed with.
    pub id_token_algorithm: Algorithm,
    /// When it was made.
    pub created_at: Time,
    /// When it was changed.
    pub updated_at: Time,
}

impl Client {
    /// Whether it holds a secret.
    pub fn is_confidential(&self) -> bool {
        matches!(self.proof, Proof::Secret { .. })
    }

    /// Whether it may ask for this. Who may know a person's identity may also be told it by OpenID Connect
    /// (`auth.md` 12.7); staying signed in gives nothing by itself.
    pub fn may_ask(&self, scope: Scope) -> bool {
        match scope {
            Scope::Permission(permission) => self.scopes.contains(&permission),
            Scope::OpenId | Scope::Profile | Scope::Email => self.scopes.contains(&Permission::Identity),
            Scope::OfflineAccess => true,
        }
    }

    /// What is left of a grant: an operator may have narrowed the application since (`auth.md` 12.9).
    pub fn still_allowed(&self, granted: &Scopes) -> Scopes {
        granted.filtered(|scope| self.may_ask(scope))
    }

    /// Whether it may use this grant type.
    pub fn may_use(&self, grant: GrantType) -> bool {
        self.grant_types.contains(&grant)
    }

    /// What its owner sees.
    pub fn record(&self) -> Record<'_> {
        Record {
            id: self.id,
            name: &self.name,
            description: self.description.as_deref(),
            logo_url: self.logo_url.as_deref(),
            client_id: &self.client_id,
            redirect_uris: &self.redirect_uris,
            grant_types: &self.grant_types,
            scopes: &self.scopes,
            owner_id: self.owner,
            is_active: self.is_active,
            created_at: self.created_at.rfc3339(),
            updated_at: self.updated_at.rfc3339(),
        }
    }

    /// What anybody who signed in sees (`auth.md` 5.4). Nothing of an inactive one.
    pub fn info(&self) -> Option<Info<'_>> {
        self.is_active.then(|| Info {
            name: &self.name,
            description: self.description.as_deref(),
            logo_url: self.logo_url.as_deref(),
            scopes: &self.scopes,
            redirect_uris: &self.redirect_uris,
        })
    }
}

/// An application's record as its owner gets it (`auth.md` 5.1). No secret is in it.
#[derive(Serialize)]
pub struct Record<'a> {
    id: AppId,
    name: &'a str,
    description: Option<&'a str>,
    logo_url: Option<&'a str>,
    client_id: &'a str,
    redirect_uris: &'a [String],
    grant_types: &'a [GrantType],
    scopes: &'a [Permission],
    owner_id: Option<UserId>,
    is_active: bool,
    created_at: String,
    updated_at: String,
}

/// What `GET /api/oauth/app/{client_id}` shows.
#[derive(Serialize)]
pub struct Info<'a> {
    name: &'a str,
    description: Option<&'a str>,
    logo_url: Option<&'a str>,
    scopes: &'a [Permission],
    redirect_uris: &'a [String],
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{NOW, client};
    use serde_json::json;

    /// `auth.md` 5.1 and 5.4.
    #[test]
    fn records_show_everything_but_secrets() {
        let app = client();
        assert_eq!(
            serde_json::to_value(app.record()).unwrap(),
            json!({
                "id": "01010101-0101-4101-8101-010101010101", "name": "Looms", "description": null, "logo_url": null,
                "client_id": "agpt_client_looms", "redirect_uris": ["https://looms.example/cb"],
                "grant_types": ["authorization_code", "refresh_token"], "scopes": ["IDENTITY", "RUN_AGENT", "READ_RUN"],
                "owner_id": "02020202-0202-4202-8202-020202020202", "is_active": true,
                "created_at": "2026-02-03T10:00:00Z", "updated_at": "2026-02-03T10:00:00Z",
            })
        );
        assert_eq!(
            serde_json::to_value(app.info()).unwrap(),
            json!({
                "name": "Looms", "description": null, "logo_url": null, "scopes": ["IDENTITY", "RUN_AGENT", "READ_RUN"],
                "redirect_uris": ["https://looms.example/cb"],
            })
        );
        assert!(Client { is_active: false, ..app }.info().is_none());
    }

    /// `auth.md` 12.7.
    #[test]
    fn who_may_know_the_identity_may_use_openid_connect() {
        let with = client();
        let without = Client { scopes: vec![Permission::RunAgent], ..client() };
        for (scope, by_with, by_without) in [
            ("openid", true, false),
            ("profile", true, false),
            ("email", true, false),
            ("offline_access", true, true),
            ("RUN_AGENT", true, true),
            ("READ_RUN", true, false),
            ("WRITE_RUN", false, false),
        ] {
            let scope = Scope::parse(scope).unwrap();
            assert_eq!((with.may_ask(scope), without.may_ask(scope)), (by_with, by_without), "{scope}");
        }
        let granted = Scopes::parse("openid RUN_AGENT READ_RUN").unwrap();
        assert_eq!(without.still_allowed(&granted).to_string(), "RUN_AGENT");
    }

    /// `auth.md` 12.8.
    #[test]
    fn a_replaced_secret_works_until_its_overlap_ends() {
        let [old, new, newest] = ["agpt_secret_old", "agpt_secret_new", "agpt_secret_newest"].map(Plain::new);
        let proof = Proof::Secret { current: Kept::of(&old), previous: None };
        let fits = |proof: &Proof, secret: &Plain, at| proof.kept(at).any(|kept| kept.is(secret.expose()));
        let rotated = proof.rotated(&new, NOW).unwrap();
        let end = NOW.plus_seconds(OVERLAP_SECONDS);
        assert!(fits(&rotated, &new, NOW) && fits(&rotated, &old, Time(end.0 - 1)));
        assert!(fits(&rotated, &new, end) && !fits(&rotated, &old, end));
        let twice = rotated.rotated(&newest, NOW).unwrap();
        assert!(!fits(&twice, &old, NOW), "only the one before goes on");
        assert_eq!(Proof::Public.rotated(&new, NOW), None);
        assert_eq!(Proof::Public.kept(NOW).count(), 0);
    }
}
