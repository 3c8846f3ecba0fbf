//! The mails this server sends: links for new passwords.

use crate::Error;
use heddle_outbound::Mailer;

/// What sends mail, and where its links lead.
#[derive(Clone, Debug)]
pub struct Mail {
    /// The way to the mail server.
    pub mailer: Mailer,
    /// The page on which a new password is set; the token is put behind it.
    pub reset_url: String,
}

impl Mail {
    pub(crate) async fn send_reset(&self, to: &str, token: &str) -> Result<(), Error> {
        let text = format!(
            "Hello,\n\nsomebody asked for a new password for the account {to}.\n\n\
             To set one, open this address within an hour:\n\n{}{token}\n\n\
             It works once. If it was not you, you need not do anything: your password is as it was.\n",
            self.reset_url
        );
        let sent = self.mailer.send(to, "Set a new password", text).await;
        sent.map_err(|error| Error::Internal(error.to_string()))
    }
}
