//! Emits a list, cut into chunks of so many elements or tokens.

use crate::block::{Block, Cx, Ended, Input, Out};
use heddle_model::{Value, python};

pub(crate) const BLOCK: Block = Block::pure("a912d5c7-6e00-4542-b2a9-8034136930e4", run);

fn run(mut input: Input, _: &Cx, out: &mut Out<'_>) -> Ended {
    let values = input.list("values");
    let max_size = input.integer("max_size").map(|size| usize::try_from(size).unwrap_or(0));
    let max_tokens = input.integer("max_tokens").map(|tokens| usize::try_from(tokens).unwrap_or(0));
    let (mut chunk, mut chunk_tokens) = (Vec::new(), 0);
    let nothing = values.is_empty();
    for value in values {
        let tokens = if max_tokens.is_some() { tokens(&value) } else { 0 };
        let full = max_size.is_some_and(|max| chunk.len() + 1 > max)
            || max_tokens.is_some_and(|max| chunk_tokens + tokens > max);
        // A first value above the limit closes an empty chunk, as upstream does.
        if full {
            out.emit("list", std::mem::take(&mut chunk))?;
            chunk_tokens = 0;
        }
        chunk.push(value);
        chunk_tokens += tokens;
    }
    if nothing || !chunk.is_empty() { out.emit("list", chunk) } else { Ok(()) }
}

/// Tokens of the gpt-4o tokenizer, whose tables load on first use.
fn tokens(value: &Value) -> usize {
    let encoder = tiktoken_rs::o200k_base_singleton();
    match value {
        Value::String(text) => encoder.count_ordinary(text),
        other => encoder.count_ordinary(&python::json_compact(other)),
    }
}
