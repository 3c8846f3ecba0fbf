//! Reads a reduced XML: elements and text, nothing else.
//!
//! No attributes, self-closing tags, declarations, comments or CDATA, and entities stay as they are written.

use crate::block::{Block, Cx, Ended, Input, Out, refuse};
use heddle_model::{Object, Value};

pub(crate) const BLOCK: Block = Block::pure("286380af-9529-4b55-8be0-1d7c854abdb5", run);

const MAX_CHARACTERS: usize = 10_485_760;
/// Elements within elements; what is read must also be written, compared and dropped.
const MAX_DEPTH: usize = 500;

fn run(mut input: Input, _: &Cx, out: &mut Out<'_>) -> Ended {
    let text = input.text("input_xml");
    if text.len() > MAX_CHARACTERS && text.chars().count() > MAX_CHARACTERS {
        return Err(refuse(format!("the XML is longer than {MAX_CHARACTERS} characters")));
    }
    out.emit("parsed_xml", parse(&text).map_err(refuse)?)
}

struct Element<'a> {
    tag: String,
    text: &'a str,
    children: Vec<(String, Value)>,
}

fn parse(xml: &str) -> Result<Object, String> {
    let mut open: Vec<Element<'_>> = Vec::new();
    let mut root = None;
    let mut rest = xml;
    while let Some(start) = rest.find('<') {
        text(&mut open, &rest[..start])?;
        let end = rest[start..].find('>').ok_or("a tag is not closed with >")? + start;
        let tag = &rest[start + 1..end];
        rest = &rest[end + 1..];
        match tag.strip_prefix('/') {
            None => {
                if root.is_some() {
                    return Err("there is more than one root element".to_owned());
                }
                if open.len() >= MAX_DEPTH {
                    return Err(format!("elements are nested deeper than {MAX_DEPTH} levels"));
                }
                open.push(Element { tag: name(tag)?, text: "", children: Vec::new() });
            }
            Some(tag) => {
                let tag = name(tag)?;
                let element = open.pop().ok_or_else(|| format!("</{tag}> closes nothing"))?;
                if element.tag != tag {
                    return Err(format!("</{tag}> closes <{}>", element.tag));
                }
                let value = value(element);
                match open.last_mut() {
                    Some(parent) => parent.children.push((tag, value)),
                    None => root = Some((tag, value)),
                }
            }
        }
    }
    text(&mut open, rest)?;
    if let Some(element) = open.pop() {
        return Err(format!("<{}> is not closed", element.tag));
    }
    root.map(|root| Object::from_iter([root])).ok_or_else(|| "there is no root element".to_owned())
}

/// Only the text of a leaf counts; between child elements it is dropped.
fn text<'a>(open: &mut [Element<'a>], text: &'a str) -> Result<(), String> {
    match open.last_mut() {
        Some(element) => {
            if element.children.is_empty() && element.text.is_empty() {
                element.text = text.trim();
            }
            Ok(())
        }
        None if text.trim().is_empty() => Ok(()),
        None => Err("there is text outside the root element".to_owned()),
    }
}

fn name(tag: &str) -> Result<String, String> {
    let tag = tag.trim();
    let plain = |c: char| c.is_alphanumeric() || "_-.: ".contains(c);
    if tag.is_empty() || !tag.chars().all(plain) {
        return Err(format!("<{tag}> is not a plain tag"));
    }
    Ok(tag.to_lowercase().replace(' ', "_"))
}

/// Children by tag; as a list when tags repeat.
fn value(element: Element<'_>) -> Value {
    if element.children.is_empty() {
        return Value::from(element.text);
    }
    let count = element.children.len();
    let entries: Object = element.children.iter().map(|(tag, _)| (tag.clone(), Value::Null)).collect();
    if entries.len() == count {
        return Value::Object(element.children.into_iter().collect());
    }
    Value::Array(element.children.into_iter().map(|child| Value::Object(Object::from_iter([child]))).collect())
}

#[cfg(test)]
mod tests {
    use super::parse;
    use serde_json::json;

    #[test]
    fn elements_become_dictionaries_and_lists() {
        let cases = [
            ("<a> x </a>", json!({"a": "x"})),
            ("<A B><c>1</c></A B>", json!({"a_b": {"c": "1"}})),
            ("\n<a><b>1</b>\n<b>2</b><c></c></a>\n", json!({"a": [{"b": "1"}, {"b": "2"}, {"c": ""}]})),
            ("<a><b><c>1</c></b></a>", json!({"a": {"b": {"c": "1"}}})),
            ("<a><b>1</b>tail</a>", json!({"a": {"b": "1"}})),
        ];
        for (xml, expected) in cases {
            assert_eq!(parse(xml).map(serde_json::Value::Object), Ok(expected), "{xml}");
        }
    }

    #[test]
    fn what_is_not_reduced_xml_is_refused() {
        for xml in [
            "",
            "text",
            "<a>1",
            "<a></b>",
            "</a>",
            "<a></a><b></b>",
            "<a></a>x",
            "<a",
            "<a x=\"1\"></a>",
            "<a/>",
            "<?xml?><a></a>",
            "<!-- c --><a></a>",
            "<></>",
        ] {
            assert!(parse(xml).is_err(), "{xml}");
        }
        assert!(parse(&"<a>".repeat(5000)).is_err());
    }
}
