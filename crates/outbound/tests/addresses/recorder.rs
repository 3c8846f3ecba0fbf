//! What was dialled, and a resolver that says what a test wants.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use heddle_outbound::{Client, Connect, Options, Resolve};
use tokio::net::TcpStream;

/// Stands for a server somewhere on the internet.
pub const PUBLIC: Ipv4Addr = Ipv4Addr::new(93, 184, 215, 14);

/// Writes down where a connection is to go. Those to [`PUBLIC`] go to a server of the test, if there is one; no other
/// comes about.
#[derive(Default)]
pub struct Recorder {
    dialled: Mutex<Vec<SocketAddr>>,
    public: Option<SocketAddr>,
}

impl Recorder {
    pub fn new(public: Option<SocketAddr>) -> Arc<Self> {
        Arc::new(Self { dialled: Mutex::default(), public })
    }

    /// What was dialled since the last look.
    pub fn take(&self) -> Vec<SocketAddr> {
        std::mem::take(&mut self.dialled.lock().expect("no panic while writing down"))
    }
}

#[async_trait::async_trait]
impl Connect for Recorder {
    async fn connect(&self, address: SocketAddr) -> io::Result<TcpStream> {
        self.dialled.lock().expect("no panic while writing down").push(address);
        match self.public.filter(|_| address.ip() == PUBLIC) {
            Some(server) => TcpStream::connect(server).await,
            None => Err(io::ErrorKind::ConnectionRefused.into()),
        }
    }
}

/// Names and what they stand for at the first, second … asking; the last answer stays.
pub struct Names {
    answers: Vec<(String, Vec<Vec<IpAddr>>)>,
    asked: AtomicUsize,
}

impl Names {
    pub fn none() -> Arc<Self> {
        Arc::new(Self { answers: Vec::new(), asked: AtomicUsize::new(0) })
    }

    pub fn of(name: &str, answers: &[&[IpAddr]]) -> Arc<Self> {
        let answers = answers.iter().map(|answer| answer.to_vec()).collect();
        Arc::new(Self { answers: vec![(name.to_owned(), answers)], asked: AtomicUsize::new(0) })
    }
}

#[async_trait::async_trait]
impl Resolve for Names {
    async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        if host == "public.example" {
            return Ok(vec![PUBLIC.into()]);
        }
        // What every system knows, whatever its letters and final dots.
        if host.trim_end_matches('.').rsplit('.').next() == Some("localhost") {
            return Ok(vec![Ipv4Addr::LOCALHOST.into(), "::1".parse().expect("an address")]);
        }
        let (_, answers) = self.answers.iter().find(|(name, _)| name == host).ok_or(io::ErrorKind::NotFound)?;
        Ok(answers[self.asked.fetch_add(1, Ordering::SeqCst).min(answers.len() - 1)].clone())
    }
}

/// A client without any entry in its policy.
pub fn client(recorder: &Arc<Recorder>, names: Arc<Names>) -> Client {
    let connector: Arc<dyn Connect> = Arc::<Recorder>::clone(recorder);
    let connect = Duration::from_secs(5);
    Client::new(Options { resolver: names, connector, connect, ..Options::default() })
}
