//! Dictionaries; every block returns a new one and leaves its input alone.

pub(crate) mod add;
pub(crate) mod create;
pub(crate) mod find;
pub(crate) mod is_empty;
pub(crate) mod remove;
pub(crate) mod replace_value;

use crate::block::{Input, refuse};
use heddle_engine::ports::Failure;
use heddle_model::{Object, Value, python};

/// The value under the `key` pin. Keys of JSON objects are texts, so a number is never found.
fn existing<'a>(input: &mut Input, dictionary: &'a mut Object) -> Result<(String, &'a mut Value), Failure> {
    let key = input.take("key");
    let missing = || refuse(format!("key {} is not in the dictionary", python::repr(&key)));
    let name = key.as_str().ok_or_else(missing)?;
    let value = dictionary.get_mut(name).ok_or_else(missing)?;
    Ok((name.to_owned(), value))
}
