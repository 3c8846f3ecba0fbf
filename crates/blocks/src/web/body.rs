//! What goes out with a request: JSON, the fields of a form, or a form with files.

use crate::block::{Cx, Input, refuse};
use crate::media;
use heddle_engine::ports::Failure;
use heddle_model::{Object, Value, python};
use heddle_outbound::{Error, Limits, Request};
use std::time::Duration;
use url::form_urlencoded::Serializer;

/// How long a server may stay silent while files are on their way to it.
const UPLOAD: Duration = Duration::from_secs(300);

/// A request's body.
pub(crate) enum Payload {
    Empty,
    Json(Value),
    Form(String),
    Multipart { boundary: String, body: Vec<u8> },
}

impl Payload {
    /// Reads the pins `json_format`, `body`, `files_name` and `files`.
    pub fn of(input: &mut Input, cx: &Cx) -> Result<Self, Failure> {
        let (is_json, files) = (input.flag("json_format", true), input.list("files"));
        if !files.is_empty() {
            if is_json {
                return Err(refuse("files are sent as parts of a form: turn json_format off"));
            }
            if cx.place.is_none() {
                return Err(refuse("sending files needs a graph run"));
            }
            let name = input.given("files_name").unwrap_or_else(|| Value::from("file"));
            return multipart(input.object("body"), name.as_str().unwrap_or_default(), &files, cx).map_err(refuse);
        }
        Ok(match input.given("body") {
            None => Self::Empty,
            Some(body) if is_json => Self::Json(body),
            Some(Value::Object(body)) => Self::Form(Serializer::new(String::new()).extend_pairs(fields(body)).finish()),
            Some(_) => return Err(refuse("the fields of a form have to be an object")),
        })
    }

    /// Puts the body and its type into a request. A type that the caller gave stands, except over files: only we know
    /// where one part ends and the next begins.
    pub fn put_into(self, request: Request, is_typed: bool) -> Result<Request, Error> {
        match self {
            Self::Empty => Ok(request),
            Self::Json(value) => Ok(request.json(&value)),
            Self::Form(text) if is_typed => Ok(request.body(text)),
            Self::Form(text) => Ok(request.header("content-type", "application/x-www-form-urlencoded")?.body(text)),
            Self::Multipart { boundary, body } => {
                let request = request.header("content-type", &format!("multipart/form-data; boundary={boundary}"))?;
                Ok(request.limits(Limits { read: UPLOAD, ..Limits::default() }).body(body))
            }
        }
    }
}

/// The fields of a form as texts. A list repeats its name, a null is left out, and other values are written as a pin
/// for texts would have them.
fn fields(body: Object) -> Vec<(String, String)> {
    let mut fields = Vec::with_capacity(body.len());
    for (name, value) in body {
        match value {
            Value::Array(items) => {
                fields.extend(items.into_iter().filter_map(|item| Some((name.clone(), text(item)?))))
            }
            value => fields.extend(text(value).map(|text| (name, text))),
        }
    }
    fields
}

fn text(value: Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text),
        other => Some(python::json(&other)),
    }
}

fn multipart(body: Object, files_name: &str, files: &[Value], cx: &Cx) -> Result<Payload, String> {
    let files = files.iter().map(|file| media::parts(file.as_str().unwrap_or_default()));
    let files = files.collect::<Result<Vec<_>, _>>()?;
    // Known before any of them is unpacked.
    if files.iter().map(|(_, data)| media::unpacked(data)).sum::<u64>() > media::MAX_BYTES {
        return Err("the files are larger than 100 MB together".to_owned());
    }
    // Random, so that no file can be made to hold it.
    let boundary = format!("heddle-{:016x}", cx.seed);
    let mut out = Vec::new();
    let begin = |out: &mut Vec<u8>, head: String| {
        out.extend_from_slice(format!("--{boundary}\r\nContent-Disposition: form-data; {head}\r\n\r\n").as_bytes());
    };
    for (name, value) in fields(body) {
        begin(&mut out, format!("name=\"{}\"", quoted(&name)));
        out.extend_from_slice(value.as_bytes());
        out.extend_from_slice(b"\r\n");
    }
    let name = quoted(files_name);
    for (number, (mime, data)) in files.into_iter().enumerate() {
        let file = format!("file-{}{}", number + 1, extension(mime));
        begin(&mut out, format!("name=\"{name}\"; filename=\"{file}\"\r\nContent-Type: {mime}"));
        media::unpack(data, &mut out)?;
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    Ok(Payload::Multipart { boundary, body: out })
}

/// A name within quotes, as browsers write it into a part's head.
fn quoted(name: &str) -> String {
    name.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A")
}

/// How the name of a file of this type ends; data URIs have no names of their own.
fn extension(mime: &str) -> String {
    let kind = mime.split_once('/').map_or("", |(_, kind)| kind);
    match kind {
        "plain" => ".txt".to_owned(),
        "jpeg" => ".jpg".to_owned(),
        "svg+xml" => ".svg".to_owned(),
        _ if !kind.is_empty() && kind.bytes().all(|byte| byte.is_ascii_alphanumeric()) => format!(".{kind}"),
        _ => String::new(),
    }
}
