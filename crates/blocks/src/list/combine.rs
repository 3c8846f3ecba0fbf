//! Several lists into one: one after the other, in turns, or by position.

use super::distinct::Seen;
use crate::block::{Block, Cx, Ended, Input, Out, refuse};
use heddle_engine::bounds;
use heddle_model::Value;

pub(crate) const CONCATENATE: Block = Block::pure("3cf9298b-5817-4141-9d80-7c2cc5199c8e", concatenate);
pub(crate) const INTERLEAVE: Block = Block::pure("9f616084-1d9f-4f8e-bc00-5b9d2a75cd75", interleave);
pub(crate) const ZIP: Block = Block::pure("0d0e684f-5cb9-4c4b-b8d1-47a0860e0c07", zip);

/// How many elements padding may add up to: lists times the longest of them can outgrow the input by far.
const MAX_CELLS: usize = 10_000_000;

/// Bytes that all copies of what pads may take.
const MAX_PADDING: usize = 64 * 1024 * 1024;

fn concatenate(mut input: Input, _: &Cx, out: &mut Out<'_>) -> Ended {
    let mut joined: Vec<Value> = input.lists("lists").into_iter().flatten().collect();
    if input.flag("remove_none", false) {
        joined.retain(|value| !value.is_null());
    }
    if input.flag("deduplicate", false) {
        let mut seen = Seen::default();
        joined.retain(|value| seen.insert(value));
    }
    let length = joined.len();
    out.emit("concatenated_list", joined)?;
    out.emit("length", length)
}

fn interleave(mut input: Input, _: &Cx, out: &mut Out<'_>) -> Ended {
    let lists = input.lists("lists");
    let mut taken = Vec::with_capacity(lists.iter().map(Vec::len).sum());
    let mut sources: Vec<_> = lists.into_iter().map(Vec::into_iter).collect();
    while !sources.is_empty() {
        // Lists that ran out leave the round.
        sources.retain_mut(|source| source.next().map(|value| taken.push(value)).is_some());
    }
    let length = taken.len();
    out.emit("interleaved_list", taken)?;
    out.emit("length", length)
}

fn zip(mut input: Input, _: &Cx, out: &mut Out<'_>) -> Ended {
    let lists = input.lists("lists");
    let fill = input.take("fill_value");
    let lengths = lists.iter().map(Vec::len);
    let length = if input.flag("pad_to_longest", false) { lengths.max() } else { lengths.min() }.unwrap_or(0);
    if length.saturating_mul(lists.len()) > MAX_CELLS {
        return Err(refuse(format!("zipping would give more than {MAX_CELLS} elements")));
    }
    let padded: usize = lists.iter().map(|list| length.saturating_sub(list.len())).sum();
    if padded.saturating_mul(bounds::size(&fill)) > MAX_PADDING {
        return Err(refuse("the values that fill the gaps take more than 64 MB"));
    }
    let mut sources: Vec<_> = lists.into_iter().map(Vec::into_iter).collect();
    let mut row = || sources.iter_mut().map(|source| source.next().unwrap_or_else(|| fill.clone())).collect();
    let rows: Vec<Value> = (0..length).map(|_| Value::Array(row())).collect();
    out.emit("zipped_list", rows)?;
    out.emit("length", length)
}
