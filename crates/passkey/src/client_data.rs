//! What a browser says it did for which page (`CollectedClientData`, Web Authentication 5.8.1). The authenticator signs its
//! digest, so whoever holds the key stands for these words, and the browser for their being true.

use crate::answer;
use crate::error::Error;
use crate::party::Party;
use serde_json::Value;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// Bytes; browsers write some 200.
const LONGEST: usize = 4_096;
const PART: &str = "the client data";

/// The words, and their digest.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct ClientData {
    kind: String,
    pub(crate) challenge: Vec<u8>,
    origin: String,
    is_framed: bool,
    pub(crate) digest: [u8; 32],
}

impl ClientData {
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, Error> {
        if bytes.len() > LONGEST {
            return Err(Error::TooLong(PART));
        }
        // "UTF-8 decode" takes a mark of the byte order off.
        let text = std::str::from_utf8(bytes).map_err(|_| Error::Malformed(PART))?.trim_start_matches('\u{feff}');
        let value: Value = serde_json::from_str(text).map_err(|_| Error::Malformed(PART))?;
        let member = |name| value.get(name).and_then(Value::as_str).ok_or(Error::Malformed(PART));
        let is_framed = match value.get("crossOrigin") {
            None => false,
            Some(Value::Bool(crosses)) => *crosses,
            Some(_) => return Err(Error::Malformed(PART)),
        };
        Ok(Self {
            kind: member("type")?.to_owned(),
            challenge: answer::decode(member("challenge")?).ok_or(Error::Malformed(PART))?,
            origin: member("origin")?.to_owned(),
            is_framed: is_framed || value.get("topOrigin").is_some(),
            digest: Sha256::digest(bytes).into(),
        })
    }

    /// Whether it is about this: steps 7 to 10 of 7.1, and 10 to 13 of 7.2. Our pages stand in no frame.
    pub(crate) fn check(&self, kind: &str, party: &Party, challenge: &[u8]) -> Result<(), Error> {
        if self.kind != kind {
            return Err(Error::Purpose);
        }
        if challenge.is_empty() || !bool::from(self.challenge.ct_eq(challenge)) {
            return Err(Error::Challenge);
        }
        if self.origin != party.origin() || self.is_framed {
            return Err(Error::Origin);
        }
        Ok(())
    }
}
