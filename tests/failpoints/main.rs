//! Every failpoint × every action, on the real binary: start, load, strike, go on, and look at what is there at the end.
//!
//! Needs a binary with failpoints: `just failpoints`. `HEDDLE_FAILPOINTS_ONLY=TEXT` runs the cases whose name holds it.

#![expect(clippy::unwrap_used, reason = "a test's helpers may panic as the test itself may")]

mod agents;
mod archives;
mod case;
mod key_file;
mod slots;
mod stub;
#[expect(dead_code, unused_imports, reason = "what other suites use")]
#[path = "../support/mod.rs"]
mod support;
mod template;
mod upkeep;
mod world;

use case::Case;
use heddle_fault::POINTS;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use stub::Stub;
use template::Template;

/// Cases at once. Most of a case is waiting for processes and for the disk.
const AT_ONCE: usize = 4;
/// Of those that wait for a task that looks now and then. They begin first and go on beside the others.
const WAITING_AT_ONCE: usize = 16;

#[test]
fn whatever_strikes_wherever_nothing_acknowledged_is_lost_and_the_server_goes_on() {
    let only = std::env::var("HEDDLE_FAILPOINTS_ONLY").unwrap_or_default();
    let stub = Stub::start();
    let template = Template::new(&stub);
    let mut cases: Vec<_> = POINTS.iter().flat_map(|point| Case::all(*point)).collect();
    cases.retain(|case| case.to_string().contains(&only));
    let count = cases.len();
    cases.reverse();
    let (patient, others): (Vec<_>, Vec<_>) = cases.into_iter().partition(Case::is_patient);
    let failed = Mutex::new(Vec::new());
    let work = |waiting: &Mutex<Vec<Case>>| {
        while let Some(case) = { waiting.lock().unwrap().pop() } {
            if let Err(panic) = catch_unwind(AssertUnwindSafe(|| case.check(&template, &stub))) {
                failed.lock().unwrap().push(format!("{case}: {}", said(&*panic)));
            }
        }
    };
    let queues = [(WAITING_AT_ONCE, Mutex::new(patient)), (AT_ONCE, Mutex::new(others))];
    std::thread::scope(|scope| {
        for (at_once, waiting) in &queues {
            for _ in 0..*at_once {
                scope.spawn(|| work(waiting));
            }
        }
    });
    stub.check_keys();
    let failed = failed.into_inner().unwrap();
    assert!(failed.is_empty(), "{} of {count} cases failed:\n{}", failed.len(), failed.join("\n"));
    println!("{count} cases at {} failpoints", POINTS.len());
}

fn said(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string)).unwrap_or_default()
}
