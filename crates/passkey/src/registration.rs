//! A new passkey (Web Authentication, 7.1).

use crate::answer::Answer;
use crate::authenticator::Said;
use crate::cbor;
use crate::client_data::ClientData;
use crate::error::Error;
use crate::key::PublicKey;
use crate::party::Party;
use ciborium::Value;

/// Bytes; with certificates nobody asked for, some thousands.
const LONGEST: usize = 32 << 10;
const PART: &str = "the attestation";

/// What a browser answers to [`creation`](crate::creation).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Registration {
    id: Vec<u8>,
    client_data: ClientData,
    attestation: Vec<u8>,
}

/// A passkey that was just made. Its signatures have proved nothing yet; whoever makes one is signed in already.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Credential {
    /// Its id; no more than [`LONGEST_ID`](crate::LONGEST_ID) bytes.
    pub id: Vec<u8>,
    /// Its key, as [`PublicKey::read`] takes it.
    pub public_key: Vec<u8>,
    /// How often it has signed; 0 for one that does not count.
    pub sign_count: u32,
    /// Whether it may exist on several devices. That never changes.
    pub can_be_backed_up: bool,
    /// Whether it does, or did.
    pub is_backed_up: bool,
}

impl Registration {
    /// Reads the browser's JSON; nothing is proved by that.
    pub fn read(answer: &serde_json::Value) -> Result<Self, Error> {
        let answer = Answer::read(answer)?;
        let client_data = answer.bytes("clientDataJSON", "the client data", LONGEST)?;
        let attestation = answer.bytes("attestationObject", PART, LONGEST)?;
        Ok(Self { client_data: ClientData::read(&client_data)?, attestation, id: answer.id })
    }

    /// The challenge that it says it answers.
    pub fn challenge(&self) -> &[u8] {
        &self.client_data.challenge
    }

    /// The passkey, if this answers this challenge of this server.
    pub fn verify(&self, party: &Party, challenge: &[u8]) -> Result<Credential, Error> {
        self.client_data.check("webauthn.create", party, challenge)?;
        let members = cbor::whole(&self.attestation).and_then(cbor::members).ok_or(Error::Malformed(PART))?;
        let member = |name: &str| cbor::get(&members, &name.into()).ok_or(Error::Malformed(PART));
        let format = member("fmt")?.as_text().ok_or(Error::Malformed(PART))?;
        let statement = member("attStmt")?.clone();
        let data = member("authData")?.as_bytes().ok_or(Error::Malformed(PART))?;
        let said = Said::read(data)?;
        said.check(party)?;
        let (id, cose) = said.new_credential()?;
        let key = PublicKey::read(cose)?;
        if id != self.id {
            return Err(Error::Credential);
        }
        check_statement(format, statement, &key, &[data, &self.client_data.digest[..]].concat())?;
        Ok(Credential {
            id: id.to_vec(),
            public_key: cose.to_vec(),
            sign_count: said.sign_count,
            can_be_backed_up: said.can_be_backed_up(),
            is_backed_up: said.is_backed_up(),
        })
    }
}

/// None was asked for, so there should be none (8.7) or the key's own (8.2). Some browsers hand on what the maker says;
/// then it is treated as none: nobody here knows makers to trust.
fn check_statement(format: &str, statement: Value, key: &PublicKey, signed: &[u8]) -> Result<(), Error> {
    let members = cbor::members(statement).ok_or(Error::Malformed(PART))?;
    let member = |name: &str| cbor::get(&members, &name.into());
    let holds = match format {
        "none" => members.is_empty(),
        "packed" if member("x5c").is_none() => {
            let algorithm = member("alg").and_then(Value::as_integer);
            let signature = member("sig").and_then(Value::as_bytes);
            algorithm == Some(key.algorithm().into()) && signature.is_some_and(|sig| key.confirms(signed, sig))
        }
        _ => true,
    };
    if holds { Ok(()) } else { Err(Error::Attestation) }
}
