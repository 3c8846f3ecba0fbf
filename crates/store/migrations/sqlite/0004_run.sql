-- Runs. The frames are the truth; a run's row is an index over them for lists. Every start writes here, so indexes are
-- as few as can be and nothing refers to another table. Accounts are never deleted, so no row can lose its owner.

-- `event_count` is the number of the next event: a frame that does not follow is refused by the same UPDATE that moves
-- the row.
CREATE TABLE run (
    id BLOB NOT NULL PRIMARY KEY,
    owner BLOB NOT NULL,
    organization BLOB NOT NULL,
    graph_id BLOB NOT NULL,
    graph_version INTEGER NOT NULL,
    status TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    started_at INTEGER,
    ended_at INTEGER,
    error TEXT,
    node_count INTEGER NOT NULL,
    error_count INTEGER NOT NULL,
    parent BLOB,
    event_count INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Ids of child runs are derived, not time-ordered, so lists go by the time.
CREATE INDEX run_by_graph ON run (owner, graph_id, created_at, id);

-- What a restart has to take up again.
CREATE INDEX run_unfinished ON run (created_at) WHERE ended_at IS NULL;

-- `body` is a format byte and the events `first` to `last`. Unlike the other tables here this one keeps its row ids: a
-- table without them spills every body over a kilobyte onto a page of its own, and pages are what a commit waits for
-- (1.5 kB bodies: half the log, less than half the file).
CREATE TABLE frame (
    run BLOB NOT NULL,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (run, first)
) STRICT;

-- A caller's keys for starting a run at most once.
CREATE TABLE idempotency (
    owner BLOB NOT NULL,
    organization BLOB NOT NULL,
    key TEXT NOT NULL,
    fingerprint BLOB NOT NULL,
    run BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (owner, organization, key)
) STRICT, WITHOUT ROWID;

CREATE INDEX idempotency_by_age ON idempotency (created_at);
