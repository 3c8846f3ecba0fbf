//! Compares two values and takes one of two ways.

use crate::block::{Block, Cx, Ended, Input, Out, refuse};
use heddle_engine::ports::Failure;
use heddle_model::{Value, python};
use std::cmp::Ordering;

pub(crate) const BLOCK: Block = Block::pure("715696a0-e1da-45c8-b209-c2fa9c3b0be6", run);

fn run(mut input: Input, _: &Cx, out: &mut Out<'_>) -> Ended {
    let left = Operand::of(input.take("value1"));
    let right = Operand::of(input.take("value2"));
    let operator = input.text("operator");
    let result = match operator.as_str() {
        "==" => left.equals(&right),
        "!=" => !left.equals(&right),
        _ => left.ordered(&operator, &right)?,
    };
    out.emit("result", result)?;
    // Without a value of its own the second way emits the second operand.
    let (pin, value, operand) = if result {
        ("yes_output", input.given("yes_value"), left)
    } else {
        ("no_output", input.given("no_value"), right)
    };
    match (value, operand) {
        (Some(value), _) | (None, Operand::Value(value)) => out.emit(pin, value),
        (None, Operand::Float(number)) => out.number(pin, number),
    }
}

enum Operand {
    /// Text that reads as a number; may be infinite or NaN, which JSON has no word for.
    Float(f64),
    Value(Value),
}

impl Operand {
    fn of(value: Value) -> Self {
        match value {
            Value::String(text) => match python::parse_float(&text) {
                Some(number) => Self::Float(number),
                None if text.len() == text.trim().len() => Self::Value(Value::String(text)),
                None => Self::Value(Value::from(text.trim())),
            },
            other => Self::Value(other),
        }
    }

    /// Booleans count as 1 and 0.
    fn number(&self) -> Option<f64> {
        match self {
            Self::Float(number) => Some(*number),
            Self::Value(Value::Bool(flag)) => Some(f64::from(u8::from(*flag))),
            Self::Value(value) => value.as_f64(),
        }
    }

    fn equals(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Value(a), Self::Value(b)) => python::equal(a, b),
            _ => self.number().is_some() && self.number() == other.number(),
        }
    }

    fn ordered(&self, operator: &str, other: &Self) -> Result<bool, Failure> {
        let order = match (self, other) {
            (Self::Value(a), Self::Value(b)) => order(a, b, operator)?,
            _ => match (self.number(), other.number()) {
                (Some(a), Some(b)) => a.partial_cmp(&b),
                _ => return Err(incomparable(self.kind(), other.kind(), operator)),
            },
        };
        Ok(order.is_some_and(|order| fits(order, operator)))
    }

    fn kind(&self) -> &'static str {
        match self {
            Self::Float(_) => "float",
            Self::Value(value) => kind(value),
        }
    }
}

fn fits(order: Ordering, operator: &str) -> bool {
    match operator {
        "<" => order.is_lt(),
        "<=" => order.is_le(),
        ">" => order.is_gt(),
        _ => order.is_ge(),
    }
}

/// Python's order of two JSON values; dictionaries and values of different kinds have none.
fn order(a: &Value, b: &Value, operator: &str) -> Result<Option<Ordering>, Failure> {
    match (a, b) {
        (Value::String(a), Value::String(b)) => Ok(Some(a.cmp(b))),
        (Value::Array(a), Value::Array(b)) => match a.iter().zip(b).find(|(a, b)| !python::equal(a, b)) {
            Some((a, b)) => order(a, b, operator),
            None => Ok(Some(a.len().cmp(&b.len()))),
        },
        _ => match (python::compare_numbers(a, b), is_number(a) && is_number(b)) {
            (order, true) => Ok(order),
            (_, false) => Err(incomparable(kind(a), kind(b), operator)),
        },
    }
}

fn is_number(value: &Value) -> bool {
    value.is_number() || value.is_boolean()
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "NoneType",
        Value::Bool(_) => "bool",
        Value::Number(number) if number.is_f64() => "float",
        Value::Number(_) => "int",
        Value::String(_) => "str",
        Value::Array(_) => "list",
        Value::Object(_) => "dict",
    }
}

fn incomparable(a: &str, b: &str, operator: &str) -> Failure {
    refuse(format!("'{operator}' not supported between instances of '{a}' and '{b}'"))
}
