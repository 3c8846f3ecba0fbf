//! Black-box tests: the real binary, a data folder and a port of its own for each test, nothing but the loopback.

#![expect(clippy::unwrap_used, reason = "a test's helpers may panic as the test itself may")]

mod agents;
mod apps;
mod backup;
mod callbacks;
mod clock;
mod commands;
mod commits;
mod crash;
mod credentials;
mod credits;
mod examples;
mod faults;
mod first_start;
mod generated;
mod guides;
mod limits;
mod metrics;
mod models;
mod oauth;
mod postgres;
mod power_loss;
mod progress;
mod reviews;
mod rules;
mod schedules;
mod secrets;
mod serving;
mod settings;
mod sign_in;
mod support;
mod torture;
mod traces;
mod transcripts;
