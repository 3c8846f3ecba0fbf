//! An application's logo, sent as a file (`auth.md` 5.3).

use super::own::{by, record};
use crate::app::App;
use crate::error::ApiError;
use crate::multipart::{self, File};
use crate::session::SignedIn;
use crate::validate::{At, Items};
use axum::Json;
use axum::extract::{FromRequest, FromRequestParts, Path, Request, State};
use heddle_platform::authorization::By;
use heddle_platform::authorization::rules::Client;
use serde_json::Value;

/// A form with the field `file`, sent by somebody who is signed in.
pub struct Logo {
    who: SignedIn,
    file: File,
}

impl FromRequest<App> for Logo {
    type Rejection = ApiError;

    async fn from_request(request: Request, app: &App) -> Result<Self, ApiError> {
        let (mut parts, body) = request.into_parts();
        let who = SignedIn::from_request_parts(&mut parts, app).await?;
        let files = multipart::of(app, &parts, body).await?.map(|(_, files)| files).unwrap_or_default();
        let file = files.into_iter().find(|file| file.field == "file").ok_or_else(no_file)?;
        Ok(Self { who, file })
    }
}

fn no_file() -> ApiError {
    let mut items = Items::default();
    items.add(&At::Member(&At::Source("body"), "file"), "missing", "Field required", &Value::Null);
    ApiError::Invalid(items)
}

/// `POST /api/oauth/apps/{app_id}/logo/upload`.
pub async fn upload(State(app): State<App>, Path(id): Path<String>, logo: Logo) -> Result<Json<Value>, ApiError> {
    let client = keep(&app, by(&logo.who), &logo.who, &id, logo.file).await?;
    Ok(Json(record(&client)?))
}

/// Takes a logo in and gives it to the application. It is counted among the pictures of whoever the application belongs to.
pub async fn keep(app: &App, by: By, who: &SignedIn, id: &str, file: File) -> Result<Client, heddle_platform::Error> {
    let (server, market) = (&app.platform.authorization, &app.platform.marketplace);
    let owner = server.app(by, id).await?.owner.unwrap_or(who.caller.user);
    let name = market.add_logo(owner, &file.kind, file.body).await?;
    server.set_app_logo(by, id, &name).await
}
