//! Bodies of frames and graphs: a format byte, then JSON, compressed. Compression is there for speed: fewer pages are
//! dirtied, and those are what a commit waits for.

use crate::Error;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::cell::RefCell;
use std::io;
use zstd::bulk::Compressor;

/// JSON in one zstd frame.
const ZSTD_JSON: u8 = 1;

/// The fastest level that still finds the repeats of a journal.
const LEVEL: i32 = 1;

thread_local! {
    /// Making a compressor costs more than using it. The buffer holds the JSON in between.
    static SCRATCH: RefCell<Option<(Compressor<'static>, Vec<u8>)>> = const { RefCell::new(None) };
}

/// A larger buffer is given back after use, so that one big value does not stay in every thread.
const KEPT_BUFFER: usize = 1 << 20;

/// Packs a value.
pub(crate) fn encode<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>, Error> {
    let packed = SCRATCH.with_borrow_mut(|scratch| -> io::Result<Vec<u8>> {
        if scratch.is_none() {
            *scratch = Some((Compressor::new(LEVEL)?, Vec::new()));
        }
        let (compressor, json) = scratch.as_mut().expect("it was just made");
        json.clear();
        serde_json::to_writer(&mut *json, value)?;
        let mut packed = vec![0; 1 + zstd::zstd_safe::compress_bound(json.len())];
        packed[0] = ZSTD_JSON;
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
    match body.split_first() {
        Some((&ZSTD_JSON, packed)) => {
            let json = zstd::stream::decode_all(packed).map_err(damaged)?;
            parse(&json).map_err(damaged)
        }
        Some((format, _)) => Err(Error::Corrupt(format!("format {format} is not known"))),
        None => Err(Error::Corrupt("a body is empty".to_owned())),
    }
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
