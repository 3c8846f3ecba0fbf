use super::*;

const HERE: Place<'_> = Place { table: "credential", row: "7" };

fn key(byte: u8) -> Key {
    use base64::Engine as _;
    let text = base64::engine::general_purpose::STANDARD.encode([byte; 32]);
    Key::parse(&text).expect("a good key").remove(0)
}

fn vault(keys: &[u8]) -> Vault {
    Vault::new(keys.iter().copied().map(key).collect()).expect("keys")
}

#[test]
fn what_is_sealed_opens_again() {
    let vault = vault(&[1]);
    for secret in [&b""[..], b"x", b"sk-0123456789", &[0; 100_000]] {
        let sealed = vault.seal(HERE, secret).expect("sealed");
        assert_eq!(sealed.len(), secret.len() + 49);
        assert_eq!(vault.open(HERE, &sealed).expect("opened").expose(), secret);
    }
}

#[test]
fn equal_secrets_look_different_and_hide_their_text() {
    let vault = vault(&[1]);
    let (one, two) = (vault.seal(HERE, b"hunter2").expect("one"), vault.seal(HERE, b"hunter2").expect("two"));
    assert_ne!(one, two);
    assert!(!one.windows(7).any(|part| part == b"hunter2"));
}

#[test]
fn a_change_of_any_byte_is_noticed() {
    let vault = vault(&[1]);
    let sealed = vault.seal(HERE, b"hunter2").expect("sealed");
    for at in 0..sealed.len() {
        let mut changed = sealed.clone();
        changed[at] ^= 1;
        let error = vault.open(HERE, &changed).expect_err("changed");
        match at {
            0 => assert!(matches!(error, Error::Format), "byte {at}: {error}"),
            1..9 => assert!(matches!(error, Error::UnknownKey { .. }), "byte {at}: {error}"),
            _ => assert!(matches!(error, Error::Altered), "byte {at}: {error}"),
        }
    }
}

#[test]
fn the_key_id_is_covered_by_the_tag() {
    // Two keys, and bytes that claim the other one: known, but not the right one.
    let vault = vault(&[1, 2]);
    let mut sealed = vault.seal(HERE, b"hunter2").expect("sealed");
    sealed[1..9].copy_from_slice(&key(1).id().0);
    assert!(matches!(vault.open(HERE, &sealed), Err(Error::Altered)));
}

#[test]
fn a_cut_text_is_refused() {
    let vault = vault(&[1]);
    let sealed = vault.seal(HERE, b"hunter2").expect("sealed");
    for length in 0..sealed.len() {
        let error = vault.open(HERE, &sealed[..length]).expect_err("cut");
        assert!(matches!(error, Error::Format | Error::Altered), "{length}: {error}");
    }
}

#[test]
fn a_secret_opens_only_where_it_was_sealed() {
    let vault = vault(&[1]);
    let sealed = vault.seal(Place { table: "ab", row: "c" }, b"hunter2").expect("sealed");
    for (table, row) in [("ab", "d"), ("x", "c"), ("a", "bc"), ("abc", ""), ("", "abc"), ("AB", "c")] {
        assert!(matches!(vault.open(Place { table, row }, &sealed), Err(Error::Altered)), "{table}/{row}");
    }
}

#[test]
fn rotation_keeps_old_secrets_open_and_seals_new_ones_with_the_new_key() {
    let (old, both, new) = (vault(&[1]), vault(&[1, 2]), vault(&[2]));
    let before = old.seal(HERE, b"hunter2").expect("sealed");

    assert_eq!(both.open(HERE, &before).expect("opened").expose(), b"hunter2");
    assert!(both.is_stale(&before).expect("readable"));
    let after = both.renew(HERE, &before).expect("renewed").expect("changed");
    assert!(!both.is_stale(&after).expect("readable"));
    assert!(both.renew(HERE, &after).expect("nothing to do").is_none());

    assert_eq!(new.open(HERE, &after).expect("opened").expose(), b"hunter2");
    assert!(matches!(new.open(HERE, &before), Err(Error::UnknownKey { id }) if id == old.newest()));
    assert!(matches!(old.open(HERE, &after), Err(Error::UnknownKey { id }) if id == new.newest()));
}

#[test]
fn another_key_of_the_same_length_opens_nothing() {
    let sealed = vault(&[1]).seal(HERE, b"hunter2").expect("sealed");
    assert!(vault(&[3, 4]).open(HERE, &sealed).is_err());
}

#[test]
fn debug_of_a_vault_shows_ids_only() {
    let shown = format!("{:?}", vault(&[0x41, 0x42]));
    assert!(shown.contains(&key(0x42).id().to_string()));
    assert!(!shown.contains("65, 65") && !shown.contains("4141") && !shown.contains("QUFB"), "{shown}");
}
