//! One process owns a database.
//!
//! The connection that writes holds a lock of its session from before it looks at the first table until the session
//! ends, however it ends. All writes go over that connection, so nothing is written without the lock: a process that
//! lost its connection writes again only after it has got the lock again, and until then whatever it still had on its
//! way is over, because the lock is free only when the old session is gone.
//!
//! Whoever got the lock in between counts `tenure` up. A process that finds another number than its own keeps in memory
//! what may no longer hold, and writes nothing more until it is started again. Several processes that share the runs of
//! one database come with a later release.

use super::Connection;
use crate::Error;
use std::time::{Duration, Instant};
use tokio_postgres::Client;

/// A session that has just died, by a crash or a cut, may linger for a moment.
pub(super) const PATIENCE: Duration = Duration::from_secs(3);
const POLL: Duration = Duration::from_millis(50);

/// One lock for each schema, so that two databases in one are told apart; the number spells "Hedd".
const TRY: &str = "SELECT pg_try_advisory_lock(1214604388, current_schema()::regnamespace::oid::int4)";
const HOLDER: &str = "SELECT concat(coalesce(nullif(application_name, ''), 'another program'), ', session ', pid, \
    ' from ' || host(client_addr) || ':' || client_port, ' since ' || date_trunc('second', backend_start)) \
    FROM pg_locks LEFT JOIN pg_stat_activity USING (pid) WHERE locktype = 'advisory' AND granted \
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) \
    AND classid = 1214604388 AND objid = current_schema()::regnamespace AND objsubid = 2";
const SESSION: &str =
    "SELECT pid, extract(epoch FROM backend_start)::text FROM pg_stat_activity WHERE pid = pg_backend_pid()";
const END_SESSION: &str = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
    WHERE pid = $1 AND extract(epoch FROM backend_start)::text = $2";

/// A machine that vanished is noticed in a minute rather than in hours. Not every server knows every one of these.
const NOTICE: [&str; 4] = [
    "SET tcp_keepalives_idle = 30",
    "SET tcp_keepalives_interval = 10",
    "SET tcp_keepalives_count = 3",
    "SET client_connection_check_interval = '5s'",
];

const CREATE: &str = "CREATE TABLE IF NOT EXISTS tenure (
    id BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
    number BIGINT NOT NULL
)";
const BEGIN: &str = "INSERT INTO tenure (id, number) VALUES (1, 1) ON CONFLICT (id) DO UPDATE SET number = tenure.number + 1 \
    RETURNING number";
const NUMBER: &str = "SELECT number FROM tenure WHERE id = 1";

/// A session of the server's, told apart from a later one of the same process id.
#[derive(Clone)]
pub(super) struct Session {
    process: i32,
    begun: String,
}

/// Takes the lock over this connection. Our own lost session is helped to its end; anybody else's is waited for, if it
/// makes sense to wait, and then named.
pub(super) async fn take(client: &Client, lost: Option<&Session>, is_worth_waiting: bool) -> Result<Session, Error> {
    for setting in NOTICE {
        drop(client.batch_execute(setting).await);
    }
    if let Some(session) = lost {
        // One that is gone needs no end, and one that may not be ended is waited for all the same.
        drop(client.query(END_SESSION, &[&session.process, &session.begun]).await);
    }
    let give_up = Instant::now() + if is_worth_waiting { PATIENCE } else { Duration::ZERO };
    loop {
        match client.query_one(TRY, &[]).await?.try_get(0)? {
            Some(true) => break,
            Some(false) if Instant::now() < give_up => tokio::time::sleep(POLL).await,
            Some(false) => return Err(Error::InUse(holder(client).await?)),
            None => return Err(Error::Address("the search path names no schema that is there".to_owned())),
        }
    }
    let own = client.query_one(SESSION, &[]).await?;
    Ok(Session { process: own.try_get(0)?, begun: own.try_get(1)? })
}

async fn holder(client: &Client) -> Result<String, Error> {
    // It may have gone since.
    let row = client.query_opt(HOLDER, &[]).await?;
    Ok(row.map_or(Ok("another process".to_owned()), |row| row.try_get(0))?)
}

/// Begins a tenure, under the lock: its number.
pub(super) fn begin(db: Connection<'_>) -> Result<i64, Error> {
    db.run(CREATE)?;
    let rows = db.query(BEGIN, &[])?;
    Ok(rows.first().ok_or(Error::NotFound)?.try_get(0)?)
}

/// Whether the last tenure that began is still this one; under the lock.
pub(super) async fn is_last(client: &Client, number: i64) -> Result<bool, Error> {
    let row = client.query_opt(NUMBER, &[]).await?;
    Ok(row.map(|row| row.try_get::<_, i64>(0)).transpose()? == Some(number))
}
