//! The engine under everything that may happen to it: the real machine, driver and host on a virtual clock, with random
//! agents, faults, kills, stops and answers, compared after every commit with a plain model.
//!
//! `SIMULATE_SEEDS` says how many seeds, `SIMULATE_FIRST` which is the first.
#![expect(clippy::unwrap_used, reason = "everything here is a test or helps one")]

mod blocks;
mod core;
mod disk;
mod ledger;
mod life;
#[path = "../support/made_up.rs"]
#[allow(dead_code, reason = "shared with the other tests")]
mod made_up;
mod model;
mod money;
mod rng;
mod spec;

use std::cell::RefCell;
use std::io::{self, Write};
use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, Once};
use std::thread;

/// Lines of a failure's trace that are shown.
const SHOWN: usize = 60;

thread_local! {
    static PANIC: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// The engine catches panics of its drivers; none of them may go unnoticed.
fn notice_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let usual = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            let text = info.to_string();
            if !text.contains("as asked") {
                PANIC.set(Some(text));
                usual(info);
            }
        }));
    });
}

/// One seed: the hash of its trace, or what went wrong.
fn simulate(seed: u64) -> Result<u64, String> {
    PANIC.set(None);
    let mut sim = life::Sim::new(seed);
    let end = panic::catch_unwind(AssertUnwindSafe(|| sim.live()));
    if let Some(text) = PANIC.take().or(end.err().map(|_| "it panicked".to_owned())) {
        sim.core.problem(text);
    }
    let problems = sim.core.problems();
    if problems.is_empty() {
        return Ok(sim.core.fingerprint());
    }
    let trace = sim.core.trace();
    let left_out = trace.len().saturating_sub(SHOWN);
    let shown = if std::env::var_os("SIMULATE_TRACE").is_some() { &trace[..] } else { &trace[left_out..] };
    Err(format!(
        "seed {seed}: {}\n  … {} lines …\n  {}\nrepeat with: just simulate 1 {seed} (SIMULATE_TRACE=1 for all of it)",
        problems.join("\n"),
        trace.len() - shown.len(),
        shown.join("\n  ")
    ))
}

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

#[test]
fn whatever_happens_no_run_is_lost_doubled_or_left_hanging() {
    notice_panics();
    let (first, seeds) = (number("SIMULATE_FIRST", 1), number("SIMULATE_SEEDS", 1000));
    let (next, failures) = (AtomicU64::new(first), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Relaxed);
                    if seed >= first + seeds || failures.lock().unwrap().len() >= 3 {
                        return;
                    }
                    if let Err(failure) = simulate(seed) {
                        // Past the test's captured output: whoever watches need not wait for the end.
                        let _ = writeln!(io::stderr(), "{failure}\n");
                        failures.lock().unwrap().push(failure);
                    }
                }
            });
        }
    });
    let failures = failures.into_inner().unwrap();
    let ran = next.load(Relaxed).min(first + seeds) - first;
    println!("{ran} seeds from {first} on");
    let first_lines: Vec<_> = failures.iter().filter_map(|failure| failure.lines().next()).collect();
    assert!(failures.is_empty(), "after {ran} seeds\n{}", first_lines.join("\n"));
}

#[test]
fn the_same_seed_makes_the_same_trace() {
    notice_panics();
    for seed in 1..20 {
        let (first, second) = (simulate(seed), simulate(seed));
        println!("seed {seed}: {first:016x?}");
        assert_eq!(first, second, "seed {seed}");
    }
}
