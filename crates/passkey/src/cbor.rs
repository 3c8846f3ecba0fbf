//! CBOR (RFC 8949) as authenticators write it: small, shallow, and from strangers.

use ciborium::Value;

/// Levels; a key has one, an attestation three.
const DEEPEST: usize = 8;

/// The first item and what follows it.
pub(crate) fn first(bytes: &[u8]) -> Option<(Value, &[u8])> {
    let mut rest = bytes;
    let value = ciborium::de::from_reader_with_recursion_limit(&mut rest, DEEPEST).ok()?;
    Some((value, rest))
}

/// The one item.
pub(crate) fn whole(bytes: &[u8]) -> Option<Value> {
    first(bytes).and_then(|(value, rest)| rest.is_empty().then_some(value))
}

/// The members of a map in which no name stands twice; what a name is, is decided by `name`.
pub(crate) fn members(value: Value) -> Option<Vec<(Value, Value)>> {
    let Value::Map(members) = value else { return None };
    let is_new = |at: usize| members[..at].iter().all(|(name, _)| *name != members[at].0);
    (0..members.len()).all(is_new).then_some(members)
}

/// The value of a name.
pub(crate) fn get<'a>(members: &'a [(Value, Value)], name: &Value) -> Option<&'a Value> {
    members.iter().find(|(key, _)| key == name).map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_item_is_read_and_the_rest_left() {
        assert_eq!(first(&[0xa1, 0x01, 0x02, 0xff]), Some((Value::Map(vec![(1.into(), 2.into())]), &[0xff][..])));
        assert_eq!(whole(&[0x01, 0x02]), None);
        assert_eq!(whole(&[]), None);
    }

    #[test]
    fn what_claims_to_be_long_or_deep_is_refused_at_once() {
        for bytes in [
            &[0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff][..],
            &[0xbb, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
            &[0x5b, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
            &[0x5f, 0x41, 0x01],
            &[0x81; 4_000],
            &[0xc1; 4_000],
        ] {
            assert_eq!(first(bytes), None, "{:?}", &bytes[..2]);
        }
    }

    #[test]
    fn a_name_stands_once() {
        let twice = vec![(1.into(), 2.into()), (1.into(), 3.into())];
        assert_eq!(members(Value::Map(twice)), None);
        assert_eq!(members(Value::Null), None);
    }
}
