//! Files as values.
//!
//! This build has no workspace and fetches nothing for a file, so the one form that carries the file itself, a
//! base64 data URI, is accepted; every other form is refused by its name.

use crate::block::{Cx, refuse};
use base64::engine::general_purpose::STANDARD;
use base64::read::DecoderReader;
use heddle_engine::ports::Failure;
use heddle_model::{Object, Value};

/// The largest file, decoded; also the most that files sent together may have.
pub(crate) const MAX_BYTES: u64 = 100 * 1024 * 1024;
/// Texts above so many bytes are worth a thread of their own.
const LARGE: usize = 256 * 1024;
const ACCEPTED: &str = "this server accepts files as data URIs (data:<mime type>;base64,<data>)";

/// A file as it is kept: its data URI, once that is known to be one.
pub(crate) fn stored(file: String, cx: &Cx) -> Result<String, Failure> {
    if cx.place.is_none() {
        return Err(refuse("storing a file needs a graph run"));
    }
    check(&file).map_err(refuse)?;
    Ok(file)
}

/// What is in a file.
pub(crate) fn read(file: &str, cx: &Cx) -> Result<Vec<u8>, Failure> {
    if cx.place.is_none() {
        return Err(refuse("reading a file needs a graph run"));
    }
    let mut bytes = Vec::new();
    parts(file).and_then(|(_, data)| unpack(data, &mut bytes)).map_err(refuse)?;
    Ok(bytes)
}

/// Whether taking a file apart may take long.
pub(crate) fn is_large(input: &Object, pin: &str) -> bool {
    input.get(pin).and_then(Value::as_str).is_some_and(|text| text.len() > LARGE)
}

fn check(file: &str) -> Result<(), String> {
    parts(file).and_then(|(_, data)| unpack(data, &mut std::io::sink()))
}

/// A file's mime type, without parameters, and its data, still in base64.
pub(crate) fn parts(file: &str) -> Result<(&str, &str), String> {
    let Some(rest) = file.strip_prefix("data:") else {
        return Err(format!("{}; {ACCEPTED}", form(file)));
    };
    let (head, data) = rest.split_once(',').ok_or_else(|| format!("the data URI has no comma; {ACCEPTED}"))?;
    let mime = head.strip_suffix(";base64").ok_or_else(|| format!("the data URI is not base64; {ACCEPTED}"))?;
    let plain = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_graphic() && c != ';' && c != ',');
    let mime_type = mime.split(';').next().unwrap_or_default();
    if !mime_type.split_once('/').is_some_and(|(kind, name)| plain(kind) && plain(name)) {
        return Err(format!("'{mime_type}' is not a mime type; {ACCEPTED}"));
    }
    Ok((mime_type, data))
}

/// Writes out what is in base64, up to the size of the largest file.
pub(crate) fn unpack(data: &str, out: &mut impl std::io::Write) -> Result<(), String> {
    // Known to be too large before anything is decoded.
    if unpacked(data) > MAX_BYTES {
        return Err("the file is larger than 100 MB".to_owned());
    }
    let size = std::io::copy(&mut DecoderReader::new(data.as_bytes(), &STANDARD), out)
        .map_err(|_| "the data of the data URI is not valid base64".to_owned())?;
    if size > MAX_BYTES { Err("the file is larger than 100 MB".to_owned()) } else { Ok(()) }
}

/// How many bytes will come out of it at least.
pub(crate) fn unpacked(data: &str) -> u64 {
    (data.len() as u64 / 4 * 3).saturating_sub(3)
}

fn form(file: &str) -> &'static str {
    let starts = |prefix: &str| file.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix));
    if starts("http://") || starts("https://") {
        "the file is a web address, which is not fetched"
    } else if starts("workspace://") {
        "the file is a workspace reference, and this server has no workspace"
    } else if file.contains("://") {
        "the file is a cloud storage path, which is not read"
    } else {
        "the file is a name relative to the run, and runs have no files of their own"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_data_uris_are_files() {
        assert_eq!(check("data:text/plain;base64,aGk="), Ok(()));
        assert_eq!(check("data:text/plain;charset=utf-8;base64,"), Ok(()));
        for (file, part) in [
            ("https://example.org/a.png", "web address"),
            ("workspace://abc", "workspace"),
            ("gs://bucket/a", "cloud storage"),
            ("a.png", "relative"),
            ("data:text/plain,hi", "not base64"),
            ("data:;base64,aGk=", "mime type"),
            ("data:text/plain;base64,a", "valid base64"),
            ("data:text/plain;base64,a b=", "valid base64"),
            ("data:text/plain;base64", "comma"),
        ] {
            assert!(check(file).is_err_and(|text| text.contains(part)), "{file}");
        }
    }
}
