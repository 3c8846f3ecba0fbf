//! Who is to be told that a run has ended. A row comes with the frame that ends the run, and goes when it was heard or
//! given up.

use crate::cell::{Row, args};
use crate::sql::{Sql, both};
use crate::{Error, Store};
use heddle_model::{RunId, Time, UserId};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use uuid::Uuid;

/// Run, owner, address, when it ended.
pub(crate) const PUT: Sql = both!(
    "INSERT INTO callback (run, owner, url, ended_at, due_at, attempts) VALUES (?1, ?2, ?3, ?4, ?4, 0) \
    ON CONFLICT (run) DO NOTHING"
);
const DUE: Sql = both!(
    "SELECT run, owner, url, ended_at, due_at, attempts FROM callback \
    WHERE due_at <= ?1 AND (due_at, run) > (?2, ?3) ORDER BY due_at, run LIMIT ?4"
);
const NEXT: Sql = both!("SELECT min(due_at) FROM callback WHERE due_at > ?1");
const ONE: Sql =
    both!("SELECT run, owner, url, ended_at, due_at, attempts FROM callback WHERE run = ?2 AND owner = ?1");
const POSTPONE: Sql = both!("UPDATE callback SET due_at = ?3, attempts = ?4 WHERE run = ?2 AND owner = ?1");
const REMOVE: Sql = both!("DELETE FROM callback WHERE run = ?2 AND owner = ?1");

/// A run whose end somebody is to be told of.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Callback {
    /// The run.
    pub run: RunId,
    /// Whose it is.
    pub owner: UserId,
    /// Where to say it.
    pub url: String,
    /// When it ended.
    pub ended_at: Time,
    /// When to try next.
    pub due_at: Time,
    /// How often it was tried in vain.
    pub attempts: u32,
}

fn read_callback(row: &Row<'_>) -> Result<Callback, Error> {
    Ok(Callback {
        run: RunId(row.id(0)?),
        owner: UserId(row.id(1)?),
        url: row.text(2)?,
        ended_at: row.time(3)?,
        due_at: row.time(4)?,
        attempts: u32::try_from(row.count(5)?).unwrap_or(u32::MAX),
    })
}

impl Store {
    /// Hears of callbacks from now on, as soon as their frames are on disk: what is heard may have failed to get there,
    /// so the row decides. Only the first one who asks hears anything.
    pub fn hear_callbacks(&self) -> Option<UnboundedReceiver<Callback>> {
        let (sender, receiver) = unbounded_channel();
        self.inner.callbacks.set(sender).ok().map(|()| receiver)
    }

    /// Everybody's callbacks that are due, oldest first, after the one that was due then.
    pub async fn due_callbacks(
        &self,
        now: Time,
        after: Option<(Time, RunId)>,
        limit: usize,
    ) -> Result<Vec<Callback>, Error> {
        let (at, run) = after.unwrap_or((Time(i64::MIN), RunId(Uuid::nil())));
        self.read(move |db| db.all(DUE, &args![now, at, run, limit as i64], read_callback)).await
    }

    /// When the first of everybody's callbacks is due that is not yet.
    pub async fn next_callback(&self, now: Time) -> Result<Option<Time>, Error> {
        self.read(move |db| db.one(NEXT, &args![now], |row| row.time_option(0))).await
    }

    /// The callback of a run, as long as there is one.
    pub async fn callback(&self, owner: UserId, run: RunId) -> Result<Option<Callback>, Error> {
        self.read(move |db| db.first(ONE, &args![owner, run], read_callback)).await
    }

    /// Notes that it was tried so often in vain, and when to try again.
    pub async fn postpone_callback(&self, owner: UserId, run: RunId, at: Time, attempts: u32) -> Result<(), Error> {
        self.write(move |db| {
            db.execute(POSTPONE, &args![owner, run, at, i64::from(attempts)])?;
            Ok(())
        })
        .await
    }

    /// Nobody is to be told any more.
    pub async fn remove_callback(&self, owner: UserId, run: RunId) -> Result<(), Error> {
        self.write(move |db| {
            db.execute(REMOVE, &args![owner, run])?;
            Ok(())
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn callbacks_are_found_by_an_index() {
        for (sql, index) in [
            (DUE, "callback_due ("),
            (NEXT, "callback_due (due_at>?)"),
            (ONE, "PRIMARY KEY (run=?)"),
            (POSTPONE, "PRIMARY KEY (run=?)"),
            (REMOVE, "PRIMARY KEY (run=?)"),
        ] {
            let plan = crate::sql::plan(sql);
            assert!(plan.contains(index), "{sql:?}: {plan}");
            assert!(!plan.contains("TEMP B-TREE"), "{sql:?}: {plan}");
        }
    }
}
