-- Runs that wait: what wakes them stands in their rows, so that nobody has to drive them until then.

-- `parked`: nothing happens until something wakes the run. `wake_at`: the earliest time that it waits for. `awaits`: 24 bytes
-- for each child run that it waits for, its id and the number of the event up to which it has been read. `news`: number
-- of the event after the last one that a parent has to hear of. `frame_count`: rows of `frame`.
ALTER TABLE run ADD COLUMN cost INTEGER NOT NULL DEFAULT 0;
ALTER TABLE run ADD COLUMN news INTEGER NOT NULL DEFAULT 0;
ALTER TABLE run ADD COLUMN parked INTEGER NOT NULL DEFAULT 0;
ALTER TABLE run ADD COLUMN wake_at INTEGER;
ALTER TABLE run ADD COLUMN awaits BLOB;
ALTER TABLE run ADD COLUMN frame_count INTEGER NOT NULL DEFAULT 1;

-- What a restart has to take up at once, and how many runs have not ended.
DROP INDEX run_unfinished;
CREATE INDEX run_unfinished ON run (parked, created_at) WHERE ended_at IS NULL;

CREATE INDEX run_to_wake ON run (wake_at, id) WHERE wake_at IS NOT NULL;
CREATE INDEX run_awaiting ON run (id) WHERE awaits IS NOT NULL;
CREATE INDEX run_to_compact ON run (ended_at) WHERE ended_at IS NOT NULL AND frame_count > 1;

-- Reviews: an index over the journals, for lists. `id` is the node execution's.
CREATE TABLE review (
    id BLOB NOT NULL PRIMARY KEY,
    owner BLOB NOT NULL,
    run BLOB NOT NULL,
    exec INTEGER NOT NULL,
    graph_id BLOB NOT NULL,
    graph_version INTEGER NOT NULL,
    node_id TEXT NOT NULL,
    payload TEXT NOT NULL,
    instructions TEXT,
    editable INTEGER NOT NULL,
    status TEXT NOT NULL,
    message TEXT,
    was_edited INTEGER NOT NULL,
    processed INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    reviewed_at INTEGER
) STRICT, WITHOUT ROWID;

CREATE INDEX review_by_owner ON review (owner, status, created_at, id);
CREATE INDEX review_by_run ON review (run);

-- Who is told of a run's end, and when it is tried next. The row goes when it was heard or given up.
CREATE TABLE callback (
    run BLOB NOT NULL PRIMARY KEY,
    owner BLOB NOT NULL,
    url TEXT NOT NULL,
    ended_at INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    attempts INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX callback_due ON callback (due_at, run);
