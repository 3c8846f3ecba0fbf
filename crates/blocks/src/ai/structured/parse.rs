//! The shape of an answer: how it is asked for, and whether it is there.

use heddle_model::{Object, Value, python};

/// What an answer must look like.
pub(super) struct Shape {
    /// Marks the tags around the answer.
    pub tag: String,
    /// Key → what is to stand there.
    pub format: Object,
    /// Several such objects.
    pub list: bool,
    /// The answer is JSON and nothing else.
    pub json: bool,
}

const CLOSE: &str = "</json_output>";

impl Shape {
    fn open(&self) -> String {
        format!("<json_output id=\"{}\">", self.tag)
    }

    /// The answer's value; an error is what to tell the model.
    pub fn read(&self, answer: &str) -> Result<Value, String> {
        let value = if self.json { whole(answer)? } else { self.tagged(answer)? };
        let value = match value {
            Value::Object(mut members) if self.list => members.shift_remove("results").filter(Value::is_array).ok_or(
                "Expected an array of objects, or an object with the list `results`, and there is neither".to_owned(),
            )?,
            value => value,
        };
        match &value {
            Value::Array(items) if self.list => items.iter().try_for_each(|item| self.check(item))?,
            _ if self.list => return Err(format!("Expected an array of objects, but got {}", kind(&value))),
            value => self.check(value)?,
        }
        Ok(value)
    }

    fn tagged(&self, answer: &str) -> Result<Value, String> {
        let open = self.open();
        let (_, rest) = answer.split_once(&open).ok_or_else(|| format!("The answer has no opening tag {open}"))?;
        let (inner, _) = rest.rsplit_once(CLOSE).ok_or_else(|| format!("The answer has no closing tag {CLOSE}"))?;
        serde_json::from_str(inner.trim()).map_err(|error| format!("What stands between the tags is not JSON: {error}"))
    }

    fn check(&self, item: &Value) -> Result<(), String> {
        let members = item.as_object().ok_or_else(|| format!("Expected an object, but got {}", kind(item)))?;
        let missing: Vec<_> =
            self.format.keys().filter(|key| !members.contains_key(*key)).map(String::as_str).collect();
        if missing.is_empty() { Ok(()) } else { Err(format!("Missing keys: {}", missing.join(", "))) }
    }
}

/// The whole text, or what stands between its first and its last brace.
fn whole(answer: &str) -> Result<Value, String> {
    let error = match serde_json::from_str(answer.trim()) {
        Ok(value) => return Ok(value),
        Err(error) => error,
    };
    let span = answer.find('{').zip(answer.rfind('}')).and_then(|(first, last)| answer.get(first..=last));
    let inner = span.and_then(|span| serde_json::from_str(span).ok());
    inner.ok_or_else(|| format!("The answer is not JSON: {error}"))
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

/// How an answer of this shape is asked for.
pub(super) fn instructions(shape: &Shape, optional: &Object) -> String {
    let keys = python::json(&Value::Object(shape.format.clone()));
    let what = match (shape.list, shape.json) {
        (false, _) => "one JSON object with exactly these keys".to_owned(),
        (true, false) => "a JSON array of objects, each with exactly these keys".to_owned(),
        (true, true) => {
            "a JSON object with the key \"results\", which holds an array of objects; \"reasoning\", a text with \
                         your thoughts, may stand before it. Each object has exactly these keys"
                .to_owned()
        }
    };
    let may = match optional.is_empty() {
        true => String::new(),
        false => format!("\nThese keys may be there as well: {}", python::json(&Value::Object(optional.clone()))),
    };
    let how = match shape.json {
        true => "Your whole answer must be that JSON and nothing else.".to_owned(),
        false => format!(
            "Write that JSON once, between the tags {} and {CLOSE}, exactly as they stand here. You may write other text \
             before and after them, but not between them.",
            shape.open()
        ),
    };
    format!(
        "Answer with {what} (the values here say what is to stand there): {keys}{may}\n{how}\nA key that you cannot fill has an empty text."
    )
}

/// What the model is told when its answer is of no use.
pub(super) fn complaint(why: &str, shape: &Shape) -> String {
    let how = match shape.json {
        true => "the JSON that was asked for and nothing else".to_owned(),
        false => format!("the JSON that was asked for between {} and {CLOSE}", shape.open()),
    };
    format!("Your answer cannot be used. {why}. Answer again, with {how}.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn shape(list: bool, json: bool) -> Shape {
        let format = json!({"a": "first", "b": "second"});
        Shape { tag: "0123456789abcdef".to_owned(), format: format.as_object().unwrap().clone(), list, json }
    }

    fn tagged(inner: &str) -> String {
        format!("So:\n<json_output id=\"0123456789abcdef\">\n{inner}\n</json_output> done")
    }

    #[test]
    fn an_answer_stands_between_its_tags() {
        let read = |answer: &str| shape(false, false).read(answer);
        assert_eq!(read(&tagged(r#"{"a":1,"b":null,"c":[]}"#)), Ok(json!({"a": 1, "b": null, "c": []})));
        let inside = tagged(r#"{"a":"</json_output>","b":"<json_output id=\"x\">"}"#);
        assert_eq!(read(&inside).unwrap()["a"], "</json_output>", "the last closing tag counts");
        for (answer, part) in [
            (r#"{"a":1,"b":2}"#.to_owned(), "no opening tag"),
            (tagged(r#"{"a":1,"b":2}"#).replace("0123", "9999"), "no opening tag"),
            (tagged(r#"{"a":1,"b":2}"#).replace(CLOSE, ""), "no closing tag"),
            (tagged("{'a':1}"), "not JSON"),
            (tagged(r#"{"a":1}"#), "Missing keys: b"),
            (tagged("[]"), "Expected an object, but got an array"),
            (tagged("7"), "but got a number"),
        ] {
            assert!(read(&answer).is_err_and(|text| text.contains(part)), "{answer}");
        }
    }

    #[test]
    fn forced_json_is_the_whole_answer_or_its_braces() {
        let read = |answer: &str| shape(false, true).read(answer);
        assert_eq!(read(r#" {"a":1,"b":2} "#), Ok(json!({"a": 1, "b": 2})));
        assert_eq!(read("```json\n{\"a\":1,\"b\":2}\n```"), Ok(json!({"a": 1, "b": 2})));
        assert!(read("nothing").is_err_and(|text| text.contains("not JSON")));
    }

    #[test]
    fn lists_are_of_such_objects() {
        let two = r#"[{"a":1,"b":2},{"a":3,"b":4}]"#;
        assert_eq!(shape(true, false).read(&tagged(two)).unwrap()[1]["b"], 4);
        let inside = format!(r#"{{"reasoning":"x","results":{two}}}"#);
        assert_eq!(shape(true, true).read(&inside).unwrap().as_array().unwrap().len(), 2);
        for (answer, part) in [
            (r#"{"a":1,"b":2}"#, "there is neither"),
            (r#"{"results":{}}"#, "there is neither"),
            ("7", "Expected an array of objects, but got a number"),
            (r#"{"results":[{"a":1}]}"#, "Missing keys: b"),
            (r#"{"results":[7]}"#, "Expected an object"),
        ] {
            assert!(shape(true, true).read(answer).is_err_and(|text| text.contains(part)), "{answer}");
        }
    }

    #[test]
    fn what_is_asked_for_names_keys_tags_and_the_list() {
        let text = instructions(&shape(false, false), &Object::new());
        assert!(text.contains(r#"<json_output id="0123456789abcdef">"#) && text.contains(r#""a": "first""#), "{text}");
        let text = instructions(&shape(true, true), &Object::new());
        assert!(text.contains("\"results\"") && !text.contains("<json_output"), "{text}");
    }
}
