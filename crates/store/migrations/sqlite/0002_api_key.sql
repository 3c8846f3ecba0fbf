-- API keys. Only the SHA-256 digest of a key is kept. Keys imported from elsewhere will have another kind of hash and
-- no digest, hence NULL is allowed (and does not collide in a unique index).

CREATE TABLE api_key (
    id BLOB NOT NULL PRIMARY KEY,
    owner BLOB NOT NULL REFERENCES account (id),
    organization BLOB NOT NULL REFERENCES organization (id),
    team BLOB REFERENCES team (id),
    name TEXT NOT NULL,
    head TEXT NOT NULL,
    tail TEXT NOT NULL,
    digest BLOB UNIQUE,
    status TEXT NOT NULL,
    scopes TEXT NOT NULL,
    description TEXT,
    created_at INTEGER NOT NULL,
    last_used_at INTEGER,
    revoked_at INTEGER
) STRICT;

CREATE INDEX api_key_by_owner ON api_key (owner, created_at);
