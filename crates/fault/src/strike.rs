//! Visits, counted, and what comes of them. Only in builds with the feature `failpoints`.

use crate::plan::{self, Action, Strike};
use crate::{Fault, POINTS};
use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// What the variables say, and how often each place was visited.
struct State {
    plan: HashMap<&'static str, Strike>,
    hits: Option<File>,
    visits: HashMap<&'static str, AtomicU64>,
}

/// Comes by a place that may fail.
pub fn visit(name: &'static str) -> Result<(), Fault> {
    let state = state();
    let count = state.visits[name].fetch_add(1, Ordering::Relaxed) + 1;
    if count == 1 {
        state.note(name, "visit");
    }
    let Some(strike) = state.plan.get(name).filter(|strike| strike.at.is_none_or(|at| at == count)) else {
        return Ok(());
    };
    state.note(name, strike.action.name());
    match strike.action {
        // Ended by the system on the spot: nothing is unwound, no buffer is written out.
        Action::Kill => std::process::abort(),
        Action::Error => Err(Fault(name)),
        Action::Panic => panic!("failpoint {name}"),
        Action::Delay(millis) => {
            std::thread::sleep(Duration::from_millis(millis));
            Ok(())
        }
    }
}

/// Comes by a place that cannot fail.
pub fn pass(name: &'static str) {
    visit(name).expect("a plan with an error here is refused");
}

impl State {
    /// One write to a file that only grows, so that the line is there even when the process is not any more.
    fn note(&self, name: &str, what: &str) {
        if let Some(mut file) = self.hits.as_ref() {
            file.write_all(format!("{name} {what}\n").as_bytes()).expect("HEDDLE_FAILPOINTS_HITS can be written");
        }
    }
}

fn state() -> &'static State {
    static STATE: OnceLock<State> = OnceLock::new();
    STATE.get_or_init(|| {
        let variable = |name| std::env::var(name).unwrap_or_default();
        let plan = plan::parse(&variable("HEDDLE_FAILPOINTS")).unwrap_or_else(|error| refuse(&error));
        let open = |path: &str| OpenOptions::new().append(true).create(true).open(path);
        let hits = match variable("HEDDLE_FAILPOINTS_HITS").as_str() {
            "" => None,
            path => Some(open(path).unwrap_or_else(|error| refuse(&format!("{path}: {error}")))),
        };
        let visits = POINTS.iter().map(|point| (point.name, AtomicU64::new(0))).collect();
        State { plan, hits, visits }
    })
}

/// A test that cannot have what it asked for must not pass by accident.
fn refuse(why: &str) -> ! {
    eprintln!("HEDDLE_FAILPOINTS: {why}");
    std::process::exit(2)
}
