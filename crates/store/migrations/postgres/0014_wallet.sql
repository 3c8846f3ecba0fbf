-- What accounts may spend, in credits (a US cent each).

-- `counted`: executions since `since`. `period`: that of the last refill, `refill`: what it brought.
CREATE TABLE wallet (
    owner BYTEA NOT NULL PRIMARY KEY,
    balance BIGINT NOT NULL,
    counted BIGINT NOT NULL,
    since BIGINT NOT NULL,
    period BIGINT NOT NULL,
    refill BIGINT NOT NULL
);

-- What has changed a wallet: a row for each change that somebody or a refill made, and one for each run that took from it.
-- What each of a run's executions took is in its journal.
CREATE TABLE credit (
    owner BYTEA NOT NULL,
    key TEXT NOT NULL,
    kind TEXT NOT NULL,
    amount BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    description TEXT,
    graph_id BYTEA,
    run BYTEA,
    PRIMARY KEY (owner, key)
);

CREATE INDEX credit_by_time ON credit (owner, created_at, key);

-- What owners were told of, until their wallet is filled: once for each agent.
CREATE TABLE credit_notice (
    owner BYTEA NOT NULL,
    what TEXT NOT NULL,
    graph_id BYTEA NOT NULL,
    balance BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (owner, what, graph_id)
);
