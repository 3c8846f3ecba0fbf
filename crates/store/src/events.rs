//! A frame's events as they are written: a JSON list, each of whose members is an object or a list.
//!
//! An object is an event as the engine's types have it, as all were in earlier releases. A list says the same without
//! names, which a commit would wait for: the microseconds since the last object's time, the kind of event, its fields.
//! The first member is an object, so two such lists that are put behind each other are one.

use heddle_engine::journal::{Entry, Event, Outcome};
use heddle_model::{Object, Time, Value};
use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, SeqAccess, Unexpected, Visitor};
use serde::ser::SerializeSeq;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::sync::Arc;

const STARTED: &str = "S";
const OUTPUT: &str = "O";
const ENDED: &str = "E";
/// Any other event, as the engine's types have it.
const OTHER: &str = "*";

/// Events on their way to disk.
pub(crate) struct Written<'a>(pub &'a [Entry]);

impl Serialize for Written<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(Some(self.0.len()))?;
        let mut full = None;
        for entry in self.0 {
            let Some(time) = full.and_then(|full| entry.at.0.checked_sub(full)) else {
                full = Some(entry.at.0);
                list.serialize_element(entry)?;
                continue;
            };
            match &entry.what {
                Event::Started { exec, node, input, cost: 0 } => {
                    list.serialize_element(&(time, STARTED, exec, node, input))?;
                }
                Event::Output { exec, position, pin, value } => {
                    list.serialize_element(&(time, OUTPUT, exec, position, pin, value))?;
                }
                Event::Ended { exec, outcome: Outcome::Completed, child: None, outputs: None } => {
                    list.serialize_element(&(time, ENDED, exec))?;
                }
                other => list.serialize_element(&(time, OTHER, other))?,
            }
        }
        list.end()
    }
}

/// Events from disk.
pub(crate) struct Read(pub Vec<Entry>);

impl<'de> Deserialize<'de> for Read {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut full = Time::default();
        let entries = Vec::<Member>::deserialize(deserializer)?.into_iter().map(|member| match member {
            Member::Full(entry) => {
                full = entry.at;
                entry
            }
            Member::Short(since, what) => Entry { at: Time(full.0.saturating_add(since)), what },
        });
        Ok(Self(entries.collect()))
    }
}

/// One event.
enum Member {
    /// Written as an object.
    Full(Entry),
    /// Written as a list: microseconds since the last full one.
    Short(i64, Event),
}

impl<'de> Deserialize<'de> for Member {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(MemberVisitor)
    }
}

struct MemberVisitor;

impl<'de> Visitor<'de> for MemberVisitor {
    type Value = Member;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an event")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Member, A::Error> {
        Entry::deserialize(MapAccessDeserializer::new(map)).map(Member::Full)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Member, A::Error> {
        let since = next(&mut seq)?;
        let kind: &str = next(&mut seq)?;
        let what = match kind {
            STARTED => {
                let (exec, node) = (next(&mut seq)?, next(&mut seq)?);
                Event::Started { exec, node, input: Arc::new(next::<Object, A>(&mut seq)?), cost: 0 }
            }
            OUTPUT => {
                let (exec, position) = (next(&mut seq)?, next(&mut seq)?);
                Event::Output { exec, position, pin: next(&mut seq)?, value: next::<Value, A>(&mut seq)? }
            }
            ENDED => Event::Ended { exec: next(&mut seq)?, outcome: Outcome::Completed, child: None, outputs: None },
            OTHER => next(&mut seq)?,
            unknown => return Err(Error::invalid_value(Unexpected::Str(unknown), &"a kind of event")),
        };
        Ok(Member::Short(since, what))
    }
}

fn next<'de, T: Deserialize<'de>, A: SeqAccess<'de>>(seq: &mut A) -> Result<T, A::Error> {
    seq.next_element()?.ok_or_else(|| Error::custom("an event is cut short"))
}

#[cfg(test)]
mod tests;
