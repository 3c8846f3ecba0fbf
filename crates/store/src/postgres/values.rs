//! Between cells and the wire.
//!
//! The server's texts cannot hold the zero character, which JSON may bring anywhere. So U+0000 is stored as U+0001 `0`
//! and U+0001 as U+0001 `1`; every other text is stored as it is. Equal texts stay equal and different ones different.

use crate::cell::Cell;
use bytes::BytesMut;
use std::borrow::Cow;
use std::error::Error;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};

const ESCAPE: char = '\u{1}';

fn escape(text: &str) -> Cow<'_, str> {
    if !text.bytes().any(|byte| byte <= 1) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 1);
    for character in text.chars() {
        match character {
            '\0' => escaped.extend([ESCAPE, '0']),
            ESCAPE => escaped.extend([ESCAPE, '1']),
            other => escaped.push(other),
        }
    }
    Cow::Owned(escaped)
}

fn unescape(text: &str) -> Cow<'_, str> {
    if !text.contains(ESCAPE) {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        plain.push(match character {
            ESCAPE if characters.next() == Some('0') => '\0',
            other => other,
        });
    }
    Cow::Owned(plain)
}

impl ToSql for Cell<'_> {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        match (self, ty) {
            (Self::Null, _) => Ok(IsNull::Yes),
            (Self::Int(number), &Type::INT8) => number.to_sql(ty, out),
            (Self::Flag(flag), &Type::BOOL) => flag.to_sql(ty, out),
            (Self::Bytes(bytes), &Type::BYTEA) => bytes.to_sql(ty, out),
            (Self::Text(text), &Type::TEXT) => escape(text).to_sql(ty, out),
            // A text that is kept as bytes because it has to go into a digest.
            (Self::Text(text), &Type::BYTEA) => text.as_bytes().to_sql(ty, out),
            (_, other) => Err(format!("a parameter of type {other} is given something else").into()),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

impl<'a> FromSql<'a> for Cell<'a> {
    fn from_sql(ty: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        match *ty {
            Type::INT8 => i64::from_sql(ty, raw).map(Self::Int),
            Type::INT4 => i32::from_sql(ty, raw).map(|number| Self::Int(number.into())),
            Type::BOOL => bool::from_sql(ty, raw).map(Self::Flag),
            Type::BYTEA => Ok(Self::Bytes(raw)),
            _ => <&str>::from_sql(ty, raw).map(|text| Self::Text(unescape(text))),
        }
    }

    fn from_sql_null(_: &Type) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self::Null)
    }

    fn accepts(ty: &Type) -> bool {
        matches!(*ty, Type::INT8 | Type::INT4 | Type::BOOL | Type::BYTEA | Type::TEXT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_text_comes_back_and_none_holds_a_zero() {
        for text in ["", "plain ä", "\0", "\u{1}", "a\0\u{1}0\0", "\u{1}\u{1}1", "\u{2}"] {
            let kept = escape(text);
            assert!(!kept.contains('\0'), "{text:?}");
            assert_eq!(unescape(&kept), text, "{text:?}");
        }
        assert!(matches!(escape("plain ä"), Cow::Borrowed(_)));
    }
}
