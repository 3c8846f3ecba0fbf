//! Who the caller is.

use crate::app::App;
use crate::call::Call;
use crate::error::ApiError;
use crate::scopes::Identity;
use crate::wire::UserInfoResponse;
use axum::Json;
use axum::extract::State;

/// The account the credential speaks for.
#[utoipa::path(get, path = "/me", tags = ["user", "meta"], responses((status = 200, description = "The account", body = UserInfoResponse)))]
pub async fn get_user_info(
    State(app): State<App>,
    call: Call<Identity, ()>,
) -> Result<Json<UserInfoResponse>, ApiError> {
    let account = app.platform.accounts.get(call.caller.user).await?;
    // Deleted between the check of the key and now.
    Ok(Json(UserInfoResponse::of(&*account.ok_or(ApiError::BadCredential("Invalid API key".into()))?)))
}
