//! What an application may be allowed: the permissions of API keys, and OpenID Connect's four names beside them
//! (`auth.md` 4 and 12.7).

use heddle_model::Scope as Permission;
use serde::{Serialize, Serializer};
use std::fmt;

/// One thing a person may allow an application.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Scope {
    /// To know who signed in: an ID token.
    OpenId,
    /// Name and time zone.
    Profile,
    /// E-mail address.
    Email,
    /// To go on while the person is away. A refresh token is given with or without it.
    OfflineAccess,
    /// What an API key can be allowed as well.
    Permission(Permission),
}

impl Scope {
    /// OpenID Connect's own.
    pub const OPENID: [Self; 4] = [Self::OpenId, Self::Profile, Self::Email, Self::OfflineAccess];

    /// All there are, OpenID Connect's first.
    pub fn all() -> impl Iterator<Item = Self> {
        Self::OPENID.into_iter().chain(Permission::ALL.iter().copied().map(Self::Permission))
    }

    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OpenId => "openid",
            Self::Profile => "profile",
            Self::Email => "email",
            Self::OfflineAccess => "offline_access",
            Self::Permission(permission) => permission.as_str(),
        }
    }

    /// The scope of exactly this name: no other case, no alias.
    pub fn parse(name: &str) -> Option<Self> {
        let own = Self::OPENID.into_iter().find(|scope| scope.as_str() == name);
        own.or_else(|| Permission::parse(name).map(Self::Permission))
    }

    /// What it lets an application do, for the person who is asked: it follows "This lets the application …".
    pub const fn consent(self) -> &'static str {
        use Permission::*;
        match self {
            Self::OpenId => "know that it is you who signed in",
            Self::Profile => "see your name and time zone",
            Self::Email => "see your e-mail address",
            Self::OfflineAccess => "keep this access while you are away",
            Self::Permission(permission) => match permission {
                Identity => "see your user id, e-mail address, name and time zone",
                ExecuteGraph => "run your agents (older programs)",
                ReadGraph => "see your agents and how they are built",
                WriteGraph => "create agents and change yours",
                ExecuteBlock => "run single blocks as you",
                ReadBlock => "see which blocks there are",
                ReadLibrary => "see your library",
                WriteLibrary => "add to your library, and change or remove what is in it",
                RunAgent => "run your agents",
                ReadRun => "see your runs and their results",
                WriteRun => "stop and delete your runs",
                ShareRun => "publish results of your runs for others to see",
                ReadRunReview => "see reviews that wait for you",
                WriteRunReview => "approve and reject reviews in your place",
                ReadSchedule => "see your schedules",
                WriteSchedule => "create and delete schedules",
                ReadFiles => "see and download your files",
                WriteFiles => "add and delete files",
                ReadStore => "see your marketplace profile and submissions",
                WriteStore => "publish to the marketplace under your name",
                ReadCredits => "see your balance, payments and costs",
                UseTools => "use tools as you",
                ReadIntegrations => "see which accounts you have connected",
                ManageIntegrations => "connect accounts for you",
                DeleteIntegrations => "remove accounts you have connected",
            },
        }
    }

    /// Whether it lets an application change or spend something; such lines stand out on the consent page.
    pub const fn acts(self) -> bool {
        use Permission::*;
        match self {
            Self::OfflineAccess => true,
            Self::OpenId | Self::Profile | Self::Email => false,
            Self::Permission(permission) => !matches!(
                permission,
                Identity
                    | ReadGraph
                    | ReadBlock
                    | ReadLibrary
                    | ReadRun
                    | ReadRunReview
                    | ReadSchedule
                    | ReadFiles
                    | ReadStore
                    | ReadCredits
                    | ReadIntegrations
            ),
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Scope {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// Scopes in the order in which they were asked for, each once.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
#[serde(transparent)]
pub struct Scopes(Vec<Scope>);

impl Scopes {
    /// Reads names separated by spaces; empty pieces are dropped. The error is the first name that is none.
    pub fn parse(text: &str) -> Result<Self, String> {
        Self::from_names(text.split(' ').filter(|name| !name.is_empty()))
    }

    /// Reads names. The error is the first that is none.
    pub fn from_names<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<Self, String> {
        names.into_iter().map(|name| Scope::parse(name).ok_or_else(|| name.to_owned())).collect()
    }

    /// Whether this is one of them.
    pub fn contains(&self, scope: Scope) -> bool {
        self.0.contains(&scope)
    }

    /// Whether this permission is one of them.
    pub fn permits(&self, permission: Permission) -> bool {
        self.contains(Scope::Permission(permission))
    }

    /// Whether all of these are also `others`.
    pub fn are_within(&self, others: &Self) -> bool {
        self.0.iter().all(|scope| others.contains(*scope))
    }

    /// Those that pass.
    pub fn filtered(&self, pass: impl Fn(Scope) -> bool) -> Self {
        Self(self.0.iter().copied().filter(|scope| pass(*scope)).collect())
    }

    /// Those that API keys can have too.
    pub fn permissions(&self) -> Vec<Permission> {
        let permission = |scope: &Scope| match scope {
            Scope::Permission(permission) => Some(*permission),
            _ => None,
        };
        self.0.iter().filter_map(permission).collect()
    }
}

impl std::ops::Deref for Scopes {
    type Target = [Scope];

    fn deref(&self) -> &[Scope] {
        &self.0
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        let mut all = Vec::new();
        for scope in scopes {
            if !all.contains(&scope) {
                all.push(scope);
            }
        }
        Self(all)
    }
}

impl From<&[Permission]> for Scopes {
    fn from(permissions: &[Permission]) -> Self {
        permissions.iter().copied().map(Scope::Permission).collect()
    }
}

impl fmt::Display for Scopes {
    /// Joined by spaces (RFC 6749, 3.3).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, scope) in self.0.iter().enumerate() {
            let space = if index == 0 { "" } else { " " };
            write!(f, "{space}{scope}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    /// `auth.md` 4: case-sensitive, no alias; 12.7: four more.
    #[test]
    fn names_are_exact() {
        assert_eq!(Scope::all().count(), 29);
        for scope in Scope::all() {
            assert_eq!(Scope::parse(scope.as_str()), Some(scope));
        }
        for wrong in ["", "OPENID", "identity", "IDENTITY ", "*", "READ_*", "phone", "address"] {
            assert_eq!(Scope::parse(wrong), None, "{wrong}");
        }
    }

    /// RFC 6749, 3.3; `auth.md` 6.1 drops empty pieces, 6.2 keeps the order.
    #[test]
    fn lists_keep_their_order_and_each_name_once() {
        let scopes = Scopes::parse("  RUN_AGENT openid  RUN_AGENT IDENTITY ").unwrap();
        assert_eq!(scopes.to_string(), "RUN_AGENT openid IDENTITY");
        assert_eq!(scopes.permissions(), [Permission::RunAgent, Permission::Identity]);
        assert_eq!(serde_json::to_string(&scopes).unwrap(), r#"["RUN_AGENT","openid","IDENTITY"]"#);
        assert_eq!(Scopes::parse("IDENTITY run_agent"), Err("run_agent".to_owned()));
        assert_eq!(Scopes::parse("IDENTITY\tRUN_AGENT"), Err("IDENTITY\tRUN_AGENT".to_owned()));
        assert_eq!(Scopes::parse(" ").unwrap().len(), 0);
    }

    #[test]
    fn every_scope_has_a_consent_text_of_its_own() {
        let texts: HashSet<_> = Scope::all().map(Scope::consent).collect();
        assert_eq!(texts.len(), 29);
        assert!(texts.iter().all(|text| text.len() < 60 && !text.ends_with('.')), "{texts:?}");
        assert!(Scope::Permission(Permission::RunAgent).acts() && !Scope::Permission(Permission::ReadRun).acts());
    }
}
