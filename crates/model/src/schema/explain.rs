//! Which of a value's errors to show, and its text.
//!
//! Python's validator shows the "best match": the error nearest to the root; among siblings the one with the greatest
//! path; one of a plain keyword before `anyOf` and `oneOf`; one whose instance does not even have the schema's type.
//! An `anyOf` or `oneOf` that wins is then replaced by the deepest error inside it, unless two of those tie.

use crate::{Value, python};
use jsonschema::error::{TypeKind, ValidationErrorKind as Kind};
use jsonschema::paths::LocationSegment;
use jsonschema::{ValidationError, Validator};
use std::cmp::{Ordering, Reverse};

/// The text of the error that best says why `value` is not valid.
pub(super) fn text(schema: &Value, validator: &Validator, value: &Value) -> String {
    let mut errors: Vec<_> = validator.iter_errors(value).map(|error| Ranked::new(schema, error)).collect();
    // Ties go to the keyword that stands first in the schema; the sort is stable for those of one keyword.
    errors.sort_by(|a, b| a.place.cmp(&b.place));
    let Some(best) = errors.into_iter().reduce(|best, next| if next.rank > best.rank { next } else { best }) else {
        return format!("{} is not valid", python::repr(value));
    };
    descend(schema, &best.error).unwrap_or_else(|| message(schema, &best.error))
}

fn descend(schema: &Value, error: &ValidationError<'_>) -> Option<String> {
    let (Kind::AnyOf { context } | Kind::OneOfNotValid { context }) = error.kind() else { return None };
    let mut ranks: Vec<_> = context.iter().flatten().map(|error| (rank(schema, error), error)).collect();
    ranks.sort_by(|a, b| a.0.cmp(&b.0));
    match ranks.as_slice() {
        [] => None,
        [(first, _), (second, _), ..] if first == second => None,
        [(_, best), ..] => Some(descend(schema, best).unwrap_or_else(|| message(schema, best))),
    }
}

struct Ranked<'a> {
    rank: Rank,
    place: Vec<usize>,
    error: ValidationError<'a>,
}

impl<'a> Ranked<'a> {
    fn new(schema: &Value, error: ValidationError<'a>) -> Self {
        Self { rank: rank(schema, &error), place: place(schema, &error), error }
    }
}

/// Greater is more worth showing.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    depth: Reverse<usize>,
    path: Vec<Segment>,
    plain: bool,
    other_type: bool,
}

#[derive(PartialEq, Eq)]
enum Segment {
    Key(String),
    Index(usize),
}

impl PartialOrd for Segment {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Segment {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Key(a), Self::Key(b)) => a.cmp(b),
            (Self::Index(a), Self::Index(b)) => a.cmp(b),
            (Self::Index(_), Self::Key(_)) => Ordering::Less,
            (Self::Key(_), Self::Index(_)) => Ordering::Greater,
        }
    }
}

fn rank(schema: &Value, error: &ValidationError<'_>) -> Rank {
    let path: Vec<_> = error
        .instance_path()
        .into_iter()
        .map(|segment| match segment {
            LocationSegment::Property(key) => Segment::Key(key.into_owned()),
            LocationSegment::Index(index) => Segment::Index(index),
        })
        .collect();
    Rank {
        depth: Reverse(path.len()),
        path,
        plain: !matches!(
            error.kind(),
            Kind::AnyOf { .. } | Kind::OneOfNotValid { .. } | Kind::OneOfMultipleValid { .. }
        ),
        other_type: !matches_type(owner(schema, error), error.instance()),
    }
}

/// The position of the failing keyword in the schema, level by level.
fn place(schema: &Value, error: &ValidationError<'_>) -> Vec<usize> {
    let mut at = Some(schema);
    error
        .schema_path()
        .into_iter()
        .map(|segment| {
            let (index, next) = match (at, &segment) {
                (Some(Value::Object(members)), LocationSegment::Property(key)) => {
                    (members.keys().position(|k| k == key.as_ref()).unwrap_or(usize::MAX), members.get(key.as_ref()))
                }
                (Some(Value::Array(items)), LocationSegment::Index(index)) => (*index, items.get(*index)),
                _ => (usize::MAX, None),
            };
            at = next;
            index
        })
        .collect()
}

/// The schema that the failing keyword belongs to.
fn owner<'s>(schema: &'s Value, error: &ValidationError<'_>) -> Option<&'s Value> {
    let path = error.schema_path().as_str();
    schema.pointer(path.rsplit_once('/').map_or("", |(owner, _)| owner))
}

fn matches_type(schema: Option<&Value>, instance: &Value) -> bool {
    let is = |kind: &Value| match kind.as_str() {
        Some("null") => instance.is_null(),
        Some("boolean") => instance.is_boolean(),
        Some("string") => instance.is_string(),
        Some("array") => instance.is_array(),
        Some("object") => instance.is_object(),
        Some("number") => instance.is_number(),
        Some("integer") => {
            instance.is_i64() || instance.is_u64() || instance.as_f64().is_some_and(|float| float.fract() == 0.0)
        }
        _ => false,
    };
    match schema.and_then(|schema| schema.get("type")) {
        Some(Value::Array(kinds)) => kinds.iter().any(is),
        Some(kind) => is(kind),
        None => false,
    }
}

fn message(schema: &Value, error: &ValidationError<'_>) -> String {
    let value = || python::repr(error.instance());
    match error.kind() {
        Kind::Type { kind: TypeKind::Single(kind) } => format!("{} is not of type '{kind}'", value()),
        Kind::Type { kind: TypeKind::Multiple(_) } => {
            let kinds = owner(schema, error).and_then(|owner| owner["type"].as_array());
            let kinds: Vec<_> = kinds.into_iter().flatten().map(python::repr).collect();
            format!("{} is not of type {}", value(), kinds.join(", "))
        }
        Kind::Required { property } => format!("{} is a required property", python::repr(property)),
        Kind::Enum { options } => format!("{} is not one of {}", value(), python::repr(options)),
        Kind::Constant { expected_value } => format!("{} was expected", python::repr(expected_value)),
        Kind::AnyOf { .. } | Kind::OneOfNotValid { .. } => {
            format!("{} is not valid under any of the given schemas", value())
        }
        Kind::OneOfMultipleValid { context } => {
            let options = owner(schema, error).and_then(|owner| owner["oneOf"].as_array());
            let valid = options.into_iter().flatten().zip(context).filter(|(_, errors)| errors.is_empty());
            let mut valid: Vec<_> = valid.map(|(schema, _)| python::repr(schema)).collect();
            // The one found first is named last.
            let first = valid.len().min(1);
            valid.rotate_left(first);
            format!("{} is valid under each of {}", value(), valid.join(", "))
        }
        Kind::Not { schema } => format!("{} should not be valid under {}", value(), python::repr(schema)),
        Kind::Minimum { limit } => format!("{} is less than the minimum of {}", value(), python::repr(limit)),
        Kind::Maximum { limit } => format!("{} is greater than the maximum of {}", value(), python::repr(limit)),
        Kind::ExclusiveMinimum { limit } => {
            format!("{} is less than or equal to the minimum of {}", value(), python::repr(limit))
        }
        Kind::ExclusiveMaximum { limit } => {
            format!("{} is greater than or equal to the maximum of {}", value(), python::repr(limit))
        }
        Kind::MultipleOf { .. } => {
            let divisor = owner(schema, error).map(|owner| python::repr(&owner["multipleOf"]));
            format!("{} is not a multiple of {}", value(), divisor.unwrap_or_default())
        }
        Kind::MinLength { limit: 1 } | Kind::MinItems { limit: 1 } | Kind::MinProperties { limit: 1 } => {
            format!("{} should be non-empty", value())
        }
        Kind::MaxLength { limit: 0 } | Kind::MaxItems { limit: 0 } | Kind::MaxProperties { limit: 0 } => {
            format!("{} is expected to be empty", value())
        }
        Kind::MinLength { .. } | Kind::MinItems { .. } => format!("{} is too short", value()),
        Kind::MaxLength { .. } | Kind::MaxItems { .. } => format!("{} is too long", value()),
        Kind::MinProperties { .. } => format!("{} does not have enough properties", value()),
        Kind::MaxProperties { .. } => format!("{} has too many properties", value()),
        Kind::UniqueItems => format!("{} has non-unique elements", value()),
        Kind::Pattern { pattern } => format!("{} does not match {}", value(), python::repr_str(pattern)),
        Kind::Contains => format!("{} does not contain items matching the given schema", value()),
        Kind::FalseSchema => format!("False schema does not allow {}", value()),
        Kind::AdditionalProperties { unexpected } => {
            let mut names: Vec<_> = unexpected.iter().map(|name| python::repr_str(name)).collect();
            names.sort();
            let verb = if names.len() == 1 { "was" } else { "were" };
            format!("Additional properties are not allowed ({} {verb} unexpected)", names.join(", "))
        }
        _ => error.to_string(),
    }
}
