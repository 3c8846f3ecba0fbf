//! Who is to be told that a run has ended. A row comes with the frame that ends the run.

use crate::sql::{Sql, both};

/// Run, owner, address, when it ended.
pub(crate) const PUT: Sql = both!(
    "INSERT INTO callback (run, owner, url, ended_at, due_at, attempts) VALUES (?1, ?2, ?3, ?4, ?4, 0) \
    ON CONFLICT (run) DO NOTHING"
);
