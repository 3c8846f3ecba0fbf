//! The store through its public face, each test on its own database.

// Helpers may unwrap like the tests they serve; the lint knows them by this.
#![cfg(test)]

mod accounts;
mod bed;
mod graphs;
mod journal;
mod keys;
mod lifecycle;
mod recovery;
mod runs;
mod values;
