//! What a run does next, and nothing about who asked for it.
//!
//! A run is a pure state machine ([`machine`]) fed by a journal ([`journal`]). The [`driver`] carries out what the
//! machine asks for through [`ports`]; SQL, HTTP and accounts are unknown here.

// The kit that unit tests share with tests/driver names this crate from outside.
#[cfg(test)]
extern crate self as heddle_engine;

pub mod check;
pub mod driver;
pub mod effect;
pub mod host;
pub mod journal;
pub mod machine;
pub mod plan;
pub mod ports;
pub mod view;

pub use effect::Effect;
pub use host::{Host, Limits, Ports, Progress, StartError};
pub use machine::Machine;
pub use plan::Plan;
