//! Access and refresh tokens: issued in pairs, rotated, reused, revoked, checked (`auth.md` 3, 7, 12.6, 12.9).

use crate::client::GrantType;
use crate::family::{Ended, Family, Standing};
use crate::{Client, Digest, Kind, Plain, Scope, Scopes, resource};
use heddle_model::{AppId, FamilyId, OrgId, Scope as Permission, Time, UserId};

/// How long an access token lasts.
pub const ACCESS_SECONDS: i64 = 3_600;
/// How long a refresh token lasts; each rotation starts it anew.
pub const REFRESH_SECONDS: i64 = 30 * 24 * 3_600;
/// How long after its rotation a refresh token may come again without ending its family: an answer may have been lost.
pub const GRACE_SECONDS: i64 = 10;

/// One access token. The person is its family's.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AccessToken {
    /// What it is found by.
    pub digest: Digest,
    /// Which authorization it came of.
    pub family: FamilyId,
    /// The application.
    pub app: AppId,
    /// What it allows: its family's scopes, or fewer when the refresh asked for fewer.
    pub scopes: Scopes,
    /// What it is for (RFC 8707); empty: everything here.
    pub resources: Vec<String>,
    /// When it was issued.
    pub created_at: Time,
    /// When it ends.
    pub expires_at: Time,
    /// When it was revoked by itself.
    pub revoked_at: Option<Time>,
}

/// One refresh token. What it allows is what its family does.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RefreshToken {
    /// What it is found by.
    pub digest: Digest,
    /// Which authorization it came of.
    pub family: FamilyId,
    /// The application.
    pub app: AppId,
    /// When it was issued.
    pub created_at: Time,
    /// When it ends.
    pub expires_at: Time,
    /// When it was replaced by the next.
    pub rotated_at: Option<Time>,
}

/// Random bytes for a pair.
pub struct Random {
    /// For the access token.
    pub access: [u8; 32],
    /// For the refresh token.
    pub refresh: [u8; 32],
}

/// A new pair: rows for the tables, and what the application gets.
#[derive(Debug)]
pub struct Pair {
    /// The access token's row.
    pub access: AccessToken,
    /// The access token.
    pub access_plain: Plain,
    /// The refresh token's row and the token; nothing for an application without that grant type.
    pub refresh: Option<(RefreshToken, Plain)>,
    /// What the family's row says from now on.
    pub family_expires_at: Time,
}

/// Makes a pair. `scopes` and `resources` were checked to be within the family's.
pub fn issue(
    family: &Family,
    client: &Client,
    scopes: Scopes,
    resources: Vec<String>,
    random: &Random,
    now: Time,
) -> Pair {
    let access_plain = Kind::AccessToken.make(random.access);
    let access = AccessToken {
        digest: access_plain.digest(),
        family: family.id,
        app: family.app,
        scopes,
        resources,
        created_at: now,
        expires_at: family.capped(now.plus_seconds(ACCESS_SECONDS)),
        revoked_at: None,
    };
    let refresh = client.may_use(GrantType::RefreshToken).then(|| {
        let plain = Kind::RefreshToken.make(random.refresh);
        let token = RefreshToken {
            digest: plain.digest(),
            family: family.id,
            app: family.app,
            created_at: now,
            expires_at: family.capped(now.plus_seconds(REFRESH_SECONDS)),
            rotated_at: None,
        };
        (token, plain)
    });
    let refresh_end = refresh.as_ref().map_or(access.expires_at, |(token, _)| token.expires_at);
    let family_expires_at = family.expires_at.max(access.expires_at).max(refresh_end);
    Pair { access, access_plain, refresh, family_expires_at }
}

/// Why a refresh token is not redeemed.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Refused {
    /// There is none.
    #[error("refresh token not found")]
    NotFound,
    /// It was replaced, or all that came of the authorization has ended.
    #[error("refresh token has been revoked")]
    Revoked {
        /// The family that ends now, for [`Ended::RefreshReused`].
        ends: Option<FamilyId>,
    },
    /// It is another application's.
    #[error("refresh token does not belong to this application")]
    Foreign,
    /// Too late.
    #[error("refresh token expired")]
    Expired,
    /// More was asked for than was granted.
    #[error("requested scope exceeds the granted scope")]
    Scope,
    /// Meant for something the authorization was not given for.
    #[error("requested resource exceeds the granted resources")]
    Resource,
}

impl Refused {
    /// The family that this attempt ends, and why.
    pub fn ends(&self) -> Option<(FamilyId, Ended)> {
        match self {
            Self::Revoked { ends } => ends.map(|family| (family, Ended::RefreshReused)),
            _ => None,
        }
    }
}

/// What a refresh gets.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refreshed {
    /// The new access token's scopes.
    pub scopes: Scopes,
    /// The new access token's resources.
    pub resources: Vec<String>,
}

/// Whether a client may redeem what was found under a refresh token's digest, and for what. Nothing is consumed by a
/// refusal.
///
/// What makes it happen once is the table: the row's `rotated_at` is set on the condition that there is none, in one
/// commit with the new pair. Who loses that race is judged again, with the row as it is then.
pub fn redeem(
    found: Option<(&RefreshToken, Standing<'_>)>,
    client: &Client,
    asked: Option<&Scopes>,
    resources: &[String],
    now: Time,
) -> Result<Refreshed, Refused> {
    let (token, standing) = found.ok_or(Refused::NotFound)?;
    let family = standing.family;
    if let Some(at) = token.rotated_at {
        let is_retry = token.app == client.id && is_within_grace(at, now);
        return Err(Refused::Revoked { ends: (!is_retry && family.is_live()).then_some(token.family) });
    }
    if !standing.is_live() {
        return Err(Refused::Revoked { ends: None });
    }
    if token.app != client.id {
        return Err(Refused::Foreign);
    }
    if now >= family.capped(token.expires_at) {
        return Err(Refused::Expired);
    }
    let scopes = asked.unwrap_or(&family.scopes);
    if !scopes.are_within(&family.scopes) {
        return Err(Refused::Scope);
    }
    let resources = narrowed(family, resources)?;
    Ok(Refreshed { scopes: scopes.clone(), resources })
}

/// What an access token is for, when a request for tokens names it: all that was granted, or some of it (RFC 8707, 2.2).
pub fn narrowed(family: &Family, asked: &[String]) -> Result<Vec<String>, Refused> {
    let is_granted = |asked: &String| family.resources.iter().any(|granted| resource::is_within(asked, granted));
    match (asked.is_empty(), family.resources.is_empty()) {
        (true, _) => Ok(family.resources.clone()),
        (false, true) => Ok(asked.to_vec()),
        (false, false) if asked.iter().all(is_granted) => Ok(asked.to_vec()),
        (false, false) => Err(Refused::Resource),
    }
}

/// Either way: a clock that was set back a little must not log anybody out, one that was set back by an hour must not
/// open an hour's grace.
fn is_within_grace(rotated_at: Time, now: Time) -> bool {
    now.0.abs_diff(rotated_at.0) <= GRACE_SECONDS.unsigned_abs() * 1_000_000
}

/// Why an access token opens nothing (`auth.md` 3). All are 401.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, thiserror::Error)]
pub enum Invalid {
    /// No such token.
    #[error("Invalid token: access token not found")]
    NotFound,
    /// Its application's row is gone.
    #[error("Client application not found")]
    NoClient,
    /// Its application is switched off.
    #[error("Client application is disabled")]
    ClientDisabled,
    /// It, its family, or its person's account has ended.
    #[error("Invalid token: access token has been revoked")]
    Revoked,
    /// Too late.
    #[error("Invalid token: access token expired")]
    Expired,
}

/// What a good access token says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Access {
    /// For whom it speaks.
    pub user: UserId,
    /// The application.
    pub app: AppId,
    /// The organization its application acts in; `None`: the person's own.
    pub organization: Option<OrgId>,
    /// What it allows at this moment.
    pub scopes: Scopes,
    /// What it is for; empty: everything here.
    pub resources: Vec<String>,
    /// When it ends: it must be judged again by then.
    pub expires_at: Time,
}

impl Access {
    /// The permissions of `needed` that are missing, in its order.
    pub fn missing(&self, needed: &[Permission]) -> Vec<Permission> {
        needed.iter().copied().filter(|permission| !self.scopes.permits(*permission)).collect()
    }

    /// Whether it may be asked who the person is (`auth.md` 12.7).
    pub fn knows_the_person(&self) -> bool {
        self.scopes.contains(Scope::OpenId) || self.scopes.permits(Permission::Identity)
    }

    /// Whether it is for this resource: for everything, or for something the resource lies within.
    pub fn is_for(&self, resource: &str) -> bool {
        self.resources.is_empty() || self.resources.iter().any(|granted| resource::is_within(resource, granted))
    }
}

/// Whether a text can be an access token at all: nothing is looked up for any other.
pub fn could_be_access_token(text: &str) -> bool {
    text.starts_with(Kind::AccessToken.prefix())
}

/// Judges what was found under an access token's digest, in the order of `auth.md` 3.
pub fn check(found: Option<(&AccessToken, Standing<'_>)>, now: Time) -> Result<Access, Invalid> {
    let (token, standing) = found.ok_or(Invalid::NotFound)?;
    let client = standing.client.ok_or(Invalid::NoClient)?;
    if !client.is_active {
        return Err(Invalid::ClientDisabled);
    }
    if token.revoked_at.is_some() || !standing.is_live() {
        return Err(Invalid::Revoked);
    }
    let expires_at = standing.family.capped(token.expires_at);
    if now >= expires_at {
        return Err(Invalid::Expired);
    }
    Ok(Access {
        user: standing.family.user,
        app: token.app,
        organization: client.organization,
        scopes: client.still_allowed(&token.scopes),
        resources: token.resources.clone(),
        expires_at,
    })
}

#[cfg(test)]
mod tests;
