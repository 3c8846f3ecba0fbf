//! HTTPS in front of a server, as its operator would have it: libraries refuse anything else, and so it is how they are tried.

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose};
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

/// What listens with TLS and passes on what it hears; it ends with the process.
pub struct Https {
    /// `https://127.0.0.1:PORT`
    pub address: String,
    /// The certificate to trust, as PEM.
    pub root: String,
    behind: Arc<OnceLock<SocketAddr>>,
}

impl Https {
    /// Listens; nobody is behind it yet.
    pub fn start() -> Self {
        let (config, root) = identity();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = format!("https://{}", listener.local_addr().unwrap());
        let behind = Arc::new(OnceLock::new());
        let server = Arc::clone(&behind);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().unwrap();
        std::thread::spawn(move || runtime.block_on(serve(listener, config, server)));
        Self { address, root, behind }
    }

    /// Says who answers: `http://127.0.0.1:PORT`.
    pub fn lead_to(&self, address: &str) {
        self.behind.set(address.strip_prefix("http://").unwrap().parse().unwrap()).unwrap();
    }
}

async fn serve(listener: std::net::TcpListener, config: ServerConfig, server: Arc<OnceLock<SocketAddr>>) {
    let listener = TcpListener::from_std(listener).unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let (acceptor, server) = (acceptor.clone(), *server.get().unwrap());
        tokio::spawn(async move {
            let (mut here, mut there) = (acceptor.accept(stream).await?, TcpStream::connect(server).await?);
            tokio::io::copy_bidirectional(&mut here, &mut there).await
        });
    }
}

fn identity() -> (ServerConfig, String) {
    let mut root = CertificateParams::default();
    root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    root.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    let root = CertifiedIssuer::self_signed(root, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let mut leaf = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
    // A certificate whose names are both the same counts as its own issuer.
    leaf.distinguished_name.push(DnType::CommonName, "heddle");
    leaf.use_authority_key_identifier_extension = true;
    let leaf = leaf.signed_by(&key, &root).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![leaf.der().clone()], PrivateKeyDer::Pkcs8(key.serialize_der().into()))
        .unwrap();
    (config, root.pem())
}
