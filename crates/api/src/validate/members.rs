//! A JSON object whose declared members are read one by one.

use super::{At, Items};
use heddle_model::Object;
use serde_json::Value;

/// An object under validation. Members that are not asked for are ignored.
#[derive(Clone, Copy)]
pub struct Members<'a> {
    whole: &'a Value,
    members: &'a Object,
    at: &'a At<'a>,
}

impl<'a> Members<'a> {
    /// The object at `at`, or a problem.
    pub fn of(whole: &'a Value, at: &'a At<'a>, items: &mut Items) -> Option<Self> {
        match whole {
            Value::Object(members) => Some(Self { whole, members, at }),
            other => {
                let msg = "Input should be a valid dictionary or object to extract fields from";
                items.add(at, "model_attributes_type", msg, other);
                None
            }
        }
    }

    /// The same object, whose members' problems are told as below another place.
    pub fn at(self, at: &'a At<'a>) -> Self {
        Self { at, ..self }
    }

    /// A member that must be there.
    pub fn required<T>(
        &self,
        name: &str,
        items: &mut Items,
        read: impl FnOnce(&Value, &At<'_>, &mut Items) -> Option<T>,
    ) -> Option<T> {
        let at = At::Member(self.at, name);
        match self.members.get(name) {
            Some(value) => read(value, &at, items),
            None => {
                items.add(&at, "missing", "Field required", self.whole);
                None
            }
        }
    }

    /// A member that may be absent; `null` is a value like any other.
    pub fn or<T>(
        &self,
        name: &str,
        default: impl FnOnce() -> T,
        items: &mut Items,
        read: impl FnOnce(&Value, &At<'_>, &mut Items) -> Option<T>,
    ) -> Option<T> {
        match self.members.get(name) {
            Some(value) => read(value, &At::Member(self.at, name), items),
            None => Some(default()),
        }
    }
}
