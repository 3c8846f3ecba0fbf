-- Runs that wait: what wakes them stands in their rows, so that nobody has to drive them until then.

-- `parked`: nothing happens until something wakes the run. `wake_at`: the earliest time that it waits for. `awaits`: 24 bytes
-- for each child run that it waits for, its id and the number of the event up to which it has been read. `news`: number
-- of the event after the last one that a parent has to hear of. `frame_count`: rows of `frame`.
ALTER TABLE run ADD COLUMN cost BIGINT NOT NULL DEFAULT 0;
ALTER TABLE run ADD COLUMN news BIGINT NOT NULL DEFAULT 0;
ALTER TABLE run ADD COLUMN parked BOOLEAN NOT NULL DEFAULT false;
ALTER TABLE run ADD COLUMN wake_at BIGINT;
ALTER TABLE run ADD COLUMN awaits BYTEA;
ALTER TABLE run ADD COLUMN frame_count BIGINT NOT NULL DEFAULT 1;

-- What a restart has to take up at once, and how many runs have not ended.
DROP INDEX run_unfinished;
CREATE INDEX run_unfinished ON run (parked, created_at) WHERE ended_at IS NULL;

CREATE INDEX run_to_wake ON run (wake_at, id) WHERE wake_at IS NOT NULL;
CREATE INDEX run_awaiting ON run (id) WHERE awaits IS NOT NULL;
CREATE INDEX run_to_compact ON run (ended_at) WHERE ended_at IS NOT NULL AND frame_count > 1;

-- Reviews: an index over the journals, for lists. `id` is the node execution's.
CREATE TABLE review (
    id BYTEA NOT NULL PRIMARY KEY,
    owner BYTEA NOT NULL,
    run BYTEA NOT NULL,
    exec BIGINT NOT NULL,
    graph_id BYTEA NOT NULL,
    graph_version BIGINT NOT NULL,
    node_id TEXT NOT NULL,
    payload TEXT NOT NULL,
    instructions TEXT,
    editable BOOLEAN NOT NULL,
    status TEXT NOT NULL,
    message TEXT,
    was_edited BOOLEAN NOT NULL,
    processed BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    reviewed_at BIGINT
);

CREATE INDEX review_by_owner ON review (owner, status, created_at, id);
CREATE INDEX review_by_run ON review (run);

-- Who is told of a run's end, and when it is tried next. The row goes when it was heard or given up.
CREATE TABLE callback (
    run BYTEA NOT NULL PRIMARY KEY,
    owner BYTEA NOT NULL,
    url TEXT NOT NULL,
    ended_at BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    attempts BIGINT NOT NULL
);

CREATE INDEX callback_due ON callback (due_at, run);
