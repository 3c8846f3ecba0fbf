//! Filters that go through a value's items, which in Python fails for values that have none.
//!
//! minijinja takes null for an empty list, so that a missing result would silently print as nothing.

use crate::template::methods::{type_name, wrong};
use minijinja::value::{Kwargs, Value, ValueKind};
use minijinja::{Environment, Error, State, filters};

/// Sets these filters.
pub(super) fn install(environment: &mut Environment<'static>) {
    environment.add_filter("py_iter", |value: Value| iterable(&value).map(|()| value));
    environment.add_filter("list", |state: &State, value: Value| {
        iterable(&value)?;
        filters::list(state, value)
    });
    environment.add_filter("first", |value: &Value| {
        iterable(value)?;
        filters::first(value)
    });
    type Ordered = fn(&State, Value, Kwargs) -> Result<Value, Error>;
    let ordered: [(&str, Ordered); 4] =
        [("sort", filters::sort), ("unique", filters::unique), ("min", filters::min), ("max", filters::max)];
    for (name, filter) in ordered {
        environment.add_filter(name, move |state: &State, value: Value, kwargs: Kwargs| {
            iterable(&value)?;
            filter(state, value, kwargs)
        });
    }
}

/// Whether Python can go through the value; nothing at all counts as empty.
pub(super) fn iterable(value: &Value) -> Result<(), Error> {
    match value.kind() {
        ValueKind::None | ValueKind::Bool | ValueKind::Number => {
            Err(wrong(format!("'{}' object is not iterable", type_name(value))))
        }
        _ => Ok(()),
    }
}
