//! Whether inputs and outputs fit a block's schemas.

use crate::block::Ended;
use heddle_engine::ports::Failure;
use heddle_model::{BlockFacts, Object, UiType, Value};
use std::sync::Arc;

/// Drops nulls and checks the rest.
pub(crate) fn input(facts: &BlockFacts, input: impl Into<Arc<Object>>) -> Result<Arc<Object>, Failure> {
    let mut input = input.into();
    let text = |text| Failure::Input(format!("Unable to execute block with invalid input data: {text}"));
    facts.compiled_input().check_present(&input).map_err(text)?;
    if input.values().any(Value::is_null) {
        Arc::make_mut(&mut input).retain(|_, value| !value.is_null());
    }
    Ok(input)
}

/// Checks one emission. Only outputs of standard blocks have a schema to fit.
pub(crate) fn emission(facts: &BlockFacts, pin: &str, value: &Value) -> Ended {
    if pin == "error" {
        return Err(match value {
            Value::Null => Failure::Execution("Output error was None".to_owned()),
            Value::String(text) if text.is_empty() => Failure::Unknown("Unknown error occurred".to_owned()),
            other => Failure::Execution(heddle_model::python::text(other)),
        });
    }
    if facts.ui_type != UiType::Standard {
        return Ok(());
    }
    let checked = facts.compiled_output().check_pin(pin, value);
    checked.map_err(|text| Failure::Output(format!("Block produced an invalid output data: {text}")))
}
