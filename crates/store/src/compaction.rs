//! Rewriting finished runs into few rows.
//!
//! A run that waited has a frame for each time it went on; nobody needs to know that any more. Neighbouring frames become
//! one of about a megabyte of JSON, packed harder than a commit has time for; events keep their numbers and every byte of
//! theirs. Each such row replaces the ones it was made of in one transaction, so a reader, who asks by event number, sees
//! either. `frame_count` says what is left: 1 for a run that is one row, 0 for a longer one that is as short as it gets;
//! both are no longer looked for.

use crate::cell::args;
use crate::codec::{self, Sheaf};
use crate::db::Db;
use crate::sql::{Sql, both};
use crate::{Error, Store};
use heddle_fault as fault;
use heddle_model::RunId;
use std::collections::HashSet;

const RUNS: Sql = both!("SELECT id FROM run WHERE ended_at IS NOT NULL AND frame_count > 1 ORDER BY ended_at LIMIT ?1");
const FRAMES: Sql = both!("SELECT first, last, body FROM frame WHERE run = ?1 AND first >= ?2 ORDER BY first LIMIT 64");
const REMOVE: Sql = both!("DELETE FROM frame WHERE run = ?1 AND first >= ?2 AND last <= ?3");
const INSERT: Sql = both!("INSERT INTO frame (run, first, last, body) VALUES (?1, ?2, ?3, ?4)");
const MARK: Sql = both!("UPDATE run SET frame_count = ?2 WHERE id = ?1 AND ended_at IS NOT NULL");

/// Runs that are done together when they are short.
const TOGETHER: i64 = 16;

/// Bytes of JSON in one row at most, unless a single frame has more.
const ROW: usize = 1 << 20;

/// Packed bytes taken from the database in one step, about.
const STEP: usize = 1 << 20;

/// Where compaction stands.
#[derive(Clone, Debug, Default)]
pub struct Compaction {
    /// In the middle of a long run: the next event.
    within: Option<(RunId, u64)>,
    /// What could not be understood; left as it is.
    damaged: HashSet<RunId>,
}

/// What one step did.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Compacted {
    /// Runs that are as short as they get now.
    pub runs: u64,
    /// Rows before and after.
    pub rows: (u64, u64),
    /// Bytes before and after.
    pub bytes: (u64, u64),
    /// Whether there was nothing to do.
    pub is_over: bool,
}

/// Neighbouring frames of one run.
struct Piece {
    run: RunId,
    frames: Vec<(u64, u64, Vec<u8>)>,
    /// Whether the run ends with them, and how many rows it has then.
    is_last: Option<u64>,
}

/// A piece as it goes back.
struct Rewritten {
    piece: Piece,
    /// `None`: nothing is won.
    body: Option<Vec<u8>>,
}

impl Store {
    /// Goes on with the finished runs: rewrites a few short ones or a piece of a long one.
    pub async fn compact(&self, state: &mut Compaction) -> Result<Compacted, Error> {
        let (within, damaged) = (state.within, state.damaged.clone());
        let pieces = self.read(move |db| db.snapshot(|db| pieces(db, within, &damaged))).await?;
        if pieces.is_empty() {
            return Ok(Compacted { is_over: true, ..Compacted::default() });
        }
        let packed = tokio::task::spawn_blocking(move || pieces.into_iter().map(rewrite).collect::<Vec<_>>()).await;
        let packed = packed.map_err(|error| Error::Disk(format!("packing failed: {error}")))?;
        let mut good = Vec::new();
        for outcome in packed {
            match outcome {
                Ok(rewritten) => good.push(rewritten),
                Err((run, error)) => {
                    tracing::error!(run.id = %run, "run {run} cannot be compacted and stays as it is: {error}");
                    state.within = None;
                    state.damaged.insert(run);
                }
            }
        }
        let mut done = Compacted::default();
        for Rewritten { piece, body } in &good {
            let before: usize = piece.frames.iter().map(|(.., body)| body.len()).sum();
            done.runs += u64::from(piece.is_last.is_some());
            done.rows.0 += piece.frames.len() as u64;
            done.rows.1 += body.as_ref().map_or(piece.frames.len() as u64, |_| 1);
            done.bytes.0 += before as u64;
            done.bytes.1 += body.as_ref().map_or(before, Vec::len) as u64;
            let next = piece.frames.last().map_or(0, |(_, last, _)| last + 1);
            state.within = piece.is_last.is_none().then_some((piece.run, next));
        }
        fault::point!("store.compact.packed")?;
        self.write(move |db| good.iter().try_for_each(|rewritten| put(db, rewritten))).await?;
        Ok(done)
    }
}

/// What to do next: short runs in whole, or the next piece of a long one.
fn pieces(db: Db<'_>, within: Option<(RunId, u64)>, damaged: &HashSet<RunId>) -> Result<Vec<Piece>, Error> {
    if let Some((run, from)) = within {
        return Ok(vec![piece(db, run, from)?]);
    }
    let limit = TOGETHER.saturating_add(damaged.len() as i64);
    let runs = db.all(RUNS, &args![limit], |row| Ok(RunId(row.id(0)?)))?;
    let mut pieces = Vec::new();
    let mut bytes = 0;
    for run in runs.into_iter().filter(|run| !damaged.contains(run)) {
        let piece = piece(db, run, 0)?;
        bytes += piece.frames.iter().map(|(.., body)| body.len()).sum::<usize>();
        // A long run comes alone, because only one can be gone on with.
        if !pieces.is_empty() && (piece.is_last.is_none() || bytes > STEP) {
            break;
        }
        let is_long = piece.is_last.is_none();
        pieces.push(piece);
        if is_long {
            break;
        }
    }
    Ok(pieces)
}

/// As many frames as make one row.
fn piece(db: Db<'_>, run: RunId, from: u64) -> Result<Piece, Error> {
    let mut frames: Vec<(u64, u64, Vec<u8>)> = Vec::new();
    let (mut size, mut seen, mut is_full) = (0, 0, false);
    db.each(FRAMES, &args![run, from], |row| {
        seen += 1;
        let body = row.bytes(2)?;
        size += codec::unpacked_size(body);
        is_full |= !frames.is_empty() && size > ROW;
        if !is_full {
            frames.push((row.count(0)?, row.count(1)?, body.to_vec()));
        }
        Ok(())
    })?;
    // Fewer than were asked for, and all of them taken.
    let is_end = !is_full && seen < 64;
    let rows = u64::from(from == 0);
    Ok(Piece { run, frames, is_last: is_end.then_some(rows) })
}

fn rewrite(piece: Piece) -> Result<Rewritten, (RunId, Error)> {
    let run = piece.run;
    let body = join(&piece).map_err(|error| (run, error))?;
    let before: usize = piece.frames.iter().map(|(.., body)| body.len()).sum();
    // A frame that stands alone is only written again if that is worth it.
    let is_worth = piece.frames.len() > 1 || body.len() < before - before / 20;
    let body = (!piece.frames.is_empty() && is_worth).then_some(body);
    Ok(Rewritten { piece, body })
}

fn join(piece: &Piece) -> Result<Vec<u8>, Error> {
    let mut sheaf = Sheaf::default();
    let mut next = None;
    for (first, last, body) in &piece.frames {
        if next.is_some_and(|next| next != *first) {
            return Err(Error::Corrupt(format!("frame {first} does not follow")));
        }
        next = Some(last + 1);
        sheaf.add(body)?;
    }
    sheaf.pack()
}

fn put(db: Db<'_>, Rewritten { piece, body }: &Rewritten) -> Result<(), Error> {
    if let (Some(body), Some((first, ..)), Some((_, last, _))) = (body, piece.frames.first(), piece.frames.last()) {
        // Gone when the run was removed meanwhile.
        if db.execute(REMOVE, &args![piece.run, *first, *last])? != piece.frames.len() as u64 {
            return Ok(());
        }
        fault::point!("store.compact.put")?;
        db.execute(INSERT, &args![piece.run, *first, *last, *body])?;
    }
    if let Some(rows) = piece.is_last {
        db.execute(MARK, &args![piece.run, rows])?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_to_be_done_is_found_by_its_index() {
        for (sql, index) in [
            (RUNS, "run_to_compact"),
            (FRAMES, "(run=? AND first>?)"),
            (REMOVE, "(run=? AND first>?)"),
            (MARK, "PRIMARY KEY (id=?)"),
        ] {
            let plan = crate::sql::plan(sql);
            assert!(plan.contains(index) && !plan.contains("TEMP B-TREE"), "{sql:?}: {plan}");
        }
    }
}
