//! What an authenticator says (`authenticator data`, Web Authentication 6.1).

use crate::LONGEST_ID;
use crate::cbor;
use crate::error::Error;
use crate::party::Party;
use ciborium::Value;
use subtle::ConstantTimeEq;

const PART: &str = "the authenticator data";
/// Bytes: the longest id, an RSA key, and room for extensions.
pub(crate) const LONGEST: usize = 4_096;

const PRESENT: u8 = 1;
const VERIFIED: u8 = 1 << 2;
const CAN_BE_BACKED_UP: u8 = 1 << 3;
const IS_BACKED_UP: u8 = 1 << 4;
const HAS_CREDENTIAL: u8 = 1 << 6;
const HAS_EXTENSIONS: u8 = 1 << 7;

/// Its words; slices of what came.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Said<'a> {
    party: &'a [u8],
    flags: u8,
    pub(crate) sign_count: u32,
    pub(crate) credential: Option<(&'a [u8], &'a [u8])>,
}

impl<'a> Said<'a> {
    /// Reads it, to its last byte.
    pub(crate) fn read(bytes: &'a [u8]) -> Result<Self, Error> {
        if bytes.len() > LONGEST {
            return Err(Error::TooLong(PART));
        }
        Self::parse(bytes).ok_or(Error::Malformed(PART))
    }

    fn parse(bytes: &'a [u8]) -> Option<Self> {
        let (party, rest) = bytes.split_at_checked(32)?;
        let ([flags, count @ ..], mut rest) = rest.split_first_chunk::<5>()?;
        let mut credential = None;
        if flags & HAS_CREDENTIAL != 0 {
            let (_maker, after) = rest.split_at_checked(16)?;
            let (length, after) = after.split_first_chunk::<2>()?;
            let length = usize::from(u16::from_be_bytes(*length));
            let (id, key_and_more) = after.split_at_checked(length)?;
            let (Value::Map(_), after) = cbor::first(key_and_more)? else { return None };
            credential = Some((id, &key_and_more[..key_and_more.len() - after.len()]));
            rest = after;
        }
        if flags & HAS_EXTENSIONS != 0 {
            let (Value::Map(_), after) = cbor::first(rest)? else { return None };
            rest = after;
        }
        let sign_count = u32::from_be_bytes(*count);
        rest.is_empty().then_some(Self { party, flags: *flags, sign_count, credential })
    }

    fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    /// Whether it could be backed up.
    pub(crate) fn can_be_backed_up(&self) -> bool {
        self.has(CAN_BE_BACKED_UP)
    }

    /// Whether it is.
    pub(crate) fn is_backed_up(&self) -> bool {
        self.has(IS_BACKED_UP)
    }

    /// Steps 14 to 18 of 7.1, and 15 to 19 of 7.2.
    pub(crate) fn check(&self, party: &Party) -> Result<(), Error> {
        if !bool::from(self.party.ct_eq(&party.hash())) {
            return Err(Error::Party);
        }
        if !self.has(PRESENT) {
            return Err(Error::Absent);
        }
        if !self.has(VERIFIED) {
            return Err(Error::Unverified);
        }
        if self.is_backed_up() && !self.can_be_backed_up() {
            return Err(Error::Backup);
        }
        Ok(())
    }

    /// The id and key of a new credential.
    pub(crate) fn new_credential(&self) -> Result<(&'a [u8], &'a [u8]), Error> {
        let (id, key) = self.credential.ok_or(Error::Malformed(PART))?;
        match id.len() {
            0 => Err(Error::Malformed("the credential's id")),
            length if length > LONGEST_ID => Err(Error::TooLong("the credential's id")),
            _ => Ok((id, key)),
        }
    }
}
