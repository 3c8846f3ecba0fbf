//! `heddle market`

use super::ask;
use crate::admin::Request;
use crate::admin::market::Ask;
use crate::cli::Market;
use crate::failure::Failure;
use crate::{Setting, print};

/// Carries out one of its commands.
pub async fn run(setting: &Setting, command: Market) -> Result<(), Failure> {
    let json = setting.json;
    let decide = |submission, approved, comment, note| Ask::Decide { submission, approved, comment, note };
    match command {
        Market::List { status } => {
            let columns = ["id", "creator", "slug", "version", "name", "status", "submitted_at"];
            print::table(&ask(setting, Request::Market { market: Ask::List { status } }).await?, &columns, json)
        }
        Market::Show { submission } => {
            print::json(&ask(setting, Request::Market { market: Ask::File { submission } }).await?)
        }
        Market::Approve { submission, words } => {
            let market = decide(submission, true, words.comment, words.note);
            print::member(&ask(setting, Request::Market { market }).await?, "id", json)
        }
        Market::Reject { submission, words } => {
            let market = decide(submission, false, words.comment, words.note);
            print::member(&ask(setting, Request::Market { market }).await?, "id", json)
        }
        Market::Feature { name, not } => {
            let market = Ask::Feature { name, featured: !not };
            print::member(&ask(setting, Request::Market { market }).await?, "name", json)
        }
    }
}
