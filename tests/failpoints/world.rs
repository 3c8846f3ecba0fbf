//! One data folder, its server (whichever lives), and what was asked of it.

use crate::agents::Agent;
use crate::stub::Stub;
use crate::support::{Answer, Client, Heddle, Process, execute, execution};
use crate::template;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

/// Much longer than any recovery takes.
const PATIENCE: Duration = Duration::from_secs(20);

/// A start that was acknowledged.
#[derive(Clone, Debug)]
pub struct Accepted {
    pub agent: Agent,
    pub token: u64,
    pub run: String,
}

/// What is left of a case while it goes on.
pub struct World<'a> {
    pub heddle: &'a Heddle,
    pub stub: &'a Stub,
    pub key: String,
    pub graphs: HashMap<Agent, Value>,
    server: Mutex<Option<Process>>,
}

impl<'a> World<'a> {
    pub fn new(
        heddle: &'a Heddle,
        stub: &'a Stub,
        server: Process,
        key: String,
        graphs: HashMap<Agent, Value>,
    ) -> Self {
        Self { heddle, stub, key, graphs, server: Mutex::new(Some(server)) }
    }

    /// A client of the server that lives.
    pub fn client(&self) -> Client {
        Client::new(&self.address(), Some(self.key.clone()))
    }

    /// Where the server that lives is; one that has died is followed by another, which nothing befalls.
    pub fn address(&self) -> String {
        let mut server = self.server();
        if server.as_mut().is_none_or(Process::is_dead) {
            let next = template::start(self.heddle, self.stub, None);
            *server = Some(next.unwrap_or_else(|dead| panic!("it does not start again: {dead}")));
        }
        server.as_ref().unwrap().address.clone()
    }

    fn server(&self) -> MutexGuard<'_, Option<Process>> {
        self.server.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Stops the server that lives; what it has written on stdout.
    pub fn stop(&self) -> Vec<String> {
        self.server().take().map(Process::stop).unwrap_or_default()
    }

    /// Starts a run until that is acknowledged, always under the same key. `Prefer` says how long to wait for its end.
    pub fn start(&self, agent: Agent, token: u64, prefer: &str) -> Accepted {
        let headers = [("Idempotency-Key", &*format!("{agent:?}-{token}")), ("Prefer", prefer)];
        let path = execute(&self.graphs[&agent]);
        let answer = self.until(|client| {
            let told = (agent == Agent::Step).then(|| format!("http://{}/ended", self.stub.place()));
            let body = json!({"node_input": agent.inputs(token), "callback_url": told}).to_string();
            let answer = client.try_send("POST", &path, &headers, Some(body), || ());
            answer.ok().filter(|answer| answer.status == 200 || !is_refusal(answer))
        });
        Accepted { agent, token, run: answer.json()["id"].as_str().unwrap().to_owned() }
    }

    /// A run at its end, which comes without anybody's help.
    pub fn end(&self, agent: Agent, run: &str) -> Value {
        let path = format!("{}/results", execution(&self.graphs[&agent], run));
        self.until(|client| {
            let answer = client.try_send("GET", &path, &[], None, || ()).ok()?;
            if answer.status != 200 {
                is_refusal(&answer);
                return None;
            }
            let results = answer.json();
            ["COMPLETED", "FAILED", "TERMINATED"].map(Value::from).contains(&results["status"]).then_some(results)
        })
    }

    /// How often somebody was told of a run's end; waits for the first time.
    pub fn told(&self, run: &str) -> usize {
        self.until(|_| Some(self.stub.told(run)).filter(|count| *count > 0))
    }

    /// The ids of an agent's runs.
    pub fn runs(&self, agent: Agent) -> Vec<String> {
        let graph = self.graphs[&agent]["id"].as_str().unwrap();
        let path = format!("/external-api/v1/graphs/{graph}/executions?page_size=100");
        let listed = self.until(|client| {
            let answer = client.try_send("GET", &path, &[], None, || ()).ok()?;
            (answer.status == 200 || !is_refusal(&answer)).then(|| answer.json())
        });
        let runs = listed["executions"].as_array().unwrap().iter();
        runs.map(|run| run["id"].as_str().unwrap().to_owned()).collect()
    }

    /// Asks the server that lives until it has what is wanted.
    pub fn until<T>(&self, mut attempt: impl FnMut(&Client) -> Option<T>) -> T {
        let give_up = Instant::now() + PATIENCE;
        loop {
            if let Some(done) = attempt(&self.client()) {
                return done;
            }
            assert!(Instant::now() < give_up, "it does not recover by itself");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

/// Whether an answer says to try again, in the contract's words; any other refusal ends the test.
fn is_refusal(answer: &Answer) -> bool {
    let body = answer.json();
    let detail = body["detail"].as_str().unwrap_or_default();
    match answer.status {
        503 => assert!(!detail.is_empty() && !answer.header("retry-after").is_empty(), "{answer:?}"),
        409 => assert!(detail.contains("idempotency key"), "{answer:?}"),
        500 => assert_eq!(detail, "Internal server error", "{answer:?}"),
        _ => panic!("{answer:?}"),
    }
    assert!(!answer.body.contains("failpoint"), "an inner error is shown: {answer:?}");
    true
}
