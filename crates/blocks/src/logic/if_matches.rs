//! Takes one of two ways by whether two values are the same.

use crate::block::{Block, Cx, Ended, Input, Out};
use heddle_model::coerce::{Target, convert};
use heddle_model::{Value, python};

pub(crate) const BLOCK: Block = Block::pure("6dbbc4b3-ca6c-42b6-b508-da52d23e13f2", run);

fn run(mut input: Input, _: &Cx, out: &mut Out<'_>) -> Ended {
    let given = input.take("input");
    let value = input.take("value");
    let result = python::equal(&given, &value) || matches_converted(&given, value);
    out.emit("result", result)?;
    let (pin, source) = if result { ("yes_output", "yes_value") } else { ("no_output", "no_value") };
    out.emit(pin, input.take(source))
}

/// Compares again with `value` in the type of `given`; what cannot be converted does not match.
fn matches_converted(given: &Value, value: Value) -> bool {
    let target = match given {
        Value::String(_) => Target::Text,
        Value::Bool(_) => Target::Boolean,
        Value::Number(number) if number.is_f64() => Target::Number,
        Value::Number(_) => Target::Integer,
        Value::Array(_) => Target::List(Box::new(Target::Any)),
        Value::Object(_) => Target::Map(Box::new(Target::Any)),
        Value::Null => return false,
    };
    convert(value, &target).is_ok_and(|value| python::equal(given, &value))
}
