//! The HTTP door against the contract: a whole platform in a throw-away folder, driven through the router.

#![expect(clippy::unwrap_used, reason = "everything here is a test or helps one")]

mod access;
mod account;
mod bad_input;
mod blocks;
mod connect;
mod credits;
mod document;
mod events;
mod frame;
mod graphs;
mod integrations;
mod limits;
mod market;
mod matrix;
mod metrics;
#[path = "../../../blocks/tests/blocks/mock.rs"]
#[expect(dead_code, reason = "others look at more of it")]
mod mock;
mod oauth;
mod original;
mod pages;
mod runs;
mod store;
mod table;
mod tenancy;
mod testbed;
mod tools;
mod transcripts;
mod validation;
mod wizard;

#[test]
fn it_is_all_the_same_on_postgresql() {
    heddle_cluster::again(&[
        "access::",
        "account::",
        "credits::",
        "events::",
        "graphs::",
        "connect::",
        "integrations::",
        "market::",
        "matrix::",
        "oauth::",
        "runs::",
        "store::",
        "tenancy::",
    ]);
}
