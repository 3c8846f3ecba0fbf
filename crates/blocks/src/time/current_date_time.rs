//! What day and time it is.

use super::format::Format;
use crate::block::{Block, Cx, Ended, Input, Out};

pub(crate) const BLOCK: Block = Block::local("716a67b3-6760-42e7-86dc-18645c6e00fc", run);

fn run(mut input: Input, cx: &Cx, out: &mut Out<'_>) -> Ended {
    let format = Format::of(&mut input, "%Y-%m-%d %H:%M:%S", cx);
    out.emit("date_time", format.write(&format.now(cx), "%Y-%m-%dT%H:%M:%S"))
}
