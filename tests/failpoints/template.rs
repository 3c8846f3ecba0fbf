//! The folder that most cases begin with: left by a kill in the middle of a run.

use crate::agents::Agent;
use crate::stub::Stub;
use crate::support::process::Stillborn;
use crate::support::{Client, Heddle, Process};
use serde_json::Value;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// Starts a server, with a plan of what goes wrong. Each first visit and each strike is noted in the file `hits`.
pub fn start(heddle: &Heddle, stub: &Stub, plan: Option<&str>) -> Result<Process, Stillborn> {
    Process::start(heddle, |command| {
        command.arg("--set").arg(format!("outbound.allow={}", stub.place()));
        if let Some(plan) = plan {
            command.env("HEDDLE_FAILPOINTS", plan).env("HEDDLE_FAILPOINTS_HITS", heddle.beside("hits"));
        }
    })
}

/// The folder, and what is in it.
pub struct Template {
    heddle: Heddle,
    pub key: String,
    pub graphs: HashMap<Agent, Value>,
    /// The run that waits for the stub.
    pub unfinished: (u64, String),
    /// A schedule of the chain that is due in the next year, and the token of its runs.
    pub schedule: (u64, String),
    program: PathBuf,
}

/// Another name of the binary: its usual one goes to whoever builds next, with failpoints or without.
fn own_program() -> PathBuf {
    let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join("heddle-with-failpoints");
    let _ = std::fs::remove_file(&program);
    std::fs::hard_link(env!("CARGO_BIN_EXE_heddle"), &program).unwrap();
    program
}

impl Template {
    pub fn new(stub: &Stub) -> Self {
        let program = own_program();
        let heddle = Heddle::new().built(program.clone());
        let server = start(&heddle, stub, Some("")).unwrap_or_else(|dead| panic!("{dead}"));
        assert!(heddle.beside("hits").exists(), "the binary has no failpoints");
        let key = heddle.key();
        let client = Client::new(&server.address, Some(key.clone()));
        let graphs = save(&client, stub);
        let schedule = (5, yearly(&heddle, &graphs[&Agent::Chain], 5));
        let token = 7;
        stub.hold(true);
        let run = client.start(&graphs[&Agent::Step], &Agent::Step.inputs(token));
        stub.wait_for(&Agent::label(token));
        server.kill();
        stub.hold(false);
        Self { heddle, key, graphs, unfinished: (token, run), schedule, program }
    }

    /// A folder that does not exist yet.
    pub fn nothing(&self) -> Heddle {
        Heddle::new().built(self.program.clone())
    }

    /// A copy of the folder.
    pub fn copy(&self) -> Heddle {
        let copy = self.nothing();
        std::fs::create_dir(copy.data()).unwrap();
        for entry in std::fs::read_dir(self.heddle.data()).unwrap().map(Result::unwrap) {
            // Sockets cannot be copied.
            if entry.file_type().unwrap().is_file() {
                std::fs::copy(entry.path(), copy.data().join(entry.file_name())).unwrap();
            }
        }
        copy
    }
}

/// Makes a schedule.
fn yearly(heddle: &Heddle, chain: &Value, token: u64) -> String {
    let inputs = Agent::Chain.inputs(token).to_string();
    let graph = chain["id"].as_str().unwrap();
    let words =
        ["schedule", "create", "--graph", graph, "--cron", "0 0 1 1 *", "--name", "yearly", "--inputs", &inputs];
    heddle.json(&words)["id"].as_str().unwrap().to_owned()
}

/// Saves the agents.
pub fn save(client: &Client, stub: &Stub) -> HashMap<Agent, Value> {
    Agent::ALL.into_iter().map(|agent| (agent, client.save(&agent.file(&stub.place())))).collect()
}
