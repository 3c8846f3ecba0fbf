//! A sign-in (Web Authentication, 7.2).

use crate::answer::Answer;
use crate::authenticator::{self, Said};
use crate::client_data::ClientData;
use crate::error::Error;
use crate::key::PublicKey;
use crate::party::Party;

/// Bytes; an RSA signature of 4,096 bits.
const SIGNATURE: usize = 512;
/// Bytes of a user handle (4).
const HANDLE: usize = 64;

/// What a browser answers to [`request`](crate::request).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Assertion {
    id: Vec<u8>,
    user: Vec<u8>,
    client_data: ClientData,
    data: Vec<u8>,
    signature: Vec<u8>,
}

/// What is kept of the passkey.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Kept<'a> {
    /// Its key, as it came.
    pub public_key: &'a [u8],
    /// What it counted last.
    pub sign_count: u32,
    /// Whether it may exist on several devices.
    pub can_be_backed_up: bool,
}

/// What is to be kept from now on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Seen {
    /// What it counts now.
    pub sign_count: u32,
    /// Whether it exists on several devices.
    pub is_backed_up: bool,
}

impl Assertion {
    /// Reads the browser's JSON; nothing is proved by that. An answer that does not say whose it is, is none: no passkeys
    /// were named to the browser.
    pub fn read(answer: &serde_json::Value) -> Result<Self, Error> {
        let answer = Answer::read(answer)?;
        let client_data = answer.bytes("clientDataJSON", "the client data", authenticator::LONGEST)?;
        Ok(Self {
            client_data: ClientData::read(&client_data)?,
            data: answer.bytes("authenticatorData", "the authenticator data", authenticator::LONGEST)?,
            signature: answer.bytes("signature", "the signature", SIGNATURE)?,
            user: answer.bytes("userHandle", "the user handle", HANDLE)?,
            id: answer.id,
        })
    }

    /// The challenge that it says it answers.
    pub fn challenge(&self) -> &[u8] {
        &self.client_data.challenge
    }

    /// The passkey's id.
    pub fn id(&self) -> &[u8] {
        &self.id
    }

    /// Whose it says it is, in the words of [`User::id`](crate::User::id). The signature does not cover it: whoever keeps
    /// passkeys compares it with whose this one is.
    pub fn user(&self) -> &[u8] {
        &self.user
    }

    /// Whether this answers this challenge of this server with the key that is kept.
    pub fn verify(&self, party: &Party, challenge: &[u8], kept: Kept<'_>) -> Result<Seen, Error> {
        self.client_data.check("webauthn.get", party, challenge)?;
        let said = Said::read(&self.data)?;
        said.check(party)?;
        if said.can_be_backed_up() != kept.can_be_backed_up {
            return Err(Error::Backup);
        }
        let signed = [&self.data[..], &self.client_data.digest].concat();
        if !PublicKey::read(kept.public_key)?.confirms(&signed, &self.signature) {
            return Err(Error::Signature);
        }
        let counts = said.sign_count != 0 || kept.sign_count != 0;
        if counts && said.sign_count <= kept.sign_count {
            return Err(Error::Counter);
        }
        Ok(Seen { sign_count: said.sign_count, is_backed_up: said.is_backed_up() })
    }
}
