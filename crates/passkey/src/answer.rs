//! A browser's answer as JSON (`RegistrationResponseJSON` and `AuthenticationResponseJSON`, Web Authentication 5.1): bytes
//! are base64url without padding.

use crate::LONGEST_ID;
use crate::error::Error;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

pub(crate) fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// What both kinds of answers have.
pub(crate) struct Answer<'a> {
    pub(crate) id: Vec<u8>,
    response: &'a Value,
}

impl<'a> Answer<'a> {
    pub(crate) fn read(value: &'a Value) -> Result<Self, Error> {
        let text = |name| value.get(name).and_then(Value::as_str);
        let is_whole = text("type") == Some("public-key") && text("id") == text("rawId");
        let response = value.get("response").filter(|_| is_whole).ok_or(Error::Malformed("the answer"))?;
        let id = bytes(value, "rawId", "the credential's id", LONGEST_ID)?;
        Ok(Self { id, response })
    }

    /// A member of its response.
    pub(crate) fn bytes(&self, name: &str, part: &'static str, longest: usize) -> Result<Vec<u8>, Error> {
        bytes(self.response, name, part, longest)
    }
}

fn bytes(of: &Value, name: &str, part: &'static str, longest: usize) -> Result<Vec<u8>, Error> {
    let text = of.get(name).and_then(Value::as_str).ok_or(Error::Malformed(part))?;
    if text.len() > longest.div_ceil(3) * 4 {
        return Err(Error::TooLong(part));
    }
    let bytes = decode(text).ok_or(Error::Malformed(part))?;
    if bytes.len() > longest { Err(Error::TooLong(part)) } else { Ok(bytes) }
}
