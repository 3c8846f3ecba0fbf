//! One function for each command: asks for a use case and prints what came of it.

mod apps;
mod backup;
mod blocks;
mod config;
mod credentials;
mod credits;
mod doctor;
mod files;
mod market;
mod migrate;
mod restore;
mod run;
mod stdin;

use crate::admin::Request;
use crate::admin::door::Door;
use crate::cli::{Answer, Blocks, Command, Key, Review, Schedule, User};
use crate::failure::Failure;
use crate::{Setting, print, serve};
use serde_json::{Value, json};
use std::process::ExitCode;

/// Carries out a command.
pub async fn run(setting: Setting, command: Command) -> Result<ExitCode, Failure> {
    let json = setting.json;
    match command {
        Command::Serve => serve::run(setting).await.map(done),
        Command::Run(words) => run::run(setting, words).await,
        Command::Import { files, user } => files::import(&setting, files, user).await,
        Command::Export { graph, graph_version, user } => {
            let file = ask(&setting, Request::Export { user, graph, version: graph_version }).await?;
            print::json(&file).map(done)
        }
        Command::User(command) => user(&setting, command).await.map(done),
        Command::App(command) => apps::run(&setting, command).await,
        Command::Key(command) => key(&setting, command).await.map(done),
        Command::Credits(command) => credits::run(&setting, command).await.map(done),
        Command::Review(command) => review(&setting, command).await.map(done),
        Command::Schedule(command) => schedule(&setting, command).await.map(done),
        Command::Market(command) => market::run(&setting, command).await.map(done),
        Command::Blocks(Blocks::List) => blocks::list(json).map(done),
        Command::Blocks(Blocks::Show { id }) => blocks::show(&id).map(done),
        Command::Config => config::show(&setting).map(done),
        Command::Migrate { check } => migrate::run(&setting, check).await,
        Command::Doctor => doctor::run(&setting).await,
        Command::Version => version(json).map(done),
        Command::Worker(_) => later("worker"),
        Command::Credential(command) => credentials::run(&setting, command).await.map(done),
        Command::Vault(command) => credentials::vault(&setting, command).await.map(done),
        Command::Backup { dest } => backup::run(&setting, &dest).await.map(done),
        Command::Restore { file, force } => restore::run(&setting, file, force).await.map(done),
        Command::Blocks(Blocks::Check { file }) => blocks::check(&file, json).map(done),
        Command::Blocks(Blocks::Providers) => blocks::providers(&setting).map(done),
    }
}

fn done(_: ()) -> ExitCode {
    ExitCode::SUCCESS
}

fn later<T>(command: &str) -> Result<T, Failure> {
    Err(Failure::new(format!("{command}: not in this release")))
}

/// One request, through the server if one runs.
async fn ask(setting: &Setting, request: Request) -> Result<Value, Failure> {
    let mut door = Door::open(setting).await?;
    let answer = door.ask(request).await;
    door.close().await;
    answer
}

async fn user(setting: &Setting, command: User) -> Result<(), Failure> {
    let json = setting.json;
    match command {
        User::Create { email, name, admin, password_stdin } => {
            let password = if password_stdin { Some(stdin::password()?) } else { None };
            let made = ask(setting, Request::CreateUser { email, name, admin, password }).await?;
            print::member(&made, "id", json)
        }
        User::List => {
            let users = ask(setting, Request::ListUsers).await?;
            print::table(&users, &["id", "email", "name", "is_admin", "created_at", "disabled_at"], json)
        }
        User::Disable { email } => {
            let user = ask(setting, Request::DisableUser { email }).await?;
            print::member(&user, "id", json)
        }
        User::Password { email } => {
            let password = stdin::password()?;
            let user = ask(setting, Request::SetPassword { email, password }).await?;
            print::member(&user, "id", json)
        }
        User::CallbackSecret { user, rotate } => {
            let secret = ask(setting, Request::CallbackSecret { user, rotate }).await?;
            print::member(&secret, "secret", json)
        }
    }
}

async fn key(setting: &Setting, command: Key) -> Result<(), Failure> {
    let json = setting.json;
    match command {
        Key::Create { name, user, scopes } => {
            let key = ask(setting, Request::CreateKey { user, name, scopes: scopes.0 }).await?;
            print::member(&key, "key", json)
        }
        Key::List { user } => {
            let keys = ask(setting, Request::ListKeys { user }).await?;
            print::table(&keys, &["id", "name", "email", "head", "tail", "status", "last_used_at"], json)
        }
        Key::Revoke { id } => {
            let key = ask(setting, Request::RevokeKey { id }).await?;
            print::member(&key, "id", json)
        }
    }
}

async fn schedule(setting: &Setting, command: Schedule) -> Result<(), Failure> {
    let json = setting.json;
    match command {
        Schedule::Create { graph, graph_version, cron, timezone, name, inputs, user } => {
            let inputs = run::inputs(inputs.as_deref(), Vec::new())?;
            let (version, time_zone) = (graph_version, timezone);
            let request = Request::CreateSchedule { user, graph, version, name, cron, time_zone, inputs };
            print::member(&ask(setting, request).await?, "id", json)
        }
        Schedule::List { user } => {
            let schedules = ask(setting, Request::ListSchedules { user }).await?;
            print::table(&schedules, &["id", "name", "email", "agent_name", "cron", "timezone", "next_run_time"], json)
        }
        Schedule::Remove { id } => {
            let schedule = ask(setting, Request::RemoveSchedule { id }).await?;
            print::member(&schedule, "id", json)
        }
    }
}

async fn review(setting: &Setting, command: Review) -> Result<(), Failure> {
    let json = setting.json;
    match command {
        Review::List { run, user } => {
            let reviews = ask(setting, Request::ListReviews { user, run }).await?;
            print::table(&reviews, &["id", "run_id", "status", "created_at", "instructions", "payload"], json)
        }
        Review::Answer(Answer { review, approve, payload, message, auto_approve_future, user, .. }) => {
            let read = |text: String| serde_json::from_str(&text).map_err(|error| Failure::of("--payload", error));
            let payload = payload.map(read).transpose()?;
            let answer =
                Request::AnswerReview { user, review, approved: approve, payload, message, auto_approve_future };
            print::member(&ask(setting, answer).await?, "id", json)
        }
    }
}

fn version(as_json: bool) -> Result<(), Failure> {
    let version = env!("CARGO_PKG_VERSION");
    match as_json {
        true => print::json(&json!({"name": "heddle", "version": version})),
        false => print::text(&format!("heddle {version}")),
    }
}
