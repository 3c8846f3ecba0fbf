//! `heddle credits`.

use super::ask;
use crate::admin::{Request, credits::Ask};
use crate::cli::{Credits, GrantWords};
use crate::failure::Failure;
use crate::{Setting, print};

pub async fn run(setting: &Setting, command: Credits) -> Result<(), Failure> {
    let json = setting.json;
    match command {
        Credits::Grant(GrantWords { amount, user, kind, comment, key }) => {
            let ask_for = Ask::Grant { user, amount, kind: kind.as_str().to_owned(), comment, key };
            print::member(&ask(setting, Request::Credits { credits: ask_for }).await?, "balance", json)
        }
        Credits::Show { user } => {
            let shown = ask(setting, Request::Credits { credits: Ask::Show { user } }).await?;
            if json {
                return print::json(&shown);
            }
            print::member(&shown, "balance", false)?;
            match shown["notices"].as_array().is_some_and(|notices| !notices.is_empty()) {
                true => print::table(&shown["notices"], &["created_at", "type", "graph_id", "balance"], false),
                false => Ok(()),
            }
        }
        Credits::Transactions { user, kind, limit } => {
            let ask_for = Ask::Transactions { user, kind, limit };
            let records = ask(setting, Request::Credits { credits: ask_for }).await?;
            print::table(&records, &["transaction_time", "type", "amount", "description", "run_id"], json)
        }
    }
}
