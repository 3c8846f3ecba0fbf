//! Lists; every block returns a new one and leaves its input alone.

pub(crate) mod add;
pub(crate) mod combine;
pub(crate) mod create;
pub(crate) mod distinct;
pub(crate) mod find;
pub(crate) mod flatten;
pub(crate) mod get_item;
pub(crate) mod is_empty;
pub(crate) mod remove;
pub(crate) mod replace_item;
pub(crate) mod reverse;
pub(crate) mod sets;

use crate::block::refuse;
use heddle_engine::ports::Failure;

/// The place that a Python index names; negative ones count from the end.
fn place(index: i64, length: usize) -> Result<usize, Failure> {
    let place = if index < 0 { index + length as i64 } else { index };
    usize::try_from(place).ok().filter(|place| *place < length).ok_or_else(|| refuse("Index out of range"))
}
