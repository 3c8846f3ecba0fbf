//! Counts words and characters.

use crate::block::{Block, Cx, Ended, Input, Out};

pub(crate) const BLOCK: Block = Block::pure("ab2a782d-22cf-4587-8a70-55b59b3f9f90", run);

fn run(mut input: Input, _: &Cx, out: &mut Out<'_>) -> Ended {
    let text = input.text("text");
    out.emit("word_count", text.split_whitespace().count())?;
    out.emit("character_count", text.chars().count())
}
