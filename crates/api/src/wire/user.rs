//! The caller's account.

use heddle_model::UserId;
use heddle_platform::Account;
use serde::Serialize;
use utoipa::ToSchema;

/// The account a credential speaks for.
#[derive(Serialize, ToSchema)]
pub struct UserInfoResponse {
    /// Stable id.
    #[schema(value_type = String)]
    id: UserId,
    /// Name, when given.
    #[schema(required = true)]
    name: Option<String>,
    /// E-mail address.
    email: String,
    /// IANA time zone, or `not-set`.
    timezone: String,
}

impl UserInfoResponse {
    /// What is shown of an account.
    pub fn of(account: &Account) -> Self {
        let timezone = account.time_zone.clone().unwrap_or_else(|| "not-set".to_owned());
        Self { id: account.id, name: account.name.clone(), email: account.email.clone(), timezone }
    }
}
