//! Puts entries into a dictionary.

use crate::block::{Block, Cx, Ended, Input, Out};

pub(crate) const BLOCK: Block = Block::pure("31d1064e-7446-4693-a7d4-65e5ca1180d1", run);

fn run(mut input: Input, _: &Cx, out: &mut Out<'_>) -> Ended {
    let mut dictionary = input.object("dictionary");
    let key = input.text("key");
    if let Some(value) = input.given("value").filter(|_| !key.is_empty()) {
        dictionary.insert(key, value);
    }
    // Entries come last and win.
    dictionary.extend(input.object("entries"));
    out.emit("updated_dictionary", dictionary)
}
