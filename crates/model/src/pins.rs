//! Pin names that reach into a value (`engine.md` 7): `a_#_k_$_0` is item 0 of entry `k` of pin `a`.
//!
//! A link's source name picks a part of what was emitted; a sink name says where in its pin a value belongs. Tool
//! pins (`tools_^_{node}_~_{pin}`) carry their own addressing and have no path.

use crate::{Object, Value, python};

const TOOLS: &str = "tools";
const TOOL_PREFIX: &str = "tools_^_";
const TOOL_SEPARATOR: &str = "_~_";

/// A list cannot be stretched beyond this by naming a far index: padding would cost memory out of nothing.
const MAX_INDEX: usize = 10_000;

/// One level of a path.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step<'a> {
    /// `_$_`: an item of a list. Kept as text: what is no number is an error only where it is used.
    Item(&'a str),
    /// `_#_` and `_@_`: an entry of a mapping; an attribute of an object is one too, as values are plain JSON.
    Entry(&'a str),
}

/// A pin name taken apart.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Path<'a> {
    /// The pin itself.
    pub base: &'a str,
    /// The way into its value; empty for a plain name.
    pub steps: Vec<Step<'a>>,
}

impl<'a> Path<'a> {
    /// Takes a name apart; `None` when an identifier in it is empty.
    pub fn parse(name: &'a str) -> Option<Self> {
        let Some((at, _)) = separator(name) else { return Some(Self { base: name, steps: Vec::new() }) };
        let (base, rest) = name.split_at(at);
        if base.is_empty() {
            return None;
        }
        Some(Self { base, steps: steps(rest)? })
    }
}

/// The pin that a name refers to: the text before the first separator.
pub fn base(name: &str) -> &str {
    separator(name).map_or(name, |(at, _)| &name[..at])
}

/// Whether a name is one of a tool pin.
pub fn is_tool(name: &str) -> bool {
    name == TOOLS || name.starts_with(TOOL_PREFIX)
}

/// Sink node and sink pin of an emitted tool pin, `tools_^_{sink_node}_~_{sink_pin}`.
pub fn tool_parts(name: &str) -> Option<(&str, &str)> {
    name.strip_prefix(TOOL_PREFIX)?.split_once(TOOL_SEPARATOR)
}

/// What a link with this source name takes of a value emitted on a pin. `None` means that nothing is sent; a null
/// that was emitted on exactly this pin is sent.
pub fn select(source_name: &str, emitted_pin: &str, value: &Value) -> Option<Value> {
    pick(source_name, emitted_pin, value).cloned()
}

/// [`select`] without a copy.
pub fn pick<'v>(source_name: &str, emitted_pin: &str, value: &'v Value) -> Option<&'v Value> {
    let path = source_name.strip_prefix(emitted_pin)?;
    if path.is_empty() {
        return Some(value);
    }
    let mut value = value;
    for step in steps(path)? {
        value = match step {
            Step::Item(index) => value.as_array()?.get(index.parse::<usize>().ok()?)?,
            Step::Entry(key) => value.as_object()?.get(key)?,
        };
    }
    (!value.is_null()).then_some(value)
}

/// Puts keyed entries (`values_#_a`) into their base pins, in the order of the data and on top of a value that the
/// base has itself. The keyed names stay, for the record of the input. A malformed name stays a plain one; an index
/// that is not a number is an error.
pub fn merge(data: &mut Object) -> Result<(), String> {
    merge_where(data, is_keyed)
}

/// [`merge`] where it is known which of the names may be keyed.
pub fn merge_named(data: &mut Object, keyed: &[String]) -> Result<(), String> {
    merge_where(data, |name| keyed.iter().any(|keyed| keyed == name))
}

/// Whether a name reaches into a pin's value.
pub fn is_keyed(name: &str) -> bool {
    separator(name).is_some() && !is_tool(name)
}

fn merge_where(data: &mut Object, is_keyed: impl Fn(&str) -> bool) -> Result<(), String> {
    let keyed = data.iter().filter(|(name, _)| is_keyed(name));
    let keyed: Vec<(String, Value)> = keyed.map(|(name, value)| (name.clone(), value.clone())).collect();
    for (name, value) in keyed {
        let Some(path) = Path::parse(&name) else { continue };
        let place = data.entry(path.base).or_insert(Value::Null);
        *descend(place, &path.steps).map_err(|index| unusable_index(index, &name))? = value;
    }
    Ok(())
}

fn unusable_index(index: &str, name: &str) -> String {
    format!("{} is not a usable list index in pin {}", python::repr_str(index), python::repr_str(name))
}

/// The place that the steps lead to, made where it does not exist. Fails with the index that cannot be used.
fn descend<'v, 'a>(mut place: &'v mut Value, steps: &[Step<'a>]) -> Result<&'v mut Value, &'a str> {
    for &step in steps {
        place = match step {
            Step::Item(text) => {
                let index = text.parse().ok().filter(|&index| index <= MAX_INDEX).ok_or(text)?;
                let items = list(place);
                if items.len() <= index {
                    items.resize(index + 1, Value::Null);
                }
                &mut items[index]
            }
            Step::Entry(key) => mapping(place).entry(key).or_insert(Value::Null),
        };
    }
    Ok(place)
}

fn list(value: &mut Value) -> &mut Vec<Value> {
    if !value.is_array() {
        *value = Value::Array(Vec::new());
    }
    value.as_array_mut().expect("made a list above")
}

fn mapping(value: &mut Value) -> &mut Object {
    if !value.is_object() {
        *value = Value::Object(Object::new());
    }
    value.as_object_mut().expect("made a mapping above")
}

/// Position of the first separator and its middle character.
fn separator(name: &str) -> Option<(usize, u8)> {
    let bytes = name.as_bytes();
    let is_middle = |at: &usize| bytes[*at - 1] == b'_' && bytes.get(*at + 1) == Some(&b'_');
    // Its middle is rare in names, so that is looked for.
    let middles = (1..bytes.len()).filter(|at| matches!(bytes[*at], b'$' | b'#' | b'@'));
    middles.into_iter().find(is_middle).map(|at| (at - 1, bytes[at]))
}

/// The steps of a path that begins with a separator; `None` when it does not, or when an identifier is empty.
fn steps(path: &str) -> Option<Vec<Step<'_>>> {
    let mut steps = Vec::new();
    let mut rest = path;
    while !rest.is_empty() {
        let (0, kind) = separator(rest)? else { return None };
        rest = &rest[3..];
        let (name, next) = rest.split_at(separator(rest).map_or(rest.len(), |(at, _)| at));
        if name.is_empty() {
            return None;
        }
        steps.push(if kind == b'$' { Step::Item(name) } else { Step::Entry(name) });
        rest = next;
    }
    Some(steps)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn names_are_taken_apart_from_left_to_right() {
        let cases = [
            ("a", "a", Some(vec![])),
            ("a_#_k_$_0", "a", Some(vec![Step::Entry("k"), Step::Item("0")])),
            ("a_b_@_c_d", "a_b", Some(vec![Step::Entry("c_d")])),
            ("a_#_#_b", "a", Some(vec![Step::Entry("#_b")])),
            ("a_#_é b", "a", Some(vec![Step::Entry("é b")])),
            ("a_#_", "a", None),
            ("a_#__$_0", "a", None),
            ("_#_a", "", None),
            ("a_#", "a_#", Some(vec![])),
        ];
        for (name, want_base, want_steps) in cases {
            assert_eq!(base(name), want_base, "{name}");
            let want = want_steps.map(|steps| Path { base: want_base, steps });
            assert_eq!(Path::parse(name), want, "{name}");
        }
    }

    #[test]
    fn a_source_name_takes_its_part_or_nothing() {
        let value = json!({"k": [10, null, {"x": "y"}], "n": null});
        let cases = [
            ("out", "out", Some(value.clone())),
            ("out_#_k_$_0", "out", Some(json!(10))),
            ("out_#_k_$_2_@_x", "out", Some(json!("y"))),
            ("out_#_k_$_1", "out", None),
            ("out_#_n", "out", None),
            ("out_#_missing", "out", None),
            ("out_$_0", "out", None),
            ("out_#_k_#_0", "out", None),
            ("out_#_k_$_9", "out", None),
            ("out_#_k_$_-1", "out", None),
            ("out_#_k_$_x", "out", None),
            ("output", "out", None),
            ("out_#_", "out", None),
            ("other", "out", None),
            ("out", "out_#_k", None),
        ];
        for (source, pin, want) in cases {
            assert_eq!(select(source, pin, &value), want, "{source} of {pin}");
        }
        assert_eq!(select("out", "out", &json!(null)), Some(json!(null)));
        assert_eq!(select("out_#_a_$_0", "out_#_a", &json!([1])), Some(json!(1)));
    }

    #[test]
    fn keyed_entries_end_up_in_their_base_and_stay() {
        let cases = [
            (json!({"v_#_a": 1, "v_#_b": 2}), json!({"v_#_a": 1, "v_#_b": 2, "v": {"a": 1, "b": 2}})),
            (json!({"v_#_a": 1, "v": {"a": 0, "c": 3}}), json!({"v_#_a": 1, "v": {"a": 1, "c": 3}})),
            (json!({"l_$_2": "x", "l_$_0": "y"}), json!({"l_$_2": "x", "l_$_0": "y", "l": ["y", null, "x"]})),
            (json!({"l": "text", "l_$_1": 1}), json!({"l": [null, 1], "l_$_1": 1})),
            (json!({"d": 5, "d_@_a": 1}), json!({"d": {"a": 1}, "d_@_a": 1})),
            (json!({"d_#_a_$_1_#_b": 1}), json!({"d_#_a_$_1_#_b": 1, "d": {"a": [null, {"b": 1}]}})),
            (json!({"d_#_": 1}), json!({"d_#_": 1})),
            (json!({"plain": 1}), json!({"plain": 1})),
        ];
        for (before, want) in cases {
            let mut data = before.as_object().unwrap().clone();
            merge(&mut data).unwrap();
            assert_eq!(Value::Object(data), want, "{before}");
        }
    }

    #[test]
    fn an_index_that_is_no_number_or_far_away_is_an_error() {
        for index in ["x", "-1", "1.5", "10001", "99999999999999999999"] {
            let mut data = Object::from_iter([(format!("l_$_{index}"), json!(1))]);
            let want = format!("'{index}' is not a usable list index in pin 'l_$_{index}'");
            assert_eq!(merge(&mut data), Err(want));
        }
    }

    #[test]
    fn tool_pins_name_their_sink() {
        assert_eq!(tool_parts("tools_^_node-1_~_a_#_b"), Some(("node-1", "a_#_b")));
        assert_eq!(tool_parts("tools"), None);
        assert_eq!(tool_parts("tools_^_x"), None);
        for (name, want) in [("tools", true), ("tools_^_x_~_y", true), ("tools_x", false), ("tool", false)] {
            assert_eq!(is_tool(name), want, "{name}");
        }
    }
}
