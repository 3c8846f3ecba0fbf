-- Credentials of accounts for providers, and the record of their use.

-- `sealed` holds every secret part, bound to owner and id, so that a row copied over another one does not open. What
-- is shown of a credential stands beside it: `scopes` (joined by blanks) and `username` of connected accounts, `host` of
-- headers for one host, `base_url` where its provider is not where it usually is.
CREATE TABLE credential (
    id BLOB NOT NULL PRIMARY KEY,
    owner BLOB NOT NULL,
    provider TEXT NOT NULL,
    kind TEXT NOT NULL,
    title TEXT,
    scopes TEXT,
    username TEXT,
    host TEXT,
    base_url TEXT,
    expires_at INTEGER,
    sealed BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    last_used_at INTEGER
) STRICT;

CREATE INDEX credential_by_owner ON credential (owner, created_at, id);

-- One row for each time that a secret was opened: for whom, which one (`credential` may be a host-wide one, which is in no
-- table), by which door, and in a run by which execution of which node. Never the secret.
CREATE TABLE secret_use (
    number INTEGER NOT NULL PRIMARY KEY,
    used_at INTEGER NOT NULL,
    owner BLOB NOT NULL,
    credential TEXT NOT NULL,
    provider TEXT NOT NULL,
    door TEXT NOT NULL,
    run BLOB,
    node TEXT,
    exec INTEGER
) STRICT;

CREATE INDEX secret_use_by_owner ON secret_use (owner, used_at);
CREATE INDEX secret_use_by_age ON secret_use (used_at);
