-- People who are on their way to a provider and back, to connect an account there. The state that travels with them is
-- kept as its SHA-256; the proof of RFC 7636 is sealed with the master key and bound to its row. A row is used once.

CREATE TABLE connect_attempt (
    digest BLOB NOT NULL PRIMARY KEY,
    owner BLOB NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    session BLOB,
    provider TEXT NOT NULL,
    way TEXT NOT NULL,
    callback_url TEXT NOT NULL,
    scopes TEXT NOT NULL,
    metadata TEXT NOT NULL,
    back TEXT,
    key_id BLOB,
    sealed BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;

CREATE INDEX connect_attempt_by_owner ON connect_attempt (owner, created_at);
CREATE INDEX connect_attempt_by_end ON connect_attempt (expires_at);

-- Why a connected account is of no use any more, once its provider has said so for good.
ALTER TABLE credential ADD COLUMN ended TEXT;
