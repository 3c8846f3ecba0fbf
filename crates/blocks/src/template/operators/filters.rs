//! What the rewritten operators do.

use crate::template::methods::{printf, type_name, wrong};
use minijinja::value::{Tuple, Value, ValueKind};
use minijinja::{Environment, Error, ErrorKind};
use std::cmp::Ordering;

/// Sets these filters, and the tests that compare.
pub(in crate::template) fn install(environment: &mut Environment<'static>) {
    type Fits = fn(Ordering) -> bool;
    let operators: [(&str, &str, &[&str], Fits); 4] = [
        ("py_lt", "<", &["lt", "lessthan", "<"], Ordering::is_lt),
        ("py_le", "<=", &["le", "<="], Ordering::is_le),
        ("py_gt", ">", &["gt", "greaterthan", ">"], Ordering::is_gt),
        ("py_ge", ">=", &["ge", ">="], Ordering::is_ge),
    ];
    for (filter, operator, tests, fits) in operators {
        environment.add_filter(filter, move |a: &Value, b: &Value, left: Option<&str>, right: Option<&str>| {
            defined(a, left)?;
            defined(b, right)?;
            Ok::<_, Error>(order(a, b, operator)?.is_some_and(fits))
        });
        for test in tests {
            environment.add_test(*test, move |a: &Value, b: &Value| {
                defined(a, None)?;
                defined(b, None)?;
                Ok::<_, Error>(order(a, b, operator)?.is_some_and(fits))
            });
        }
    }
    environment.add_filter("py_mod", modulo);
}

fn defined(value: &Value, name: Option<&str>) -> Result<(), Error> {
    match name {
        _ if !value.is_undefined() => Ok(()),
        Some(name) if !name.is_empty() => Err(Error::new(ErrorKind::UndefinedError, format!("`{name}` is undefined"))),
        _ => Err(Error::from(ErrorKind::UndefinedError)),
    }
}

/// Python's order; NaN has none, and values of different kinds cannot be asked.
fn order(a: &Value, b: &Value, operator: &str) -> Result<Option<Ordering>, Error> {
    if let (Some(a), Some(b)) = (a.as_str(), b.as_str()) {
        return Ok(Some(a.cmp(b)));
    }
    if let (Some(a), Some(b)) = (whole(a), whole(b)) {
        return Ok(Some(a.cmp(&b)));
    }
    if let (Some(a), Some(b)) = (float(a), float(b)) {
        return Ok(a.partial_cmp(&b));
    }
    let list = |value: &Value| matches!(value.kind(), ValueKind::Seq | ValueKind::Iterable);
    if list(a) && list(b) && a.is_tuple() == b.is_tuple() {
        for (a, b) in a.try_iter()?.zip(b.try_iter()?) {
            if a != b {
                return order(&a, &b, operator);
            }
        }
        return Ok(Some(a.len().cmp(&b.len())));
    }
    let (a, b) = (type_name(a), type_name(b));
    Err(wrong(format!("'{operator}' not supported between instances of '{a}' and '{b}'")))
}

/// Booleans count as 1 and 0.
fn whole(value: &Value) -> Option<i128> {
    match value.kind() {
        ValueKind::Bool => Some(i128::from(value.is_true())),
        ValueKind::Number if value.is_integer() => i128::try_from(value.clone()).ok(),
        _ => None,
    }
}

fn float(value: &Value) -> Option<f64> {
    match value.kind() {
        ValueKind::Bool => Some(f64::from(u8::from(value.is_true()))),
        ValueKind::Number => f64::try_from(value.clone()).ok(),
        _ => None,
    }
}

/// The remainder of numbers, with the sign of the second; or text with values put into it.
fn modulo(a: &Value, b: &Value) -> Result<Value, Error> {
    if let Some(pattern) = a.as_str() {
        let args = b.downcast_object_ref::<Tuple>().map_or_else(|| vec![b.clone()], |args| args.to_vec());
        return printf(pattern, &args);
    }
    defined(a, None)?;
    defined(b, None)?;
    if let (Some(a), Some(b)) = (whole(a), whole(b)) {
        let remainder = a.checked_rem(b).ok_or_else(|| wrong("integer modulo by zero"))?;
        return Ok(Value::from(if remainder != 0 && (remainder < 0) != (b < 0) { remainder + b } else { remainder }));
    }
    match (float(a), float(b)) {
        (Some(_), Some(0.0)) => Err(wrong("float modulo by zero")),
        (Some(a), Some(b)) => {
            let remainder = a % b;
            Ok(Value::from(match remainder {
                0.0 => 0.0_f64.copysign(b),
                _ if (remainder < 0.0) != (b < 0.0) => remainder + b,
                _ => remainder,
            }))
        }
        _ => Err(wrong(format!("unsupported operand type(s) for %: '{}' and '{}'", type_name(a), type_name(b)))),
    }
}
