//! How a receiver knows that a callback is ours, unchanged, and of now.

use heddle_vault::Secret;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::fmt::Write as _;

/// The header's name.
pub(super) const HEADER: &str = "Heddle-Signature";

/// `t=<unix>,v1=<hex HMAC-SHA256 of "<t>.<body>">`. The time is that of the attempt, so that a receiver can refuse what
/// somebody has kept and sends again.
pub(super) fn sign(secret: &Secret<String>, unix: i64, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes()).expect("any length is a key");
    mac.update(format!("{unix}.").as_bytes());
    mac.update(body);
    let mut header = format!("t={unix},v1=");
    for byte in mac.finalize().into_bytes() {
        write!(header, "{byte:02x}").expect("a text takes all that is written");
    }
    header
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Found with `printf '1700000000.{"id":"x"}' | openssl dgst -sha256 -hmac whsec_test`.
    #[test]
    fn the_signature_is_what_anybody_else_finds() {
        let secret = Secret::new("whsec_test".to_owned());
        assert_eq!(
            sign(&secret, 1_700_000_000, br#"{"id":"x"}"#),
            "t=1700000000,v1=80e8d098018f757aa814ab1abb924f35d304affa1d93d29611a54696207eb7c3"
        );
    }
}
