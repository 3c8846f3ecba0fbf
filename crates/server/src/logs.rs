//! Log lines, on stderr.
//!
//! Only events make lines. Spans are for those who trace: without them, none is ever made.

use crate::settings::{LogFormat, Settings};
use crate::telemetry::Telemetry;
use std::io::IsTerminal;
use tracing::Metadata;
use tracing_subscriber::filter::{LevelFilter, filter_fn};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, Registry, fmt};

/// Starts logging, and tracing beside it if there is somewhere to send traces. Commands other than `serve` say their reason
/// themselves, in one line, so they log only when a level was asked for.
pub fn start(settings: &Settings, serves: bool, telemetry: Option<&Telemetry>) {
    let level = match serves || settings.is_set("log.level") {
        true => LevelFilter::from_level(settings.log_level),
        false => LevelFilter::OFF,
    };
    // Decided once for each place in the program, not for each event.
    let events =
        filter_fn(move |about: &Metadata<'_>| about.is_event() && *about.level() <= level).with_max_level_hint(level);
    match telemetry {
        None => Registry::default().with(lines(settings)).with(events).init(),
        Some(telemetry) => {
            Registry::default().with(lines(settings).with_filter(events)).with(telemetry.layer()).init();
        }
    }
}

fn lines(settings: &Settings) -> Box<dyn Layer<Registry> + Send + Sync> {
    let terminal = std::io::stderr().is_terminal();
    let format = settings.log_format.unwrap_or(if terminal { LogFormat::Text } else { LogFormat::Json });
    let lines = fmt::layer().with_writer(std::io::stderr);
    match format {
        LogFormat::Text => lines.with_ansi(terminal).boxed(),
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
    }
}
