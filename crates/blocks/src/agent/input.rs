//! Agent inputs that hand their value on as it is.
//!
//! A missing value emits nothing, so what depends on it waits. The dropdown does not check that the value is one of
//! its options, and the picked file is an object like any other.

use crate::block::{Block, Cx, Ended, Input, Out};

pub(crate) const ANY: Block = Block::pure("c0a8e994-ebf1-4a9c-a4d8-89d09c86741b", run);
pub(crate) const SHORT_TEXT: Block = Block::pure("7fcd3bcb-8e1b-4e69-903d-32d3d4a92158", run);
pub(crate) const LONG_TEXT: Block = Block::pure("90a56ffb-7024-4b2b-ab50-e26c5e5ab8ba", run);
pub(crate) const NUMBER: Block = Block::pure("96dae2bb-97a2-41c2-bd2f-13a3b5a8ea98", run);
pub(crate) const DROPDOWN: Block = Block::pure("655d6fdf-a334-421c-b733-520549c07cd1", run);
pub(crate) const GOOGLE_DRIVE_FILE: Block = Block::pure("d3b32f15-6fd7-40e3-be52-e083f51b19a2", run);

fn run(mut input: Input, _: &Cx, out: &mut Out<'_>) -> Ended {
    match input.given("value") {
        Some(value) => out.emit("result", value),
        None => Ok(()),
    }
}
