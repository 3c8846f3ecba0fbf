//! A run at a glance, on its way to whoever ran it.

use heddle_model::{RunId, Status, Time};
use heddle_platform::runs::overview::{self, Overview};
use heddle_platform::{Error, Platform};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Between two looks; a busy run changes all the time.
const PAUSE: Duration = Duration::from_millis(100);

/// What has changed since the glance before.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Glance {
    /// Where the run stands.
    pub status: Status,
    /// The nodes that changed; in the first glance all.
    pub nodes: Vec<Node>,
}

/// What a node has done so far.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Node {
    /// Its place in the graph.
    pub index: u32,
    /// Its block's name.
    pub name: String,
    /// What tells it from others of the block.
    pub label: Option<String>,
    /// Executions by where they stand.
    pub waiting: u64,
    pub running: u64,
    pub in_review: u64,
    pub done: u64,
    pub failed: u64,
    pub stopped: u64,
    /// When the oldest of those that go on began.
    pub since: Option<Time>,
    /// How long those that have ended took, in microseconds.
    pub spent: u64,
    /// Its child runs.
    pub children: Option<Children>,
}

/// The child runs of a node taken together.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Children {
    /// The agent's name.
    pub name: String,
    /// How many go on, and how many of those wait for a person.
    pub running: u64,
    pub in_review: u64,
    /// Finished node executions, and those that failed.
    pub done: u64,
    pub failed: u64,
}

impl From<overview::Glance> for Glance {
    fn from(glance: overview::Glance) -> Self {
        Self { status: glance.status, nodes: glance.nodes.into_iter().map(Node::from).collect() }
    }
}

impl From<overview::NodeGlance> for Node {
    fn from(node: overview::NodeGlance) -> Self {
        let children = node.children.map(|children| Children {
            name: children.name,
            running: children.running,
            in_review: children.in_review,
            done: children.done,
            failed: children.failed,
        });
        Self {
            index: node.index,
            name: node.name,
            label: node.label,
            waiting: node.waiting,
            running: node.running,
            in_review: node.in_review,
            done: node.done,
            failed: node.failed,
            stopped: node.stopped,
            since: node.since,
            spent: u64::try_from(node.spent.as_micros()).unwrap_or(u64::MAX),
            children,
        }
    }
}

/// Watches a run, and looks no more often than anybody can read.
pub struct Follow {
    overview: Overview,
    has_looked: bool,
}

impl Follow {
    /// Begins with a run of an account.
    pub async fn open(platform: &Platform, user: Option<&str>, run: &str) -> Result<Self, Error> {
        let owner = super::account(platform, user).await?;
        let missing = || Error::NotFound(format!("Graph execution #{run} not found."));
        let overview = platform.runs.overview(owner.id, RunId::parse(run).ok_or_else(missing)?).await?;
        Ok(Self { overview, has_looked: false })
    }

    /// The next glance; `None` at the end.
    pub async fn next(&mut self) -> Option<Glance> {
        if std::mem::replace(&mut self.has_looked, true) {
            tokio::time::sleep(PAUSE).await;
        }
        self.overview.next().await.map(Glance::from)
    }
}
