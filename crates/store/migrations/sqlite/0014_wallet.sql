-- What accounts may spend, in credits (a US cent each).

-- `counted`: executions since `since`. `period`: that of the last refill, `refill`: what it brought.
CREATE TABLE wallet (
    owner BLOB NOT NULL PRIMARY KEY,
    balance INTEGER NOT NULL,
    counted INTEGER NOT NULL,
    since INTEGER NOT NULL,
    period INTEGER NOT NULL,
    refill INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What has changed a wallet: a row for each change that somebody or a refill made, and one for each run that took from it.
-- What each of a run's executions took is in its journal.
CREATE TABLE credit (
    owner BLOB NOT NULL,
    key TEXT NOT NULL,
    kind TEXT NOT NULL,
    amount INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    description TEXT,
    graph_id BLOB,
    run BLOB,
    PRIMARY KEY (owner, key)
) STRICT, WITHOUT ROWID;

CREATE INDEX credit_by_time ON credit (owner, created_at, key);

-- What owners were told of, until their wallet is filled: once for each agent.
CREATE TABLE credit_notice (
    owner BLOB NOT NULL,
    what TEXT NOT NULL,
    graph_id BLOB NOT NULL,
    balance INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (owner, what, graph_id)
) STRICT, WITHOUT ROWID;
