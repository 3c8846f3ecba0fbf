-- Who is signed in with which browser, and passwords being reset. Only SHA-256 digests of the secrets are kept.

-- `expires_at` moves with use and never past `ends_at`. `address` and `user_agent` are what the account's owner recognizes
-- a session by.
CREATE TABLE session (
    id BLOB NOT NULL PRIMARY KEY,
    account BLOB NOT NULL REFERENCES account (id),
    digest BLOB NOT NULL UNIQUE,
    created_at INTEGER NOT NULL,
    last_used_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    ends_at INTEGER NOT NULL,
    address TEXT NOT NULL,
    user_agent TEXT
) STRICT;

CREATE INDEX session_by_account ON session (account, last_used_at);
CREATE INDEX session_by_expiry ON session (expires_at);

CREATE TABLE password_reset (
    digest BLOB NOT NULL PRIMARY KEY,
    account BLOB NOT NULL REFERENCES account (id),
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;

CREATE INDEX password_reset_by_account ON password_reset (account);
CREATE INDEX password_reset_by_expiry ON password_reset (expires_at);
