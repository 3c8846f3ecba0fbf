//! Answers that others have made: the test vectors of Web Authentication, Level 3 (16.2 and 16.3), and signatures of OpenSSL.
#![expect(clippy::unwrap_used, reason = "everything here is a test or helps one")]

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use heddle_passkey::{Assertion, Error, Kept, Party, PublicKey, Registration, Seen};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// Each line: a name, then what it is in hexadecimal digits.
const VECTORS: &str = include_str!("data/vectors.txt");

fn hex(name: &str) -> Vec<u8> {
    let line = VECTORS.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": ")).unwrap();
    (0..line.len()).step_by(2).map(|at| u8::from_str_radix(&line[at..at + 2], 16).unwrap()).collect()
}

fn base64(name: &str) -> String {
    BASE64.encode(hex(name))
}

fn answer(id: &str, response: Value) -> Value {
    json!({ "id": base64(id), "rawId": base64(id), "type": "public-key", "response": response })
}

fn party() -> Party {
    Party::of("https://example.org").unwrap()
}

#[test]
fn a_passkey_of_the_standard_is_taken_with_its_own_statement() {
    let response = json!({
        "clientDataJSON": base64("self.create.client"), "attestationObject": base64("self.create.attestation"),
    });
    let registration = Registration::read(&answer("self.id", response)).unwrap();
    let challenge = registration.challenge().to_vec();
    assert_eq!(BASE64.encode(&challenge), "eGnCt3LUtY66k3jPjynibPk1qnffDaifqZwL3Ap29-U");
    let made = registration.verify(&party(), &challenge).unwrap();
    assert_eq!((made.id, made.sign_count), (hex("self.id"), 0));
    assert!(made.can_be_backed_up && made.is_backed_up);
    assert_eq!(PublicKey::read(&made.public_key).unwrap().algorithm(), -7);
}

#[test]
fn a_passkey_of_the_standard_for_which_nobody_was_verified_is_refused() {
    let response = json!({
        "clientDataJSON": base64("none.create.client"), "attestationObject": base64("none.create.attestation"),
    });
    let registration = Registration::read(&answer("none.id", response)).unwrap();
    let challenge = registration.challenge().to_vec();
    assert_eq!(registration.verify(&party(), &challenge), Err(Error::Unverified));
}

#[test]
fn a_sign_in_of_the_standard_is_signed_and_nobody_was_verified() {
    let (client, data, signature) = (hex("self.get.client"), hex("self.get.data"), hex("self.get.signature"));
    let key = hex("self.key");
    let signed = [&data[..], &Sha256::digest(&client)].concat();
    assert!(PublicKey::read(&key).unwrap().confirms(&signed, &signature));
    let response = json!({
        "clientDataJSON": base64("self.get.client"), "authenticatorData": base64("self.get.data"),
        "signature": base64("self.get.signature"), "userHandle": "AA",
    });
    let assertion = Assertion::read(&answer("self.id", response)).unwrap();
    let kept = Kept { public_key: &key, sign_count: 0, can_be_backed_up: true };
    let challenge = assertion.challenge().to_vec();
    assert_eq!(assertion.verify(&party(), &challenge, kept), Err(Error::Unverified));
}

#[test]
fn signatures_of_openssl_sign_somebody_in() {
    for kind in ["eddsa", "rs256"] {
        let response = json!({
            "clientDataJSON": base64("openssl.client"), "authenticatorData": base64("openssl.data"),
            "signature": base64(&format!("{kind}.signature")), "userHandle": "AA",
        });
        let assertion = Assertion::read(&answer("self.id", response)).unwrap();
        let public_key = hex(&format!("{kind}.key"));
        let kept = Kept { public_key: &public_key, sign_count: 6, can_be_backed_up: false };
        let challenge: Vec<u8> = (0..32).collect();
        let seen = Ok(Seen { sign_count: 7, is_backed_up: false });
        assert_eq!(assertion.verify(&party(), &challenge, kept), seen, "{kind}");
        for other in ["self", "eddsa", "rs256"].into_iter().filter(|other| *other != kind) {
            let public_key = hex(&format!("{other}.key"));
            let kept = Kept { public_key: &public_key, ..kept };
            assert_eq!(assertion.verify(&party(), &challenge, kept), Err(Error::Signature), "{kind} as {other}");
        }
    }
}
