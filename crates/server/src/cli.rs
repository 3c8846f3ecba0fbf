//! The words of the command line (`operator.md`). Says what may be typed, not what it does.

mod app;
mod credential;
mod credits;
mod market;

pub use app::{App, Create, Edit};
pub use credential::{Add, Credential, Kind, Vault};
pub use credits::{Credits, GrantWords};
pub use market::Market;

use clap::{ArgGroup, Args, Parser, Subcommand};
use heddle_model::Scope;
use std::ffi::OsString;
use std::path::PathBuf;

/// Runs agents: a self-hostable agent platform in one binary.
#[derive(Debug, Parser)]
#[command(name = "heddle", version, max_term_width = 100)]
pub struct Cli {
    /// Flags of every command.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Flags that may stand before or after a command's own words.
#[derive(Args, Debug)]
#[command(next_help_heading = "Everywhere")]
pub struct Global {
    /// Data folder [environment: HEDDLE_DATA; default: ./heddle-data]
    #[arg(long, global = true, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Settings file instead of heddle.toml in the data folder
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// A setting, e.g. log.level=debug; repeatable
    #[arg(long, global = true, value_name = "KEY=VALUE", value_parser = pair)]
    pub set: Vec<(String, String)>,
    /// Short for --set server.listen=ADDRESS:PORT
    #[arg(long, global = true, value_name = "ADDRESS:PORT")]
    pub listen: Option<String>,
    /// Print one JSON document
    #[arg(long, global = true)]
    pub json: bool,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Start the server
    Serve,
    /// Run an exported agent file to its end, without a server; nothing is kept unless --data says where
    Run(Run),
    /// Save agent files as graphs
    Import {
        /// Agent files; one may hold an array of agents
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
        /// Whose they are to be [default: the operator account]
        #[arg(long, value_name = "EMAIL")]
        user: Option<String>,
    },
    /// Print an agent file
    Export {
        /// Graph id
        #[arg(value_name = "ID")]
        graph: String,
        /// Instead of the highest version
        #[arg(long = "version", value_name = "N")]
        graph_version: Option<i64>,
        /// Whose it is [default: the operator account]
        #[arg(long, value_name = "EMAIL")]
        user: Option<String>,
    },
    /// Accounts
    #[command(subcommand)]
    User(User),
    /// API keys
    #[command(subcommand)]
    Key(Key),
    /// OAuth applications
    #[command(subcommand)]
    App(App),
    /// Secrets for other services
    #[command(subcommand)]
    Credential(Credential),
    /// The key that seals secrets
    #[command(subcommand)]
    Vault(Vault),
    /// Agents that are started by themselves
    #[command(subcommand)]
    Schedule(Schedule),
    /// What runs ask persons
    #[command(subcommand)]
    Review(Review),
    /// What accounts may spend
    #[command(subcommand)]
    Credits(Credits),
    /// What people hand in to be published
    #[command(subcommand)]
    Market(Market),
    /// The block catalogue
    #[command(subcommand)]
    Blocks(Blocks),
    /// Print the effective settings
    Config,
    /// Bring the database up to date
    Migrate {
        /// Only say whether something is to be done
        #[arg(long)]
        check: bool,
    },
    /// Make one file from which the data folder can be made again; the server may run
    Backup {
        /// A file that does not exist yet
        dest: PathBuf,
    },
    /// Make the data folder from a backup; the server must not run
    Restore {
        /// What `heddle backup` made
        file: PathBuf,
        /// Move what is there aside
        #[arg(long)]
        force: bool,
    },
    /// Check settings, database, disk and clock
    Doctor,
    /// Print the version
    Version,
    #[command(hide = true, disable_help_flag = true)]
    Worker(Later),
}

/// The words after a command that a later release will have.
#[derive(Args, Debug)]
pub struct Later {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
    words: Vec<OsString>,
}

/// `heddle run`
#[derive(Args, Debug)]
pub struct Run {
    /// Agent file
    pub file: PathBuf,
    /// An input as text; repeatable, wins over --inputs
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
    pub input: Vec<(String, String)>,
    /// All inputs as a JSON object, or @FILE that holds one
    #[arg(long, value_name = "JSON")]
    pub inputs: Option<String>,
}

/// `heddle user`
#[derive(Debug, Subcommand)]
pub enum User {
    /// Make an account
    Create {
        /// Address, unique on this server
        #[arg(long)]
        email: String,
        /// For people
        #[arg(long)]
        name: Option<String>,
        /// An operator of this server
        #[arg(long)]
        admin: bool,
        /// Read a password from the first line of stdin
        #[arg(long)]
        password_stdin: bool,
    },
    /// List accounts
    List,
    /// Disable an account: its credentials stop working
    Disable {
        /// Address
        email: String,
    },
    /// Set a password, read from the first line of stdin
    Password {
        /// Address
        email: String,
    },
    /// Print what signs an account's completion callbacks
    CallbackSecret {
        /// Whose [default: the operator account]
        #[arg(long, value_name = "EMAIL")]
        user: Option<String>,
        /// Make a new one, which signs from now on instead of the old one
        #[arg(long)]
        rotate: bool,
    },
}

/// `heddle key`
#[derive(Debug, Subcommand)]
pub enum Key {
    /// Make an API key; it is shown once
    Create {
        /// For people
        #[arg(long)]
        name: String,
        /// Whose it is to be [default: the operator account]
        #[arg(long, value_name = "EMAIL")]
        user: Option<String>,
        /// Scopes separated by commas, or all
        #[arg(long, value_parser = scopes, default_value = "all")]
        scopes: Scopes,
    },
    /// List API keys
    List {
        /// Only this account's
        #[arg(long, value_name = "EMAIL")]
        user: Option<String>,
    },
    /// Revoke an API key for good
    Revoke {
        /// Id from `key list`
        id: String,
    },
}

/// `heddle schedule`
#[derive(Debug, Subcommand)]
pub enum Schedule {
    /// Have an agent started whenever a cron expression says so
    Create {
        /// Graph id
        #[arg(long, value_name = "ID")]
        graph: String,
        /// Instead of the highest version
        #[arg(long = "version", value_name = "N")]
        graph_version: Option<i64>,
        /// Five fields: minute, hour, day of month, month, day of week
        #[arg(long, value_name = "EXPR")]
        cron: String,
        /// By whose clocks, e.g. Europe/Berlin [default: the account's, or UTC]
        #[arg(long, value_name = "TZ")]
        timezone: Option<String>,
        /// For people
        #[arg(long)]
        name: String,
        /// The inputs of each run as a JSON object, or @FILE that holds one
        #[arg(long, value_name = "JSON")]
        inputs: Option<String>,
        /// Whose it is to be [default: the operator account]
        #[arg(long, value_name = "EMAIL")]
        user: Option<String>,
    },
    /// List schedules, next one first
    List {
        /// Only this account's
        #[arg(long, value_name = "EMAIL")]
        user: Option<String>,
    },
    /// Remove a schedule; runs that it has started go on
    Remove {
        /// Id from `schedule list`
        id: String,
    },
}

/// `heddle review`
#[derive(Debug, Subcommand)]
pub enum Review {
    /// List the reviews that wait for an answer
    List {
        /// All reviews of this run instead
        #[arg(long, value_name = "RUN_ID")]
        run: Option<String>,
        /// Whose they are [default: the operator account]
        #[arg(long, value_name = "EMAIL")]
        user: Option<String>,
    },
    /// Answer a review; when it was the run's last one, the run goes on
    Answer(Answer),
}

/// `heddle review answer`
#[derive(Args, Debug)]
#[command(group = ArgGroup::new("decision").required(true).args(["approve", "reject"]))]
pub struct Answer {
    /// Id from `review list`
    #[arg(value_name = "REVIEW_ID")]
    pub review: String,
    /// Let it go on
    #[arg(long)]
    pub approve: bool,
    /// Do not let it
    #[arg(long)]
    pub reject: bool,
    /// What takes the place of the data that was to be approved
    #[arg(long, value_name = "JSON")]
    pub payload: Option<String>,
    /// Words for the run
    #[arg(long, value_name = "TEXT")]
    pub message: Option<String>,
    /// Approve what the same node asks later in this run as well; the data stays as it is
    #[arg(long, requires = "approve", conflicts_with = "payload")]
    pub auto_approve_future: bool,
    /// Whose it is [default: the operator account]
    #[arg(long, value_name = "EMAIL")]
    pub user: Option<String>,
}

/// `heddle blocks`
#[derive(Debug, Subcommand)]
pub enum Blocks {
    /// List the blocks that can be used
    List,
    /// Show one block with its pins
    Show {
        /// Block id
        id: String,
    },
    /// Check a provider's file
    Check {
        /// A .yaml file; its name is the provider's
        file: PathBuf,
    },
    /// List the providers that credentials may be for
    Providers,
}

/// A list of scopes; a type of its own because clap reads a `Vec` as a repeated flag.
#[derive(Clone, Debug)]
pub struct Scopes(pub Vec<Scope>);

fn scopes(text: &str) -> Result<Scopes, String> {
    if text == "all" {
        return Ok(Scopes(Scope::ALL.to_vec()));
    }
    let one = |name: &str| Scope::parse(name.trim()).ok_or_else(|| format!("there is no scope {name:?}"));
    text.split(',').map(one).collect::<Result<_, _>>().map(Scopes)
}

fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("expected NAME=VALUE".to_owned()),
    }
}

/// The arguments with every `--set` in front: clap keeps only one side's values of a repeatable flag that stands both
/// before and after a command.
pub fn in_order(arguments: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut arguments = arguments.into_iter();
    let mut front: Vec<_> = arguments.next().into_iter().collect();
    let mut rest = Vec::new();
    while let Some(argument) = arguments.next() {
        match argument.to_str() {
            Some("--") => {
                rest.push(argument);
                rest.extend(arguments.by_ref());
            }
            Some("--set") => {
                front.push(argument);
                front.extend(arguments.next());
            }
            Some(text) if text.starts_with("--set=") => front.push(argument),
            _ => rest.push(argument),
        }
    }
    front.append(&mut rest);
    front
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Cli {
        Cli::try_parse_from(in_order(line.split(' ').map(OsString::from))).unwrap()
    }

    #[test]
    fn the_command_line_is_well_formed() {
        use clap::CommandFactory;
        Cli::command().debug_assert();
    }

    #[test]
    fn global_flags_stand_before_or_after_the_commands_words() {
        for line in [
            "heddle --json --data d --set a.b=1 user list --set c.d=2",
            "heddle user list --set a.b=1 --json --set=c.d=2 --data d",
        ] {
            let cli = parse(line);
            assert!(cli.global.json, "{line}");
            assert_eq!(cli.global.data, Some(PathBuf::from("d")), "{line}");
            let set: Vec<_> = cli.global.set.iter().map(|(k, v)| format!("{k}={v}")).collect();
            assert_eq!(set, ["a.b=1", "c.d=2"], "{line}");
        }
    }

    #[test]
    fn words_of_later_commands_are_accepted_as_they_are() {
        for line in ["heddle worker", "heddle worker --provider x"] {
            parse(line);
        }
    }

    #[test]
    fn an_answer_is_yes_or_no() {
        let cases = [("--approve", true), ("--reject", true), ("", false), ("--approve --reject", false)];
        for (flags, is_well) in cases {
            let line = format!("heddle review answer 1 {flags}");
            let words = in_order(line.split_whitespace().map(OsString::from));
            assert_eq!(Cli::try_parse_from(words).is_ok(), is_well, "{line}");
        }
    }

    #[test]
    fn an_unknown_scope_is_wrong_usage() {
        let words = ["heddle", "key", "create", "--name", "n", "--scopes", "READ_GRAPH,FLY"].map(OsString::from);
        assert_eq!(Cli::try_parse_from(words).unwrap_err().exit_code(), 2);
    }
}
