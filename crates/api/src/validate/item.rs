//! One thing that is wrong with a request, as the wire shows it.

use serde::Serialize;
use serde_json::Value;
use std::borrow::Cow;

/// A step on the way to the offending value: `body`, a member, a list index.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Step {
    /// A source or member name.
    Name(String),
    /// A list index or a byte offset.
    Index(usize),
}

/// One validation problem (`v1.md` 1.4).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Item {
    /// Kind of problem, for programs.
    pub r#type: &'static str,
    /// Where.
    pub loc: Vec<Step>,
    /// Kind of problem, for people.
    pub msg: Cow<'static, str>,
    /// The offending value.
    pub input: Value,
    /// More about the problem.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ctx: Option<Value>,
}

/// The problems of one request, in declaration order.
///
/// Bounded: a body of a million bad nodes must not become an answer many times its size.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Items(Vec<Item>);

impl Items {
    const MOST: usize = 1_000;

    /// Adds a problem.
    pub fn push(&mut self, item: Item) {
        if self.0.len() < Self::MOST {
            self.0.push(item);
        }
    }

    /// Adds a problem at `at` about `input`.
    pub fn add(&mut self, at: &At<'_>, r#type: &'static str, msg: &'static str, input: &Value) {
        if self.0.len() < Self::MOST {
            self.push(Item { r#type, loc: at.steps(), msg: msg.into(), input: input.clone(), ctx: None });
        }
    }

    /// No problem so far.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<Item> for Items {
    fn from(item: Item) -> Self {
        Self(vec![item])
    }
}

impl std::ops::Deref for Items {
    type Target = [Item];

    fn deref(&self) -> &[Item] {
        &self.0
    }
}

/// Where a value stands, as a chain on the stack: nothing is allocated until something is wrong.
#[derive(Clone, Copy, Debug)]
pub enum At<'a> {
    /// `body`, `query`, `path` or `header`.
    Source(&'static str),
    /// A member of what stands at the first.
    Member(&'a At<'a>, &'a str),
    /// An element of what stands at the first.
    Element(&'a At<'a>, usize),
}

impl At<'_> {
    /// The way from the source.
    pub fn steps(&self) -> Vec<Step> {
        match self {
            Self::Source(name) => vec![Step::Name((*name).to_owned())],
            Self::Member(parent, name) => with(parent, Step::Name((*name).to_owned())),
            Self::Element(parent, index) => with(parent, Step::Index(*index)),
        }
    }
}

fn with(parent: &At<'_>, step: Step) -> Vec<Step> {
    let mut steps = parent.steps();
    steps.push(step);
    steps
}
