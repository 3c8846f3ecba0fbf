//! Log lines, on stderr.
//!
//! Only events make lines. Spans are for those who trace: without them, none is ever made. A server never waits for whoever
//! reads its log ([`outlet`]); other commands write as they go.

mod outlet;

use crate::settings::{LogFormat, Settings};
use crate::telemetry::Telemetry;
use outlet::{Line, Outlet};
use std::backtrace::{Backtrace, BacktraceStatus};
use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::os::fd::AsFd;
use std::panic::PanicHookInfo;
use std::sync::OnceLock;
use std::time::Duration;
use tracing::Metadata;
use tracing_subscriber::filter::{LevelFilter, filter_fn};
use tracing_subscriber::fmt::writer::BoxMakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, Registry, fmt};

/// Bytes of lines that wait for somebody to read them.
const ROOM: usize = 4 << 20;
/// For the last lines, and for one that must be out before anything else happens.
const LAST: Duration = Duration::from_secs(1);

/// A server's way to stderr.
static OUTLET: OnceLock<Outlet> = OnceLock::new();

/// Starts logging, and tracing beside it if there is somewhere to send traces. Commands other than `serve` say their reason
/// themselves, in one line, so they log only when a level was asked for.
pub fn start(settings: &Settings, serves: bool, telemetry: Option<&Telemetry>) -> io::Result<()> {
    let level = match serves || settings.is_set("log.level") {
        true => LevelFilter::from_level(settings.log_level),
        false => LevelFilter::OFF,
    };
    // Decided once for each place in the program, not for each event.
    let events =
        filter_fn(move |about: &Metadata<'_>| about.is_event() && *about.level() <= level).with_max_level_hint(level);
    let writer = match serves {
        true => {
            let outlet = open()?;
            BoxMakeWriter::new(move || Line(outlet))
        }
        false => BoxMakeWriter::new(io::stderr),
    };
    let lines = lines(settings, writer);
    match telemetry {
        None => Registry::default().with(lines).with(events).init(),
        Some(telemetry) => Registry::default().with(lines.with_filter(events)).with(telemetry.layer()).init(),
    }
    if serves {
        std::panic::set_hook(Box::new(panicked));
    }
    Ok(())
}

/// Says something to whoever started this, whatever the log's level and format are, behind all that was logged.
pub fn say(line: &str) {
    let line = format!("{line}\n");
    match OUTLET.get() {
        Some(outlet) => {
            outlet.put_surely(line.as_bytes());
            outlet.flush(LAST);
        }
        // At once: a crash leaves no half of it. Whoever has closed stderr does not wait for it.
        None => drop(io::stderr().write_all(line.as_bytes())),
    }
}

/// Lets the last lines out.
pub fn close() {
    if let Some(outlet) = OUTLET.get() {
        outlet.flush(LAST);
    }
}

/// Writes to a handle of its own: the usual one is locked for as long as a write takes, and that may be for ever.
fn open() -> io::Result<&'static Outlet> {
    let stderr = File::from(io::stderr().as_fd().try_clone_to_owned()?);
    let outlet = Outlet::start(stderr, ROOM, |lost| {
        tracing::error!(lines = lost, "{lost} lines of this log were lost: nobody read it for too long");
    })?;
    Ok(OUTLET.get_or_init(|| outlet))
}

/// A line like any other, where a plain panic would write to stderr itself.
fn panicked(panic: &PanicHookInfo<'_>) {
    let text = panic.payload_as_str().unwrap_or("for a reason that is no text");
    let place = panic.location().map(ToString::to_string).unwrap_or_default();
    let thread = std::thread::current();
    let trace = Backtrace::capture();
    let trace = (trace.status() == BacktraceStatus::Captured).then(|| trace.to_string());
    tracing::error!(place, thread = thread.name(), backtrace = trace, "panicked at {place}: {text}");
    close();
}

fn lines(settings: &Settings, writer: BoxMakeWriter) -> Box<dyn Layer<Registry> + Send + Sync> {
    let terminal = io::stderr().is_terminal();
    let format = settings.log_format.unwrap_or(if terminal { LogFormat::Text } else { LogFormat::Json });
    let lines = fmt::layer().with_writer(writer);
    match format {
        LogFormat::Text => lines.with_ansi(terminal).boxed(),
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
    }
}
