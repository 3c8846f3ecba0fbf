//! Which runs are driven, and who watches which.

use super::{Control, Progress};
use crate::driver::Channels;
use crate::ports::Lane;
use heddle_model::RunId;
use std::collections::HashMap;
use tokio::sync::{mpsc, watch};

/// Runs in memory, under one lock: a run is told something either before it leaves, and then it stays, or after, and
/// then it is woken.
#[derive(Default)]
pub(super) struct Live {
    handles: HashMap<RunId, Handle>,
    driven: usize,
    /// Runs that wait for a place, and in whose line.
    queued: HashMap<RunId, Lane>,
    closing: bool,
    /// Handles at which those that nobody needs are looked for.
    sweep_at: usize,
}

struct Handle {
    /// `None`: it is not driven, somebody only watches.
    control: Option<mpsc::UnboundedSender<Control>>,
    progress: watch::Sender<Progress>,
}

impl Live {
    /// A driver's ends for a run that nobody drives, and the watcher's; `None` when somebody does or all are closing.
    pub(super) fn register(&mut self, run: RunId) -> Option<(Channels, watch::Receiver<Progress>)> {
        if self.closing || self.is_driven(run) {
            return None;
        }
        let handle = self.handles.entry(run).or_insert_with(Handle::idle);
        let (sender, control) = mpsc::unbounded_channel();
        handle.control = Some(sender);
        handle.progress.send_if_modified(|progress| std::mem::take(&mut progress.is_parked));
        self.driven += 1;
        let progress = handle.progress.clone();
        let watcher = progress.subscribe();
        let channels = Channels {
            accepted: None,
            progress,
            control,
            first: None,
            stop: false,
            unborn: Vec::new(),
            place: None,
            generation: None,
            spent: None,
        };
        Some((channels, watcher))
    }

    /// New ends for a driven run whose driver has lost its own.
    pub(super) fn renew(&mut self, run: RunId) -> Option<Channels> {
        if let Some(handle) = self.handles.get_mut(&run) {
            self.driven -= usize::from(handle.control.take().is_some());
        }
        self.register(run).map(|(channels, _)| channels)
    }

    /// Says something to a run that is driven; gives it back when it is not.
    pub(super) fn say(&self, run: RunId, control: Control) -> Result<(), Control> {
        match self.handles.get(&run).and_then(|handle| handle.control.as_ref()) {
            Some(sender) => sender.send(control).map_err(|refused| refused.0),
            None => Err(control),
        }
    }

    /// Lets a run leave memory, unless it was told something.
    pub(super) fn leave(&mut self, run: RunId, channels: &mut Channels, is_parked: bool) -> bool {
        if let Ok(control) = channels.control.try_recv() {
            channels.first = Some(control);
            return false;
        }
        if let Some(handle) = self.handles.get_mut(&run) {
            handle.control = None;
            self.driven -= 1;
            handle.progress.send_if_modified(|progress| {
                progress.is_parked = is_parked;
                is_parked
            });
            if handle.progress.receiver_count() == 0 {
                self.handles.remove(&run);
            }
        }
        true
    }

    /// A run's row says that it is parked: those who began to follow it afterwards do not know.
    pub(super) fn set_parked(&self, run: RunId) {
        if let Some(handle) = self.handles.get(&run).filter(|handle| handle.control.is_none()) {
            handle.progress.send_if_modified(|progress| !std::mem::replace(&mut progress.is_parked, true));
        }
    }

    /// The run is over, or the process.
    pub(super) fn remove(&mut self, run: RunId) {
        if self.handles.remove(&run).is_some_and(|handle| handle.control.is_some()) {
            self.driven -= 1;
        }
    }

    /// Follows a run, driven or not.
    pub(super) fn watch(&mut self, run: RunId) -> Option<watch::Receiver<Progress>> {
        if self.closing && !self.handles.contains_key(&run) {
            return None;
        }
        self.sweep();
        Some(self.handles.entry(run).or_insert_with(Handle::idle).progress.subscribe())
    }

    /// Keeps the id of a run that waits for a place; false when it does already, or is driven.
    pub(super) fn queue(&mut self, run: RunId, lane: Lane) -> bool {
        if self.closing || self.is_driven(run) || self.is_queued(run) {
            return false;
        }
        self.queued.insert(run, lane);
        true
    }

    /// It does not wait any more; in whose line it did.
    pub(super) fn unqueue(&mut self, run: RunId) -> Option<Lane> {
        self.queued.remove(&run)
    }

    pub(super) fn is_queued(&self, run: RunId) -> bool {
        self.queued.contains_key(&run)
    }

    pub(super) fn is_driven(&self, run: RunId) -> bool {
        self.handles.get(&run).is_some_and(|handle| handle.control.is_some())
    }

    pub(super) fn driven(&self) -> usize {
        self.driven
    }

    pub(super) fn is_closing(&self) -> bool {
        self.closing
    }

    /// Tells every run to leave; no other may join.
    pub(super) fn close(&mut self) {
        self.closing = true;
        self.queued.clear();
        self.handles.retain(|_, handle| handle.control.is_some());
        for sender in self.handles.values().filter_map(|handle| handle.control.as_ref()) {
            let _ = sender.send(Control::Close);
        }
    }

    pub(super) fn is_emptied(&self) -> bool {
        self.driven == 0
    }

    /// Handles of runs that nobody drives stay while somebody watches.
    fn sweep(&mut self) {
        if self.handles.len() >= self.sweep_at {
            self.handles.retain(|_, handle| handle.control.is_some() || handle.progress.receiver_count() > 0);
            self.sweep_at = 1024 + 2 * self.handles.len();
        }
    }
}

impl Handle {
    fn idle() -> Self {
        Self { control: None, progress: watch::Sender::new(Progress::default()) }
    }
}
