//! Bodies of frames and graphs: a format byte, then JSON, compressed (of a frame: see [`Written`]). Compression is there
//! for speed: fewer pages are dirtied, and those are what a commit waits for.

use crate::Error;
use crate::events::{Read, Written};
use heddle_engine::journal::Entry;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::cell::RefCell;
use std::io;
use zstd::bulk::Compressor;
use zstd::zstd_safe::CParameter;

/// JSON in one zstd frame.
const ZSTD_JSON: u8 = 1;

/// The same, of a frame's events without names.
const ZSTD_EVENTS: u8 = 2;

/// The fastest level that still finds the repeats of a journal.
const LEVEL: i32 = 1;

/// The last level before the gain gets small for the time.
const HARD_LEVEL: i32 = 9;

thread_local! {
    /// Making a compressor costs more than using it. The buffer holds the JSON in between.
    static SCRATCH: RefCell<Option<(Compressor<'static>, Vec<u8>)>> = const { RefCell::new(None) };
}

/// JSON up to this many bytes …
const SHORT: usize = 16 * 1024;
/// … is searched for repeats with a table of two to the power of this, which fits the nearest cache and finds as much
/// in so little. The level's own is a hundred kilobytes that have to be cleared each time.
const SHORT_TABLE: u32 = 11;

/// A larger buffer is given back after use, so that one big value does not stay in every thread.
const KEPT_BUFFER: usize = 1 << 20;

/// Packs a value.
pub(crate) fn encode<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>, Error> {
    packed(ZSTD_JSON, value)
}

/// Packs a frame's events.
pub(crate) fn encode_events(entries: &[Entry]) -> Result<Vec<u8>, Error> {
    packed(ZSTD_EVENTS, &Written(entries))
}

fn packed<T: Serialize + ?Sized>(format: u8, value: &T) -> Result<Vec<u8>, Error> {
    let packed = SCRATCH.with_borrow_mut(|scratch| -> io::Result<Vec<u8>> {
        if scratch.is_none() {
            *scratch = Some((Compressor::new(LEVEL)?, Vec::new()));
        }
        let (compressor, json) = scratch.as_mut().expect("it was just made");
        json.clear();
        serde_json::to_writer(&mut *json, value)?;
        // 0 leaves it to the level.
        let table = if json.len() <= SHORT { SHORT_TABLE } else { 0 };
        compressor.set_parameter(CParameter::HashLog(table))?;
        let mut packed = vec![0; 1 + zstd::zstd_safe::compress_bound(json.len())];
        packed[0] = format;
        let length = compressor.compress_to_buffer(json.as_slice(), &mut packed[1..])?;
        packed.truncate(1 + length);
        if json.capacity() > KEPT_BUFFER {
            *json = Vec::new();
        }
        Ok(packed)
    });
    packed.map_err(|error| Error::Disk(format!("a value cannot be packed: {error}")))
}

/// Unpacks what [`encode`] packed.
pub(crate) fn decode<T: DeserializeOwned>(body: &[u8]) -> Result<T, Error> {
    parse(&json_of(body)?).map_err(damaged)
}

/// Unpacks a frame's events, also those of earlier releases.
pub(crate) fn decode_events(body: &[u8]) -> Result<Vec<Entry>, Error> {
    decode(body).map(|Read(entries)| entries)
}

fn json_of(body: &[u8]) -> Result<Vec<u8>, Error> {
    match body.split_first() {
        Some((&(ZSTD_JSON | ZSTD_EVENTS), packed)) => zstd::stream::decode_all(packed).map_err(damaged),
        Some((format, _)) => Err(damaged(format!("format {format} is not known"))),
        None => Err(damaged("it is empty")),
    }
}

/// Neighbouring frames' bodies, on their way into one. Their texts are put behind each other as they are, so no
/// byte of what they say changes.
#[derive(Default)]
pub(crate) struct Sheaf(Vec<u8>);

impl Sheaf {
    /// Adds what [`encode_events`] packed.
    pub(crate) fn add(&mut self, body: &[u8]) -> Result<(), Error> {
        let json = json_of(body)?;
        let Some(items) = json.strip_prefix(b"[").and_then(|rest| rest.strip_suffix(b"]")) else {
            return Err(damaged("it is no list"));
        };
        self.0.push(if self.0.is_empty() { b'[' } else { b',' });
        self.0.extend_from_slice(items);
        Ok(())
    }

    /// One body for all of it, packed with the time that a commit does not have.
    pub(crate) fn pack(mut self) -> Result<Vec<u8>, Error> {
        self.0.push(b']');
        let packed = zstd::bulk::compress(&self.0, HARD_LEVEL).map_err(damaged)?;
        Ok([&[ZSTD_EVENTS][..], &packed].concat())
    }
}

/// How long the JSON of a body is, as far as the body says.
pub(crate) fn unpacked_size(body: &[u8]) -> usize {
    let size = body.get(1..).and_then(|packed| zstd::zstd_safe::get_frame_content_size(packed).ok()).flatten();
    size.and_then(|size| usize::try_from(size).ok()).unwrap_or(body.len())
}

/// Reads JSON without the parser's nesting limit: what is stored was bounded when it came in, and a value that could
/// be kept must be readable again.
pub(crate) fn parse<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, serde_json::Error> {
    let mut parser = serde_json::Deserializer::from_slice(bytes);
    parser.disable_recursion_limit();
    let value = T::deserialize(&mut parser)?;
    parser.end()?;
    Ok(value)
}

fn damaged(error: impl std::fmt::Display) -> Error {
    Error::Corrupt(format!("a body cannot be unpacked: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn what_was_packed_unpacks_to_the_same() {
        let mut deep = json!(1);
        for _ in 0..500 {
            deep = json!([deep]);
        }
        for value in [json!(null), json!({"b": 1, "a": [0.1, 1e-300, -0.0, 9007199254740993u64]}), deep] {
            let body = encode(&value).unwrap();
            assert_eq!(decode::<Value>(&body).unwrap(), value);
        }
    }

    #[test]
    fn a_body_that_is_not_ours_is_damage() {
        for body in [&b""[..], b"\x02abc", b"\x01abc"] {
            assert!(matches!(decode::<Value>(body), Err(Error::Corrupt(_))), "{body:?}");
        }
    }
}
