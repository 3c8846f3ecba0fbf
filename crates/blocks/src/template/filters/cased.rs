//! Filters that change a text's letters, given Python's text of values that are none.

use crate::template::text::string;
use minijinja::value::{Kwargs, StringInput, Value};
use minijinja::{Environment, Error, State, filters};

/// Sets these filters.
pub(super) fn install(environment: &mut Environment<'static>) {
    type Change = fn(StringInput<'_>) -> Value;
    let changes: [(&str, Change); 3] =
        [("upper", filters::upper), ("lower", filters::lower), ("capitalize", filters::capitalize)];
    for (name, change) in changes {
        environment.add_filter(name, move |state: &State, value: &Value| {
            if value.as_str().is_some() {
                return StringInput::new(state, value).map(change);
            }
            StringInput::new(state, &Value::from(string(value))).map(change)
        });
    }
    environment.add_filter("title", |value: &Value| filters::title(string(value).into()));
    environment.add_filter("trim", trim);
}

fn trim(state: &State, value: &Value, chars: Option<&str>, kwargs: Kwargs) -> Result<Value, Error> {
    let chars = chars.or(kwargs.get("chars")?).map(Into::into);
    kwargs.assert_all_used()?;
    if value.as_str().is_some() {
        return Ok(filters::trim(StringInput::new(state, value)?, chars));
    }
    Ok(filters::trim(StringInput::new(state, &Value::from(string(value)))?, chars))
}
