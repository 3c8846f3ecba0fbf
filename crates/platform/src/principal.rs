//! Who is asking, and what they may do.

use heddle_model::{KeyId, OrgId, Scope, UserId};

/// An authenticated caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    /// The account.
    pub user: UserId,
    /// The organization the credential acts in.
    pub organization: OrgId,
    /// The API key, when it was one.
    pub key: Option<KeyId>,
    /// What the credential allows.
    pub scopes: Vec<Scope>,
}

impl Principal {
    /// The scopes of `needed` that are missing, in its order.
    pub fn missing(&self, needed: &[Scope]) -> Vec<Scope> {
        needed.iter().copied().filter(|scope| !self.scopes.contains(scope)).collect()
    }
}
