//! What commands ask for: one request, one answer, whether or not a server runs.
//!
//! A command never touches the database itself. Its request is carried out by [`execute`], in the server that holds the
//! data folder ([`socket`]) or in this process ([`door`]), so that the server's caches learn of every change.

pub mod apps;
pub mod credentials;
pub mod credits;
pub mod door;
pub mod follow;
mod graphs;
mod keys;
pub mod market;
mod reviews;
mod schedules;
pub mod socket;
mod users;

pub use graphs::NOT_RUN;

use heddle_model::{Object, Scope};
use heddle_platform::{Account, Decision, Error, NewAccount, NewSchedule, Platform, Principal, Sizes};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::path::PathBuf;

/// A use case with its arguments. `user` is an address; `None` means the operator account.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Request {
    /// Saves the agents of one file.
    Import { user: Option<String>, content: Value },
    /// The agent file of a graph.
    Export { user: Option<String>, graph: String, version: Option<i64> },
    /// Starts a run of a graph.
    Start { user: Option<String>, graph: String, version: i64, inputs: Object },
    /// Waits for a run until it ends or only persons can move it on, at most so long.
    Wait { user: Option<String>, run: String, seconds: u64 },
    /// A run at a glance. On the socket glances follow, each with what has changed, and at the end `null`.
    Follow { user: Option<String>, run: String },
    /// Makes an account.
    CreateUser { email: String, name: Option<String>, admin: bool, password: Option<String> },
    /// All accounts.
    ListUsers,
    /// Disables an account.
    DisableUser { email: String },
    /// Sets a password.
    SetPassword { email: String, password: String },
    /// What signs an account's completion callbacks, or a new one.
    CallbackSecret { user: Option<String>, rotate: bool },
    /// Makes an API key.
    CreateKey { user: Option<String>, name: String, scopes: Vec<Scope> },
    /// The API keys of one account, or of all.
    ListKeys { user: Option<String> },
    /// Revokes an API key.
    RevokeKey { id: String },
    /// Does something about applications.
    App { app: apps::Ask },
    /// Asks about credits, or changes them.
    Credits { credits: credits::Ask },
    /// Does something about credentials.
    Credential { credential: credentials::Ask },
    /// Makes a new master key and seals everything with it.
    RotateMasterKey,
    /// Makes a schedule.
    CreateSchedule {
        user: Option<String>,
        graph: String,
        version: Option<i64>,
        name: String,
        cron: String,
        time_zone: Option<String>,
        inputs: Object,
    },
    /// The schedules of one account, or of all.
    ListSchedules { user: Option<String> },
    /// Removes a schedule.
    RemoveSchedule { id: String },
    /// The reviews that wait, or all of one run.
    ListReviews { user: Option<String>, run: Option<String> },
    /// Answers a review.
    AnswerReview {
        user: Option<String>,
        review: String,
        approved: bool,
        payload: Option<Value>,
        message: Option<String>,
        auto_approve_future: bool,
    },
    /// Decides about the marketplace.
    Market { market: market::Ask },
    /// Why runs cannot be accepted; empty when they can.
    Unready,
    /// How much room the database takes.
    Sizes,
    /// Copies the database into a file that is not there yet.
    Copy { to: PathBuf },
}

/// What came of it: a JSON value to print, or the reason of the refusal.
pub type Response = Result<Value, String>;

/// Carries out one request.
pub async fn execute(platform: &Platform, request: Request) -> Response {
    dispatch(platform, request).await.map_err(|error| error.to_string())
}

async fn dispatch(platform: &Platform, request: Request) -> Result<Value, Error> {
    match request {
        Request::Import { user, content } => graphs::import(platform, user.as_deref(), content).await,
        Request::Export { user, graph, version } => {
            let owner = account(platform, user.as_deref()).await?;
            platform.graphs.export(owner.id, &graph, version).await
        }
        Request::Start { user, graph, version, inputs } => {
            graphs::start(platform, user.as_deref(), graph, version, inputs).await
        }
        Request::Wait { user, run, seconds } => graphs::wait(platform, user.as_deref(), &run, seconds).await,
        Request::Follow { user, run } => {
            let mut follow = follow::Follow::open(platform, user.as_deref(), &run).await?;
            Ok(serde_json::json!(follow.next().await))
        }
        Request::CreateUser { email, name, admin, password } => {
            users::create(platform, NewAccount { email, name, password, is_admin: admin }).await
        }
        Request::ListUsers => users::list(platform).await,
        Request::DisableUser { email } => Ok(users::shown(&platform.accounts.disable(&email).await?)),
        Request::SetPassword { email, password } => {
            platform.accounts.set_password(&email, &password).await?;
            Ok(users::shown(&account(platform, Some(&email)).await?))
        }
        Request::CallbackSecret { user, rotate } => users::callback_secret(platform, user.as_deref(), rotate).await,
        Request::CreateKey { user, name, scopes } => keys::create(platform, user.as_deref(), name, scopes).await,
        Request::ListKeys { user } => keys::list(platform, user.as_deref()).await,
        Request::RevokeKey { id } => keys::revoke(platform, &id).await,
        Request::App { app } => apps::execute(platform, app).await,
        Request::Credits { credits } => credits::execute(platform, credits).await,
        Request::Credential { credential } => credentials::execute(platform, credential).await,
        Request::RotateMasterKey => {
            let done = platform.rotate_master_key().await?;
            Ok(json!({
                "key": done.key,
                "resealed": done.resealed,
                "unopened": done.unopened,
                "is_over": done.is_over,
            }))
        }
        Request::CreateSchedule { user, graph, version, name, cron, time_zone, inputs } => {
            let new = NewSchedule { graph, version, name, cron, time_zone, inputs, credentials: Object::new() };
            schedules::create(platform, user.as_deref(), new).await
        }
        Request::ListSchedules { user } => schedules::list(platform, user.as_deref()).await,
        Request::RemoveSchedule { id } => schedules::remove(platform, &id).await,
        Request::ListReviews { user, run } => reviews::list(platform, user.as_deref(), run.as_deref()).await,
        Request::AnswerReview { user, review, approved, payload, message, auto_approve_future } => {
            let decision = Decision { review, approved, data: payload, message, auto_approve_future };
            reviews::answer(platform, user.as_deref(), decision).await
        }
        Request::Market { market } => market::execute(platform, market).await,
        Request::Unready => Ok(platform.unready().await.into()),
        Request::Sizes => Ok(platform.sizes().await.map_or(
            Value::Null,
            |Sizes { database, free, log }| json!({"database": database, "free": free, "log": log}),
        )),
        Request::Copy { to } => platform.copy_to(&to).await.map(|()| Value::Null),
    }
}

/// The operator account of a fresh data folder.
pub const OPERATOR: &str = "operator@localhost";

/// The account that a request is about. The operator account is made when there is none yet, so that commands work on a
/// folder that no server has started on; it gets its password at the first start.
pub async fn account(platform: &Platform, email: Option<&str>) -> Result<Account, Error> {
    match platform.accounts.named(email).await {
        Err(Error::NotFound(_)) if email.is_none() => {
            let new = NewAccount {
                email: OPERATOR.to_owned(),
                name: Some("Operator".to_owned()),
                password: None,
                is_admin: true,
            };
            platform.accounts.create(new).await
        }
        other => other,
    }
}

/// An account acting through a command: it may do everything that is its own.
fn principal(account: &Account) -> Principal {
    Principal { user: account.id, organization: account.organization, key: None, scopes: Scope::ALL.to_vec() }
}
