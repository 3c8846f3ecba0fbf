-- What storage blocks keep for an account, as JSON.

CREATE TABLE key_value (
    owner BLOB NOT NULL,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (owner, key)
) STRICT, WITHOUT ROWID;
