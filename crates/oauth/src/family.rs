//! Families: one authorization by one person, with its code and all tokens that came of it (`auth.md` 12.6).
//!
//! Ending a family ends them all at once, because a token counts only while its family does: one row decides.

use crate::{Client, Scopes};
use heddle_model::{AppId, FamilyId, Time, UserId};

/// Why a family ended.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Ended {
    /// Its code came a second time: somebody else has seen it (RFC 6749, 4.1.2).
    CodeReplayed,
    /// A refresh token came again after it was replaced (RFC 9700, 4.14.2).
    RefreshReused,
    /// The application gave it up (RFC 7009).
    ByClient,
    /// The person did.
    ByPerson,
    /// An operator did.
    ByOperator,
}

impl Ended {
    const ALL: [Self; 5] = [Self::CodeReplayed, Self::RefreshReused, Self::ByClient, Self::ByPerson, Self::ByOperator];

    /// The name in the table and the audit log.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CodeReplayed => "code_replayed",
            Self::RefreshReused => "refresh_reused",
            Self::ByClient => "client",
            Self::ByPerson => "person",
            Self::ByOperator => "operator",
        }
    }

    /// The reason of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|ended| ended.as_str() == name)
    }

    /// Whether it means that a secret has leaked: then the audit log warns.
    pub const fn is_alarming(self) -> bool {
        matches!(self, Self::CodeReplayed | Self::RefreshReused)
    }
}

/// One authorization.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Family {
    /// Its id.
    pub id: FamilyId,
    /// The application.
    pub app: AppId,
    /// The person.
    pub user: UserId,
    /// What was allowed, in the order of the request. Never grows.
    pub scopes: Scopes,
    /// What its tokens are for (RFC 8707); empty: everything here.
    pub resources: Vec<String>,
    /// When the person last proved to be the person, before allowing it.
    pub auth_time: Time,
    /// When it was allowed.
    pub created_at: Time,
    /// When a token of it was last issued.
    pub last_used_at: Time,
    /// When the last of its secrets ends; past it the rows can go.
    pub expires_at: Time,
    /// When it ends whatever happens. `None`: each rotation starts the time anew.
    pub ends_at: Option<Time>,
    /// When and why it ended early.
    pub ended: Option<(Time, Ended)>,
}

impl Family {
    /// Whether its secrets count.
    pub fn is_live(&self) -> bool {
        self.ended.is_none()
    }

    /// `moment`, or the end of the family when that comes first.
    pub fn capped(&self, moment: Time) -> Time {
        self.ends_at.map_or(moment, |end| end.min(moment))
    }
}

/// What a code or token is judged by, beside itself: all of it read together with it.
#[derive(Clone, Copy, Debug)]
pub struct Standing<'a> {
    /// Its family.
    pub family: &'a Family,
    /// Its application, unless that is gone.
    pub client: Option<&'a Client>,
    /// Whether the person's account is there and enabled (`auth.md` 7.5).
    pub user_is_enabled: bool,
}

impl Standing<'_> {
    /// Whether neither the person nor anybody else has ended it.
    pub fn is_live(&self) -> bool {
        self.family.is_live() && self.user_is_enabled
    }
}
