//! An agent input that is a file.

use crate::block::{Block, Cx, Ended, Input, Out};
use crate::media;

pub(crate) const BLOCK: Block = Block::pure("95ead23f-8283-4654-aef3-10c053b74a31", run);

fn run(mut input: Input, cx: &Cx, out: &mut Out<'_>) -> Ended {
    match input.text("value") {
        file if file.is_empty() => Ok(()),
        file => out.emit("result", media::stored(file, cx)?),
    }
}
