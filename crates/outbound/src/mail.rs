//! Sending mail over SMTP.
//!
//! The mail server is the operator's own choice in the settings, so the address policy for what users reach does not
//! apply to it. TLS is required unless the server is on this machine or the address says otherwise.

use lettre::message::Mailbox;
use lettre::message::header::ContentType;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{CertificateStore, Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use percent_encoding::percent_decode_str;
use std::fmt;
use std::time::Duration;
use url::{Host, Url};

/// How long a mail server may take for one step.
const STEP: Duration = Duration::from_secs(30);
/// How long a whole mail may take.
const MAIL: Duration = Duration::from_secs(120);

/// Why mail cannot be sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MailerError {
    /// The server's address cannot be used.
    #[error("it is no address of a mail server: smtps://USER:PASSWORD@HOST, or smtp:// for STARTTLS")]
    Server,
    /// The sender's address cannot be used.
    #[error("it is no sender: NAME <USER@HOST> or USER@HOST")]
    Sender,
    /// The recipient's address cannot be used.
    #[error("the recipient's address cannot be used")]
    Recipient,
    /// The server cannot be reached or did not take the mail.
    #[error("the mail server refused: {0}")]
    Refused(String),
}

/// A way to a mail server.
#[derive(Clone)]
pub struct Mailer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    server: String,
}

/// How a connection is kept private.
enum Privacy {
    /// TLS from the first byte.
    Tls,
    /// TLS before anything is said that matters.
    StartTls,
    Plain,
}

impl Mailer {
    /// Reads `smtps://…` (TLS) or `smtp://…` (STARTTLS; plain text to this machine or with `?tls=none`), both with
    /// `USER:PASSWORD@` where the server wants to know who sends. Nothing is connected yet.
    pub fn new(server: &str, from: &str) -> Result<Self, MailerError> {
        let from: Mailbox = from.parse().map_err(|_| MailerError::Sender)?;
        let (url, privacy) = parse(server).ok_or(MailerError::Server)?;
        let host = url.host_str().ok_or(MailerError::Server)?.trim_matches(['[', ']']).to_owned();
        let (tls, port) = match privacy {
            Privacy::Plain => (Tls::None, 25),
            Privacy::StartTls => (Tls::Required(trust(&host)?), 587),
            Privacy::Tls => (Tls::Wrapper(trust(&host)?), 465),
        };
        let port = url.port().unwrap_or(port);
        let shown = format!("{}://{}:{port}", url.scheme(), url.host_str().unwrap_or_default());
        let mut transport =
            AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(host).port(port).tls(tls).timeout(Some(STEP));
        if !url.username().is_empty() {
            let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
            let password = decoded(url.password().unwrap_or_default());
            transport = transport.credentials(Credentials::new(decoded(url.username()), password));
        }
        Ok(Self { transport: transport.build(), from, server: shown })
    }

    /// A server's address as it may be shown: without the password.
    pub fn masked(server: &str) -> String {
        let Ok(mut url) = Url::parse(server) else { return "*".to_owned() };
        if url.password().is_some() && url.set_password(Some("*")).is_err() {
            return "*".to_owned();
        }
        url.to_string()
    }

    /// Sends a plain text to one recipient and waits until the server has taken it.
    pub async fn send(&self, to: &str, subject: &str, text: String) -> Result<(), MailerError> {
        let to = to.parse().map_err(|_| MailerError::Recipient)?;
        let mail = Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .subject(subject)
            .header(ContentType::TEXT_PLAIN)
            .body(text)
            .map_err(|error| MailerError::Refused(error.to_string()))?;
        let refused = |reason: &dyn fmt::Display| MailerError::Refused(reason.to_string());
        match tokio::time::timeout(MAIL, self.transport.send(mail)).await {
            Ok(sent) => sent.map(|_| ()).map_err(|error| refused(&error)),
            Err(late) => Err(refused(&late)),
        }
    }
}

/// Without the password.
impl fmt::Debug for Mailer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Mailer({} as {})", self.server, self.from)
    }
}

fn parse(server: &str) -> Option<(Url, Privacy)> {
    let url = Url::parse(server).ok()?;
    let is_here = match url.host()? {
        // Schemes that the standard does not know keep addresses as names.
        Host::Domain(name) => name == "localhost" || name.parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback()),
        Host::Ipv4(ip) => ip.is_loopback(),
        Host::Ipv6(ip) => ip.is_loopback(),
    };
    let privacy = match (url.scheme(), url.query()) {
        ("smtps", None) => Privacy::Tls,
        ("smtp", Some("tls=none")) => Privacy::Plain,
        ("smtp", None) if is_here => Privacy::Plain,
        ("smtp", None | Some("tls=required")) => Privacy::StartTls,
        _ => return None,
    };
    (matches!(url.path(), "" | "/") && url.fragment().is_none()).then_some((url, privacy))
}

fn trust(host: &str) -> Result<TlsParameters, MailerError> {
    TlsParameters::builder(host.to_owned())
        .certificate_store(CertificateStore::WebpkiRoots)
        .build_rustls()
        .map_err(|_| MailerError::Server)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_say_how_private_a_connection_is_and_passwords_are_not_shown() {
        let read = |server| Mailer::new(server, "Heddle <heddle@example.org>").map(|mailer| mailer.server);
        for (server, shown) in [
            ("smtps://ada:pa%40ss@mail.example.org", Some("smtps://mail.example.org:465")),
            ("smtp://mail.example.org", Some("smtp://mail.example.org:587")),
            ("smtp://mail.example.org:2525?tls=required", Some("smtp://mail.example.org:2525")),
            ("smtp://mail.example.org?tls=none", Some("smtp://mail.example.org:25")),
            ("smtp://127.0.0.1:1025", Some("smtp://127.0.0.1:1025")),
            ("smtp://[::1]", Some("smtp://[::1]:25")),
            ("smtps://mail.example.org?tls=none", None),
            ("smtp://mail.example.org?tls=maybe", None),
            ("smtp://mail.example.org/path", None),
            ("https://mail.example.org", None),
            ("mail.example.org", None),
        ] {
            assert_eq!(read(server).ok().as_deref(), shown, "{server}");
        }
        assert_eq!(Mailer::new("smtp://localhost", "nobody").map(|_| ()), Err(MailerError::Sender));
        assert_eq!(Mailer::masked("smtps://ada:secret@mail.example.org"), "smtps://ada:*@mail.example.org");
        let mailer = Mailer::new("smtps://ada:secret@mail.example.org", "heddle@example.org").unwrap();
        assert!(!format!("{mailer:?}").contains("secret"), "{mailer:?}");
    }
}
