use super::*;
use crate::body::Dialect;
use crate::client::{Client, OVERLAP_SECONDS};
use crate::testing::{NOW, SECRET, client, issuer, public};
use base64::engine::general_purpose::STANDARD as PADDED;

const ID: &str = "agpt_client_looms";

fn header(text: &str) -> Vec<u8> {
    format!("Basic {}", PADDED.encode(text)).into_bytes()
}

fn basic(header: &[u8]) -> Result<Option<Basic>, Refusal> {
    Basic::read([header])
}

/// `auth.md` 12.3: split at the first colon, form-decode both halves.
#[test]
fn basic_credentials_are_read_as_every_library_writes_them() {
    let plain = |id: &str, secret: &str| Ok(Some(Basic { id: id.to_owned(), secret: Plain::new(secret) }));
    for (text, id, secret) in [
        ("agpt_client_looms:agpt_secret_weft", ID, SECRET),
        ("agpt%5Fclient%5Flooms:agpt%5Fsecret%5Fweft", ID, SECRET),
        ("a+b:c%2Bd", "a b", "c+d"),
        ("a%3Ab:c:d", "a:b", "c:d"),
        ("agpt_client_looms:", ID, ""),
        (":x", "", "x"),
        ("%C3%BC:x", "ü", "x"),
    ] {
        assert_eq!(basic(&header(text)), plain(id, secret), "{text}");
    }
    assert_eq!(basic(b"bAsIc   YTpi  "), plain("a", "b"));
    assert_eq!(basic(b"Basic YTpiYw"), plain("a", "bc"), "without padding");
    for other in ["Bearer agpt_xt_x", "Basically YTpi", "", "B", "Digest x"] {
        assert_eq!(basic(other.as_bytes()), Ok(None), "{other}");
    }
    let no_colon = header("nocolon");
    let bytes = [b"Basic ".as_slice(), PADDED.encode(b"\xff:x").as_bytes()].concat();
    let percent = header("%ff:x");
    for bad in [b"Basic".as_slice(), b"Basic ", b"Basic ***", &no_colon, &bytes, &percent] {
        let refusal = basic(bad).unwrap_err();
        let answer = refusal.answer(Dialect::Standard, &issuer(), "/");
        assert_eq!((answer.status, answer.challenge.is_some()), (401, true), "{}", String::from_utf8_lossy(bad));
    }
    let one = header("a:b");
    assert_eq!(Basic::read([one.as_slice(), &one]).unwrap_err().error, ErrorCode::InvalidRequest);
    assert_eq!(Basic::read([b"Bearer x".as_slice(), &one]), plain("a", "b"));
}

/// `auth.md` 12.3; RFC 6749, 2.3: one method in a request.
#[test]
fn credentials_come_in_one_place() {
    let header = || basic(&header("a:b")).unwrap();
    let text = |text: &str| Some(text.to_owned());
    for (basic, id, secret, found) in [
        (header(), None, None, Ok(Some(("a", true)))),
        (header(), text("a"), None, Ok(Some(("a", true)))),
        (header(), text("c"), None, Err(())),
        (header(), None, text("b"), Err(())),
        (header(), text("a"), text("b"), Err(())),
        (None, text("a"), text("b"), Ok(Some(("a", false)))),
        (None, text("a"), None, Ok(Some(("a", false)))),
        (None, None, text("b"), Ok(None)),
        (None, None, None, Ok(None)),
    ] {
        let gathered = Credentials::gather(basic, id.clone(), secret.clone());
        let gathered = gathered.map_err(|refusal| assert_eq!(refusal.error, ErrorCode::InvalidRequest));
        let gathered = gathered.map(|some| some.map(|one| (one.client_id, one.used_basic)));
        assert_eq!(gathered, found.map(|some| some.map(|(id, basic)| (id.to_owned(), basic))), "{id:?} {secret:?}");
    }
}

/// `auth.md` 7.1: client, then its state, then the secret, each in upstream's words.
#[test]
fn a_client_proves_who_it_is() {
    let rotated = Client { proof: client().proof.rotated(&Plain::new("agpt_secret_new"), NOW).unwrap(), ..client() };
    let inactive = Client { is_active: false, ..client() };
    let shuttle = public().client_id;
    for (id, secret, found, expected) in [
        (ID, Some(SECRET), Some(client()), None),
        (ID, Some(SECRET), Some(rotated.clone()), None),
        (ID, Some("agpt_secret_new"), Some(rotated), None),
        (&shuttle, None, Some(public()), None),
        (ID, Some(SECRET), None, Some("Invalid client_id")),
        (ID, Some(SECRET), Some(inactive.clone()), Some("Application is not active")),
        (ID, Some("agpt_secret_x"), Some(inactive), Some("Application is not active")),
        (ID, Some("agpt_secret_wef"), Some(client()), Some("Invalid client_secret")),
        (ID, Some("agpt_secret_weft "), Some(client()), Some("Invalid client_secret")),
        (ID, Some(""), Some(client()), Some("Invalid client_secret")),
        (ID, None, Some(client()), Some("Invalid client_secret")),
        (&shuttle, Some("agpt_secret_x"), Some(public()), Some("Invalid client_secret")),
        (&shuttle, Some(SECRET), Some(client()), Some("Invalid client_id")),
    ] {
        let credentials = Credentials::gather(None, Some(id.to_owned()), secret.map(str::to_owned)).unwrap().unwrap();
        let checked = credentials.check(found.as_ref(), NOW).map(drop);
        let expected = expected.map_or(Ok(()), |detail| Err(Refusal::client(detail, false)));
        assert_eq!(checked, expected, "{id} {secret:?}");
    }
    let nameless = Credentials::gather(None, Some(shuttle), None).unwrap().unwrap();
    assert!(nameless.check_confidential(Some(&public()), NOW).is_err(), "auth.md 12.2: introspection");
    let late = Client { proof: client().proof.rotated(&Plain::new("agpt_secret_new"), NOW).unwrap(), ..client() };
    let old = Credentials::gather(None, Some(ID.to_owned()), Some(SECRET.to_owned())).unwrap().unwrap();
    assert!(old.check(Some(&late), NOW.plus_seconds(OVERLAP_SECONDS)).is_err());
}

/// `auth.md` 12.9: an imported hash is used once.
#[test]
fn a_slow_hash_is_replaced_after_it_was_right() {
    let salt = "00".repeat(32);
    let mut hash = [0; 32];
    let params = scrypt::Params::new(14, 8, 1).unwrap();
    scrypt::scrypt(SECRET.as_bytes(), &[0; 32], &params, &mut hash).unwrap();
    let current = Kept::imported(&crate::Digest(hash).hex(), Some(&salt)).unwrap();
    let imported = Client { proof: Proof::Secret { current, previous: None }, ..client() };
    let right = Credentials::gather(None, Some(ID.to_owned()), Some(SECRET.to_owned())).unwrap().unwrap();
    assert!(right.check(Some(&imported), NOW).is_ok());
    assert_eq!(right.replaces(&imported), Some(Kept::of(&Plain::new(SECRET))));
    assert_eq!(right.replaces(&client()), None);
    assert!(!format!("{right:?}").contains(SECRET));
}
