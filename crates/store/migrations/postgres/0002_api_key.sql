-- API keys. Only the SHA-256 digest of a key is kept. Keys imported from elsewhere will have another kind of hash and
-- no digest, hence NULL is allowed (and does not collide in a unique index).

CREATE TABLE api_key (
    id BYTEA NOT NULL PRIMARY KEY,
    owner BYTEA NOT NULL REFERENCES account (id),
    organization BYTEA NOT NULL REFERENCES organization (id),
    team BYTEA REFERENCES team (id),
    name TEXT NOT NULL,
    head TEXT NOT NULL,
    tail TEXT NOT NULL,
    digest BYTEA UNIQUE,
    status TEXT NOT NULL,
    scopes TEXT NOT NULL,
    description TEXT,
    created_at BIGINT NOT NULL,
    last_used_at BIGINT,
    revoked_at BIGINT
);

CREATE INDEX api_key_by_owner ON api_key (owner, created_at);
