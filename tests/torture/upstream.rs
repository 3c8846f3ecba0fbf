//! A server that blocks send requests to: it notes every effect with its key, and takes its time now and then.
//!
//! Connections are numbered in the order in which they were made, one request each. A mark is a connection of our own:
//! what has a higher number was begun after it. That tells effects of one server's life from those of the next, and
//! those from before an answer from those after it, whatever the threads here are doing.

use super::dice::Dice;
use super::model::Arrival;
use super::workload::heard;
use super::world::{Notice, World};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const MARK: &str = "MARK";

/// The stub.
pub struct Upstream {
    address: SocketAddr,
    arrivals: Arc<Mutex<Vec<Arrival>>>,
}

impl Upstream {
    /// Listens on a port of its own for as long as this process lives.
    pub fn start(world: Arc<World>, mut dice: Dice) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let arrivals = Arc::new(Mutex::new(Vec::new()));
        let noted = Arc::clone(&arrivals);
        std::thread::spawn(move || {
            for (number, stream) in (0..).zip(listener.incoming()) {
                let Ok(stream) = stream else { continue };
                let delay = dice.pick(&[(24, (0, 0)), (7, (20, 300)), (1, (1000, 1500))]);
                let delay = dice.millis(delay.0, delay.1);
                let (noted, world) = (Arc::clone(&noted), Arc::clone(&world));
                // Whoever breaks off in the middle has not had an effect.
                std::thread::spawn(move || serve(number, &stream, delay, &noted, &world));
            }
        });
        Self { address, arrivals }
    }

    /// `127.0.0.1:PORT`, for the settings.
    pub fn place(&self) -> String {
        self.address.to_string()
    }

    /// Where effects go.
    pub fn url(&self) -> String {
        format!("http://{}/effect", self.address)
    }

    /// The number of a connection made now.
    pub fn mark(&self) -> u64 {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.write_all(format!("{MARK} / HTTP/1.1\r\n\r\n").as_bytes()).unwrap();
        let mut number = String::new();
        stream.read_to_string(&mut number).unwrap();
        number.parse().unwrap()
    }

    /// All effects so far.
    pub fn arrivals(&self) -> Vec<Arrival> {
        self.arrivals.lock().unwrap().clone()
    }
}

fn serve(
    number: u64,
    mut stream: &TcpStream,
    delay: Duration,
    noted: &Mutex<Vec<Arrival>>,
    world: &World,
) -> Option<()> {
    let mut reader = BufReader::new(stream);
    let (method, headers) = head(&mut reader)?;
    if method == MARK {
        return stream.write_all(number.to_string().as_bytes()).ok();
    }
    let header = |name: &str| headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
    let mut body = vec![0; header("content-length")?.parse().ok()?];
    reader.read_exact(&mut body).ok()?;
    let body: Value = serde_json::from_slice(&body).ok()?;
    let label = body["label"].as_str().unwrap_or_default().to_owned();
    let key = header("idempotency-key").unwrap_or_default();
    let said = match body["numbered"] == true {
        true => json!({"number": number}).to_string(),
        false => json!({"said": heard(&label)}).to_string(),
    };
    noted.lock().unwrap().push(Arrival { connection: number, label, key });
    world.notice(Notice::EffectArrived);
    std::thread::sleep(delay);
    let answer = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{said}",
        said.len()
    );
    stream.write_all(answer.as_bytes()).ok()?;
    world.notice(Notice::EffectAnswered);
    Some(())
}

fn head(reader: &mut impl BufRead) -> Option<(String, Vec<(String, String)>)> {
    let mut lines = reader.lines().map_while(Result::ok);
    let method = lines.next()?.split(' ').next()?.to_owned();
    let mut headers = Vec::new();
    loop {
        match lines.next()?.split_once(':') {
            Some((name, value)) => headers.push((name.to_ascii_lowercase(), value.trim().to_owned())),
            None => return Some((method, headers)),
        }
    }
}
