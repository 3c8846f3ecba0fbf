//! Templates that only insert values by their names, as most do: where the values are texts, rendering is joining.

use super::MAX_BYTES;
use heddle_model::{Object, Value};

/// Names that mean something else than a variable, or not only that.
const RESERVED: [&str; 19] = [
    "true", "false", "none", "True", "False", "None", "not", "and", "or", "if", "else", "in", "is", "self", "super",
    "loop", "caller", "varargs", "kwargs",
];

/// Texts, each but the last with the name of the value after it.
pub(super) struct Plain {
    parts: Vec<(String, String)>,
    last: String,
}

impl Plain {
    /// Takes a template apart; `None` when anything but a name stands between braces.
    pub fn of(source: &str) -> Option<Self> {
        let mut rest = source.strip_suffix('\n').unwrap_or(source);
        let mut parts = Vec::new();
        while let Some((text, tag)) = rest.split_once("{{") {
            let (inside, after) = tag.split_once("}}")?;
            let name = inside.trim_matches([' ', '\t', '\n']);
            if has_tag(text) || !is_variable(name) {
                return None;
            }
            parts.push((text.to_owned(), name.to_owned()));
            rest = after;
        }
        (!has_tag(rest)).then(|| Self { parts, last: rest.to_owned() })
    }

    /// The text; `None` when a value is none, or all of it would be too long: the template then has to be run.
    pub fn render(&self, values: &Object) -> Option<String> {
        let value = |name: &String| values.get(name).and_then(Value::as_str);
        let lengths = self.parts.iter().map(|(text, name)| Some(text.len() + value(name)?.len()));
        let length = lengths.sum::<Option<usize>>()? + self.last.len();
        if length > MAX_BYTES {
            return None;
        }
        let mut whole = String::with_capacity(length);
        for (text, name) in &self.parts {
            whole.push_str(text);
            whole.push_str(value(name)?);
        }
        whole.push_str(&self.last);
        Some(whole)
    }
}

/// Whether something begins in a text that is no variable. `{{` has been looked for already.
fn has_tag(text: &str) -> bool {
    // A brace right before a variable would belong to it.
    text.contains("{%") || text.contains("{#") || text.ends_with('{')
}

fn is_variable(name: &str) -> bool {
    let starts = name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
    starts && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') && !RESERVED.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::super::Compiled;
    use super::*;
    use serde_json::json;

    /// Pieces of which templates are put together, plain and not.
    const PIECES: [&str; 24] = [
        "{{ a }}",
        "{{a}}",
        "{{\n b\t}}",
        "{{ b2 }}",
        "{{ _c }}",
        "{{ missing }}",
        "{{ number }}",
        "{{ true }}",
        "{{ self }}",
        "{{ loop }}",
        "{{ range }}",
        "{{ a.b }}",
        "{{ a|upper }}",
        "{{- a -}}",
        "{{ 1 }}",
        "{{ \"}}\" }}",
        "{% if a %}x{% endif %}",
        "{# no #}",
        "text ",
        "{",
        "}",
        "}}",
        "\n",
        "é",
    ];

    #[test]
    fn what_is_plain_is_rendered_as_the_engine_does() {
        let values = json!({"a": "A{{ b }}\n", "b": "", "b2": "é", "_c": "{% x", "number": 1, "true": "t", "loop": "l",
            "range": "r", "self": "s"});
        let values = values.as_object().unwrap();
        let mut plain = 0;
        for seed in 0..60_000usize {
            let mut left = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
            let pieces = (0..1 + seed % 5).map(|_| {
                left = left.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                PIECES[(left >> 33) % PIECES.len()]
            });
            let source: String = pieces.collect();
            let Some(text) = Plain::of(&source).and_then(|plain| plain.render(values)) else { continue };
            let run = Compiled::new(&source, false).and_then(|compiled| compiled.run(values));
            assert_eq!(run.ok().as_ref(), Some(&text), "{source:?}");
            plain += usize::from(source.contains("{{"));
        }
        assert!(plain > 3_000, "{plain} of them were plain");
    }

    #[test]
    fn what_has_more_in_it_is_left_to_the_engine() {
        for source in
            ["{{ a | upper }}", "{{ a.b }}", "{{ not }}", "{{ }}", "{{ a", "{%", "{# x", "{{{ a }}", "{{ 1a }}"]
        {
            assert!(Plain::of(source).is_none(), "{source}");
        }
        let plain = Plain::of("{{ a }}").unwrap();
        for values in [json!({}), json!({"a": 1}), json!({"a": null}), json!({"a": ["x"]})] {
            assert_eq!(plain.render(values.as_object().unwrap()), None, "{values}");
        }
    }
}
