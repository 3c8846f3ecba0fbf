//! The machine by itself: a hand-driven run of made-up blocks, rule by rule.

mod checks;
mod flow;
#[path = "../../tests/support/made_up.rs"]
mod made_up;
mod pairing;
mod replay;
mod runner;
mod statics;
