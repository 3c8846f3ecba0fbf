//! The blocks as the engine and the doors use them.

mod agents;
mod cases;
mod common;
mod credentials;
mod feeds;
mod fuzz;
mod mail;
mod mock;
mod models;
#[path = "../../../llm/tests/support/mock.rs"]
mod models_mock;
mod registry;
mod templates;
#[path = "../../../outbound/tests/hostile/upstreams.rs"]
mod upstreams;
mod web;
