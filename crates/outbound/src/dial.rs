//! From a host and port to a connection.
//!
//! This is where the policy holds: the address that was judged is the address that is dialled, with no second look-up in
//! between. The HTTP client gets its connections from here and from nowhere else, so a literal address, a redirect and a
//! name that changes its mind are all judged alike.

use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use url::Host;

use crate::{Error, Phase, Policy, Resolve};

/// Makes the connection itself. It is only told of addresses that the policy permits.
#[async_trait::async_trait]
pub trait Connect: Send + Sync {
    /// A connection to exactly this address.
    async fn connect(&self, address: SocketAddr) -> io::Result<TcpStream>;
}

/// Asks the system for it.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemConnector;

#[async_trait::async_trait]
impl Connect for SystemConnector {
    async fn connect(&self, address: SocketAddr) -> io::Result<TcpStream> {
        TcpStream::connect(address).await
    }
}

/// Makes connections the policy permits.
#[derive(Clone)]
pub(crate) struct Dialer(Arc<Inner>);

struct Inner {
    policy: Policy,
    resolver: Arc<dyn Resolve>,
    connector: Arc<dyn Connect>,
    patience: Duration,
    /// For HTTP, whose version is agreed on during the handshake.
    http_tls: TlsConnector,
    plain_tls: TlsConnector,
}

impl Dialer {
    pub(crate) fn new(
        policy: Policy,
        resolver: Arc<dyn Resolve>,
        connector: Arc<dyn Connect>,
        patience: Duration,
        tls: rustls::ClientConfig,
    ) -> Self {
        let mut http_tls = tls.clone();
        http_tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let (http_tls, plain_tls) = (Arc::new(http_tls).into(), Arc::new(tls).into());
        Self(Arc::new(Inner { policy, resolver, connector, patience, http_tls, plain_tls }))
    }

    pub(crate) fn policy(&self) -> &Policy {
        &self.0.policy
    }

    /// How long making one connection may take.
    pub(crate) fn patience(&self) -> Duration {
        self.0.patience
    }

    /// A plain connection.
    pub(crate) async fn tcp(&self, host: &str, port: u16) -> Result<TcpStream, Error> {
        self.in_time(host, self.0.tcp(host, port)).await
    }

    /// The same connection, secured; `host` has to prove its name.
    pub(crate) async fn secure(&self, host: &str, stream: TcpStream) -> Result<TlsStream<TcpStream>, Error> {
        self.in_time(host, secure(&self.0.plain_tls, host, stream)).await
    }

    async fn connect(&self, uri: &Uri) -> Result<Stream, Error> {
        let host = uri.host().ok_or_else(|| Error::Url { reason: "it names no host".to_owned() })?;
        let is_secure = uri.scheme_str() == Some("https");
        let port = uri.port_u16().unwrap_or(if is_secure { 443 } else { 80 });
        let connect = async {
            let stream = self.0.tcp(host, port).await?;
            if !is_secure {
                return Ok(Stream::Plain(stream));
            }
            Ok(Stream::Tls(Box::new(secure(&self.0.http_tls, host, stream).await?)))
        };
        self.in_time(host, connect).await
    }

    async fn in_time<T>(&self, host: &str, work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        let after = self.0.patience;
        let late = |_| Error::Timeout { host: host.to_owned(), phase: Phase::Connect, after };
        timeout(after, work).await.map_err(late)?
    }
}

impl Inner {
    async fn tcp(&self, host: &str, port: u16) -> Result<TcpStream, Error> {
        let own = || host.to_owned();
        let parsed = Host::parse(host).map_err(|error| Error::Url { reason: error.to_string() })?;
        let addresses = match &parsed {
            Host::Ipv4(ip) => vec![IpAddr::from(*ip)],
            Host::Ipv6(ip) => vec![IpAddr::from(*ip)],
            Host::Domain(name) => self.resolver.resolve(name).await.map_err(|_| Error::NotFound { host: own() })?,
        };
        if addresses.is_empty() {
            return Err(Error::NotFound { host: own() });
        }
        let permitted: Vec<_> = addresses.into_iter().filter(|ip| self.policy.permits(host, *ip, port)).collect();
        let mut error = Error::Blocked { host: own() };
        // An address that swallows packets must not use up the time of the ones after it.
        let share = self.patience / u32::try_from(permitted.len()).unwrap_or(u32::MAX).max(1);
        for ip in permitted {
            let reason = match timeout(share, self.connector.connect(SocketAddr::new(ip, port))).await {
                Ok(Ok(stream)) => {
                    // Requests are small and written whole; waiting to fill a packet only costs time.
                    let _ = stream.set_nodelay(true);
                    return Ok(stream);
                }
                // Only the kind: the text may hold the address.
                Ok(Err(error)) => error.kind().to_string(),
                Err(_) => io::ErrorKind::TimedOut.to_string(),
            };
            error = Error::Connect { host: own(), reason };
        }
        Err(error)
    }
}

async fn secure(tls: &TlsConnector, host: &str, stream: TcpStream) -> Result<TlsStream<TcpStream>, Error> {
    let failed = |reason: String| Error::Tls { host: host.to_owned(), reason };
    // A final dot belongs to the resolver; certificates do not have it. Brackets belong to the URL.
    let name = host.trim_start_matches('[').trim_end_matches(']').trim_end_matches('.');
    let name = ServerName::try_from(name.to_owned()).map_err(|error| failed(error.to_string()))?;
    tls.connect(name, stream).await.map_err(|error| failed(tls_reason(&error)))
}

fn tls_reason(error: &io::Error) -> String {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        Some(error) => error.to_string(),
        None => error.kind().to_string(),
    }
}

impl tower_service::Service<Uri> for Dialer {
    type Response = TokioIo<Stream>;
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let dialer = self.clone();
        Box::pin(async move { dialer.connect(&uri).await.map(TokioIo::new) })
    }
}

/// A connection, plain or secure.
pub(crate) enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl Connection for Stream {
    fn connected(&self) -> Connected {
        match self {
            Self::Tls(stream) if stream.get_ref().1.alpn_protocol() == Some(b"h2") => Connected::new().negotiated_h2(),
            _ => Connected::new(),
        }
    }
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(cx, buf),
            Self::Tls(stream) => Pin::new(stream).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(cx, buf),
            Self::Tls(stream) => Pin::new(stream).poll_write(cx, buf),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write_vectored(cx, parts),
            Self::Tls(stream) => Pin::new(stream).poll_write_vectored(cx, parts),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Plain(stream) => stream.is_write_vectored(),
            Self::Tls(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Self::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
