//! The address policy, proved where it counts: a connector that writes down every address it is told to connect to, and
//! is told of none inside.

mod ranges;
mod recorder;
mod redirects;
mod spellings;
