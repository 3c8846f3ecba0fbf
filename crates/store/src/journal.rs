//! The engine's journal on the store.

use crate::cell::args;
use crate::db::Db;
use crate::frames::Append;
use crate::sql::{Sql, both};
use crate::{Error, RunRecord, Store, codec, runs};
use async_trait::async_trait;
use heddle_engine::journal::{Entry, Frame, JournalError, Review};
use heddle_engine::ports::{Awaiting, Due, Journal, Standing, Ticket};
use heddle_model::{GraphId, RunId, Time, UserId};
use std::sync::PoisonError;

/// From the frame that holds event `?2` on; where none does, from the first one after it.
const READ: Sql = both!(
    "SELECT first, last, body FROM frame WHERE run = ?1 AND first >= coalesce(\
    (SELECT max(first) FROM frame WHERE run = ?1 AND first <= ?2), 0) ORDER BY first LIMIT 64"
);

/// Frames read from one state of the database. Compaction may come between two pages: a page begins at an event, in
/// whichever frame that is then.
const PAGE: usize = 64;

#[async_trait]
impl Journal for Store {
    fn append(&self, frames: Vec<Frame>) -> Ticket {
        let (done, ticket) = Ticket::new();
        let calls = frames.iter().any(|frame| frame.callback_url.is_some());
        let heard = if calls { self.inner.callbacks.get().cloned() } else { None };
        let listed =
            |frame: &Frame| frame.opening.as_ref().map(|opening| opening.graph).filter(|id| self.is_listed(id));
        let frames = frames.into_iter().map(|frame| (listed(&frame), frame)).collect();
        self.inner.writer.queue(Box::new(Append::new(frames, done, heard)));
        ticket
    }

    async fn read(&self, run: RunId, from: u64) -> Result<Vec<Entry>, JournalError> {
        self.entries(run, from).await.map_err(JournalError::from)
    }

    async fn standing(&self, run: RunId) -> Result<Option<Standing>, JournalError> {
        Ok(self.run_standing(run).await?)
    }

    async fn due(&self, now: Time, after: Option<(Time, RunId)>, limit: usize) -> Result<Vec<Due>, JournalError> {
        Ok(self.runs_due(now, after, limit).await?)
    }

    async fn next_wake(&self, after: Time) -> Result<Option<Time>, JournalError> {
        Ok(self.next_run_due(after).await?)
    }

    async fn awaiting(&self, after: Option<RunId>, limit: usize) -> Result<Vec<Awaiting>, JournalError> {
        Ok(self.runs_awaiting(after, limit).await?)
    }

    async fn reviews(&self, owner: UserId, run: RunId) -> Result<Vec<Review>, JournalError> {
        Ok(self.reviews_of(owner, run).await?.into_iter().map(|record| record.review).collect())
    }
}

impl Store {
    fn is_listed(&self, graph: &GraphId) -> bool {
        self.inner.listed.read().unwrap_or_else(PoisonError::into_inner).contains(graph)
    }

    /// A run of one graph with all its events, in one question where they are few.
    pub async fn run_and_entries(
        &self,
        owner: UserId,
        graph: GraphId,
        run: RunId,
    ) -> Result<Option<(RunRecord, Vec<Entry>)>, Error> {
        let found = self.read(move |db| match runs::of_graph(db, owner, graph, run)? {
            Some(record) => page(db, run, 0).map(|page| Some((record, page))),
            None => Ok(None),
        });
        let Some((record, (mut entries, next))) = found.await? else { return Ok(None) };
        if let Some(next) = next {
            entries.extend(self.entries(run, next).await?);
        }
        Ok(Some((record, entries)))
    }

    /// The events of a run from number `from` on.
    pub async fn entries(&self, run: RunId, from: u64) -> Result<Vec<Entry>, Error> {
        let (mut entries, mut from) = (Vec::new(), from);
        loop {
            let (page, next) = self.read(move |db| page(db, run, from)).await?;
            match entries.is_empty() {
                true => entries = page,
                false => entries.extend(page),
            }
            match next {
                Some(next) => from = next,
                None => return Ok(entries),
            }
        }
    }
}

/// Some of a run's events, and the number to go on with if there may be more.
fn page(db: Db<'_>, run: RunId, from: u64) -> Result<(Vec<Entry>, Option<u64>), Error> {
    let (mut entries, mut frames, mut next) = (Vec::new(), 0, from);
    db.each(READ, &args![run, from], |row| {
        let first = row.count(0)?;
        let held = codec::decode_events(row.bytes(2)?)
            .map_err(|error| Error::Corrupt(format!("run {run}, frame {first}: {error}")))?;
        let past = usize::try_from(from.saturating_sub(first)).unwrap_or(usize::MAX);
        entries.extend(held.into_iter().skip(past));
        frames += 1;
        next = next.max(row.count(1)? + 1);
        Ok(())
    })?;
    Ok((entries, (frames == PAGE).then_some(next)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reading_on_starts_at_the_right_frame() {
        let plan = crate::sql::plan(READ);
        assert!(plan.contains("SEARCH frame USING INDEX sqlite_autoindex_frame_1 (run=? AND first>?)"), "{plan}");
        assert!(!plan.contains("SCAN frame") && !plan.contains("TEMP B-TREE"), "{plan}");
    }
}
