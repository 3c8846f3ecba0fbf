//! What waiting work reports, in a channel that is made when the first such work begins: most runs have none.

use super::Message;
use tokio::sync::mpsc::{self, Receiver, Sender};

/// Messages that may queue up before those who send are held back.
pub(super) const ROOM: usize = 64;

/// Messages of one driver's tasks.
#[derive(Default)]
pub(super) struct Inbox(Option<(Sender<Message>, Receiver<Message>)>);

impl Inbox {
    /// For a task.
    pub(super) fn sender(&mut self) -> Sender<Message> {
        self.0.get_or_insert_with(|| mpsc::channel(ROOM)).0.clone()
    }

    /// Waits for the next one; for ever while nobody can send.
    pub(super) async fn next(&mut self) -> Message {
        match &mut self.0 {
            Some((_, receiver)) => receiver.recv().await.expect("its own sender is kept beside it"),
            None => std::future::pending().await,
        }
    }

    /// The next one, if it is there.
    pub(super) fn try_next(&mut self) -> Option<Message> {
        self.0.as_mut().and_then(|(_, receiver)| receiver.try_recv().ok())
    }
}
