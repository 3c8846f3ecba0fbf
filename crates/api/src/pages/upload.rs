//! Forms that carry files, from somebody who is signed in.

use super::form::Fields;
use super::{Member, Visit};
use crate::app::App;
use crate::body;
use crate::error::ApiError;
use crate::session::check;
use crate::settings::ApiSettings;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures::stream;
use http::header::CONTENT_TYPE;
use multer::{Constraints, Multipart, SizeLimit};

/// Bytes of a form with all its files.
const LARGEST: usize = 21 << 20;
/// Bytes of one file or field, and how many there are.
const PART: u64 = 6 << 20;
const PARTS: usize = 64;

/// A form with files that a page of ours sent.
pub struct Upload {
    /// Who sent it.
    pub member: Member,
    /// What it says.
    pub fields: Fields,
    /// What came with it, by field; fields left empty are not there.
    pub files: Vec<(String, Vec<u8>)>,
}

impl Upload {
    /// The files of a field.
    pub fn take(&mut self, name: &str) -> Vec<Vec<u8>> {
        let (taken, left) = std::mem::take(&mut self.files).into_iter().partition(|(field, _)| field == name);
        self.files = left;
        let taken: Vec<(String, Vec<u8>)> = taken;
        taken.into_iter().map(|(_, file)| file).collect()
    }
}

impl FromRequest<App> for Upload {
    type Rejection = Response;

    async fn from_request(request: Request, app: &App) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        // Only members may send so much.
        let member = Member::from_request_parts(&mut parts, app).await?;
        let bounded = ApiSettings { body_bytes: LARGEST, ..app.settings.clone() };
        let bytes = body::read(&parts.headers, body, &bounded).await.map_err(ApiError::into_response)?;
        let content_type = parts.headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let (fields, files) = read(bytes, content_type).await.ok_or_else(|| ApiError::Unreadable.into_response())?;
        let look: &Visit = member.as_ref();
        check(app, &parts, &look.form, Some(fields.get("csrf"))).map_err(|_| look.foreign())?;
        Ok(Self { member, fields, files })
    }
}

/// The fields and files of a body; `None` when it is no such form.
async fn read(bytes: Bytes, content_type: &str) -> Option<(Fields, Vec<(String, Vec<u8>)>)> {
    let boundary = multer::parse_boundary(content_type).ok()?;
    let limits = SizeLimit::new().whole_stream(LARGEST as u64).per_field(PART);
    let body = stream::iter([Ok::<Bytes, std::convert::Infallible>(bytes)]);
    let mut form = Multipart::with_constraints(body, boundary, Constraints::new().size_limit(limits));
    let (mut fields, mut files) = (Vec::new(), Vec::new());
    while let Some(part) = form.next_field().await.ok()? {
        let name = part.name().unwrap_or_default().to_owned();
        if fields.len() + files.len() >= PARTS {
            return None;
        }
        match part.file_name() {
            Some(_) => {
                let file = part.bytes().await.ok()?;
                // A field for files that was left empty is sent as an empty file.
                if !file.is_empty() {
                    files.push((name, file.to_vec()));
                }
            }
            None => fields.push((name, part.text().await.ok()?)),
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
        assert_eq!(files, [("picture".to_owned(), b"bytes".to_vec())]);
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
