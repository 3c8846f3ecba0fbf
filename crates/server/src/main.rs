//! The binary `heddle`: reads the command line and the settings, and hands over.
//!
//! Rules live in `heddle-platform`, wire shapes in `heddle-api`; here is only what needs a process: files, signals,
//! sockets, exit codes.

mod admin;
mod archive;
mod cli;
mod commands;
mod failure;
mod folder;
mod logs;
mod print;
mod samples;
mod serve;
mod settings;
mod telemetry;

use clap::Parser;
use cli::{Cli, Command};
use failure::Failure;
use folder::Folder;
use heddle_platform::Database;
use settings::Settings;
use settings::layers::{Sources, load};
use std::path::PathBuf;
use std::process::ExitCode;
use telemetry::Telemetry;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What every command is told.
struct Setting {
    settings: Settings,
    folder: Folder,
    /// Whether the command line names the folder.
    folder_is_named: bool,
    json: bool,
    /// Set for a server that was given a collector.
    telemetry: Option<Telemetry>,
}

impl Setting {
    /// Where the database is.
    fn database(&self) -> Database {
        self.settings.database(&self.folder.database())
    }
}

fn main() -> ExitCode {
    let cli = Cli::parse_from(cli::in_order(std::env::args_os()));
    let code = start(cli).unwrap_or_else(|failure| {
        logs::say(&format!("heddle: {failure}"));
        ExitCode::FAILURE
    });
    logs::close();
    code
}

fn start(cli: Cli) -> Result<ExitCode, Failure> {
    let Cli { global, command } = cli;
    let folder_is_named = global.data.is_some();
    let from_environment = || std::env::var_os("HEDDLE_DATA").filter(|name| !name.is_empty()).map(PathBuf::from);
    let folder = Folder::new(global.data.or_else(from_environment).unwrap_or_else(|| "heddle-data".into()));
    let settings = load(&Sources {
        config: global.config,
        default_config: Some(folder.file("heddle.toml")),
        environment: std::env::vars_os().collect(),
        set: global.set,
        listen: global.listen,
    })?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(settings.workers)
        .enable_all()
        .build()
        .map_err(|error| Failure::of("threads", error))?;
    let serves = matches!(command, Command::Serve);
    let place = folder.clone();
    let may_make = !serves && place.is_missing();
    let telemetry =
        settings.otlp_url.as_ref().filter(|_| serves).map(|url| Telemetry::new(url, runtime.handle().clone()));
    logs::start(&settings, serves, telemetry.as_ref()).map_err(|error| Failure::of("the log", error))?;
    let setting = Setting { settings, folder, folder_is_named, json: global.json, telemetry };
    let outcome = runtime.block_on(commands::run(setting, command));
    // Whatever still blocks a thread has nothing left to say.
    runtime.shutdown_background();
    if may_make && outcome.as_ref().is_ok_and(|code| *code == ExitCode::SUCCESS) && !place.is_missing() {
        let path = place.path().display();
        eprintln!("made a new data folder, {path}: a server with another one knows nothing of it");
    }
    outcome
}
