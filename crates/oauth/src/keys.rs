//! Keys that sign ID tokens: which one signs now, which are published, and when the next is due (`auth.md` 12.7).
//!
//! The private halves are elsewhere. A key is published before it signs, so that whoever keeps a copy of the set has
//! it when the first token comes, and goes on being published until the last token it signed has ended.

use crate::oidc::{self, Algorithm, Jwk};
use heddle_model::Time;

/// How long a key is published before it signs: the set may be kept for an hour by whoever asked for it.
pub const AHEAD_SECONDS: i64 = 24 * 3_600;
/// How long a key signs before the next takes over.
pub const TURN_SECONDS: i64 = 90 * 24 * 3_600;
/// How long it is published after its turn: an ID token's life and a wrong clock.
pub const AFTER_SECONDS: i64 = oidc::ID_TOKEN_SECONDS + 3_600;

/// The public half of a key, and its turn.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SigningKey {
    /// Its name: the thumbprint of its public half (RFC 7638).
    pub kid: String,
    /// What it signs with.
    pub algorithm: Algorithm,
    /// Its public half.
    pub public: Jwk,
    /// When it was made.
    pub created_at: Time,
    /// From when on it signs.
    pub signs_from: Time,
    /// When its turn ends. `None`: nothing was made to follow it.
    pub signs_until: Option<Time>,
}

/// The key that signs at this moment: the one whose turn began last. A clock that stands before all turns gets the
/// first key: an ID token is better than none.
pub fn signing(keys: &[SigningKey], algorithm: Algorithm, now: Time) -> Option<&SigningKey> {
    let of_kind = || keys.iter().filter(|key| key.algorithm == algorithm);
    let begun = of_kind().filter(|key| key.signs_from <= now).max_by_key(|key| key.signs_from);
    begun.or_else(|| of_kind().min_by_key(|key| key.signs_from))
}

/// The keys whose public halves are shown at this moment.
pub fn published(keys: &[SigningKey], now: Time) -> impl Iterator<Item = &SigningKey> {
    keys.iter().filter(move |key| key.signs_until.is_none_or(|until| now < until.plus_seconds(AFTER_SECONDS)))
}

/// When a new key is due: from when on it will sign. The first one signs at once.
pub fn due(keys: &[SigningKey], algorithm: Algorithm, now: Time) -> Option<Time> {
    let last = keys.iter().filter(|key| key.algorithm == algorithm).map(|key| key.signs_from).max();
    match last {
        None => Some(now),
        Some(last) if now >= last.plus_seconds(TURN_SECONDS - AHEAD_SECONDS) => Some(now.plus_seconds(AHEAD_SECONDS)),
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::NOW;

    fn key(kid: &str, from: i64, until: Option<i64>) -> SigningKey {
        SigningKey {
            kid: kid.to_owned(),
            algorithm: Algorithm::Rs256,
            public: Jwk::Rsa { n: vec![1], e: vec![1, 0, 1] },
            created_at: NOW,
            signs_from: NOW.plus_seconds(from),
            signs_until: until.map(|until| NOW.plus_seconds(until)),
        }
    }

    /// `auth.md` 12.7: publish the next key first.
    #[test]
    fn a_key_is_seen_before_and_after_its_turn() {
        let keys = [key("old", -100, Some(0)), key("now", 0, Some(1_000)), key("next", 1_000, None)];
        let at = |seconds| NOW.plus_seconds(seconds);
        let signs = |seconds| signing(&keys, Algorithm::Rs256, at(seconds)).unwrap().kid.clone();
        let shown = |seconds| published(&keys, at(seconds)).map(|key| key.kid.as_str()).collect::<Vec<_>>().join(" ");
        for (seconds, signer, set) in [
            (-200, "old", "old now next"),
            (-1, "old", "old now next"),
            (0, "now", "old now next"),
            (999, "now", "old now next"),
            (1_000, "next", "old now next"),
            (AFTER_SECONDS - 1, "next", "old now next"),
            (AFTER_SECONDS, "next", "now next"),
            (1_000 + AFTER_SECONDS, "next", "next"),
        ] {
            assert_eq!((signs(seconds).as_str(), shown(seconds).as_str()), (signer, set), "{seconds}");
        }
        assert_eq!(signing(&keys, Algorithm::Es256, NOW), None);
    }

    #[test]
    fn the_next_key_is_made_a_day_before_its_turn() {
        assert_eq!(due(&[], Algorithm::Rs256, NOW), Some(NOW));
        let keys = [key("now", 0, None)];
        let early = NOW.plus_seconds(TURN_SECONDS - AHEAD_SECONDS);
        assert_eq!(due(&keys, Algorithm::Rs256, Time(early.0 - 1)), None);
        assert_eq!(due(&keys, Algorithm::Rs256, early), Some(NOW.plus_seconds(TURN_SECONDS)));
        assert_eq!(due(&keys, Algorithm::Es256, NOW), Some(NOW));
    }
}
