//! Stores a file; without a workspace that is its data URI.

use crate::block::{Block, Cx, Ended, Input, Out};
use crate::media;

pub(crate) const BLOCK: Block = Block::pure("cbb50872-625b-42f0-8203-a2ae78242d8a", run);

fn run(mut input: Input, cx: &Cx, out: &mut Out<'_>) -> Ended {
    out.emit("file_out", media::stored(input.text("file_in"), cx)?)
}
