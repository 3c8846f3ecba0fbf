//! Reading declared members out of JSON, naming everything that is wrong in the words of the contract.
//!
//! Knows types and members; knows no route. A reader returns `None` when it added a problem, so a caller reads every
//! member before it gives up and all problems are reported at once.

mod item;
mod members;
pub mod numbers;
mod values;

pub use item::{At, Item, Items, Step};
pub use members::Members;
pub use values::{boolean, dictionary, integer, list, nullable, path_integer, text};
