//! What time it is.

use super::format::Format;
use crate::block::{Block, Cx, Ended, Input, Out};

pub(crate) const BLOCK: Block = Block::local("a892b8d9-3e4e-4e9c-9c1e-75f8efcf1bfa", run);

fn run(mut input: Input, cx: &Cx, out: &mut Out<'_>) -> Ended {
    let format = Format::of(&mut input, "%H:%M:%S", cx);
    out.emit("time", format.write(&format.now(cx), "T%H:%M:%S"))
}
