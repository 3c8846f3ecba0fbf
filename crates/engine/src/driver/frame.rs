//! Frames on their way to disk, and what follows when they are there.

use super::{Driver, Flight, Prepared};
use crate::host::Progress;
use crate::journal::{Entry, Frame, JournalError, Opening};
use crate::machine::Machine;

impl Driver {
    /// Sends off what is pending, unless a frame is on its way already.
    pub(super) fn flush(&mut self) {
        if self.flight.is_none() && !self.pending.is_empty() {
            self.send_frame();
        }
    }

    /// Sends off a frame; one without events moves only the row.
    pub(super) fn send_frame(&mut self) {
        let entries = std::mem::take(&mut self.pending);
        let first = self.next - entries.len() as u64;
        let accepted = self.machine.accepted.as_ref().expect("a driven run was accepted");
        let has_ended = self.machine.has_ended();
        let parked = self.parking();
        let mut frames = vec![Frame {
            run: self.machine.run,
            first,
            entries,
            row: crate::journal::Row { parked: parked.clone(), ..self.machine.row() },
            opening: self.opening.take(),
            writes: std::mem::take(&mut self.writes),
            reviews: std::mem::take(&mut self.reviews),
            callback_url: if has_ended { accepted.callback_url.clone() } else { None },
            owner: accepted.owner,
            charge: self.charge.take(),
        }];
        for (exec, child) in self.births.drain(..) {
            let Prepared { machine, entries, opening, generation } = *child;
            frames.push(first_frame(&machine, entries, opening));
            self.newborn.push((exec, machine, generation));
        }
        let news = self.machine.news > first && self.machine.is_child();
        let ticket = self.host.ports.journal.append(frames);
        self.flight = Some(Flight { ticket, upto: self.next, parked, news });
    }

    pub(super) fn on_durable(&mut self, result: Result<(), JournalError>) -> Result<(), JournalError> {
        let Flight { upto, parked, news, .. } = self.flight.take().expect("only a frame on its way becomes durable");
        if let Some(accepted) = self.channels.accepted.take() {
            // The caller may have gone; the run is on disk all the same.
            let _ = accepted.send(result.clone());
        }
        result?;
        (self.durable, self.parked) = (upto, parked);
        self.launch_newborn();
        self.release_held();
        self.tell_durable(upto, news);
        Ok(())
    }

    fn launch_newborn(&mut self) {
        for (exec, machine, generation) in std::mem::take(&mut self.newborn) {
            self.launch_child(exec, machine, generation);
        }
    }

    /// Runs what waited for the disk.
    fn release_held(&mut self) {
        while self.held.front().is_some_and(|(needed, _)| *needed <= self.durable) {
            let (_, exec) = self.held.pop_front().expect("there is a front");
            // A process that closes would only cut it off.
            if !self.machine.has_ended() && !self.closing {
                self.run_block(exec);
            }
        }
    }

    fn tell_durable(&mut self, upto: u64, news: bool) {
        while let Some(at) = self.replies.iter().position(|(needed, _)| *needed <= upto) {
            self.replies.swap_remove(at).1.kept();
        }
        if !self.machine.has_ended() {
            self.channels.progress.send_replace(Progress { events: upto, ended: None, is_parked: false });
        }
        let parent = self.machine.accepted.as_ref().and_then(|accepted| accepted.parent);
        if let Some(parent) = parent.filter(|_| news) {
            self.host.tell(parent.run, self.machine.run, self.machine.news);
        }
    }
}

/// The frame that accepts a run whose driver has not begun.
fn first_frame(machine: &Machine, entries: Vec<Entry>, opening: Opening) -> Frame {
    Frame {
        run: machine.run,
        first: 0,
        entries,
        row: machine.row(),
        opening: Some(opening),
        writes: Vec::new(),
        reviews: Vec::new(),
        callback_url: None,
        owner: machine.accepted.as_ref().expect("a prepared run was accepted").owner,
        charge: None,
    }
}

/// Waits for the frame on its way; for ever when there is none.
pub(super) async fn durable(flight: &mut Option<Flight>) -> Result<(), JournalError> {
    match flight {
        Some(flight) => flight.ticket.durable().await,
        None => std::future::pending().await,
    }
}
