//! Forms that carry files (RFC 7578).

use crate::app::App;
use crate::body;
use crate::error::ApiError;
use crate::pages::Fields;
use crate::settings::ApiSettings;
use axum::body::Body;
use bytes::Bytes;
use futures::stream;
use http::header::CONTENT_TYPE;
use http::request::Parts;
use multer::{Constraints, Multipart, SizeLimit};

/// Bytes of a form with all its files.
const LARGEST: usize = 21 << 20;
/// How many fields and files there are.
const PARTS: usize = 64;

/// A file that came with a form.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct File {
    /// The field it is in.
    pub field: String,
    /// What it was sent as; empty when the form does not say.
    pub kind: String,
    /// What is in it.
    pub body: Vec<u8>,
}

/// The fields and files of a request; `None` when it is no such form. Fields for files that were left empty are not there.
/// Reads more than other requests may have: whoever asks knows the sender.
pub async fn of(app: &App, parts: &Parts, body: Body) -> Result<Option<(Fields, Vec<File>)>, ApiError> {
    let bounded = ApiSettings { body_bytes: LARGEST, ..app.settings.clone() };
    let bytes = body::read(&parts.headers, body, &bounded).await?;
    let content_type = parts.headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    Ok(read(bytes, content_type).await)
}

async fn read(bytes: Bytes, content_type: &str) -> Option<(Fields, Vec<File>)> {
    let boundary = multer::parse_boundary(content_type).ok()?;
    let limits = SizeLimit::new().whole_stream(LARGEST as u64);
    let body = stream::iter([Ok::<Bytes, std::convert::Infallible>(bytes)]);
    let mut form = Multipart::with_constraints(body, boundary, Constraints::new().size_limit(limits));
    let (mut fields, mut files) = (Vec::new(), Vec::new());
    while let Some(part) = form.next_field().await.ok()? {
        let field = part.name().unwrap_or_default().to_owned();
        if fields.len() + files.len() >= PARTS {
            return None;
        }
        match part.file_name() {
            Some(_) => {
                let kind = part.content_type().map(|kind| kind.essence_str().to_owned()).unwrap_or_default();
                let body = part.bytes().await.ok()?.to_vec();
                // A field for files that was left empty is sent as an empty file.
                if !body.is_empty() {
                    files.push(File { field, kind, body });
                }
            }
            None => fields.push((field, part.text().await.ok()?)),
        }
    }
    Some((Fields::of(fields), files))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(parts: &[(&str, Option<&str>, &str)]) -> Bytes {
        let mut body = String::new();
        for (name, file, text) in parts {
            let file = file.map(|file| format!("; filename=\"{file}\"")).unwrap_or_default();
            body.push_str(&format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\n\r\n{text}\r\n"));
        }
        body.push_str("--b--\r\n");
        body.into()
    }

    #[tokio::test]
    async fn fields_and_files_are_told_apart() {
        let body = form(&[("name", None, "Ada"), ("picture", Some("a.png"), "bytes"), ("more", Some(""), "")]);
        let (fields, files) = read(body, "multipart/form-data; boundary=b").await.unwrap();
        assert_eq!((fields.get("name"), fields.get("picture")), ("Ada", ""));
        let file = File { field: "picture".to_owned(), kind: String::new(), body: b"bytes".to_vec() };
        assert_eq!(files, [file]);
    }

    #[tokio::test]
    async fn what_is_no_such_form_is_refused() {
        let many: Vec<_> = (0..=PARTS).map(|_| ("a", None, "b")).collect();
        for (body, kind) in [
            (form(&[("a", None, "b")]), "multipart/form-data"),
            (form(&[("a", None, "b")]), "application/x-www-form-urlencoded"),
            (
                Bytes::from_static(b"--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\ncut"),
                "multipart/form-data; boundary=b",
            ),
            (form(&many), "multipart/form-data; boundary=b"),
        ] {
            assert!(read(body, kind).await.is_none(), "{kind}");
        }
    }
}
