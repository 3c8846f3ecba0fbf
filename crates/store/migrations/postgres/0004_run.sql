-- Runs. The frames are the truth; a run's row is an index over them for lists. Every start writes here, so indexes are
-- as few as can be and nothing refers to another table. Accounts are never deleted, so no row can lose its owner.

-- `event_count` is the number of the next event: a frame that does not follow is refused by the same UPDATE that moves
-- the row. A run's row moves a few times in its life; room is left for that on its page.
CREATE TABLE run (
    id BYTEA NOT NULL PRIMARY KEY,
    owner BYTEA NOT NULL,
    organization BYTEA NOT NULL,
    graph_id BYTEA NOT NULL,
    graph_version BIGINT NOT NULL,
    status TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    started_at BIGINT,
    ended_at BIGINT,
    error TEXT,
    node_count BIGINT NOT NULL,
    error_count BIGINT NOT NULL,
    parent BYTEA,
    event_count BIGINT NOT NULL
) WITH (fillfactor = 80);

-- Ids of child runs are derived, not time-ordered, so lists go by the time.
CREATE INDEX run_by_graph ON run (owner, graph_id, created_at, id);

-- What a restart has to take up again.
CREATE INDEX run_unfinished ON run (created_at) WHERE ended_at IS NULL;

-- `body` is a format byte and the events `first` to `last`. It comes compressed, so the database need not try, and stays
-- in its row up to the size of a page: elsewhere it would cost a second row and a second index entry.
CREATE TABLE frame (
    run BYTEA NOT NULL,
    first BIGINT NOT NULL,
    last BIGINT NOT NULL,
    body BYTEA NOT NULL,
    PRIMARY KEY (run, first)
) WITH (toast_tuple_target = 8160);

ALTER TABLE frame ALTER COLUMN body SET STORAGE EXTERNAL;

-- A caller's keys for starting a run at most once.
CREATE TABLE idempotency (
    owner BYTEA NOT NULL,
    organization BYTEA NOT NULL,
    key TEXT COLLATE "C" NOT NULL,
    fingerprint BYTEA NOT NULL,
    run BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (owner, organization, key)
);

CREATE INDEX idempotency_by_age ON idempotency (created_at);
