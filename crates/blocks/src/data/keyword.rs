//! Takes one keyword object apart, pin by pin.

use crate::block::{Block, Cx, Ended, Input, Out};

pub(crate) const SUGGESTION: Block = Block::pure("4193cb94-677c-48b0-9eec-6ac72fffd0f2", suggestion);
pub(crate) const RELATED: Block = Block::pure("98342061-09d2-4952-bf77-0761fc8cc9a8", related);

const PINS: [&str; 7] =
    ["keyword", "search_volume", "competition", "cpc", "keyword_difficulty", "serp_info", "clickstream_data"];

fn suggestion(input: Input, _: &Cx, out: &mut Out<'_>) -> Ended {
    unpack("suggestion", input, out)
}

fn related(input: Input, _: &Cx, out: &mut Out<'_>) -> Ended {
    unpack("related_keyword", input, out)
}

fn unpack(pin: &str, mut input: Input, out: &mut Out<'_>) -> Ended {
    let mut keyword = Input::new(input.object(pin));
    PINS.into_iter().try_for_each(|pin| out.emit(pin, keyword.take(pin)))
}
