//! The store through its public face, each test on its own database.

// Helpers may unwrap like the tests they serve; the lint knows them by this.
#![cfg(test)]

mod accounts;
mod bed;
mod browser_sessions;
mod callbacks;
mod compaction;
mod connect_attempts;
mod copies;
mod counts;
mod credentials;
mod credits;
mod graphs;
mod journal;
mod keys;
mod lifecycle;
mod market;
mod oauth;
mod passkeys;
mod postgres;
mod recovery;
mod retention;
mod runs;
mod schedules;
mod schema;
mod tenure;
mod values;
mod waiting;

use std::io::Write;

/// What the tests that need PostgreSQL are written in.
const SUITE: &[&str] = &[
    include_str!("accounts.rs"),
    include_str!("browser_sessions.rs"),
    include_str!("callbacks.rs"),
    include_str!("compaction.rs"),
    include_str!("copies.rs"),
    include_str!("counts.rs"),
    include_str!("credentials.rs"),
    include_str!("credits.rs"),
    include_str!("graphs.rs"),
    include_str!("journal.rs"),
    include_str!("keys.rs"),
    include_str!("lifecycle.rs"),
    include_str!("market/index.rs"),
    include_str!("market/rules.rs"),
    include_str!("market/search.rs"),
    include_str!("oauth/apps.rs"),
    include_str!("oauth/grants.rs"),
    include_str!("oauth/keys.rs"),
    include_str!("passkeys.rs"),
    include_str!("postgres.rs"),
    include_str!("recovery.rs"),
    include_str!("retention.rs"),
    include_str!("runs.rs"),
    include_str!("schedules.rs"),
    include_str!("schema.rs"),
    include_str!("tenure.rs"),
    include_str!("values.rs"),
];

#[test]
fn what_needs_postgresql_is_run_or_counted() {
    if heddle_cluster::Cluster::shared().is_none() {
        let needs = |text: &str| {
            ["Bed::each()", "Bed::postgres()", "Cluster::"].iter().map(|word| text.matches(word).count()).sum::<usize>()
        };
        let count: usize = SUITE.iter().map(|text| needs(text)).sum();
        // Past the test runner, which keeps what is printed to itself.
        writeln!(std::io::stderr(), "skipped: {count} (needs PostgreSQL)").unwrap();
    }
}
