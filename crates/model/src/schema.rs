//! JSON Schema checks with the texts of the wire, which are those of Python's validator.
//!
//! A check asks for a plain yes or no first; only a value that fails pays for finding the error that a person should
//! see. Schemas come from the catalogue and from agent files: one that makes no sense must not stop anything, so it
//! accepts everything.

mod explain;

use crate::{Object, Value, block, python};
use indexmap::IndexMap;
use jsonschema::{Draft, Validator};
use std::sync::OnceLock;

/// A schema ready to check values.
pub struct Compiled {
    schema: Value,
    /// `None` when the schema itself is malformed.
    validator: Option<Validator>,
    /// Schemas of the single pins, made at the first [`Compiled::check_pin`].
    pins: OnceLock<IndexMap<String, Compiled>>,
}

impl std::fmt::Debug for Compiled {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Compiled")
    }
}

impl Compiled {
    /// Compiles a schema (draft 2020-12; formats are not asserted, nothing is fetched).
    pub fn new(schema: &Value) -> Self {
        let validator = jsonschema::options()
            .with_draft(Draft::Draft202012)
            .should_validate_formats(false)
            .offline()
            .build(schema)
            .ok();
        Self { schema: schema.clone(), validator, pins: OnceLock::new() }
    }

    /// Whether the schema made sense. One that did not accepts everything.
    pub fn is_sound(&self) -> bool {
        self.validator.is_some()
    }

    /// Whether a value is valid.
    pub fn is_valid(&self, value: &Value) -> bool {
        self.validator.as_ref().is_none_or(|validator| validator.is_valid(value))
    }

    /// Checks a value; the error is the text that best says what is wrong.
    pub fn check(&self, value: &Value) -> Result<(), String> {
        match &self.validator {
            Some(validator) if !validator.is_valid(value) => Err(explain::text(&self.schema, validator, value)),
            _ => Ok(()),
        }
    }

    /// Checks the members that are not null, as blocks see them: a required member that is null fails as missing.
    /// The object is only borrowed mutably to avoid a copy and is unchanged afterwards.
    pub fn check_present(&self, data: &mut Object) -> Result<(), String> {
        if data.values().any(Value::is_null) {
            let present = data.iter().filter(|(_, v)| !v.is_null()).map(|(k, v)| (k.clone(), v.clone())).collect();
            return self.check(&Value::Object(present));
        }
        let whole = Value::Object(std::mem::take(data));
        let checked = self.check(&whole);
        if let Value::Object(members) = whole {
            *data = members;
        }
        checked
    }

    /// Checks a value against one member of an object schema, e.g. what a block emits on an output pin.
    pub fn check_pin(&self, pin: &str, value: &Value) -> Result<(), String> {
        let pins = self.pins.get_or_init(|| {
            let members = block::properties(&self.schema);
            members.iter().map(|(name, schema)| (name.clone(), Self::new(schema))).collect()
        });
        match pins.get(pin) {
            Some(schema) => schema.check(value),
            None => Err(format!("{} is not a pin of this block", python::repr_str(pin))),
        }
    }
}

#[cfg(test)]
mod tests;
