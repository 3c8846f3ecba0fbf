//! Lists taken as sets: what one has and the other has not, and what both have.

use super::distinct::Seen;
use crate::block::{Block, Cx, Ended, Input, Out};
use heddle_model::Value;

pub(crate) const DIFFERENCE: Block = Block::pure("05309873-9d61-447e-96b5-b804e2511829", difference);
pub(crate) const INTERSECTION: Block = Block::pure("b6eb08b6-dbe3-411b-b9b4-2508cb311a1f", intersection);

fn difference(mut input: Input, _: &Cx, out: &mut Out<'_>) -> Ended {
    let (a, b) = (input.list("list_a"), input.list("list_b"));
    let missing_in_a: Vec<Value> = match input.flag("symmetric", false) {
        true => {
            let in_a = Seen::of(&a);
            b.iter().filter(|value| !in_a.contains(value)).cloned().collect()
        }
        false => Vec::new(),
    };
    let in_b = Seen::of(&b);
    let mut difference = a;
    difference.retain(|value| !in_b.contains(value));
    difference.extend(missing_in_a);
    let length = difference.len();
    out.emit("difference", difference)?;
    out.emit("length", length)
}

fn intersection(mut input: Input, _: &Cx, out: &mut Out<'_>) -> Ended {
    let in_b = Seen::of(&input.list("list_b"));
    let mut seen = Seen::default();
    let mut common = input.list("list_a");
    common.retain(|value| in_b.contains(value) && seen.insert(value));
    let length = common.len();
    out.emit("intersection", common)?;
    out.emit("length", length)
}
