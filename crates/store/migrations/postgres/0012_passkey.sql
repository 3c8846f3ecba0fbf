-- Passkeys, and the challenges that they have answered. No secret is in here: a passkey's private half never leaves its
-- device.

-- `party` is the name the passkey was made for: after the server's address has changed browsers do not offer it any more.
CREATE TABLE passkey (
    id BYTEA NOT NULL PRIMARY KEY,
    account BYTEA NOT NULL REFERENCES account (id),
    credential BYTEA NOT NULL UNIQUE,
    public_key BYTEA NOT NULL,
    party TEXT NOT NULL,
    sign_count BIGINT NOT NULL,
    can_be_backed_up BOOLEAN NOT NULL,
    is_backed_up BOOLEAN NOT NULL,
    name TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    last_used_at BIGINT
);

CREATE INDEX passkey_by_account ON passkey (account, created_at);

-- Challenges carry their end themselves; the used ones are kept until then, so that none is good twice.
CREATE TABLE passkey_challenge (
    digest BYTEA NOT NULL PRIMARY KEY,
    expires_at BIGINT NOT NULL
);

CREATE INDEX passkey_challenge_by_expiry ON passkey_challenge (expires_at);
