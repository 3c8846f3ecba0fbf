//! An authenticator in software with the browser in front of it, for tests: honest unless told otherwise.

use crate::answer::encode;
use ciborium::Value as Cbor;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// Present and verified.
pub const HONEST: u8 = 0b101;
const NEW_CREDENTIAL: u8 = 1 << 6;

/// One passkey and the browser that has it.
pub struct Authenticator {
    /// Where the browser believes to be.
    pub origin: String,
    /// The credential's id.
    pub id: Vec<u8>,
    /// Whose it is.
    pub user: Vec<u8>,
    /// How often it has signed.
    pub count: u32,
    /// What it says of person and backups.
    pub flags: u8,
    pair: EcdsaKeyPair,
}

impl Authenticator {
    /// One that has made nothing yet.
    pub fn new(origin: &str) -> Self {
        let random = SystemRandom::new();
        let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random).expect("randomness");
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, document.as_ref(), &random);
        let pair = pair.expect("a key that was just made");
        let id = Sha256::digest(pair.public_key().as_ref()).to_vec();
        Self { origin: origin.to_owned(), id, user: Vec::new(), count: 0, flags: HONEST, pair }
    }

    /// The answer to [`creation`](crate::creation)'s question.
    pub fn create(&mut self, options: &Value) -> Value {
        self.user = decode(&options["user"]["id"]);
        let client_data = self.client_data("webauthn.create", &options["challenge"]);
        let data = self.data(text(&options["rp"]["id"]), true);
        self.attest(&client_data, &data, "none", Cbor::Map(Vec::new()))
    }

    /// The answer to [`request`](crate::request)'s question.
    pub fn get(&mut self, options: &Value) -> Value {
        self.count += 1;
        let client_data = self.client_data("webauthn.get", &options["challenge"]);
        let data = self.data(text(&options["rpId"]), false);
        self.assert(&client_data, &data)
    }

    /// What the browser says.
    pub fn client_data(&self, kind: &str, challenge: &Value) -> String {
        json!({ "type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": false }).to_string()
    }

    /// What the authenticator says.
    pub fn data(&self, party: &str, is_new: bool) -> Vec<u8> {
        let mut data = Sha256::digest(party.as_bytes()).to_vec();
        data.push(self.flags | if is_new { NEW_CREDENTIAL } else { 0 });
        data.extend(self.count.to_be_bytes());
        if is_new {
            data.extend([0; 16]);
            data.extend(u16::try_from(self.id.len()).expect("a short id").to_be_bytes());
            data.extend(&self.id);
            data.extend(self.key());
        }
        data
    }

    /// Its public key (COSE).
    pub fn key(&self) -> Vec<u8> {
        let (x, y) = self.pair.public_key().as_ref()[1..].split_at(32);
        let numbers = [(1, 2.into()), (3, (-7).into()), (-1, 1.into())];
        let halves = [(-2, Cbor::Bytes(x.to_vec())), (-3, Cbor::Bytes(y.to_vec()))];
        cbor(&Cbor::Map(numbers.into_iter().chain(halves).map(|(name, value)| (name.into(), value)).collect()))
    }

    /// The signature of data and client data.
    pub fn sign(&self, client_data: &str, data: &[u8]) -> Vec<u8> {
        let signed = [data, &Sha256::digest(client_data.as_bytes())].concat();
        self.pair.sign(&SystemRandom::new(), &signed).expect("randomness").as_ref().to_vec()
    }

    /// An answer about a new passkey, made of these parts.
    pub fn attest(&self, client_data: &str, data: &[u8], format: &str, statement: Cbor) -> Value {
        let members = [("fmt", format.into()), ("attStmt", statement), ("authData", Cbor::Bytes(data.to_vec()))];
        let members = members.into_iter().map(|(name, value)| (name.into(), value)).collect();
        self.answer(json!({
            "clientDataJSON": encode(client_data.as_bytes()), "attestationObject": encode(&cbor(&Cbor::Map(members))),
        }))
    }

    /// A signed answer made of these parts.
    pub fn assert(&self, client_data: &str, data: &[u8]) -> Value {
        self.answer(json!({
            "clientDataJSON": encode(client_data.as_bytes()), "authenticatorData": encode(data),
            "signature": encode(&self.sign(client_data, data)), "userHandle": encode(&self.user),
        }))
    }

    fn answer(&self, response: Value) -> Value {
        let id = encode(&self.id);
        json!({ "id": id, "rawId": id, "type": "public-key", "response": response, "clientExtensionResults": {} })
    }
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}

fn decode(value: &Value) -> Vec<u8> {
    crate::answer::decode(text(value)).expect("base64url")
}

fn cbor(value: &Cbor) -> Vec<u8> {
    let mut bytes = Vec::new();
    ciborium::into_writer(value, &mut bytes).expect("memory takes all");
    bytes
}
