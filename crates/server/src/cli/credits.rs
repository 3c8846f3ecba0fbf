//! `heddle credits`: the words.

use clap::{Args, Subcommand};
use heddle_platform::GrantKind;

/// `heddle credits`
#[derive(Debug, Subcommand)]
pub enum Credits {
    /// Add credits to an account, or take some away
    Grant(GrantWords),
    /// Show what an account has, and what it was told
    Show {
        /// Whose [default: the operator account]
        #[arg(long, value_name = "EMAIL")]
        user: Option<String>,
    },
    /// List what has changed an account's balance, newest first
    Transactions {
        /// Whose [default: the operator account]
        #[arg(long, value_name = "EMAIL")]
        user: Option<String>,
        /// Only these: grant, top-up, refund or usage
        #[arg(long = "type", value_name = "TYPE", value_parser = ["grant", "top-up", "refund", "usage"])]
        kind: Option<String>,
        /// So many at most
        #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u16).range(1..=1000))]
        limit: u16,
    },
}

/// `heddle credits grant`
#[derive(Args, Debug)]
pub struct GrantWords {
    /// Credits, a US cent each; below nought to take some away
    #[arg(value_name = "AMOUNT", allow_negative_numbers = true)]
    pub amount: i64,
    /// Whose [default: the operator account]
    #[arg(long, value_name = "EMAIL")]
    pub user: Option<String>,
    /// What for: grant, top-up (paid for elsewhere) or refund
    #[arg(long, default_value = "grant", value_parser = kind)]
    pub kind: GrantKind,
    /// For people
    #[arg(long, value_name = "TEXT")]
    pub comment: Option<String>,
    /// The same key changes an account's balance only once
    #[arg(long, value_name = "KEY")]
    pub key: Option<String>,
}

fn kind(name: &str) -> Result<GrantKind, String> {
    GrantKind::parse(name).ok_or_else(|| "expected grant, top-up or refund".to_owned())
}
