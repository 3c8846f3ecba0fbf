//! JSON Schema checks with the texts of the wire, which are those of Python's validator.
//!
//! A check takes a glance first, then asks for a plain yes or no; only a value that fails pays for finding the error
//! that a person should see. Schemas come from the catalogue and from agent files: one that makes no sense must not stop anything, so it
//! accepts everything.

mod by_name;
mod explain;
mod quick;

use crate::{Object, Value, block, python};
use by_name::ByName;
use jsonschema::{Draft, Validator};
use quick::Quick;
use std::sync::OnceLock;

/// A schema ready to check values.
pub struct Compiled {
    schema: Value,
    quick: Quick,
    /// Made when a glance was not enough. `None` when the schema itself is malformed.
    validator: OnceLock<Option<Validator>>,
    /// Schemas of the single pins, made at the first [`Compiled::check_pin`].
    pins: OnceLock<ByName<Compiled>>,
}

impl std::fmt::Debug for Compiled {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Compiled")
    }
}

impl Compiled {
    /// Takes a schema (draft 2020-12; formats are not asserted, nothing is fetched).
    pub fn new(schema: &Value) -> Self {
        Self { schema: schema.clone(), quick: Quick::of(schema), validator: OnceLock::new(), pins: OnceLock::new() }
    }

    fn validator(&self) -> Option<&Validator> {
        let build = || {
            let options = jsonschema::options().with_draft(Draft::Draft202012);
            options.should_validate_formats(false).offline().build(&self.schema).ok()
        };
        self.validator.get_or_init(build).as_ref()
    }

    /// Whether the schema made sense. One that did not accepts everything.
    pub fn is_sound(&self) -> bool {
        self.validator().is_some()
    }

    /// Whether a value is valid.
    pub fn is_valid(&self, value: &Value) -> bool {
        self.quick.accepts(value) || self.validator().is_none_or(|validator| validator.is_valid(value))
    }

    /// Checks a value; the error is the text that best says what is wrong.
    pub fn check(&self, value: &Value) -> Result<(), String> {
        if self.quick.accepts(value) {
            return Ok(());
        }
        match self.validator() {
            Some(validator) if !validator.is_valid(value) => Err(explain::text(&self.schema, validator, value)),
            _ => Ok(()),
        }
    }

    /// Checks the members that are not null, as blocks see them: a required member that is null fails as missing.
    pub fn check_present(&self, data: &Object) -> Result<(), String> {
        if self.quick.accepts_members(data, |value| !value.is_null()) {
            return Ok(());
        }
        let present = data.iter().filter(|(_, value)| !value.is_null()).map(|(k, v)| (k.clone(), v.clone())).collect();
        self.check(&Value::Object(present))
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
