//! `heddle app`.

use super::{ask, stdin};
use crate::admin::Request;
use crate::admin::apps::{Ask, Edit};
use crate::cli::{self, App};
use crate::failure::Failure;
use crate::{Setting, print};
use serde_json::{Value, json};
use std::path::Path;
use std::process::ExitCode;

const COLUMNS: [&str; 6] = ["client_id", "name", "type", "email", "is_active", "created_at"];

/// Carries out what was asked about applications.
pub async fn run(setting: &Setting, command: App) -> Result<ExitCode, Failure> {
    let as_json = setting.json;
    let app = async |app: Ask| ask(setting, Request::App { app }).await;
    let id = async |wanted: Ask| print::member(&app(wanted).await?, "client_id", as_json);
    match command {
        App::Create(cli::Create { name, redirect_uris, scopes, public, description, logo_url, user }) => {
            let scopes = scopes.0;
            // The secret is seen this once, so all of it is printed whether or not JSON was asked for.
            let made = Ask::Create { user, name, description, logo_url, redirect_uris, scopes, public };
            print::json(&app(made).await?)?;
        }
        App::List { user } => print::table(&app(Ask::List { user }).await?, &COLUMNS, as_json)?,
        App::Show { id } => print::json(&app(Ask::Show { id }).await?)?,
        App::Edit(words) => {
            let (wanted, edit) = read(words);
            id(Ask::Edit { id: wanted, edit }).await?;
        }
        App::RotateSecret { id } => print::member(&app(Ask::RotateSecret { id }).await?, "client_secret", as_json)?,
        App::Disable { id: wanted } => id(Ask::SetActive { id: wanted, active: false }).await?,
        App::Enable { id: wanted } => id(Ask::SetActive { id: wanted, active: true }).await?,
        App::Delete { id: wanted } => id(Ask::Delete { id: wanted }).await?,
        App::Import { file, user } => return import(setting, &file, user).await,
        App::RegistrationToken { days } => {
            let seconds = days.map(|days| i64::from(days) * 86_400);
            print::member(&app(Ask::CreateRegistrationToken { seconds }).await?, "token", as_json)?;
        }
        App::RevokeRegistrationToken => {
            let token = stdin::password()?;
            app(Ask::RevokeRegistrationToken { token }).await?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn read(words: cli::Edit) -> (String, Edit) {
    let edit = Edit {
        name: words.name,
        description: words.description,
        logo_url: words.logo_url,
        redirect_uris: (!words.redirect_uris.is_empty()).then_some(words.redirect_uris),
        scopes: words.scopes.map(|scopes| scopes.0),
        is_trusted: words.trusted,
        is_resource_server: words.resource_server,
        requires_pushed: words.require_pushed,
        id_token_alg: words.id_token_alg,
        allows_plain: words.plain_challenges,
    };
    (words.id, edit)
}

/// Each row by itself: the others are kept when one is refused.
async fn import(setting: &Setting, file: &Path, user: Option<String>) -> Result<ExitCode, Failure> {
    let text = std::fs::read_to_string(file).map_err(|error| Failure::of(file.display(), error))?;
    let content: Value = serde_json::from_str(&text).map_err(|error| Failure::of(file.display(), error))?;
    let rows = match content {
        Value::Array(rows) => rows,
        row => vec![row],
    };
    let (mut told, mut code) = (Vec::new(), ExitCode::SUCCESS);
    for row in rows {
        let name = row.get("client_id").or(row.get("clientId")).cloned().unwrap_or_default();
        match ask(setting, Request::App { app: Ask::Import { user: user.clone(), row } }).await {
            Ok(kept) => told.push(kept),
            Err(error) => {
                told.push(json!({ "client_id": name, "error": error.to_string() }));
                code = ExitCode::FAILURE;
            }
        }
    }
    print::json(&told.into())?;
    Ok(code)
}
