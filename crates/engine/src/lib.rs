//! What a run does next, and nothing about who asked for it.
//!
//! A run is a pure state machine ([`machine`]) fed by a journal ([`journal`]). The [`driver`] carries out what the
//! machine asks for through [`ports`]; SQL, HTTP and accounts are unknown here.

// Unit tests share it with tests/driver, so it names this crate from outside.
#[cfg(test)]
extern crate self as heddle_engine;
#[cfg(test)]
#[path = "../tests/support/made_up.rs"]
mod made_up;

pub mod bounds;
pub mod check;
pub mod credits;
pub mod driver;
pub mod effect;
pub mod host;
pub mod journal;
pub mod machine;
pub mod plan;
pub mod ports;
pub mod stats;
pub mod tool;
pub mod turns;
pub mod view;

pub use credits::Credits;
pub use effect::Effect;
pub use host::{AnswerError, Gauges, Host, Limits, Ports, Progress, StartError, Unfinished};
pub use machine::Machine;
pub use plan::Plan;
