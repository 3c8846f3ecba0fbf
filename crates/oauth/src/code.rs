//! Authorization codes: bound to everything about the request, good once (`auth.md` 6.2, 7.1, 12.6).

use crate::consent::Approval;
use crate::family::{Ended, Family, Standing};
use crate::request::Request;
use crate::{Challenge, Client, Digest, Kind, Plain};
use heddle_model::{AppId, FamilyId, Time};

/// How long a code waits to be redeemed.
pub const LIFE_SECONDS: i64 = 600;

/// One code. Scopes, resources and the person are its family's.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Code {
    /// What it is found by.
    pub digest: Digest,
    /// What came and comes of it.
    pub family: FamilyId,
    /// For whom.
    pub app: AppId,
    /// Where it was sent, byte for byte.
    pub redirect_uri: String,
    /// Whether the request named that address.
    pub redirect_was_given: bool,
    /// What the redeemer must prove.
    pub challenge: Challenge,
    /// For the ID token.
    pub nonce: Option<String>,
    /// When it was made.
    pub created_at: Time,
    /// When it ends.
    pub expires_at: Time,
    /// When it was redeemed.
    pub used_at: Option<Time>,
}

/// What allowing a request makes: the family and its code are one commit.
#[derive(Debug)]
pub struct Issued {
    /// The new family.
    pub family: Family,
    /// Its code.
    pub code: Code,
    /// The code as the application gets it.
    pub plain: Plain,
}

/// A person allowed a request.
pub fn issue(request: &Request, approval: &Approval, family: FamilyId, random: [u8; 32], now: Time) -> Issued {
    let plain = Kind::Code.make(random);
    let expires_at = now.plus_seconds(LIFE_SECONDS);
    let code = Code {
        digest: plain.digest(),
        family,
        app: request.app,
        redirect_uri: request.redirect.uri().to_owned(),
        redirect_was_given: request.redirect.was_given(),
        challenge: request.challenge.clone(),
        nonce: request.nonce.clone(),
        created_at: now,
        expires_at,
        used_at: None,
    };
    let family = Family {
        id: family,
        app: request.app,
        user: approval.user,
        scopes: request.scopes.clone(),
        resources: request.resources.clone(),
        auth_time: approval.auth_time,
        created_at: now,
        last_used_at: now,
        expires_at,
        ends_at: approval.family_seconds.map(|seconds| now.plus_seconds(seconds)),
        ended: None,
    };
    Issued { family, code, plain }
}

/// Why a code is not redeemed.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Refused {
    /// There is none, or what it stood for has ended.
    #[error("authorization code not found")]
    NotFound,
    /// It is another application's.
    #[error("authorization code does not belong to this application")]
    Foreign,
    /// It was redeemed before, and what came of it ends now.
    #[error("authorization code already used at {}", spaced(*at))]
    Used {
        /// When.
        at: Time,
        /// What ends, for [`Ended::CodeReplayed`].
        ends: FamilyId,
    },
    /// Too late.
    #[error("authorization code expired")]
    Expired,
    /// Not the address it was sent to.
    #[error("redirect_uri mismatch")]
    Redirect,
    /// Nothing to prove with.
    #[error("code_verifier required but not provided")]
    NoVerifier,
    /// The wrong proof.
    #[error("PKCE verification failed")]
    Verifier,
}

impl Refused {
    /// The family that this attempt ends, and why.
    pub fn ends(&self) -> Option<(FamilyId, Ended)> {
        match self {
            Self::Used { ends, .. } => Some((*ends, Ended::CodeReplayed)),
            _ => None,
        }
    }
}

/// Whether a client may redeem what was found under a code's digest. Nothing is consumed by a refusal.
///
/// What makes it happen once is the table: the row's `used_at` is set on the condition that there is none. Who loses
/// that race is refused with [`Refused::Used`], as whoever comes later.
pub fn redeem<'a>(
    found: Option<(&'a Code, Standing<'a>)>,
    client: &Client,
    redirect_uri: Option<&str>,
    verifier: Option<&str>,
    now: Time,
) -> Result<&'a Code, Refused> {
    let (code, standing) = found.ok_or(Refused::NotFound)?;
    if code.app != client.id {
        return Err(Refused::Foreign);
    }
    if let Some(at) = code.used_at {
        return Err(Refused::Used { at, ends: code.family });
    }
    if !standing.is_live() {
        return Err(Refused::NotFound);
    }
    if now >= code.expires_at {
        return Err(Refused::Expired);
    }
    let is_same_address = match redirect_uri {
        Some(uri) => uri == code.redirect_uri,
        None => !code.redirect_was_given,
    };
    if !is_same_address {
        return Err(Refused::Redirect);
    }
    let verifier = verifier.filter(|verifier| !verifier.is_empty()).ok_or(Refused::NoVerifier)?;
    if !code.challenge.is_met_by(verifier) {
        return Err(Refused::Verifier);
    }
    Ok(code)
}

/// `2026-02-03 10:00:00+00:00`, with six digits more when they are not all zero.
fn spaced(time: Time) -> String {
    time.rfc3339().replace('T', " ").replace('Z', "+00:00")
}

#[cfg(test)]
mod tests;
