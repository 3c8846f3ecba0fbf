//! Servers that mean harm: each one ends in an error that says what it did, in bounded time and memory.

mod upstreams;

use std::time::{Duration, Instant};

use heddle_outbound::Request;
use upstreams::{Upstream, all};

/// What the whole list may add to this process at its peak, all of them at once and twice each: more than two
/// bodies of the largest size for every one would be a leak, and each of the bombs holds a gigabyte.
const MEMORY: u64 = 192 * 1024 * 1024;

const TIMES: usize = 2;

#[tokio::test(flavor = "multi_thread")]
async fn hostile_servers_end_in_an_error_that_says_so_in_bounded_time_and_memory() {
    let before = peak();
    let begun = Instant::now();
    let mut calls = tokio::task::JoinSet::new();
    for upstream in all() {
        let address = upstream.start().await;
        let client = upstream.client(address);
        for _ in 0..TIMES {
            let (client, url) = (client.clone(), upstream.url(address));
            let Upstream { name, error, .. } = upstream;
            calls.spawn(async move {
                let begun = Instant::now();
                let answer = client.send(&Request::get(url)).await;
                (name, error, begun.elapsed(), answer.map(|answer| answer.status.as_u16()))
            });
        }
    }
    let mut ended = 0;
    while let Some(call) = calls.join_next().await {
        let (name, expected, took, answer) = call.expect("no panic");
        let error = answer.expect_err(name).to_string();
        assert!(error.contains(expected), "{name}: {error}");
        // Half a second for the connection and one and a half for all the rest, or no waiting at all; what goes beyond
        // that is the machine's.
        assert!(took < Duration::from_secs(25), "{name}: {took:?}");
        ended += 1;
    }
    let grown = peak().saturating_sub(before);
    assert!(grown < MEMORY, "{} MiB", grown >> 20);
    println!("{ended} calls ended in {:?}, {} MiB at the peak", begun.elapsed(), grown >> 20);
}

/// The most memory this process ever held, in bytes; 0 where the system does not tell.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap_or(0) * 1024
}
