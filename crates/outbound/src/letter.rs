//! Mail through a server that a user names.
//!
//! Unlike the operator's own, such a server is a stranger: the address policy holds for it, the connection is private
//! before anything is said that matters, and what it says is bounded in bytes and seconds.

use std::fmt;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use lettre::message::Mailbox;
use lettre::message::header::ContentType;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{
    AsyncSmtpConnection, AsyncTokioStream, Certificate, CertificateStore, TlsParameters,
};
use lettre::transport::smtp::extension::ClientId;
use lettre::{Message, transport};
use rustls::pki_types::CertificateDer;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use crate::dial::Dialer;
use crate::{Client, Error};

/// How long a whole mail may take.
const MAIL: Duration = Duration::from_secs(120);

/// Bytes that a server may say, its certificates included.
const SAID: usize = 256 * 1024;

/// The port at which TLS begins with the first byte.
const TLS: u16 = 465;

/// A plain text, and the server that is to carry it.
pub struct Letter<'a> {
    /// The server's name.
    pub host: &'a str,
    /// 465 for TLS from the first byte; at every other port the server has to offer STARTTLS.
    pub port: u16,
    /// Who sends: what the server is told, and an address.
    pub username: &'a str,
    /// What the server is told.
    pub password: &'a str,
    /// An address.
    pub to: &'a str,
    /// One line.
    pub subject: &'a str,
    /// The text.
    pub text: String,
}

/// Why a letter was not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LetterError {
    /// Not an address.
    #[error("{0:?} is no mail address")]
    Address(String),
    /// No connection, or no private one.
    #[error(transparent)]
    Unreached(#[from] Error),
    /// The connection cannot be made private.
    #[error("{host} offers no STARTTLS, or its certificate is not trusted: {reason}")]
    Private {
        /// The server.
        host: String,
        /// What is wrong.
        reason: String,
    },
    /// The server does not know the name or the password.
    #[error("{host} refused the user name or the password: {reason}")]
    Stranger {
        /// The server.
        host: String,
        /// What it said.
        reason: String,
    },
    /// The server did not take it, or does not speak SMTP.
    #[error("{host} did not take the mail: {reason}")]
    Refused {
        /// The server.
        host: String,
        /// What it said.
        reason: String,
    },
}

impl Client {
    /// Hands a letter to its server and waits until it has been taken.
    pub async fn post(&self, letter: Letter<'_>) -> Result<(), LetterError> {
        let host = letter.host;
        let refused =
            |reason: &dyn fmt::Display| LetterError::Refused { host: host.to_owned(), reason: reason.to_string() };
        let late = format!("nothing came of it within {} s", MAIL.as_secs());
        let message = message(&letter)?;
        let sent =
            tokio::time::timeout(MAIL, send(self.dialer(), self.extra_roots(), &letter, &message, &refused)).await;
        sent.unwrap_or_else(|_| Err(refused(&late)))
    }
}

fn message(letter: &Letter<'_>) -> Result<Message, LetterError> {
    let mailbox = |address: &str| {
        let parsed = address.trim().parse().map_err(|_| LetterError::Address(address.to_owned()))?;
        Ok::<_, LetterError>(Mailbox::new(None, parsed))
    };
    let message = Message::builder()
        .from(mailbox(letter.username)?)
        .to(mailbox(letter.to)?)
        .subject(letter.subject.replace(['\r', '\n'], " "))
        .header(ContentType::TEXT_PLAIN)
        .body(letter.text.clone());
    message.map_err(|error| LetterError::Refused { host: letter.host.to_owned(), reason: error.to_string() })
}

async fn send(
    dialer: &Dialer,
    roots: &[CertificateDer<'static>],
    letter: &Letter<'_>,
    message: &Message,
    refused: &(dyn Fn(&dyn fmt::Display) -> LetterError + Sync),
) -> Result<(), LetterError> {
    let (host, hello) = (letter.host, ClientId::default());
    let stream = dialer.tcp(host, letter.port).await?;
    let mut server = if letter.port == TLS {
        let stream = Bounded { stream: dialer.secure(host, stream).await?, left: SAID };
        connect(stream, &hello).await.map_err(|error| refused(&error))?
    } else {
        let stream = Bounded { stream, left: SAID };
        let mut server = connect(stream, &hello).await.map_err(|error| refused(&error))?;
        let private =
            |reason: &dyn fmt::Display| LetterError::Private { host: host.to_owned(), reason: reason.to_string() };
        let trust = trust(host, roots).map_err(|error| private(&error))?;
        server.starttls(trust, &hello).await.map_err(|error| private(&error))?;
        server
    };
    let credentials = Credentials::new(letter.username.to_owned(), letter.password.to_owned());
    let known = server.auth(DEFAULT_MECHANISMS, &credentials).await;
    known.map_err(|error| LetterError::Stranger { host: host.to_owned(), reason: error.to_string() })?;
    server.send(message.envelope(), &message.formatted()).await.map_err(|error| refused(&error))?;
    // It was taken; how it says good-bye does not matter.
    let _ = server.quit().await;
    Ok(())
}

async fn connect(
    stream: impl AsyncTokioStream + 'static,
    hello: &ClientId,
) -> Result<AsyncSmtpConnection, transport::smtp::Error> {
    AsyncSmtpConnection::connect_with_transport(Box::new(stream), hello).await
}

fn trust(host: &str, roots: &[CertificateDer<'static>]) -> Result<TlsParameters, transport::smtp::Error> {
    let name = host.trim_matches(['[', ']']).trim_end_matches('.').to_owned();
    let mut trust = TlsParameters::builder(name).certificate_store(CertificateStore::WebpkiRoots);
    for root in roots {
        trust = trust.add_root_certificate(Certificate::from_der(root.to_vec())?);
    }
    trust.build_rustls()
}

/// A connection on which the other side may say so much and no more.
struct Bounded<S> {
    stream: S,
    left: usize,
}

impl<S> fmt::Debug for Bounded<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Bounded")
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Bounded<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<std::io::Result<()>> {
        let before = buf.filled().len();
        std::task::ready!(Pin::new(&mut self.stream).poll_read(cx, buf))?;
        match self.left.checked_sub(buf.filled().len() - before) {
            Some(left) => self.left = left,
            None => return Poll::Ready(Err(std::io::Error::other("the server says too much"))),
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Bounded<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

impl AsyncTokioStream for Bounded<TcpStream> {
    fn peer_addr(&self) -> std::io::Result<SocketAddr> {
        self.stream.peer_addr()
    }
}

impl AsyncTokioStream for Bounded<TlsStream<TcpStream>> {
    fn peer_addr(&self) -> std::io::Result<SocketAddr> {
        self.stream.get_ref().0.peer_addr()
    }
}

#[cfg(test)]
mod tests;
