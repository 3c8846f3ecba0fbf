//! OpenID Connect: ID tokens, the keys that sign them as others see them, and what is told of a person (`auth.md` 12.7;
//! OpenID Connect Core 2, 3.1.3.6, 5.3 and 5.4; RFC 7515, 7517, 7518, 7638).

use crate::keys::SigningKey;
use crate::secret::base64url;
use crate::{Issuer, Plain, Scope, Scopes};
use heddle_model::{Scope as Permission, Time, UserId};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

/// How long an ID token is good: it tells of a sign-in, and is read at once.
pub const ID_TOKEN_SECONDS: i64 = 600;

/// What ID tokens are signed with.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256: what libraries take for granted.
    #[default]
    Rs256,
    /// ECDSA on P-256 with SHA-256.
    Es256,
}

impl Algorithm {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Rs256, Self::Es256];

    /// The name on the wire and in the table (RFC 7518, 3.1).
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Es256 => "ES256",
        }
    }

    /// The algorithm of exactly this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.as_str() == name)
    }
}

/// The public half of a key; numbers are big-endian without leading zeros, coordinates have 32 bytes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Jwk {
    /// For [`Algorithm::Rs256`].
    Rsa {
        /// The modulus.
        n: Vec<u8>,
        /// The exponent.
        e: Vec<u8>,
    },
    /// For [`Algorithm::Es256`].
    P256 {
        /// The point's first coordinate.
        x: [u8; 32],
        /// Its second.
        y: [u8; 32],
    },
}

impl Jwk {
    /// Its members beside those that say what it is for, in the order in which a thumbprint is made of them.
    fn members(&self) -> Value {
        match self {
            Self::Rsa { n, e } => json!({"e": base64url(e), "kty": "RSA", "n": base64url(n)}),
            Self::P256 { x, y } => json!({"crv": "P-256", "kty": "EC", "x": base64url(x), "y": base64url(y)}),
        }
    }

    /// Its name (RFC 7638).
    pub fn thumbprint(&self) -> String {
        base64url(&Sha256::digest(self.members().to_string()))
    }
}

/// Holds the private half of a key and gives nothing away but signatures.
pub trait Signer {
    /// What it signs with.
    fn algorithm(&self) -> Algorithm;

    /// The name of its public half.
    fn kid(&self) -> &str;

    /// The signature of these bytes as RFC 7518 has it: for ES256 the two numbers after each other, 64 bytes.
    fn sign(&self, bytes: &[u8]) -> Result<Vec<u8>, Unsigned>;
}

/// Why there is no signature.
#[derive(Debug, thiserror::Error)]
#[error("an ID token could not be signed: {0}")]
pub struct Unsigned(pub String);

/// What is known of a person.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Person {
    /// The account: the subject everywhere.
    pub id: UserId,
    /// How the person wants to be called.
    pub name: Option<String>,
    /// The account's address.
    pub email: String,
    /// Whether it was shown that mail to it reaches the person.
    pub email_verified: bool,
    /// The person's time zone, by its name in the tz database.
    pub zoneinfo: Option<String>,
    /// When any of this changed.
    pub updated_at: Time,
}

impl Person {
    /// What these scopes let an application know. `IDENTITY` is all of it, as at `/me`.
    fn claims(&self, scopes: &Scopes) -> Map<String, Value> {
        let identity = scopes.permits(Permission::Identity);
        let mut claims = Map::new();
        claims.insert("sub".to_owned(), self.id.to_string().into());
        if identity || scopes.contains(Scope::Profile) {
            let texts = [("name", &self.name), ("zoneinfo", &self.zoneinfo)];
            let known = texts.into_iter().filter_map(|(name, text)| Some((name.to_owned(), text.clone()?.into())));
            claims.extend(known);
            claims.insert("updated_at".to_owned(), self.updated_at.unix().into());
        }
        if identity || scopes.contains(Scope::Email) {
            claims.insert("email".to_owned(), self.email.clone().into());
            claims.insert("email_verified".to_owned(), self.email_verified.into());
        }
        claims
    }
}

/// What `userinfo` answers (OpenID Connect Core, 5.3.2); `None` for a token that may not be told who the person is.
pub fn userinfo(person: &Person, scopes: &Scopes) -> Option<Value> {
    let may_know = scopes.contains(Scope::OpenId) || scopes.permits(Permission::Identity);
    may_know.then(|| person.claims(scopes).into())
}

/// A sign-in that an application is told of.
#[derive(Clone, Copy, Debug)]
pub struct SignIn<'a> {
    /// Who tells.
    pub issuer: &'a Issuer,
    /// Whom.
    pub client_id: &'a str,
    /// Of whom.
    pub person: &'a Person,
    /// What was granted.
    pub scopes: &'a Scopes,
    /// What the request carried; never at a refresh (OpenID Connect Core, 12.2).
    pub nonce: Option<&'a str>,
    /// When the person proved to be the person.
    pub auth_time: Time,
    /// The access token beside it.
    pub access_token: &'a Plain,
}

impl SignIn<'_> {
    /// The claims (OpenID Connect Core, 2). An address and a name are told to those who asked for them by OpenID
    /// Connect's own scopes; `IDENTITY` alone is asked for at `userinfo`.
    fn claims(&self, now: Time) -> Value {
        let mut claims = Map::new();
        claims.insert("iss".to_owned(), self.issuer.as_str().into());
        claims.extend(self.person.claims(&self.scopes.filtered(|scope| !matches!(scope, Scope::Permission(_)))));
        claims.insert("aud".to_owned(), self.client_id.into());
        claims.insert("exp".to_owned(), now.plus_seconds(ID_TOKEN_SECONDS).unix().into());
        claims.insert("iat".to_owned(), now.unix().into());
        claims.insert("auth_time".to_owned(), self.auth_time.unix().into());
        if let Some(nonce) = self.nonce {
            claims.insert("nonce".to_owned(), nonce.into());
        }
        claims.insert("at_hash".to_owned(), half_hash(self.access_token.expose()).into());
        claims.into()
    }

    /// The ID token: a JWS in its compact form (RFC 7515, 7.1); nothing unless `openid` was granted.
    pub fn id_token(&self, signer: &dyn Signer, now: Time) -> Result<Option<String>, Unsigned> {
        if !self.scopes.contains(Scope::OpenId) {
            return Ok(None);
        }
        let header = json!({"alg": signer.algorithm().as_str(), "typ": "JWT", "kid": signer.kid()});
        let mut token = base64url(header.to_string().as_bytes());
        token.push('.');
        token.push_str(&base64url(self.claims(now).to_string().as_bytes()));
        let signature = signer.sign(token.as_bytes())?;
        token.push('.');
        token.push_str(&base64url(&signature));
        Ok(Some(token))
    }
}

/// `at_hash` (OpenID Connect Core, 3.1.3.6): the left half of SHA-256, which both algorithms use.
fn half_hash(token: &str) -> String {
    base64url(&Sha256::digest(token.as_bytes())[..16])
}

/// The published set of keys (RFC 7517, 5).
pub fn jwks<'a>(keys: impl IntoIterator<Item = &'a SigningKey>) -> Value {
    let keys = keys.into_iter().map(|key| {
        let mut members = key.public.members();
        members["use"] = "sig".into();
        members["alg"] = key.algorithm.as_str().into();
        members["kid"] = key.kid.as_str().into();
        members
    });
    json!({ "keys": keys.collect::<Vec<_>>() })
}

#[cfg(test)]
mod tests;
