//! The blocks, one file each, and the registry that serves them.
//!
//! A pure block is a plain function from its input pins to emissions; it never reads a clock, opens a file or
//! reaches the network. The moment, the zone and the randomness of an execution come with its context; a block that
//! asks another server gets the one client there is and cannot reach past its address policy. What the
//! catalogue knows of blocks that this build cannot run is known here too, so that their graphs can be stored.

mod agent;
mod agents;
mod ai;
mod bases;
mod basic;
mod block;
mod cache;
mod catalogue;
mod categories;
mod check;
mod costs;
pub mod credentials;
mod data;
mod descriptions;
mod dictionary;
mod list;
mod logic;
mod media;
mod number;
mod pattern;
mod registry;
mod served;
mod spans;
mod storage;
pub mod template;
mod text;
mod time;
mod web;

pub use agents::{Library, LibraryAgent, LibraryPage, Listing, Market, Order, Search};
pub use bases::Bases;
pub use categories::category_description;
pub use costs::host_credentials;
pub use registry::{Ports, Registry};
pub use spans::Spans;
pub use storage::Storage;
