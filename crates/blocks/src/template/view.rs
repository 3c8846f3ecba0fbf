//! Sequences that Python prints by their name: ranges, and a dictionary's items, keys and values.

use super::text::{Sink, repr};
use minijinja::value::{Enumerator, Object, ObjectRepr, Value};
use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

/// Elements with the name under which they print.
#[derive(Debug)]
pub(super) struct View {
    name: Cow<'static, str>,
    items: Vec<Value>,
    /// Whether the elements print after the name.
    listed: bool,
}

impl View {
    /// A view that prints as `name([…])`.
    pub fn value(name: &'static str, items: Vec<Value>) -> Value {
        Value::from_object(Self { name: Cow::Borrowed(name), items, listed: true })
    }

    /// A view that prints as `name`.
    pub fn named(name: String, items: Vec<Value>) -> Value {
        Value::from_object(Self { name: Cow::Owned(name), items, listed: false })
    }

    /// Python's `repr`.
    pub fn repr(&self, out: &mut impl Sink) -> fmt::Result {
        out.put(&self.name)?;
        if !self.listed {
            return Ok(());
        }
        out.put("([")?;
        for (index, item) in self.items.iter().enumerate() {
            out.put(if index > 0 { ", " } else { "" })?;
            repr(item, out)?;
        }
        out.put("])")
    }
}

impl Object for View {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Seq
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.items.get(key.as_usize()?).cloned()
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Seq(self.items.len())
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        View::repr(self, &mut text)?;
        f.write_str(&text)
    }
}
