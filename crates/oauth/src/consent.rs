//! Whether a person is asked, and what the answer is (`auth.md` 12.5; OpenID Connect Core, 3.1.2).

use crate::request::{Back, Request};
use crate::{Client, ErrorCode, Scopes};
use heddle_model::{AppId, Time, UserId};

/// What a person allowed an application before. One row for each pair of them; scopes gather.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Consent {
    /// The person.
    pub user: UserId,
    /// The application.
    pub app: AppId,
    /// All that was ever allowed and not taken back.
    pub scopes: Scopes,
    /// When it was allowed last.
    pub granted_at: Time,
}

impl Consent {
    /// What is remembered after a person allowed this.
    pub fn with(before: Option<&Self>, request: &Request, user: UserId, now: Time) -> Self {
        let known = before.map(|consent| &*consent.scopes).unwrap_or_default();
        let scopes = known.iter().chain(request.scopes.iter()).copied().collect();
        Self { user, app: request.app, scopes, granted_at: now }
    }
}

/// Who sits in front of the browser.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Session {
    /// The account.
    pub user: UserId,
    /// When the person last proved to be it.
    pub auth_time: Time,
}

/// That a person, or a rule in the person's place, allowed a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Approval {
    /// The person.
    pub user: UserId,
    /// When the person last proved to be it.
    pub auth_time: Time,
    /// How long all that comes of it lasts at most; `None`: as long as it is used.
    pub family_seconds: Option<i64>,
}

/// What happens to a valid request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Next {
    /// The person signs in first, and then comes back to the same request.
    SignIn,
    /// The person is asked.
    Ask,
    /// It is allowed without asking.
    Allow,
    /// The application is told that asking would have been needed.
    Back(Back),
}

/// Decides. `seen_at` is when this request was first seen, where that is known (a pushed one): a sign-in after it is
/// as good as the one that `prompt=login` asks for.
pub fn next(
    request: &Request,
    client: &Client,
    session: Option<&Session>,
    remembered: Option<&Consent>,
    seen_at: Option<Time>,
    now: Time,
) -> Next {
    let silent = request.prompt.none;
    let Some(session) = session.filter(|session| !is_stale(request, session, seen_at, now)) else {
        return match silent {
            true => Next::Back(request.back(ErrorCode::LoginRequired, "The person is not signed in")),
            false => Next::SignIn,
        };
    };
    // Without a secret, only the address says who receives the answer.
    let is_certain = client.is_confidential() || request.redirect.is_claimed();
    let trusted = client.is_trusted && is_certain;
    let known = remembered.is_some_and(|consent| {
        consent.user == session.user && consent.app == request.app && request.scopes.are_within(&consent.scopes)
    });
    match (request.prompt.consent, silent) {
        (true, _) => Next::Ask,
        (false, _) if trusted => Next::Allow,
        (false, true) if known && is_certain => Next::Allow,
        (false, true) => Next::Back(request.back(ErrorCode::ConsentRequired, "The person has to be asked")),
        (false, false) => Next::Ask,
    }
}

/// Whether the person must prove again who it is.
fn is_stale(request: &Request, session: &Session, seen_at: Option<Time>, now: Time) -> bool {
    let is_since = seen_at.is_some_and(|seen| session.auth_time >= seen);
    let age = now.0.saturating_sub(session.auth_time.0).max(0);
    let is_old = request.max_age.is_some_and(|most| age > most.saturating_mul(1_000_000));
    (request.prompt.login || is_old) && !is_since
}

#[cfg(test)]
mod tests;
