//! What somebody may try who has a browser, an authenticator or another person's answers. Each case begins with an honest
//! answer, so that it is the one change that is refused.
#![expect(clippy::unwrap_used, reason = "everything here is a test or helps one")]

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use ciborium::Value as Cbor;
use heddle_passkey::testing::{Authenticator, HONEST};
use heddle_passkey::{
    Assertion, Credential, Error, Kept, Party, PublicKey, Registration, Seen, User, creation, request,
};
use serde_json::{Value, json};

const ORIGIN: &str = "https://agents.example.org";
const CHALLENGE: [u8; 32] = [7; 32];
const PART: &str = "the authenticator data";

fn party() -> Party {
    Party::of(ORIGIN).unwrap()
}

fn asked_for_new() -> Value {
    let user = User { id: b"ada", name: "ada@example.org", display_name: "Ada" };
    creation(&party(), user, &CHALLENGE, std::iter::empty())
}

fn asked_to_sign_in() -> Value {
    request(&party(), &CHALLENGE)
}

fn register(answer: &Value) -> Result<Credential, Error> {
    Registration::read(answer)?.verify(&party(), &CHALLENGE)
}

/// An authenticator with a passkey, and what is kept of it.
fn passkey() -> (Authenticator, Credential) {
    let mut authenticator = Authenticator::new(ORIGIN);
    let made = register(&authenticator.create(&asked_for_new())).unwrap();
    (authenticator, made)
}

fn sign_in(answer: &Value, made: &Credential) -> Result<Seen, Error> {
    let kept =
        Kept { public_key: &made.public_key, sign_count: made.sign_count, can_be_backed_up: made.can_be_backed_up };
    Assertion::read(answer)?.verify(&party(), &CHALLENGE, kept)
}

fn flip(bytes: &[u8], at: usize) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[at] ^= 1;
    bytes
}

fn decoded(value: &Value) -> Vec<u8> {
    BASE64.decode(value.as_str().unwrap()).unwrap()
}

#[test]
fn an_honest_passkey_signs_its_owner_in() {
    let (mut authenticator, made) = passkey();
    let answer = authenticator.get(&asked_to_sign_in());
    let assertion = Assertion::read(&answer).unwrap();
    assert_eq!((assertion.id(), assertion.user(), assertion.challenge()), (&made.id[..], &b"ada"[..], &CHALLENGE[..]));
    assert_eq!(sign_in(&answer, &made), Ok(Seen { sign_count: 1, is_backed_up: false }));
}

#[test]
fn words_that_were_not_said_to_this_server_count_for_nothing() {
    let (authenticator, made) = passkey();
    let challenge = asked_to_sign_in()["challenge"].clone();
    let honest = json!({ "type": "webauthn.get", "challenge": challenge, "origin": ORIGIN, "crossOrigin": false });
    let cases: [(&str, Value, Error); 14] = [
        ("origin", json!("https://evil.example"), Error::Origin),
        ("origin", json!("http://agents.example.org"), Error::Origin),
        ("origin", json!("https://agents.example.org:8443"), Error::Origin),
        ("origin", json!("https://agents.example.org/"), Error::Origin),
        ("origin", json!("https://agents.example.org.evil.example"), Error::Origin),
        ("origin", json!("null"), Error::Origin),
        ("crossOrigin", json!(true), Error::Origin),
        ("topOrigin", json!("https://evil.example"), Error::Origin),
        ("crossOrigin", json!("false"), Error::Malformed("the client data")),
        ("type", json!("webauthn.create"), Error::Purpose),
        ("type", json!("payment.get"), Error::Purpose),
        ("challenge", json!(BASE64.encode([8; 32])), Error::Challenge),
        ("challenge", json!(""), Error::Challenge),
        ("challenge", json!("B w="), Error::Malformed("the client data")),
    ];
    for (member, value, expected) in cases {
        let mut words = honest.clone();
        words[member] = value;
        let data = authenticator.data("agents.example.org", false);
        let answer = authenticator.assert(&words.to_string(), &data);
        assert_eq!(sign_in(&answer, &made), Err(expected), "{words}");
        words["type"] = json!(if expected == Error::Purpose { "webauthn.get" } else { "webauthn.create" });
        let data = authenticator.data("agents.example.org", true);
        let answer = authenticator.attest(&words.to_string(), &data, "none", Cbor::Map(Vec::new()));
        assert_eq!(register(&answer), Err(expected), "{words}");
    }
    for words in ["", "{}", "[]", "null", "{\"type\":\"webauthn.get\"", "\u{feff}"] {
        let answer = authenticator.assert(words, &authenticator.data("agents.example.org", false));
        assert_eq!(sign_in(&answer, &made), Err(Error::Malformed("the client data")), "{words}");
    }
}

#[test]
fn a_challenge_that_is_empty_answers_nothing() {
    let (authenticator, made) = passkey();
    let words = authenticator.client_data("webauthn.get", &json!(""));
    let answer = authenticator.assert(&words, &authenticator.data("agents.example.org", false));
    let kept = Kept { public_key: &made.public_key, sign_count: 0, can_be_backed_up: false };
    assert_eq!(Assertion::read(&answer).unwrap().verify(&party(), &[], kept), Err(Error::Challenge));
}

#[test]
fn another_servers_passkey_is_none_of_ours() {
    let (authenticator, made) = passkey();
    for name in ["evil.example", "example.org", "AGENTS.example.org", ""] {
        let words = authenticator.client_data("webauthn.get", &asked_to_sign_in()["challenge"]);
        let answer = authenticator.assert(&words, &authenticator.data(name, false));
        assert_eq!(sign_in(&answer, &made), Err(Error::Party), "{name}");
        let words = authenticator.client_data("webauthn.create", &asked_for_new()["challenge"]);
        let answer = authenticator.attest(&words, &authenticator.data(name, true), "none", Cbor::Map(Vec::new()));
        assert_eq!(register(&answer), Err(Error::Party), "{name}");
    }
}

#[test]
fn what_an_authenticator_says_of_person_and_backups_must_fit() {
    const BACKED_UP: u8 = 1 << 4;
    const CAN_BE: u8 = 1 << 3;
    for (flags, expected) in [
        (0, Error::Absent),
        (1 << 2, Error::Absent),
        (1, Error::Unverified),
        (HONEST | BACKED_UP, Error::Backup),
        (1 | CAN_BE | BACKED_UP, Error::Unverified),
    ] {
        let (mut authenticator, made) = passkey();
        authenticator.flags = flags;
        assert_eq!(sign_in(&authenticator.get(&asked_to_sign_in()), &made), Err(expected), "{flags:b}");
        assert_eq!(register(&authenticator.create(&asked_for_new())), Err(expected), "{flags:b}");
    }
    let (mut authenticator, made) = passkey();
    authenticator.flags = HONEST | CAN_BE | BACKED_UP;
    let answer = authenticator.get(&asked_to_sign_in());
    assert_eq!(sign_in(&answer, &made), Err(Error::Backup), "it was made as one that stays on its device");
    let made = Credential { can_be_backed_up: true, ..made };
    assert_eq!(sign_in(&answer, &made), Ok(Seen { sign_count: 1, is_backed_up: true }));
}

#[test]
fn a_counter_goes_up_or_is_not_there() {
    for (kept, said, expected) in [
        (0, 0, true),
        (0, 1, true),
        (5, 6, true),
        (5, u32::MAX, true),
        (5, 5, false),
        (5, 4, false),
        (5, 0, false),
        (u32::MAX, u32::MAX, false),
    ] {
        let (mut authenticator, made) = passkey();
        authenticator.count = said;
        let words = authenticator.client_data("webauthn.get", &asked_to_sign_in()["challenge"]);
        let answer = authenticator.assert(&words, &authenticator.data("agents.example.org", false));
        let result = sign_in(&answer, &Credential { sign_count: kept, ..made });
        let expected = if expected { Ok(Seen { sign_count: said, is_backed_up: false }) } else { Err(Error::Counter) };
        assert_eq!(result, expected, "{kept} then {said}");
    }
}

#[test]
fn one_changed_bit_of_what_was_signed_is_noticed() {
    let (mut authenticator, made) = passkey();
    let honest = authenticator.get(&asked_to_sign_in());
    let part = |name: &str| decoded(&honest["response"][name]);
    let (signature, data) = (part("signature"), part("authenticatorData"));
    for at in 0..signature.len() {
        let mut answer = honest.clone();
        answer["response"]["signature"] = json!(BASE64.encode(flip(&signature, at)));
        assert_eq!(sign_in(&answer, &made), Err(Error::Signature), "byte {at} of the signature");
    }
    for at in 0..data.len() {
        let mut answer = honest.clone();
        answer["response"]["authenticatorData"] = json!(BASE64.encode(flip(&data, at)));
        assert!(sign_in(&answer, &made).is_err(), "byte {at} of the data");
    }
    // Spaces that mean nothing in JSON are signed all the same.
    let mut answer = honest.clone();
    answer["response"]["clientDataJSON"] = json!(BASE64.encode([&part("clientDataJSON")[..], b" "].concat()));
    assert_eq!(sign_in(&answer, &made), Err(Error::Signature));
    let (mut other, _) = passkey();
    assert_eq!(sign_in(&other.get(&asked_to_sign_in()), &made), Err(Error::Signature), "another's key");
}

#[test]
fn data_that_is_cut_off_or_has_more_is_refused() {
    let (authenticator, made) = passkey();
    let words = authenticator.client_data("webauthn.get", &asked_to_sign_in()["challenge"]);
    let data = authenticator.data("agents.example.org", false);
    for length in 0..data.len() {
        let answer = authenticator.assert(&words, &data[..length]);
        assert_eq!(sign_in(&answer, &made), Err(Error::Malformed(PART)), "{length} bytes");
    }
    for more in [&[0][..], &[0xa0], &[0; 40]] {
        let answer = authenticator.assert(&words, &[&data[..], more].concat());
        assert_eq!(sign_in(&answer, &made), Err(Error::Malformed(PART)), "{more:?} more");
    }
    let mut extended = data.clone();
    extended[32] |= 1 << 7;
    for (more, is_good) in [(&[0xa1, 0x61, b'x', 0xf5][..], true), (&[0xa0], true), (&[], false), (&[0x01], false)] {
        let answer = authenticator.assert(&words, &[&extended[..], more].concat());
        assert_eq!(sign_in(&answer, &made).is_ok(), is_good, "extensions {more:?}");
    }
    let words = authenticator.client_data("webauthn.create", &asked_for_new()["challenge"]);
    let data = authenticator.data("agents.example.org", true);
    for length in 0..data.len() {
        let answer = authenticator.attest(&words, &data[..length], "none", Cbor::Map(Vec::new()));
        assert_eq!(register(&answer), Err(Error::Malformed(PART)), "{length} bytes");
    }
    let mut longer = data.clone();
    longer[53..55].copy_from_slice(&u16::MAX.to_be_bytes());
    let answer = authenticator.attest(&words, &longer, "none", Cbor::Map(Vec::new()));
    assert_eq!(register(&answer), Err(Error::Malformed(PART)), "an id longer than all");
}

#[test]
fn an_attestation_that_is_cut_off_or_changed_is_refused() {
    let mut authenticator = Authenticator::new(ORIGIN);
    let honest = authenticator.create(&asked_for_new());
    let attestation = decoded(&honest["response"]["attestationObject"]);
    let with = |bytes: &[u8]| {
        let mut answer = honest.clone();
        answer["response"]["attestationObject"] = json!(BASE64.encode(bytes));
        register(&answer)
    };
    for length in 0..attestation.len() {
        assert_eq!(with(&attestation[..length]), Err(Error::Malformed("the attestation")), "{length} bytes");
    }
    assert_eq!(with(&[&attestation[..], &[0]].concat()), Err(Error::Malformed("the attestation")));
    for bytes in
        [&[0xa0][..], &[0x80], &[0xf6], &[0x81; 1_000], &[0xbb, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]]
    {
        assert_eq!(with(bytes), Err(Error::Malformed("the attestation")), "{bytes:x?}");
    }
}

#[test]
fn only_an_attestation_of_its_own_is_looked_at_and_it_must_hold() {
    let mut authenticator = Authenticator::new(ORIGIN);
    authenticator.create(&asked_for_new());
    let words = authenticator.client_data("webauthn.create", &asked_for_new()["challenge"]);
    let data = authenticator.data("agents.example.org", true);
    let statement =
        |alg: i64, sig: Vec<u8>| Cbor::Map(vec![("alg".into(), alg.into()), ("sig".into(), Cbor::Bytes(sig))]);
    let signature = authenticator.sign(&words, &data);
    let made =
        |format: &str, statement: Cbor| register(&authenticator.attest(&words, &data, format, statement)).map(|_| ());
    assert_eq!(made("packed", statement(-7, signature.clone())), Ok(()));
    assert_eq!(made("packed", statement(-257, signature.clone())), Err(Error::Attestation));
    assert_eq!(made("packed", statement(-7, flip(&signature, 20))), Err(Error::Attestation));
    assert_eq!(made("packed", Cbor::Map(Vec::new())), Err(Error::Attestation));
    assert_eq!(made("none", statement(-7, signature)), Err(Error::Attestation));
    assert_eq!(made("none", Cbor::Null), Err(Error::Malformed("the attestation")));
    let certificates = Cbor::Map(vec![("x5c".into(), Cbor::Array(vec![Cbor::Bytes(vec![1])]))]);
    assert_eq!(made("packed", certificates), Ok(()), "as if there were none");
}

fn cose(members: &[(i64, Cbor)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let members = members.iter().map(|(name, value)| ((*name).into(), value.clone())).collect();
    ciborium::into_writer(&Cbor::Map(members), &mut bytes).unwrap();
    bytes
}

#[test]
fn a_key_is_of_one_kind_throughout() {
    let bytes = |length: usize| Cbor::Bytes(vec![9; length]);
    let number = |number: i64| Cbor::from(number);
    let good = [
        cose(&[(1, number(2)), (3, number(-7)), (-1, number(1)), (-2, bytes(32)), (-3, bytes(32))]),
        cose(&[(1, number(1)), (3, number(-8)), (-1, number(6)), (-2, bytes(32))]),
        cose(&[(1, number(3)), (3, number(-257)), (-1, bytes(256)), (-2, bytes(3))]),
    ];
    for key in &good {
        assert!(PublicKey::read(key).is_ok());
        assert!(!PublicKey::read(key).unwrap().confirms(b"", b""));
    }
    let bad: [&[(i64, Cbor)]; 16] = [
        &[(1, number(2)), (3, number(-8)), (-1, number(1)), (-2, bytes(32)), (-3, bytes(32))],
        &[(1, number(2)), (3, number(-257)), (-1, number(1)), (-2, bytes(32)), (-3, bytes(32))],
        &[(1, number(2)), (3, number(-7)), (-1, number(2)), (-2, bytes(32)), (-3, bytes(32))],
        &[(1, number(2)), (3, number(-7)), (-1, number(1)), (-2, bytes(31)), (-3, bytes(33))],
        &[(1, number(2)), (3, number(-7)), (-1, number(1)), (-2, bytes(32)), (-3, Cbor::Bool(true))],
        &[(1, number(2)), (3, number(-7)), (-1, number(1)), (-2, bytes(32))],
        &[(1, number(2)), (3, number(-35)), (-1, number(2)), (-2, bytes(48)), (-3, bytes(48))],
        &[(1, number(1)), (3, number(-7)), (-1, number(6)), (-2, bytes(32))],
        &[(1, number(1)), (3, number(-8)), (-1, number(4)), (-2, bytes(32))],
        &[(1, number(1)), (3, number(-8)), (-1, number(6)), (-2, bytes(31))],
        &[(1, number(3)), (3, number(-257)), (-1, bytes(128)), (-2, bytes(3))],
        &[(1, number(3)), (3, number(-257)), (-1, bytes(1_024)), (-2, bytes(3))],
        &[(1, number(3)), (3, number(-257)), (-1, Cbor::Bytes(vec![0; 257])), (-2, bytes(3))],
        &[(1, number(3)), (3, number(-65_535)), (-1, bytes(256)), (-2, bytes(3))],
        &[(1, number(4)), (3, number(5)), (-1, bytes(32))],
        &[],
    ];
    for members in bad {
        assert_eq!(PublicKey::read(&cose(members)), Err(Error::Key), "{members:?}");
    }
    let twice = cose(&[(1, number(2)), (1, number(1)), (3, number(-8)), (-1, number(6)), (-2, bytes(32))]);
    assert_eq!(PublicKey::read(&twice), Err(Error::Malformed("the key")));
    for key in &good {
        for length in 0..key.len() {
            assert_eq!(PublicKey::read(&key[..length]), Err(Error::Malformed("the key")));
        }
    }
}

#[test]
fn an_answer_speaks_of_one_credential_and_is_short() {
    let mut authenticator = Authenticator::new(ORIGIN);
    let honest = authenticator.create(&asked_for_new());
    let with = |member: &str, value: Value| {
        let mut answer = honest.clone();
        answer[member] = value;
        register(&answer)
    };
    let other = json!(BASE64.encode([1; 32]));
    assert_eq!(with("id", other.clone()), Err(Error::Malformed("the answer")));
    let mut both = honest.clone();
    (both["id"], both["rawId"]) = (other.clone(), other);
    assert_eq!(register(&both), Err(Error::Credential));
    assert_eq!(with("type", json!("password")), Err(Error::Malformed("the answer")));
    assert_eq!(with("response", json!({})), Err(Error::Malformed("the client data")));
    assert_eq!(register(&json!(null)), Err(Error::Malformed("the answer")));
    let long = |name: &str, length: usize| {
        let mut answer = honest.clone();
        answer["response"][name] = json!(BASE64.encode(vec![b' '; length]));
        register(&answer)
    };
    assert_eq!(long("clientDataJSON", 5_000), Err(Error::TooLong("the client data")));
    assert_eq!(long("attestationObject", 40_000), Err(Error::TooLong("the attestation")));
    authenticator.id = vec![1; 1_024];
    assert_eq!(register(&authenticator.create(&asked_for_new())), Err(Error::TooLong("the credential's id")));
    authenticator.id = vec![1; 1_023];
    assert!(register(&authenticator.create(&asked_for_new())).is_ok());
    authenticator.id = Vec::new();
    assert_eq!(register(&authenticator.create(&asked_for_new())), Err(Error::Malformed("the credential's id")));
}

#[test]
fn a_sign_in_says_whose_it_is() {
    let (mut authenticator, made) = passkey();
    let mut answer = authenticator.get(&asked_to_sign_in());
    answer["response"]["userHandle"] = json!(null);
    assert_eq!(sign_in(&answer, &made), Err(Error::Malformed("the user handle")));
    answer["response"]["userHandle"] = json!(BASE64.encode([1; 65]));
    assert_eq!(sign_in(&answer, &made), Err(Error::TooLong("the user handle")));
    answer["response"]["userHandle"] = json!(BASE64.encode([1; 64]));
    answer["response"]["signature"] = json!(BASE64.encode([1; 600]));
    assert_eq!(sign_in(&answer, &made), Err(Error::TooLong("the signature")));
}

#[test]
fn a_sign_in_is_asked_for_with_verification_and_without_names() {
    let asked = asked_to_sign_in();
    assert_eq!((&asked["userVerification"], &asked["allowCredentials"]), (&json!("required"), &json!([])));
    assert_eq!(asked["rpId"], "agents.example.org");
    let user = User { id: b"ada", name: "ada@example.org", display_name: "Ada" };
    let asked = creation(&party(), user, &CHALLENGE, [&[1, 2, 3][..]].into_iter());
    assert_eq!(asked["excludeCredentials"], json!([{ "type": "public-key", "id": "AQID" }]));
    assert_eq!(asked["authenticatorSelection"]["residentKey"], "required");
    assert_eq!(asked["attestation"], "none");
}
