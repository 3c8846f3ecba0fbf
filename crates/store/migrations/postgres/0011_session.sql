-- Who is signed in with which browser, and passwords being reset. Only SHA-256 digests of the secrets are kept.

-- `expires_at` moves with use and never past `ends_at`. `address` and `user_agent` are what the account's owner recognizes
-- a session by.
CREATE TABLE session (
    id BYTEA NOT NULL PRIMARY KEY,
    account BYTEA NOT NULL REFERENCES account (id),
    digest BYTEA NOT NULL UNIQUE,
    created_at BIGINT NOT NULL,
    last_used_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    ends_at BIGINT NOT NULL,
    address TEXT NOT NULL,
    user_agent TEXT
);

CREATE INDEX session_by_account ON session (account, last_used_at);
CREATE INDEX session_by_expiry ON session (expires_at);

CREATE TABLE password_reset (
    digest BYTEA NOT NULL PRIMARY KEY,
    account BYTEA NOT NULL REFERENCES account (id),
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);

CREATE INDEX password_reset_by_account ON password_reset (account);
CREATE INDEX password_reset_by_expiry ON password_reset (expires_at);
