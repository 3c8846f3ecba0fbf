//! The machine by itself: a hand-driven run of made-up blocks, rule by rule.

mod checks;
mod flow;
mod pairing;
mod replay;
mod runner;
mod statics;
