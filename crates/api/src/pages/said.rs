//! What is said once on the page after a form: the address carries a word, the text is here, so nobody can put his own
//! words into our pages.

/// A message. To add one, add a line to [`SAID`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Said(&'static str, &'static str);

const SAID: [Said; 33] = [
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
    Said::AGENT_ADDED,
    Said::AGENT_UPDATED,
    Said::AGENT_REMOVED,
    Said::AGENT_RATED,
    Said::AGENT_UNRATED,
    Said::AGENT_WITHDRAWN,
    Said::HANDED_IN,
    Said::DRAFT_KEPT,
    Said::SUBMISSION_REMOVED,
    Said::APPROVED,
    Said::REJECTED,
    Said::ACCOUNT_CONNECTED,
    Said::NOT_CONNECTED,
    Said::CREDENTIAL_KEPT,
    Said::CREDENTIAL_REMOVED,
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
    pub const ACCOUNT_CONNECTED: Self = Self("connected", "The account is connected.");
    pub const NOT_CONNECTED: Self = Self("not-connected", "The account was not connected: the service said no.");
    pub const CREDENTIAL_KEPT: Self = Self("kept", "It is kept, sealed. Your agents can use it now.");
    pub const CREDENTIAL_REMOVED: Self = Self("removed", "It is removed.");
    pub const WELCOME: Self = Self("welcome", "Welcome. Your account is ready.");

    pub const AGENT_ADDED: Self = Self("agent-added", "It is in your library. Run it with your own keys.");
    pub const AGENT_UPDATED: Self = Self("agent-updated", "Your library has this version now.");
    pub const AGENT_REMOVED: Self = Self("agent-removed", "It is no longer in your library. Your runs of it stay.");
    pub const AGENT_RATED: Self = Self("agent-rated", "Thank you for the rating.");
    pub const AGENT_UNRATED: Self = Self("agent-unrated", "Your rating is taken back.");
    pub const AGENT_WITHDRAWN: Self = Self("agent-withdrawn", "The agent is off the marketplace.");
    pub const HANDED_IN: Self = Self("handed-in", "It is handed in. An operator looks at it before it is shown.");
    pub const DRAFT_KEPT: Self = Self("draft-kept", "The draft is kept. Only you see it.");
    pub const SUBMISSION_REMOVED: Self = Self("submission-removed", "The submission is removed.");
    pub const APPROVED: Self = Self("approved", "It is on the marketplace.");
    pub const REJECTED: Self = Self("rejected", "It is rejected. Its creator reads why.");

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
