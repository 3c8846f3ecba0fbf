//! What is said once on the page after a form: the address carries a word, the text is here, so nobody can put his own
//! words into our pages.

/// A message. To add one, add a line to [`SAID`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Said(&'static str, &'static str);

const SAID: [Said; 18] = [
    Said::SIGNED_OUT,
    Said::SAVED,
    Said::PASSWORD_CHANGED,
    Said::PASSWORD_SET,
    Said::SESSION_ENDED,
    Said::OTHERS_ENDED,
    Said::PASSKEY_ADDED,
    Said::PASSKEY_REMOVED,
    Said::KEY_SUSPENDED,
    Said::KEY_RESUMED,
    Said::KEY_REVOKED,
    Said::WELCOME,
    Said::GRANT_REVOKED,
    Said::APP_OFF,
    Said::APP_ON,
    Said::APP_DELETED,
    Said::ACCOUNT_OFF,
    Said::ACCOUNT_ON,
];

#[allow(missing_docs, reason = "each is its text")]
impl Said {
    pub const SIGNED_OUT: Self = Self("signed-out", "You are signed out.");
    pub const SAVED: Self = Self("saved", "Saved.");
    pub const PASSWORD_CHANGED: Self = Self("password", "The password is changed. All other browsers were signed out.");
    pub const PASSWORD_SET: Self = Self(
        "password-set",
        "The new password is set, and you are signed in. All other browsers were signed out, and passkeys removed.",
    );
    pub const SESSION_ENDED: Self = Self("ended", "That browser was signed out.");
    pub const OTHERS_ENDED: Self = Self("others-ended", "All other browsers were signed out.");
    pub const PASSKEY_ADDED: Self = Self("passkey-added", "The passkey is added. You can sign in with it from now on.");
    pub const PASSKEY_REMOVED: Self = Self("passkey-removed", "The passkey is removed.");
    pub const KEY_SUSPENDED: Self =
        Self("suspended", "The key is suspended. Nothing can be done with it until you resume it.");
    pub const KEY_RESUMED: Self = Self("resumed", "The key works again.");
    pub const KEY_REVOKED: Self = Self("revoked", "The key is revoked for good.");
    pub const GRANT_REVOKED: Self = Self("grant-revoked", "The application may do nothing for you any more.");
    pub const APP_OFF: Self = Self("app-off", "The application is switched off.");
    pub const APP_ON: Self = Self("app-on", "The application is switched on.");
    pub const APP_DELETED: Self = Self("app-deleted", "The application is gone, with all that it was allowed.");
    pub const ACCOUNT_OFF: Self = Self("account-off", "The account is disabled.");
    pub const ACCOUNT_ON: Self = Self("account-on", "The account works again.");
    pub const WELCOME: Self = Self("welcome", "Welcome. Your account is ready.");

    /// The word in the address.
    pub fn word(self) -> &'static str {
        self.0
    }

    /// What people read.
    pub fn text(self) -> &'static str {
        self.1
    }

    /// The message of a word.
    pub fn parse(word: &str) -> Option<Self> {
        SAID.into_iter().find(|said| said.0 == word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_word_is_one_message() {
        for said in SAID {
            assert_eq!(Said::parse(said.word()), Some(said));
        }
        assert_eq!(Said::parse("<b>"), None);
    }
}
