//! Checking access tokens: from memory where that was done before, without a task, a lock of others or the disk.

use super::Authorization;
use crate::{Error, Principal};
use heddle_model::FamilyId;
use heddle_oauth::answer::Answer;
use heddle_oauth::bearer::{Problem, challenge};
use heddle_oauth::oidc::{Person, userinfo};
use heddle_oauth::token::{self, Access, Invalid};
use heddle_oauth::{Digest, Scope};
use moka::sync::Cache;
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

const CACHED: u64 = 50_000;
/// How many families share a counter.
const PARTS: usize = 64;

/// A good access token.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Bearer {
    /// For whom it speaks, and what it opens here.
    pub principal: Principal,
    /// What it says.
    pub access: Access,
}

/// Tokens that were checked, and what has changed since.
pub(super) struct Checked {
    known: Cache<Digest, Known>,
    changes: [AtomicU64; PARTS],
}

#[derive(Clone)]
struct Known {
    bearer: Arc<Bearer>,
    part: usize,
    /// The part's count when it was read; it holds only as long as that stands.
    change: u64,
    /// The accounts' generation, likewise.
    generation: u64,
}

/// A family's id is random, so any of its bytes says where it belongs.
fn part(family: FamilyId) -> usize {
    usize::from(family.0.as_bytes()[0]) % PARTS
}

impl Checked {
    pub(super) fn new() -> Self {
        let known = Cache::builder().max_capacity(CACHED).time_to_live(Duration::from_secs(60)).build();
        Self { known, changes: std::array::from_fn(|_| AtomicU64::new(0)) }
    }

    /// Something about a family or its tokens is other than it was.
    pub(super) fn forget_family(&self, family: FamilyId) {
        self.changes[part(family)].fetch_add(1, Ordering::SeqCst);
    }

    /// Something about an application is other than it was.
    pub(super) fn forget_all(&self) {
        for part in &self.changes {
            part.fetch_add(1, Ordering::SeqCst);
        }
    }

    fn counts(&self) -> [u64; PARTS] {
        std::array::from_fn(|part| self.changes[part].load(Ordering::SeqCst))
    }

    fn holds(&self, known: &Known, generation: u64) -> bool {
        known.generation == generation && self.changes[known.part].load(Ordering::SeqCst) == known.change
    }
}

impl Authorization {
    /// Who an access token speaks for.
    pub async fn bearer(&self, token: &str) -> Result<Result<Arc<Bearer>, Invalid>, Error> {
        if !token::could_be_access_token(token) {
            return Ok(Err(Invalid::NotFound));
        }
        let digest = Digest::of(token);
        let generation = self.0.accounts.generation();
        if let Some(known) = self.0.checked.known.get(&digest)
            && self.0.checked.holds(&known, generation)
        {
            let is_over = self.now() >= known.bearer.access.expires_at;
            return Ok(if is_over { Err(Invalid::Expired) } else { Ok(known.bearer) });
        }
        self.look_up(digest, generation).await
    }

    /// What changes while the row is read is noticed at the next use: the counts are older than the row.
    async fn look_up(&self, digest: Digest, generation: u64) -> Result<Result<Arc<Bearer>, Invalid>, Error> {
        let counts = self.0.checked.counts();
        let Some(held) = self.0.store.access_token(digest).await? else { return Ok(Err(Invalid::NotFound)) };
        let access = match token::check(Some(held.judged()), self.now()) {
            Ok(access) => access,
            Err(invalid) => return Ok(Err(invalid)),
        };
        let principal = Principal {
            user: access.user,
            organization: access.organization.unwrap_or(held.account.organization),
            key: None,
            scopes: access.scopes.permissions(),
        };
        let part = part(held.family.id);
        let bearer = Arc::new(Bearer { principal, access });
        let known = Known { bearer: Arc::clone(&bearer), part, change: counts[part], generation };
        self.0.checked.known.insert(digest, known);
        Ok(Ok(bearer))
    }

    /// What an application is told of the person whose token it holds (OpenID Connect Core, 5.3); `None`: it brought none.
    pub async fn userinfo(&self, token: Option<&str>) -> Answer {
        let outcome = match token {
            None => Ok(self.refused(401, Problem::Absent, "invalid_request", "An access token is missing")),
            Some(token) => self.told(token).await,
        };
        outcome.unwrap_or_else(|error| super::endpoints::failed(&error))
    }

    async fn told(&self, token: &str) -> Result<Answer, Error> {
        let invalid = |invalid: Invalid| {
            let text = invalid.to_string();
            self.refused(401, Problem::Invalid(&text), "invalid_token", &text)
        };
        let bearer = match self.bearer(token).await? {
            Ok(bearer) => bearer,
            Err(why) => return Ok(invalid(why)),
        };
        let address = self.issuer().at("/api/oauth/userinfo");
        if !bearer.access.is_for(&address) {
            return Ok(invalid(Invalid::NotFound));
        }
        let Some(account) = self.0.accounts.get(bearer.access.user).await? else {
            return Ok(invalid(Invalid::Revoked));
        };
        let openid = Scope::OpenId.as_str();
        Ok(match userinfo(&person(&account), &bearer.access.scopes) {
            Some(claims) => Answer::ok(claims),
            None => {
                let text = format!("Missing required permission(s): {openid}");
                self.refused(403, Problem::Insufficient(&[openid]), "insufficient_scope", &text)
            }
        })
    }

    fn refused(&self, status: u16, problem: Problem<'_>, error: &str, text: &str) -> Answer {
        let body = json!({"error": error, "error_description": text, "detail": text});
        Answer { status, challenge: Some(challenge(problem, self.issuer(), None)), ..Answer::ok(body) }
    }
}

/// What applications may know of an account, if they may know it.
pub(super) fn person(account: &crate::Account) -> Person {
    Person {
        id: account.id,
        name: account.name.clone(),
        email: account.email.clone(),
        // Nobody is asked for a proof that mail reaches him.
        email_verified: false,
        zoneinfo: account.time_zone.clone(),
        updated_at: account.created_at,
    }
}
