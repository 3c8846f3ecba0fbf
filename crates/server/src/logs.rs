//! Log lines, on stderr.

use crate::settings::{LogFormat, Settings};
use std::io::IsTerminal;
use tracing_subscriber::filter::LevelFilter;

/// Starts logging. Commands other than `serve` say their reason themselves, in one line, so they log only when a level
/// was asked for.
pub fn start(settings: &Settings, serves: bool) {
    let level = match serves || settings.is_set("log.level") {
        true => LevelFilter::from_level(settings.log_level),
        false => LevelFilter::OFF,
    };
    let terminal = std::io::stderr().is_terminal();
    let format = settings.log_format.unwrap_or(if terminal { LogFormat::Text } else { LogFormat::Json });
    let lines = tracing_subscriber::fmt().with_max_level(level).with_writer(std::io::stderr);
    match format {
        LogFormat::Text => lines.with_ansi(terminal).init(),
        LogFormat::Json => lines.json().flatten_event(true).init(),
    }
}
