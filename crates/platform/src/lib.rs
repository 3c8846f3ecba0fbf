//! The use cases that every door calls: a rule that holds here holds for HTTP, commands and everything to come.
//!
//! Knows accounts, keys, graphs and runs; does not know the JSON shapes of any door, nor SQL.

pub mod accounts;
pub mod authorization;
mod background;
pub mod blocks;
pub mod callbacks;
mod clock;
pub mod connect;
mod counters;
pub mod credits;
pub mod error;
mod gauges;
pub mod graphs;
pub mod integrations;
pub mod keys;
mod library;
pub mod limiter;
mod mail;
pub mod marketplace;
#[cfg(test)]
#[path = "../../blocks/tests/blocks/mock.rs"]
mod mock;
mod notes;
pub mod page;
pub mod passkeys;
mod password;
mod patience;
mod plans;
pub mod principal;
pub mod reviews;
pub mod runs;
pub mod schedules;
mod secrets;
pub mod sessions;
mod storage;
mod system;
pub mod tools;
mod traces;
mod upkeep;
mod visitor;

pub use accounts::{Account, Accounts, NewAccount};
pub use authorization::Authorization;
pub use blocks::Blocks;
pub use callbacks::{CallbackUrl, Callbacks, Render};
pub use clock::Watch;
pub use credits::{CreditRules, Credits, Grant, GrantKind};
pub use error::Error;
pub use gauges::Gauges;
pub use graphs::{GraphSummary, Graphs, SavedGraph};
pub use heddle_engine::journal::{Counts as RunCounts, Idempotency};
pub use heddle_engine::ports::Clock;
pub use heddle_engine::stats::{ExecStats, RunStats};
pub use heddle_outbound::{Allow, Mailer, MailerError, Policy};
pub use heddle_store::{Address, Counts, Database, Distribution, Histogram, KeyStatus, Sizes};
pub use integrations::{CredentialMeta, Integrations, NewCredential, NewSecret};
pub use keys::{ApiKey, Keys, NewKey};
pub use limiter::{Limit, Limiter};
pub use mail::Mail;
pub use marketplace::Marketplace;
pub use page::{Page, PageRequest};
pub use passkeys::{Passkey, Passkeys};
pub use principal::Principal;
pub use reviews::{Answered, Decision, Review, ReviewStatus, Reviews};
pub use runs::{NodeView, RunOutcome, RunSummary, RunView, Runs, Start, Started};
pub use schedules::{NewSchedule, Schedule, Schedules};
pub use secrets::Rotation;
pub use sessions::{Begun, BrowserSession, Sessions, SignIn, SignedIn};
pub use system::{CALLBACK_ORIGIN, Limits, Options, Platform};
pub use tools::Tools;
pub use visitor::Visitor;
