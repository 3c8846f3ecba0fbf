-- Passkeys, and the challenges that they have answered. No secret is in here: a passkey's private half never leaves its
-- device.

-- `party` is the name the passkey was made for: after the server's address has changed browsers do not offer it any more.
CREATE TABLE passkey (
    id BLOB NOT NULL PRIMARY KEY,
    account BLOB NOT NULL REFERENCES account (id),
    credential BLOB NOT NULL UNIQUE,
    public_key BLOB NOT NULL,
    party TEXT NOT NULL,
    sign_count INTEGER NOT NULL,
    can_be_backed_up INTEGER NOT NULL,
    is_backed_up INTEGER NOT NULL,
    name TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    last_used_at INTEGER
) STRICT;

CREATE INDEX passkey_by_account ON passkey (account, created_at);

-- Challenges carry their end themselves; the used ones are kept until then, so that none is good twice.
CREATE TABLE passkey_challenge (
    digest BLOB NOT NULL PRIMARY KEY,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX passkey_challenge_by_expiry ON passkey_challenge (expires_at);
