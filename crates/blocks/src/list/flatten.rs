//! Takes lists out of lists.

use crate::block::{Block, Cx, Ended, Input, Out, refuse};
use heddle_model::Value;

pub(crate) const BLOCK: Block = Block::pure("cc45bb0f-d035-4756-96a7-fe3e36254b4d", run);

const MAX_LEVELS: usize = 1000;

fn run(mut input: Input, _: &Cx, out: &mut Out<'_>) -> Ended {
    let list = input.list("nested_list");
    let max_depth = input.integer("max_depth").unwrap_or(-1);
    if max_depth < -1 {
        return Err(refuse(format!("max_depth must be -1 or more, not {max_depth}")));
    }
    let depth = depth(&list, 1);
    if depth > MAX_LEVELS {
        return Err(refuse(format!("lists nested deeper than {MAX_LEVELS} levels are not flattened")));
    }
    let mut flat = Vec::new();
    flatten(list, usize::try_from(max_depth).unwrap_or(MAX_LEVELS), &mut flat);
    let length = flat.len();
    out.emit("flattened_list", flat)?;
    out.emit("length", length)?;
    out.emit("original_depth", depth)
}

/// How deep lists go; stops looking one level beyond the limit, so that it cannot exhaust the stack.
fn depth(list: &[Value], level: usize) -> usize {
    if level > MAX_LEVELS {
        return level;
    }
    let inner = list.iter().filter_map(Value::as_array);
    inner.map(|list| depth(list, level + 1)).max().unwrap_or(level)
}

fn flatten(list: Vec<Value>, levels: usize, flat: &mut Vec<Value>) {
    for value in list {
        match value {
            Value::Array(inner) if levels > 0 => flatten(inner, levels - 1, flat),
            other => flat.push(other),
        }
    }
}
