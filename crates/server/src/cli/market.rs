//! `heddle market`

use clap::{Args, Subcommand};

/// What an operator decides about the marketplace.
#[derive(Debug, Subcommand)]
pub enum Market {
    /// List the submissions that wait for a decision
    List {
        /// Those that were approved or rejected instead
        #[arg(long, value_parser = ["pending", "approved", "rejected"], default_value = "pending")]
        status: String,
    },
    /// Print the agent file that others would get
    Show {
        /// Id from `market list`
        #[arg(value_name = "SUBMISSION_ID")]
        submission: String,
    },
    /// Put a submission on the marketplace
    Approve {
        /// Id from `market list`
        #[arg(value_name = "SUBMISSION_ID")]
        submission: String,
        #[command(flatten)]
        words: Words,
    },
    /// Reject a submission, or take an approval back
    Reject {
        /// Id from `market list`
        #[arg(value_name = "SUBMISSION_ID")]
        submission: String,
        #[command(flatten)]
        words: Words,
    },
    /// Feature an agent, CREATOR/SLUG, or a creator, CREATOR
    Feature {
        /// CREATOR/SLUG or CREATOR
        name: String,
        /// Feature it no longer
        #[arg(long)]
        not: bool,
    },
}

/// What is said with a decision.
#[derive(Args, Debug)]
pub struct Words {
    /// For its creator; a rejection needs it
    #[arg(long, value_name = "TEXT")]
    pub comment: Option<String>,
    /// For other operators
    #[arg(long, value_name = "TEXT")]
    pub note: Option<String>,
}
