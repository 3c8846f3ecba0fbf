//! What a block that may wait says to its run, and what it asks of it.

use super::{Driver, Message};
use crate::host::Host;
use crate::ports::{Call, Called, Failure, Lane, Sink};
use crate::tool::Tool;
use async_trait::async_trait;
use heddle_model::{Usage, Value};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::task::Poll;
use tokio::sync::{mpsc, oneshot};

/// Values that a task may emit before it has to wait for its driver.
const ROOM: usize = 64;

/// One thing that a block said.
#[derive(Debug)]
pub(crate) enum Said {
    /// A value on a pin.
    Output(String, Value),
    /// A note for later attempts, and what it took.
    Noted(Option<Value>, Usage),
    /// A call, and who is told of its end.
    Called(Call, oneshot::Sender<Called>),
}

/// A block's end of the line.
pub(super) struct Outbox {
    said: Arc<Mutex<Vec<Said>>>,
    post: (u32, mpsc::Sender<Message>),
    /// What is left to recall.
    notes: VecDeque<Value>,
    tools: Arc<[Tool]>,
    host: Arc<Host>,
    lane: Lane,
}

/// The other end: what the task has said and its driver has not heard yet.
///
/// It is handed on when the task waits for something else. What it says right before its end goes with that end, in one
/// frame: an output without the end would have the next start run the block again, and another answer then would be a
/// second output.
pub(super) struct Post {
    said: Arc<Mutex<Vec<Said>>>,
    exec: u32,
    sender: mpsc::Sender<Message>,
}

impl Driver {
    /// The line between this run and a block that it starts.
    pub(super) fn outbox(&mut self, exec: u32) -> Outbox {
        let state = &self.machine.execs[exec as usize];
        let skipped = |tool: &&Tool| !self.machine.is_skipped(tool.node);
        let tools = &self.machine.plan.node(state.node).tools;
        let tools = if tools.iter().all(|tool| skipped(&tool)) {
            Arc::clone(tools)
        } else {
            tools.iter().filter(skipped).cloned().collect()
        };
        Outbox {
            said: Arc::default(),
            post: (exec, self.inbox.sender()),
            notes: state.notes.clone().into(),
            tools,
            host: Arc::clone(&self.host),
            lane: self.lane(),
        }
    }
}

impl Outbox {
    /// The end that hands on.
    pub(super) fn post(&self) -> Post {
        Post { said: Arc::clone(&self.said), exec: self.post.0, sender: self.post.1.clone() }
    }

    /// Without end and without a pause: lets the driver have its turn.
    async fn say(&mut self, what: Said) {
        let waiting = {
            let mut said = self.said.lock().expect("nothing panics while it holds the lock");
            said.push(what);
            said.len()
        };
        if waiting >= ROOM {
            tokio::task::yield_now().await;
        }
    }
}

impl Post {
    fn take(&self) -> Vec<Said> {
        std::mem::take(&mut self.said.lock().expect("nothing panics while it holds the lock"))
    }

    /// Follows the work to its end; held back while the driver is behind.
    pub(super) async fn hand_on<T>(&self, work: impl Future<Output = T>) -> T {
        tokio::pin!(work);
        loop {
            let (end, said) = std::future::poll_fn(|cx| match work.as_mut().poll(cx) {
                Poll::Ready(end) => Poll::Ready((Some(end), Vec::new())),
                Poll::Pending => match self.take() {
                    none if none.is_empty() => Poll::Pending,
                    said => Poll::Ready((None, said)),
                },
            })
            .await;
            if let Some(end) = end {
                return end;
            }
            for said in said {
                // A driver that has gone aborts this task too.
                let _ = self.sender.send(self.message(said)).await;
            }
        }
    }

    fn message(&self, said: Said) -> Message {
        match said {
            Said::Output(pin, value) => Message::Output(self.exec, pin, value),
            Said::Noted(note, usage) => Message::Noted(self.exec, note, usage),
            Said::Called(call, reply) => Message::Called(self.exec, call, reply),
        }
    }

    /// Says the rest, and how it ended.
    pub(super) async fn finish(&self, result: Result<(), Failure>) {
        let _ = self.sender.send(Message::Finished(self.exec, self.take(), result)).await;
    }
}

#[async_trait]
impl Sink for Outbox {
    async fn emit(&mut self, pin: &str, value: Value) {
        self.say(Said::Output(pin.to_owned(), value)).await;
    }

    fn recall(&mut self) -> Option<Value> {
        self.notes.pop_front()
    }

    async fn note(&mut self, note: Option<Value>, usage: Usage) {
        self.say(Said::Noted(note, usage)).await;
    }

    fn tools(&self) -> Arc<[Tool]> {
        Arc::clone(&self.tools)
    }

    async fn call(&mut self, calls: Vec<Call>) -> Vec<Called> {
        let mut ends = Vec::new();
        for call in calls {
            let (reply, end) = oneshot::channel();
            self.say(Said::Called(call, reply)).await;
            ends.push(end);
        }
        let lost = || Called::Failed("the run has ended".to_owned());
        futures::future::join_all(ends).await.into_iter().map(|end| end.unwrap_or_else(|_| lost())).collect()
    }

    async fn turn(&mut self, provider: &str) -> Option<Box<dyn Send>> {
        let place = self.host.call_place(provider.to_owned(), self.lane).await?;
        Some(Box::new(place))
    }
}
