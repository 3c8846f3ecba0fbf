//! Schedules: what an account has started by itself, and when next. Knows nothing of cron; the times come from outside.

use crate::cell::{Row, args};
use crate::sql::{Sql, both};
use crate::{Error, Store};
use heddle_model::{GraphId, Object, OrgId, ScheduleId, Time, UserId, Value};

macro_rules! columns {
    () => {
        "id, owner, organization, graph_id, graph_version, name, agent_name, cron, time_zone, inputs, credentials, \
         created_at, next_run_at"
    };
}

const INSERT: Sql = both!(concat!(
    "INSERT INTO schedule (",
    columns!(),
    ", counted_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?12)"
));
const OF_OWNER: Sql = both!(concat!("SELECT ", columns!(), " FROM schedule WHERE owner = ?1 ORDER BY next_run_at, id"));
const BY_ID: Sql = both!(concat!("SELECT ", columns!(), " FROM schedule WHERE owner = ?1 AND id = ?2"));
const REMOVE: Sql = both!("DELETE FROM schedule WHERE owner = ?1 AND id = ?2");
const REMOVE_OF_GRAPH: Sql = both!("DELETE FROM schedule WHERE owner = ?1 AND graph_id = ?2");
const MOVE: Sql =
    both!("UPDATE schedule SET next_run_at = ?4, counted_at = ?5 WHERE owner = ?1 AND id = ?2 AND next_run_at = ?3");
/// Each account's first, then each one's second, … Materialized, or SQLite walks all schedules in the accounts' order.
const DUE: Sql = both!(
    "WITH due AS MATERIALIZED (SELECT owner, id, next_run_at FROM schedule WHERE next_run_at <= ?1) \
    SELECT owner, id, next_run_at FROM (SELECT owner, id, next_run_at, \
    row_number() OVER (PARTITION BY owner ORDER BY next_run_at, id) AS turn FROM due) AS turns \
    ORDER BY turn, next_run_at, id LIMIT ?2"
);
const NEXT: Sql = both!("SELECT min(next_run_at) FROM schedule WHERE next_run_at > ?1");
/// Asked when a clock was put back, and at a start: rare enough to look at every row.
const COUNTED_AFTER: Sql = both!("SELECT owner, id, next_run_at FROM schedule WHERE counted_at > ?1 ORDER BY id");

/// A schedule.
#[derive(Clone, PartialEq, Debug)]
pub struct Schedule {
    /// Its id.
    pub id: ScheduleId,
    /// Whose.
    pub owner: UserId,
    /// In which organization.
    pub organization: OrgId,
    /// What is started.
    pub graph: GraphId,
    /// Its version.
    pub version: i64,
    /// For people.
    pub name: String,
    /// The graph's name.
    pub agent_name: String,
    /// When: five fields, as given.
    pub cron: String,
    /// By which clocks: IANA name.
    pub time_zone: String,
    /// The run inputs.
    pub inputs: Object,
    /// Field → reference to a credential.
    pub credentials: Object,
    /// When it was made.
    pub created_at: Time,
    /// The slot that comes next; one in the past is made up for.
    pub next_run_at: Time,
}

/// A slot that has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DueSchedule {
    /// Whose.
    pub owner: UserId,
    /// Which.
    pub id: ScheduleId,
    /// The slot.
    pub slot: Time,
}

fn read_schedule(row: &Row<'_>) -> Result<Schedule, Error> {
    Ok(Schedule {
        id: ScheduleId(row.id(0)?),
        owner: UserId(row.id(1)?),
        organization: OrgId(row.id(2)?),
        graph: GraphId(row.id(3)?),
        version: row.int(4)?,
        name: row.text(5)?,
        agent_name: row.text(6)?,
        cron: row.text(7)?,
        time_zone: row.text(8)?,
        inputs: row.object(9)?,
        credentials: row.object(10)?,
        created_at: row.time(11)?,
        next_run_at: row.time(12)?,
    })
}

fn read_due(row: &Row<'_>) -> Result<DueSchedule, Error> {
    Ok(DueSchedule { owner: UserId(row.id(0)?), id: ScheduleId(row.id(1)?), slot: row.time(2)? })
}

impl Store {
    /// Keeps a new schedule, whose first slot was worked out when it was made. [`Error::Exists`] when the id is taken.
    pub async fn insert_schedule(&self, new: Schedule) -> Result<(), Error> {
        let (inputs, credentials) = (Value::Object(new.inputs).to_string(), Value::Object(new.credentials).to_string());
        let Schedule { id, owner, organization, graph, version, created_at, next_run_at, .. } = new;
        let (name, agent_name, cron, time_zone) = (new.name, new.agent_name, new.cron, new.time_zone);
        self.write(move |db| {
            let values = args![
                id,
                owner,
                organization,
                graph,
                version,
                name,
                agent_name,
                cron,
                time_zone,
                inputs,
                credentials,
                created_at,
                next_run_at
            ];
            db.execute(INSERT, &values)?;
            Ok(())
        })
        .await
    }

    /// The owner's schedules, next one first.
    pub async fn schedules(&self, owner: UserId) -> Result<Vec<Schedule>, Error> {
        self.read(move |db| db.all(OF_OWNER, &args![owner], read_schedule)).await
    }

    /// One schedule.
    pub async fn schedule(&self, owner: UserId, id: ScheduleId) -> Result<Option<Schedule>, Error> {
        self.read(move |db| db.first(BY_ID, &args![owner, id], read_schedule)).await
    }

    /// Removes a schedule; [`Error::NotFound`] when it is not there.
    pub async fn remove_schedule(&self, owner: UserId, id: ScheduleId) -> Result<(), Error> {
        self.write(move |db| match db.execute(REMOVE, &args![owner, id])? {
            0 => Err(Error::NotFound),
            _ => Ok(()),
        })
        .await
    }

    /// Removes every schedule of the owner's for a graph; says how many there were.
    pub async fn remove_schedules_of(&self, owner: UserId, graph: GraphId) -> Result<u64, Error> {
        self.write(move |db| db.execute(REMOVE_OF_GRAPH, &args![owner, graph])).await
    }

    /// Moves a schedule from one slot to the next, as worked out at `counted_at`; false when it does not stand there.
    pub async fn move_schedule(&self, from: DueSchedule, to: Time, counted_at: Time) -> Result<bool, Error> {
        let DueSchedule { owner, id, slot } = from;
        self.write(move |db| Ok(db.execute(MOVE, &args![owner, id, slot, to, counted_at])? > 0)).await
    }

    /// Everybody's slots that have come, at most so many: each account's first one, then each one's second, and so on.
    pub async fn schedules_due(&self, now: Time, limit: usize) -> Result<Vec<DueSchedule>, Error> {
        self.read(move |db| db.all(DUE, &args![now, limit as i64], read_due)).await
    }

    /// Everybody's earliest slot after a time.
    pub async fn next_schedule(&self, after: Time) -> Result<Option<Time>, Error> {
        self.read(move |db| db.one(NEXT, &args![after], |row| row.time_option(0))).await
    }

    /// Everybody's schedules whose next slot was worked out after a time: by a clock that was put back since.
    pub async fn schedules_counted_after(&self, time: Time) -> Result<Vec<DueSchedule>, Error> {
        self.read(move |db| db.all(COUNTED_AFTER, &args![time], read_due)).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schedules_are_found_by_an_index() {
        for (sql, index) in [
            (OF_OWNER, "schedule_by_owner (owner=?)"),
            (BY_ID, "sqlite_autoindex_schedule_1 (id=?)"),
            (REMOVE, "sqlite_autoindex_schedule_1 (id=?)"),
            (REMOVE_OF_GRAPH, "schedule_by_owner (owner=? AND graph_id=?)"),
            (MOVE, "sqlite_autoindex_schedule_1 (id=?)"),
            (DUE, "COVERING INDEX schedule_due (next_run_at<?)"),
            (NEXT, "COVERING INDEX schedule_due (next_run_at>?)"),
        ] {
            let plan = crate::sql::plan(sql);
            assert!(plan.contains(index), "{sql:?}: {plan}");
        }
    }
}
