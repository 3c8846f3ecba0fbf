//! Basic arithmetic on two floats.

use crate::block::{Block, Cx, Ended, Input, Out, refuse};
use crate::number::rounded;

pub(crate) const BLOCK: Block = Block::pure("b1ab9b19-67a6-406d-abf5-2dba76d00c79", run);

fn run(mut input: Input, _: &Cx, out: &mut Out<'_>) -> Ended {
    let (a, b) = (input.number("a"), input.number("b"));
    let round = input.flag("round_result", false);
    let result = match input.text("operation").as_str() {
        "Add" => a + b,
        "Subtract" => a - b,
        "Multiply" => a * b,
        "Divide" if b == 0.0 => f64::INFINITY,
        "Divide" => a / b,
        "Power" if a < 0.0 && b.fract() != 0.0 => {
            return Err(refuse(format!("{a} to the power of {b} is a complex number")));
        }
        "Power" => a.powf(b),
        other => return Err(refuse(format!("unknown operation '{other}'"))),
    };
    if round && result.is_finite() { out.emit("result", rounded(result)) } else { out.number("result", result) }
}
