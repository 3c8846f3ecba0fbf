//! Frames on their way to disk: packed and put into the tables on the writer's thread, which waits for the disk half of its
//! time, while those that append have runs to carry.

mod sqlite;

use crate::cell::{Cell, args};
use crate::db::Db;
use crate::meter::Tally;
use crate::reviews::KeptReview;
use crate::sql::{Sql, both};
use crate::writer::Work;
use crate::{Callback, Error, clock, codec, credits, postgres};
use heddle_engine::credits::Charge;
use heddle_engine::journal::{Frame, JournalError, Opening, Row};
use heddle_fault as fault;
use heddle_model::{GraphId, RunId, Time, UserId};
use std::panic::{AssertUnwindSafe, catch_unwind};
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::oneshot;

pub(crate) const EVENT_COUNT: Sql = both!("SELECT event_count FROM run WHERE owner = ?1 AND id = ?2");

/// How long an idempotency key is held, in seconds.
pub(crate) const KEY_LIFETIME: i64 = 24 * 60 * 60;

/// A frame as it goes into the tables.
pub(crate) struct Packed {
    pub(crate) run: RunId,
    pub(crate) owner: UserId,
    pub(crate) first: u64,
    /// Number of the event after the last one.
    pub(crate) next: u64,
    /// `None` for a frame without events, which only moves the row.
    pub(crate) body: Option<Vec<u8>>,
    pub(crate) row: Row,
    pub(crate) opening: Option<Opening>,
    pub(crate) writes: Vec<(String, String)>,
    pub(crate) reviews: Vec<KeptReview>,
    pub(crate) callback_url: Option<String>,
    /// What it takes from the owner's wallet, and the key of the run's usage.
    pub(crate) charge: Option<(Charge, String)>,
    /// The children that a parked run waits for: see the migration.
    pub(crate) awaits: Option<Vec<u8>>,
    pub(crate) at: Time,
    /// What is counted of it.
    pub(crate) tally: Tally,
    /// The graph whose listing counts the run that it begins.
    pub(crate) listed: Option<GraphId>,
}

impl Packed {
    pub(crate) fn wake_at(&self) -> Option<Time> {
        self.row.parked.as_ref().and_then(|parked| parked.wake_at)
    }

    /// How it takes what it charges.
    pub(crate) fn takes(&self) -> Vec<(Sql, Vec<Cell<'_>>)> {
        match &self.charge {
            Some((charge, key)) => credits::take(&self.owner, charge, &self.run, key, self.at),
            None => Vec::new(),
        }
    }

    fn of(listed: Option<GraphId>, frame: Frame) -> Result<Self, Error> {
        let body = if frame.entries.is_empty() { None } else { Some(codec::encode_events(&frame.entries)?) };
        let writes = frame.writes.into_iter().map(|write| (write.key, write.value.to_string())).collect();
        Ok(Self {
            run: frame.run,
            owner: frame.owner,
            first: frame.first,
            next: frame.first + frame.entries.len() as u64,
            body,
            opening: frame.opening,
            writes,
            reviews: frame.reviews.into_iter().map(KeptReview::of).collect(),
            callback_url: frame.callback_url,
            charge: frame.charge.map(|charge| (charge, frame.run.to_string())),
            awaits: awaits(&frame.row),
            row: frame.row,
            at: frame.entries.last().map_or_else(clock::now, |entry| entry.at),
            tally: Tally::of(&frame.entries),
            listed,
        })
    }
}

fn awaits(row: &Row) -> Option<Vec<u8>> {
    let awaits = row.parked.as_ref().map(|parked| &parked.awaits[..]).filter(|awaits| !awaits.is_empty())?;
    let each = awaits.iter().flat_map(|(run, read)| run.0.as_bytes().iter().copied().chain(read.to_be_bytes()));
    Some(each.collect())
}

/// Frames that stand or fall together.
pub(crate) struct Append {
    /// As they came, before they are packed; each with the graph whose listing counts the run that it begins.
    unpacked: Vec<(Option<GraphId>, Frame)>,
    pub(crate) frames: Vec<Packed>,
    /// How it went, if the batch stands.
    pub(crate) outcome: Result<(), JournalError>,
    done: oneshot::Sender<Result<(), JournalError>>,
    /// Who hears of callbacks; `None` where there are none.
    heard: Option<UnboundedSender<Callback>>,
}

impl Append {
    /// Frames and whom to tell of them.
    pub(crate) fn new(
        unpacked: Vec<(Option<GraphId>, Frame)>,
        done: oneshot::Sender<Result<(), JournalError>>,
        heard: Option<UnboundedSender<Callback>>,
    ) -> Self {
        Self { unpacked, frames: Vec::new(), outcome: Ok(()), done, heard }
    }
}

/// Packs frames. A panic is an error like others: it concerns these frames, not the thread that everybody needs.
fn pack(frames: Vec<(Option<GraphId>, Frame)>) -> Result<Vec<Packed>, Error> {
    let pack = AssertUnwindSafe(|| {
        fault::point!("store.append.before")?;
        frames.into_iter().map(|(listed, frame)| Packed::of(listed, frame)).collect()
    });
    catch_unwind(pack).unwrap_or_else(|_| Err(Error::Disk("packing a frame panicked".to_owned())))
}

impl Work for Append {
    fn prepare(&mut self) -> Result<(), Error> {
        self.frames = pack(std::mem::take(&mut self.unpacked))?;
        Ok(())
    }

    fn run(&mut self, db: Db<'_>) -> Result<(), Error> {
        self.outcome = match db {
            Db::Sqlite(db) => self.frames.iter().try_for_each(|frame| sqlite::put(db, frame)),
            Db::Postgres(db) => self.frames.iter().try_for_each(|frame| postgres::frames::put(db, frame)),
        };
        self.outcome.clone().map_err(|error| Error::Disk(error.to_string()))
    }

    /// One frame fails at its first statement or hardly ever; an idempotency key is checked after the run's row.
    fn is_plain(&self) -> bool {
        matches!(&self.frames[..], [frame] if frame.opening.as_ref().is_none_or(|opening| opening.idempotency.is_none()))
    }

    fn frames(&mut self) -> Option<&mut Append> {
        Some(self)
    }

    fn answer(self: Box<Self>, batch: Result<(), Error>) {
        let outcome = self.outcome.and(batch.map_err(JournalError::from));
        drop(self.done.send(outcome));
        // Whatever the outcome: of a commit that failed nobody knows whether it took place.
        let Some(heard) = self.heard else { return };
        for Packed { run, owner, callback_url, at, .. } in self.frames {
            if let Some(url) = callback_url {
                drop(heard.send(Callback { run, owner, url, ended_at: at, due_at: at, attempts: 0 }));
            }
        }
    }
}

/// The run's row was not where the frame expects it.
pub(crate) fn why_refused(db: Db<'_>, frame: &Packed) -> JournalError {
    match db.first(EVENT_COUNT, &args![frame.owner, frame.run], |row| row.count(0)) {
        Ok(Some(count)) if count > frame.first => JournalError::Exists,
        Ok(Some(count)) => gap(frame, count),
        Ok(None) => JournalError::Disk(format!("run {} is not there", frame.run)),
        Err(error) => error.into(),
    }
}

/// The frame begins past the end of what is there.
pub(crate) fn gap(frame: &Packed, count: u64) -> JournalError {
    JournalError::Disk(format!("a frame of run {} begins at event {}, not at {count}", frame.run, frame.first))
}
