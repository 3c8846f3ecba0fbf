//! The attack list: what somebody may try against the authorization server and the pages around it, as tables of what is
//! sent and what must come back. Every request goes through the real router, with a clock that the tests set.
//!
//! Expected answers are written as [`Reply::said`](bed::Reply::said) tells them, shortened at the end as far as they do
//! not matter. What must hold for every answer is checked for every answer ([`bed::Bed::send`]).

#![expect(clippy::unwrap_used, reason = "everything here is a test or helps one")]

mod bearer;
mod bed;
mod bodies;
mod browsers;
mod clients;
mod codes;
mod consent;
mod pushed;
mod races;
mod redirects;
mod refresh;
mod registration;
mod requests;
mod tokens;

use bed::Tally;
use std::io::Write;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_attack_gets_the_answer_of_its_row() {
    let tallies = [
        codes::attacks().await,
        refresh::attacks().await,
        races::attacks().await,
        clients::attacks().await,
        bodies::attacks().await,
        tokens::attacks().await,
        bearer::attacks().await,
        redirects::attacks().await,
        requests::attacks().await,
        pushed::attacks().await,
        registration::attacks().await,
        consent::attacks().await,
        browsers::attacks().await,
    ];
    let count: usize = tallies.iter().map(Tally::count).sum();
    let groups: Vec<_> = tallies.iter().map(|tally| format!("{} {}", tally.count(), tally.name)).collect();
    // Past the test runner, which keeps what is printed to itself.
    writeln!(std::io::stderr(), "{count} attacks: {}", groups.join(", ")).unwrap();
    let wrong: Vec<_> = tallies.iter().flat_map(|tally| &tally.wrong).map(String::as_str).collect();
    assert!(wrong.is_empty(), "{} of {count}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(count >= 300, "the list has become short: {count}");
}

#[test]
fn it_is_all_the_same_on_postgresql() {
    heddle_cluster::again(&["every_attack_gets_the_answer_of_its_row"]);
}
