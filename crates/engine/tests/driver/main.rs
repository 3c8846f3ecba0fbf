//! The driver and the host on fakes: what reaches the disk before what happens, and what a crash leaves behind.
#![expect(clippy::unwrap_used, reason = "everything here is a test or helps one")]

mod attempts;
mod bench;
mod children;
mod closing;
mod crash;
mod disk;
mod durability;
mod failures;
mod family;
mod limits;
#[path = "../support/made_up.rs"]
mod made_up;
mod parking;
mod reviews;
mod stop;
mod timers;
mod tools;
mod under;
mod world;
