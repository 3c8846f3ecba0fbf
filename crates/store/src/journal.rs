//! The engine's journal on the store.

use crate::frames::Append;
use crate::{Error, Store, codec};
use async_trait::async_trait;
use heddle_engine::journal::{Entry, Frame, JournalError};
use heddle_engine::ports::{Journal, Ticket};
use heddle_model::RunId;
use rusqlite::params;

/// From the frame that holds event `?2` on; where none does, from the first one after it.
const READ: &str = "SELECT first, body FROM frame WHERE run = ?1 AND first >= coalesce(\
    (SELECT max(first) FROM frame WHERE run = ?1 AND first <= ?2), 0) ORDER BY first";

#[async_trait]
impl Journal for Store {
    fn append(&self, frames: Vec<Frame>) -> Ticket {
        let (done, ticket) = Ticket::new();
        if let Some(append) = Append::pack(frames, done) {
            self.inner.writer.queue(Box::new(append));
        }
        ticket
    }

    async fn read(&self, run: RunId, from: u64) -> Result<Vec<Entry>, JournalError> {
        let question = self.inner.readers.ask(move |db| {
            let from_number = i64::try_from(from).unwrap_or(i64::MAX);
            let mut statement = db.prepare_cached(READ)?;
            let mut rows = statement.query(params![run.0.as_bytes(), from_number])?;
            let mut entries = Vec::new();
            while let Some(row) = rows.next()? {
                let first = crate::sql::count(row, 0)?;
                let body = row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?;
                let held: Vec<Entry> = codec::decode(body)
                    .map_err(|error| Error::Corrupt(format!("run {run}, frame {first}: {error}")))?;
                let past = usize::try_from(from.saturating_sub(first)).unwrap_or(usize::MAX);
                entries.extend(held.into_iter().skip(past));
            }
            Ok(entries)
        });
        question.await.map_err(JournalError::from)
    }
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
