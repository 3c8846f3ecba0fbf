//! One batch of the writer on PostgreSQL.
//!
//! What costs is waiting for answers. So neighbouring frames are sent together, with `BEGIN` before the first and, when
//! the batch holds nothing else, `COMMIT` right behind the last: one way there and back for all of them. A batch in which
//! something unforeseen happens is undone and done again piece by piece, each behind a savepoint.

use super::Connection;
use super::connection::ends_session;
use super::frames::{Idle, is_single, refusal, steps};
use crate::Error;
use crate::cell::args;
use crate::db::Db;
use crate::frames::Append;
use crate::writer::Work;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;

const IS_KEPT: &str = "SELECT FROM frame WHERE run = $1 AND first = $2 AND body = $3";

/// How the work of a batch left the transaction.
#[derive(PartialEq, Eq)]
enum End {
    /// Committed.
    Done,
    /// To be committed.
    Commit,
    /// To be undone: its only work failed.
    Undo,
    /// To be undone and done again piece by piece.
    Repeat,
}

/// Writes a batch.
pub(super) fn commit(db: Connection<'_>, batch: &mut [Box<dyn Work>]) -> Result<(), Error> {
    match finish(db, together(db, batch))? {
        End::Repeat => {
            db.run("BEGIN")?;
            finish(db, one_by_one(db, batch)).map(|_| ())
        }
        _ => Ok(()),
    }
}

/// After the connection broke in the middle of a batch and stands again. The lock is ours, so the session that had it has
/// ended, and whatever it has committed is there. What was kept is told so; frames of which nothing was kept are written
/// once more. Of interactive writes alone nobody can tell.
pub(super) fn settle(db: Connection<'_>, batch: &mut [Box<dyn Work>], why: Error) -> Result<(), Error> {
    let is_frames = batch.iter_mut().all(|work| work.frames().is_some());
    let mut appends: Vec<_> = batch.iter_mut().filter_map(|work| work.frames()).collect();
    let kept = appends.iter().map(|append| is_kept(db, append)).collect::<Result<Vec<_>, _>>()?;
    if !kept.contains(&Some(true)) {
        appends.iter_mut().for_each(|append| append.outcome = Ok(()));
        return if is_frames { commit(db, batch) } else { Err(why) };
    }
    for (append, kept) in appends.iter_mut().zip(kept) {
        append.outcome = if kept == Some(false) { Err(why.clone().into()) } else { Ok(()) };
    }
    Ok(())
}

/// Whether these frames are in the journal; `None` for frames without events, which leave no trace of their own.
fn is_kept(db: Connection<'_>, append: &Append) -> Result<Option<bool>, Error> {
    let mut kept = None;
    for frame in append.frames.iter().filter(|frame| frame.body.is_some()) {
        let rows = db.query(IS_KEPT, &args![frame.run, frame.first, frame.body])?;
        kept = Some(kept.unwrap_or(true) && !rows.is_empty());
    }
    Ok(kept)
}

/// Ends the transaction as the work left it.
fn finish(db: Connection<'_>, end: Result<End, Error>) -> Result<End, Error> {
    match end {
        Ok(End::Done) => {}
        Ok(End::Commit) => db.run("COMMIT")?,
        Ok(End::Undo | End::Repeat) => db.run("ROLLBACK")?,
        // The transaction may be over, and its connection too.
        Err(_) => drop(db.run("ROLLBACK")),
    }
    end
}

/// Does the work in order, sending neighbouring frames without waiting between them.
fn together(db: Connection<'_>, batch: &mut [Box<dyn Work>]) -> Result<End, Error> {
    if let [work] = batch
        && work.frames().is_none()
    {
        db.run("BEGIN")?;
        return Ok(if work.run(Db::Postgres(db)).is_ok() { End::Commit } else { End::Undo });
    }
    let is_simple = batch.iter_mut().all(|work| work.frames().is_some_and(|append| is_single(append)));
    let mut before = Some("BEGIN");
    let mut rest = batch;
    while !rest.is_empty() {
        let length = rest.iter_mut().map_while(|work| work.frames()).count();
        let (neighbours, others) = rest.split_at_mut(length);
        let mut appends: Vec<_> = neighbours.iter_mut().filter_map(|work| work.frames()).collect();
        let after = is_simple.then_some("COMMIT");
        if send(db, &mut appends, before.take(), after)? == End::Repeat {
            return Ok(End::Repeat);
        }
        let Some((other, further)) = others.split_first_mut() else { break };
        carefully(db, other)?;
        rest = further;
    }
    Ok(if is_simple { End::Done } else { End::Commit })
}

/// Does each piece behind a savepoint.
fn one_by_one(db: Connection<'_>, batch: &mut [Box<dyn Work>]) -> Result<End, Error> {
    for work in batch {
        carefully(db, work)?;
    }
    Ok(End::Commit)
}

/// Does one piece behind a savepoint. What it failed with it remembers; an error here is the connection's.
fn carefully(db: Connection<'_>, work: &mut Box<dyn Work>) -> Result<(), Error> {
    db.run("SAVEPOINT work")?;
    match work.run(Db::Postgres(db)) {
        Ok(()) => db.run("RELEASE work"),
        Err(_) => db.run("ROLLBACK TO work; RELEASE work"),
    }
}

type Answer<'a> = Pin<Box<dyn Future<Output = Result<u64, tokio_postgres::Error>> + 'a>>;

/// Sends frames, and what is to stand before and after them, and then waits for all answers.
fn send(
    db: Connection<'_>,
    appends: &mut [&mut Append],
    before: Option<&'static str>,
    after: Option<&'static str>,
) -> Result<End, Error> {
    let mut refused = Vec::new();
    let mut idles = Vec::with_capacity(appends.len());
    let mut answers: Vec<Answer<'_>> = Vec::with_capacity(appends.len() + 2);
    let bare = |text: &'static str| -> Answer<'_> {
        Box::pin(async move { db.client().batch_execute(text).await.map(|()| 1) })
    };
    answers.extend(before.map(bare));
    let first = answers.len();
    for (index, append) in appends.iter().enumerate() {
        match append.frames.iter().map(steps).collect::<Result<Vec<_>, _>>() {
            Ok(steps) => {
                for step in steps.into_iter().flatten() {
                    let statement = db.statement(step.text)?;
                    answers.push(Box::pin(async move { db.client().execute_raw(&statement, step.args).await }));
                    idles.push((index, step.idle));
                }
            }
            Err(why) => refused.push((index, why)),
        }
    }
    answers.extend(after.map(bare));
    let mut results = db.wait(all(&mut answers))?.into_iter();
    // Without its beginning there was no transaction, and what followed may have been kept piece by piece.
    results.by_ref().take(first).collect::<Result<Vec<_>, _>>().map_err(|error| db.failed(error))?;
    let touched = match results.collect::<Result<Vec<_>, _>>() {
        Ok(touched) => touched,
        Err(error) if ends_session(&error) => return Err(db.failed(error)),
        Err(_) => return Ok(End::Repeat),
    };
    for (&count, &(index, idle)) in touched.iter().zip(&idles) {
        if count == 0 && idle != Idle::Fine {
            match &appends[index].frames[..] {
                [frame] if is_single(appends[index]) => refused.push((index, refusal(db, frame))),
                _ => return Ok(End::Repeat),
            }
        }
    }
    drop(answers);
    for (index, why) in refused {
        appends[index].outcome = Err(why);
    }
    Ok(End::Commit)
}

/// Sends everything in order, which is what the first look at each does, and then waits for each.
async fn all(answers: &mut [Answer<'_>]) -> Vec<Result<u64, tokio_postgres::Error>> {
    let mut early: Vec<Option<Result<u64, tokio_postgres::Error>>> = Vec::with_capacity(answers.len());
    poll_fn(|cx| {
        for answer in answers.iter_mut() {
            early.push(match answer.as_mut().poll(cx) {
                Poll::Ready(result) => Some(result),
                Poll::Pending => None,
            });
        }
        Poll::Ready(())
    })
    .await;
    let mut results = Vec::with_capacity(answers.len());
    for (answer, early) in answers.iter_mut().zip(early) {
        results.push(match early {
            Some(result) => result,
            None => answer.await,
        });
    }
    results
}
