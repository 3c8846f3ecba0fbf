//! Members of JSON requests, with the problems that 422 lists (`v1.md` 1.4, shape C).
//!
//! The problems quote what was sent, but no secret among it.

use serde::Serialize;
use serde_json::{Map, Value, json};

/// Members whose values are never quoted.
const SECRET: [&str; 5] = ["client_secret", "code", "code_verifier", "refresh_token", "token"];

/// How much of a body is quoted: members, and bytes of each.
const MOST_QUOTED: usize = 20;
const LONGEST: usize = 300;

/// How many problems are listed.
const MOST: usize = 100;

/// A step on the way to the offending value.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(untagged)]
pub enum Step {
    /// `body`, an alternative, a member.
    Name(&'static str),
    /// An element of a list.
    Index(usize),
}

/// One problem.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Item {
    /// Kind of problem, for programs.
    pub r#type: &'static str,
    /// Where.
    pub loc: Vec<Step>,
    /// Kind of problem, for people.
    pub msg: String,
    /// The offending value.
    pub input: Value,
    /// More about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ctx: Option<Value>,
}

// A JSON value may hold a number that equals nothing, but none is compared here except in tests.
impl Eq for Item {}

/// Reads members in their declared order and gathers what is wrong.
pub struct Fields<'a> {
    members: &'a Map<String, Value>,
    within: Vec<Step>,
    items: Vec<Item>,
}

impl<'a> Fields<'a> {
    /// The members of a body.
    pub fn of(body: &'a Value) -> Result<Self, Vec<Item>> {
        Self::within(body, vec![Step::Name("body")])
    }

    /// The members of a body as one of several alternatives.
    pub fn alternative(body: &'a Value, name: &'static str) -> Result<Self, Vec<Item>> {
        Self::within(body, vec![Step::Name("body"), Step::Name(name)])
    }

    fn within(body: &'a Value, within: Vec<Step>) -> Result<Self, Vec<Item>> {
        match body {
            Value::Object(members) => Ok(Self { members, within, items: Vec::new() }),
            other => Err(vec![Item {
                r#type: "model_attributes_type",
                loc: within,
                msg: "Input should be a valid dictionary or object to extract fields from".to_owned(),
                input: match other {
                    // A list may be long, and hold anything.
                    Value::String(_) | Value::Array(_) => json!("***"),
                    other => other.clone(),
                },
                ctx: None,
            }]),
        }
    }

    /// A text that must be there.
    pub fn text(&mut self, name: &'static str) -> Option<String> {
        match self.members.get(name) {
            None => self.missing(name),
            Some(value) => self.string(name, value),
        }
    }

    /// A text, or this one.
    pub fn text_or(&mut self, name: &'static str, usual: &str) -> Option<String> {
        match self.members.get(name) {
            None => Some(usual.to_owned()),
            Some(value) => self.string(name, value),
        }
    }

    /// A text that may be missing or null.
    pub fn maybe_text(&mut self, name: &'static str) -> Option<String> {
        match self.members.get(name) {
            None | Some(Value::Null) => None,
            Some(value) => self.string(name, value),
        }
    }

    /// A list of texts that must be there.
    pub fn texts(&mut self, name: &'static str) -> Option<Vec<String>> {
        let value = match self.members.get(name) {
            None => return self.missing(name),
            Some(value) => value,
        };
        let Value::Array(elements) = value else {
            return self.add("list_type", &[Step::Name(name)], "Input should be a valid list", value.clone(), None);
        };
        let mut texts = Vec::new();
        for (index, element) in elements.iter().enumerate() {
            match element {
                Value::String(text) => texts.push(text.clone()),
                other => {
                    let at = [Step::Name(name), Step::Index(index)];
                    self.add::<()>("string_type", &at, "Input should be a valid string", other.clone(), None);
                }
            }
        }
        Some(texts)
    }

    /// One of these words that must be there.
    pub fn word(&mut self, name: &'static str, words: &[&'static str]) -> Option<&'static str> {
        match self.members.get(name) {
            None => self.missing(name),
            Some(value) => self.literal(name, value, words),
        }
    }

    /// One of these words, the first unless it says otherwise.
    pub fn word_or_first(&mut self, name: &'static str, words: &[&'static str]) -> Option<&'static str> {
        match self.members.get(name) {
            None => words.first().copied(),
            Some(value) => self.literal(name, value, words),
        }
    }

    /// One of these words, or nothing, or null.
    pub fn maybe_word(&mut self, name: &'static str, words: &[&'static str]) -> Option<&'static str> {
        match self.members.get(name) {
            None | Some(Value::Null) => None,
            Some(value) => self.literal(name, value, words),
        }
    }

    /// What was read, unless something was wrong.
    pub fn end<T>(self, read: impl FnOnce() -> Option<T>) -> Result<T, Vec<Item>> {
        match read() {
            Some(read) if self.items.is_empty() => Ok(read),
            _ => Err(self.items),
        }
    }

    /// What was wrong.
    pub fn problems(self) -> Vec<Item> {
        self.items
    }

    fn string(&mut self, name: &'static str, value: &Value) -> Option<String> {
        match value {
            Value::String(text) => Some(text.clone()),
            other => {
                self.add("string_type", &[Step::Name(name)], "Input should be a valid string", other.clone(), None)
            }
        }
    }

    fn literal(&mut self, name: &'static str, value: &Value, words: &[&'static str]) -> Option<&'static str> {
        if let Some(word) = value.as_str().and_then(|text| words.iter().find(|word| **word == text)) {
            return Some(word);
        }
        let expected = words.iter().map(|word| format!("'{word}'")).collect::<Vec<_>>().join(" or ");
        let msg = format!("Input should be {expected}");
        self.add("literal_error", &[Step::Name(name)], &msg, value.clone(), Some(json!({ "expected": expected })))
    }

    fn missing<T>(&mut self, name: &'static str) -> Option<T> {
        self.add("missing", &[Step::Name(name)], "Field required", Value::Object(quotable(self.members)), None)
    }

    fn add<T>(&mut self, kind: &'static str, at: &[Step], msg: &str, input: Value, ctx: Option<Value>) -> Option<T> {
        let loc = self.within.iter().chain(at).cloned().collect();
        let is_secret = at.first().is_some_and(|step| matches!(step, Step::Name(name) if SECRET.contains(name)));
        let input = if is_secret { json!("***") } else { input };
        if self.items.len() >= MOST {
            return None;
        }
        self.items.push(Item { r#type: kind, loc, msg: msg.to_owned(), input, ctx });
        None
    }
}

/// What is said of a body in every problem about it, so not much of it.
fn quotable(members: &Map<String, Value>) -> Map<String, Value> {
    let quote = |(name, value): (&String, &Value)| {
        let is_short = value.to_string().len() <= LONGEST;
        let value = if SECRET.contains(&name.as_str()) || !is_short { json!("***") } else { value.clone() };
        (name.clone(), value)
    };
    members.iter().filter(|(name, _)| name.len() <= LONGEST).take(MOST_QUOTED).map(quote).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(body: Value, read: impl FnOnce(&mut Fields<'_>)) -> Value {
        let items = match Fields::of(&body) {
            Ok(mut fields) => {
                read(&mut fields);
                fields.problems()
            }
            Err(items) => items,
        };
        serde_json::to_value(items).unwrap()
    }

    /// `v1.md` 1.4, shape C.
    #[test]
    fn problems_are_listed_in_declared_order() {
        assert_eq!(
            problems(json!({"client_secret": "s3", "scopes": ["A", 1], "method": "S384"}), |fields| {
                fields.text("client_id");
                fields.text("state");
                fields.texts("scopes");
                fields.word("method", &["S256", "plain"]);
            }),
            json!([
                {"type": "missing", "loc": ["body", "client_id"], "msg": "Field required",
                 "input": {"client_secret": "***", "scopes": ["A", 1], "method": "S384"}},
                {"type": "missing", "loc": ["body", "state"], "msg": "Field required",
                 "input": {"client_secret": "***", "scopes": ["A", 1], "method": "S384"}},
                {"type": "string_type", "loc": ["body", "scopes", 1], "msg": "Input should be a valid string", "input": 1},
                {"type": "literal_error", "loc": ["body", "method"], "msg": "Input should be 'S256' or 'plain'",
                 "input": "S384", "ctx": {"expected": "'S256' or 'plain'"}},
            ])
        );
        for (body, quoted) in [(json!(null), json!(null)), (json!(1), json!(1)), (json!(["a"]), json!("***"))] {
            assert_eq!(
                problems(body, |_| ()),
                json!([{
                    "type": "model_attributes_type", "loc": ["body"],
                    "msg": "Input should be a valid dictionary or object to extract fields from", "input": quoted,
                }])
            );
        }
    }

    #[test]
    fn no_problem_quotes_a_secret() {
        for name in SECRET {
            let found = problems(json!({name: ["canary"]}), |fields| {
                fields.text(name);
                fields.text("other");
            });
            assert!(!found.to_string().contains("canary"), "{found}");
        }
        assert!(!problems(json!("canary"), |_| ()).to_string().contains("canary"));
    }

    #[test]
    fn an_answer_is_not_many_times_its_question() {
        let mut body: Map<String, Value> =
            (0..1_000).map(|index| (format!("m{index}"), json!("x".repeat(30)))).collect();
        body.insert("list".to_owned(), vec![1; 5_000].into());
        body.shift_insert(0, "long".to_owned(), json!("x".repeat(LONGEST)));
        let found = problems(body.into(), |fields| {
            ["a", "b", "c", "d", "e", "f"].into_iter().for_each(|name| drop(fields.text(name)));
            fields.texts("list");
        });
        assert_eq!((found.as_array().unwrap().len(), &found[0]["input"]["long"]), (MOST, &json!("***")));
        assert!(found.to_string().len() < 20_000);
    }

    #[test]
    fn usual_values_stand_in_for_missing_ones_but_not_for_null() {
        let body = json!({"null": null});
        let mut fields = Fields::of(&body).unwrap();
        assert_eq!(fields.text_or("a", "code").as_deref(), Some("code"));
        assert_eq!(fields.word_or_first("b", &["S256", "plain"]), Some("S256"));
        assert_eq!((fields.maybe_text("null"), fields.maybe_word("null", &["x"])), (None, None));
        assert!(fields.items.is_empty());
        assert_eq!((fields.text_or("null", "code"), fields.word_or_first("null", &["x"])), (None, None));
        assert_eq!(fields.problems().len(), 2);
    }
}
