-- Secrets of accounts, sealed with a master key that is not in the database. Each is bound to its row, so that a row
-- copied over another one does not open.
CREATE TABLE secret (
    owner BYTEA NOT NULL,
    name TEXT NOT NULL,
    sealed BYTEA NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (owner, name)
);
